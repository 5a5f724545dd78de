"""News are the rises, each once; a storm is a number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.onvif.notification import Notification, PropertyOperation
from engine.onvif.rising_edges import STATES_LIMIT, STORM_EVENTS, STORM_US, RisingEdges

MOTION = "tns1:RuleEngine/CellMotionDetector/Motion"
INIT, CHANGED, DELETED, NONE = (
    PropertyOperation.INITIALIZED,
    PropertyOperation.CHANGED,
    PropertyOperation.DELETED,
    PropertyOperation.NONE,
)


def motion(is_on: bool, operation: PropertyOperation = CHANGED, rule: str = "r") -> Notification:
    return Notification(MOTION, operation, source=(("Rule", rule),), data=(("IsMotion", str(is_on).lower()),))


def test_only_the_rise_is_news() -> None:
    edges = RisingEdges()
    said = [len(edges.notice([motion(is_on)], 0)) for is_on in (True, True, False, False, True)]
    assert said == [1, 0, 0, 0, 1]


def test_rules_sources_and_objects_have_states_of_their_own() -> None:
    edges = RisingEdges()
    assert len(edges.notice([motion(True, rule="a"), motion(True, rule="b")], 0)) == 2
    inside = [
        Notification(
            "tns1:RuleEngine/FieldDetector/ObjectsInside",
            CHANGED,
            source=(("Rule", "a"),),
            key=(("ObjectId", number),),
            data=(("IsInside", "true"),),
        )
        for number in ("1", "2", "1")
    ]
    assert len(edges.notice(inside, 0)) == 2


def test_a_replayed_state_is_remembered_but_no_news() -> None:
    edges = RisingEdges()
    assert edges.notice([motion(True, INIT), motion(True)], 0) == []
    assert len(edges.notice([motion(False, INIT), motion(True)], 0)) == 1


def test_a_deleted_state_may_rise_again() -> None:
    edges = RisingEdges()
    edges.notice([motion(True)], 0)
    assert len(edges.notice([motion(True, DELETED), motion(True)], 0)) == 1


def test_a_storm_is_told_with_its_count_when_it_is_over_and_others_are_told_meanwhile() -> None:
    edges = RisingEdges()
    rises = [motion(is_on, NONE) for _ in range(50) for is_on in (True, False)]
    assert [detection.count for detection in edges.notice(rises, 0)] == [1] * STORM_EVENTS
    dark = Notification("tns1:VideoSource/ImageTooDark", CHANGED, data=(("State", "true"),))
    assert [detection.kind for detection in edges.notice([dark], 1)] == ["detection.tampering"]
    assert edges.due(STORM_US - 1) == []
    assert [detection.count for detection in edges.due(STORM_US)] == [50 - STORM_EVENTS]
    assert edges.due(STORM_US) == []


def test_what_a_storm_holds_back_is_told_at_the_end() -> None:
    edges = RisingEdges()
    edges.notice([motion(is_on, NONE) for _ in range(12) for is_on in (True, False)], 0)
    assert [detection.count for detection in edges.rest()] == [2]
    assert edges.rest() == []


def test_states_are_bounded() -> None:
    edges = RisingEdges()
    edges.notice([motion(True, rule=str(number)) for number in range(STATES_LIMIT * 2)], 0)
    assert len(edges._states) == STATES_LIMIT


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from([INIT, CHANGED, DELETED, NONE]),
            st.sampled_from("ab"),
            st.integers(0, 3_000_000),
        ),
        max_size=60,
    )
)
def test_no_rise_is_lost_and_none_is_told_twice(
    said: list[tuple[bool, PropertyOperation, str, int]],
) -> None:
    edges = RisingEdges()
    states: dict[str, bool] = {}
    wanted = told = now_us = 0
    for is_on, operation, rule, pause_us in said:
        now_us += pause_us
        told += sum(detection.count for detection in edges.notice([motion(is_on, operation, rule)], now_us))
        if operation is DELETED:
            states.pop(rule, None)
            continue
        if is_on and not states.get(rule, False) and operation is not INIT:
            wanted += 1
        states[rule] = is_on
    assert told + sum(detection.count for detection in edges.rest()) == wanted

"""Nothing that met a rule is lost between event and hit, whatever comes and however fast."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.alarms.intake import HIT_LIMIT, HITS_A_KEY, KEY_LIMIT, OTHERS, Intake
from engine.alarms.rule import RuleIndex
from engine.wire_alarm_rules import LiveAction
from tests.engine.alarms.makers import AT_US, event, rule, trigger


def intake(*rules: object, cameras: tuple[str, ...] = ("Gate",)) -> Intake:
    made = Intake(lambda: cameras)
    made.index = RuleIndex(rules or (rule(),))
    return made


def test_events_of_one_rule_kind_and_source_are_one_hit_with_a_count() -> None:
    made = intake()
    for number in range(5):
        made.take(event(time_us=AT_US + number, text=str(number)))
    made.take(event(source="Yard"))
    first, second = made.take_all()
    assert (first.count, first.first_us, first.last_us, first.text) == (5, AT_US, AT_US + 4, "4")
    assert (first.source, second.source, second.count) == ("Gate", "Yard", 1)
    assert made.take_all() == []
    assert not made.arrived.is_set()


def test_an_event_past_the_interval_is_a_hit_of_its_own() -> None:
    made = intake(rule(retrigger_us=10))
    for time_us in (0, 10, 21):
        made.take(event(time_us=AT_US + time_us))
    assert [hit.count for hit in made.take_all()] == [2, 1]


def test_without_an_interval_each_event_is_a_hit_until_there_are_too_many() -> None:
    made = intake(rule(retrigger_us=0))
    for _ in range(HITS_A_KEY + 50):
        made.take(event())
    hits = made.take_all()
    assert len(hits) == HITS_A_KEY
    assert [hit.count for hit in hits] == [1] * (HITS_A_KEY - 1) + [51]


def test_sources_without_number_are_bounded_and_counted() -> None:
    made = intake(rule(trigger("external")))
    for number in range(KEY_LIMIT + 500):
        made.take(event("external.webhook", f"sender {number}"))
    hits = made.take_all()
    assert len(hits) == KEY_LIMIT + 1
    assert sum(hit.count for hit in hits) == KEY_LIMIT + 500
    assert next(hit.count for hit in hits if hit.source == OTHERS) == 500


def test_an_alarm_raises_no_alarm() -> None:
    made = intake(rule(trigger("alarm"), trigger("alarm_rule")))
    made.take(event("alarm_rule.added"))
    made.take(event("alarm.raised"))
    assert made.take_all() == []


def test_the_camera_is_the_source_when_it_is_one_else_that_of_an_action() -> None:
    live = (LiveAction(cameras=("Yard",)),)
    made = intake(rule(trigger("detection"), trigger("volume"), actions=live))
    made.take(event())
    made.take(event("volume.full", "disk1"))
    assert {hit.source: hit.camera for hit in made.take_all()} == {"Gate": "Gate", "disk1": "Yard"}


def test_what_could_not_be_written_waits_before_what_came_since_and_is_counted_with_it() -> None:
    made = intake()
    made.take(event(text="first"))
    refused = made.take_all()
    refused[0].is_acted_on = True
    made.take(event(time_us=AT_US + 1, text="second"))
    made.put_back(refused)
    (hit,) = made.take_all()
    assert (hit.count, hit.first_us, hit.text, hit.is_acted_on) == (2, AT_US, "second", True)


events = st.builds(
    event,
    st.sampled_from(["detection.motion", "detection.face", "camera.lost", "external.webhook"]),
    st.sampled_from(["Gate", "Yard", "Hall", ""]),
    st.just("x"),
    time_us=st.integers(AT_US, AT_US + 200),
    count=st.integers(1, 5),
)
steps = st.lists(st.one_of(events, st.sampled_from(["take", "refuse"])), max_size=60)


@given(steps, st.sampled_from([0, 1, 50, 1_000]))
def test_the_counts_are_the_events_that_met_whatever_the_order(
    steps: list[object], retrigger_us: int
) -> None:
    rules = (
        rule(trigger("detection"), id=1, retrigger_us=retrigger_us),
        rule(trigger("detection.motion", "Gate", "Yard"), id=2, retrigger_us=retrigger_us),
        rule(trigger("camera"), trigger("external"), id=3, retrigger_us=retrigger_us),
    )
    made, index = intake(*rules), RuleIndex(rules)
    expected: dict[tuple[int, str, str], int] = {}
    written: dict[tuple[int, str, str], int] = {}
    refused: list[object] = []
    for step in [*steps, "take"]:
        if step == "take":
            for hit in made.take_all():
                written[hit.key] = written.get(hit.key, 0) + hit.count
        elif step == "refuse":
            refused = made.take_all()
            made.put_back(refused)
        else:
            made.take(step)
            for met in index.matching(step):
                key = (met.id, step.kind, step.source)
                expected[key] = expected.get(key, 0) + step.count
    assert written == expected


def test_a_catalog_that_refuses_for_long_does_not_fill_the_memory() -> None:
    made = intake(rule(retrigger_us=0), rule(trigger("external"), id=2, retrigger_us=0))
    for round in range(150):
        for number in range(100):
            made.take(event("external.webhook", f"sender {number}", time_us=AT_US + round))
        made.put_back(made.take_all())
    hits = made.take_all()
    assert len(hits) <= HIT_LIMIT
    assert sum(hit.count for hit in hits) == 15_000

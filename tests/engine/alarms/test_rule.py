"""Which events meet which rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alarms.rule import RuleIndex, ScheduleGate
from engine.recording.schedule import is_on
from engine.wire_alarm_rules import LiveAction, RecordAction, SoundAction, TextMatch
from storage.catalog.records import Schedule
from tests.engine.alarms.makers import ALL_DAY, AT_US, NEVER, event, rule, trigger

texts = st.text(st.characters(codec="utf-8"), max_size=12)


def met(index: RuleIndex, *arguments: object, **named: object) -> list[int]:
    return [each.id for each in index.matching(event(*arguments, **named))]


@pytest.mark.parametrize(
    ("kind", "is_met"),
    [
        ("detection.motion", True),
        ("detection", False),
        ("detection.motion.region", True),
        ("detection.motionless", False),
        ("camera.lost", False),
    ],
)
def test_a_kind_stands_for_itself_and_all_below_it(kind: str, is_met: bool) -> None:
    assert met(RuleIndex([rule(trigger("detection.motion"))]), kind) == ([1] if is_met else [])


def test_a_trigger_without_sources_takes_any_and_one_with_some_takes_these() -> None:
    index = RuleIndex([rule(trigger(), id=1), rule(trigger("detection", "Gate", "Yard"), id=2)])
    assert met(index, source="Gate") == [1, 2]
    assert met(index, source="Hall") == [1]
    assert met(index, source="") == [1]


def test_a_rule_is_met_once_however_many_of_its_triggers_fit() -> None:
    index = RuleIndex([rule(trigger("detection"), trigger(), trigger("detection.motion", "Gate"))])
    assert met(index) == [1]


@pytest.mark.parametrize(
    ("said", "text", "match", "is_case_sensitive", "is_met"),
    [
        ("door 4 forced", "FORCED", TextMatch.CONTAINS, False, True),
        ("door 4 forced", "FORCED", TextMatch.CONTAINS, True, False),
        ("door 4 forced", "forced", TextMatch.MATCHES, False, False),
        ("Forced", "forced", TextMatch.MATCHES, False, True),
        ("Forced", "forced", TextMatch.MATCHES, True, False),
        ("forced ", "forced", TextMatch.MATCHES, True, False),
        ("STRASSE", "straße", TextMatch.MATCHES, False, True),
        ("anything", "", TextMatch.MATCHES, True, True),
    ],
)
def test_text_is_a_part_or_the_whole_in_this_case_or_any(
    said: str, text: str, match: TextMatch, is_case_sensitive: bool, is_met: bool
) -> None:
    asked = trigger("external.tcp_message", text=text, match=match, is_case_sensitive=is_case_sensitive)
    assert met(RuleIndex([rule(asked)]), "external.tcp_message", "10.0.0.9", said) == ([1] if is_met else [])


@given(texts, texts, texts)
def test_what_is_inside_a_message_is_found_wherever_it_stands(before: str, text: str, after: str) -> None:
    index = RuleIndex([rule(trigger("external", text=text, is_case_sensitive=True))])
    assert met(index, "external.webhook", "x", before + text + after) == [1]


@given(texts.filter(bool), texts)
def test_matches_means_identical_and_nothing_else(text: str, said: str) -> None:
    asked = trigger("external", text=text, match=TextMatch.MATCHES, is_case_sensitive=True)
    assert (met(RuleIndex([rule(asked)]), "external.webhook", "x", said) == [1]) is (said == text)


@given(texts, texts, st.sampled_from(TextMatch))
def test_without_case_both_sides_are_folded(text: str, said: str, match: TextMatch) -> None:
    def is_met(said: str, text: str) -> bool:
        asked = trigger("external", text=text, match=match)
        return met(RuleIndex([rule(asked)]), "external.webhook", "x", said) == [1]

    assert is_met(said, text) is is_met(said.casefold(), text) is is_met(said, text.casefold())


def test_events_before_a_rule_was_enabled_are_not_its_own() -> None:
    index = RuleIndex([rule(since_us=AT_US)])
    assert met(index, time_us=AT_US) == [1]
    assert met(index, time_us=AT_US - 1) == []


def test_a_schedule_that_says_no_is_not_met() -> None:
    sundays = Schedule(zone="UTC", days=(NEVER,) * 6 + (ALL_DAY,))
    index = RuleIndex([rule(schedule=sundays)])
    assert met(index, time_us=AT_US) == [1]
    assert met(index, time_us=AT_US + 86_400_000_000) == []


cells = st.text("x.", min_size=48, max_size=48)


@given(
    st.tuples(*[cells] * 7),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.sampled_from([(2026, 3, 29), (2026, 10, 25), (2026, 4, 4), (2026, 3, 8), (2026, 6, 1)]),
    st.lists(st.integers(0, 3 * 86_400), min_size=1, max_size=20),
)
def test_what_a_gate_remembers_is_what_the_schedule_says_over_changes_of_the_clock(
    days: tuple[str, ...], zone: str, day: tuple[int, int, int], offsets_s: list[int]
) -> None:
    schedule = Schedule(zone=zone, days=days)
    gate = ScheduleGate(schedule)
    start = datetime(*day, tzinfo=UTC) - timedelta(days=1)
    start_us = int(start.timestamp()) * 1_000_000
    for offset_s in offsets_s:
        time_us = start_us + offset_s * 1_000_000
        assert gate.is_on(time_us) is is_on(schedule, time_us)


def test_what_a_rule_shows_and_rings_follows_from_its_actions() -> None:
    bare = rule()
    assert (bare.sound, bare.is_live, bare.camera) == (0, False, "")
    full = rule(
        actions=(
            RecordAction(cameras=("Yard",)),
            SoundAction(pattern=2, where="box"),
            SoundAction(pattern=3, where="both"),
            LiveAction(cameras=("Gate",)),
        )
    )
    assert (full.sound, full.is_live, full.camera) == (3, True, "Gate")


def test_sources_without_number_are_not_remembered_without_end() -> None:
    index = RuleIndex([rule(trigger("external"))])
    for number in range(5_000):
        assert met(index, "external.webhook", f"sender {number}") == [1]
    assert len(index._candidates) <= 2_000

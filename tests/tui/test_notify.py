"""Which alarms call the operator of this console, for how long not, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.wire_alarms import AlarmRaised, AlarmStatus, AlarmView
from tui.notify import MINUTE_US, Notifier
from tui.notify_file import load_notifier, save_notifier
from tui.title import KEEP, WindowTitle, title_words

NOW_US = 1_772_633_000_000_000


def raised(id: int = 1, *, rule: str = "Motion", is_new: bool = True, **fields: object) -> AlarmRaised:
    alarm = AlarmView(
        id=id,
        rule=rule,
        kind="detection.motion",
        source="gate",
        severity="warning",
        status=AlarmStatus.NEW,
        first_us=NOW_US,
        last_us=NOW_US,
        count=1,
        text="motion",
    )
    return AlarmRaised(sequence=id, alarm=msgspec.structs.replace(alarm, **fields), is_new=is_new)


def test_the_worst_of_several_is_told_with_how_many_there_are_and_rings_its_pattern() -> None:
    notice = Notifier().notice(
        [raised(1, severity="critical", sound=4), raised(2, sound=1), raised(3)], NOW_US
    )
    assert notice is not None
    assert (notice.alarm.id, notice.number, notice.pattern) == (1, 3, 4)


def test_an_alarm_without_a_sound_rings_nothing_and_one_that_goes_on_calls_nobody() -> None:
    notice = Notifier().notice([raised(1)], NOW_US)
    assert notice is not None
    assert notice.pattern == 0
    assert Notifier().notice([raised(1, is_new=False, sound=3)], NOW_US) is None


def test_a_rule_that_is_off_here_calls_nobody_until_it_is_switched_on_by_hand() -> None:
    notifier = Notifier({"Motion"})
    assert notifier.notice([raised(1)], NOW_US + 10**15) is None
    assert not notifier.allows(raised(1).alarm, NOW_US)
    other = notifier.notice([raised(1), raised(2, rule="Gate")], NOW_US)
    assert other is not None
    assert (other.alarm.rule, other.number) == ("Gate", 1)


@given(st.integers(1, 20_000))
def test_off_for_a_time_ends_by_itself_and_is_at_most_9999_minutes(minutes: int) -> None:
    notifier = Notifier()
    notifier.quiet_for(minutes, NOW_US)
    end_us = NOW_US + min(minutes, 9_999) * MINUTE_US
    assert notifier.notice([raised(1)], end_us - 1) is None
    assert notifier.minutes_left(NOW_US) == min(minutes, 9_999)
    assert not notifier.end_quiet(end_us - 1)
    assert notifier.end_quiet(end_us)
    assert not notifier.end_quiet(end_us), "said once"
    assert notifier.notice([raised(1)], end_us) is not None


def test_what_is_off_is_kept_on_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck" / "notifications.toml"
    save_notifier(path, frozenset({'Gate "north"', "Tür\x7f\n"}), 17)
    notifier, complaint = load_notifier(path)
    assert complaint == ""
    assert (notifier.off_rules, notifier.quiet_until_us) == ({'Gate "north"', "Tür\x7f\n"}, 17)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text", ["off_rules = 3", 'quiet_until_us = "soon"', "off_rules = [", "off_rules = [1]"]
)
def test_a_wrong_file_is_reported_and_taken_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notifications.toml"
    path.write_text(text)
    notifier, complaint = load_notifier(path)
    assert str(path) in complaint
    assert not notifier.off_rules
    assert load_notifier(tmp_path / "absent.toml")[1] == ""


def test_the_title_counts_new_alarms_and_carries_no_controls() -> None:
    assert title_words("cellar-nvr", 1234) == "(1,234) Watchdeck cellar-nvr"
    assert title_words("", 0) == "Watchdeck"
    assert "\x1b" not in title_words("a\x1b]2;b", 1)


def test_the_title_there_was_is_kept_once_and_a_terminal_that_is_behind_gets_it_later() -> None:
    written: list[str] = []
    is_free = False

    def write(text: str) -> bool:
        if is_free:
            written.append(text)
        return is_free

    title = WindowTitle(write)
    title.show("one")
    assert not title.is_set
    is_free = True
    title.show("one")
    title.show("one")
    title.show("two")
    assert written == [f"{KEEP}\x1b]2;one\x1b\\", "\x1b]2;two\x1b\\"]
    assert title.is_set

"""Events without end become few, and none of them is the last word unsaid."""

from __future__ import annotations

from engine.chassis.happenings import Happening, happening
from engine.chassis.storms import KIND_LIMIT, MEMORY_LIMIT, SOURCE_LIMIT, WINDOW_US, StormGuard

SECOND_US = 1_000_000


def test_a_loose_plug_is_said_ten_times_and_then_counted() -> None:
    guard = StormGuard()
    said: list[Happening] = []
    for second in range(0, 3600, 2):
        kind = "drive.missing" if second % 4 else "drive.returned"
        said += guard.take([happening(kind, f"{second}", "bay 3")], second * SECOND_US)
    assert len(said) <= 2 * 6 * (SOURCE_LIMIT + 1)
    assert [each.text for each in said[:4]] == ["0", "2", "4", "6"]


def test_the_last_state_is_said_when_the_storm_is_over() -> None:
    guard = StormGuard()
    for number in range(SOURCE_LIMIT + 5):
        guard.take([happening("virtual_drive.degraded", f"{number}", "A")], 0)
    assert guard.take([], WINDOW_US - 1) == []
    [last] = guard.take([], WINDOW_US)
    assert last.text == f"{SOURCE_LIMIT + 4} (5 such events in ten minutes)"
    assert (last.kind, last.source) == ("virtual_drive.degraded", "A")
    assert guard.take([], 2 * WINDOW_US) == []


def test_other_things_are_said_meanwhile() -> None:
    guard = StormGuard()
    for number in range(50):
        guard.take([happening("drive.missing", f"{number}", "bay 3")], 0)
    assert (
        guard.take([happening("drive.missing", "x", "bay 4"), happening("drive.failed", "y", "bay 3")], 1)
        != []
    )
    assert len(guard.take([happening("drive.failed", "y", "bay 5")], 1)) == 1


def test_a_device_with_ever_new_names_fills_neither_the_events_nor_the_memory() -> None:
    guard = StormGuard()
    said = [
        each
        for number in range(5 * MEMORY_LIMIT)
        for each in guard.take([happening("drive.inserted", "x", f"S{number}")], number)
    ]
    assert len(said) <= KIND_LIMIT
    assert len(guard._windows) <= MEMORY_LIMIT

"""Callers who may not: said one by one, then counted; brute force said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.api import refusals
from engine.api.refusals import THRESHOLD, Refusals


class Bus:
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def publish(self, kind: str, text: str, *, source: str = "", **_: object) -> None:
        self.said.append((kind, source))

    def count(self, kind: str) -> int:
        return sum(said == kind for said, _ in self.said)


class Timers:
    """Instead of the loop: ends the window when told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def call_later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> Timers:
        assert delay_s == refusals.WINDOW_S
        self.waiting.append(lambda: callback(*args))
        return self

    def cancel(self) -> None:
        pass

    def minute(self) -> None:
        now, self.waiting = self.waiting, []
        for end in now:
            end()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    found = Timers()
    monkeypatch.setattr("asyncio.get_running_loop", lambda: found)
    return found


def desk(bus: Bus, sums: list[tuple[str, str]]) -> Refusals:
    return Refusals(bus, lambda who, text: sums.append((who, text)))  # type: ignore[arg-type]


def test_a_few_are_said_each_and_no_alarm_is_made_of_them(timers: Timers) -> None:
    bus, sums = Bus(), list[tuple[str, str]]()
    found = desk(bus, sums)
    assert all(found.note("uid 7", "no") for _ in range(THRESHOLD - 1))
    timers.minute()
    assert all(found.note("uid 7", "no") for _ in range(THRESHOLD - 1))
    assert (bus.count("login.refused"), bus.count("login.brute_force")) == (2 * (THRESHOLD - 1), 0)
    assert sums == []


def test_many_are_brute_force_once_and_the_rest_is_a_number(timers: Timers) -> None:
    bus, sums = Bus(), list[tuple[str, str]]()
    found = desk(bus, sums)
    written = sum(found.note("uid 7", "no") for _ in range(1_000))
    assert written == bus.count("login.refused") == THRESHOLD
    assert bus.count("login.brute_force") == 1
    timers.minute()
    assert sums == [("uid 7", "995 more refused calls within a minute")]
    assert not found.note("uid 7", "no"), "who goes on is still only counted"
    timers.minute()
    assert sums[1:] == [("uid 7", "1 more refused call within a minute")]
    assert bus.count("login.brute_force") == 1
    timers.minute()
    assert found.note("uid 7", "no"), "after a quiet minute everything is said again"


def test_callers_are_told_apart_and_a_stop_says_what_was_only_counted(timers: Timers) -> None:
    bus, sums = Bus(), list[tuple[str, str]]()
    found = desk(bus, sums)
    for _ in range(THRESHOLD + 2):
        found.note("uid 7", "no")
        found.note("uid 8", "no")
    found.close()
    assert sorted(sums) == [(f"uid {n}", "2 more refused calls within a minute") for n in (7, 8)]


def test_a_crowd_of_callers_does_not_grow_without_bound(timers: Timers) -> None:
    bus, sums = Bus(), list[tuple[str, str]]()
    found = desk(bus, sums)
    for number in range(refusals.CALLERS_LIMIT + 50):
        found.note(f"uid {number}", "no")
    assert len(found._windows) == refusals.CALLERS_LIMIT

"""The beat of the lamps: the rates of the box's manual, one phase for all, no timer without a lamp that blinks."""

from __future__ import annotations

import pytest
from textual.widget import Widget

from tests.widgets.gallery import Gallery
from widgets.blink import BEAT_S, BlinkBeat, Rate


def beat_of(turned: list[frozenset[Rate]]) -> tuple[BlinkBeat, Gallery]:
    widget = Widget()
    return BlinkBeat(widget, turned.append), Gallery(widget)


@pytest.mark.parametrize(("rate", "toggles"), [("4hz", 8), ("1hz", 2), ("0.25hz", 0.5)])
async def test_each_rate_toggles_as_often_as_the_lamps_on_the_box(rate: Rate, toggles: float) -> None:
    beat, app = beat_of([])
    async with app.run_test():
        beat.follow([rate])
        beat.stop()  # the test is the timer
        seen = [beat.is_lit(rate)]
        for _ in range(round(8 / BEAT_S)):
            beat.advance()
            seen.append(beat.is_lit(rate))
    changes = sum(before is not after for before, after in zip(seen, seen[1:], strict=False))
    assert changes == toggles * 8


async def test_lamps_of_all_rates_begin_lit_and_stay_in_step() -> None:
    turned: list[frozenset[Rate]] = []
    beat, app = beat_of(turned)
    async with app.run_test():
        beat.follow(["4hz", "1hz"])
        beat.stop()
        assert beat.is_lit("4hz")
        assert beat.is_lit("1hz")
        for _ in range(8):
            beat.advance()
    assert [set(rates) for rates in turned] == [
        *([{"4hz"}] * 3),
        {"4hz", "1hz"},
        *([{"4hz"}] * 3),
        {"4hz", "1hz"},
    ]
    assert beat.is_lit("4hz")
    assert beat.is_lit("1hz")


async def test_a_steady_lamp_is_lit_and_a_dark_one_is_not_whatever_the_beat() -> None:
    beat, app = beat_of([])
    async with app.run_test():
        for _ in range(3):
            assert beat.is_lit("steady")
            assert not beat.is_lit("off")
            beat.advance()


async def test_the_timer_runs_only_while_something_blinks() -> None:
    beat, app = beat_of([])
    async with app.run_test():
        beat.follow(["steady", "off"])
        assert not beat.is_running
        beat.follow(["1hz"])
        assert beat.is_running
        beat.follow([])
        assert not beat.is_running

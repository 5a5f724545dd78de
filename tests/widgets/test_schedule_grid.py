"""Painting a week by keyboard: what the keys do, what is drawn without colour, and that nothing is lost on the way."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.widgets.gallery import Gallery, drawn, lines_of
from widgets.glyphs import ASCII, CP437, UNICODE, Glyphs
from widgets.schedule_cells import CELLS, DAYS, EMPTY_WEEK, FULL_WEEK, WeekCells, week_words
from widgets.schedule_grid import ScheduleGrid

SIZE = (80, 24)
NINE_TO_FIVE = EMPTY_WEEK.painted((0, 18), (4, 33), True)


class Painting(Gallery):
    """Notes each change the grid tells of."""

    def __init__(self, week: WeekCells = EMPTY_WEEK, glyphs: Glyphs = UNICODE) -> None:
        self.grid = ScheduleGrid(week)
        super().__init__(self.grid, glyphs=glyphs)

    def on_mount(self) -> None:
        self.grid.focus()

    def on_schedule_grid_changed(self, event: ScheduleGrid.Changed) -> None:
        self.heard.append(event.week)


async def pressed(keys: str, week: WeekCells = EMPTY_WEEK) -> ScheduleGrid:
    app = Painting(week)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*keys.split())
        await pilot.pause()
        assert not app.heard or app.heard[-1] == app.grid.week
        return app.grid


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("space", "Mon 08:00-08:30"),
        ("space space", "never"),
        ("x x full_stop x", "Mon 08:00-09:00, 09:30-10:00"),
        ("shift+right shift+right shift+down", "Mon-Tue 08:00-09:30"),
        ("shift+right shift+right shift+left", "Mon 08:00-09:00"),
        ("shift+right shift+down shift+up", "Mon 08:00-09:00"),
        ("v right right down v right right space", "Mon 08:00-09:30; Tue 08:00-09:30, 10:00-10:30"),
        ("A", "always"),
        ("A C", "never"),
        ("A shift+right", "Mon 00:00-08:00, 09:00-24:00; Tue-Sun all day"),
        ("v end down down down down", "Mon-Fri 08:00-24:00"),
        ("x x w", "Mon-Fri 08:00-09:00"),
        ("x y down down p p", "Mon 08:00-08:30; Wed-Thu 08:00-08:30"),
        ("up space", "Sun 08:00-08:30"),
        ("home left space", "Sun 23:30-24:00"),
        ("end right space", "Tue 00:00-00:30"),
        ("j l space", "Tue 08:30-09:00"),
    ],
)
async def test_keys_paint(keys: str, words: str) -> None:
    grid = await pressed(keys)
    assert week_words(grid.week) == words


async def test_delete_removes_the_frame_under_the_cursor_only() -> None:
    week = NINE_TO_FIVE.painted((0, 40), (0, 43), True)
    grid = await pressed("right right right delete", week)
    assert week_words(grid.week) == "Mon 20:00-22:00; Tue-Fri 09:00-17:00"


async def test_one_range_is_one_step_back() -> None:
    grid = await pressed("space right shift+right shift+right shift+down down u")
    assert week_words(grid.week) == "Mon 08:00-08:30"
    grid = await pressed("space A u u u")
    assert grid.week == EMPTY_WEEK


async def test_a_range_that_paints_nothing_new_is_told_once() -> None:
    app = Painting(FULL_WEEK)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("A", "right", "y", "w")
        await pilot.pause()
        assert app.heard == []


@pytest.mark.parametrize("glyphs", [UNICODE, CP437, ASCII], ids=lambda glyphs: glyphs.name)
async def test_state_and_cursor_are_seen_without_colour(glyphs: Glyphs) -> None:
    app = Painting(NINE_TO_FIVE, glyphs)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("down", "right", "right", "right")
        await pilot.pause()
        text = drawn(app)
        lines = lines_of(app.grid, range(10))
        assert lines[0].split()[:3] == ["00", "02", "04"]
        assert lines[1][6 + 19] == glyphs.sort_down
        assert lines[3].startswith(f"{glyphs.cursor} Tue ")
        assert lines[2][6:] == glyphs.lamp_dark * 18 + glyphs.full * 16 + glyphs.lamp_dark * 14
        assert lines[3][6 + 19] == "x"
        assert "Tue 09:30-10:00 on, in 09:00-17:00" in lines[9]
        assert "40 h a week" in lines[9]
        if glyphs is ASCII:
            text.encode("ascii")


async def test_wide_terminals_get_wide_cells_and_every_hour() -> None:
    app = Painting(NINE_TO_FIVE)
    async with app.run_test(size=(110, 12)):
        lines = lines_of(app.grid, range(10))
        assert lines[0].split() == [f"{hour:02}" for hour in range(24)]
        assert lines[3][6 + 36 : 6 + 68] == UNICODE.full * 32


KEYS = st.sampled_from(
    "left right up down shift+left shift+right shift+up shift+down home end space x full_stop v w y p delete u A C".split()
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(KEYS, max_size=16))
def test_whatever_is_pressed_every_change_is_told_and_can_be_taken_back(keys: list[str]) -> None:
    async def play() -> None:
        app = Painting(NINE_TO_FIVE)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press(*keys)
            await pilot.pause()
            grid = app.grid
            assert (app.heard[-1] if app.heard else NINE_TO_FIVE) == grid.week
            assert 0 <= grid.day < DAYS
            assert 0 <= grid.cell < CELLS
            await pilot.press(*["u"] * (len(keys) + 1))
            assert grid.week == NINE_TO_FIVE

    asyncio.run(play())

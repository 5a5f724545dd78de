"""The month: which days stand where, how they are marked, and how one is picked."""

from __future__ import annotations

from datetime import date

import pytest

from tests.widgets.gallery import Gallery, lines_of
from widgets.calendar import Calendar, month_moved, weeks_of
from widgets.glyphs import ASCII, CP437, UNICODE, Glyphs

TODAY = date(2026, 3, 20)


class Heard(Gallery):
    """Keeps what the calendar says."""

    def on_calendar_month_shown(self, event: Calendar.MonthShown) -> None:
        self.heard.append(("month", event.day))

    def on_calendar_picked(self, event: Calendar.Picked) -> None:
        self.heard.append(("picked", event.day))


@pytest.mark.parametrize("glyphs", [UNICODE, CP437, ASCII])
async def test_recorded_days_and_today_are_marked_by_character(glyphs: Glyphs) -> None:
    calendar = Calendar(today=TODAY, chosen=date(2026, 3, 3))
    async with Gallery(calendar, glyphs=glyphs).run_test(size=(40, 10)) as pilot:
        assert lines_of(calendar, [0]) == [" March 2026 ..."]
        calendar.set_marked(date(2026, 3, 1), [date(2026, 3, 2), date(2026, 3, 5)])
        await pilot.pause()
        title, names, _, second, *_, sixth = lines_of(calendar, range(8))
        assert title == " March 2026"
        assert names.split() == ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
        assert second.startswith(f"  2{glyphs.bullet}{glyphs.cursor} 3   4   5{glyphs.bullet}")
        assert " 20_" in "".join(lines_of(calendar, range(8)))
        assert "30" in sixth


async def test_arrows_and_pages_move_and_enter_picks(tmp_path: object) -> None:
    calendar = Calendar(today=TODAY, chosen=date(2026, 3, 3))
    app = Heard(calendar)
    async with app.run_test(size=(40, 10)) as pilot:
        calendar.focus()
        await pilot.press("left", "up", "pageup", "enter")
        assert app.heard == [
            ("month", date(2026, 3, 1)),
            ("month", date(2026, 2, 1)),
            ("month", date(2026, 1, 1)),
            ("picked", date(2026, 1, 23)),
        ]


async def test_the_future_cannot_be_picked() -> None:
    calendar = Calendar(today=TODAY, chosen=TODAY)
    async with Heard(calendar).run_test(size=(40, 10)) as pilot:
        calendar.focus()
        await pilot.press("right", "down", "pagedown")
        assert calendar.chosen == TODAY


async def test_n_goes_through_the_recorded_days() -> None:
    calendar = Calendar(today=TODAY, chosen=date(2026, 3, 3))
    async with Heard(calendar).run_test(size=(40, 10)) as pilot:
        calendar.set_marked(date(2026, 3, 1), [date(2026, 3, 2), date(2026, 3, 9)])
        calendar.focus()
        await pilot.press("n")
        assert calendar.chosen == date(2026, 3, 9)
        await pilot.press("n", "N")
        assert calendar.chosen == date(2026, 3, 2)


def test_a_month_is_six_weeks_from_monday() -> None:
    weeks = weeks_of(date(2026, 3, 20))
    assert weeks[0][0] == date(2026, 2, 23)
    assert weeks[-1][-1] == date(2026, 4, 5)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 12, 5), 1, date(2027, 1, 5)),
    ],
)
def test_a_shorter_month_takes_its_last_day(day: date, months: int, expected: date) -> None:
    assert month_moved(day, months) == expected

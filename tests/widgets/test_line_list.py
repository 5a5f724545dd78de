"""The virtual list: any length, windows fetched as needed, the cursor on its row whatever comes and goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tests.tui.desk_for import until
from tests.widgets.gallery import Gallery, lines_of
from widgets.glyphs import ASCII
from widgets.line_list import LineList
from widgets.line_paint import GUTTER_CELLS, LinePaint, paint_line
from widgets.line_source import Column, Line, MemorySource, Span, fit_columns
from widgets.line_window import KEPT_PAGES, PAGE_ROWS

COLUMNS = (
    Column("name", "Name", 12, grow=2),
    Column("state", "State", 10),
    Column("rate", "Rate", 11, priority=1, is_right=True),
    Column("address", "Address", 20, priority=2, grow=1, max_width=40),
)


class Events(Gallery):
    """Keeps what the list says."""

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        self.heard.append(("at", event.key))

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        self.heard.append(("open", event.key))

    def on_line_list_marks_changed(self, event: LineList.MarksChanged) -> None:
        self.heard.append(("marks", event.marks))


class Numbers:
    """Rows newest first: key n is the n-th row ever; `top` grows as rows come."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked: list[tuple[int, int]] = []
        self.gate: asyncio.Event | None = None

    async def count(self) -> int:
        return self.number

    async def window(self, start: int, length: int) -> Sequence[Line]:
        self.asked.append((start, length))
        if self.gate is not None:
            await self.gate.wait()
        stop = min(start + length, self.number)
        return [
            Line(self.number - row, (f"row {self.number - row}", "ok", "1", "a"))
            for row in range(start, stop)
        ]

    async def index_of(self, key: Hashable) -> int | None:
        assert isinstance(key, int)
        return self.number - key if 0 < key <= self.number else None

    def set_filter(self, text: str) -> None:
        self.number = 3 if text else 1000

    def set_order(self, column: str, is_descending: bool) -> None:
        raise NotImplementedError


def cameras(*names: str) -> list[Line]:
    return [Line(name, (name, ("recording", "ok"), "4.0 Mbit/s", f"rtsp://{name}/1")) for name in names]


async def test_a_million_rows_open_at_once_and_only_the_rows_in_sight_are_fetched() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 24)) as pilot:
        source = Numbers(1_000_000)
        rows.set_source(source)
        await pilot.pause()
        assert rows.render_line(1).text.startswith("► row 1000000 ")
        assert len(source.asked) <= 3
        rows.focus()
        await pilot.press("G")
        await until(pilot, lambda: rows.render_line(23).text.startswith("► row 1 "))
        assert len(source.asked) <= 6
        started = time.process_time()
        rows.set_source(Numbers(1_000_000))
        await pilot.pause()
        assert time.process_time() - started < 0.25, "CPU; the bench has the real limit"


async def test_rows_not_fetched_yet_are_placeholders_and_the_keys_work_meanwhile() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 10)) as pilot:
        source = Numbers(10_000)
        rows.set_source(source)
        await pilot.pause()
        source.gate = asyncio.Event()
        rows.focus()
        await pilot.press("G")
        await pilot.pause()
        assert lines_of(rows, [9]) == ["  …"]
        await pilot.press("k", "k")
        assert rows.cursor == 9997
        source.gate.set()
        await until(pilot, lambda: lines_of(rows, [9])[0].startswith("  row 1 "))


async def test_pages_not_looked_at_are_forgotten() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 10)) as pilot:
        rows.set_source(Numbers(PAGE_ROWS * 100))
        await pilot.pause()
        for page in range(0, 100, 2):
            rows.cursor = page * PAGE_ROWS
            await pilot.pause()

        def kept() -> list[int]:
            return [page for page in range(100) if rows._window.line(page * PAGE_ROWS) is not None]

        await until(pilot, lambda: kept()[-1] >= 98)
        assert len(kept()) <= KEPT_PAGES


async def test_rows_coming_above_do_not_move_the_cursor_off_its_row() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 10)) as pilot:
        source = Numbers(500)
        rows.set_source(source)
        await pilot.pause()
        rows.cursor = 3
        await pilot.pause()
        before = [line for line in lines_of(rows, range(1, 10)) if line.startswith("►")]
        source.number += 40
        rows.invalidate()
        await pilot.pause()
        assert rows.cursor == 43
        assert [line for line in lines_of(rows, range(1, 10)) if line.startswith("►")] == before


async def test_rows_in_memory_coming_above_do_not_move_it_either() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 10)):
        rows.set_lines(cameras("a", "b", "c"))
        rows.cursor = 1
        rows.set_lines(cameras("new", "a", "b", "c"))
        assert (rows.cursor, rows.cursor_key) == (2, "b")


async def test_a_list_that_follows_stays_at_the_newest_row() -> None:
    rows = LineList(COLUMNS, follows_top=True)
    async with Events(rows).run_test(size=(80, 10)) as pilot:
        source = Numbers(500)
        rows.set_source(source)
        await pilot.pause()
        source.number += 1
        rows.invalidate()
        await pilot.pause()
        assert rows.cursor == 0
        assert rows.cursor_key == 501


async def test_a_row_that_went_leaves_the_cursor_where_it_was() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 10)) as pilot:
        rows.set_lines(cameras("a", "b", "c"))
        rows.cursor = 2
        rows.set_lines(cameras("a", "b"))
        assert rows.cursor_key == "b"
        rows.set_lines([])
        await pilot.pause()
        assert rows.cursor == 0
        assert rows.cursor_key is None
        assert lines_of(rows, [1]) == ["  nothing here"]


async def test_enter_opens_space_marks_and_vi_keys_move() -> None:
    rows = LineList(COLUMNS, can_mark=True)
    app = Events(rows)
    async with app.run_test(size=(80, 10)) as pilot:
        rows.set_lines(cameras("a", "b", "c"))
        rows.focus()
        await pilot.press("j", "space", "enter")
        assert rows.marks == {"b"}
        assert app.heard[-1] == ("open", "c")
        assert lines_of(rows, [2])[0].startswith(" ■b ")
        await pilot.press("g")
        assert rows.cursor_key == "a"
        rows.clear_marks()
        await pilot.pause()
        assert app.heard[-1] == ("marks", frozenset())


async def test_the_filter_narrows_and_says_so() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 10)) as pilot:
        rows.set_lines(cameras("front", "yard", "back yard"))
        rows.filter_text = "YARD"
        await pilot.pause()
        assert rows.count == 2
        assert lines_of(rows, [0])[0].endswith("/YARD (2)")
        rows.filter_text = "nobody"
        await pilot.pause()
        assert lines_of(rows, [1]) == ["  nothing matches /nobody"]
        rows.filter_text = "!yard"
        await pilot.pause()
        assert rows.count == 1
        rows.filter_text = ""
        assert rows.count == 3


async def test_ordering_shows_its_marker_and_a_click_on_a_title_orders() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 10)) as pilot:
        rows.set_lines(cameras("b", "a", "c"))
        rows.order_by("name")
        await pilot.pause()
        assert lines_of(rows, [0])[0].startswith("  Name▲")
        assert rows.cursor_key == "b", "the cursor goes with its row"
        await pilot.click(LineList, offset=(4, 0))
        assert lines_of(rows, [0, 1])[0].startswith("  Name▼")
        assert lines_of(rows, [1])[0].split()[0] in ("c", "►")


async def test_moving_to_a_key_finds_it_in_memory_and_far_away() -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(80, 10)) as pilot:
        rows.set_lines(cameras("a", "b", "c"))
        rows.move_to_key("c")
        assert rows.cursor == 2
        rows.set_source(Numbers(5000))
        rows.move_to_key(17)
        await pilot.pause()
        await pilot.pause()
        assert rows.cursor_key == 17


async def test_plain_ascii_needs_nothing_else() -> None:
    rows = LineList(COLUMNS, can_mark=True)
    async with Events(rows, glyphs=ASCII).run_test(size=(60, 6)) as pilot:
        rows.set_lines(cameras("a camera with a name far too long for its column", "b"))
        rows.order_by("name")
        rows.focus()
        await pilot.press("space")
        "".join(lines_of(rows, range(6))).encode("ascii")


def test_the_least_important_columns_go_whole_before_anything_is_cut() -> None:
    assert fit_columns(COLUMNS, 78) == [(0, 27), (1, 10), (2, 11), (3, 27)]
    assert [index for index, _ in fit_columns(COLUMNS, 50)] == [0, 1, 2]
    assert [index for index, _ in fit_columns(COLUMNS, 30)] == [0, 1]
    assert fit_columns(COLUMNS, 18) == [(0, 7), (1, 10)]


@given(
    st.lists(
        st.builds(
            Column,
            key=st.just("k"),
            title=st.just("t"),
            width=st.integers(4, 30),
            priority=st.integers(0, 3),
            grow=st.integers(0, 3),
            max_width=st.none() | st.integers(30, 60),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(45, 200),
)
def test_columns_never_exceed_their_room(columns: list[Column], room: int) -> None:
    shown = fit_columns(columns, room)
    assert shown
    if sum(column.priority == 0 for column in columns) <= 8:
        assert sum(width for _, width in shown) + len(shown) - 1 <= room
    assert [index for index, _ in shown] == sorted(index for index, _ in shown)


@pytest.mark.parametrize("width", [40, 80, 132])
async def test_every_line_is_exactly_as_wide_as_the_list(width: int) -> None:
    rows = LineList(COLUMNS)
    async with Events(rows).run_test(size=(width, 6)) as pilot:
        rows.set_lines(cameras("玄関カメラ with wide characters", "b\x1b[2Jx"))
        await pilot.pause()
        for row in range(6):
            strip = rows.render_line(row)
            assert cell_len(strip.text) == strip.cell_length == rows.scrollable_content_region.width
            assert "\x1b" not in strip.text


def test_memory_sources_say_whether_anything_differs() -> None:
    source = MemorySource(COLUMNS, cameras("a"))
    assert not source.set_lines(cameras("a"))
    assert source.set_lines(cameras("a", "b"))
    assert source.total == 2


def painted(width: int, line: Line) -> str:
    columns = (*COLUMNS, Column("why", "Why", 20, priority=3))
    layout = fit_columns(columns, width - GUTTER_CELLS)
    paint = LinePaint(ASCII, Style(), lambda _: Style(), columns, layout, width, has_focus=False)
    return paint_line(paint, line, is_cursor=False, is_marked=False).text


def test_words_stand_across_columns_only_while_their_own_column_has_no_room() -> None:
    span = Span("state", "address", ("no route to the camera", "error"), unless="why")
    line = Line(1, ("gate", "lost", "-", "x", "no route"), span=span)
    assert painted(60, line).split() == ["gate", "no", "route", "to", "the", "camera"]
    assert painted(30, line).split() == ["gate", "no", "route", "~"]
    assert painted(90, line).split() == ["gate", "lost", "-", "x", "no", "route"]

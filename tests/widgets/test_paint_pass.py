"""What is painted again: only the rows that differ, with the styles looked up once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual.dom import DOMNode
from textual.widget import Widget

from tests.widgets.gallery import Gallery
from widgets.line_list import LineList
from widgets.line_source import Column, Line
from widgets.picture import CellPicture, CellRun
from widgets.video_cell import VideoCell

COLUMNS = (Column("name", "Name", 10), Column("state", "State", 10))


@contextmanager
def painted_rows(widget: Widget, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """Which lines of a widget are asked for meanwhile."""
    rows: set[int] = set()
    original = widget.render_line

    def render_line(y: int) -> object:
        rows.add(y)
        return original(y)

    with monkeypatch.context() as patch:
        patch.setattr(widget, "render_line", render_line)
        yield rows


def lines(*states: str) -> list[Line]:
    return [Line(index, (f"camera {index}", state)) for index, state in enumerate(states)]


async def test_of_a_list_only_the_head_and_the_rows_that_differ_are_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = LineList(COLUMNS)
    async with Gallery(rows).run_test(size=(40, 12)) as pilot:
        rows.set_lines(lines("recording", "lost", "recording"))
        await pilot.pause()
        with painted_rows(rows, monkeypatch) as painted:
            rows.set_lines(lines("recording", "recording", "recording"))
            await pilot.pause()
        assert painted == {0, 2}
        assert "recording" in rows.render_line(2).text


async def test_another_time_under_a_picture_paints_its_caption_alone_and_another_picture_its_changed_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = VideoCell(caption="gate")
    async with Gallery(cell).run_test(size=(20, 9)) as pilot:
        columns, height = cell.room
        before = [(CellRun("x" * columns, 1, 2),) for _ in range(height)]
        after = [*before[:3], (CellRun("y" * columns, 1, 2),), *before[4:]]
        cell.set_picture(CellPicture(columns, height, tuple(before)), 256)
        await pilot.pause()
        with painted_rows(cell, monkeypatch) as painted:
            cell.note = "14:03:07"
            await pilot.pause()
        assert painted == {height}
        with painted_rows(cell, monkeypatch) as painted:
            cell.set_picture(CellPicture(columns, height, tuple(after)), 256)
            await pilot.pause()
        assert painted == {3}


async def test_the_style_is_looked_up_once_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = LineList(COLUMNS)
    async with Gallery(rows).run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        looked_up = 0
        original = DOMNode.rich_style.fget
        assert original is not None

        def count(node: DOMNode) -> object:
            nonlocal looked_up
            looked_up += node is rows
            return original(node)

        monkeypatch.setattr(DOMNode, "rich_style", property(count))
        rows.refresh()
        await pilot.pause()
        assert looked_up == 1

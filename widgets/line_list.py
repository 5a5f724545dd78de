"""A list of any length that draws only the rows in sight and fetches them in windows.

    LineList(columns, source=None, *, follows_top=False, can_mark=False, empty_text="nothing here", name, id, classes)
        .set_source(source)            another source; cursor to the top
        .set_lines(lines)              for rows in memory (makes a MemorySource on first use); keeps the cursor's row
        .set_columns(columns)          the same columns with other widths
        .invalidate()                  the source changed: asks again, keeps the cursor on its row and the scroll still
        .filter_text (reactive str)    applied to the source; shown as a chip in the head
        .order_by(column_key, is_descending=None)      None = toggle; marker in the head
        .cursor (int), .cursor_key, .cursor_line, .count, .marks (frozenset of keys), .clear_marks()
        .move_to_key(key), .line(index), .rewrite(make)
        .mark_keys(keys), .mark_all(covers), .marking (Marks)       see widgets/line_marks.py
        .landing(), .land_on(landing)  where the cursor goes when the marked rows leave
        .arrived_above                 rows that came above the cursor since it was at the top
    messages: LineList.Highlighted(control, key, line), LineList.Selected (enter), LineList.MarksChanged(control, marks),
        LineList.Reloaded(control)
    values: Column, Line, LineSource, MemorySource in widgets/line_source.py

The widget knows nothing about what a row means. Rows not fetched yet are drawn as an ellipsis; nothing blocks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import ClassVar

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.worker import Worker

from widgets.glyphs import glyphs_of
from widgets.line_cursor import LineCursor
from widgets.line_marks import Marks
from widgets.line_paint import GUTTER_CELLS, PARTS, LinePaint, paint_empty, paint_header, paint_line
from widgets.line_source import (
    Column,
    Line,
    LineSource,
    MemorySource,
    SourceUnavailable,
    fit_columns,
)
from widgets.line_window import PAGE_ROWS, LineWindow

_Row = tuple[Line | None, bool, bool] | str
"""A row with whether the cursor and a mark are on it, or words in its place."""


class LineList(LineCursor, can_focus=True):
    """Virtual list: a head and the rows in sight.

    Invariants: the cursor stays on its row by key when rows come or go elsewhere; answers of a source that was
    replaced or invalidated meanwhile are dropped.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line-list--{part}" for part in PARTS}

    DEFAULT_CSS = """
    LineList {
        height: 1fr;
        background: $background;
        color: $foreground;
        scrollbar-size-horizontal: 0;
        overflow-x: hidden;
        & > .line-list--header { color: $text-muted; text-style: bold; }
        & > .line-list--filter { color: $accent; text-style: bold; }
        & > .line-list--cursor { color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style; }
        & > .line-list--cursor-blurred { background: $surface; text-style: bold; }
        & > .line-list--mark { color: $accent; text-style: bold; }
        & > .line-list--muted { color: $text-muted; }
        & > .line-list--ok { color: $text-success; }
        & > .line-list--warning { color: $text-warning; }
        & > .line-list--error { color: $text-error; text-style: bold; }
        & > .line-list--accent { color: $text-accent; }
        & > .line-list--placeholder { color: $text-muted; }
    }
    """

    filter_text = reactive("", repaint=False)
    """Applied to the source as it is typed."""

    class Reloaded(Message):
        """Rows came, went or changed, and the list shows it."""

        def __init__(self, control: LineList) -> None:
            super().__init__()
            self._list = control

        @property
        def control(self) -> LineList:
            """The list."""
            return self._list

    def __init__(
        self,
        columns: Sequence[Column],
        source: LineSource | None = None,
        *,
        follows_top: bool = False,
        shows_top: bool = False,
        can_mark: bool = False,
        empty_text: str = "nothing here",
        free_keys: Sequence[str] = (),
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """
        Args:
            follows_top: while the cursor is on the first row it stays there when newer rows come above.
            shows_top: while the first row is in sight newer rows come into sight above it, as long as the row under the
                cursor does not leave for them.
            can_mark: space and shift with arrows mark rows.
            empty_text: shown when there is no row.
            free_keys: keys of the list that whoever owns it uses itself.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.columns = tuple(columns)
        self.empty_text = empty_text
        self.can_mark = can_mark
        self._free(free_keys)
        self._follows_top = follows_top
        self._shows_top = shows_top
        self._source: LineSource | None = source
        self._is_counted = False
        self._window = LineWindow()
        self._generation = 0
        self._order: tuple[str, bool] | None = None
        self._layout_width = -1
        self._layout: list[tuple[int, int]] = []
        self.arrived_above = 0
        """Rows that came above the cursor since it was at the top; those gone over are not counted."""
        self._painted: dict[int, _Row] = {}
        """What each line below the head was last painted with."""

    # -- values ------------------------------------------------------------------------------------------

    def set_source(self, source: LineSource) -> None:
        """Show another source from its first row."""
        self._source = source
        self._cursor_key = None
        self.cursor = 0
        self.arrived_above = 0
        self.clear_marks()
        if self.filter_text:
            source.set_filter(self.filter_text)
        if self._order is not None:
            source.set_order(*self._order)
        self.scroll_to(y=0, animate=False, immediate=True)
        self.invalidate()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """The same columns with other widths or titles."""
        if self.columns != tuple(columns):
            self.columns = tuple(columns)
            self._layout_width = -1
            self.refresh()

    def set_lines(self, lines: Iterable[Line]) -> None:
        """Rows in memory: replace them all; the cursor stays on its row."""
        if isinstance(self._source, MemorySource):
            if self._source.set_lines(lines):
                self.invalidate()
        else:
            self.set_source(MemorySource(self.columns, lines))

    def invalidate(self) -> None:
        """The source changed: fetch what is in sight again and swap it in at once, without a blank moment."""
        self._generation += 1
        self._window.forget_asked()
        if self._source is None or not self.is_attached:
            return
        if isinstance(self._source, MemorySource):
            key = self._cursor_key
            self._take(len(self._source.lines), self._source.find(key) if key is not None else None, None)
        else:
            self._start(partial(self._reload, self._source, self._generation), "reload", is_exclusive=True)

    def order_by(self, column: str, is_descending: bool | None = None) -> None:
        """Order by a column; without a direction: toggle, ascending first."""
        if is_descending is None:
            is_descending = self._order == (column, False)
        self._order = (column, is_descending)
        if self._source is not None:
            self._source.set_order(column, is_descending)
        self.invalidate()
        self.refresh()

    def line(self, index: int) -> Line | None:
        """A row, when fetched."""
        return self._line(index)

    def rewrite(self, make: Callable[[Line], Line]) -> None:
        """Make the rows in sight anew from themselves, without asking the source: ages go on."""
        if not isinstance(self._source, MemorySource):
            self._window.rewrite(make, self._top, min(self._top + self._body_rows + 1, self._count))
            self._refresh_differing()

    def landing(self) -> tuple[int, Hashable] | None:
        """Where the cursor goes when the marked rows (the row under it when none is marked) leave the list: the next
        row that stays, else the one before; None when no row in reach stays."""
        marking = self._marking if len(self._marking) else Marks(frozenset({self._cursor_key}))
        for indexes in (range(self.cursor, self._count), range(self.cursor - 1, -1, -1)):
            for index in indexes:
                line = self._line(index)
                if line is None:
                    break  # not fetched: out of reach
                if line.key not in marking:
                    return index, line.key
        return None

    def land_on(self, landing: tuple[int, Hashable]) -> None:
        """Put the cursor there with the next `invalidate`, wherever that row is then."""
        index, self._cursor_key = landing
        self.set_reactive(LineList.cursor, index)

    def move_to_key(self, key: Hashable) -> None:
        """Put the cursor on a row, wherever it is now; nothing happens when it is gone."""
        source = self._source
        if isinstance(source, MemorySource):
            if (index := source.find(key)) is not None:
                self.cursor = index
        elif source is not None:
            self._start(partial(self._move_to_key, source, key), "move", is_exclusive=True)

    # -- fetching ----------------------------------------------------------------------------------------

    def _start(self, work: Callable[[], Awaitable[None]], group: str, *, is_exclusive: bool) -> Worker[None]:
        """By function: one that is replaced before it ran leaves no coroutine behind."""

        async def run() -> None:
            await work()

        return self.run_worker(run, group=group, exclusive=is_exclusive)

    async def _move_to_key(self, source: LineSource, key: Hashable) -> None:
        try:
            index = await source.index_of(key)
        except SourceUnavailable:
            return
        if index is not None and source is self._source:
            self._cursor_key = key
            self.cursor = index

    async def _reload(self, source: LineSource, generation: int) -> None:
        """Count, find the cursor's row, fetch what will be in sight; then swap all of it in."""
        try:
            await self._reload_from(source, generation)
        except SourceUnavailable:
            return  # what is shown stays

    async def _reload_from(self, source: LineSource, generation: int) -> None:
        key = self._cursor_key
        number = await source.count()
        index: int | None = None
        if key is not None and not (self._follows_top and self.cursor == 0):
            index = await source.index_of(key)
        top = self._top_after(number, index)
        first, last = top // PAGE_ROWS, (top + max(self._body_rows, 1)) // PAGE_ROWS
        pages: dict[int, Sequence[Line]] = {}
        for page in range(first, last + 1):
            if page * PAGE_ROWS < number or page == first:
                pages[page] = await source.window(page * PAGE_ROWS, PAGE_ROWS)
        if generation == self._generation:
            self._take(number, index, pages)

    def _top_after(self, number: int, index: int | None) -> int:
        """First row in sight once the list has `number` rows and the cursor's row is at `index`."""
        top = self._top
        if index is not None and not (self._shows_top and top == 0 and index < self._body_rows):
            top += index - self.cursor
        return max(0, min(top, number - self._body_rows))

    def _take(self, number: int, index: int | None, pages: dict[int, Sequence[Line]] | None) -> None:
        if self._follows_top and self.cursor == 0:
            index = None
        top = self._top_after(number, index)
        if index is not None:
            self.arrived_above = max(0, self.arrived_above + index - self.cursor)
        elif self._follows_top or not number:
            self.arrived_above = 0
        self._count = number
        self._is_counted = True
        self._window.replace(pages or {})
        self.virtual_size = Size(self.size.width, number + 1)
        cursor = index if index is not None else min(self.cursor, max(number - 1, 0))
        old_key = self._cursor_key
        self.set_reactive(LineList.cursor, cursor)
        if round(self.scroll_offset.y) != top:
            self.scroll_to(y=top, animate=False, immediate=True, force=True)
        self._show_cursor()
        self._note_cursor_key()
        if self._cursor_key != old_key:
            self.post_message(self.Highlighted(self, self._cursor_key, self.cursor_line))
        self.post_message(self.Reloaded(self))
        self._refresh_differing()

    def _line(self, index: int) -> Line | None:
        if not 0 <= index < self._count:
            return None
        if isinstance(self._source, MemorySource):
            return self._source.lines[index] if index < len(self._source.lines) else None
        return self._window.line(index)

    def _fetch_around(self, top: int) -> None:
        """Ask for the pages in sight and the next one in either direction."""
        source = self._source
        if source is None or isinstance(source, MemorySource) or not self._count:
            return
        for page in self._window.ask(top, self._body_rows, self._count):
            self._start(partial(self._fetch, source, page, self._generation), "fetch", is_exclusive=False)

    async def _fetch(self, source: LineSource, page: int, generation: int) -> None:
        try:
            if generation != self._generation or not self._window.is_wanted(page, self._top, self._body_rows):
                return  # scrolled on, or changed, before its turn came
            lines = await source.window(page * PAGE_ROWS, PAGE_ROWS)
            if generation != self._generation:
                return
            self._window.put(page, lines)
            if self._cursor_key is None and self.cursor // PAGE_ROWS == page:
                self._note_cursor_key()
                self.post_message(self.Highlighted(self, self._cursor_key, self.cursor_line))
            self._refresh_differing()
        except SourceUnavailable:
            return
        finally:
            if generation == self._generation:
                self._window.release(page)

    def watch_cursor(self, old: int, new: int) -> None:
        """Rows above the cursor were seen on the way."""
        self.arrived_above = min(self.arrived_above, new)
        super().watch_cursor(old, new)

    def watch_filter_text(self, text: str) -> None:
        """Hand it to the source."""
        if self._source is not None:
            self._source.set_filter(text)
            self.invalidate()
        self.refresh()

    # -- events ------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.invalidate()

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in sight."""
        self.virtual_size = Size(self.size.width, self._count + 1)
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        """A row: go there, again: open. A column's title: order by it."""
        y = event.y
        if y == 0:
            self._click_header(event.x)
            return
        index = self._top + y - 1
        if index >= self._count:
            return
        if index == self.cursor:
            self.action_select()
        else:
            self.cursor = index

    def _click_header(self, x: int) -> None:
        left = GUTTER_CELLS
        for index, width in self._layout:
            if left <= x < left + width and self.columns[index].is_sortable:
                self.order_by(self.columns[index].key)
            left += width + 1

    # -- drawing -----------------------------------------------------------------------------------------

    def _row(self, y: int) -> _Row:
        """What belongs in a line of the widget below the head."""
        index = self._top + y - 1
        if index < self._count:
            line = self._line(index)
            return line, index == self.cursor, line is not None and line.key in self._marking
        if y > 1:
            return ""
        if not self._is_counted:
            return glyphs_of(self).ellipsis
        return f"nothing matches /{self.filter_text}" if self.filter_text else self.empty_text

    def _refresh_differing(self) -> None:
        """After other rows came: paint the head and the lines that do not show what they should."""
        self.refresh_line(self._top)
        for y in range(1, self.size.height):
            if self._painted.get(y) != self._row(y):
                self.refresh_line(self._top + y)

    def render_line(self, y: int) -> Strip:
        """The head at 0, rows below."""
        width = self.scrollable_content_region.width
        if width != self._layout_width:
            self._layout_width = width
            self._layout = fit_columns(self.columns, width - GUTTER_CELLS)
        paint = LinePaint(
            glyphs=glyphs_of(self),
            base=self.rich_style,
            component=lambda name: self.part_style(f"line-list--{name}"),
            columns=self.columns,
            layout=self._layout,
            width=width,
            has_focus=self.has_focus,
        )
        if y == 0:
            self._fetch_around(self._top)
            return paint_header(paint, self._order, self.filter_text, self._count)
        row = self._painted[y] = self._row(y)
        if isinstance(row, str):
            return paint_empty(paint, row)
        line, is_cursor, is_marked = row
        return paint_line(paint, line, is_cursor=is_cursor, is_marked=is_marked)

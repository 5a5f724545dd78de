"""Where a `LineList` gets its rows from: the values of a row, its columns, and sources of rows.

    Column(key, title, width, priority=0, grow=0, max_width=None, is_right=False, is_sortable=True)
    Line(key, cells, tone="", sort_values=(), span=None, value=None)      cells: one per column, str or (str, Tone)
    Span(first, last, cell, unless)                words across columns of one row
    LineSource                                     protocol: count, window, index_of, set_filter, set_order
    MemorySource(lines=(), columns=...)            rows in memory, filtered and ordered at once

Nothing here draws. Sources are asked from the console's loop and must not block it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Tone = Literal["", "muted", "ok", "warning", "error", "accent"]
"""How a cell is coloured; the text must carry the meaning without it."""

Cell = str | tuple[str, Tone]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. With too little room the columns with the highest `priority` go first; 0 always stays."""

    key: str
    title: str
    width: int
    """Cells it needs to be read without cutting."""
    priority: int = 0
    grow: int = 0
    """Share of the spare room."""
    max_width: int | None = None
    is_right: bool = False
    is_sortable: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """Words that stand across neighbouring columns of one row, while the column they belong to is left out."""

    first: str
    """Keys of the columns from which to which."""
    last: str
    cell: Cell
    unless: str
    """Key of the column that says the same; while it is shown the row's own cells are."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row; `key` is stable while rows come and go around it."""

    key: Hashable
    cells: tuple[Cell, ...]
    tone: Tone = ""
    """Of cells that name none."""
    sort_values: tuple[Any, ...] = ()
    """What to order by, one per column; the texts when empty."""
    span: Span | None = None
    value: object = None
    """What the row stands for: its owner's business."""


def cell_text(cell: Cell) -> str:
    """The text of a cell, whatever its tone."""
    return cell if isinstance(cell, str) else cell[0]


class SourceUnavailable(Exception):
    """The rows cannot be had now; the list goes on showing what it has, and whoever made the source says why."""


class LineSource(Protocol):
    """An ordered set of rows that is read in windows. Order and filter are the source's business.

    Each of the three that are awaited may raise SourceUnavailable.
    """

    async def count(self) -> int:
        """How many rows there are now, with the filter applied."""
        ...

    async def window(self, start: int, length: int) -> Sequence[Line]:
        """Rows [start, start + length); fewer at the end."""
        ...

    async def index_of(self, key: Hashable) -> int | None:
        """Where a row is now; None = gone."""
        ...

    def set_filter(self, text: str) -> None:
        """Show only rows that match; empty = all. The list asks for `count` afterwards."""
        ...

    def set_order(self, column: str, is_descending: bool) -> None:
        """Order by a column. The list asks for `count` afterwards."""
        ...


class MemorySource:
    """Rows that are all here (cameras, volumes): filtered by substring, ordered by `sort_values`."""

    def __init__(self, columns: Sequence[Column], lines: Iterable[Line] = ()) -> None:
        self._columns = tuple(columns)
        self._all: tuple[Line, ...] = tuple(lines)
        self._filter = ""
        self._order: tuple[int, bool] | None = None
        self.lines: tuple[Line, ...] = self._all
        """Filtered and ordered."""

    def set_lines(self, lines: Iterable[Line]) -> bool:
        """Replace all rows; filter and order stay. False = nothing differs."""
        new = tuple(lines)
        if new == self._all:
            return False
        self._all = new
        self._arrange()
        return True

    @property
    def total(self) -> int:
        """Rows before the filter."""
        return len(self._all)

    async def count(self) -> int:
        """Rows that match the filter."""
        return len(self.lines)

    async def window(self, start: int, length: int) -> Sequence[Line]:
        """A slice of the rows."""
        return self.lines[start : start + length]

    async def index_of(self, key: Hashable) -> int | None:
        """Position by key, linear: for lists that fit in memory."""
        return self.find(key)

    def find(self, key: Hashable) -> int | None:
        """`index_of` without awaiting."""
        return next((index for index, line in enumerate(self.lines) if line.key == key), None)

    def set_filter(self, text: str) -> None:
        """Case-insensitive substring of any cell; `!text` = rows without it."""
        self._filter = text
        self._arrange()

    def set_order(self, column: str, is_descending: bool) -> None:
        """Order by a column's sort value."""
        index = next(index for index, each in enumerate(self._columns) if each.key == column)
        self._order = (index, is_descending)
        self._arrange()

    def _arrange(self) -> None:
        lines: list[Line] = [line for line in self._all if self._matches(line)]
        if self._order is not None:
            index, is_descending = self._order

            def value(line: Line) -> tuple[bool, Any]:
                found = (
                    line.sort_values[index] if line.sort_values else cell_text(line.cells[index]).casefold()
                )
                return (found is not None, found)  # None first, never compared with a value

            lines.sort(key=value, reverse=is_descending)
        self.lines = tuple(lines)

    def _matches(self, line: Line) -> bool:
        needle = self._filter.casefold()
        if not needle:
            return True
        is_wanted = True
        if needle.startswith("!") and len(needle) > 1:
            needle, is_wanted = needle[1:], False
        return any(needle in cell_text(cell).casefold() for cell in line.cells) is is_wanted


GAP_CELLS = 1
"""Between two columns."""


def fit_columns(columns: Sequence[Column], room: int) -> list[tuple[int, int]]:
    """Which columns fit and how wide: (index, width) in order; the least important are left out whole.

    A column is shown at its full width or not at all; only when nothing but priority 0 is left are those shrunk,
    the growing ones first, so that names are cut before states and times.
    """
    shown = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[index].width for index in shown) + GAP_CELLS * (len(shown) - 1)

    while len(shown) > 1 and needed() > room:
        # Among equals the rightmost goes.
        worst = max(shown, key=lambda index: (columns[index].priority, index))
        if columns[worst].priority == 0:
            break
        shown.remove(worst)
    widths = {index: columns[index].width for index in shown}
    missing = needed() - room
    for index in sorted(shown, key=lambda each: (-columns[each].grow, -each)):
        if missing <= 0:
            break
        cut = min(missing, max(widths[index] - 4, 0))
        widths[index] -= cut
        missing -= cut
    _share(columns, shown, widths, -missing)
    return [(index, widths[index]) for index in shown]


def _share(columns: Sequence[Column], shown: list[int], widths: dict[int, int], spare: int) -> None:
    """Give spare cells to growing columns by their share, up to their maximum."""
    growing = [index for index in shown if columns[index].grow]
    while spare > 0 and growing:
        total = sum(columns[index].grow for index in growing)
        given = 0
        for index in list(growing):
            limit = columns[index].max_width
            part = max(1, spare * columns[index].grow // total)
            part = min(part, spare - given)
            if limit is not None and widths[index] + part >= limit:
                part = max(limit - widths[index], 0)
                growing.remove(index)
            widths[index] += part
            given += part
            if given >= spare:
                break
        spare -= given

"""The fetched part of a long list: pages of rows by number, the ones not looked at for longest forgotten first.

Which page is fetched when is decided here; fetching is the `LineList`'s business.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from widgets.line_source import Line

PAGE_ROWS: Final = 128
"""Rows fetched at once."""
KEPT_PAGES: Final = 24
"""Pages kept in memory."""


class LineWindow:
    """State holder. Invariant: a page is asked for at most once until it came, was released, or `clear`ed."""

    def __init__(self) -> None:
        self._pages: OrderedDict[int, Sequence[Line]] = OrderedDict()
        self._asked: set[int] = set()  # at most the pages in sight and one on either side

    def line(self, index: int) -> Line | None:
        """A row, when fetched."""
        number, offset = divmod(index, PAGE_ROWS)
        page = self._pages.get(number)
        return page[offset] if page is not None and offset < len(page) else None

    def rewrite(self, make: Callable[[Line], Line], start: int, stop: int) -> None:
        """Make rows [start, stop) anew from themselves, those that were fetched."""
        for number in range(start // PAGE_ROWS, max(stop - 1, 0) // PAGE_ROWS + 1):
            page = self._pages.get(number)
            if page is not None:
                first = number * PAGE_ROWS
                self._pages[number] = [
                    make(line) if start <= index < stop else line for index, line in enumerate(page, first)
                ]

    def replace(self, pages: dict[int, Sequence[Line]]) -> None:
        """The list changed: only these pages are known."""
        self._pages = OrderedDict(pages)

    def forget_asked(self) -> None:
        """Answers still to come are of another state of the list."""
        self._asked.clear()

    def ask(self, top: int, rows: int, count: int) -> list[int]:
        """Pages to fetch now for the rows in sight and the next page either way, the most urgent first."""
        first, last = top // PAGE_ROWS, (top + rows) // PAGE_ROWS
        missing = []
        for page in (*range(first, last + 1), last + 1, first - 1):
            if not 0 <= page * PAGE_ROWS < count:
                continue
            if page in self._pages:
                self._pages.move_to_end(page)
            elif page not in self._asked:
                self._asked.add(page)
                missing.append(page)
        return missing

    def is_wanted(self, page: int, top: int, rows: int) -> bool:
        """Whether a page asked for is still near the rows in sight when its turn comes."""
        return page in self._asked and top // PAGE_ROWS - 1 <= page <= (top + rows) // PAGE_ROWS + 1

    def put(self, page: int, lines: Sequence[Line]) -> None:
        """A page came."""
        self._pages[page] = lines
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)

    def release(self, page: int) -> None:
        """Asked for no longer."""
        self._asked.discard(page)

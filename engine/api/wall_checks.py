"""What a layout, a view and a start-up row must be like; errors name the cell. Pure. Manual rows CL-01, VT-07."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.wire_wall import (
    NAMED_SCREENS,
    OVERLAY,
    SCREENS,
    TERMINAL_NAME,
    LastTab,
    LastWall,
    Layout,
    StartUpRow,
    WallView,
)
from storage.errors import InvalidInput


def check_layout(layout: Layout) -> None:
    """Raises InvalidInput."""
    taken: dict[tuple[int, int], int] = {}
    for number, cell in enumerate(layout.cells, 1):
        if cell.column + cell.columns > layout.columns or cell.row + cell.rows > layout.rows:
            raise InvalidInput(
                f"cell {number} of layout {layout.name!r} reaches over the edge of {layout.columns} x {layout.rows} fields",
                "make it smaller, or the layout larger",
            )
        for row in range(cell.row, cell.row + cell.rows):
            for column in range(cell.column, cell.column + cell.columns):
                other = taken.setdefault((column, row), number)
                if other != number:
                    raise InvalidInput(
                        f"cells {other} and {number} of layout {layout.name!r} overlap in column {column + 1}, row {row + 1}",
                        "each field belongs to one cell at most",
                    )


def check_view(view: WallView) -> None:
    """Raises InvalidInput; whether its cameras exist is another question."""
    _check_cells(view, f"view {view.name!r}")


def check_last_wall(wall: LastWall) -> None:
    """Raises InvalidInput."""
    for number, tab in enumerate(wall.tabs, 1):
        _check_cells(tab, f"tab {number}")
    if wall.front and wall.front >= len(wall.tabs):
        raise InvalidInput(
            f"there is no tab {wall.front + 1} that could be in front", f"there are {len(wall.tabs)}"
        )


def checked_terminal(name: str) -> str:
    """As it is kept. Raises InvalidInput."""
    terminal = name.removeprefix("/dev/")
    if not re.fullmatch(TERMINAL_NAME, terminal):
        raise InvalidInput(
            f"{name!r} is no terminal", "write tty1 (as `tty` names it), ssh, or * for any other"
        )
    return terminal


def _check_cells(view: WallView | LastTab, what: str) -> None:
    check_layout(view.layout)
    if len(view.cameras) != len(view.layout.cells):
        raise InvalidInput(
            f"{what} names {len(view.cameras)} cameras for {len(view.layout.cells)} cells",
            'name one for each cell, "" for an empty one',
        )
    for element in view.overlay or ():
        if element not in OVERLAY:
            raise InvalidInput(f"{element!r} cannot stand on a picture", f"there are: {', '.join(OVERLAY)}")


def checked_start_up(rows: Iterable[StartUpRow]) -> list[tuple[str, str]]:
    """Pairs (terminal, what it shows), each as it is kept. Raises InvalidInput."""
    kept: dict[str, str] = {}
    for row in rows:
        terminal = checked_terminal(row.terminal)
        if terminal in kept:
            raise InvalidInput(f"the terminal {terminal} is there twice", "one row for each")
        word, _, name = " ".join(row.shows.split()).partition(" ")
        if not (word in SCREENS and not name or word in NAMED_SCREENS and name):
            raise InvalidInput(
                f"a console cannot begin with {row.shows!r}",
                f"there are: {', '.join(SCREENS)}, view NAME, tour NAME",
            )
        kept[terminal] = f"{word} {name}".rstrip()
    return list(kept.items())

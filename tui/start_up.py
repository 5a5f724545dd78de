"""Which row of the start-up choice is this console's (VT-07). Pure, but for what terminal this is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from engine.wire_wall import Arrangements, StartUpRow

SSH, ANY = "ssh", "*"
LAST_WALL = "last-wall"
"""Live, as it was left."""


def terminal_names(environ: Mapping[str, str], tty: str) -> tuple[str, ...]:
    """What a row may call this terminal, best first: `tty1`, or `ssh`, then `*`."""
    is_ssh = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    return tuple(name for name in (tty.removeprefix("/dev/"), SSH if is_ssh else "", ANY) if name)


def own_names() -> tuple[str, ...]:
    """Of the terminal that this process draws on (Textual draws on standard error)."""
    for descriptor in (2, 0, 1):
        try:
            return terminal_names(os.environ, os.ttyname(descriptor))
        except OSError:
            continue
    return terminal_names(os.environ, "")


def own_terminal() -> str:
    """What a row for this terminal would be called."""
    names = own_names()
    return SSH if SSH in names else names[0]


def shown_first(rows: Iterable[StartUpRow], names: Iterable[str]) -> str:
    """What this console shows first; empty = nobody chose."""
    by_terminal = {row.terminal: row.shows for row in rows}
    return next((by_terminal[name] for name in names if name in by_terminal), "")


def kept_under(rows: Iterable[StartUpRow], names: Iterable[str]) -> str:
    """The terminal that this console's wall is kept under, because it begins with it; empty = it is not kept."""
    by_terminal = {row.terminal: row.shows for row in rows}
    found = next((name for name in names if name in by_terminal), "")
    return found if found and by_terminal[found] == LAST_WALL else ""


def named_in(found: Arrangements, kind: str, name: str) -> bool:
    """Whether the view or tour of a row is there."""
    things = found.views if kind == "view" else found.tours if kind == "tour" else ()
    return any(each.name.casefold() == name.casefold() for each in things)

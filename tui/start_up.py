"""Which row of the start-up choice is this console's (VT-07). Pure, but for what terminal this is."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from engine.wire_wall import NAMED_SCREENS, SCREENS, TERMINAL_NAME, Arrangements, StartUpRow

SSH, ANY = "ssh", "*"
NAME_MAX = 64
LAST_WALL = "last-wall"
"""Live, as it was left."""


def show_complaint(shows: str) -> str:
    """What is wrong with what a console should begin with; empty = nothing."""
    word, _, name = shows.partition(" ")
    if word in SCREENS and not name or word in NAMED_SCREENS and name:
        return ""
    return f"a console cannot begin with {shows!r}; there are {', '.join(SCREENS)}, view NAME, tour NAME"


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


def named_terminal(typed: str) -> str:
    """As rows call it: `/dev/tty1` is `tty1`."""
    return typed.strip().removeprefix("/dev/")


def terminal_complaint(typed: str, taken: Container[str]) -> str:
    """Why a new row cannot be called so (`taken`: the other rows' terminals); empty = it can."""
    terminal = named_terminal(typed)
    if len(terminal) > NAME_MAX:
        return f"at most {NAME_MAX} characters"
    if not re.fullmatch(TERMINAL_NAME, terminal):
        return "tty1 as `tty` names it, ssh, or * for any other"
    return f"{terminal} has a row: enter on it changes it" if terminal in taken else ""


@dataclass(frozen=True, slots=True)
class StartUpChange:
    """One row instead of another: what somebody else saves meanwhile stays."""

    before: StartUpRow | None
    """None = a new one."""
    after: StartUpRow | None
    """None = it goes."""

    @property
    def is_one(self) -> bool:
        return self.before != self.after

    def of(self, rows: Iterable[StartUpRow]) -> tuple[StartUpRow, ...] | str:
        """The rows with it; words when somebody has changed or made the same row meanwhile."""
        rows = tuple(rows)
        before, after = self.before, self.after
        if before is not None and before not in rows:
            return f"{before.terminal} was changed elsewhere meanwhile: this is how it is now"
        others = tuple(row for row in rows if row != before)
        if after is None:
            return others
        if any(row.terminal == after.terminal for row in others):
            return f"{after.terminal} was made elsewhere meanwhile: this is how it is now"
        return (*others, after)


def named_in(found: Arrangements, kind: str, name: str) -> bool:
    """Whether the view or tour of a row is there."""
    things = found.views if kind == "view" else found.tours if kind == "tour" else ()
    return any(each.name.casefold() == name.casefold() for each in things)

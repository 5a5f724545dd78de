"""What drives, enclosures, their tools, names of files and files say of themselves, made fit for one line of a log, a screen or a file."""

from __future__ import annotations

LIMIT = 256
"""Characters: the longest names that a standard knows have 64, messages of smartctl some more."""
LARGEST = 2**63 - 1
"""Numbers beyond fit neither the catalog nor the wire, and nothing here is counted in them."""


def printable(said: str) -> str:
    """Without line ends, escape sequences and reversals of direction: what it says does nothing to a terminal."""
    return said if said.isprintable() else "".join(each if each.isprintable() else "?" for each in said)


def plain_text(said: str) -> str:
    """Printable, and not longer than anybody reads."""
    return printable(said[:LIMIT])


def plain_number(said: str) -> int | None:
    """Of digits with a sign; None for what is no number anybody means."""
    try:
        number = int(said[:LIMIT])
    except ValueError:
        return None
    return number if -LARGEST <= number <= LARGEST else None

"""The title of the terminal's window: how many new alarms there are, also while another window is in front.

The title there was is kept on the terminal's own stack (XTWINOPS 22/23) and put back at the end; terminals without a
stack ignore both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from widgets.format import harmless

KEEP: Final = "\x1b[22;2t"
PUT_BACK: Final = "\x1b[23;2t"
LENGTH_MAX: Final = 80


def title_words(station: str, new: int) -> str:
    """`(12) Watchdeck cellar-nvr`."""
    count = f"({new:,}) " if new else ""
    return harmless(f"{count}Watchdeck {station}").strip()[:LENGTH_MAX]


class WindowTitle:
    """Writes a title when it changed. `write` answers False when the terminal is behind: it is tried again later."""

    def __init__(self, write: Callable[[str], bool]) -> None:
        self._write = write
        self._shown: str | None = None

    @property
    def is_set(self) -> bool:
        """There is something to put back."""
        return self._shown is not None

    def show(self, words: str) -> None:
        """OSC 2."""
        if words != self._shown:
            keep = KEEP if self._shown is None else ""
            if self._write(f"{keep}\x1b]2;{words}\x1b\\"):
                self._shown = words

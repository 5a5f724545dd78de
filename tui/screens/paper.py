"""What lines of text are made for, and the large digits and headings that several screens share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from textual.content import Content

from widgets.glyphs import Glyphs

BLOCK_DIGITS = {
    "0": ("█▀█", "█ █", "▀▀▀"),
    "1": ("▀█ ", " █ ", "▀▀▀"),
    "2": ("▀▀█", "█▀▀", "▀▀▀"),
    "3": ("▀▀█", " ▀█", "▀▀▀"),
    "4": ("█ █", "▀▀█", "  ▀"),
    "5": ("█▀▀", "▀▀█", "▀▀▀"),
    "6": ("█▀▀", "█▀█", "▀▀▀"),
    "7": ("▀▀█", "  █", "  ▀"),
    "8": ("█▀█", "█▀█", "▀▀▀"),
    "9": ("█▀█", "▀▀█", "▀▀▀"),
    "/": (" ▄▀", "▄▀ ", "   "),
}


@dataclass(frozen=True, slots=True)
class Paper:
    """Room in cells, characters and zone."""

    columns: int
    rows: int
    glyphs: Glyphs
    zone: tzinfo


def heading(text: str, note: str = "") -> Content:
    return Content.assemble((text, "bold $text-accent"), (f"  {note}" if note else "", "dim"))

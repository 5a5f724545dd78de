"""Words on a camera's picture: which elements, in which order, in as many lines as there is room for. Pure. Manual rows VC-10 to VC-12, VC-17.

    Overlay(elements, is_on_top, is_on)
    overlay_lines(words, overlay, width, rows) -> list of lines of OverlayWord     what fits; the name stays longest
    OverlayWord(text, style)

They stand in lines of their own beside the picture, not on its pixels: text over a sixel erases it, and letters over a
picture in sixteen colours cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from widgets.format import fit

ELEMENTS = ("name", "state", "codec", "resolution", "fps", "throughput", "time")
"""In the order in which they stand (VC-17)."""
DEFAULT = ("name", "state", "time")
GAP = "  "
LAST_TO_GO = ("name", "time", "state", "fps", "throughput", "resolution", "codec")
"""What is left out first stands last."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is wanted."""

    elements: tuple[str, ...] = DEFAULT
    is_on_top: bool = False
    is_on: bool = True
    """Off: the name alone, so that cells can be told apart."""

    @property
    def shown(self) -> tuple[str, ...]:
        wanted = self.elements if self.is_on else ("name",)
        return tuple(element for element in ELEMENTS if element in wanted)


@dataclass(frozen=True, slots=True)
class OverlayWord:
    text: str
    style: str = ""
    """Of Textual's markup; empty = plain."""


def overlay_lines(
    words: Mapping[str, OverlayWord], elements: Sequence[str], width: int, rows: int, ellipsis: str = "…"
) -> list[list[OverlayWord]]:
    """Words in at most `rows` lines of `width` cells, in their order; what does not fit is left out whole, the name is cut."""
    kept = [element for element in elements if element in words and words[element].text]
    while True:
        lines = _wrapped([words[element] for element in kept], width)
        if len(lines) <= rows or len(kept) <= 1:
            break
        kept.remove(max(kept, key=LAST_TO_GO.index))
    return [
        [
            word if cell_len(word.text) <= width else OverlayWord(fit(word.text, width, ellipsis), word.style)
            for word in line
        ]
        for line in lines[: max(rows, 0)]
    ]


def rows_needed(words: Mapping[str, OverlayWord], elements: Sequence[str], width: int) -> int:
    """Lines for all of them."""
    return max(1, len(_wrapped([words[e] for e in elements if e in words and words[e].text], width)))


def _wrapped(words: Sequence[OverlayWord], width: int) -> list[list[OverlayWord]]:
    lines: list[list[OverlayWord]] = []
    taken = 0
    for word in words:
        length = cell_len(word.text)
        if lines and taken + len(GAP) + length <= width:
            lines[-1].append(word)
            taken += len(GAP) + length
        else:
            lines.append([word])
            taken = length
    return lines

"""The characters the widgets draw with, in three sets: Unicode, CP437 (Linux text console) and plain ASCII.

Widgets ask `glyphs_of(self)` when they draw; the app carries the choice in an attribute `glyphs` (a `Glyphs`).
Only box drawing and block elements are used: no emoji, nothing of ambiguous width, and in the CP437 set nothing
outside the kernel's built-in VGA font. This module draws nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.dom import DOMNode


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character set. Every field is one cell wide unless its docstring says otherwise."""

    name: str
    """`unicode`, `cp437` or `ascii`."""
    full: str
    left_half: str
    """A cell whose left half is filled; equal to `full` where the set has none."""
    right_half: str
    upper_half: str
    shade: str
    """A light fill: expected and missing."""
    dense: str
    """A heavy shade: missing, with a little that is there."""
    horizontal: str
    vertical: str
    tee_down: str
    """Ruler tick."""
    ellipsis: str
    sort_up: str
    sort_down: str
    mark: str
    """A marked row."""
    cursor: str
    """In front of the row under the cursor, so that it is found without colour."""
    lock: str
    playhead: str
    bar_empty: str
    bullet: str
    levels: str
    """Bars of rising height for sparklines, lowest first (a blank is not part of it)."""
    lamp_lit: str
    lamp_dark: str
    """A lamp that is off, or in the dark half of its blinking."""
    frame: str
    """Six cells: upper left, horizontal, upper right, vertical, lower left, lower right."""
    frame_selected: str
    """The same, of the box in hand: told by its lines, not by colour."""
    border: str
    """Textual border type of dialogs and panes."""
    has_half_cells: bool
    """True when left and right half blocks give a timeline twice the resolution."""


UNICODE: Final = Glyphs(
    name="unicode",
    full="█",
    left_half="▌",
    right_half="▐",
    upper_half="▀",
    shade="░",
    dense="▓",
    horizontal="─",
    vertical="│",
    tee_down="┬",
    ellipsis="…",
    sort_up="▲",
    sort_down="▼",
    mark="■",
    cursor="►",
    lock="═",
    playhead="│",
    bar_empty="░",
    bullet="•",
    levels="▁▂▃▄▅▆▇█",
    lamp_lit="■",
    lamp_dark="·",
    frame="┌─┐│└┘",
    frame_selected="╔═╗║╚╝",
    border="solid",
    has_half_cells=True,
)

CP437: Final = Glyphs(
    name="cp437",
    full="█",
    left_half="▌",
    right_half="▐",
    upper_half="▀",
    shade="░",
    dense="▓",
    horizontal="─",
    vertical="│",
    tee_down="┬",
    ellipsis="~",
    sort_up="^",
    sort_down="v",
    mark="■",
    cursor=">",
    lock="═",
    playhead="│",
    bar_empty="░",
    bullet="·",
    levels="░▒▓█",
    lamp_lit="■",
    lamp_dark="·",
    frame="┌─┐│└┘",
    frame_selected="╔═╗║╚╝",
    border="solid",
    has_half_cells=True,
)

ASCII: Final = Glyphs(
    name="ascii",
    full="#",
    left_half="#",
    right_half="#",
    upper_half="'",
    shade=":",
    dense="%",
    horizontal="-",
    vertical="|",
    tee_down="+",
    ellipsis="~",
    sort_up="^",
    sort_down="v",
    mark="*",
    cursor=">",
    lock="=",
    playhead="|",
    bar_empty=".",
    bullet="*",
    levels=".:-=+*#",
    lamp_lit="*",
    lamp_dark=".",
    frame="+-+|++",
    frame_selected="#=#H##",
    border="ascii",
    has_half_cells=False,
)

GLYPH_SETS: Final[dict[str, Glyphs]] = {glyphs.name: glyphs for glyphs in (UNICODE, CP437, ASCII)}


def glyphs_of(node: DOMNode) -> Glyphs:
    """The set the app of this widget chose (`app.glyphs`); Unicode when it chose none."""
    chosen = getattr(node.app, "glyphs", None)
    return chosen if isinstance(chosen, Glyphs) else UNICODE

"""One drive bay as rows of cells: a box with number and group on its frame, two lamps, and words for what they say.

    BayFace(number, word, ...)                               what is on it
    face_row(face, row, width, height, glyphs, is_lit, is_selected) -> parts of one row, exactly `width` cells
    lamp_cells(width, height)                                where the two lamps are: all that blinking changes

Pure: no widget, no colours. Each part names the style it wants; the words carry all that the colours say. Sizes of a
box: 8 rows with label, 6 full, 4 compact, 3 and 1 for very small screens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from widgets.blink import Rate
from widgets.format import fit, harmless
from widgets.glyphs import Glyphs
from widgets.line_source import Tone

Part = tuple[str, str]
"""Text and the name of its style."""

HEIGHTS: Final = (8, 6, 4, 3, 1)
"""Rows of a box, from all that is known to the least."""
MIN_WIDTH: Final = 9
MAX_WIDTH: Final = 22
LABEL_WIDTH: Final = 14
"""Below it a model name says nothing."""
GROUP_STYLES: Final = 4


@dataclass(frozen=True, slots=True)
class BayFace:
    """What one bay shows. Texts are ready; an empty text takes no room."""

    number: int
    word: str = "empty"
    tone: Tone = "muted"
    size: str = ""
    temperature: str = ""
    temperature_tone: Tone = ""
    green: Rate = "off"
    amber: Rate = "off"
    group: str = ""
    """A letter; empty = in no group."""
    group_style: int = 0
    """1 to 4: colour of the frame; 0 = in no group."""
    progress: float | None = None
    note: str = ""
    """`! SMART`."""
    note_tone: Tone = ""
    serial: str = ""
    model: str = ""

    @property
    def rates(self) -> frozenset[Rate]:
        return frozenset((self.green, self.amber))


def box_height(rows: int, room: int, width: int) -> int:
    """The tallest box of which `rows` stand above each other in `room` lines; narrow ones have no line for the label."""
    fitting = (height for height in HEIGHTS if rows * height <= room)
    return next((height for height in fitting if height < 8 or width >= LABEL_WIDTH), HEIGHTS[-1])


def lamp_cells(width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """(x, y) of the green and of the amber lamp in a box."""
    if height == 1:
        return (3, 0), (4, 0)
    return (1, 1), (3, 1)


def face_row(
    face: BayFace,
    row: int,
    width: int,
    height: int,
    glyphs: Glyphs,
    is_lit: Callable[[Rate], bool],
    *,
    is_selected: bool = False,
) -> list[Part]:
    """One row of the box."""
    if height == 1:
        return _flat(face, width, glyphs, is_lit, is_selected=is_selected)
    frame = glyphs.frame_selected if is_selected else glyphs.frame
    style = f"group-{face.group_style}" if face.group_style else "frame"
    inner = width - 2
    if row == 0:
        number = (f" {face.number} ", "cursor" if is_selected else "number")
        letter = f" {face.group} " if face.group else ""
        line = frame[1] * (inner - len(number[0]) - len(letter))
        return [(frame[0], style), number, (line, style), (letter, style), (frame[2], style)]
    if row == height - 1:
        return _bottom(face, width, height, glyphs, frame, style)
    lines = _inner_lines(face, inner, height - 2, glyphs, is_lit)
    inside = lines[row - 1] if row - 1 < len(lines) else [(" " * inner, "")]
    return [(frame[3], style), *inside, (frame[3], style)]


def _flat(
    face: BayFace, width: int, glyphs: Glyphs, is_lit: Callable[[Rate], bool], *, is_selected: bool
) -> list[Part]:
    number = (f"{face.number:>2} ", "cursor" if is_selected else "number")
    group = (face.group or " ", f"group-{face.group_style}" if face.group_style else "frame")
    word = fit(_short_word(face), max(width - 7, 0), glyphs.ellipsis)
    return [number, *_lamps(face, glyphs, is_lit), group, (f"{word} ", face.tone)]


def _bottom(face: BayFace, width: int, height: int, glyphs: Glyphs, frame: str, style: str) -> list[Part]:
    """In compact boxes the lower edge carries what the inside has no room for."""
    inner = width - 2
    text = ""
    if height == 3:
        text = _short_word(face)
    elif height == 4:
        text = face.word if face.progress is not None else face.size
    text = harmless(text)
    if cell_len(text) + 2 <= inner:
        label = f" {text} " if text else ""
    else:
        label = fit(text, inner, glyphs.ellipsis)
    tone = face.tone if height == 3 or face.progress is not None else ""
    return [
        (frame[4], style),
        (label, tone),
        (frame[1] * (inner - cell_len(label)), style),
        (frame[5], style),
    ]


def _inner_lines(
    face: BayFace, inner: int, height: int, glyphs: Glyphs, is_lit: Callable[[Rate], bool]
) -> list[list[Part]]:
    green, amber = _lamps(face, glyphs, is_lit)
    temperature = (fit(face.temperature, inner - 3, glyphs.ellipsis, is_right=True), face.temperature_tone)
    lines: list[list[Part]] = [[green, (" ", ""), amber, temperature]]

    def add(text: str, tone: str = "") -> None:
        lines.append([(fit(text, inner, glyphs.ellipsis), tone)])

    is_moving = face.progress is not None
    if height == 2:
        if is_moving:
            lines.append(progress_parts(face.progress or 0.0, inner, glyphs))
        elif face.note:
            add(face.note, face.note_tone)
        else:
            add(face.word, face.tone)
        return lines
    add(face.word, face.tone)
    if height >= 6:
        add(face.serial, "number")
        add(face.model, "muted")
    add(face.size)
    if is_moving:
        lines.append(progress_parts(face.progress or 0.0, inner, glyphs))
    else:
        add(face.note, face.note_tone)
    return lines


def progress_parts(share: float, width: int, glyphs: Glyphs) -> list[Part]:
    """A bar and its percent, in exactly `width` cells."""
    percent = f"{min(int(share * 100), 99) if share < 1 else 100:>3} %"
    cells = width - len(percent)
    filled = max(0, min(cells, round(share * cells)))
    return [
        (glyphs.full * filled, "bar"),
        (glyphs.bar_empty * (cells - filled), "frame"),
        (percent, ""),
    ]


def _short_word(face: BayFace) -> str:
    return f"{face.progress * 100:.0f} %" if face.progress is not None else face.word


def _lamps(face: BayFace, glyphs: Glyphs, is_lit: Callable[[Rate], bool]) -> tuple[Part, Part]:
    # A lamp keeps its colour while it is dark: blinking then changes one character and no colours.
    green = glyphs.lamp_lit if is_lit(face.green) else glyphs.lamp_dark
    amber = glyphs.lamp_lit if is_lit(face.amber) else glyphs.lamp_dark
    return (green, "lamp-green"), (amber, "lamp-amber")

"""Values of a `VideoCell`: pictures made of cells, and pictures the terminal draws itself (sixel, kitty).

    CellPictureLike   columns, rows, lines of runs (text, foreground, background); the engine's message fits as it is
    TerminalPicture(kind, columns, rows, payload, image_id=0, strips=())
    PictureStrip(row, rows, payload, column=0, columns=0)   a part of a sixel picture that is drawn by itself
    PictureSurface    what a place for pictures offers to whoever writes them
    PictureWriter     what the app offers as `app.picture_output`; without one payloads are not drawn but say so in words

Nothing here draws; whoever writes to the terminal, at the pace of the link, lives outside of the widgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, runtime_checkable

from rich.color import Color
from rich.style import Style
from textual.geometry import Region

TRUECOLOR = 16_777_216
"""`colors` of a picture whose runs carry 0xRRGGBB; with fewer they carry palette numbers."""

PICTURE_META = "watchdeck-picture"
"""Key in a cell style's meta: the cell is kept free for the surface with this id, or `CELL_PICTURE`."""

CELL_PICTURE = -1
"""Value of `PICTURE_META`: the cell is part of a picture made of characters, which is sent at the pace of the link."""


class CellRunLike(Protocol):
    """A run of equal cells. -1 = the terminal's own colour."""

    @property
    def text(self) -> str: ...
    @property
    def foreground(self) -> int: ...
    @property
    def background(self) -> int: ...


class CellPictureLike(Protocol):
    """A picture drawn with characters; each line is exactly `columns` wide."""

    @property
    def columns(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def lines(self) -> Sequence[Sequence[CellRunLike]]: ...


@dataclass(frozen=True, slots=True)
class CellRun:
    """A run of equal cells, for pictures made here (tests, placeholders)."""

    text: str
    foreground: int = -1
    background: int = -1


@dataclass(frozen=True, slots=True)
class CellPicture:
    """A picture drawn with characters."""

    columns: int
    rows: int
    lines: tuple[tuple[CellRun, ...], ...]


@dataclass(frozen=True, slots=True)
class PictureStrip:
    """Whole cell rows of a sixel picture, or some columns of them."""

    row: int
    """Of the picture, from 0."""
    rows: int
    payload: bytes
    column: int = 0
    """Of the picture, from 0."""
    columns: int = 0
    """0 = the whole width."""


@dataclass(frozen=True, slots=True)
class TerminalPicture:
    """Escape sequences that draw a picture at the cursor, over `columns` x `rows` cells."""

    kind: Literal["sixel", "kitty"]
    columns: int
    rows: int
    payload: bytes
    """Empty where there are strips."""
    image_id: int = 0
    """Kitty: the id placed, by which it is removed."""
    strips: tuple[PictureStrip, ...] = ()
    """Sixel: instead of the payload, top to bottom, left to right."""


Picture = CellPictureLike | TerminalPicture


@runtime_checkable
class PictureSurface(Protocol):
    """A place on the screen where a picture belongs."""

    @property
    def surface_id(self) -> int:
        """Value of `PICTURE_META` in the cells kept free."""
        ...

    def terminal_picture(self) -> tuple[TerminalPicture, Region] | None:
        """The picture and where it belongs on the screen; None = none, or not in sight."""
        ...

    def cell_picture_region(self) -> Region | None:
        """Where on the screen a picture made of characters stands; None = none, or not in sight."""
        ...

    def drawn(self) -> None:
        """All of the picture was written (see `PictureWriter.painted`), or none of it is in sight."""
        ...


class PictureWriter(Protocol):
    """Writes pictures; the app has one as `picture_output` on a real terminal."""

    @property
    def has_pixels(self) -> bool:
        """The terminal draws sixel or kitty pictures."""
        ...

    def register(self, surface: PictureSurface) -> None:
        """A surface came."""
        ...

    def unregister(self, surface: PictureSurface) -> None:
        """A surface went: its picture goes too."""
        ...

    def changed(self, surface: PictureSurface) -> None:
        """The surface has another picture, or none."""
        ...

    def painted(self, surface: PictureSurface) -> None:
        """The surface's cells are those of its newest picture: say `drawn` once they were written."""
        ...


@lru_cache(maxsize=16_384)
def run_style(foreground: int, background: int, is_truecolor: bool) -> Style:
    """The style of a run, marked as part of a picture; bounded cache, pictures use few colours."""
    return Style(
        color=_color(foreground, is_truecolor),
        bgcolor=_color(background, is_truecolor),
        meta={PICTURE_META: CELL_PICTURE},
    )


def _color(value: int, is_truecolor: bool) -> Color | None:
    if value < 0:
        return None
    if is_truecolor:
        return Color.from_rgb(value >> 16 & 255, value >> 8 & 255, value & 255)
    return Color.from_ansi(value)

"""API messages about pictures, live or recorded, in the forms that terminals draw. Part of `engine.wire`'s API."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from engine.wire_message import Reply, Request


class PictureFormat(StrEnum):
    """How a picture is wanted."""

    JPEG = "jpeg"
    SIXEL = "sixel"
    KITTY = "kitty"
    HALF_BLOCK = "half"
    """Cells with an upper half block, foreground and background colour."""
    ASCII = "ascii"
    """Cells with a character of a brightness ramp, and a foreground colour when `colors` > 2."""


class PictureRequest(Request, frozen=True, kw_only=True):
    """A picture of a camera, live or at a time, ready for a terminal."""

    camera: str
    at_us: int | None = None
    """None = live."""
    format: PictureFormat = PictureFormat.JPEG
    columns: int = 80
    rows: int = 24
    """Room in cells, for terminal formats; the picture keeps its aspect ratio inside it."""
    cell_width_px: int = 10
    cell_height_px: int = 20
    colors: int = 256
    """Half-block/ASCII: 16,777,216, 256, 16, 8 or 2 (mono); sixel: palette size (32-64 advised)."""
    width_px: int = 0
    """JPEG: scaled to at most this width; 0 = as coded."""
    image_id: int = 0
    """Kitty: the id to place."""


class CellRun(msgspec.Struct, frozen=True, array_like=True):
    """A run of equal cells. Colours: -1 = terminal default; with `colors` 16.7 M: 0xRRGGBB; else a palette index."""

    text: str
    foreground: int
    background: int


class CellPicture(Reply, frozen=True, kw_only=True):
    """Half-block and ASCII pictures: rows of runs, each row exactly `columns` wide."""

    columns: int
    rows: int
    lines: tuple[tuple[CellRun, ...], ...]


class PictureReply(Reply, frozen=True, kw_only=True):
    """Body of POST /v1/pictures. JPEG, sixel and kitty bytes are in `data` (base64 in JSON)."""

    camera: str
    time_us: int
    """Wall time of the keyframe shown."""
    format: PictureFormat
    width_px: int
    height_px: int
    """Of the coded picture."""
    columns: int = 0
    rows: int = 0
    """Cells covered, for terminal formats."""
    data: bytes = b""
    cells: CellPicture | None = None

"""API messages about pictures, live or recorded, in the forms that terminals draw. Part of `engine.wire`'s API."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

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


class LiveStream(StrEnum):
    """Of a camera with a second, smaller stream."""

    AUTO = "auto"
    """The smaller one when the picture wanted is no larger than it, and it runs."""
    MAIN = "main"
    SUB = "sub"


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
    exact: bool = False
    """With `at_us`: the frame shown at that time, decoded from its keyframe on, instead of the keyframe itself."""
    step: Annotated[int, msgspec.Meta(ge=-1, le=1)] = 0
    """With `at_us`: the frame (`exact`) or keyframe before (-1) or after (1) the one at that time, over gaps and files too."""
    region: tuple[int, int, int, int] | None = None
    """Digital zoom: left, top, width and height in 1/10,000 of the picture; None = all of it."""
    is_rough: bool = False
    """For small pictures: decoded faster, without smoothing the edges of blocks."""
    stream: LiveStream = LiveStream.AUTO
    """Live: which of the camera's streams."""
    newer_than_us: int | None = None
    """Live: answer when there is a keyframe newer than this, at the latest after `wait_ms` with `is_unchanged`."""
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=20_000)] = 0
    strip_rows: Annotated[int, msgspec.Meta(ge=0, le=250)] = 0
    """Sixel: cut the picture into strips of about so many rows, each drawn by itself, so that keys need not wait for all; 0 = whole."""


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


class SixelStrip(msgspec.Struct, frozen=True, array_like=True):
    """One strip of a sixel picture, whole cell rows, or a part of one that would be long."""

    row: int
    """Of the picture, from 0."""
    rows: int
    data: bytes
    column: int = 0
    """Of the picture, from 0."""
    columns: int = 0
    """0 = the whole width."""


class PictureReply(Reply, frozen=True, kw_only=True):
    """Body of POST /v1/pictures. JPEG, sixel and kitty bytes are in `data` (base64 in JSON)."""

    camera: str
    time_us: int
    """Wall time of the picture shown."""
    format: PictureFormat
    width_px: int
    height_px: int
    """Of the coded picture."""
    columns: int = 0
    rows: int = 0
    """Cells covered, for terminal formats."""
    data: bytes = b""
    cells: CellPicture | None = None
    until_us: int | None = None
    """Recorded: when the next frame (`exact`) or keyframe of its file begins; None = not known, or the last one."""
    stream: LiveStream = LiveStream.MAIN
    is_unchanged: bool = False
    """There is no newer picture; nothing else here counts but `time_us`."""
    notice: str = ""
    """What to say beside the picture: the one asked for is damaged, this is the last whole one before it; empty = nothing."""
    strips: tuple[SixelStrip, ...] = ()
    """With `strip_rows`: instead of `data`."""

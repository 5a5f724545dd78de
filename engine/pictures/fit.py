"""Where a picture goes inside a box of terminal cells: aspect ratio kept, never a distorted face. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.wire import PictureFormat, PictureRequest
from storage.errors import InvalidInput

COLUMNS_LIMIT = 500
ROWS_LIMIT = 250
CELL_PX_LIMIT = 64
COLORS_LIMIT = 1 << 24
PIXELS_LIMIT = 3840 * 2160
"""Of a terminal picture; larger boxes are scaled down to it, the terminal would choke anyway."""
SIXEL_BAND_PX = 6
COLORED = 8
"""Cells with fewer colours show brightness only."""
REGION_WHOLE = 10_000
"""A region is given in parts of this."""
LEAST_REGION = 50
"""1/200 of the picture: some ten pixels of a camera."""


class Sized(Protocol):
    """A picture, as far as its size counts."""

    @property
    def width_px(self) -> int: ...

    @property
    def height_px(self) -> int: ...

    @property
    def shape_px(self) -> tuple[int, int]: ...


@dataclass(frozen=True, slots=True)
class CellFit:
    """A picture of `columns` x `rows` cells at `left`, `top` of its box."""

    left: int
    top: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class PixelFit:
    """A picture in pixels and the cells it touches."""

    width_px: int
    height_px: int
    columns: int
    rows: int


def check_request(request: PictureRequest) -> None:
    """Raises InvalidInput for sizes nobody can mean."""
    for name, value, limit in (
        ("columns", request.columns, COLUMNS_LIMIT),
        ("rows", request.rows, ROWS_LIMIT),
        ("cell_width_px", request.cell_width_px, CELL_PX_LIMIT),
        ("cell_height_px", request.cell_height_px, CELL_PX_LIMIT),
    ):
        if not 1 <= value <= limit:
            raise InvalidInput(f"picture {name} is {value}", f"give 1 to {limit}")
    if not 0 <= request.width_px <= 16384:
        raise InvalidInput(f"picture width_px is {request.width_px}", "give 0 (as coded) to 16384")
    if not 2 <= request.colors <= COLORS_LIMIT:
        raise InvalidInput(f"picture colors is {request.colors}", f"give 2 to {COLORS_LIMIT}")
    if not 0 <= request.image_id <= 0xFFFFFFFF:
        raise InvalidInput(f"picture image_id is {request.image_id}", "give 0 to 4294967295")
    if request.region is not None:
        _check_region(*request.region)


def _check_region(left: int, top: int, width: int, height: int) -> None:
    for name, start, size in (("left and width", left, width), ("top and height", top, height)):
        if start < 0 or size < LEAST_REGION or start + size > REGION_WHOLE:
            raise InvalidInput(
                f"picture region: {name} are {start} and {size}",
                f"give 1/10000 of the picture: from 0, at least {LEAST_REGION}, together at most {REGION_WHOLE}",
            )


def fit_pixels(request: PictureRequest, width_px: int, height_px: int) -> tuple[int, int]:
    """The largest size of the picture's shape inside the box, in the terminal's pixels."""
    box_width_px = request.columns * request.cell_width_px
    box_height_px = request.rows * request.cell_height_px
    scale = min(box_width_px / width_px, box_height_px / height_px)
    fitted_width_px = max(1, min(box_width_px, round(width_px * scale)))
    fitted_height_px = max(1, min(box_height_px, round(height_px * scale)))
    return fitted_width_px, fitted_height_px


def fit_cells(request: PictureRequest, width_px: int, height_px: int) -> CellFit:
    """Whole cells for half-block and ASCII pictures, centred."""
    fitted_width_px, fitted_height_px = fit_pixels(request, width_px, height_px)
    columns = max(1, min(request.columns, round(fitted_width_px / request.cell_width_px)))
    rows = max(1, min(request.rows, round(fitted_height_px / request.cell_height_px)))
    return CellFit((request.columns - columns) // 2, (request.rows - rows) // 2, columns, rows)


def fit_sixel(request: PictureRequest, width_px: int, height_px: int) -> PixelFit:
    """Whole sixel bands (6 pixels high): a last, partly used band would paint below the picture."""
    fitted_width_px, fitted_height_px = _limited(*fit_pixels(request, width_px, height_px))
    banded_height_px = max(SIXEL_BAND_PX, fitted_height_px // SIXEL_BAND_PX * SIXEL_BAND_PX)
    return _covering(request, fitted_width_px, banded_height_px)


def fit_kitty(request: PictureRequest, width_px: int, height_px: int) -> PixelFit:
    """The terminal scales by itself: never send more pixels than the camera made."""
    fitted_width_px, fitted_height_px = _limited(*fit_pixels(request, width_px, height_px))
    cells = _covering(request, fitted_width_px, fitted_height_px)
    if fitted_width_px > width_px:
        return PixelFit(width_px, height_px, cells.columns, cells.rows)
    return cells


def fit_width(width_px: int, height_px: int, wanted_width_px: int) -> tuple[int, int]:
    """JPEG: at most the wanted width, never larger than coded; 0 = as coded."""
    if wanted_width_px == 0 or wanted_width_px >= width_px:
        return width_px, height_px
    return wanted_width_px, max(1, round(height_px * wanted_width_px / width_px))


def pixels_wanted(request: PictureRequest, picture: Sized) -> tuple[int, int, bool]:
    """Width and height an encoder will ask for, and whether in brightness only."""
    match request.format:
        case PictureFormat.JPEG:
            return *fit_width(picture.width_px, picture.height_px, request.width_px), False
        case PictureFormat.SIXEL:
            pixels = fit_sixel(request, *picture.shape_px)
            return pixels.width_px, pixels.height_px, False
        case PictureFormat.KITTY:
            pixels = fit_kitty(request, *picture.shape_px)
            return pixels.width_px, pixels.height_px, False
    cells = fit_cells(request, *picture.shape_px)
    rows = cells.rows if request.format is PictureFormat.ASCII else cells.rows * 2
    return cells.columns, rows, request.colors < COLORED


def effective_width_px(request: PictureRequest) -> int:
    """How many pixels across make a difference to the picture; 0 = all that there are."""
    if request.format is PictureFormat.JPEG:
        width_px = request.width_px
    elif request.format in (PictureFormat.SIXEL, PictureFormat.KITTY):
        width_px = request.columns * request.cell_width_px
    else:
        width_px = request.columns
    return width_px * REGION_WHOLE // request.region[2] if request.region else width_px


def _limited(width_px: int, height_px: int) -> tuple[int, int]:
    excess = width_px * height_px / PIXELS_LIMIT
    if excess <= 1:
        return width_px, height_px
    return max(1, int(width_px / excess**0.5)), max(1, int(height_px / excess**0.5))


def _covering(request: PictureRequest, width_px: int, height_px: int) -> PixelFit:
    columns = min(request.columns, -(-width_px // request.cell_width_px))
    rows = min(request.rows, -(-height_px // request.cell_height_px))
    return PixelFit(width_px, height_px, columns, rows)

"""Where a picture goes inside a box of terminal cells: aspect ratio kept, never a distorted face. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from engine.wire import PictureRequest
from storage.errors import InvalidInput

COLUMNS_LIMIT = 500
ROWS_LIMIT = 250
CELL_PX_LIMIT = 64
PIXELS_LIMIT = 3840 * 2160
"""Of a terminal picture; larger boxes are scaled down to it, the terminal would choke anyway."""
SIXEL_BAND_PX = 6


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
    if request.colors < 2:
        raise InvalidInput(f"picture colors is {request.colors}", "give at least 2")
    if not 0 <= request.image_id <= 0xFFFFFFFF:
        raise InvalidInput(f"picture image_id is {request.image_id}", "give 0 to 4294967295")


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


def _limited(width_px: int, height_px: int) -> tuple[int, int]:
    excess = width_px * height_px / PIXELS_LIMIT
    if excess <= 1:
        return width_px, height_px
    return max(1, int(width_px / excess**0.5)), max(1, int(height_px / excess**0.5))


def _covering(request: PictureRequest, width_px: int, height_px: int) -> PixelFit:
    columns = min(request.columns, -(-width_px // request.cell_width_px))
    rows = min(request.rows, -(-height_px // request.cell_height_px))
    return PixelFit(width_px, height_px, columns, rows)

"""Sixel pictures with a palette that stays the same from picture to picture. Picture worker only.

Own encoder because the palette must be given (a new one each second shimmers), every colour register must be
defined before the first pixel (WezTerm breaks otherwise) and a picture must cost a few milliseconds.
Format: DEC STD 070 chapter 9; each band is 6 pixel rows, one pass a colour, `$` returns, `-` goes down.
"""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.pictures.palettes import mean_error, nearest
from engine.pictures.picture import Pixels
from engine.wire import SixelStrip

COLORS_LIMIT = 256
_BAND_PX = 6
_EMPTY = 0x3F
"""The character that sets no pixel: `?`; the six lowest bits above it are the rows, top first."""
_LONG_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)
_CHOOSE_PIXELS = 160 * 90
"""A palette is chosen from about this many pixels; more does not change it visibly."""
PIECE_BYTES = 2048
"""A strip of one row that is longer is cut: one row is asked for where the line is thin, and 16 ms of 1 Mbit/s stand before a key."""
_POOR_FIT = 1.6
"""Times the first error: the scene has changed (day to night), the palette is chosen anew."""
_ERROR_FLOOR = 4.0
"""Levels; below this mean error no palette is called poor."""


def choose_palette(pixels: Pixels, colors: int) -> bytes:
    """RGB triples that suit this picture."""
    step = max(1, round((pixels.shape[0] * pixels.shape[1] / _CHOOSE_PIXELS) ** 0.5))
    sample = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
    quantized = sample.quantize(min(colors, COLORS_LIMIT), method=Image.Quantize.MEDIANCUT, kmeans=1)
    return bytes(quantized.getpalette("RGB") or [])[: 3 * colors]


def fitting_palette(pixels: Pixels, colors: int, palette: bytes, palette_error: float) -> tuple[bytes, float]:
    """The given palette when it still suits the picture, else a new one; and its error when it was chosen."""
    sample = pixels[::4, ::4]
    if len(palette) == 3 * colors or (palette and len(palette) < 3 * colors):
        error = mean_error(sample, nearest(sample, palette), palette)
        if error <= max(palette_error * _POOR_FIT, _ERROR_FLOOR):
            return palette, palette_error
    palette = choose_palette(pixels, colors)
    return palette, mean_error(sample, nearest(sample, palette), palette)


def encode_sixel(pixels: Pixels, palette: bytes) -> bytes:
    """A whole sixel sequence, DCS to ST. The height must be a multiple of 6."""
    return _sequence(nearest(pixels, palette), palette, used_only=False)


def encode_strips(
    pixels: Pixels, palette: bytes, cell_px: tuple[int, int], strip_rows: int
) -> tuple[SixelStrip, ...]:
    """The same picture cut at cell rows, each strip a sixel by itself with the same palette.

    A strip is as many rows as come nearest to `strip_rows` and hold whole bands of 6 pixels. Where fewer are wanted (a thin link)
    it is those, and the pixels of its last band that belong to the next strip are left as they are. Where one is wanted, a strip of
    more than `PIECE_BYTES` is cut at cell columns too.
    """
    cell_width_px, cell_height_px = cell_px
    rows = strip_height_rows(cell_height_px, strip_rows)
    indexes = nearest(pixels, palette)
    step_px = rows * cell_height_px
    strips: list[SixelStrip] = []
    for top_px in range(0, indexes.shape[0], step_px):
        strip = indexes[top_px : top_px + step_px]
        covered = -(-strip.shape[0] // cell_height_px)
        data = _sequence(strip, palette, used_only=True)
        row = top_px // cell_height_px
        if strip_rows > 1 or len(data) <= PIECE_BYTES:
            strips.append(SixelStrip(row, covered, data))
            continue
        columns = -(-strip.shape[1] // cell_width_px)
        step = max(columns * PIECE_BYTES // len(data), 1)
        for column in range(0, columns, step):
            part = strip[:, column * cell_width_px : (column + step) * cell_width_px]
            data = _sequence(part, palette, used_only=True)
            strips.append(SixelStrip(row, covered, data, column, min(step, columns - column)))
    return tuple(strips)


def strip_height_rows(cell_height_px: int, wanted_rows: int) -> int:
    """Rows of a strip: with cells of 16 or 20 pixels one, two or a multiple of 3, with 18 any number."""
    least_rows = math.lcm(cell_height_px, _BAND_PX) // cell_height_px
    if wanted_rows < least_rows:
        return wanted_rows
    return max(1, round(wanted_rows / least_rows)) * least_rows


def _sequence(indexes: NDArray[np.uint8], palette: bytes, *, used_only: bool) -> bytes:
    """`used_only`: registers of colours that do not occur are left out; the numbers of the others stay."""
    height, width = indexes.shape
    triples = np.frombuffer(palette, dtype=np.uint8).reshape(-1, 3)
    used = np.unique(indexes).tolist() if used_only else range(len(triples))
    registers = "".join(
        f"#{index};2;{(red * 100 + 127) // 255};{(green * 100 + 127) // 255};{(blue * 100 + 127) // 255}"
        for index, (red, green, blue) in ((index, triples[index].tolist()) for index in used)
    )
    # P2=1: pixels not set keep what is there; all pixels are set, so nothing shows through.
    header = f'\x1bP0;1;0q"1;1;{width};{height}{registers}'.encode()
    return header + _bands(indexes, len(triples)) + b"\x1b\\"


def _bands(indexes: NDArray[np.uint8], colors: int) -> bytes:
    height, width = indexes.shape
    bands = -(-height // _BAND_PX)
    masks = np.zeros((bands, colors, width), dtype=np.uint8)
    columns = np.arange(width)[None, :]
    for row in range(_BAND_PX):
        # Every (band, column) occurs once a row, so a plain indexed |= loses nothing.
        rows = indexes[row::_BAND_PX]
        masks[np.arange(len(rows))[:, None], rows, columns] |= 1 << row
    counts = masks.astype(bool).sum(axis=2)
    characters = masks + _EMPTY
    pieces: list[bytes] = []
    for band in range(bands):
        used = np.flatnonzero(counts[band])
        ordered = used[np.argsort(-counts[band, used], kind="stable")].tolist()
        # The commonest colour is painted as one solid run; the others then overwrite their own pixels.
        left_px = min(height - band * _BAND_PX, _BAND_PX)
        solid = bytes([_EMPTY + (1 << left_px) - 1])
        pieces.append(b"#%d" % ordered[0] + solid * width)
        for colour in ordered[1:]:
            pieces.append(b"$#%d" % colour + characters[band, colour].tobytes().rstrip(b"?"))
        pieces.append(b"-")
    return _LONG_RUN.sub(_shortened, b"".join(pieces[:-1]))


def _shortened(match: re.Match[bytes]) -> bytes:
    return b"!%d%b" % (match.end() - match.start(), match.group(1))

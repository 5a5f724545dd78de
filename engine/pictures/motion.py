"""Motion between keyframes of one camera, in 32 x 18 cells. Picture worker only; pure arithmetic on small pictures of brightness.

A picture is compared with the camera's background, a slow average of those before. What lights or the camera's own exposure
change everywhere at once is taken off first; a change of nearly everything is a change of light, not motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 32, 18
_CELL_PX = 4
WIDTH_PX, HEIGHT_PX = COLUMNS * _CELL_PX, ROWS * _CELL_PX
_FRACTION_BITS = 8
"""The background is kept in 1/256 of a level: a slow average of whole levels would stand still."""
_ADAPTATION_SHIFT = 3
"""A background follows by 1/8 a picture: at one a second, what has come to stay is background in some twenty seconds."""
_LEAST_CELL_PX = 4
"""Pixels of a cell's sixteen that must differ."""
LIGHT_SHARE = 0.7
"""Of the cells looked at; when more change at once it was the light."""

Gray = NDArray[np.uint8]
Background = NDArray[np.uint16]
Cells = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one picture showed."""

    cells: Cells
    """ROWS x COLUMNS: where something moved; all false when the light changed, and for the first picture."""
    background: Background
    """To compare the next picture with."""
    everywhere: Cells
    """Likewise, without regard to the mask: what is kept for searches."""
    is_light_change: bool = False


def threshold(sensitivity: int) -> int:
    """Levels of brightness by which a pixel must differ: 60 at sensitivity 1, 35 at 50, 10 at 100."""
    return round(60 - 0.5 * sensitivity)


def look(gray: Gray, background: Background | None, sensitivity: int, mask: Cells | None = None) -> Seen:
    """`gray` is HEIGHT_PX x WIDTH_PX. Without a background (the first picture) nothing moves."""
    nothing = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    level: Background = np.left_shift(gray.astype(np.uint16), np.uint16(_FRACTION_BITS))
    if background is None:
        return Seen(nothing, level, nothing)
    difference = gray.astype(np.int16) - (background >> _FRACTION_BITS).astype(np.int16)
    difference -= np.int16(round(float(np.median(difference))))
    moved = np.abs(difference) > threshold(sensitivity)
    per_cell = moved.reshape(ROWS, _CELL_PX, COLUMNS, _CELL_PX).sum(axis=(1, 3))
    everywhere = per_cell >= _LEAST_CELL_PX
    if int(everywhere.sum()) > LIGHT_SHARE * ROWS * COLUMNS:
        return Seen(nothing, level, nothing, is_light_change=True)
    cells = everywhere if mask is None else everywhere & mask
    if mask is not None and int(cells.sum()) > LIGHT_SHARE * max(1, int(mask.sum())):
        return Seen(nothing, level, everywhere, is_light_change=True)
    follows = background.astype(np.int32)
    follows += (level.astype(np.int32) - follows) >> _ADAPTATION_SHIFT
    return Seen(cells, follows.astype(np.uint16), everywhere)


def packed(cells: Cells) -> bytes:
    """72 bytes: a bit a cell, row by row, the first cell in the highest bit."""
    return np.packbits(cells).tobytes()


def unpacked(data: bytes) -> Cells:
    """The reverse of `packed`."""
    return np.unpackbits(np.frombuffer(data, np.uint8)).astype(np.bool_).reshape(ROWS, COLUMNS)

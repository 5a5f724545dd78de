"""Makes rectangles of a picture unrecognisable, in planar YUV 4:2:0. Pure; in the mask process. EX-04.

A rectangle is rounded outwards to whole chroma samples (two pixels): never a line less than was asked for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.exports.mask_messages import TimedMask
from engine.wire_evidence import MaskStyle

SHARE = 10_000
BLACK_LUMA, NO_COLOR = 16, 128
"""ITU-R BT.601/709, limited range."""
LEAST_BLOCK_PX = 16
BLOCKS_ACROSS = 24
"""A pixelated rectangle has at most so many blocks across the whole picture's width: a face in it has a handful."""

Plane = npt.NDArray[np.uint8]


def paint(luma: Plane, blue: Plane, red: Plane, masks: tuple[TimedMask, ...], media_us: int) -> None:
    """In place. Planes of one picture: chroma has half of the luma's width and height, rounded up."""
    height_px, width_px = luma.shape
    for mask in masks:
        if not any(start <= media_us < end for start, end in mask.stretches_us):
            continue
        left, right = _edges(mask.left, mask.width, width_px)
        top, bottom = _edges(mask.top, mask.height, height_px)
        area = (slice(top, bottom), slice(left, right))
        half = (slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2))
        if mask.style is MaskStyle.BLACK:
            luma[area], blue[half], red[half] = BLACK_LUMA, NO_COLOR, NO_COLOR
        else:
            block_px = max(LEAST_BLOCK_PX, -(-width_px // BLOCKS_ACROSS) // 2 * 2)
            luma[area] = _in_blocks(luma[area], block_px)
            blue[half] = _in_blocks(blue[half], block_px // 2)
            red[half] = _in_blocks(red[half], block_px // 2)


def _edges(start: int, length: int, size_px: int) -> tuple[int, int]:
    first = start * size_px // SHARE // 2 * 2
    last = -(-(start + length) * size_px // SHARE)
    return first, min(size_px, -(-last // 2) * 2)


def _in_blocks(area: Plane, block_px: int) -> Plane:
    """Each block its mean; those at the right and lower edge may be smaller."""
    height_px, width_px = area.shape
    rows, columns = np.arange(0, height_px, block_px), np.arange(0, width_px, block_px)
    sums = np.add.reduceat(np.add.reduceat(area.astype(np.uint32), rows, axis=0), columns, axis=1)
    heights = np.diff(np.append(rows, height_px))
    widths = np.diff(np.append(columns, width_px))
    means = (sums // (heights[:, None] * widths[None, :])).astype(np.uint8)
    return np.repeat(np.repeat(means, heights, axis=0), widths, axis=1)

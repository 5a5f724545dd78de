"""A machine-readable clock in the lowest 8 pixels of every demo picture, which survives compression and scaling.

The row is divided into 80 blocks across the picture's width. From the left: 4 blocks white-black-white-black,
48 bits of milliseconds since the Unix epoch (most significant first), 8 bits of check sum, then black. A block is
white for 1. Tests read it back to prove which moment a recorded picture shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCKS = 80
HEIGHT_SHARE = 45
"""The row is 1/45 of the picture's height: 8 pixels of 360."""
_SYNC = (1, 0, 1, 0)
_TIME_BITS = 48
_CHECK_BITS = 8
_USED = len(_SYNC) + _TIME_BITS + _CHECK_BITS
_WHITE, _BLACK = 235, 16


def draw_time_code(luma: NDArray[np.uint8], time_ms: int) -> None:
    """Write the row into a luma plane whose width is a multiple of 80 and height one of 45."""
    height, width = luma.shape
    if width % BLOCKS or height % HEIGHT_SHARE:
        raise ValueError(f"time code needs a width of 80 n and a height of 45 n, not {width}x{height}")
    value = (time_ms << _CHECK_BITS) | _check_sum(time_ms)
    bits = [*_SYNC, *((value >> shift) & 1 for shift in range(_TIME_BITS + _CHECK_BITS - 1, -1, -1))]
    row = np.full(BLOCKS, _BLACK, dtype=np.uint8)
    row[:_USED][np.array(bits, dtype=bool)] = _WHITE
    luma[height - height // HEIGHT_SHARE :] = row.repeat(width // BLOCKS)


def read_time_code(picture: NDArray[np.uint8]) -> int | None:
    """Milliseconds since the epoch from a decoded picture (grey or RGB, any scale), or None when it is not readable."""
    gray = picture if picture.ndim == 2 else picture.mean(axis=2)
    height, width = gray.shape
    row_height = height / HEIGHT_SHARE
    middle = int(height - row_height / 2)
    margin = int(row_height / 4)
    line = gray[max(0, middle - margin) : middle + margin + 1].mean(axis=0)
    centres = ((np.arange(_USED) + 0.5) * width / BLOCKS).astype(int)
    reach = int(width / BLOCKS / 4)
    levels = np.mean(
        [line[np.clip(centres + shift, 0, width - 1)] for shift in range(-reach, reach + 1)], axis=0
    )
    bits = (levels > 126).astype(int).tolist()
    if tuple(bits[: len(_SYNC)]) != _SYNC:
        return None
    value = int("".join(map(str, bits[len(_SYNC) :])), 2)
    time_ms, check = value >> _CHECK_BITS, value & ((1 << _CHECK_BITS) - 1)
    return time_ms if check == _check_sum(time_ms) else None


def _check_sum(time_ms: int) -> int:
    """CRC-8 (polynomial 0x07) over the 6 bytes of the time."""
    crc = 0
    for byte in time_ms.to_bytes(_TIME_BITS // 8):
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc

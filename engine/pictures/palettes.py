"""Colours that terminals have, and quick tables from RGB to the nearest of them. numpy only, no state but tables.

Indexes below 16 follow what a stock Linux console shows; a terminal's theme may bend them, which is why the
256-colour tables avoid them and use the colour cube and the grey ramp alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Palette = NDArray[np.uint8]
Table = NDArray[np.uint8]
Indexes = NDArray[np.uint8]

_BITS = 5
"""Per channel of a lookup table: 32,768 entries, error below what 256 colours can show."""
_TABLE_STEP = 2048
_HUE_WEIGHT = 3.0
"""Of a wrong hue against wrong brightness: without it dark blues turn grey, because few palettes have dark colours."""

LINUX_16: Palette = np.array(
    [
        (0x00, 0x00, 0x00),
        (0xAA, 0x00, 0x00),
        (0x00, 0xAA, 0x00),
        (0xAA, 0x55, 0x00),
        (0x00, 0x00, 0xAA),
        (0xAA, 0x00, 0xAA),
        (0x00, 0xAA, 0xAA),
        (0xAA, 0xAA, 0xAA),
        (0x55, 0x55, 0x55),
        (0xFF, 0x55, 0x55),
        (0x55, 0xFF, 0x55),
        (0xFF, 0xFF, 0x55),
        (0x55, 0x55, 0xFF),
        (0xFF, 0x55, 0xFF),
        (0x55, 0xFF, 0xFF),
        (0xFF, 0xFF, 0xFF),
    ],
    dtype=np.uint8,
)


def _xterm_240() -> Palette:
    """Colours 16 to 255: the 6x6x6 cube, then 24 greys."""
    steps = (0, 95, 135, 175, 215, 255)
    cube = [(red, green, blue) for red in steps for green in steps for blue in steps]
    greys = [(level, level, level) for level in range(8, 248, 10)]
    return np.array(cube + greys, dtype=np.uint8)


@lru_cache(maxsize=64)
def nearest_table(palette: bytes) -> Table:
    """Index of the nearest palette colour for every 5-bit RGB; `palette` is RGB triples."""
    colours = _opponent(np.frombuffer(palette, dtype=np.uint8).reshape(-1, 3).astype(np.float32))
    channel = np.arange(1 << _BITS, dtype=np.float32) * np.float32(255 / ((1 << _BITS) - 1))
    red, green, blue = np.meshgrid(channel, channel, channel, indexing="ij")
    wanted = _opponent(np.stack((red, green, blue), axis=-1, dtype=np.float32).reshape(-1, 3))
    # |wanted - colour|^2 without its constant |wanted|^2, as matrix products small enough for the cache.
    squares = (colours**2).sum(axis=1)
    table = np.empty(len(wanted), dtype=np.uint8)
    for start in range(0, len(wanted), _TABLE_STEP):
        part = wanted[start : start + _TABLE_STEP]
        table[start : start + _TABLE_STEP] = (squares - (part * np.float32(2)) @ colours.T).argmin(axis=1)
    return table


def _opponent(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """RGB to brightness, blue-yellow and red-green (BT.601), hue weighted."""
    red, green, blue = colours[:, 0], colours[:, 1], colours[:, 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    weight = _HUE_WEIGHT**0.5
    return np.stack((luma, (blue - luma) * 0.564 * weight, (red - luma) * 0.713 * weight), axis=1)


def nearest(pixels: NDArray[np.uint8], palette: bytes) -> Indexes:
    """Palette index of every pixel; shape without the last axis."""
    reduced = (pixels >> (8 - _BITS)).astype(np.uint16)
    key = (reduced[..., 0] << (2 * _BITS)) | (reduced[..., 1] << _BITS) | reduced[..., 2]
    indexes: Indexes = nearest_table(palette)[key]
    return indexes


def mean_error(pixels: NDArray[np.uint8], indexes: Indexes, palette: bytes) -> float:
    """Mean absolute difference a channel between pixels and their palette colours, 0 to 255."""
    colours = np.frombuffer(palette, dtype=np.uint8).reshape(-1, 3)[indexes]
    return float(np.abs(pixels.astype(np.int16) - colours.astype(np.int16)).mean())


XTERM_240 = _xterm_240().tobytes()
CONSOLE_16 = LINUX_16.tobytes()
CONSOLE_8 = LINUX_16[:8].tobytes()

"""Pictures made of characters: half blocks with two colours a cell, or a brightness ramp. Picture worker only.

Colours are reduced here to what the terminal has, so that the console only copies runs to the screen. Every
character used is in code page 437, so the same pictures work on the machine's own text console.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.pictures.fit import CellFit, fit_cells
from engine.pictures.palettes import CONSOLE_8, CONSOLE_16, XTERM_240, nearest
from engine.pictures.picture import Picture, Pixels
from engine.wire import CellPicture, CellRun, PictureFormat, PictureRequest

Cells = NDArray[np.int32]

DEFAULT = -1
"""The terminal's own foreground or background."""
RAMP = " .:-=+*#%@"
_BLANK, _UPPER, _LOWER, _FULL = (ord(character) for character in " ▀▄█")
_BAYER = (
    np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], dtype=np.int16) * 2 - 15
).astype(np.int16)
"""Ordered dither, -15..15: fixed in place, so still parts of a scene stay still."""
_SATURATION = 160
"""Percent, for 16 and 8 colours."""
_DITHER_16 = 3
"""Times the matrix: half the usual distance between two of the 16 console colours."""


def encode_cells(decoded: Picture, request: PictureRequest) -> CellPicture:
    """The picture centred in the request's box; cells around it are blank in the default colours."""
    fit = fit_cells(request, *decoded.shape_px)
    if request.format is PictureFormat.ASCII:
        characters, foreground, background = _ascii(decoded, fit, request.colors)
    else:
        characters, foreground, background = _half_blocks(decoded, fit, request.colors)
    blank = (CellRun(" " * request.columns, DEFAULT, DEFAULT),)
    left = (CellRun(" " * fit.left, DEFAULT, DEFAULT),) if fit.left else ()
    right_columns = request.columns - fit.left - fit.columns
    right = (CellRun(" " * right_columns, DEFAULT, DEFAULT),) if right_columns else ()
    lines = [left + runs + right for runs in _run_merged(characters, foreground, background)]
    below = request.rows - fit.top - fit.rows
    return CellPicture(
        columns=request.columns, rows=request.rows, lines=(blank,) * fit.top + tuple(lines) + (blank,) * below
    )


def _run_merged(characters: Cells, foreground: Cells, background: Cells) -> list[tuple[CellRun, ...]]:
    """Neighbouring equal cells as one run."""
    rows: list[tuple[CellRun, ...]] = []
    width = characters.shape[1]
    changes = (
        (characters[:, 1:] != characters[:, :-1])
        | (foreground[:, 1:] != foreground[:, :-1])
        | (background[:, 1:] != background[:, :-1])
    )
    for changed, row_characters, row_foreground, row_background in zip(
        changes, characters, foreground, background, strict=True
    ):
        starts = np.concatenate(([0], np.flatnonzero(changed) + 1))
        lengths = np.diff(starts, append=width).tolist()
        values = zip(
            row_characters[starts].tolist(),
            row_foreground[starts].tolist(),
            row_background[starts].tolist(),
            lengths,
            strict=True,
        )
        rows.append(tuple(CellRun(chr(code) * length, fore, back) for code, fore, back, length in values))
    return rows


# -- half blocks -----------------------------------------------------------------------------------------


def _half_blocks(decoded: Picture, fit: CellFit, colors: int) -> tuple[Cells, Cells, Cells]:
    width, height = fit.columns, fit.rows * 2
    if colors < 8:
        return _half_blocks_mono(decoded.gray(width, height))
    pixels = decoded.rgb(width, height)
    if colors < 256:
        return _half_blocks_console(pixels, CONSOLE_16 if colors >= 16 else CONSOLE_8)
    reduce: Callable[[Pixels], Cells] = _packed_16_levels if colors > 256 else _xterm_index
    top, bottom = reduce(pixels[0::2]), reduce(pixels[1::2])
    is_even = top == bottom
    characters = np.where(is_even, _BLANK, _UPPER).astype(np.int32)
    return characters, np.where(is_even, DEFAULT, top).astype(np.int32), bottom


def _packed_16_levels(pixels: Pixels) -> Cells:
    """0xRRGGBB with 16 levels a channel: sensor noise would otherwise break every run."""
    levels = (pixels.astype(np.int32) * 15 + 127) // 255 * 17
    packed: Cells = (levels[..., 0] << 16) | (levels[..., 1] << 8) | levels[..., 2]
    return packed


def _xterm_index(pixels: Pixels) -> Cells:
    return nearest(pixels, XTERM_240).astype(np.int32) + 16


def _half_blocks_console(pixels: Pixels, foregrounds: bytes) -> tuple[Cells, Cells, Cells]:
    """Text consoles have 16 (or 8) foregrounds but only 8 backgrounds: turn the block so that the half that
    needs a bright colour is the foreground."""
    dithered = _dithered(_saturated(pixels), _DITHER_16)
    rich, poor = (
        nearest(dithered, foregrounds).astype(np.int32),
        nearest(dithered, CONSOLE_8).astype(np.int32),
    )
    top, bottom = rich[0::2], rich[1::2]
    top_poor, bottom_poor = poor[0::2], poor[1::2]
    is_full = top == bottom
    is_lower = ~is_full & (top == top_poor) & (bottom != bottom_poor)
    characters = np.where(is_full, _FULL, np.where(is_lower, _LOWER, _UPPER)).astype(np.int32)
    foreground = np.where(is_lower, bottom, top).astype(np.int32)
    background = np.where(is_full, 0, np.where(is_lower, top_poor, bottom_poor)).astype(np.int32)
    return characters, foreground, background


def _half_blocks_mono(gray: Pixels) -> tuple[Cells, Cells, Cells]:
    lit = _dithered(gray, 8) >= 128
    top, bottom = lit[0::2], lit[1::2]
    table = np.array([_BLANK, _LOWER, _UPPER, _FULL], dtype=np.int32)
    characters = table[top.astype(np.int32) * 2 + bottom]
    default = np.full(characters.shape, DEFAULT, dtype=np.int32)
    return characters, default, default


def _saturated(pixels: Pixels) -> Pixels:
    """Stronger colours: a text console has no pale ones, and grey says less than a hue that is a little too loud."""
    colours = pixels.astype(np.int16)
    gray = colours.mean(axis=2, keepdims=True, dtype=np.float32).astype(np.int16)
    saturated: Pixels = np.clip(gray + (colours - gray) * _SATURATION // 100, 0, 255).astype(np.uint8)
    return saturated


def _dithered(pixels: Pixels, strength: int) -> Pixels:
    """Pixels plus a fixed pattern of -15..15 times `strength`."""
    height, width = pixels.shape[:2]
    pattern = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width] * strength
    if pixels.ndim == 3:
        pattern = pattern[..., None]
    dithered: Pixels = np.clip(pixels.astype(np.int16) + pattern, 0, 255).astype(np.uint8)
    return dithered


# -- ASCII -----------------------------------------------------------------------------------------------


def _ascii(decoded: Picture, fit: CellFit, colors: int) -> tuple[Cells, Cells, Cells]:
    """Brightness as a character; with colours also the hue of the cell at full brightness."""
    codes = np.array([ord(character) for character in RAMP], dtype=np.int32)
    default = np.full((fit.rows, fit.columns), DEFAULT, dtype=np.int32)
    if colors < 8:
        gray = decoded.gray(fit.columns, fit.rows)
        return codes[gray.astype(np.int32) * len(RAMP) // 256], default, default
    pixels = decoded.rgb(fit.columns, fit.rows)
    brightness = pixels.max(axis=2).astype(np.int32)
    characters = codes[brightness * len(RAMP) // 256]
    vivid = (pixels.astype(np.int32) * 255 // np.maximum(brightness, 1)[..., None]).astype(np.uint8)
    if colors > 256:
        foreground = _packed_16_levels(vivid)
    elif colors == 256:
        foreground = _xterm_index(vivid)
    else:
        foreground = nearest(vivid, CONSOLE_16 if colors >= 16 else CONSOLE_8).astype(np.int32)
    is_blank = characters == _BLANK
    return characters, np.where(is_blank, DEFAULT, foreground).astype(np.int32), default

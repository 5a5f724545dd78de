"""What moved, look by look, in the few bytes the catalog keeps of it: some minutes of a camera a block.

A look is one keyframe that was compared with those before it, in 32 x 18 cells (engine/pictures/motion.py). Most looks see
nothing and come at an even pace: they cost a byte each. Pure.

The bytes of a block (varints: seven bits a byte, the lowest first, the highest bit = more follows):

    1                           format
    varint                      looks
    varint                      slots of ten seconds from the first look, 0 when nothing moved; if any moved:
      cells                       where anything moved in the whole block
      a byte a slot               most cells of one look in it: 0, else 1 to 255 for 1 to 576
    per look
      varint                      even: nothing moved, odd: cells follow; above that bit the zigzag difference, in milliseconds, of the
                                  time since the look before to the one before that
      cells                       a varint, its two lowest bits the form: 0 = so many places follow, each a varint behind the last one;
                                  1 = so many runs follow, of cells without and with motion in turns; 2 = 72 bytes, a bit a cell

Why not more: a general compressor on top saves little (tests/bench/pictures_motion.py) and would have to be undone for every question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from storage.errors import CatalogDamaged
from storage.units import US_PER_SECOND

COLUMNS, ROWS = 32, 18
CELLS = COLUMNS * ROWS
CELL_BYTES = CELLS // 8
BLOCK_LIMIT_US = 300 * US_PER_SECOND
"""From a block's first look to its last, at most."""
SEEN_GAP_US = 60 * US_PER_SECOND
"""Looks further apart than this leave what is between them unseen; within a block no two are."""
SLOT_US = 10 * US_PER_SECOND
HEAD_BYTES = 128
"""All that `summary` reads of a block is in the first so many: format, two numbers, 73 bytes of cells, 31 slots."""
_MS = 1_000
_FORMAT = 1
_SPARSE, _RUNS, _PLAIN = 0, 1, 2
_REMEDY = "motion searches leave this stretch out; `always` decodes it"


class MotionLook(NamedTuple):
    time_us: int
    """Whole milliseconds."""
    cells: int
    """A bit a cell, row by row, the first cell in the highest of 576 bits: 72 bytes as a number, the first byte the highest."""


class BlockSummary(NamedTuple):
    """What can be said of a block without reading its looks."""

    looks: int
    cells: int
    """Where anything moved, as in MotionLook."""
    slots: tuple[int, ...]
    """Most cells of one look, per ten seconds from the first look; () when nothing moved."""


def encode_block(looks: Sequence[MotionLook]) -> bytes:
    """In order of time, at most BLOCK_LIMIT_US long. Raises ValueError."""
    encoded = bytearray([_FORMAT])
    _put(encoded, len(looks))
    slots = [0] * ((looks[-1].time_us - looks[0].time_us) // SLOT_US + 1) if looks else []
    everywhere = 0
    for look in looks:
        if look.cells:
            everywhere |= look.cells
            slot = (look.time_us - looks[0].time_us) // SLOT_US
            slots[slot] = max(slots[slot], look.cells.bit_count())
    _put(encoded, len(slots) if everywhere else 0)
    if everywhere:
        _put_cells(encoded, everywhere)
        encoded += bytes(-(-count * 255 // CELLS) for count in slots)
    last_ms = looks[0].time_us // _MS if looks else 0
    step_ms = 0
    for look in looks:
        time_ms = look.time_us // _MS
        if time_ms < last_ms or look.time_us % _MS:
            raise ValueError("looks are in order of time, in whole milliseconds")
        change_ms = time_ms - last_ms - step_ms
        last_ms, step_ms = time_ms, time_ms - last_ms
        zigzag = change_ms << 1 if change_ms >= 0 else -change_ms << 1 | 1
        _put(encoded, zigzag << 1 | (look.cells != 0))
        if look.cells:
            _put_cells(encoded, look.cells)
    return bytes(encoded)


def summary(data: bytes) -> BlockSummary:
    """Of a whole block, or of its first HEAD_BYTES. Raises CatalogDamaged."""
    try:
        return _head(data)[0]
    except IndexError:
        raise _damaged("is cut off") from None


def decode_block(start_us: int, data: bytes) -> list[MotionLook]:
    """Of the block whose first look was at `start_us`. Raises CatalogDamaged for what `encode_block` never made."""
    looks: list[MotionLook] = []
    try:
        head, offset = _head(data)
        time_us, step_us = start_us, 0
        for _ in range(head.looks):
            # Written out: nearly every look is this one byte.
            byte = data[offset]
            offset += 1
            if byte & 0x80:
                value, offset = _more(data, offset, byte)
            else:
                value = byte
            step_us += (-(value >> 2) if value & 2 else value >> 2) * _MS
            time_us += step_us
            cells = 0
            if value & 1:
                cells, offset = _cells(data, offset)
            looks.append(MotionLook(time_us, cells))
    except IndexError:
        raise _damaged("is cut off") from None
    if offset != len(data):
        raise _damaged("is longer than its looks")
    return looks


def _head(data: bytes) -> tuple[BlockSummary, int]:
    if data[0] != _FORMAT:
        raise _damaged(f"has the unknown format {data[0]}")
    looks, offset = _varint(data, 1)
    count, offset = _varint(data, offset)
    if not count:
        return BlockSummary(looks, 0, ()), offset
    cells, offset = _cells(data, offset)
    if offset + count > len(data):
        raise _damaged("is cut off")
    slots = tuple(level * CELLS // 255 for level in data[offset : offset + count])
    return BlockSummary(looks, cells, slots), offset + count


def _put_cells(encoded: bytearray, cells: int) -> None:
    """In the shortest of the three forms."""
    if not 0 < cells < 1 << CELLS:
        raise ValueError("cells are 576 bits")
    sparse, runs = bytearray(), bytearray()
    places = [place for place, bit in enumerate(f"{cells:0{CELLS}b}") if bit == "1"]
    _put(sparse, len(places) << 2 | _SPARSE)
    ends: list[int] = []
    last = -1
    for place in places:
        _put(sparse, place - last - 1)
        if place != last + 1 or not ends:
            ends += (place, place + 1)
        else:
            ends[-1] = place + 1
        last = place
    _put(runs, len(ends) << 2 | _RUNS)
    before = 0
    for end in ends:
        _put(runs, end - before)
        before = end
    shortest = min(sparse, runs, key=len)
    if len(shortest) > CELL_BYTES:
        shortest = bytearray([_PLAIN]) + cells.to_bytes(CELL_BYTES, "big")
    encoded += shortest


def _cells(data: bytes, offset: int) -> tuple[int, int]:
    value, offset = _varint(data, offset)
    form, count = value & 3, value >> 2
    cells = 0
    if form == _PLAIN:
        end = offset + CELL_BYTES
        if end > len(data):
            raise _damaged("is cut off")
        return int.from_bytes(data[offset:end], "big"), end
    place = 0
    if form == _SPARSE:
        for _ in range(count):
            skip, offset = _varint(data, offset)
            place += skip + 1
            if place > CELLS:
                raise _damaged("has cells outside of the picture")
            cells |= 1 << CELLS - place
    elif form == _RUNS:
        for number in range(count):
            length, offset = _varint(data, offset)
            place += length
            if place > CELLS:
                raise _damaged("has cells outside of the picture")
            if number & 1:
                cells |= (1 << length) - 1 << CELLS - place
    else:
        raise _damaged("has cells of an unknown form")
    return cells, offset


def _put(encoded: bytearray, value: int) -> None:
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    byte = data[offset]
    return _more(data, offset + 1, byte) if byte & 0x80 else (byte, offset + 1)


def _more(data: bytes, offset: int, byte: int) -> tuple[int, int]:
    value, shift = byte & 0x7F, 7
    while byte & 0x80:
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 63:
            raise _damaged("holds a number too large")
    return value, offset


def _damaged(what: str) -> CatalogDamaged:
    return CatalogDamaged(f"a block of stored motion {what}", _REMEDY)

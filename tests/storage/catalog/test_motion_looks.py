"""Stored motion: what goes in comes out, in few bytes, and goes with its footage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.catalog.db import Catalog
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import (
    BLOCK_LIMIT_US,
    CELL_BYTES,
    CELLS,
    HEAD_BYTES,
    SLOT_US,
    MotionLook,
    decode_block,
    encode_block,
    summary,
)
from storage.errors import CatalogDamaged
from tests.storage.catalog.footage import SECOND, T0, add_camera, add_segment, add_volume, begin_run

MS = 1_000
NOTHING = 0
EVERYTHING = (1 << CELLS) - 1


@st.composite
def blobs(draw: st.DrawFn) -> int:
    """A moving thing: a rectangle with holes."""
    left, top = draw(st.integers(0, 31)), draw(st.integers(0, 17))
    right, bottom = draw(st.integers(left, 31)), draw(st.integers(top, 17))
    cells = 0
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            cells |= 1 << CELLS - 1 - row * 32 - column
    return cells & ~draw(st.integers(0, EVERYTHING)) if draw(st.booleans()) else cells


cells = st.one_of(st.just(NOTHING), blobs(), st.integers(0, EVERYTHING), st.just(EVERYTHING))


@st.composite
def blocks(draw: st.DrawFn) -> list[MotionLook]:
    steps_ms = draw(st.lists(st.integers(0, 60_000), min_size=1, max_size=40))
    time_us, looks = draw(st.integers(1, 1 << 50)) // MS * MS + MS, []
    start_us = time_us
    for step_ms in steps_ms:
        if time_us + step_ms * MS - start_us <= BLOCK_LIMIT_US:
            time_us += step_ms * MS
            looks.append(MotionLook(time_us, draw(cells)))
    return looks or [MotionLook(start_us, draw(cells))]


@given(blocks())
def test_what_goes_in_comes_out(looks: list[MotionLook]) -> None:
    encoded = encode_block(looks)
    assert decode_block(looks[0].time_us, encoded) == looks
    head = summary(encoded)
    assert head.looks == len(looks)
    everywhere = 0
    for look in looks:
        everywhere |= look.cells
    assert head.cells == everywhere
    for look in looks:
        if everywhere:
            # A byte holds 576 cells to 0.4 %, rounded so that the smallest motion is not lost.
            assert head.slots[(look.time_us - looks[0].time_us) // SLOT_US] >= look.cells.bit_count()
    assert all(level <= max(look.cells.bit_count() for look in looks) + 2 for level in head.slots)


@given(blocks(), st.data())
def test_damaged_bytes_are_told_from_whole_ones_or_read_as_others_but_never_crash(
    looks: list[MotionLook], data: st.DataObject
) -> None:
    encoded = bytearray(encode_block(looks))
    cut = data.draw(st.integers(0, len(encoded) - 1))
    for broken in (encoded[:cut], encoded + b"\0"):
        with pytest.raises(CatalogDamaged):
            decode_block(T0, bytes(broken))
    encoded[cut] ^= 1 << data.draw(st.integers(0, 7))
    try:
        for look in decode_block(T0, bytes(encoded)):
            assert 0 <= look.cells <= EVERYTHING
        summary(bytes(encoded))
    except CatalogDamaged:
        pass


def test_a_quiet_minute_costs_a_byte_a_look_whatever_the_pace() -> None:
    for step_ms in (1_000, 2_040, 30_000):
        quiet = [MotionLook(T0 + each * step_ms * MS, NOTHING) for each in range(10)]
        assert len(encode_block(quiet)) <= 3 + 4 + 9
    uneven = [MotionLook(T0 + each * SECOND + (each * 7 % 13) * MS, NOTHING) for each in range(60)]
    assert len(encode_block(uneven)) <= 3 + 60 + 3


def test_a_thing_that_moves_costs_a_few_bytes_and_noise_never_more_than_the_plain_form() -> None:
    person = 0
    for row in range(5, 10):
        person |= 0b111 << CELLS - 1 - row * 32 - 10
    one = len(encode_block([MotionLook(T0, NOTHING), MotionLook(T0 + SECOND, person)]))
    # Twice: where anything moved at all, and in the look.
    assert one - len(encode_block([MotionLook(T0, NOTHING)] * 2)) <= 2 * 13 + 1
    noise = int.from_bytes(bytes([0b10100101] * CELL_BYTES), "big")
    assert len(encode_block([MotionLook(T0, noise)])) <= 5 + 2 * (CELL_BYTES + 1) + 1


def test_looks_out_of_order_are_a_defect() -> None:
    with pytest.raises(ValueError, match="in order"):
        encode_block([MotionLook(T0 + 1, 0)])


def block(camera_id: int, start_us: int, seconds: int) -> MotionBlock:
    looks = [MotionLook(start_us + each * SECOND, each % 2) for each in range(seconds)]
    return MotionBlock(camera_id, looks[0].time_us, looks[-1].time_us, seconds // 2, encode_block(looks))


def test_blocks_are_found_by_what_they_reach_into(catalog: Catalog) -> None:
    one, other = add_camera(catalog), add_camera(catalog, "yard")
    made = [block(one, T0 + each * 100 * SECOND, 90) for each in range(5)]
    catalog.put_motion_blocks([*made, block(other, T0, 10), block(99, T0, 10)])
    assert catalog.motion_blocks(one, T0 + 89 * SECOND, T0 + 200 * SECOND) == made[:2]
    assert catalog.motion_blocks(one, T0 + 90 * SECOND, T0 + 200 * SECOND + 1) == made[1:3]
    assert catalog.motion_blocks(one, T0, T0 + 999 * SECOND, limit=2) == made[:2]
    longer = block(one, T0, 95)
    catalog.put_motion_blocks([longer])
    assert catalog.motion_blocks(one, T0, T0 + 1) == [longer]
    assert catalog.motion_blocks(99, 0, 1 << 60) == []


def test_stored_motion_goes_with_the_last_of_its_footage(catalog: Catalog) -> None:
    camera_id, volume_id = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, camera_id)
    segments = [
        add_segment(catalog, run, each, volume_id, T0 + each * 60 * SECOND, T0 + (each + 1) * 60 * SECOND)
        for each in range(6)
    ]
    blocks = [block(camera_id, T0 + start * SECOND, 100) for start in (0, 100, 200)]
    catalog.put_motion_blocks(blocks)
    left = []
    for segment_id in segments:
        catalog.mark_deleting([segment_id])
        catalog.forget([segment_id])
        left.append(len(catalog.motion_blocks(camera_id, 0, 1 << 60)))
    assert left == [3, 2, 2, 1, 0, 0]


def test_stored_motion_goes_with_its_camera(catalog: Catalog) -> None:
    camera_id = add_camera(catalog)
    catalog.put_motion_blocks([block(camera_id, T0, 5)])
    catalog.remove_camera(catalog.camera(camera_id).uuid)
    assert catalog.motion_blocks(camera_id, 0, 1 << 60) == []


@given(blocks())
def test_the_front_of_a_block_says_all_that_a_summary_needs(looks: list[MotionLook]) -> None:
    data = encode_block(looks)
    assert summary(data[:HEAD_BYTES]) == summary(data)


def test_so_does_the_front_of_the_largest_one() -> None:
    every_second = int("5" * (CELLS // 4), 16)
    looks = [MotionLook(each * SLOT_US, every_second) for each in range(BLOCK_LIMIT_US // SLOT_US + 1)]
    data = encode_block(looks)
    assert len(data) > HEAD_BYTES
    assert summary(data[:HEAD_BYTES]) == summary(data)

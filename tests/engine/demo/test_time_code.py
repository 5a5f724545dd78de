"""The machine-readable clock in the demo's pictures survives what happens to pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.demo.encoder import SceneEncoder
from engine.demo.scenery import PAINTERS, scene
from engine.demo.time_code import draw_time_code, read_time_code
from tests.engine.demo.watching import decode_units

NOON_US = 1_767_225_600_123_000


@given(time_ms=st.integers(0, 2**48 - 1), scale=st.sampled_from([1, 2, 3]))
def test_any_time_reads_back_from_any_size(time_ms: int, scale: int) -> None:
    luma = np.full((180 * scale, 320 * scale), 90, dtype=np.uint8)
    draw_time_code(luma, time_ms)
    assert read_time_code(luma) == time_ms


@given(data=st.data())
def test_a_damaged_row_reads_as_nothing(data: st.DataObject) -> None:
    luma = np.full((360, 640), 90, dtype=np.uint8)
    draw_time_code(luma, data.draw(st.integers(0, 2**48 - 1)))
    block = data.draw(st.integers(4, 59))
    luma[352:, block * 8 : block * 8 + 8] = 251 - luma[352:, block * 8 : block * 8 + 8]
    assert read_time_code(luma) is None


def test_a_picture_without_time_code_reads_as_nothing() -> None:
    assert read_time_code(np.zeros((360, 640, 3), dtype=np.uint8)) is None
    assert read_time_code(np.full((180, 320), 255, dtype=np.uint8)) is None


def test_a_size_that_cannot_hold_the_blocks_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="80 n"):
        draw_time_code(np.zeros((360, 641), dtype=np.uint8), 0)


@pytest.mark.parametrize("name", list(PAINTERS))
@pytest.mark.parametrize("size_px", [(640, 360), (320, 180)])
def test_every_scene_shows_its_time_after_compression_by_day_and_night(
    name: str, size_px: tuple[int, int]
) -> None:
    encoder = SceneEncoder(scene(name), *size_px)
    times_us = [NOON_US + number * 100_000 for number in range(12)] + [
        NOON_US + 300_000_000,
        NOON_US + 420_000_000,
    ]
    pictures = decode_units([encoder.encode(time_us).units for time_us in times_us])
    assert [read_time_code(picture) for picture in pictures] == [time_us // 1000 for time_us in times_us]
    shrunk = [picture[::2, ::2] for picture in pictures]
    assert [read_time_code(picture) for picture in shrunk] == [time_us // 1000 for time_us in times_us]


def test_scenes_differ_from_each_other_and_move() -> None:
    encoders = {name: SceneEncoder(scene(name)) for name in PAINTERS}
    pictures = {
        name: decode_units([encoder.encode(NOON_US + number * 900_000).units for number in range(3)])
        for name, encoder in encoders.items()
    }
    for name, (first, _, last) in pictures.items():
        assert np.abs(first[30:350].astype(int) - last[30:350]).max() > 60, f"{name} stands still"
    means = {name: shown[0][30:350].mean(axis=(0, 1)) for name, shown in pictures.items()}
    names = list(means)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            assert np.abs(pictures[one][0].astype(int) - pictures[other][0]).mean() > 15, (one, other)


def test_a_keyframe_with_parameter_sets_comes_every_second() -> None:
    encoder = SceneEncoder(scene("gate"))
    frames = [encoder.encode(NOON_US + number * 100_000) for number in range(25)]
    assert [number for number, frame in enumerate(frames) if frame.is_keyframe] == [0, 10, 20]
    assert [unit[0] & 31 for unit in frames[10].units] == [7, 8, 5]


def test_the_bit_rate_is_that_of_a_small_camera() -> None:
    encoder = SceneEncoder(scene("car-park"))
    size_bytes = sum(
        len(unit) for number in range(50) for unit in encoder.encode(NOON_US + number * 100_000).units
    )
    assert 200_000 < size_bytes * 8 / 5 < 600_000

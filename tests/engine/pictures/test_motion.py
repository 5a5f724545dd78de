"""What counts as motion between two small pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.motion import packed_mask
from engine.pictures.motion import COLUMNS, HEIGHT_PX, ROWS, WIDTH_PX, look, packed, threshold, unpacked

STILL = np.random.default_rng(1).integers(40, 200, (HEIGHT_PX, WIDTH_PX)).astype(np.uint8)


def with_person(left: int, top: int) -> np.ndarray:
    picture = STILL.copy()
    picture[top : top + 24, left : left + 12] = 250 - picture[top : top + 24, left : left + 12]
    return picture


def background(pictures: int = 30) -> np.ndarray:
    kept = None
    for _ in range(pictures):
        kept = look(STILL, kept, 50).background
    assert kept is not None
    return kept


def test_nothing_moves_in_the_first_picture_and_in_an_equal_one() -> None:
    first = look(STILL, None, 50)
    assert not first.cells.any()
    assert not look(STILL, first.background, 100).cells.any()


def test_somebody_is_seen_where_he_is() -> None:
    seen = look(with_person(40, 20), background(), 50)
    rows, columns = np.nonzero(seen.cells)
    assert len(rows) >= 8
    assert set(rows) <= set(range(5, 11))
    assert set(columns) <= set(range(10, 13))


def test_what_comes_to_stay_is_background_after_a_while() -> None:
    kept, counts = background(), []
    for _ in range(40):
        seen = look(with_person(40, 20), kept, 50)
        kept = seen.background
        counts.append(int(seen.cells.sum()))
    assert counts[0] > 0
    assert counts[-1] == 0


@pytest.mark.parametrize("change", [25, -25])
def test_a_picture_that_is_lighter_or_darker_everywhere_has_no_motion(change: int) -> None:
    lighter = np.clip(STILL.astype(int) + change, 0, 255).astype(np.uint8)
    assert not look(lighter, background(), 50).cells.any()


def test_a_lamp_switched_on_is_a_change_of_light_and_begins_a_new_background() -> None:
    other = np.random.default_rng(9).integers(0, 255, STILL.shape).astype(np.uint8)
    seen = look(other, background(), 50)
    assert seen.is_light_change
    assert not seen.cells.any()
    assert not look(other, seen.background, 100).cells.any()


def test_the_noise_of_a_camera_at_night_is_no_motion() -> None:
    noise = np.random.default_rng(3)
    kept = None
    for _ in range(60):
        picture = np.clip(STILL + noise.normal(0, 6, STILL.shape), 0, 255).astype(np.uint8)
        seen = look(picture, kept, 50)
        kept = seen.background
        assert not seen.cells.any()


def test_masked_cells_are_not_looked_at() -> None:
    mask = np.ones((ROWS, COLUMNS), dtype=np.bool_)
    mask[:, 8:16] = False
    assert not look(with_person(40, 20), background(), 50, mask).cells.any()
    assert look(with_person(100, 20), background(), 50, mask).cells.any()


@given(st.integers(1, 99))
def test_more_sensitive_never_sees_less(sensitivity: int) -> None:
    assert threshold(sensitivity) >= threshold(sensitivity + 1)
    faint = with_person(40, 20)
    kept = background(1)
    less, more = (look(faint, kept, each).cells for each in (sensitivity, sensitivity + 1))
    assert not (less & ~more).any()


@given(arrays(np.bool_, (ROWS, COLUMNS)))
def test_cells_survive_packing_and_a_mask_typed_as_rows_is_the_same(cells: np.ndarray) -> None:
    assert (unpacked(packed(cells)) == cells).all()
    rows = tuple("".join("x" if cell else "." for cell in row) for row in cells)
    assert packed_mask(rows) == packed(cells)


@given(arrays(np.uint8, (HEIGHT_PX, WIDTH_PX)), arrays(np.uint8, (HEIGHT_PX, WIDTH_PX)), st.integers(1, 100))
def test_any_two_pictures_can_be_compared(first: np.ndarray, second: np.ndarray, sensitivity: int) -> None:
    seen = look(second, look(first, None, sensitivity).background, sensitivity)
    assert seen.background.shape == second.shape
    assert not (seen.is_light_change and seen.cells.any())

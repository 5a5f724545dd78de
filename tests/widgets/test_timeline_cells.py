"""Stretches to half-cells: nothing recorded is lost, no gap is hidden."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.timeline_cells import Fill, GapKind, GapMark, TimelineTrack, strip_cells

C = GapKind.CAMERA


def shape(track: TimelineTrack, end: int = 100, cells: int = 10, *, has_half_cells: bool = True) -> str:
    """R recorded, a gap's letter, . nothing: two characters a cell; ! = a hint."""
    result = ""
    for cell in strip_cells(track, 0, end, cells, has_half_cells=has_half_cells):
        for fill in (cell.left, cell.right):
            if fill is Fill.GAP:
                assert cell.gap is not None
                result += cell.gap.value
            else:
                result += "R" if fill is Fill.RECORDED else "."
        if cell.has_hint:
            result += "!"
    return result


def test_stretches_fill_halves() -> None:
    assert shape(TimelineTrack(1, "a", recorded=((0, 25), (45, 100)))) == "RRRRR....RRRRRRRRRRR"


def test_gaps_carry_their_kind_and_begin_where_they_begin() -> None:
    track = TimelineTrack(1, "a", recorded=((0, 50),), gaps=(GapMark(50, 80, GapKind.STORAGE),))
    assert shape(track) == "RRRRRRRRRRSSSSSS...."


def test_a_gap_too_small_for_half_a_cell_leaves_a_hint() -> None:
    track = TimelineTrack(1, "a", recorded=((0, 51), (52, 100)), gaps=(GapMark(51, 52, GapKind.LOSS),))
    assert shape(track) == "RRRRRRRRRRRR!RRRRRRRR"


def test_an_instant_of_recording_is_seen() -> None:
    assert shape(TimelineTrack(1, "a", recorded=((51, 52),))) == "..........R........."


def test_footage_in_a_cell_of_gap_takes_half_of_it() -> None:
    track = TimelineTrack(1, "a", recorded=((56, 57),), gaps=(GapMark(0, 56, C), GapMark(57, 100, C)))
    assert shape(track) == "CCCCCCCCCCCRCCCCCCCC"


def test_without_half_cells_footage_in_a_cell_of_gap_leaves_a_hint() -> None:
    track = TimelineTrack(1, "a", recorded=((56, 57),), gaps=(GapMark(0, 56, C), GapMark(57, 100, C)))
    assert shape(track, has_half_cells=False) == "CCCCCCCCCCCC!CCCCCCCC"


def test_little_footage_beside_a_little_gap_is_seen() -> None:
    track = TimelineTrack(1, "a", recorded=((51, 52),), gaps=(GapMark(53, 54, C),))
    assert shape(track) == "..........R.!........"


def test_a_gap_with_nothing_recorded_is_seen_however_short() -> None:
    assert shape(TimelineTrack(1, "a", gaps=(GapMark(51, 52, GapKind.CAMERA),))) == "..........C........."


def test_without_half_cells_both_halves_agree() -> None:
    track = TimelineTrack(1, "a", recorded=((0, 26),))
    assert shape(track, has_half_cells=False) == "RRRRRR.............."


def test_letters_stand_at_the_first_whole_cell_and_come_again() -> None:
    track = TimelineTrack(1, "a", gaps=(GapMark(5, 100, GapKind.ENGINE),))
    starts = [index for index, cell in enumerate(strip_cells(track, 0, 100, 10)) if cell.is_gap_start]
    assert starts == [1, 7]


def test_locks_mark_the_cells_they_cover() -> None:
    track = TimelineTrack(1, "a", recorded=((0, 100),), locks=((30, 50),))
    assert [index for index, cell in enumerate(strip_cells(track, 0, 100, 10)) if cell.is_locked] == [3, 4]


@given(
    st.lists(st.tuples(st.integers(-50, 150), st.integers(1, 60)), max_size=12),
    st.lists(st.tuples(st.integers(-50, 150), st.integers(1, 60)), max_size=6),
    st.integers(1, 40),
    st.booleans(),
)
def test_any_stretches_give_as_many_cells_as_asked_and_hide_no_gap(
    recorded: list[tuple[int, int]], gaps: list[tuple[int, int]], cells: int, has_half_cells: bool
) -> None:
    track = TimelineTrack(
        1,
        "a",
        recorded=tuple(sorted((start, start + length) for start, length in recorded)),
        gaps=tuple(GapMark(start, start + length, GapKind.CAMERA) for start, length in sorted(gaps)),
    )
    strip = strip_cells(track, 0, 100, cells, has_half_cells=has_half_cells)
    assert len(strip) == cells
    for start, _ in track.recorded:
        if 0 <= start < 100:
            cell = strip[start * cells // 100]
            assert Fill.RECORDED in (cell.left, cell.right) or (cell.has_hint and not has_half_cells)
    for gap in track.gaps:
        if 0 <= gap.start_us < 100:
            cell = strip[gap.start_us * cells // 100]
            assert cell.gap is GapKind.CAMERA

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.api.wall_checks import check_layout
from engine.wire_wall import CELL_LIMIT, Layout
from tui.wall_arrangement import Arrangement, neighbour
from tui.wall_history import WallHistory
from tui.wall_layouts import STANDARD, equal_layout, layout_of_rows, rows_of_layout, standard_layout

SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))


def filled(layout: Layout, selected: int = 0) -> Arrangement:
    return Arrangement(layout, tuple(f"c{n}" for n in range(len(layout.cells))), selected)


def drawn(*rows: str, selected: int = 0) -> Arrangement:
    return filled(layout_of_rows("x", rows), selected)


def rows(arrangement: Arrangement) -> list[str]:
    return rows_of_layout(arrangement.layout)


def fields(layout: Layout) -> int:
    return sum(cell.columns * cell.rows for cell in layout.cells)


# -- what a person sees ----------------------------------------------------------------------------------


def test_a_cell_grows_over_its_neighbour_and_the_others_keep_their_cameras() -> None:
    after = filled(equal_layout(2)).grow(1, 0)
    assert rows(after) == ["AA", "BC"]
    assert after.cameras == ("c0", "c2", "c3")
    assert after.grow(1, 0) is after, "the grid ends there"


def test_a_large_cell_that_is_met_is_absorbed_whole() -> None:
    after = drawn("ABB", "CBB", "DEF").grow(1, 0)
    assert rows(after) == ["AAA", "AAA", "BCD"]
    assert after.cameras == ("c0", "c3", "c4", "c5"), "the field below came with it"


def test_growing_to_the_left_keeps_the_cell_in_hand() -> None:
    after = replace(filled(equal_layout(2)), selected=3).grow(-1, 0)
    assert (rows(after), after.camera) == (["AB", "CC"], "c3")


def test_a_cell_that_shrinks_leaves_empty_cells_of_one_field() -> None:
    after = drawn("AAB", "AAC").shrink(-1, 0)
    assert rows(after) == ["ABC", "ADE"]
    assert after.cameras == ("c0", "", "c1", "", "c2")
    assert rows(drawn("AAB", "AAC").shrink(0, 1)) == ["ABC", "DDE"]
    assert (same := filled(equal_layout(2))).shrink(-1, 0) is same


def test_arrows_lead_to_the_cell_beside() -> None:
    layout = standard_layout("1+5")
    assert layout is not None
    assert [neighbour(layout, 0, *side) for side in SIDES] == [1, 0, 3, 0]
    assert neighbour(layout, 5, -1, 0) == 4
    assert neighbour(layout, 5, 0, -1) == 2
    assert neighbour(layout, 4, 0, -1) == 0


def test_swap_move_and_empty() -> None:
    start = filled(equal_layout(2))
    assert start.swap(0, 3).cameras == ("c3", "c1", "c2", "c0")
    assert start.move(0, 3).cameras == ("", "c1", "c2", "c0")
    assert start.move(1, 1) is start
    assert start.put("", 2).cameras == ("c0", "c1", "", "c3")


def test_another_layout_takes_the_cameras_along_and_leaves_empty_cells_out_first() -> None:
    start = replace(filled(equal_layout(3)).put("", 0).put("", 1), selected=4)
    small = start.with_layout(equal_layout(2))
    assert (small.cameras, small.camera) == (("c2", "c3", "c4", "c5"), "c4")
    large = small.with_layout(equal_layout(3))
    assert large.cameras == ("c2", "c3", "c4", "c5", "", "", "", "", "")


def test_an_edit_is_one_step_that_is_kept_or_abandoned() -> None:
    history = WallHistory(filled(equal_layout(2)))
    begin = history.now
    history.do(begin.swap(0, 1))
    swapped = history.now
    history.begin_edit()
    history.do(history.now.grow(1, 0))
    history.do(history.now.grow(0, 1))
    assert history.undo()
    assert rows(history.now) == ["AA", "BC"]
    history.abandon_edit()
    assert (history.now, history.is_editing) == (swapped, False)
    history.begin_edit()
    history.do(history.now.grow(1, 0))
    history.do(history.now.grow(0, 1))
    assert history.keep_edit()
    assert history.undo()
    assert history.now == swapped
    assert history.undo()
    assert history.now == begin
    assert not history.undo()
    assert history.redo()
    assert history.redo()
    assert rows(history.now) == ["AA", "AA"]


# -- whatever is done ------------------------------------------------------------------------------------

LAYOUTS = [each for several in STANDARD.values() for each in several]
Step = Callable[[Arrangement], Arrangement]
sides = st.sampled_from(SIDES)
steps = st.one_of(
    st.builds(lambda side: ("grow", side), sides),
    st.builds(lambda side: ("shrink", side), sides),
    st.builds(lambda side: ("step", side), sides),
    st.builds(lambda n: ("swap", n), st.integers(0, 63)),
    st.builds(lambda n: ("move", n), st.integers(0, 63)),
    st.builds(lambda n: ("layout", n), st.integers(0, len(LAYOUTS) - 1)),
    st.just(("empty", 0)),
    st.just(("undo", 0)),
    st.just(("redo", 0)),
)


def after_step(now: Arrangement, name: str, value: object) -> Arrangement:
    count = len(now.cameras)
    match name, value:
        case (("grow" | "shrink" | "step"), (across, down)):
            return getattr(now, name)(across, down)  # type: ignore[no-any-return]
        case (("swap" | "move"), int(number)):
            return getattr(now, name)(now.selected, number % count)  # type: ignore[no-any-return]
        case "layout", int(number):
            return now.with_layout(LAYOUTS[number])
    return now.put("")


@given(layout=st.sampled_from(LAYOUTS), plan=st.lists(steps, max_size=40))
def test_cells_never_overlap_no_field_is_lost_and_undo_is_exact(
    layout: Layout, plan: list[tuple[str, object]]
) -> None:
    history = WallHistory(filled(layout))
    done = [history.now]
    """Model: all that can be taken back, newest last."""
    undone: list[Arrangement] = []
    for name, value in plan:
        if name == "undo":
            if history.undo():
                undone.append(done.pop())
        elif name == "redo":
            if history.redo():
                done.append(undone.pop())
        elif name == "step":
            history.look(after_step(history.now, name, value))
            done[-1] = history.now
        else:
            before = history.now
            if history.do(after_step(before, name, value)):
                done.append(history.now)
                undone.clear()
        now = history.now
        assert now == done[-1]
        check_layout(now.layout)
        assert fields(now.layout) == now.layout.columns * now.layout.rows
        assert 1 <= len(now.layout.cells) == len(now.cameras) <= CELL_LIMIT
        assert 0 <= now.selected < len(now.cameras)
        cameras = [camera for camera in now.cameras if camera]
        assert len(cameras) == len(set(cameras)), "no camera doubles"
    while history.undo():
        done.pop()
        assert history.now == done[-1]
    assert len(done) == 1


@given(layout=st.sampled_from(LAYOUTS), selected=st.integers(0, 63), side=sides)
def test_a_cell_that_grew_by_one_line_shrinks_back_to_what_it_was(
    layout: Layout, selected: int, side: tuple[int, int]
) -> None:
    start = filled(layout, selected % len(layout.cells))
    grown = start.grow(*side)
    before, after = start.cell, grown.cell
    if (after.columns, after.rows) == (before.columns + abs(side[0]), before.rows + abs(side[1])):
        shrunk = grown.shrink(-side[0], -side[1])
        assert (shrunk.cell, shrunk.camera) == (before, start.camera)

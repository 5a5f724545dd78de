"""Which alarm stands in which cell: one a camera, places that stay, the pin, the grid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.wire_alarms import AlarmStatus, AlarmView
from tui.alarm_wall import MOST_CELLS, AlarmWall, grid_of, most_cells


def alarm(id: int, camera: str, last_us: int | None = None) -> AlarmView:
    time_us = id * 10 if last_us is None else last_us
    return AlarmView(
        id=id,
        rule="Yard",
        kind="detection.motion",
        source=camera,
        camera=camera,
        severity="warning",
        status=AlarmStatus.NEW,
        first_us=time_us,
        last_us=time_us,
        count=1,
        text="motion",
        is_live=True,
    )


def cameras(wall: AlarmWall) -> list[str]:
    return [each.camera for each in wall.shown]


def test_a_new_alarm_of_a_camera_takes_its_cell() -> None:
    wall = AlarmWall()
    wall.update([alarm(1, "a"), alarm(2, "b")], 4)
    before = cameras(wall)
    wall.update([alarm(1, "a"), alarm(2, "b"), alarm(3, "a")], 4)
    assert cameras(wall) == before
    assert {each.id for each in wall.shown} == {2, 3}
    assert wall.newest is not None
    assert wall.newest.id == 3


def test_when_all_is_full_the_cell_that_is_quiet_longest_gives_way_but_never_the_selected_one() -> None:
    wall = AlarmWall()
    wall.update([alarm(1, "a"), alarm(2, "b")], 2)
    wall.selected = "a"
    wall.update([alarm(1, "a"), alarm(2, "b"), alarm(3, "c")], 2)
    assert set(cameras(wall)) == {"a", "c"}
    assert wall.hidden == 1
    assert wall.selected == "a"


def test_the_pin_holds_all_still_and_counts_what_waits() -> None:
    wall = AlarmWall()
    wall.update([alarm(1, "a"), alarm(2, "b")], 4)
    shown = list(wall.shown)
    wall.pin(True)
    wall.update([alarm(1, "a", 900), alarm(2, "b"), alarm(3, "a"), alarm(4, "c")], 4)
    assert wall.shown == shown
    assert wall.waiting == 2
    wall.update([alarm(2, "b"), alarm(3, "a"), alarm(4, "c")], 4)
    assert cameras(wall) == ["b"]
    wall.pin(False)
    wall.update([alarm(2, "b"), alarm(3, "a"), alarm(4, "c")], 4)
    assert cameras(wall) == ["b", "c", "a"]
    assert wall.waiting == 0


def test_an_alarm_without_a_camera_has_no_cell() -> None:
    wall = AlarmWall()
    wall.update([alarm(1, "")], 4)
    assert (wall.shown, wall.selected, wall.newest) == ([], "", None)


def test_the_selection_moves_in_the_grid_and_stops_at_its_edges() -> None:
    wall = AlarmWall()
    wall.update([alarm(number, f"c{number}") for number in (4, 3, 2, 1)], 4)
    assert cameras(wall) == ["c4", "c3", "c2", "c1"]
    wall.move(1, 0, 2)
    assert wall.selected == "c3"
    wall.move(0, 1, 2)
    assert wall.selected == "c1"
    wall.move(0, 1, 2)
    assert wall.selected == "c1"


ALARMS = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from("abcdef"), st.integers(1, 1000)),
    max_size=20,
    unique_by=lambda each: each[0],
).map(lambda all_of_it: [alarm(id, camera, last_us) for id, camera, last_us in all_of_it])


@given(st.lists(st.tuples(ALARMS, st.integers(1, 6), st.booleans()), max_size=8))
def test_whatever_comes_there_is_one_cell_a_camera_and_nothing_closed_stays(
    steps: list[tuple[list[AlarmView], int, bool]],
) -> None:
    wall = AlarmWall()
    for alarms, most, is_pinned in steps:
        before = set(cameras(wall))
        wall.pin(is_pinned)
        wall.update(alarms, most)
        assert len(set(cameras(wall))) == len(wall.shown)
        assert {each.id for each in wall.shown} <= {each.id for each in alarms}
        if is_pinned:
            assert set(cameras(wall)) <= before
        else:
            assert len(wall.shown) == min(most, len({each.camera for each in alarms}))
        assert (wall.selected in cameras(wall)) or not wall.shown


@given(st.integers(1, MOST_CELLS), st.integers(24, 300), st.integers(7, 100))
def test_the_grid_has_room_for_every_cell_and_no_empty_row(count: int, columns: int, rows: int) -> None:
    across, down = grid_of(count, columns, rows)
    assert across * (down - 1) < count <= across * down


def test_a_terminal_of_80x24_holds_nine_cells_at_most() -> None:
    assert most_cells(80, 21) == 9
    assert most_cells(10, 3) == 1
    assert grid_of(4, 80, 20) == (2, 2)
    assert grid_of(2, 80, 20) == (2, 1)

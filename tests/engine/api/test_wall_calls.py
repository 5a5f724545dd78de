"""Layouts, views, tours and start-up, through client, socket, server and catalog."""

from __future__ import annotations

import os
import pwd

import msgspec
import pytest

from engine import wire
from engine.wire_log import LogQuery
from engine.wire_wall import (
    LastTab,
    LastWall,
    Layout,
    LayoutCell,
    StartUp,
    StartUpRow,
    Tour,
    TourStop,
    WallView,
)
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from tests.fakes.station import FakeStation

PAIR = Layout(name="pair", columns=2, rows=1, cells=(LayoutCell(0, 0), LayoutCell(1, 0)))


async def add_cameras(station: FakeStation, *names: str) -> None:
    for name in names:
        await station.client.add_camera(wire.CameraAdd(name=name, url="rtsp://192.0.2.1/"))


def view(name: str, *cameras: str, **changes: object) -> WallView:
    return msgspec.structs.replace(WallView(name=name, layout=PAIR, cameras=cameras), **changes)


async def test_what_is_saved_comes_back_as_it_was(station: FakeStation) -> None:
    client = station.client
    assert await client.arrangements() == msgspec.convert({}, type(await client.arrangements()))
    await add_cameras(station, "door", "yard")
    mine = view("Mine", "door", "", overlay=("name", "fps"), is_overlay_on_top=True)
    tour = Tour(name="round", stops=(TourStop(view="Mine"), TourStop(view="Mine", seconds=9)))
    start_up = StartUpRow(terminal="tty1", shows="tour round")
    await client.put_layout(PAIR)
    await client.put_view(mine)
    await client.put_tour(tour)
    found = await client.put_start_up(StartUp(rows=(start_up,)))
    assert (found.layouts, found.views, found.tours, found.start_up) == (
        (PAIR,),
        (mine,),
        (tour,),
        (start_up,),
    )
    assert await client.arrangements() == found
    assert tour.stops[0].seconds == 5


async def test_a_renamed_camera_stays_in_its_views_and_a_removed_one_leaves_an_empty_cell(
    station: FakeStation,
) -> None:
    await add_cameras(station, "door", "yard")
    await station.client.put_view(view("v", "DOOR", "yard"))
    await station.client.edit_camera("door", wire.CameraEdit(name="gate"))
    await station.client.remove_camera("yard")
    (kept,) = (await station.client.arrangements()).views
    assert kept.cameras == ("gate", "")


async def test_a_view_keeps_its_layout_when_the_saved_one_changes(station: FakeStation) -> None:
    await station.client.put_layout(PAIR)
    await station.client.put_view(view("v", "", ""))
    wide = Layout(name="pair", columns=2, rows=1, cells=(LayoutCell(0, 0, 2, 1),))
    found = await station.client.put_layout(wide)
    assert (found.layouts, found.views[0].layout) == ((wide,), PAIR)
    assert (await station.client.remove_layout("PAIR")).layouts == ()


async def test_renaming_keeps_tours_and_start_up(station: FakeStation) -> None:
    client = station.client
    await client.put_view(view("a b.c", "", ""))
    await client.put_tour(Tour(name="t", stops=(TourStop(view="A B.C"),)))
    await client.put_start_up(StartUp(rows=(StartUpRow(terminal="/dev/tty1", shows="view  a b.c"),)))
    found = await client.put_view(view("new", "", ""), old_name="A b.c")
    assert [each.name for each in found.views] == ["new"]
    assert found.tours[0].stops == (TourStop(view="new"),)
    assert found.start_up == (StartUpRow(terminal="tty1", shows="view new"),)
    with pytest.raises(Conflict, match="the tour 't', consoles on tty1"):
        await client.remove_view("new")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([(0, 0, 2, 1), (1, 0)], "cells 1 and 2 .* column 2, row 1"),
        ([(0, 0), (1, 0, 2, 1)], "cell 2 .* over the edge"),
        ([(0, 0), (0, 1)], "cell 2 .* over the edge"),
        ([], "cells"),
        ([(0, 0)] * 65, "cells"),
        ([(16, 0)], "cells"),
    ],
)
async def test_a_layout_that_cannot_be_is_refused_with_the_cells(
    station: FakeStation, cells: list[tuple[int, ...]], words: str
) -> None:
    layout = Layout(name="x", columns=2, rows=1, cells=tuple(LayoutCell(*cell) for cell in cells))
    with pytest.raises(InvalidInput, match=words):
        await station.client.put_layout(layout)
    assert (await station.client.arrangements()).layouts == ()


async def test_what_does_not_fit_is_refused(station: FakeStation) -> None:
    client = station.client
    with pytest.raises(InvalidInput, match="1 cameras for 2 cells"):
        await client.put_view(view("v", ""))
    with pytest.raises(NotFound, match="'roof'"):
        await client.put_view(view("v", "", "roof"))
    with pytest.raises(InvalidInput, match="'weather'"):
        await client.put_view(view("v", "", "", overlay=("weather",)))
    with pytest.raises(NotFound, match="'v'"):
        await client.put_tour(Tour(name="t", stops=(TourStop(view="v"),)))
    with pytest.raises(NotFound, match="no view is called 'old'"):
        await client.put_view(view("v", "", ""), old_name="old")
    await client.put_view(view("v", "", ""))
    await client.put_view(view("w", "", ""))
    with pytest.raises(AlreadyExists):
        await client.put_view(view("V", "", ""), old_name="w")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("tty1", "cinema")], "'cinema'"),
        ([("tty1", "view")], "'view'"),
        ([("tty1", "none of it")], "none of it"),
        ([("tty1", "live"), ("/dev/tty1", "none")], "tty1 is there twice"),
        ([("t y", "live")], "no terminal"),
    ],
)
async def test_a_start_up_row_that_means_nothing_is_refused(
    station: FakeStation, rows: list[tuple[str, str]], words: str
) -> None:
    start_up = StartUp(rows=tuple(StartUpRow(terminal=terminal, shows=shows) for terminal, shows in rows))
    with pytest.raises(InvalidInput, match=words):
        await station.client.put_start_up(start_up)


async def test_every_change_is_an_event_with_who_asked(station: FakeStation) -> None:
    client = station.client
    await client.put_view(view("v", "", ""))
    await client.put_view(view("w", "", ""), old_name="v")
    await client.put_start_up(StartUp())
    await client.remove_view("w")
    await station.events.flush()
    events = (await client.events(limit=4, kinds=("wall",)))[::-1]
    assert [event.text for event in events] == [
        "View v saved",
        "View w renamed from v",
        "Consoles begin with the dashboard everywhere",
        "View w removed",
    ]
    assert all(event.actor for event in events)


# -- as it was left --------------------------------------------------------------------------------------


def left(*cameras: str, **changes: object) -> LastWall:
    return msgspec.structs.replace(
        LastWall(tabs=(LastTab(layout=PAIR, cameras=cameras, name="mine", view="Doors"),)), **changes
    )


async def test_a_wall_is_kept_as_it_was_left_by_terminal_and_is_in_no_log(station: FakeStation) -> None:
    client = station.client
    assert await client.last_wall("tty1") == LastWall()
    one, two = left("a", ""), left("", "b", tabs=(left("", "b").tabs * 2), front=1)
    await client.put_last_wall("/dev/tty1", one)
    await client.put_last_wall("*", two)
    await client.put_last_wall("ssh", one)
    await client.put_last_wall("ssh", two)
    assert [await client.last_wall(terminal) for terminal in ("tty1", "*", "ssh")] == [one, two, two]
    await station.operations.flush()
    page = await client.log(LogQuery(category="operation", limit=10))
    assert page.entries == ()


@pytest.mark.parametrize(
    ("terminal", "wall", "words"),
    [
        ("*x", left("a", "b"), "is no terminal"),
        ("tty 1", left("a", "b"), "is no terminal"),
        ("tty1", left("a"), "tab 1 names 1 cameras for 2 cells"),
        ("tty1", left("a", "b", front=1), "no tab 2"),
        ("t" * 65, left("a", "b"), "is no terminal"),
        ("tty1", left("a", "b" * 65), "cameras"),
        (
            "tty1",
            left("", "", tabs=(LastTab(layout=PAIR, cameras=("", ""), overlay=("name",) * 8),)),
            "overlay",
        ),
    ],
)
async def test_a_wall_that_cannot_be_is_not_kept(
    station: FakeStation, terminal: str, wall: LastWall, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words.replace("*", r"\*")):
        await station.client.put_last_wall(terminal, wall)
    assert await station.client.last_wall("tty1") == LastWall()


@pytest.mark.parametrize("body", ['{"tabs": [], "from_a_later_version": 1}', "[]", "x"])
async def test_a_wall_kept_by_another_version_is_none(station: FakeStation, body: str) -> None:
    """After an update is undone: the console begins with a new wall, and keeps it."""
    name = pwd.getpwuid(os.getuid()).pw_name
    await station.catalog.write("put_last_wall", name, "tty1", body)
    assert await station.client.last_wall("tty1") == LastWall()
    await station.client.put_last_wall("tty1", left("a", "b"))
    assert await station.client.last_wall("tty1") == left("a", "b")


async def test_a_start_up_row_may_be_the_last_wall(station: FakeStation) -> None:
    row = StartUpRow(terminal="tty1", shows="last-wall")
    assert (await station.client.put_start_up(StartUp(rows=(row,)))).start_up == (row,)

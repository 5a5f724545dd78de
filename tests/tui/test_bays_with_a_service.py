"""Bays on the real service, planner and jobs over a simulated chassis, by keyboard at 80x24: storage set up and a drive replaced."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from engine.api.server import ApiServer
from engine.client import EngineClient
from engine.wire_chassis import DriveState, JobState, RaidLevel, SetUpStorage, SimulatedStep
from storage.raid.simulated_layout import DEMO_LAYOUT, DriveSpec, SimulatedLayout, full_chassis
from tests.fakes.station import FakeStation, fake_station
from tests.tui.desk_for import screen_text, shows, until
from tui.app import WatchdeckApp
from tui.connection import Connection
from tui.desk import Desk
from tui.keymap import Keymap
from tui.mirror import Mirror
from tui.profile import TerminalProfile
from tui.screens.job_view import JobScreen
from tui.screens.operation_dialog import OperationDialog
from tui.themes import register_themes
from widgets.glyphs import GLYPH_SETS

SIZE = (80, 24)
SECOND_US = 1_000_000
TWO_ARRAYS = msgspec.structs.replace(
    DEMO_LAYOUT, drives={bay: DriveSpec() for bay in range(7)}, global_spares=()
)
"""A of bays 0-3, B of 4-6, no spare."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Unix socket paths hold 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as made:
        yield Path(made)


def console_on(station: FakeStation, socket_path: Path, folder: Path) -> WatchdeckApp:
    register_themes()
    profile = TerminalProfile()
    mirror = Mirror(lambda: station.clock.monotonic_us() / SECOND_US)
    desk = Desk(
        mirror=mirror,
        connection=Connection(EngineClient(socket_path), mirror),
        profile=profile,
        glyphs=GLYPH_SETS[profile.glyphs],
        zone=UTC,
        folder=folder,
    )
    return WatchdeckApp(desk, Keymap({}))


@asynccontextmanager
async def at_the_box(
    folder: Path, layout: SimulatedLayout
) -> AsyncIterator[tuple[Pilot[object], FakeStation]]:
    """The console in front of Bays."""
    async with fake_station(folder, layout) as station:
        async with console_on(station, station.socket_path, folder).run_test(size=SIZE) as pilot:
            await until(pilot, lambda: pilot.app.desk.mirror.chassis is not None)  # type: ignore[attr-defined]
            await pilot.press("5")
            await shows(pilot, "SIMULATED")
            yield pilot, station


async def goes_on(pilot: Pilot[object], station: FakeStation, *words: str) -> str:
    """Let the box's time pass until all of these stand on the screen."""

    def is_there() -> bool:
        station.clock.advance(SECOND_US)
        station.chassis.look_soon()
        return all(word in screen_text(pilot.app) for word in words)

    await until(pilot, is_there)
    return screen_text(pilot.app)


# -- set-up ----------------------------------------------------------------------------------------------


async def test_simple_set_up_ends_with_volumes_that_are_ready_to_record(folder: Path) -> None:
    async with at_the_box(folder, full_chassis()) as (pilot, station):
        await pilot.press("n")
        await shows(pilot, "1 Simple", "3 128 cameras  two RAID 5 of four drives")
        await pilot.press("1")
        await shows(pilot, "RAID 5", "RAID 60", "Survives one failure")
        await pilot.press("enter")
        await shows(pilot, "2 virtual drives  4 drives each", "(recommended)")
        await pilot.press("enter")
        await shows(pilot, "MAKES", "ERASES", 'type "A B"')
        await pilot.press("tab", *"A", "enter")
        await shows(pilot, 'That is not "A B". Nothing was done.')
        assert station.hardware.inventory().virtual_drives == ()
        await pilot.press("space", *"B", "enter")
        await goes_on(pilot, station, "ready to record: volumes A, B")
        assert isinstance(pilot.app.screen, JobScreen)
        await pilot.press("escape")
        await shows(pilot, "4 ─── B ┐")
        made = station.hardware.inventory().virtual_drives
        assert [(vd.name, vd.level) for vd in made] == [("A", RaidLevel.RAID5), ("B", RaidLevel.RAID5)]
        assert {view.name for view in station.recording.volume_views()} == {"A", "B"}


async def test_advanced_creation_makes_what_was_picked(folder: Path) -> None:
    async with at_the_box(folder, full_chassis()) as (pilot, station):
        await pilot.press(":", *"create", "enter")
        await shows(pilot, "[x] bay 0", "it is protected")
        await pilot.press("end", "up", "space", "enter")
        await shows(pilot, "Of 7 drives")
        await pilot.press("5")
        await shows(pilot, "Dedicated hot spares")
        await pilot.press("space", "enter")
        await shows(pilot, "RAID 6 of 7 drives")
        await pilot.press(*"archive", "down", "right", "right", "f10")
        await shows(pilot, "MAKES", "1 dedicated hot spare", 'type "archive"')
        await pilot.press("tab", *"archive", "enter")
        await goes_on(pilot, station, "ready to record: volumes archive")
        (made,) = station.hardware.inventory().virtual_drives
        assert (made.name, made.level, made.stripe_bytes) == ("archive", RaidLevel.RAID6, 1024 * 1024)
        spares = [
            drive for drive in station.hardware.inventory().drives if drive.state is DriveState.HOT_SPARE
        ]
        assert [spare.spare_groups for spare in spares] == [(made.group,)]


async def test_the_system_drive_cannot_be_picked_and_a_plan_with_it_is_refused(folder: Path) -> None:
    async with at_the_box(folder, full_chassis()) as (pilot, station):
        system = next(drive for drive in station.hardware.inventory().drives if drive.bay is None)
        await pilot.press("n")
        await shows(pilot, "2 Advanced")
        await pilot.press("2")
        await shows(pilot, f"({system.serial})", "it is protected", "[x] bay 0")
        await pilot.press("a")
        await shows(pilot, "[ ] bay 0")
        await pilot.press("a")
        await shows(pilot, "[x] bay 0")
        await pilot.press("enter")
        await shows(pilot, "Of 8 drives")
        assert system.serial not in screen_text(pilot.app)
        await pilot.press("escape", "escape", "escape")
        await shows(pilot, "SIMULATED")
        asked = SetUpStorage(level=RaidLevel.RAID0, drives=(system.id,))
        pilot.app.push_screen(OperationDialog(pilot.app.desk, asked))  # type: ignore[attr-defined]
        await shows(pilot, "Refused: ", system.serial)
        await pilot.press("y", "enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OperationDialog))
        assert station.hardware.inventory().virtual_drives == ()


# -- replacing -------------------------------------------------------------------------------------------


async def test_a_drive_is_replaced_though_the_wrong_one_was_pulled_first(folder: Path) -> None:
    async with at_the_box(folder, TWO_ARRAYS) as (pilot, station):

        async def hand(step: str) -> None:
            await station.client.simulate(SimulatedStep(step=step))

        await hand("fail 2")
        await goes_on(pilot, station, "FAILED")
        await pilot.press("2", "r")
        await shows(pilot, "Replace the drive in bay 2", "y do it")
        await pilot.press("y")
        await shows(pilot, "waits for you", "Go on: take it out")
        await pilot.press("1")
        await goes_on(pilot, station, "Pull bay 2")
        await hand("pull 3")
        await goes_on(pilot, station, "WRONG DRIVE PULLED: bay 3", "Put it back")
        await hand("insert 3")
        await goes_on(pilot, station, "Pull bay 2", "[>] Pull it")
        assert "WRONG DRIVE" not in screen_text(pilot.app)
        await hand("pull 2")
        await goes_on(pilot, station, "Insert an empty drive of")
        await hand("insert 2 blank")
        await goes_on(pilot, station, "[>] Rebuild")
        await goes_on(pilot, station, "done", "esc closes")
        (job,) = station.jobs.views()
        assert job.state is JobState.DONE
        new = station.hardware.inventory().drive_in(2)
        assert new is not None
        assert new.state is DriveState.ONLINE
        await pilot.press("escape")
        await goes_on(pilot, station, "no trouble, nothing under way")


async def test_a_job_is_found_where_it_stands_after_the_line_was_lost(folder: Path) -> None:
    async with fake_station(folder, TWO_ARRAYS) as station:
        await station.client.simulate(SimulatedStep(step="fail 2"))
        line = folder / "line.sock"
        console = console_on(station, line, folder)
        async with console.run_test(size=SIZE) as pilot:
            async with ApiServer(station.services, station.hub, line):
                await until(pilot, lambda: console.desk.mirror.chassis is not None)
                await pilot.press("5")
                await goes_on(pilot, station, "FAILED")
                await pilot.press("2", "r")
                await shows(pilot, "y do it")
                await pilot.press("y")
                await shows(pilot, "Go on: take it out")
                await pilot.press("1")
                await goes_on(pilot, station, "Pull bay 2")
            await shows(pilot, "no engine: what is shown is old")
            await station.client.simulate(SimulatedStep(step="pull 2"))
            assert "Pull bay 2" in screen_text(pilot.app)
            async with ApiServer(station.services, station.hub, line):
                await goes_on(pilot, station, "Insert an empty drive of", "esc leaves the view")
                await pilot.press("escape")
                await shows(pilot, "SIMULATED")
        async with console_on(station, station.socket_path, folder).run_test(size=SIZE) as pilot:
            await shows(pilot, "Drives")
            await pilot.press("5")
            await shows(pilot, "waits for you (o opens it)")
            await pilot.press("o")
            await shows(pilot, "Insert an empty drive of", "[x] Pull it")

"""Plan, confirm, run: what is shown is what is done, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from engine.wire_chassis import (
    AssignSpare,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    DriveState,
    RaidLevel,
    ReplaceDrive,
    SetOffline,
    StartCheck,
    StartRebuild,
    TakeDownVolume,
)
from storage.catalog.changes import BeginRun, CloseSegment, OpenSegment
from storage.errors import CommandFailed, Conflict, InvalidInput, NotFound, OperationRefused, StateChanged
from storage.raid.simulated_layout import SimulatedLayout, VirtualDriveSpec, full_chassis
from storage.volumes.volume import Volume
from tests.engine.chassis.box import Box, box_of, run_of
from tests.storage.catalog.footage import SECOND, T0, TRACKS

ONE_ARRAY = SimulatedLayout(
    drives=full_chassis().drives,
    virtual_drives=(
        VirtualDriveSpec(name="A", level=RaidLevel.RAID5, spans=((0, 1, 2, 3),), has_volume=True),
    ),
)


async def create(box: Box, *bays: int, name: str = "B") -> CreateVirtualDrive:
    return CreateVirtualDrive(
        name=name, level=RaidLevel.RAID5, spans=(tuple(box.drive(bay).id for bay in bays),)
    )


async def test_a_plan_shows_commands_and_erased_drives_and_changes_nothing(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        before = box.hardware.inventory()
        plan = await box.planner.plan(await create(box, 4, 5, 6))
        assert plan.title == "Create virtual drive B: RAID 5 of bays 4 5 6"
        assert plan.commands
        assert plan.confirmation == "B"
        assert [line.split()[1] for line in plan.radius.erases] == ["4", "5", "6"]
        assert all(
            box.drive(bay).serial in line for bay, line in zip((4, 5, 6), plan.radius.erases, strict=True)
        )
        assert any("no hot spare" in line for line in plan.radius.warnings)
        assert box.hardware.inventory() == before
        assert box.chassis.performed == []


async def test_what_was_confirmed_is_done_and_said_with_its_actor(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        done = await box.agree(await create(box, 4, 5, 6))
        assert "B" in done.text
        assert box.hardware.inventory().virtual_drive("B") is not None
        (said,) = [event for event in box.events.said if event.kind == "operation.done"]
        assert said.actor == "eve"
        assert "bays 4 5 6" in said.text


async def test_the_confirmation_is_exact(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        plan = await box.planner.plan(await create(box, 4, 5, 6))
        for wrong in ("", "b", " B", "B "):
            with pytest.raises(InvalidInput, match="'B'"):
                await box.planner.run(run_of(plan, wrong), "eve")
        assert box.chassis.performed == []


async def test_a_plan_of_yesterday_is_not_carried_out(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        plan = await box.planner.plan(await create(box, 4, 5, 6))
        await box.do("pull 6")
        await box.do("insert 6 blank")
        with pytest.raises((StateChanged, NotFound)):
            await box.planner.run(run_of(plan), "eve")
        assert box.chassis.performed == []


async def test_another_drive_elsewhere_does_not_spoil_a_plan(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        plan = await box.planner.plan(await create(box, 4, 5, 6))
        await box.do("pull 7")
        await box.planner.run(run_of(plan), "eve")
        assert box.hardware.inventory().virtual_drive("B") is not None


async def test_the_system_drive_is_refused(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        system = next(d for d in box.hardware.inventory().drives if d.state is DriveState.PROTECTED)
        for operation in (
            AssignSpare(drive=system.id),
            CreateVirtualDrive(name="C", level=RaidLevel.RAID0, spans=((system.id,),)),
            SetOffline(drive=system.id),
            ReplaceDrive(drive=system.id),
        ):
            plan = await box.planner.plan(operation)
            assert "not ours to touch" in plan.refused, operation
            assert plan.confirmation == plan.fingerprint == ""
            with pytest.raises(OperationRefused):
                await box.planner.run(run_of(plan), "eve")


async def test_members_of_another_array_are_refused(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        plan = await box.planner.plan(await create(box, 3, 4, 5))
        assert "bay 3" in plan.refused
        assert box.drive(3).serial in plan.refused


async def test_a_virtual_drive_that_is_recorded_to_is_only_taken_down(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        await box.catalog.write("add_camera", name="gate", url="rtsp://192.0.2.1/a")
        await a_volume_with_footage(box)
        plan = await box.planner.plan(DeleteVirtualDrive(virtual_drive="A"))
        assert "recording volume A" in plan.refused
        down = await box.planner.plan(TakeDownVolume(virtual_drive="A"))
        assert down.refused == ""
        assert down.confirmation == "A"
        (camera,) = down.radius.cameras
        assert (camera.camera, camera.from_us, camera.bytes, camera.locked_bytes) == ("gate", T0, 500, 500)
        assert (down.radius.footage_bytes, down.radius.locked_bytes) == (500, 500)
        assert camera.other_volume == ""


async def a_volume_with_footage(box: Box) -> None:
    """Volume A on virtual drive A; the camera `gate` has a locked second on it."""
    vd = box.hardware.inventory().virtual_drive("A")
    assert vd is not None
    station = await box.catalog.read("station")
    identity = Volume.initialise(Path(vd.mounts[0].path), uuid4(), "A", station.uuid)
    volume = await box.catalog.write(
        "add_volume", uuid=identity.uuid, name="A", path=vd.mounts[0].path, group="main", floor_bytes=0
    )
    await box.recording.add_volume(volume)
    await record_a_second(box)
    await box.catalog.write("add_lock", camera_id=1, start_us=T0, end_us=T0 + 1, created_us=T0)


async def record_a_second(box: Box) -> None:
    """On the only volume, of camera 1 (added when there is none)."""
    if not await box.catalog.read("cameras"):
        await box.catalog.write("add_camera", name="gate", url="rtsp://192.0.2.1/a")
    (volume,) = await box.catalog.read("volumes")
    run = uuid4()
    await box.catalog.write(
        "apply",
        [
            BeginRun(run, 1, T0, TRACKS),
            OpenSegment(run, 0, volume.id, "x.mp4", T0),
            CloseSegment(run, 0, T0 + SECOND, 1, 500, b""),
        ],
    )


async def test_a_member_is_taken_out_by_its_bay_number_and_the_last_one_not_at_all(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        plan = await box.planner.plan(SetOffline(drive=box.drive(2).id))
        assert plan.confirmation == "2"
        assert "one more failure in bays 0 1 3 loses virtual drive A" in plan.radius.at_risk[0]
        await box.planner.run(run_of(plan), "eve")
        again = await box.planner.plan(SetOffline(drive=box.drive(1).id))
        assert "last good copy" in again.refused
        assert "bay 2" in again.refused_remedy


async def test_a_rebuild_onto_a_free_drive_takes_its_serial_number(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        await box.do("pull 2")
        (group,) = box.hardware.inventory().groups
        plan = await box.planner.plan(StartRebuild(group=group.id, drive=box.drive(5).id))
        assert plan.confirmation == box.drive(5).serial
        await box.planner.run(run_of(plan), "eve")
        assert box.drive(5).state is DriveState.REBUILD


async def test_harmless_operations_need_nothing_typed(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        plan = await box.planner.plan(StartCheck(virtual_drive="A"))
        assert (plan.refused, plan.confirmation, plan.radius.erases) == ("", "", ())
        with pytest.raises(InvalidInput, match="needs no confirmation"):
            await box.planner.run(run_of(plan, "A"), "eve")
        await box.planner.run(run_of(plan), "eve")
        assert box.hardware.inventory().tasks


async def test_one_operation_at_a_time_and_the_second_names_the_first(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        first = await box.planner.plan(await create(box, 4, 5, 6))
        second = await box.planner.plan(AssignSpare(drive=box.drive(7).id))
        box.chassis.gate = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(box.planner.run(run_of(first), "eve"))
            while not box.work.gate.title_of(frozenset({"sim"})):
                await asyncio.sleep(0)
            with pytest.raises(Conflict, match="Create virtual drive B"):
                await box.planner.run(run_of(second), "bob")
            box.chassis.gate.set()
            assert (await running).text
        await box.planner.run(run_of(second), "bob")
        assert box.drive(7).state is DriveState.HOT_SPARE


async def test_what_fails_is_said_and_raised(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        plan = await box.planner.plan(await create(box, 4, 5, 6))
        box.chassis.errors[CreateVirtualDrive] = CommandFailed("the tool fell over", "look at the log")
        with pytest.raises(CommandFailed):
            await box.planner.run(run_of(plan), "eve")
        (said,) = [event for event in box.events.said if event.kind == "operation.failed"]
        assert "the tool fell over" in said.text
        assert box.work.gate.title_of(frozenset({"sim"})) == ""


async def test_a_drive_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        for operation in (AssignSpare(drive="wwn-0x1"), ReplaceDrive(drive="wwn-0x1")):
            with pytest.raises(NotFound):
                await box.planner.plan(operation)

"""From empty drives to ready to record, also when it stops half-way."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.chassis.set_up_layout import lay_out, spread
from engine.wire_chassis import (
    AssignSpare,
    CreateVirtualDrive,
    DriveState,
    JobAct,
    JobState,
    RaidLevel,
    SetUpStorage,
    StepState,
)
from storage.errors import CommandFailed, Conflict, InvalidInput
from storage.raid.inventory import Drive, Inventory
from storage.raid.simulated_layout import full_chassis
from tests.engine.chassis.box import box_of, run_of
from tests.engine.chassis.test_planning import record_a_second


async def test_the_128_camera_default_builds_all_four_layers(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        for number in range(128):
            await box.catalog.write("add_camera", name=f"camera {number}", url="rtsp://192.0.2.1/a")
        done = await box.agree(SetUpStorage(virtual_drives=2))
        job = await box.until_ended(done.job)
        assert (job.state, job.result) == (JobState.DONE, "ready to record: volumes A, B")
        assert {step.state for step in job.steps} == {StepState.DONE}
        inventory = box.hardware.inventory()
        assert [vd.name for vd in inventory.virtual_drives] == ["A", "B"]
        assert [len(group.spans[0].drives) for group in inventory.groups] == [4, 4]
        volumes = await box.catalog.read("volumes")
        assert [(volume.name, volume.group) for volume in volumes] == [("A", "main"), ("B", "B")]
        assert all(Path(volume.path, ".watchdeck").is_dir() for volume in volumes)
        assert {view.name for view in box.recording.volume_views()} == {"A", "B"}
        cameras = await box.catalog.read("cameras")
        assert [camera.group for camera in cameras] == ["main"] * 64 + ["B"] * 64
        assert len(box.recording.cameras) == 64


async def test_one_volume_goes_where_the_cameras_are(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        await box.catalog.write("add_camera", name="gate", url="rtsp://192.0.2.1/a")
        done = await box.agree(SetUpStorage(spares=1))
        await box.until_ended(done.job)
        assert [volume.group for volume in await box.catalog.read("volumes")] == ["main"]
        assert box.drive(7).state is DriveState.HOT_SPARE
        assert box.recording.cameras == {}


async def test_a_second_set_up_leaves_main_alone(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        first = SetUpStorage(drives=tuple(box.drive(bay).id for bay in range(4)))
        await box.until_ended((await box.agree(first)).job)
        await box.catalog.write("add_camera", name="gate", url="rtsp://192.0.2.1/a")
        await box.until_ended((await box.agree(SetUpStorage())).job)
        volumes = await box.catalog.read("volumes")
        assert [(volume.name, volume.group) for volume in volumes] == [("A", "main"), ("B", "B")]
        (camera,) = await box.catalog.read("cameras")
        assert camera.group == "main"


async def test_the_plan_names_every_drive_that_is_erased(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        plan = await box.planner.plan(SetUpStorage(virtual_drives=2))
        assert plan.confirmation == "A B"
        assert len(plan.radius.erases) == 8
        assert any("mkfs.xfs" in command.text for command in plan.commands)
        with pytest.raises(InvalidInput):
            await box.planner.run(run_of(plan, "A"), "eve")


async def test_dedicated_spares_come_with_the_one_virtual_drive_they_serve(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        members, spare = tuple(box.drive(bay).id for bay in range(4)), box.drive(6).id
        done = await box.agree(
            SetUpStorage(
                drives=members, dedicated_spares=(spare,), stripe_bytes=1024 * 1024, has_bitmap=False
            )
        )
        await box.until_ended(done.job)
        (vd,) = box.hardware.inventory().virtual_drives
        assert (vd.stripe_bytes, vd.has_bitmap) == (1024 * 1024, False)
        assert box.drive(6).spare_groups == (vd.group,)
        assert box.drive(5).state is DriveState.UNCONFIGURED_GOOD
        for wrong in (
            SetUpStorage(drives=members, dedicated_spares=members[:1]),
            SetUpStorage(drives=members, virtual_drives=2, dedicated_spares=(spare,)),
        ):
            assert "serve one virtual drive" in (await box.planner.plan(wrong)).refused


async def test_no_second_job_takes_the_same_drives(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        plan = await box.planner.plan(SetUpStorage())
        box.chassis.errors[CreateVirtualDrive] = CommandFailed("no", "")
        done = await box.planner.run(run_of(plan), "eve")
        await box.until_job(done.job, lambda job: job.state is JobState.WAITING)
        again = await box.planner.plan(SetUpStorage())
        assert "a job has this in hand: Set up storage" in again.refused


async def test_a_failure_half_way_is_told_and_can_be_tried_again(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        plan = await box.planner.plan(SetUpStorage(virtual_drives=2))
        box.chassis.errors["make_volume"] = CommandFailed("mkfs.xfs fell over", "look at the log")  # type: ignore[index]
        done = await box.planner.run(run_of(plan), "eve")
        job = await box.until_job(done.job, lambda job: job.state is JobState.WAITING)
        assert "mkfs.xfs fell over" in job.needs
        assert "A created, no file system" in job.needs
        assert job.actions == ("retry", "undo", "leave")
        assert box.events.kinds().count("job.waiting") == 1
        with pytest.raises(Conflict, match="not cut short"):
            await box.desk.act(done.job, JobAct(action="cancel"), "eve")
        box.chassis.errors.clear()
        await box.desk.act(done.job, JobAct(action="retry"), "eve")
        assert (await box.until_ended(done.job)).state is JobState.DONE
        assert len([op for op in box.chassis.performed if isinstance(op, CreateVirtualDrive)]) == 2


async def test_undo_leaves_the_box_as_it_was(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        plan = await box.planner.plan(SetUpStorage(virtual_drives=2, spares=2, level=RaidLevel.RAID5))
        box.chassis.errors[AssignSpare] = CommandFailed("no spare today", "")
        done = await box.planner.run(run_of(plan), "eve")
        await box.until_job(done.job, lambda job: job.state is JobState.WAITING)
        assert len(await box.catalog.read("volumes")) == 2
        await box.desk.act(done.job, JobAct(action="undo"), "eve")
        job = await box.until_ended(done.job)
        assert job.state is JobState.CANCELLED, job
        assert box.hardware.inventory().virtual_drives == ()
        assert await box.catalog.read("volumes") == []
        assert box.recording.volumes == {}
        assert all(box.drive(bay).state is DriveState.UNCONFIGURED_GOOD for bay in range(8))


async def test_undo_never_erases_footage(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        plan = await box.planner.plan(SetUpStorage(spares=1))
        box.chassis.errors[AssignSpare] = CommandFailed("no spare today", "")
        done = await box.planner.run(run_of(plan), "eve")
        await box.until_job(done.job, lambda job: job.state is JobState.WAITING)
        await record_a_second(box)
        await box.desk.act(done.job, JobAct(action="undo"), "eve")
        job = await box.until_job(done.job, lambda job: "has been recorded to" in job.needs)
        assert job.actions == ("retry", "leave")
        assert len(box.recording.volumes) == 1
        await box.desk.act(done.job, JobAct(action="leave"), "eve")
        assert (await box.until_ended(done.job)).state is JobState.FAILED


@pytest.mark.parametrize("steps", range(12))
async def test_it_goes_on_where_a_restart_left_it(tmp_path: Path, steps: int) -> None:
    """The engine ends after so many steps, whatever it was doing; the next one finishes."""
    async with box_of(tmp_path, full_chassis()) as box:
        done = await box.agree(SetUpStorage(virtual_drives=2))
        for _ in range(steps):
            await box.catalog.write("volumes")
        clock = box.clock
    async with box_of(tmp_path, full_chassis(), clock) as box:
        job = await box.until_ended(done.job)
        assert job.state is JobState.DONE, job
        assert [vd.name for vd in box.hardware.inventory().virtual_drives] == ["A", "B"]
        assert len(await box.catalog.read("volumes")) == 2


async def test_stop_waits_for_the_step_and_then_for_a_person(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        done = await box.agree(SetUpStorage(virtual_drives=2))
        await box.desk.act(done.job, JobAct(action="stop"), "eve")
        job = await box.until_job(done.job, lambda job: job.state is JobState.WAITING)
        assert "stopped as asked for" in job.needs
        await box.desk.act(done.job, JobAct(action="undo"), "eve")
        assert (await box.until_ended(done.job)).state is JobState.CANCELLED
        assert box.hardware.inventory().virtual_drives == ()


def good(count: int) -> Inventory:
    return Inventory(
        drives=tuple(
            Drive(id=f"d{bay}", bay=bay, serial=f"S{bay}", controller="sim", size_bytes=6 * 10**12)
            for bay in range(count)
        )
    )


def test_four_drives_a_group_unless_told_otherwise() -> None:
    layout = lay_out(SetUpStorage(virtual_drives=0), good(16), volumes=(), is_main_empty=True)
    assert [len(volume.drives) for volume in layout.volumes] == [4, 4, 4, 4]
    assert [volume.group for volume in layout.volumes] == ["main", "B", "C", "D"]
    assert [volume.mount_point for volume in layout.volumes] == [f"/srv/watchdeck/{n}" for n in "ABCD"]
    two = lay_out(SetUpStorage(virtual_drives=2), good(16), volumes=(), is_main_empty=True)
    assert [len(volume.drives) for volume in two.volumes] == [8, 8]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (SetUpStorage(file_system="ntfs"), "xfs, ext4"),
        (SetUpStorage(mount_root="srv"), "absolute"),
        (SetUpStorage(mount_root="/srv/../etc"), "absolute"),
        (SetUpStorage(spares=8), "none is left"),
        (SetUpStorage(names=("A", "B")), "1 virtual drives"),
        (SetUpStorage(names=("../x",)), "cannot be the name"),
        (SetUpStorage(names=("a",)), "in use"),
        (SetUpStorage(level=RaidLevel.RAID60, virtual_drives=2), "RAID 60"),
    ],
)
def test_what_cannot_be_laid_out_says_why(asked: SetUpStorage, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        lay_out(asked, good(8), volumes=("A",), is_main_empty=True)


def test_nothing_is_laid_out_on_drives_that_carry_anything() -> None:
    drives = tuple(
        Drive(id=f"d{n}", bay=n, state=state, foreign_group="g" if n == 9 else "")
        for n, state in enumerate(DriveState)
        if state is not DriveState.UNCONFIGURED_GOOD
    )
    came_back = Drive(id="back", state=DriveState.UNCONFIGURED_GOOD, foreign_group="g")
    with pytest.raises(Conflict, match="no drive is free"):
        lay_out(SetUpStorage(), Inventory(drives=(*drives, came_back)), volumes=(), is_main_empty=True)


def test_cameras_are_spread_evenly_and_in_order() -> None:
    dealt = spread([str(n) for n in range(10)], ("main", "B", "C"))
    assert [group for _, group in dealt] == ["main"] * 3 + ["B"] * 3 + ["C"] * 4
    assert [camera for camera, _ in dealt] == [str(n) for n in range(10)]

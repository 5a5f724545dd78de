"""Taking a volume down: recording leaves first, the drives are free last, and until then it can be undone."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from engine.chassis.take_down import TakeDownJob, begin
from engine.wire_chassis import DeleteVirtualDrive, DriveState, JobAct, JobState, TakeDownVolume
from storage.errors import Conflict
from tests.engine.chassis.box import Box, box_of, run_of
from tests.engine.chassis.test_planning import ONE_ARRAY, a_volume_with_footage


async def recorded(box: Box) -> None:
    await box.catalog.write("add_camera", name="gate", url="rtsp://192.0.2.1/a")
    await a_volume_with_footage(box)


async def test_recording_leaves_first_and_the_drives_are_free_last(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        await recorded(box)
        done = await box.agree(TakeDownVolume(virtual_drive="A"))
        job = await box.until_ended(done.job)
        assert job.state is JobState.DONE, job
        assert len(box.recording.removed) == 1
        assert await box.catalog.read("volumes") == []
        assert box.hardware.inventory().virtual_drives == ()
        assert all(box.drive(bay).state is DriveState.UNCONFIGURED_GOOD for bay in range(4))
        assert [event for event in box.events.kinds() if event.startswith("job.")] == [
            "job.started",
            "job.done",
        ]


async def test_files_that_are_open_stop_it_and_it_can_be_cancelled(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        await recorded(box)
        plan = await box.planner.plan(TakeDownVolume(virtual_drive="A"))
        box.chassis.errors["unmake_volume"] = Conflict("x.mp4 is open", "end the export")  # type: ignore[index]
        done = await box.planner.run(run_of(plan), "eve")
        job = await box.until_job(done.job, lambda job: job.state is JobState.WAITING)
        assert "x.mp4 is open" in job.needs
        assert job.actions == ("retry", "cancel")
        await box.desk.act(done.job, JobAct(action="cancel"), "eve")
        job = await box.until_ended(done.job)
        assert (job.state, job.result) == (JobState.CANCELLED, "volume A is in use again")
        (volume,) = await box.catalog.read("volumes")
        assert await box.catalog.read("volume_usage", volume.id) == 500
        assert volume.uuid in box.recording.volumes


async def test_it_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        await recorded(box)
        plan = await box.planner.plan(TakeDownVolume(virtual_drive="A"))
        box.chassis.errors[DeleteVirtualDrive] = Conflict("the controller is busy", "")
        done = await box.planner.run(run_of(plan), "eve")
        job = await box.until_job(done.job, lambda job: job.state is JobState.WAITING)
        assert job.actions == ("retry", "leave")
        clock = box.clock
    async with box_of(tmp_path, ONE_ARRAY, clock) as box:
        assert box.desk.view(done.job).state is JobState.WAITING
        await box.desk.act(done.job, JobAct(action="retry"), "bob")
        assert (await box.until_ended(done.job)).state is JobState.DONE
        assert box.hardware.inventory().virtual_drives == ()


async def test_a_mount_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        vd = box.hardware.inventory().virtual_drive("A")
        assert vd is not None
        Path(vd.mounts[0].path, "photographs").mkdir()
        plan = await box.planner.plan(TakeDownVolume(virtual_drive="A"))
        assert "no volume of this station" in plan.refused


async def test_an_empty_file_system_that_a_set_up_left_behind_may_go(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        done = await box.agree(TakeDownVolume(virtual_drive="A"))
        assert (await box.until_ended(done.job)).state is JobState.DONE


async def test_what_was_mounted_since_the_confirmation_is_not_unmounted(tmp_path: Path) -> None:
    async with box_of(tmp_path, ONE_ARRAY) as box:
        await recorded(box)
        inventory = await box.chassis.refresh()
        (vd,) = inventory.virtual_drives
        state = replace(begin("A", inventory, []), mounts=())
        job = TakeDownJob(box.work, state, "eve")
        assert vd.mounts
        for _ in range(3):
            await job.advance()
        assert "since this was confirmed" in job.state.trouble
        assert box.hardware.inventory().virtual_drives[0].mounts == vd.mounts

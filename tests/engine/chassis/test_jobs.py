"""The desk: jobs outlive consoles and engines, are answered by anybody, and say what matters once."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from engine.wire_chassis import (
    DriveState,
    JobAct,
    JobState,
    PrepareRemoval,
    RaidLevel,
    ReplaceDrive,
    SetOffline,
    SetUpStorage,
    VirtualDriveState,
)
from storage.catalog.chassis import ChassisJobKind, ChassisJobRow, ChassisJobState
from storage.catalog.records import Severity
from storage.errors import CommandTimeout, Conflict, NotFound, Unsupported
from storage.raid.simulated_layout import SimulatedLayout, VirtualDriveSpec, full_chassis
from tests.engine.chassis.box import Box, box_of

ARRAY = SimulatedLayout(
    drives=full_chassis().drives,
    virtual_drives=(VirtualDriveSpec(name="A", level=RaidLevel.RAID6, spans=((0, 1, 2, 3, 4),)),),
    global_spares=(7,),
    full_pass_s=20.0,
)


async def begun(box: Box, bay: int) -> str:
    """A replacement that waits for its first answer."""
    done = await box.agree(ReplaceDrive(drive=box.drive(bay).id))
    await box.until_job(done.job, lambda job: job.state is JobState.WAITING)
    return done.job


def word(box: Box, job: str) -> str:
    return box.desk.view(job).needs.split(" ")[0]


async def test_a_replacement_from_the_first_word_to_the_last(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        old = box.drive(2)
        job = await begun(box, 2)
        assert box.desk.view(job).bay == 2
        assert box.desk.view(job).serial == old.serial
        assert box.desk.bays_in_hand() == frozenset({2})
        await box.desk.act(job, JobAct(action="continue"), "bob")
        await box.until(lambda: word(box, job) == "Pull")
        assert box.chassis.lamps == {2: True}
        await box.do("pull 2")
        await box.until(lambda: word(box, job) == "Insert")
        assert box.chassis.lamps[2] is True
        await box.do("insert 2 blank")
        view = await box.until_ended(job)
        assert view.state is JobState.DONE, view
        assert box.drive(2).state is DriveState.HOT_SPARE
        assert box.drive(7).state in (DriveState.ONLINE, DriveState.REBUILD)
        await box.until(lambda: box.chassis.lamps[2] is False and not box.desk.bays_in_hand())
        kinds = [kind for kind in box.events.kinds() if kind.startswith("job.")]
        assert kinds[0] == "job.started"
        assert kinds[-1] == "job.done"
        assert "job.answered" in kinds
        assert box.recording.removed == []


async def test_the_wrong_drive_is_said_once_and_loudly(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        job = await begun(box, 2)
        await box.desk.act(job, JobAct(action="continue"), "eve")
        await box.until(lambda: word(box, job) == "Pull")
        await box.do("pull 3")
        view = await box.until_job(job, lambda job: bool(job.alarm))
        assert "WRONG DRIVE PULLED: bay 3" in view.alarm
        for _ in range(5):
            await box.look()
        alarms = [event for event in box.events.said if event.kind == "job.alarm"]
        assert [event.severity for event in alarms] == [Severity.CRITICAL]
        await box.do("insert 3")
        await box.until(lambda: word(box, job) == "Pull")
        assert box.desk.view(job).alarm == ""


@pytest.mark.parametrize("until", ["Bay", "Pull", "Put", "Insert"])
async def test_it_waits_where_it_was_after_a_restart(tmp_path: Path, until: str) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        job = await begun(box, 2)
        if until != "Bay":
            await box.desk.act(job, JobAct(action="continue"), "eve")
            await box.until(lambda: word(box, job) == "Pull")
        if until == "Put":
            await box.do("pull 3")
        if until == "Insert":
            await box.do("pull 2")
        await box.until(lambda: word(box, job) == until)
        before, clock = box.desk.view(job), box.clock
    async with box_of(tmp_path, ARRAY, clock) as box:
        await box.until(lambda: word(box, job) == until)
        after = box.desk.view(job)
        assert (after.state, after.title, after.actor) == (before.state, before.title, "eve")
        if until == "Bay":
            await box.desk.act(job, JobAct(action="continue"), "bob")
            await box.until(lambda: word(box, job) == "Pull")
        if until == "Put":
            await box.do("insert 3")
            await box.until(lambda: word(box, job) == "Pull")
        if until != "Insert":
            await box.do("pull 2")
        await box.until(lambda: word(box, job) == "Insert")
        await box.do("insert 2 blank")
        assert (await box.until_ended(job)).state is JobState.DONE
        vd = box.hardware.inventory().virtual_drive("A")
        assert vd is not None
        await box.until(
            lambda: all(
                vd.state is VirtualDriveState.ONLINE for vd in box.hardware.inventory().virtual_drives
            )
        )


async def test_pulled_while_the_engine_was_away(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        job = await begun(box, 2)
        await box.desk.act(job, JobAct(action="continue"), "eve")
        await box.until(lambda: word(box, job) == "Pull")
        box.hardware.do("pull 2")
        box.hardware.do("insert 2 blank")
        clock = box.clock
    async with box_of(tmp_path, ARRAY, clock) as box:
        assert (await box.until_ended(job)).state is JobState.DONE


async def test_one_replacement_a_drive(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        job = await begun(box, 2)
        plan = await box.planner.plan(ReplaceDrive(drive=box.drive(2).id))
        assert "a job has this in hand: Replace the drive in bay 2" in plan.refused
        assert job in plan.refused_remedy
        other = await box.planner.plan(ReplaceDrive(drive=box.drive(5).id))
        assert other.refused == ""
        offline = await box.planner.plan(SetOffline(drive=box.drive(2).id))
        assert "has this in hand" in offline.refused


async def test_what_fails_waits_for_retry(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        job = await begun(box, 2)
        box.chassis.errors[SetOffline] = CommandTimeout("mdadm does not end", "look at the drive")
        await box.desk.act(job, JobAct(action="continue"), "eve")
        view = await box.until_job(job, lambda job: "mdadm does not end" in job.needs)
        assert view.actions == ("retry", "cancel")
        box.chassis.errors.clear()
        await box.desk.act(job, JobAct(action="retry"), "eve")
        await box.until(lambda: word(box, job) == "Pull")


async def test_a_drive_that_cannot_be_parked_can_be_pulled_all_the_same(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        box.chassis.errors[PrepareRemoval] = Unsupported("no parking here", "")
        job = await begun(box, 2)
        await box.desk.act(job, JobAct(action="continue"), "eve")
        await box.until(lambda: word(box, job) == "Pull")


async def test_cancelled_says_how_things_are_left(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        job = await begun(box, 2)
        with pytest.raises(Conflict, match="cannot be answered now"):
            await box.desk.act(job, JobAct(action="use_it"), "eve")
        await box.desk.act(job, JobAct(action="cancel"), "eve")
        view = await box.until_ended(job)
        assert view.state is JobState.CANCELLED
        assert "stays as it is" in view.result
        with pytest.raises(Conflict, match="has ended"):
            await box.desk.act(job, JobAct(action="cancel"), "eve")
        assert box.chassis.performed == []


async def test_ended_jobs_are_shown_after_a_restart_too(tmp_path: Path) -> None:
    async with box_of(tmp_path, full_chassis()) as box:
        done = await box.agree(SetUpStorage())
        await box.until_ended(done.job)
        clock = box.clock
    async with box_of(tmp_path, full_chassis(), clock) as box:
        (view,) = box.desk.views()
        assert (view.id, view.state) == (done.job, JobState.DONE)
        assert view.ended_us is not None
        assert box.desk.view(done.job[:8]) == view
        assert "job.done" not in box.events.kinds()


async def test_a_job_nobody_can_read_stops_no_other(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        job = await begun(box, 2)
        rows = await box.catalog.read("chassis_jobs", True)
        broken = ChassisJobRow(
            uuid=uuid4(),
            kind=ChassisJobKind.REPLACE,
            state=ChassisJobState.WAITING,
            body=msgspec.Raw(b'{"of": "another version"}'),
            started_us=rows[0].started_us,
        )
        await box.catalog.write("save_chassis_job", broken)
        clock = box.clock
    async with box_of(tmp_path, ARRAY, clock) as box:
        assert [view.id for view in box.desk.views()] == [job]


async def test_no_job_of_that_name(tmp_path: Path) -> None:
    async with box_of(tmp_path, ARRAY) as box:
        for id in ("", "nothing"):
            with pytest.raises(NotFound):
                box.desk.view(id)

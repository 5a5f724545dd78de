"""The box through the real client, socket and server: a simulated chassis behind it."""

from __future__ import annotations

import asyncio

import pytest

from engine import wire
from engine.api.permissions import (
    ROLE_PERMISSIONS,
    Permission,
    Role,
    job_permission,
    operation_permission,
)
from engine.wire_chassis import (
    ChassisView,
    DriveLocate,
    DriveState,
    JobKind,
    LearnBay,
    OperationRun,
    RaidLevel,
    Rates,
    ReplaceDrive,
    SelfTestKind,
    SelfTestStart,
    SetOffline,
    SetRates,
    SetUpStorage,
    Silence,
    SimulatedStep,
    StartCheck,
    StartPatrolRead,
    TaskKind,
    TrayPattern,
    UidSwitch,
    UpkeepEdit,
)
from storage import errors
from tests.fakes.station import FakeStation


async def newest(station: FakeStation, kind: str) -> wire.EventView:
    await station.events.flush()
    found = await station.client.events(kinds=[kind], limit=1)
    assert found, kind
    return found[0]


async def test_box_is_shown_whole(station: FakeStation) -> None:
    view = await station.client.chassis()
    assert view.is_simulated
    assert view.layout.rows == ((4, 5, 6, 7), (0, 1, 2, 3))
    assert [vd.level for vd in view.inventory.virtual_drives] == ["5", "5"]
    assert (await station.client.snapshot()).chassis is not None


async def test_drives_come_by_bay_and_are_found_by_bay_serial_and_id(station: FakeStation) -> None:
    drives = await station.client.drives()
    bays = [drive.bay for drive in drives]
    assert bays == [0, 1, 2, 3, 4, 5, 6, 7, None]
    third = drives[3]
    for ref in ("3", third.serial, third.serial.lower(), third.id):
        detail = await station.client.drive(ref)
        assert detail.drive.id == third.id
        assert detail.bay is not None
        assert detail.bay.bay == 3
        assert [chain.bays for chain in detail.chains] == [(0, 1, 2, 3)]


@pytest.mark.parametrize("ref", ["9", "sdb", "ZZ", "no/such drive"])
async def test_drive_that_is_not_there_is_not_found(station: FakeStation, ref: str) -> None:
    with pytest.raises(errors.NotFound, match="no drive"):
        await station.client.drive(ref)


async def test_locate_blinks_the_bay_and_ends_by_itself(station: FakeStation) -> None:
    stream = station.client.stream()
    await anext(stream)
    await station.client.locate_drive("5", DriveLocate(seconds=60))
    view = await chassis_where(stream, lambda view: pattern(view, 5) is TrayPattern.LOCATE)
    bay = view.bay(5)
    assert bay is not None
    assert bay.locate_until_us == station.clock.now_us() + 60_000_000
    assert (await newest(station, "drive.locate")).actor
    station.clock.advance(61_000_000)
    station.chassis.look_soon()
    await chassis_where(stream, lambda view: pattern(view, 5) is not TrayPattern.LOCATE)
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_locate_is_switched_off_and_nonsense_is_refused(station: FakeStation) -> None:
    await station.client.locate_drive("5", DriveLocate())
    await station.client.locate_drive("5", DriveLocate(is_on=False))
    assert pattern(await station.client.chassis(), 5) is not TrayPattern.LOCATE
    with pytest.raises(errors.InvalidInput, match="seconds"):
        await station.client.locate_drive("5", DriveLocate(seconds=0))
    system = next(drive for drive in await station.client.drives() if drive.bay is None)
    with pytest.raises(errors.Unsupported, match="no lamp"):
        await station.client.locate_drive(system.id, DriveLocate())


def pattern(view: ChassisView, bay: int) -> TrayPattern:
    found = view.bay(bay)
    assert found is not None
    return found.pattern


async def chassis_where(stream: object, is_so: object) -> ChassisView:
    """The first ChassisMessage of which it is so."""
    async with asyncio.timeout(20):
        async for message in stream:  # type: ignore[attr-defined]
            if isinstance(message, wire.ChassisMessage) and is_so(message.chassis):  # type: ignore[operator]
                return message.chassis
    raise AssertionError("the stream ended")


async def test_change_of_the_box_reaches_the_reader(station: FakeStation) -> None:
    stream = station.client.stream()
    await anext(stream)
    await station.client.simulate(SimulatedStep(step="pull 6"))
    await chassis_where(stream, lambda view: pattern(view, 6) is TrayPattern.FAIL)
    station.clock.advance(3_000_000)
    station.chassis.look_soon()
    view = await chassis_where(stream, lambda view: pattern(view, 7) is TrayPattern.REBUILD)
    [rebuilding] = [drive for drive in view.inventory.drives if drive.state is DriveState.REBUILD]
    assert rebuilding.bay == 7
    assert "bay 6 (serial " in (await newest(station, "drive.missing")).text
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_self_test_runs_is_shown_and_can_be_aborted(station: FakeStation) -> None:
    done = await station.client.start_self_test("2", SelfTestStart(kind=SelfTestKind.LONG))
    assert "bay 2" in done.text
    drive = (await station.client.drive("2")).drive
    await station.chassis._sweep.read(drive)
    tasks = (await station.client.chassis()).inventory.tasks
    assert [(task.kind, task.drive) for task in tasks] == [(TaskKind.SELF_TEST, drive.id)]
    await station.client.abort_self_test("2")
    await station.chassis._sweep.read(drive)
    assert (await station.client.chassis()).inventory.tasks == ()
    with pytest.raises(errors.NotFound, match="runs no self-test"):
        await station.client.abort_self_test("2")


async def test_plan_changes_nothing_and_its_run_needs_its_fingerprint(station: FakeStation) -> None:
    vd = (await station.client.chassis()).inventory.virtual_drives[0]
    operation = StartCheck(virtual_drive=vd.id)
    plan = await station.client.plan_operation(operation)
    assert (plan.refused, plan.operation) == ("", operation)
    assert (await station.client.chassis()).inventory.tasks == ()
    with pytest.raises(errors.StateChanged):
        await station.client.run_operation(OperationRun(operation=operation, fingerprint="another"))
    done = await station.client.run_operation(
        OperationRun(operation=operation, fingerprint=plan.fingerprint, confirmation=plan.confirmation)
    )
    assert done.job == ""
    [task] = (await station.client.chassis()).inventory.tasks
    assert (task.kind, task.virtual_drive) == (TaskKind.CHECK, vd.id)


async def test_replacement_is_a_job_that_is_listed_and_answered(station: FakeStation) -> None:
    assert await station.client.chassis_jobs() == ()
    drive = (await station.client.drive("1")).drive
    plan = await station.client.plan_operation(ReplaceDrive(drive=drive.id))
    done = await station.client.run_operation(
        OperationRun(operation=plan.operation, fingerprint=plan.fingerprint, confirmation=plan.confirmation)
    )
    job = await station.client.chassis_job(done.job)
    assert (job.kind, job.bay) == (JobKind.REPLACE, 1)
    assert [each.id for each in await station.client.chassis_jobs()] == [job.id]
    assert [each.id for each in (await station.client.chassis()).jobs] == [job.id]
    with pytest.raises(errors.NotFound):
        await station.client.chassis_job("00000000-0000-0000-0000-000000000000")


async def test_uid_lamp_is_switched(station: FakeStation) -> None:
    await station.client.switch_uid(UidSwitch(is_on=True))
    view = await station.client.chassis()
    assert (view.uid, view.information) == (True, "uid_local")
    await station.client.switch_uid(UidSwitch(is_on=False))
    assert (await station.client.chassis()).information == "off"


async def test_upkeep_is_edited_and_kept(station: FakeStation) -> None:
    edited = await station.client.edit_upkeep(UpkeepEdit(check_days=0, hour=3))
    assert (edited.check_days, edited.hour, edited.next_check_us) == (0, 3, None)
    assert (await station.client.chassis()).upkeep == edited
    assert (await station.catalog.read("chassis_setting", "upkeep"))["hour"] == 3
    assert "check_days = 0, hour = 3" in (await newest(station, "chassis.upkeep_edited")).text
    with pytest.raises(errors.InvalidInput, match="hour"):
        await station.client.edit_upkeep(UpkeepEdit(hour=25))


async def test_levels_are_offered_with_help_and_size_or_with_the_reason_why_not(station: FakeStation) -> None:
    taken = await station.client.set_up_choices()
    assert {choice.refused for choice in taken.levels} != {""}
    assert all(choice.refused for choice in taken.drives)
    assert taken.for_128_refused == "it takes 8 free drives, here are 0"
    ids = [choice.drive for choice in taken.drives]
    made = {choice.level: choice for choice in (await station.client.set_up_choices(ids[:7])).levels}
    assert made[RaidLevel.RAID5].refused == ""
    assert (made[RaidLevel.RAID5].drives, made[RaidLevel.RAID5].can_lose) == (7, 1)
    assert made[RaidLevel.RAID5].usable_bytes > 0
    two = {choice.level: choice for choice in (await station.client.set_up_choices(ids[:8], 2)).levels}
    assert (two[RaidLevel.RAID6].drives, two[RaidLevel.RAID6].can_lose) == (4, 2)
    assert two[RaidLevel.RAID50].refused
    assert two[RaidLevel.RAID10].span_choices == (2,)
    with pytest.raises(errors.NotFound):
        await station.client.set_up_choices(["no-such-drive"])
    with pytest.raises(errors.InvalidInput):
        await station.client.set_up_choices(ids, 0)


async def test_simulated_chassis_has_nothing_to_learn(station: FakeStation) -> None:
    with pytest.raises(errors.Unsupported):
        await station.client.learn_bay(LearnBay(bay=1, drive="1"))


async def test_step_that_makes_no_sense_is_refused(station: FakeStation) -> None:
    with pytest.raises(errors.InvalidInput):
        await station.client.simulate(SimulatedStep(step="explode 3"))


# -- who may ---------------------------------------------------------------------------------------------


def test_whoever_is_on_duty_may_look_after_the_box_and_not_take_it_apart() -> None:
    operator = ROLE_PERMISSIONS[Role.OPERATOR]
    for allowed in (
        ReplaceDrive(drive="d"),
        StartCheck(virtual_drive="v"),
        StartPatrolRead(controller="md"),
        Silence(controller="md"),
    ):
        assert operation_permission(allowed) in operator
    for refused in (
        SetOffline(drive="d"),
        SetUpStorage(),
        StartCheck(virtual_drive="v", repair=True),
        SetRates(controller="md", rates=Rates()),
    ):
        assert operation_permission(refused) not in operator
    assert job_permission(JobKind.REPLACE) in operator
    assert job_permission(JobKind.TAKE_DOWN) is Permission.CONFIGURE


async def test_operator_is_refused_what_changes_arrays(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = dict(ROLE_PERMISSIONS)
    monkeypatch.setitem(
        everything, Role.ADMINISTRATOR, everything[Role.OPERATOR]
    )  # who asks here is an administrator
    monkeypatch.setattr("engine.api.permissions.ROLE_PERMISSIONS", everything)
    drive = (await station.client.drive("1")).drive
    operation = SetOffline(drive=drive.id)
    plan = await station.client.plan_operation(operation)
    run = OperationRun(operation=operation, fingerprint=plan.fingerprint, confirmation=plan.confirmation)
    with pytest.raises(errors.NotPermitted, match="set_offline"):
        await station.client.run_operation(run)
    with pytest.raises(errors.NotPermitted):
        await station.client.edit_upkeep(UpkeepEdit(hour=3))
    await station.client.locate_drive("1", DriveLocate(seconds=5))

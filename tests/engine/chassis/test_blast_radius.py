"""What is refused whatever is typed, what must be typed, and what a person is warned of."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from engine.chassis.blast_radius import judge
from engine.chassis.facts import PlanFacts, VolumeUse
from engine.chassis.plan_warnings import warnings_for
from engine.chassis.refusals import check_safe
from engine.wire_chassis import DriveHealth, DriveKind, DriveState, RaidLevel, SpareKind, Verdict
from storage.catalog.footage import CameraFootage
from storage.errors import NotFound, OperationRefused
from storage.raid.inventory import Controller, Drive, DriveGroup, Inventory, Mount, Span, VirtualDrive
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    Migrate,
    RaidOperation,
    ReleaseSpare,
    ReplaceMember,
    SetGood,
    SetOffline,
    StartCheck,
    StartRebuild,
)
from storage.raid.states import VirtualDriveState

TB = 10**12


def member(bay: int, **more: object) -> Drive:
    fields = {
        "id": f"d{bay}",
        "bay": bay,
        "serial": f"S{bay}",
        "model": "ST6000",
        "controller": "md",
        "size_bytes": 6 * TB,
        "coerced_bytes": 6 * TB,
    }
    return msgspec.convert(fields | more, Drive)


def box(*others: Drive, can_lose: int = 1, level: RaidLevel = RaidLevel.RAID5) -> Inventory:
    """Group G of bays 0-3 with virtual drive A, and whoever else."""
    drives = [member(bay, state="online", group="g", span=0, slot=bay) for bay in range(4)]
    by_id = {drive.id: drive for drive in (*drives, *others)}
    span = Span(drives=("d0", "d1", "d2", "d3"), can_lose=can_lose)
    lost = any(by_id[f"d{bay}"].state is not DriveState.ONLINE for bay in range(4))
    state = VirtualDriveState.DEGRADED if lost else VirtualDriveState.ONLINE
    return Inventory(
        controllers=(Controller(id="md", backend="md"),),
        drives=tuple(by_id.values()),
        groups=(DriveGroup(id="g", name="G", level=level, spans=(span,), controller="md"),),
        virtual_drives=(VirtualDrive(id="vd", name="A", group="g", level=level, state=state),),
    )


def facts(inventory: Inventory, **more: object) -> PlanFacts:
    return PlanFacts(inventory=inventory, **more)  # type: ignore[arg-type]


def new(*bays: int, level: RaidLevel = RaidLevel.RAID5) -> CreateVirtualDrive:
    return CreateVirtualDrive(name="B", level=level, spans=(tuple(f"d{bay}" for bay in bays),))


REFUSED: dict[str, tuple[RaidOperation, Inventory, str]] = {
    "the system drive": (new(9), box(member(9, state="protected", cause="holds /")), "holds /"),
    "a member of another array": (new(3, 4), box(member(4)), r"bay 3 \(serial S3\) is online"),
    "a spare": (new(4), box(member(4, state="hot_spare", spare="global")), "hot spare"),
    "a foreign drive": (new(4), box(member(4, state="foreign", foreign="OLD")), "foreign"),
    "a member that came back": (new(4), box(member(4, foreign_group="g")), "was a member of group G"),
    "a name in use": (
        CreateVirtualDrive(name="a", level=RaidLevel.RAID0, spans=(("d4",),)),
        box(member(4)),
        "called a already",
    ),
    "the last good copy": (SetOffline(drive="d1"), box(can_lose=0), "last good copy"),
    "a rebuild without a hole": (StartRebuild(group="g", drive="d4"), box(member(4)), "no empty place"),
    "a rebuild without redundancy": (
        StartRebuild(group="g", drive="d4"),
        box(member(4), level=RaidLevel.RAID0),
        "nothing to rebuild from",
    ),
    "a drive that is too small": (
        StartRebuild(group="g", drive="d4"),
        box(
            member(1, state="missing", group="g", span=0, slot=1),
            member(4, size_bytes=4 * TB, coerced_bytes=4 * TB),
        ),
        "has 4 TB, group G needs 6 TB",
    ),
    "a drive of another controller": (
        StartRebuild(group="g", drive="d4"),
        box(member(1, state="failed", group="g", span=0, slot=1), member(4, controller="c0")),
        "on controller c0",
    ),
    "somebody else's spare": (
        ReplaceMember(member="d1", replacement="d4"),
        box(member(4, state="hot_spare", spare="dedicated", spare_groups=["other"])),
        "dedicated to group other",
    ),
    "copying from a dead drive": (
        ReplaceMember(member="d1", replacement="d4"),
        box(member(1, state="failed", group="g", span=0, slot=1), member(4)),
        "nothing can be copied",
    ),
    "a spare for RAID 0": (
        AssignSpare(drive="d4", kind=SpareKind.DEDICATED, groups=("g",)),
        box(member(4), level=RaidLevel.RAID0),
        "cannot use a spare",
    ),
    "a check without redundancy": (
        StartCheck(virtual_drive="A"),
        box(level=RaidLevel.RAID0),
        "no redundancy to check",
    ),
    "migrating a degraded one": (
        Migrate(virtual_drive="A", level=RaidLevel.RAID6),
        box(member(1, state="failed", group="g", span=0, slot=1)),
        "degraded",
    ),
    "forgetting a drive in service": (SetGood(drive="d1"), box(), "nothing to set good"),
    "releasing no spare": (ReleaseSpare(drive="d1"), box(), "not a hot spare"),
    "clearing what is not foreign": (ClearForeign(drives=("d4",)), box(member(4)), "not foreign"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_whatever_is_typed(name: str) -> None:
    operation, inventory, why = REFUSED[name]
    with pytest.raises(OperationRefused, match=why):
        check_safe(operation, facts(inventory))


def test_a_drive_inserted_a_moment_ago_settles_first() -> None:
    inventory = box(member(4))
    with pytest.raises(OperationRefused, match="settles") as caught:
        check_safe(new(4), facts(inventory, now_us=1_000_000, settles_at_us={"d4": 8_500_000}))
    assert caught.value.remedy == "again in 8 s"
    check_safe(new(4), facts(inventory, now_us=8_500_000, settles_at_us={"d4": 8_500_000}))


def test_what_a_lost_array_waits_for_is_not_forgotten() -> None:
    inventory = box(member(1, state="foreign", foreign="G", foreign_group="g"))
    lost = msgspec.structs.replace(inventory.virtual_drives[0], state=VirtualDriveState.FAILED)
    inventory = msgspec.structs.replace(inventory, virtual_drives=(lost,))
    for operation in (ClearForeign(drives=("d1",)), SetGood(drive="d1")):
        with pytest.raises(OperationRefused, match="lost without it"):
            check_safe(operation, facts(inventory))


def test_a_foreign_mount_is_not_deleted_even_when_a_volume_is_taken_down() -> None:
    inventory = box()
    mounted = msgspec.structs.replace(
        inventory.virtual_drives[0], mounts=(Mount(path="/home", file_system="ext4", uuid="u"),)
    )
    inventory = msgspec.structs.replace(inventory, virtual_drives=(mounted,))
    for takes_down in (False, True):
        with pytest.raises(OperationRefused, match="/home"):
            check_safe(DeleteVirtualDrive(virtual_drive="A"), facts(inventory), takes_down=takes_down)
    check_safe(
        DeleteVirtualDrive(virtual_drive="A"),
        facts(inventory, own_mounts=frozenset({"/home"})),
        takes_down=True,
    )


def test_what_is_not_there_is_not_found() -> None:
    for operation in (SetOffline(drive="d9"), DeleteVirtualDrive(virtual_drive="Z"), new(9)):
        with pytest.raises(NotFound):
            check_safe(operation, facts(box()))


@pytest.mark.parametrize(
    ("operation", "typed"),
    [
        (new(4, 5), "B"),
        (DeleteVirtualDrive(virtual_drive="vd"), "A"),
        (SetOffline(drive="d2"), "2"),
        (StartRebuild(group="g", drive="d4"), "S4"),
        (StartRebuild(group="g", drive="d6"), ""),
        (ClearForeign(drives=("d5",)), "S5"),
        (ClearForeign(drives=("d5", "d7")), "OLD"),
        (SetGood(drive="d5"), "S5"),
        (Migrate(virtual_drive="vd", level=RaidLevel.RAID6), "A"),
        (AssignSpare(drive="d4"), ""),
        (StartCheck(virtual_drive="vd"), ""),
    ],
)
def test_what_must_be_typed(operation: RaidOperation, typed: str) -> None:
    inventory = box(
        member(4),
        member(5, state="foreign", foreign="OLD"),
        member(6, state="hot_spare", spare="global"),
        member(7, state="foreign", foreign="OLD"),
    )
    assert judge(operation, (operation,), facts(inventory)).confirmation == typed


def test_a_volume_that_goes_names_its_cameras_and_where_they_go_on() -> None:
    row = CameraFootage(camera_id=1, camera="gate", start_us=5, end_us=9, bytes=100, locked_bytes=40)
    use = VolumeUse(
        uuid=UUID(int=1),
        name="A",
        path="/srv/A",
        group="main",
        virtual_drive="vd",
        cameras=("gate", "yard"),
        others=("B",),
        footage=(row,),
    )
    operation = DeleteVirtualDrive(virtual_drive="vd")
    radius = judge(operation, (operation,), facts(box(), volumes=(use,))).radius
    (camera,) = radius.cameras
    assert (camera.camera, camera.other_volume, camera.locked_bytes) == ("gate", "B", 40)
    assert (radius.footage_bytes, radius.locked_bytes) == (100, 40)
    # The last volume of its group: cameras without footage yet are named too, because they have nowhere to go.
    last = VolumeUse(
        uuid=use.uuid, name="A", path="/srv/A", group="main", virtual_drive="vd", cameras=("gate", "yard")
    )
    radius = judge(operation, (operation,), facts(box(), volumes=(last,))).radius
    assert [(camera.camera, camera.other_volume) for camera in radius.cameras] == [("gate", ""), ("yard", "")]


def test_mixed_drives_slow_levels_and_no_spare_are_warned_of() -> None:
    inventory = box(
        member(4, firmware="1"),
        member(5, model="WD60", kind=DriveKind.SSD, size_bytes=8 * TB, coerced_bytes=8 * TB),
        member(6, rotation_rpm=7200, firmware="2"),
    )
    health = {"d6": DriveHealth(drive="d6", verdict=Verdict.FAILING, reasons=("24 sectors pending",))}
    lines = "\n".join(warnings_for([new(4, 5, 6, level=RaidLevel.RAID6)], facts(inventory, health=health)))
    for expected in (
        "different models",
        "different kinds",
        "different firmware",
        "2 TB of the larger ones stay unused",
        "RAID 6 writes slowly",
        "no protected write cache",
        "no hot spare is left",
        "bay 6 (serial S6) is failing: 24 sectors pending",
    ):
        assert expected in lines


def test_the_last_spare_is_said_to_be_the_last() -> None:
    inventory = box(
        member(1, state="missing", group="g", span=0, slot=1), member(4, state="hot_spare", spare="global")
    )
    assert "bay 4 (serial S4) is the last hot spare of group G" in warnings_for(
        [StartRebuild(group="g", drive="d4")], facts(inventory)
    )
    assert "group G has no hot spare then" in warnings_for([ReleaseSpare(drive="d4")], facts(inventory))

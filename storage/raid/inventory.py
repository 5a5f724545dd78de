"""What a RAID back-end sees: controllers, drives, drive groups, virtual drives and background tasks, as values.

Ids are stable over reboots and re-ordering: a drive's id comes from its WWN or its model and serial number, a group's and a
virtual drive's from the array's UUID or the controller's number. Kernel names (sdb, md127) appear only in `device`, as
something that is true now. Sizes are bytes, temperatures degrees Celsius, progress is 0.0 to 1.0.
"""

from __future__ import annotations

import msgspec

from storage.raid.states import (
    Capability,
    DriveKind,
    DriveState,
    RaidLevel,
    SpareKind,
    TaskKind,
    TaskState,
    VirtualDriveState,
)


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the values of this module."""


class Problem(Value, frozen=True, kw_only=True):
    """Something that keeps a part from working: a missing tool, a controller that does not answer."""

    code: str
    what: str
    remedy: str = ""


class Drive(Value, frozen=True, kw_only=True):
    """A physical drive, or the place of one that is missing."""

    id: str
    """`wwn-0x5000c500a1b2c3d4`, else `model:serial`; of a missing one that is not known any more `missing-<group>-<slot>`."""
    bay: int | None = None
    """Number of the bay as printed on the chassis; None = not in a bay, or the bay is not mapped."""
    place: str = ""
    """Where it is plugged in, stable: by-path name or `e252:s3`."""
    device: str = ""
    """/dev/sdb now; empty when absent or behind a controller."""
    controller: str = ""
    """Id of its controller: spares serve only drives of the same one (row HS-12)."""
    side: str = ""
    """Side of a split backplane, for enclosure affinity (row HS-05)."""
    kind: DriveKind = DriveKind.UNKNOWN
    interface: str = ""
    """SATA, SAS, NVMe, virtio."""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    """As printed on its label."""
    wwn: str = ""
    firmware: str = ""
    size_bytes: int = 0
    coerced_bytes: int = 0
    """What counts when a drive takes another's place (row HS-07)."""
    sector_bytes: int = 512
    rotation_rpm: int | None = None
    state: DriveState = DriveState.UNCONFIGURED_GOOD
    cause: str = ""
    """Plain words for every state that is not good."""
    group: str = ""
    """Id of the drive group it is a member of."""
    span: int | None = None
    slot: int | None = None
    """Its place in the span."""
    spare: SpareKind | None = None
    spare_groups: tuple[str, ...] = ()
    """Of a dedicated spare."""
    has_affinity: bool = False
    foreign: str = ""
    """The array its metadata names, when that is not active here."""
    foreign_group: str = ""
    """Id of the drive group here that this drive was a member of: a member that came back."""
    is_awaiting_removal: bool = False
    """A spare has taken its place; it may be pulled (rows RB-05, Q-05)."""
    media_errors: int = 0
    """Counted by the RAID layer: sectors for md (`dev-*/errors`), events for a controller."""
    is_predicted_to_fail: bool = False
    """The controller says so; SMART's own verdict is apart."""
    temperature_c: int | None = None


class Span(Value, frozen=True, kw_only=True):
    """One drive group in the manual's sense of fault tolerance: a mirror, a RAID 5 or 6 set, a stripe."""

    drives: tuple[str, ...]
    """Drive ids in slot order; a missing member's id too."""
    state: VirtualDriveState = VirtualDriveState.ONLINE
    can_lose: int = 0
    """More drives of this span before data is lost."""


class DriveGroup(Value, frozen=True, kw_only=True):
    """Drives that carry virtual drives of one level."""

    id: str
    name: str
    level: RaidLevel
    spans: tuple[Span, ...]
    controller: str = ""


class Mount(Value, frozen=True, kw_only=True):
    path: str
    file_system: str
    uuid: str


class VirtualDrive(Value, frozen=True, kw_only=True):
    """What the operating system sees as one drive."""

    id: str
    name: str
    group: str
    level: RaidLevel
    state: VirtualDriveState
    cause: str = ""
    size_bytes: int = 0
    stripe_bytes: int = 0
    device: str = ""
    mounts: tuple[Mount, ...] = ()
    file_system_uuid: str = ""
    """Of the file system on it, mounted or not."""
    is_read_only: bool = False
    has_bitmap: bool = False
    """A write-intent bitmap: a member that comes back is brought up to date without a full rebuild."""
    cache: str = ""
    mismatches: int | None = None
    """Found by the last consistency check, in sectors; None = never checked."""
    checked_us: int | None = None
    """When the last check ended, if the back-end keeps it."""
    is_initialised: bool = True


class Task(Value, frozen=True, kw_only=True):
    """A background operation."""

    id: str
    """`rebuild:<virtual drive>:<drive>` and so on: the same while it goes on."""
    kind: TaskKind
    state: TaskState
    controller: str = ""
    virtual_drive: str = ""
    drive: str = ""
    """The drive written (rebuild, copyback) or tested."""
    progress: float | None = None
    rate_bps: int | None = None
    """Bytes a second a member, when known."""
    eta_s: int | None = None
    detail: str = ""
    can_pause: bool = False
    can_stop: bool = False


class Rates(Value, frozen=True, kw_only=True):
    """Share of a drive's speed that background work may take under load, in percent (rows BG-05, RB-02)."""

    rebuild: int = 30
    check: int = 30
    initialisation: int = 30
    patrol_read: int = 30
    migration: int = 30


class Controller(Value, frozen=True, kw_only=True):
    """A RAID controller, or Linux md, or the simulated one."""

    id: str
    """`md`, `c0`, `sim`."""
    backend: str
    """md, megaraid or simulated."""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    has_write_cache: bool = False
    """Protected by a battery or capacitor (row RL-07)."""
    refusals: dict[Capability, str] = {}
    """What it cannot do, and why; what is not here it can."""
    rates: Rates = Rates()
    problems: tuple[Problem, ...] = ()


class Inventory(Value, frozen=True, kw_only=True):
    """Everything at one moment."""

    controllers: tuple[Controller, ...] = ()
    drives: tuple[Drive, ...] = ()
    groups: tuple[DriveGroup, ...] = ()
    virtual_drives: tuple[VirtualDrive, ...] = ()
    tasks: tuple[Task, ...] = ()
    problems: tuple[Problem, ...] = ()

    def drive(self, id: str) -> Drive | None:
        return next((drive for drive in self.drives if drive.id == id), None)

    def drive_in(self, bay: int) -> Drive | None:
        """The drive in the bay; when there is none, the one that is missing from it."""
        here = [drive for drive in self.drives if drive.bay == bay]
        return min(here, key=lambda drive: drive.state is DriveState.MISSING, default=None)

    def group(self, id: str) -> DriveGroup | None:
        return next((group for group in self.groups if group.id == id), None)

    def virtual_drive(self, ref: str) -> VirtualDrive | None:
        """By id or name."""
        by_id = next((vd for vd in self.virtual_drives if vd.id == ref), None)
        return by_id or next((vd for vd in self.virtual_drives if vd.name == ref), None)

    def virtual_drives_of(self, group: str) -> tuple[VirtualDrive, ...]:
        return tuple(vd for vd in self.virtual_drives if vd.group == group)


def joined(parts: tuple[Inventory, ...]) -> Inventory:
    """Several back-ends as one inventory."""
    return Inventory(
        controllers=tuple(item for part in parts for item in part.controllers),
        drives=tuple(item for part in parts for item in part.drives),
        groups=tuple(item for part in parts for item in part.groups),
        virtual_drives=tuple(item for part in parts for item in part.virtual_drives),
        tasks=tuple(item for part in parts for item in part.tasks),
        problems=tuple(item for part in parts for item in part.problems),
    )

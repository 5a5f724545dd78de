"""The simulated chassis as plain data, small enough to be written to a file after each change; and small questions to it.

Only data: what may be done is simulated_rules.py, what happens simulated_members.py and simulated_tasks.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from storage.errors import NotFound
from storage.raid import levels
from storage.raid.inventory import Mount, Rates
from storage.raid.simulated_layout import DriveSpec, SimulatedLayout
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, VirtualDriveState

COERCION_BYTES = 1 << 30
"""Sizes are rounded down to this, so that drives of nearly the same size can stand in for each other (row HS-07)."""


class Content(StrEnum):
    """What a member that is not online holds of its virtual drive."""

    NOTHING = "nothing"
    OLD = "old"
    """Was written to without it since: the bitmap knows where."""
    CURRENT = "current"
    """Nothing was written since: its loss was what stopped the virtual drive."""


class SpareRole(msgspec.Struct, frozen=True):
    kind: SpareKind
    groups: tuple[str, ...] = ()
    has_affinity: bool = False


class ForeignConfig(msgspec.Struct, frozen=True):
    """What a drive from another box says about the array it was in."""

    name: str
    level: RaidLevel
    drives: int
    slot: int


class SimDrive(msgspec.Struct):
    id: str
    serial: str
    wwn: str
    spec: DriveSpec
    bay: int | None = None
    """Where it is, or was before it was pulled."""
    is_present: bool = True
    state: DriveState = DriveState.UNCONFIGURED_GOOD
    cause: str = ""
    content: Content = Content.NOTHING
    spare: SpareRole | None = None
    """Kept while a spare stands in for a member: it becomes a spare again when the rebuild fails (row RB-06)."""
    foreign: ForeignConfig | None = None
    member_of: str = ""
    """Group its own metadata names, when its place there is taken or not yet given back."""
    is_awaiting_removal: bool = False
    is_broken: bool = False
    inserted_us: int = -(1 << 60)
    """Time of the simulation."""
    pulled_us: int = -1
    born_us: int = 0
    media_errors: int = 0
    pending: int = 0
    reallocated: int = 0
    uncorrectable: int = 0

    @property
    def coerced_bytes(self) -> int:
        return self.spec.size_bytes // COERCION_BYTES * COERCION_BYTES

    @property
    def label(self) -> str:
        return f"bay {self.bay} ({self.serial})" if self.bay is not None else f"drive {self.serial}"

    @property
    def is_predicted_to_fail(self) -> bool:
        return self.is_broken or self.pending + self.reallocated >= 40


class SimVolume(msgspec.Struct, frozen=True):
    """The file system on a virtual drive."""

    mount: Mount
    label: str


class SimGroup(msgspec.Struct):
    """A drive group with its one virtual drive."""

    id: str
    name: str
    level: RaidLevel
    spans: list[list[str]]
    """Drive ids in slot order; `missing-...` for a place whose drive nobody knows any more."""
    size_bytes: int
    stripe_bytes: int = levels.DEFAULT_STRIPE_BYTES
    has_bitmap: bool = True
    is_initialised: bool = False
    inconsistent_sectors: int = 0
    """What the next check will find."""
    mismatches: int | None = None
    checked_us: int | None = None
    volume: SimVolume | None = None
    needs_manual_rebuild: bool = False
    """A drive was lost during a migration (row RB-07)."""

    @property
    def vd_id(self) -> str:
        return self.id.replace("group", "vd")

    def place_of(self, drive: str) -> tuple[int, int] | None:
        for number, span in enumerate(self.spans):
            if drive in span:
                return number, span.index(drive)
        return None

    def empty_name(self, span: int, slot: int) -> str:
        return f"missing-{self.id}-{span * len(self.spans[0]) + slot}"


class SimTask(msgspec.Struct):
    id: str
    kind: TaskKind
    group: str = ""
    drive: str = ""
    """The one written."""
    source: str = ""
    """Of a copyback: the member that is copied."""
    progress: float = 0.0
    rate: int = 30
    """Percent; the one it was started with (row BG-06)."""
    is_paused: bool = False
    is_repair: bool = False
    new_level: RaidLevel | None = None
    new_size_bytes: int = 0


class SimState(msgspec.Struct):
    """The whole chassis."""

    drives: dict[str, SimDrive] = {}
    groups: dict[str, SimGroup] = {}
    tasks: dict[str, SimTask] = {}
    rates: Rates = Rates()
    elapsed_us: int = 0
    """Time of the simulation: stands still while nobody runs it."""
    wall_offset_us: int = 0
    """What makes wall time of it, now."""
    made: int = 0
    """Drives and groups made so far: their names follow from it."""

    # -- looking -----------------------------------------------------------------------------------------

    def drive(self, id: str) -> SimDrive:
        """Raises NotFound."""
        found = self.drives.get(id)
        if found is None or not (found.is_present or self.group_of(id)):
            raise NotFound(f"there is no drive {id}", "look at `watchdeck drive list`")
        return found

    def drive_in(self, bay: int) -> SimDrive | None:
        return next((drive for drive in self.drives.values() if drive.bay == bay and drive.is_present), None)

    def group_of(self, drive: str) -> SimGroup | None:
        return next((group for group in self.groups.values() if group.place_of(drive) is not None), None)

    def group(self, id: str) -> SimGroup:
        """By group id. Raises NotFound."""
        if id not in self.groups:
            raise NotFound(f"there is no drive group {id}", "look at `watchdeck raid list`")
        return self.groups[id]

    def group_with(self, virtual_drive: str) -> SimGroup:
        """By the virtual drive's id or name. Raises NotFound."""
        for group in self.groups.values():
            if virtual_drive in (group.vd_id, group.name):
                return group
        raise NotFound(f"there is no virtual drive {virtual_drive}", "look at `watchdeck raid list`")

    def is_working(self, group: SimGroup, drive: str) -> bool:
        found = self.drives.get(drive)
        return found is not None and found.state is DriveState.ONLINE

    def lost(self, group: SimGroup) -> list[int]:
        """Per span, members that do not work (yet)."""
        return [sum(not self.is_working(group, id) for id in span) for span in group.spans]

    def vd_state(self, group: SimGroup) -> VirtualDriveState:
        return levels.state_of(group.level, self.lost(group))

    def members(self, group: SimGroup) -> Iterator[SimDrive]:
        """Those that are known, in whatever state."""
        for span in group.spans:
            for id in span:
                if id in self.drives:
                    yield self.drives[id]

    def tasks_of(self, group: SimGroup, *kinds: TaskKind) -> list[SimTask]:
        """In the order in which they were started."""
        return [
            task
            for task in self.tasks.values()
            if task.group == group.id and (not kinds or task.kind in kinds)
        ]

    # -- making ------------------------------------------------------------------------------------------

    def make_drive(self, spec: DriveSpec, bay: int | None) -> SimDrive:
        """A new drive with a serial number and a WWN of its own."""
        self.made += 1
        digest = hashlib.sha256(f"watchdeck simulated drive {self.made}".encode()).hexdigest()
        serial = f"{'N' if spec.interface == 'NVMe' else 'Z'}{digest[:6].upper()}{self.made:02d}"
        wwn = f"0x5000c5{digest[6:16]}"
        drive = SimDrive(id=f"wwn-{wwn}", serial=serial, wwn=wwn, spec=spec, bay=bay, born_us=self.elapsed_us)
        if spec.is_system:
            drive.state, drive.cause = DriveState.PROTECTED, "holds the system"
        self.drives[drive.id] = drive
        return drive

    def make_group(self, name: str, level: RaidLevel, spans: list[list[str]]) -> SimGroup:
        """Its members online, in place."""
        self.made += 1
        sizes = [[self.drives[id].coerced_bytes for id in span if id in self.drives] for span in spans]
        size = sum(
            levels.data_drives(level, len(span)) * min(known)
            for span, known in zip(spans, sizes, strict=True)
        )
        group = SimGroup(id=f"sim-group-{self.made}", name=name, level=level, spans=spans, size_bytes=size)
        self.groups[group.id] = group
        for drive in self.members(group):
            drive.state, drive.cause, drive.spare, drive.foreign = DriveState.ONLINE, "", None, None
            drive.member_of, drive.content = "", Content.CURRENT
        return group


def new_state(layout: SimulatedLayout) -> SimState:
    """The chassis before anything happens."""
    state = SimState()
    for spec in layout.inner_drives:
        state.make_drive(spec, None)
    for bay, spec in sorted(layout.drives.items()):
        state.make_drive(spec, bay)
    at = {drive.bay: drive.id for drive in state.drives.values()}
    for vd in layout.virtual_drives:
        group = state.make_group(vd.name, vd.level, [[at[bay] for bay in span] for span in vd.spans])
        group.is_initialised = True
    for bay in layout.global_spares:
        spare = state.drives[at[bay]]
        spare.state, spare.spare = DriveState.HOT_SPARE, SpareRole(SpareKind.GLOBAL)
    return state

"""The steel as one object: everything that touches drives, arrays, lamps, sensors and file systems, behind one interface.

Blocking; methods may be called from several threads at once (a hung drive must not stop the lamps). Three things stand
behind it: this machine (local_hardware.py), a simulated chassis, and a connection to the privileged drive service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from storage.drives.detection import DetectedDrive
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.sensors import Sensor
from storage.drives.smart_report import SelfTestKind, SelfTestState, SmartReport
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import Inventory, VirtualDrive
from storage.raid.operations import RaidOperation


class ChassisLayout(msgspec.Struct, frozen=True, kw_only=True):
    """The front of the box: bay numbers row by row, top first (row BY-01: 4 5 6 7 over 0 1 2 3)."""

    name: str
    rows: tuple[tuple[int, ...], ...]
    has_mapping: bool = True
    """False: nobody has said which socket is which bay; `chassis learn` does."""

    @property
    def bays(self) -> tuple[int, ...]:
        return tuple(sorted(bay for row in self.rows for bay in row))


class MadeVolume(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual drive turned into a mounted file system."""

    path: str
    file_system: str
    uuid: str


class Hardware(Protocol):
    """What the engine can do to the box."""

    def layout(self) -> ChassisLayout: ...

    def inventory(self) -> Inventory:
        """All back-ends joined, drives with their bays."""
        ...

    def wakeups(self) -> Sequence[Wakeup]: ...

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        """See RaidBackend.plan; picks the back-end by the drives, groups or controller named."""
        ...

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory: ...

    def tend(self, inventory: Inventory) -> tuple[str, ...]: ...

    # -- drives ------------------------------------------------------------------------------------------

    def smart(self, drive: str) -> SmartReport:
        """One drive, by id. Does not wake a sleeping one. Raises NotFound, ToolMissing, CommandTimeout, DriveError."""
        ...

    def temperatures(self) -> Mapping[str, int]:
        """Drive id -> degrees Celsius, where the kernel knows it (hwmon): costs no command."""
        ...

    def activity(self) -> Mapping[str, int]:
        """Drive id -> read and write requests so far, from the kernel's counters: what the activity lamp follows."""
        ...

    def detect(self) -> tuple[DetectedDrive, ...]:
        """Which drives smartctl finds by itself: a second opinion. Opens each, so for people who ask and not for every look.
        Does not wake sleeping ones. Raises ToolMissing, CommandTimeout, DriveError."""
        ...

    def self_tests(self, drive: str) -> SelfTestState:
        """What it can run and what it runs now. Does not wake it. Raises NotFound, Unsupported, ToolMissing, CommandTimeout,
        DriveError."""
        ...

    def start_self_test(self, drive: str, kind: SelfTestKind) -> str:
        """Returns plain words: how long it takes. Raises Unsupported, DriveError."""
        ...

    def abort_self_test(self, drive: str) -> None: ...

    # -- lamps and sensors -------------------------------------------------------------------------------

    def show_trays(self, patterns: Mapping[int, TrayPattern], inventory: Inventory) -> tuple[str, ...]:
        """Bring the trays' lamps into this state (bay -> pattern); only what changed is written. Returns what could not be
        done, in plain words, each at most once a change. Bays that are not named are left alone."""
        ...

    def show_information(self, pattern: InformationPattern) -> tuple[str, ...]: ...

    def sensors(self) -> tuple[Sensor, ...]:
        """Empty where the box has no BMC and no hwmon. Raises ToolMissing, CommandTimeout, DriveError."""
        ...

    def beep(self, is_on: bool) -> None:
        """The box's own beeper, where there is one."""
        ...

    # -- file systems ------------------------------------------------------------------------------------

    def plan_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> tuple[Command, ...]:
        """GPT, one partition, the file system, a mount that survives reboots (by UUID). Changes nothing.
        Raises OperationRefused when the virtual drive carries anything already."""
        ...

    def make_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> MadeVolume: ...

    def unmake_volume(self, virtual_drive: VirtualDrive) -> None:
        """Unmount for good: before the virtual drive is deleted. Raises Conflict while files are open."""
        ...

    # -- learning the bays -------------------------------------------------------------------------------

    def learn(self, bay: int, drive: str) -> ChassisLayout:
        """The socket in which this drive is now is bay `bay`; kept in the chassis file."""
        ...

    def close(self) -> None: ...

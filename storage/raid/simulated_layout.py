"""What a simulated chassis looks like before anything happens to it: bays, drives, virtual drives, pace."""

from __future__ import annotations

from typing import Final

import msgspec

from storage.hardware import ChassisLayout
from storage.raid.states import DriveKind, RaidLevel

TB: Final = 10**12
FRONT_8: Final = ((4, 5, 6, 7), (0, 1, 2, 3))
"""Row BY-01."""
FRONT_16: Final = ((12, 13, 14, 15), (8, 9, 10, 11), (4, 5, 6, 7), (0, 1, 2, 3))


class DriveSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A drive as it comes out of its bag."""

    size_bytes: int = 6 * TB
    kind: DriveKind = DriveKind.HDD
    interface: str = "SATA"
    vendor: str = "ATLAS"
    model: str = "AT6000NR"
    firmware: str = "AN04"
    rotation_rpm: int | None = 7200
    hours: int = 9000
    is_system: bool = False
    """Holds the system: protected, in no bay."""


SYSTEM_DRIVE: Final = DriveSpec(
    size_bytes=512 * 10**9,
    kind=DriveKind.NVME,
    interface="NVMe",
    model="AT512NV",
    firmware="2.11",
    rotation_rpm=None,
    is_system=True,
)


class VirtualDriveSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual drive that exists from the start, initialised."""

    name: str
    level: RaidLevel
    spans: tuple[tuple[int, ...], ...]
    """Bays."""
    has_volume: bool = False
    """A file system is mounted on it from the start (SimulatedHardware: a folder of the virtual drive's name)."""


class SimulatedLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A chassis and what is in it."""

    name: str = "front-8"
    rows: tuple[tuple[int, ...], ...] = FRONT_8
    drives: dict[int, DriveSpec] = {}
    """Bay -> drive."""
    inner_drives: tuple[DriveSpec, ...] = (SYSTEM_DRIVE,)
    """In no bay."""
    virtual_drives: tuple[VirtualDriveSpec, ...] = ()
    global_spares: tuple[int, ...] = ()
    """Bays."""
    full_pass_s: float = 90.0
    """A whole drive read or written at a rate of 30 percent: hours on real steel, here short enough to watch."""
    settle_s: float = 10.0
    """A drive just inserted is not used before (row BY-12)."""

    @property
    def chassis(self) -> ChassisLayout:
        return ChassisLayout(name=self.name, rows=self.rows)

    def side_of(self, bay: int) -> str:
        """Half of the backplane, for enclosure affinity."""
        row = next((row for row in self.rows if bay in row), ())
        return "" if bay not in row else "left" if row.index(bay) < len(row) / 2 else "right"


def full_chassis(rows: tuple[tuple[int, ...], ...] = FRONT_8, name: str = "front-8") -> SimulatedLayout:
    """Every bay with an unconfigured drive."""
    return SimulatedLayout(name=name, rows=rows, drives={bay: DriveSpec() for row in rows for bay in row})


DEMO_LAYOUT: Final = SimulatedLayout(
    drives={bay: DriveSpec(hours=8000 + 400 * bay) for bay in range(8)},
    virtual_drives=(
        VirtualDriveSpec(name="A", level=RaidLevel.RAID5, spans=((0, 1, 2, 3),), has_volume=True),
        VirtualDriveSpec(name="B", level=RaidLevel.RAID5, spans=((4, 5, 6),), has_volume=True),
    ),
    global_spares=(7,),
)
"""The demo: two recorded virtual drives and a hot spare."""

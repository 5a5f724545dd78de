"""Rates in percent as md's speed limits.

md knows KiB/s for each array: it holds background work back to `sync_speed_min` when there is other work, and never exceeds
`sync_speed_max`. Percent are of what a drive of its kind can do by a stated model: a pass measured on an array in use says more
about the other work than about the drive, and a share of it would shrink at every measurement.
Both limits are set to the share, so that recording gets the rest and the work still ends at a time that can be foreseen.
The system's own limit (dev.raid.speed_limit_max) is never exceeded.
"""

from __future__ import annotations

from storage.raid.inventory import Rates
from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.look import Look
from storage.raid.md.memory import Memory
from storage.raid.md.sysfs import MdArray
from storage.raid.states import DriveKind, TaskKind
from storage.roots import Roots
from storage.volumes.block_chain import read_text

MODEL_KIB_S = {
    DriveKind.HDD: 180 * 1024,
    DriveKind.UNKNOWN: 180 * 1024,
    DriveKind.SSD: 450 * 1024,
    DriveKind.NVME: 1500 * 1024,
}
"""Sequential, averaged over the whole drive: what data sheets of surveillance drives say at the middle of the platter."""
_KERNEL_LIMIT_KIB_S = 200_000
_LEAST_KIB_S = 1000
_NEARLY = 0.9


def full_speed_kib_s(array: MdArray, look: Look) -> int:
    """Of its slowest member."""
    drives: list[ScannedDrive] = [
        drive for member in array.members if (drive := look.by_name.get(member.name)) is not None
    ]
    return min((MODEL_KIB_S[drive.kind] for drive in drives), default=MODEL_KIB_S[DriveKind.UNKNOWN])


def percent_for(array: MdArray, rates: Rates, memory: Memory) -> int | None:
    """By what the array is doing; None while it does nothing."""
    if array.action == "recover":
        return rates.initialisation if array.uuid in memory.initialising else rates.rebuild
    if array.action in ("check", "repair"):
        is_patrol = memory.checking.get(array.uuid) is TaskKind.PATROL_READ
        return rates.patrol_read if is_patrol else rates.check
    if array.action == "resync":
        return rates.initialisation
    return rates.migration if array.action == "reshape" else None


def limit_kib_s(array: MdArray, percent: int, look: Look, roots: Roots) -> int:
    system = read_text(roots.proc / "sys" / "dev" / "raid" / "speed_limit_max")
    ceiling = int(system) if system.isdecimal() else _KERNEL_LIMIT_KIB_S
    share = full_speed_kib_s(array, look) * percent // 100
    return min(ceiling, max(_LEAST_KIB_S, share))

"""A drive's temperature from the kernel (drivetemp for SATA and SAS, nvme's own). Other sensors of the box: hwmon.py.

Reading one is a command to the drive: it does not wake a sleeping one, but it may wait for one that does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from storage.volumes.block_chain import listed, read_text


@dataclass(frozen=True, slots=True)
class Limits:
    """The drive's own; None = it has none."""

    warning_c: int | None = None
    critical_c: int | None = None


def _folder(disk: Path) -> Path | None:
    device = disk / "device"
    for base in (device / "hwmon", device):
        for name in listed(base):
            if name.startswith("hwmon") and (base / name / "temp1_input").exists():
                return base / name
    return None


def _degrees(path: Path) -> int | None:
    text = read_text(path)
    try:
        milli = int(text)
    except ValueError:
        return None
    # What no drive survives is a limit that is not set (0 K, 65 261 C).
    return round(milli / 1000) if -60_000 < milli < 200_000 else None


def hwmon_temperature_c(disk: Path) -> int | None:
    """Of the drive whose folder below /sys/block this is."""
    folder = _folder(disk)
    return _degrees(folder / "temp1_input") if folder else None


def hwmon_limits(disk: Path) -> Limits:
    folder = _folder(disk)
    if folder is None:
        return Limits()
    return Limits(_degrees(folder / "temp1_max"), _degrees(folder / "temp1_crit"))

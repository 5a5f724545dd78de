"""What makes a mount survive a reboot: a systemd mount unit, or a line in fstab where systemd does not run. As text only.

Both name the file system by its UUID, and neither holds up the boot when the drives are missing (`nofail`).
"""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import PurePosixPath

DEVICE_TIMEOUT_S = 30
MARK = "# written by watchdeck"
"""Only what carries this is ever removed."""
_PLAIN = string.ascii_letters + string.digits + ":_."


def escaped_path(path: str) -> str:
    """As `systemd-escape --path` does: the name of the unit for this mount point (systemd.unit(5))."""
    parts = [part for part in PurePosixPath(path).parts if part != "/"]
    if not parts:
        return "-"
    escaped = ["".join(_escaped(char) for char in part) for part in parts]
    name = "-".join(escaped)
    return rf"\x2e{name[1:]}" if name.startswith(".") else name


def _escaped(char: str) -> str:
    return char if char in _PLAIN else "".join(rf"\x{byte:02x}" for byte in char.encode())


def unit_name(mount_point: str) -> str:
    return f"{escaped_path(mount_point)}.mount"


def device_drop_in(uuid: str) -> str:
    """Path below the unit folder of the file that limits the wait for the drive: a mount unit cannot say it itself."""
    return f"{_device_unit(uuid)}.d/50-watchdeck.conf"


def _device_unit(uuid: str) -> str:
    return f"{escaped_path(f'/dev/disk/by-uuid/{uuid}')}.device"


def unit_text(uuid: str, mount_point: str, file_system: str, label: str) -> str:
    """Percent signs are specifiers in units: doubled. Wanted by its device too: an array that comes up after the wait, or whose
    drives are inserted later, is mounted then."""
    where = mount_point.replace("%", "%%")
    return (
        f"{MARK}; `watchdeck` removes it with the volume\n"
        "[Unit]\n"
        f"Description=Recordings on {label.replace('%', '%%')}\n"
        "\n"
        "[Mount]\n"
        f"What=/dev/disk/by-uuid/{uuid}\n"
        f"Where={where}\n"
        f"Type={file_system}\n"
        f"Options=noatime,nofail,x-systemd.device-timeout={DEVICE_TIMEOUT_S}s\n"
        "\n"
        "[Install]\n"
        f"WantedBy=multi-user.target {_device_unit(uuid)}\n"
    )


def uuid_of_unit(text: str) -> str:
    """Of the file system that a unit of ours mounts."""
    prefix = "What=/dev/disk/by-uuid/"
    return next((line.removeprefix(prefix) for line in text.splitlines() if line.startswith(prefix)), "")


def place_of_unit(text: str) -> str:
    """Where a unit of ours mounts it."""
    lines = (line for line in text.splitlines() if line.startswith("Where="))
    return next(lines, "").removeprefix("Where=").replace("%%", "%")


def drop_in_text() -> str:
    return f"{MARK}\n[Unit]\nJobRunningTimeoutSec={DEVICE_TIMEOUT_S}s\n"


def _fstab_field(text: str) -> str:
    """Spaces, tabs, line ends and backslashes as octal (fstab(5))."""
    return "".join(rf"\{ord(char):03o}" if char in " \t\n\\" else char for char in text)


def fstab_line(uuid: str, mount_point: str, file_system: str) -> str:
    options = f"noatime,nofail,x-systemd.device-timeout={DEVICE_TIMEOUT_S}s"
    return f"UUID={uuid} {_fstab_field(mount_point)} {file_system} {options} 0 2"


def fstab_with(text: str, line: str) -> str:
    """The line at the end, marked; instead of ours for the same mount point where there is one."""
    mount_point = line.split()[1]
    kept = _without(text, lambda fields: fields[1] == mount_point)
    base = kept if not kept or kept.endswith("\n") else f"{kept}\n"
    return f"{base}{MARK}\n{line}\n"


def fstab_without(text: str, uuids: set[str], mount_points: set[str]) -> str:
    """Without our lines for these file systems and mount points; lines that others wrote stay."""
    sources = {f"UUID={uuid}" for uuid in uuids}
    places = {_fstab_field(point) for point in mount_points}
    return _without(text, lambda fields: fields[0] in sources or fields[1] in places)


def fstab_has(text: str, mount_point: str) -> bool:
    """Somebody else's line for this mount point."""
    lines = text.splitlines()
    return any(
        line.split()[1:2] == [_fstab_field(mount_point)] and (index == 0 or lines[index - 1] != MARK)
        for index, line in enumerate(lines)
        if not line.lstrip().startswith("#")
    )


def fstab_names(text: str, mount_point: str) -> bool:
    """Any line for this mount point, ours too."""
    lines = (line.split() for line in text.splitlines() if not line.lstrip().startswith("#"))
    return any(fields[1:2] == [_fstab_field(mount_point)] for fields in lines)


def _without(text: str, is_ours: Callable[[list[str]], bool]) -> str:
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        fields = line.split()
        is_marked = bool(kept) and kept[-1].rstrip("\n") == MARK
        if is_marked and len(fields) >= 2 and is_ours(fields):
            kept.pop()
            continue
        kept.append(line)
    return "".join(kept)

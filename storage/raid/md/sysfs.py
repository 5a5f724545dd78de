"""md arrays from /sys/block/md*/md (Documentation/admin-guide/md.rst): what is true about states.

Kernel names are only used within one look. What the kernel reports is kept as it is; what it means is view.py and stack.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from storage.drives.signatures import mdadm_uuid
from storage.drives.udev_data import udev_entry
from storage.plain_text import plain_text
from storage.roots import Roots
from storage.volumes.block_chain import listed, read_text

_SECTOR_BYTES = 512
_NEAR_2 = 0x102
"""Layout of raid10: one far copy, two near ones."""


class MdMember(msgspec.Struct, frozen=True, kw_only=True):
    """`dev-sdb` of an array."""

    name: str
    """sdb, sdb1, md11."""
    states: frozenset[str]
    """in_sync, spare, faulty, want_replacement, replacement, write_mostly, journal, blocked ..."""
    slot: int | None = None
    """Not unique: a replacement has the slot of the member it copies."""
    error_sectors: int = 0
    """Read errors corrected; forgotten when the array is assembled again."""
    offset_sectors: int = 0
    size_kib: int = 0
    is_there: bool = True
    """False: the kernel has no such block device any more, the array has not noticed."""

    @property
    def is_in_sync(self) -> bool:
        return "in_sync" in self.states and "faulty" not in self.states and self.is_there

    @property
    def is_faulty(self) -> bool:
        return "faulty" in self.states or not self.is_there

    @property
    def is_replacement(self) -> bool:
        return "replacement" in self.states

    @property
    def is_filling(self) -> bool:
        """Being written with the data of its slot."""
        return self.slot is not None and "spare" in self.states and not self.is_faulty

    @property
    def is_spare(self) -> bool:
        return self.slot is None and "spare" in self.states and not self.is_faulty


class MdArray(msgspec.Struct, frozen=True, kw_only=True):
    """One array at one moment."""

    device: str
    """md127."""
    number: str = ""
    """9:127."""
    uuid: str = ""
    """As mdadm writes it; empty for one without a superblock that has it."""
    name: str = ""
    """Given by mdadm --name, without the host."""
    level: str = ""
    """raid5; empty while inactive."""
    metadata: str = ""
    layout: int = 0
    wanted: int = 0
    """raid_disks."""
    state: str = ""
    """array_state: clean and write-pending change twice a second on an array in use."""
    degraded: int | None = None
    """None for levels that have no such file (raid0)."""
    action: str = "idle"
    done_sectors: int | None = None
    total_sectors: int | None = None
    is_delayed: bool = False
    speed_kib_s: int | None = None
    speed_limit_kib_s: int | None = None
    has_own_limit: bool = False
    sync_from_sectors: int = 0
    """Where a check that was interrupted goes on."""
    resync_from: int | None = None
    """None = in sync."""
    reshape_at: int | None = None
    mismatch_sectors: int | None = None
    last_action: str = ""
    chunk_bytes: int = 0
    component_bytes: int = 0
    size_bytes: int = 0
    has_bitmap: bool = False
    is_read_only: bool = False
    members: tuple[MdMember, ...] = ()
    holders: tuple[str, ...] = ()
    file_system_uuid: str = ""

    @property
    def is_active(self) -> bool:
        return self.state not in ("", "clear", "inactive")

    @property
    def is_redundant(self) -> bool:
        return self.level in ("raid1", "raid4", "raid5", "raid6", "raid10")

    @property
    def is_waiting_for_a_write(self) -> bool:
        return self.state == "read-auto"

    @property
    def is_near_pairs(self) -> bool:
        return self.level == "raid10" and self.layout == _NEAR_2 and self.wanted % 2 == 0

    def in_slot(self, slot: int) -> list[MdMember]:
        """The member first, its replacement after it."""
        found = [member for member in self.members if member.slot == slot]
        return sorted(found, key=lambda member: (member.is_replacement, member.name))

    def lost(self, first: int = 0, count: int | None = None) -> int:
        """Slots without a member in sync."""
        last = self.wanted if count is None else first + count
        return sum(not any(member.is_in_sync for member in self.in_slot(slot)) for slot in range(first, last))


def read_arrays(roots: Roots) -> list[MdArray]:
    """All of them, sorted by kernel name."""
    base = roots.sys / "block"
    folders = [base / name for name in listed(base) if name.startswith("md")]
    return [read_array(roots, folder) for folder in folders if (folder / "md").is_dir()]


def read_array(roots: Roots, folder: Path) -> MdArray:
    """Of /sys/block/md127."""
    md = folder / "md"

    def text(name: str) -> str:
        return read_text(md / name)

    number = read_text(folder / "dev")
    udev = udev_entry(roots, number)
    done, total = _pair(text("sync_completed"))
    limit = text("sync_speed_max")
    mode = read_text(folder / "ro")
    array_state = text("array_state")
    level = text("level")
    return MdArray(
        device=folder.name,
        number=number,
        uuid=_uuid(text("uuid")) or mdadm_uuid(udev.get("MD_UUID")),
        name=plain_text(udev.get("MD_NAME").rpartition(":")[2] or _linked_name(roots, folder.name)),
        level=level,
        metadata=text("metadata_version"),
        layout=_number(text("layout")) or 0,
        wanted=_number(text("raid_disks")) or 0,
        state=array_state,
        degraded=_number(text("degraded")),
        action=text("sync_action") or "idle",
        done_sectors=done,
        total_sectors=total,
        is_delayed=text("sync_completed") == "delayed",
        speed_kib_s=_number(text("sync_speed")),
        speed_limit_kib_s=_number(limit),
        has_own_limit="local" in limit,
        sync_from_sectors=_number(text("sync_min")) or 0,
        resync_from=_number(text("resync_start")) if level not in ("raid0", "linear", "") else None,
        reshape_at=_number(text("reshape_position")),
        mismatch_sectors=_number(text("mismatch_cnt")),
        last_action=text("last_sync_action"),
        chunk_bytes=_number(text("chunk_size")) or 0,
        component_bytes=(_number(text("component_size")) or 0) * 1024,
        size_bytes=(_number(read_text(folder / "size")) or 0) * _SECTOR_BYTES,
        has_bitmap=text("bitmap/location") not in ("", "none"),
        is_read_only=mode == "1" and array_state != "read-auto",
        members=tuple(_member(md / entry, folder.parent) for entry in listed(md) if entry.startswith("dev-")),
        holders=tuple(listed(folder / "holders")),
        file_system_uuid=_file_system(roots, folder, number),
    )


def _member(folder: Path, block: Path) -> MdMember:
    name = folder.name.removeprefix("dev-").replace("!", "/")
    return MdMember(
        name=name,
        states=frozenset(word for word in read_text(folder / "state").split(",") if word),
        slot=_number(read_text(folder / "slot")),
        error_sectors=_number(read_text(folder / "errors")) or 0,
        offset_sectors=_number(read_text(folder / "offset")) or 0,
        size_kib=_number(read_text(folder / "size")) or 0,
        # The link goes to the device itself: when a drive is gone and another one got its letter, it points nowhere.
        is_there=(folder / "block").exists() or not _is_link(folder / "block"),
    )


def _file_system(roots: Roots, folder: Path, number: str) -> str:
    """UUID of the file system on the array, or on its first partition that has one."""
    parts = [read_text(folder / name / "dev") for name in listed(folder) if name.startswith(folder.name)]
    for device in (number, *parts):
        udev = udev_entry(roots, device)
        if udev.get("ID_FS_USAGE") == "filesystem":
            return udev.get("ID_FS_UUID")
    return ""


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        return False


def _number(text: str) -> int | None:
    """The leading integer: `4 (3)` while it reshapes, `1000 (system)`, `none`."""
    found = re.match(r"-?\d+", text)
    return int(found[0]) if found else None


def _pair(text: str) -> tuple[int | None, int | None]:
    done, separator, total = text.partition("/")
    return (_number(done.strip()), _number(total.strip())) if separator else (None, None)


def _uuid(text: str) -> str:
    uuid = mdadm_uuid(text)
    return "" if uuid.strip("0:") == "" else uuid


def _linked_name(roots: Roots, device: str) -> str:
    """By /run/mdadm/map (`md127 1.2 UUID /dev/md/NAME`) where udev has not recorded it yet."""
    for line in read_text(roots.run / "mdadm" / "map").splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[0] == device and fields[3].startswith("/dev/md/"):
            return fields[3].removeprefix("/dev/md/")
    return ""

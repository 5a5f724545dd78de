"""A machine with md in a folder: sysfs and mdstat as the kernel shows them, and an mdadm that changes them.

The state machine behind it is small on purpose: what mdadm 4.2 and Linux 6.1 were seen to do with each command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from storage.command import Completed
from storage.errors import CommandTimeout
from storage.raid.md.backend import MdBackend
from storage.raid.states import DriveKind
from storage.roots import Roots

MIB = 1024 * 1024


@dataclass(kw_only=True)
class FakeDrive:
    device: str
    name: str
    id: str
    bay: int | None
    serial: str
    size_bytes: int = 512 * MIB
    place: str = ""
    side: str = ""
    wwn: str = ""
    model: str = "LABDISK"
    vendor: str = "WATCHDECK"
    firmware: str = "0001"
    sector_bytes: int = 512
    kind: DriveKind = DriveKind.HDD
    interface: str = "SAS"
    rotation_rpm: int | None = 7200
    partitions: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    signature: str = ""
    md_uuid: str = ""
    is_system: bool = False
    temperature_c: int | None = None


class FakeClock:
    def now_us(self) -> int:
        return 1_700_000_000_000_000

    def monotonic_us(self) -> int:
        return 5_000_000


def uuid_of(name: str) -> str:
    digits = name.encode().hex().ljust(32, "0")[:32]
    return ":".join(digits[at : at + 8] for at in range(0, 32, 8))


@dataclass
class Machine:
    """Drives sda.. in bays 0.. and whatever arrays a test writes."""

    folder: Path
    count: int = 8
    found: list[FakeDrive] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    statuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Words of a command -> what it says it did, whatever it did."""
    probed: dict[str, str] = field(default_factory=dict)
    """Device -> what blkid finds on it although nobody had recorded it."""
    is_asleep: bool = False
    """mdadm does nothing."""
    superblocks: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    """Kernel name -> events, place and the states of all places, as `mdadm --examine` tells of it."""
    is_dirty: bool = False
    """What the superblocks say: written to when it ended."""
    recovering: set[str] = field(default_factory=set)
    """Kernel names of members that were being rebuilt."""
    hanging: set[str] = field(default_factory=set)
    """Kernel names of drives that answer nobody."""
    stopped: tuple[str, str, int] | None = None
    """Device, level and places of the array that was stopped last."""

    def __post_init__(self) -> None:
        self.roots = Roots(
            sys=self.folder / "sys",
            proc=self.folder / "proc",
            dev=self.folder / "dev",
            run=self.folder / "run",
            etc=self.folder / "etc",
        )
        for name in ("sys/block", "proc/sys/dev/raid", "run/udev/data", "run/systemd/system", "dev", "etc"):
            (self.folder / name).mkdir(parents=True)
        (self.roots.proc / "mdstat").write_text("Personalities : [raid6]\nunused devices: <none>\n")
        for number in range(self.count):
            self.add_drive(number)

    def add_drive(self, number: int, *, serial: str = "", size_bytes: int = 512 * MIB) -> FakeDrive:
        name = f"sd{chr(97 + number)}"
        serial = serial or f"BAY{number:02d}"
        drive = FakeDrive(
            device=f"/dev/{name}",
            name=name,
            id=f"wwn-{serial}",
            bay=number,
            serial=serial,
            size_bytes=size_bytes,
        )
        (self.roots.sys / "block" / name / "device").mkdir(parents=True, exist_ok=True)
        (self.roots.sys / "block" / name / "device" / "delete").write_text("")
        self.found.append(drive)
        return drive

    def drives(self) -> Sequence[FakeDrive]:
        return list(self.found)

    def drive(self, number: int) -> FakeDrive:
        return next(drive for drive in self.found if drive.bay == number)

    def pull(self, number: int) -> FakeDrive:
        """What udev's `mdadm -If` leaves: the member is gone from its array."""
        drive = self.drive(number)
        self.found.remove(drive)
        for md in self.folders():
            self._remove(md, drive.name)
        return drive

    def backend(self) -> MdBackend:
        return MdBackend(
            self.roots, self.run, self, FakeClock(), self.folder / "state" / "md.json", pause=lambda _: None
        )

    # -- arrays ------------------------------------------------------------------------------------------

    def folders(self) -> list[Path]:
        return sorted(path for path in (self.roots.sys / "block").glob("md*/md"))

    def md(self, device: str) -> Path:
        return self.roots.sys / "block" / device / "md"

    def array(self, device: str, name: str, level: str, members: Sequence[str], **files: object) -> None:
        """In sync, read-write, idle."""
        md = self.md(device)
        md.mkdir(parents=True)
        number = f"9:{device.removeprefix('md')}"
        (md.parent / "dev").write_text(number)
        (md.parent / "size").write_text("1000000")
        (md.parent / "holders").mkdir(exist_ok=True)
        values: dict[str, object] = {
            "uuid": uuid_of(name).replace(":", "-"),
            "level": level,
            "metadata_version": "1.2",
            "raid_disks": len(members),
            "array_state": "clean",
            "component_size": 260096,
            "chunk_size": 262144,
            "layout": 258 if level == "raid10" else 2,
        }
        if level != "raid0":
            values |= {
                "sync_action": "idle",
                "sync_completed": "none",
                "sync_speed_max": "200000 (system)",
                "sync_speed_min": "1000 (system)",
                "sync_min": 0,
                "sync_max": "max",
                "mismatch_cnt": 0,
                "last_sync_action": "none",
                "resync_start": "none",
                "degraded": 0,
            }
        for file, value in (values | files).items():
            self.set(device, file, value)
        (self.roots.run / "udev" / "data" / f"b{number}").write_text(f"E:MD_NAME=any:{name}\n")
        for slot, member in enumerate(members):
            self.member(device, member, slot=slot)

    def member(
        self, device: str, member: str, *, slot: int | None, state: str = "in_sync", errors: int = 0
    ) -> None:
        folder = self.md(device) / f"dev-{member}"
        folder.mkdir(exist_ok=True)
        (folder / "state").write_text(state)
        (folder / "slot").write_text("none" if slot is None else str(slot))
        (folder / "errors").write_text(str(errors))
        (folder / "offset").write_text("4096")
        (folder / "size").write_text("260096")
        for drive in self.found:
            if drive.name == member:
                drive.signature = "linux_raid_member"
                text = (self.md(device) / "uuid").read_text().replace("-", "")
                drive.md_uuid = ":".join(text[at : at + 8] for at in range(0, 32, 8))
                drive.holders = (device,)
        self._write_mdstat()

    def set(self, device: str, file: str, value: object) -> None:
        (self.md(device) / file).write_text(str(value))
        self._write_mdstat()

    def get(self, device: str, file: str) -> str:
        return (self.md(device) / file).read_text()

    def _write_mdstat(self) -> None:
        lines = ["Personalities : [raid6]"]
        for md in self.folders():
            members = []
            for number, entry in enumerate(sorted(md.glob("dev-*"))):
                flags = "(F)" if "faulty" in (entry / "state").read_text() else ""
                members.append(f"{entry.name[4:]}[{number}]{flags}")
            is_active = (md / "array_state").exists() and (md / "array_state").read_text() != "inactive"
            head = f"active {(md / 'level').read_text()}" if is_active else "inactive"
            lines += [f"{md.parent.name} : {head} {' '.join(members)}", "      1000 blocks super 1.2", ""]
        (self.roots.proc / "mdstat").write_text("\n".join([*lines, "unused devices: <none>", ""]))

    def _remove(self, md: Path, member: str) -> None:
        folder = md / f"dev-{member}"
        if folder.is_dir():
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
        for drive in self.found:
            if drive.name == member:
                drive.holders = tuple(holder for holder in drive.holders if holder != md.parent.name)
        self._write_mdstat()

    # -- programs ----------------------------------------------------------------------------------------

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        status, said = 0, ""
        line = " ".join(argv)
        if argv[0] == "blkid":
            kind = self.probed.get(argv[-1], "")
            status, said = (0, f"TYPE={kind}\n") if kind else (2, "")
        elif line.startswith("mdadm --examine /dev/"):
            if argv[-1].removeprefix("/dev/") in self.hanging:
                raise CommandTimeout(f"{line} does not end", "look at the drive")
            said = self._examined(argv[-1].removeprefix("/dev/"))
            return Completed(argv=tuple(argv), status=0 if said else 1, output=said.encode(), errors=b"")
        elif line == "mdadm --version":
            return Completed(
                argv=tuple(argv), status=0, output=b"", errors=b"mdadm - v4.2 - 2021-12-30 - Debian 4.2-5\n"
            )
        elif argv[0] != "udevadm":
            self.ran.append(line)
            if not self.is_asleep:
                self._mdadm(list(argv))
        for words, answer in self.statuses.items():
            if words in line:
                status, said = answer
        errors = said.encode() if status and argv[0] != "blkid" else b""
        return Completed(argv=tuple(argv), status=status, output=said.encode(), errors=errors)

    def _mdadm(self, argv: list[str]) -> None:
        if argv[:2] == ["mdadm", "--create"]:
            self._create(argv)
        elif argv[:2] == ["mdadm", "--stop"]:
            self._stop(argv[2].removeprefix("/dev/"))
        elif argv[:4] == ["mdadm", "--assemble", "--force", "--run"]:
            self._assemble(
                argv[5].removeprefix("/dev/md/"), [word.removeprefix("/dev/") for word in argv[6:]]
            )
        elif argv[:2] == ["mdadm", "--readwrite"]:
            self.set(argv[2].removeprefix("/dev/"), "array_state", "clean")
        elif argv[:2] == ["mdadm", "--zero-superblock"]:
            self._forget(argv[2].removeprefix("/dev/"))
        elif argv[0] == "mdadm" and len(argv) > 3:
            self._manage(argv[1].removeprefix("/dev/"), argv[2], argv[3].removeprefix("/dev/"), argv)

    def _forget(self, name: str) -> None:
        for drive in self.found:
            if drive.name == name:
                drive.signature, drive.md_uuid, drive.holders = "", "", ()

    def _create(self, argv: list[str]) -> None:
        name = argv[2].removeprefix("/dev/md/")
        level = next(word.removeprefix("--level=") for word in argv if word.startswith("--level="))
        count = int(
            next(word.removeprefix("--raid-devices=") for word in argv if word.startswith("--raid-devices="))
        )
        nodes = [word for word in argv[3:] if word.startswith("/dev/")]
        names = [self._kernel_name(node) for node in nodes]
        device = f"md{127 - len(self.folders())}"
        self.array(device, name, f"raid{level}", names[:count])
        if level == "5":
            self.member(device, names[count - 1], slot=count - 1, state="spare")
            self.set(device, "sync_action", "recover")
            self.set(device, "degraded", 1)
        for spare in names[count:]:
            self.member(device, spare, slot=None, state="spare")

    def _kernel_name(self, node: str) -> str:
        if not node.startswith("/dev/md/"):
            return node.removeprefix("/dev/")
        wanted = node.removeprefix("/dev/md/")
        for record in (self.roots.run / "udev" / "data").iterdir():
            if re.search(rf"^E:MD_NAME=any:{re.escape(wanted)}$", record.read_text(), re.MULTILINE):
                return f"md{record.name.removeprefix('b9:')}"
        raise AssertionError(node)

    def _examined(self, name: str) -> str:
        if name not in self.superblocks:
            return ""
        events, place, states = self.superblocks[name]
        uuid = next(drive.md_uuid for drive in self.found if drive.name == name)
        return (
            f"/dev/{name}:\n     Feature Map : {0x3 if name in self.recovering else 0x1:#x}\n      Array UUID : {uuid}\n"
            f"            Name : any:A  (local to host any)\n      Raid Level : raid5\n"
            f"           State : {'active' if self.is_dirty else 'clean'}\n          Events : {events}\n"
            f"     Device Role : Active device {place}\n"
            f"     Array State : {states} ('A' == active, '.' == missing, 'R' == replacing)\n"
        )

    def _assemble(self, name: str, members: list[str]) -> None:
        assert self.stopped is not None
        device, level, count = self.stopped
        self.array(device, name, level, [], raid_disks=count, degraded=count - len(members))
        for member in members:
            self.member(device, member, slot=self.superblocks[member][1])

    def _stop(self, device: str) -> None:
        md = self.md(device)
        self.stopped = (device, self.get(device, "level"), int(self.get(device, "raid_disks")))
        for entry in list(md.glob("dev-*")):
            self._remove(md, entry.name[4:])
        for path in md.iterdir():
            path.unlink()
        md.rmdir()
        self._write_mdstat()
        for drive in self.found:
            drive.holders = tuple(holder for holder in drive.holders if holder != device)

    def _manage(self, device: str, action: str, member: str, argv: list[str]) -> None:
        if action == "--fail":
            self.member(device, member, slot=None, state="faulty")
        elif action == "--remove":
            self._remove(self.md(device), member)
        elif action in ("--add", "--add-spare", "--re-add"):
            slot = self._free_slot(device) if action != "--add-spare" else None
            self.member(device, member, slot=slot, state="spare")
            if slot is not None:
                self.set(device, "sync_action", "recover")
        elif action == "--replace":
            slot = int((self.md(device) / f"dev-{member}" / "slot").read_text())
            self.member(device, member, slot=slot, state="in_sync,want_replacement")
            self.member(device, argv[-1].removeprefix("/dev/"), slot=slot, state="spare,replacement")
            self.set(device, "sync_action", "recover")

    def _free_slot(self, device: str) -> int | None:
        taken = {(entry / "slot").read_text() for entry in self.md(device).glob("dev-*")}
        wanted = int(self.get(device, "raid_disks"))
        return next((slot for slot in range(wanted) if str(slot) not in taken), None)

"""A machine's sysfs, udev database, mount table and swap list below a folder, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from storage.command import Completed
from storage.roots import Roots


class FakeMachine:
    """Drives, partitions, arrays and mounts are added; everything is real files."""

    def __init__(self, folder: Path) -> None:
        self.roots = Roots(
            sys=folder / "sys",
            proc=folder / "proc",
            dev=folder / "dev",
            run=folder / "run",
            etc=folder / "etc",
        )
        for part in ("sys/block", "proc/self", "dev", "run/udev/data", "etc"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        self._mounts: list[str] = []
        self._swaps: list[str] = ["Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"]
        self._minor = 0
        self._write_tables()

    def add_drive(
        self,
        name: str,
        *,
        hctl: str = "",
        udev: dict[str, str] | None = None,
        sectors: int = 1_000_000,
        controller: str = "pci0000:00/0000:00:02.0",
        **files: str,
    ) -> Path:
        """`files`: `device__model="X"` writes device/model. Returns its folder below /sys/block."""
        device = self.roots.sys / "devices" / controller / (hctl or name)
        device.mkdir(parents=True, exist_ok=True)
        (device / "block" / name).mkdir(parents=True, exist_ok=True)
        folder = self._add_block(name, sectors, udev)
        (folder / "device").symlink_to(device)
        for key, text in files.items():
            self.write(folder, key.replace("__", "/"), text)
        return folder

    def add_partition(self, name: str, disk: str, udev: dict[str, str] | None = None) -> None:
        folder = self.roots.sys / "block" / disk / name
        folder.mkdir()
        self.write(folder, "partition", "1")
        self._number(folder, udev)

    def add_above(self, name: str, *below: str, udev: dict[str, str] | None = None) -> None:
        """An md array, dm device or whatever stands on these."""
        self._add_block(name, 1_000_000, udev)
        for slave in below:
            folder = self.folder(slave)
            (folder / "holders").mkdir(exist_ok=True)
            (folder / "holders" / name).mkdir()
            (self.folder(name) / "slaves").mkdir(exist_ok=True)
            (self.folder(name) / "slaves" / slave).mkdir()

    def add_slot(self, enclosure: str, folder: str, slot: int, drive: str = "", id: str = "") -> Path:
        place = self.roots.sys / "class" / "enclosure" / enclosure / folder
        self.write(place, "slot", str(slot))
        self.write(place, "locate", "0")
        self.write(place, "fault", "0")
        if id:
            self.write(place.parent, "id", id)
        if drive:
            (place / "device").symlink_to((self.folder(drive) / "device").resolve())
        return place

    def mount(self, name: str, path: str, file_system: str = "ext4", device: str = "") -> None:
        number = device or (self.folder(name) / "dev").read_text()
        escaped = path.replace(" ", r"\040")
        self._mounts.append(f"30 1 {number} / {escaped} rw,noatime shared:1 - {file_system} /dev/{name} rw")
        self._write_tables()

    def swap(self, source: str) -> None:
        self._swaps.append(f"{source}\tpartition\t100\t0\t-2")
        self._write_tables()

    def folder(self, name: str) -> Path:
        base = self.roots.sys / "block"
        if (base / name).exists():
            return base / name
        (found,) = base.glob(f"*/{name}")
        return found

    @staticmethod
    def write(folder: Path, name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _add_block(self, name: str, sectors: int, udev: dict[str, str] | None) -> Path:
        folder = self.roots.sys / "block" / name
        folder.mkdir(parents=True)
        self.write(folder, "size", str(sectors))
        self.write(folder, "stat", "10 0 80 1 5 0 40 1 0 2 2")
        self.write(folder, "queue/logical_block_size", "512")
        self.write(folder, "queue/rotational", "1")
        self._number(folder, udev)
        return folder

    def _number(self, folder: Path, udev: dict[str, str] | None) -> None:
        number = f"8:{self._minor}"
        self._minor += 1
        self.write(folder, "dev", number)
        if udev is not None:
            lines = "".join(f"E:{key}={value}\n" for key, value in udev.items())
            self.write(self.roots.run / "udev" / "data", f"b{number}", f"S:disk/by-id/x\nI:1\n{lines}V:1\n")

    def _write_tables(self) -> None:
        self.write(self.roots.proc, "self/mountinfo", "\n".join(self._mounts) + "\n")
        self.write(self.roots.proc, "swaps", "\n".join(self._swaps) + "\n")


class FakeRunner:
    """Answers by program name (or the whole line) and keeps what was asked."""

    def __init__(self, answers: dict[str, tuple[int, str, str] | Exception] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        assert timeout_s > 0
        self.asked.append(tuple(argv))
        answer = self.answers.get(" ".join(argv), self.answers.get(argv[0]))
        if answer is None:
            raise AssertionError(f"nobody expected {' '.join(argv)}")
        if isinstance(answer, Exception):
            raise answer
        status, output, errors = answer
        return Completed(argv=tuple(argv), status=status, output=output.encode(), errors=errors.encode())

    def lines(self) -> list[str]:
        return [" ".join(argv) for argv in self.asked]

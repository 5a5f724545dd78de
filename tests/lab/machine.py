"""`Machine`: a real Linux with drive bays, in QEMU. Bays are pulled and filled, the power is cut, commands are run.

    machine = Machine(folder, require_image(), scsi_bays=8)
    machine.insert(0, machine.drive("BAY0"))          # blank, before or after the start
    machine.start()
    machine.sh("cat /proc/mdstat")                    # output; an AssertionError when the command fails
    machine.pull(0); machine.power_cut(); machine.start()

KVM where it works, else emulation, which is some ten times slower: wait with `machine.until` and scale time limits with
`machine.patience`. The engine's socket appears as `machine.engine_socket`, the cameras' host is 10.0.2.2 for the guest.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.lab.guest_shell import Done, GuestShell
from tests.lab.image import Image, source_disk
from tests.lab.lab_drive import DEFAULT_SIZE_BYTES, LabDrive
from tests.lab.qemu_command import ENDS_WITH_US, has_kvm, qemu_command
from tests.lab.qmp import Qmp
from tests.rtsp.server import free_port

HOST = "10.0.2.2"
"""This machine, seen from the guest."""
BOOT_TIMEOUT_S = 30.0
QMP_TIMEOUT_S = 60.0
TCG_PATIENCE = 8.0
"""How much longer everything may take without KVM."""
POLL_S = 0.1

T = TypeVar("T")


class Machine:
    """Bays 0 … `scsi_bays`-1 are SAS/SATA-like, the `nvme_bays` after them NVMe (these are filled once it runs)."""

    def __init__(
        self,
        folder: Path,
        image: Image,
        *,
        scsi_bays: int = 8,
        nvme_bays: int = 1,
        memory_mb: int = 1536,
        has_screen: bool = False,
    ) -> None:
        self.folder = folder
        self.bays: dict[int, LabDrive] = {}
        self.nvme_bays = range(scsi_bays, scsi_bays + nvme_bays)
        self._scsi_bays = range(scsi_bays)
        self._image, self._memory_mb, self._has_screen = image, memory_mb, has_screen
        self._is_kvm = has_kvm(image.kernel)
        self.patience = 1.0 if self._is_kvm else TCG_PATIENCE
        self.boot_s = 0.0
        self.drives: list[LabDrive] = []
        """All that were made, wherever they are now."""
        self._qemu: subprocess.Popen[bytes] | None = None
        self._tunnel: subprocess.Popen[bytes] | None = None
        self._qmp: Qmp | None = None
        self._shell: GuestShell | None = None
        self._root, self._source = folder / "root.qcow2", folder / "source.img"
        self._console = folder / "console.log"
        self.engine_socket = folder / "engine.sock"
        _call("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.root), "-F", "raw", str(self._root))

    # -- drives ----------------------------------------------------------------------------------------

    def drive(
        self,
        serial: str,
        *,
        size_bytes: int = DEFAULT_SIZE_BYTES,
        can_fail: bool = False,
        is_nvme: bool = False,
    ) -> LabDrive:
        """A new, blank drive in no bay yet."""
        made = LabDrive.create(self.folder, serial, size_bytes=size_bytes, can_fail=can_fail, is_nvme=is_nvme)
        self.drives.append(made)
        return made

    def insert(self, bay: int, drive: LabDrive) -> None:
        """Put it in; a running guest sees it within moments (`wait_drive`)."""
        assert bay not in self.bays, f"bay {bay} holds {self.bays[bay].serial}"
        assert drive.is_nvme == (bay in self.nvme_bays), f"{drive.serial} does not fit into bay {bay}"
        self.bays[bay] = drive
        if self._qmp is not None:
            self._plug(bay, drive)

    def pull(self, bay: int) -> LabDrive:
        """Take it out, as a hand does: whatever was under way. Returns it, to be put back or elsewhere."""
        drive = self.bays.pop(bay)
        if self._qmp is not None:
            self._qmp.execute("device_del", id=f"bay{bay}")
            self._qmp.wait_event("DEVICE_DELETED", 30 * self.patience, device=f"bay{bay}")
            self._qmp.execute("blockdev-del", node_name=drive.node)
        return drive

    def place(self, bay: int) -> str:
        """udev's path of what is in a bay: the same whatever is put in, and after every boot."""
        if bay in self.nvme_bays:
            number = bay - self.nvme_bays.start + 1
            return f"/dev/disk/by-path/pci-0000:{number:02x}:00.0-nvme-1"
        return f"/dev/disk/by-path/pci-0000:00:04.0-scsi-0:0:{bay}:0"

    def wait_drive(self, bay: int) -> str:
        """The kernel's name, as /dev/sdx, of the drive in the bay, once udev is done with it."""
        serial = self.bays[bay].serial
        script = f"udevadm settle && udevadm info --query=property {self.place(bay)} && readlink -f {self.place(bay)}"
        out = self.until(
            lambda: self.run("sh", "-c", script).out, lambda out: serial in out, f"{serial} seen"
        )
        return out.split()[-1]

    def wait_gone(self, bay: int) -> None:
        """Until the guest has noticed that the bay is empty."""
        self.until(
            lambda: self.run("test", "-e", self.place(bay)).exit_code,
            lambda code: code != 0,
            f"bay {bay} empty",
        )

    def warn_nvme(self, bay: int, bits: int) -> None:
        """The drive's critical warning: 1 spare low, 2 temperature, 4 reliability, 8 read-only, 16 backup; 0 none."""
        assert bay in self.nvme_bays, f"bay {bay} is not NVMe"
        path = f"/machine/peripheral/bay{bay}"
        self.qmp.execute("qom-set", path=path, property="smart_critical_warning", value=bits)

    # -- power -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Switch on and wait until commands can be run."""
        assert self._qemu is None, "it runs already"
        if not self._source.exists():  # a reboot does not change what is installed
            source_disk(self._source)
        started = time.monotonic()
        door = free_port()
        with (self.folder / "qemu.log").open("ab") as log:
            self._qemu = subprocess.Popen(
                qemu_command(
                    self.folder,
                    self._image,
                    self.bays,
                    self.nvme_bays,
                    is_kvm=self._is_kvm,
                    memory_mb=self._memory_mb,
                    door=door,
                    has_screen=self._has_screen,
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        try:
            self._qmp = Qmp(self.folder / "qmp.sock", QMP_TIMEOUT_S)
            self._shell = GuestShell(self.folder / "agent.sock", QMP_TIMEOUT_S)
            is_up = self._shell.wait_ready(BOOT_TIMEOUT_S * self.patience)
        except OSError as error:
            raise AssertionError(f"QEMU: {error}\n{_tail(self.folder / 'qemu.log')}") from error
        if not is_up:
            raise AssertionError(f"the guest does not start:\n{_tail(self._console)}")
        self.boot_s = time.monotonic() - started
        for bay in sorted(self.bays.keys() & set(self.nvme_bays)):
            self._plug(bay, self.bays[bay])
        self.engine_socket.unlink(missing_ok=True)
        self._tunnel = subprocess.Popen(
            [*ENDS_WITH_US, "socat", f"UNIX-LISTEN:{self.engine_socket},fork", f"TCP:127.0.0.1:{door}"]
        )

    def power_cut(self) -> None:
        """Now. The guest's page cache is gone, and what drives made with `can_fail` had not been told to flush."""
        assert self._qemu is not None, "it does not run"
        self._qemu.kill()
        self._gone()
        for drive in self.bays.values():
            if drive.faults is not None:
                drive.faults.lose_power()

    def shut_down(self) -> None:
        """In order: services stopped, file systems unmounted, arrays marked clean."""
        assert self._qemu is not None, "it does not run"
        try:
            self.run("systemctl", "--no-block", "poweroff")
        except ConnectionError:  # it was off before it could answer
            pass
        try:
            self._qemu.wait(90 * self.patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the guest does not shut down:\n{_tail(self._console)}") from None
        self._gone()

    def close(self) -> None:
        """Off, whatever its state, and nothing left behind but files."""
        if self._qemu is not None:
            self._qemu.kill()
            self._gone()
        for drive in self.drives:
            drive.close()

    # -- what is done in the guest ---------------------------------------------------------------------

    def run(self, *argv: str, timeout_s: float = 30, stdin: bytes = b"") -> Done:
        """A command without a shell; the time limit is one for KVM."""
        return self.shell.run(list(argv), stdin=stdin, timeout_s=timeout_s * self.patience)

    def sh(self, script: str, *, timeout_s: float = 30) -> str:
        """What a script prints; one that fails fails the test, with all it said."""
        done = self.run("bash", "-ec", script, timeout_s=timeout_s)
        why = "ran out of time" if done.timed_out else f"ended with {done.exit_code}"
        assert done.exit_code == 0, f"{script!r} {why}\n{done.out}{done.err}\n{_tail(self._console, 15)}"
        return done.out

    def watchdeck(self, line: str, *, timeout_s: float = 60, stdin: bytes = b"") -> Done:
        """The command line in the guest: `machine.watchdeck("drive list --json")`."""
        return self.run("watchdeck", *shlex.split(line), timeout_s=timeout_s, stdin=stdin)

    def watchdeck_json(self, line: str, *, timeout_s: float = 60) -> Any:
        """The same with `--json`, which must succeed."""
        done = self.watchdeck(f"{line} --json", timeout_s=timeout_s)
        assert done.exit_code == 0, f"watchdeck {line}: {done.exit_code}\n{done.out}{done.err}"
        return json.loads(done.out)

    def put(self, path: str, data: bytes) -> None:
        done = self.run("sh", "-c", f"cat >{shlex.quote(path)}", stdin=data, timeout_s=60)
        assert done.exit_code == 0, f"{path} cannot be written: {done.err}"

    def get(self, path: str) -> bytes:
        answer, out, err = self.shell.run_bytes(["cat", path], timeout_s=60 * self.patience)
        assert answer["exit_code"] == 0, f"{path} cannot be read: {err.decode(errors='replace')}"
        return out

    def until(self, ask: Callable[[], T], truth: Callable[[T], bool], what: str, timeout_s: float = 30) -> T:
        """Ask until the answer is as it should be; a failure says what was waited for and what was seen."""
        end = time.monotonic() + timeout_s * self.patience
        while not truth(answer := ask()):
            if time.monotonic() > end:
                raise AssertionError(
                    f"waited {timeout_s * self.patience:g} s for: {what}; last: {answer}\n{_tail(self._console, 15)}"
                )
            time.sleep(POLL_S)
        return answer

    @property
    def shell(self) -> GuestShell:
        assert self._shell is not None, "the machine is off"
        return self._shell

    @property
    def qmp(self) -> Qmp:
        assert self._qmp is not None, "the machine is off"
        return self._qmp

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside ----------------------------------------------------------------------------------------

    def _plug(self, bay: int, drive: LabDrive) -> None:
        self.qmp.raw("blockdev-add", drive.block_device)
        self.qmp.raw("device_add", drive.device(bay))

    def _gone(self) -> None:
        """QEMU has ended or was told to: take down what was connected to it."""
        qemu, self._qemu = self._qemu, None
        if qemu is not None:
            qemu.wait(30)
        if self._qmp is not None:
            self._qmp.close()
        if self._shell is not None:
            self._shell.close()
        self._qmp = self._shell = None
        tunnel, self._tunnel = self._tunnel, None
        if tunnel is not None:
            tunnel.terminate()
            tunnel.wait(10)


def _call(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=60)


def _tail(path: Path, lines: int = 40) -> str:
    """The end of a log, for the message of a test that failed."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])

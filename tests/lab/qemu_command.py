"""The command line of QEMU for a machine with drive bays: SCSI bays on one adapter, NVMe bays on slots that can be unplugged."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.lab.image import Image
from tests.lab.lab_drive import LabDrive

DOOR_PORT = 7000
"""In the guest: the engine's socket (watchdeck-lab-door.service)."""
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""In front of a command: a test run that is killed leaves no machine behind."""
KVM_PROBE_S = 8
# Not every machine that is itself virtual can set the register behind arch-capabilities.
KVM = ("-accel", "kvm", "-cpu", "host,arch-capabilities=off")
TCG = ("-accel", "tcg,thread=multi", "-cpu", "max")
# The root is an NVMe drive: the cloud kernel mounts one without an initrd. Bays of NVMe are filled after the boot, or
# the root might get another name.
KERNEL_LINE = (
    "console=ttyS0 root=/dev/nvme0n1 rw quiet loglevel=4 net.ifnames=0 tsc=unstable nokaslr mitigations=off "
    "systemd.show_status=false systemd.log_level=notice"
)


@cache
def has_kvm(kernel: Path) -> bool:
    """Whether the guest's kernel runs under KVM here: /dev/kvm may be there and not be able to (a virtual machine in another).

    It is started without a root, finds none and switches off, within two seconds when all is well.
    """
    if os.environ.get("WATCHDECK_LAB_ACCEL") == "tcg" or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    command = ["qemu-system-x86_64", "-machine", "q35", *KVM, "-m", "512", "-nodefaults", "-display", "none"]
    command += ["-no-reboot", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1", "-serial", "stdio"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=KVM_PROBE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and b"Kernel panic" in done.stdout


def qemu_command(
    folder: Path,
    image: Image,
    bays: Mapping[int, LabDrive],
    nvme_bays: range,
    *,
    is_kvm: bool,
    memory_mb: int,
    door: int,
    has_screen: bool = False,
) -> list[str]:
    """Sockets, logs and the root's overlay are in `folder`; `door` is the host's port that leads to the engine.

    `has_screen`: a VGA in text mode with the first virtual terminal on it, and a keyboard.
    """
    command = [
        *ENDS_WITH_US,
        *("qemu-system-x86_64", "-machine", "q35", "-smp", "2", "-m", str(memory_mb)),
        *(KVM if is_kvm else TCG),
        *("-nodefaults", "-display", "none", "-no-reboot", "-rtc", "base=utc"),
        *("-kernel", str(image.kernel), "-append", KERNEL_LINE),
        *("-serial", "file:console.log", "-qmp", "unix:qmp.sock,server=on,wait=off"),
        *("-drive", "file=root.qcow2,if=none,id=root,format=qcow2,cache=writeback,discard=unmap"),
        *("-device", "nvme,drive=root,serial=ROOT,addr=0x2"),
        *("-drive", "file=source.img,if=none,id=source,format=raw,readonly=on"),
        *("-device", "virtio-blk-pci,drive=source,serial=SOURCE,addr=0x3"),
        *("-device", "virtio-scsi-pci,id=bays,addr=0x4", "-device", "virtio-rng-pci,addr=0x5"),
        *(
            "-device",
            "virtio-serial-pci,addr=0x6",
            "-chardev",
            "socket,id=agent,path=agent.sock,server=on,wait=off",
        ),
        *("-device", "virtserialport,chardev=agent,name=lab.agent"),
        *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{door}-:{DOOR_PORT}"),
        *("-device", "virtio-net-pci,netdev=net,addr=0x7"),
    ]
    if has_screen:
        command += ["-device", "VGA,addr=0x8"]
    for number, bay in enumerate(nvme_bays):
        slot = f"pcie-root-port,id=slot{bay},chassis={bay + 1},slot={bay + 1},addr={0x10 + number:#x}"
        command += ["-device", slot]
    for bay, drive in sorted(bays.items()):
        if bay not in nvme_bays:
            command += ["-blockdev", json.dumps(drive.block_device)]
            command += ["-device", json.dumps(drive.device(bay))]
    return command

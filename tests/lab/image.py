"""The guest's root file system and kernel: Debian bookworm with real md, built once and cached.

The image holds the system, the tools the engine calls and the libraries of requirements.txt, byte-compiled (Python starts
slowly where the processor is emulated). Watchdeck's own source is not in it: `source_disk` makes a second, read-only
drive of the work tree as it is, so that an edit of the source costs a second and not a new image.

The key of the cache is the hash of everything that goes in. Mirrors and package indexes are those this machine's apt and
pip are set to.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUEST = Path(__file__).with_name("guest")
REQUIREMENTS = ROOT / "requirements.txt"
SOURCE_PACKAGES = ("engine", "storage", "tui", "widgets", "packaging")

SUITE = "bookworm"
KERNEL_PACKAGE = "linux-image-cloud-amd64"
"""Has every md personality, XFS, ext4, NVMe and virtio, and mounts an NVMe root without an initrd."""
PACKAGES = (
    *("systemd", "systemd-sysv", "udev", "kmod", "dbus", "iproute2", "socat"),
    *("python3", "mdadm", "gdisk", "fdisk", "xfsprogs", "e2fsprogs", "dmsetup"),
    *("smartmontools", "ledmon", "sg3-utils", "nvme-cli", "hdparm", "ipmitool"),
)
GUEST_PYTHON = (3, 11)
GUEST_LIBRARIES = "usr/local/lib/python3.11/dist-packages"
WHEEL_PLATFORMS = (
    "manylinux_2_34_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
)
UNUSED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/cache/apt",
    "var/lib/apt/lists",
)
MASKED_UNITS = (
    *(
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "dpkg-db-backup.timer",
        "e2scrub_all.timer",
        "fstrim.timer",
    ),
    *("e2scrub_reap.service", "systemd-networkd-wait-online.service", "systemd-update-utmp.service"),
    *("getty.target", "smartmontools.service", "openipmi.service", "nvmf-autoconnect.service"),
    *("systemd-logind.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount"),
    *("sys-kernel-debug.mount", "sys-kernel-tracing.mount", "dev-hugepages.mount", "dev-mqueue.mount"),
    # The engine plans checks itself; Debian's would begin one on the first Sunday of a month.
    *("mdcheck_start.timer", "mdcheck_continue.timer", "mdmonitor-oneshot.timer"),
)
ENABLED_UNITS = ("systemd-networkd.service", "watchdeck-lab-door.service")
ROOT_MB = 2048
SOURCE_MB = 48
BUILD_TIMEOUT_S = 1200


@dataclass(frozen=True, slots=True)
class Image:
    """What a machine boots from; both files are never written to."""

    root: Path
    kernel: Path


def cache_folder() -> Path:
    return Path(os.environ.get("WATCHDECK_LAB_CACHE") or Path.home() / ".cache" / "watchdeck-lab")


def require_image() -> Image:
    """The image, built now if it is not in the cache; skips, saying why, where it cannot be built."""
    folder = cache_folder() / _recipe_hash()
    image = Image(folder / "root.img", folder / "vmlinuz")
    if image.root.exists() and image.kernel.exists():
        return image
    if os.geteuid() != 0:
        pytest.skip(f"no lab image in {folder}, and building one (debootstrap) needs root")
    for tool in ("debootstrap", "mke2fs", "apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            pytest.skip(
                f"no lab image in {folder}, and {tool} to build one is missing (packaging/install-test-tools)"
            )
    mirror = apt_mirror()
    if mirror is None:
        pytest.skip(f"no lab image in {folder}, and this machine's apt knows no mirror of Debian {SUITE}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_builder(folder.parent):
        if not image.root.exists():
            _build(folder, mirror)
    return image


def apt_mirror() -> str | None:
    """Where this machine's apt gets Debian's main archive of our suite from."""
    targets = _run("apt-get", "indextargets", "--format", "$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)")
    for line in targets.splitlines():
        origin, suite, component, uri = line.split("|", 3)
        if (origin, suite, component) == ("Debian", SUITE, "main"):
            return uri
    return None


def source_disk(path: Path) -> None:
    """A read-only ext4 drive of the work tree's source as it is now, byte-compiled for the guest's Python."""
    with TemporaryDirectory(prefix="watchdeck-source-") as name:
        folder = Path(name)
        for package in SOURCE_PACKAGES:
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        if sys.version_info[:2] == GUEST_PYTHON:  # else the guest compiles at every start: slower, not wrong
            _run(
                *(sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
                *("-s", str(folder), "-p", "/opt/watchdeck", str(folder)),
            )
        _make_ext4(folder, path, SOURCE_MB, "lab-source")


def _build(folder: Path, mirror: str) -> None:
    with TemporaryDirectory(prefix="building-", dir=folder.parent) as name:
        work = Path(name)
        root = work / "root"
        _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), mirror)
        version = _install_kernel(work, root)
        _install_libraries(root)
        _set_up(root)
        result = work / "result"
        result.mkdir()
        shutil.copyfile(work / "kernel" / "boot" / f"vmlinuz-{version}", result / "vmlinuz")
        _make_ext4(root, result / "root.img", ROOT_MB, "lab-root")
        result.rename(folder)


def _install_kernel(work: Path, root: Path) -> str:
    """Unpack the kernel package that the meta package names now; its version."""
    depends = _run("apt-cache", "depends", KERNEL_PACKAGE).split()
    package = next(
        (word for word in depends if word.startswith("linux-image-") and word != KERNEL_PACKAGE), None
    )
    if package is None:
        raise RuntimeError(f"apt does not say which kernel {KERNEL_PACKAGE} stands for: {depends}")
    # Root's apt drops its privileges to download where its user may write, and complains where it may not.
    _run("apt-get", "-o", "APT::Sandbox::User=root", "download", package, cwd=work)
    [archive] = work.glob("linux-image-*.deb")
    unpacked = work / "kernel"
    _run("dpkg-deb", "-x", str(archive), str(unpacked))
    version = package.removeprefix("linux-image-")
    # Not unpacked over the root: /lib is a link there, and dpkg-deb would put a folder in its place.
    shutil.copytree(
        unpacked / "lib" / "modules" / version, root / "usr" / "lib" / "modules" / version, symlinks=True
    )
    _run("chroot", str(root), "depmod", version)
    return version


def _install_libraries(root: Path) -> None:
    target = root / GUEST_LIBRARIES
    version = ".".join(map(str, GUEST_PYTHON))
    platforms = [word for platform in WHEEL_PLATFORMS for word in ("--platform", platform)]
    _run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--require-hashes"),
        *("--only-binary=:all:", "--implementation", "cp", "--python-version", version, *platforms),
        *("--target", str(target), "-r", str(REQUIREMENTS)),
    )
    (target / "watchdeck.pth").write_text("/opt/watchdeck\n")
    _run(
        *("chroot", str(root), "python3", "-m", "compileall", "-q", "-j", "0"),
        *("--invalidation-mode", "unchecked-hash", f"/{GUEST_LIBRARIES}"),
        may_fail=True,  # libraries carry templates that are not Python
    )


def _set_up(root: Path) -> None:
    shutil.copytree(GUEST, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "opt" / "watchdeck").mkdir(parents=True)
    # As packaging/watchdeck.service says.
    _run(
        *("chroot", str(root), "useradd", "--system", "--home-dir", "/var/lib/watchdeck"),
        *("--shell", "/usr/sbin/nologin", "watchdeck"),
    )
    for unit in MASKED_UNITS:
        _run("chroot", str(root), "systemctl", "mask", unit)
    for unit in ENABLED_UNITS:
        _run("chroot", str(root), "systemctl", "enable", unit)
    (root / "etc" / "machine-id").write_text("6c61622d6775657374000000000000ab\n")
    for name in UNUSED:
        shutil.rmtree(root / name, ignore_errors=True)


def _make_ext4(folder: Path, path: Path, megabytes: int, label: str) -> None:
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-d", str(folder), str(path), f"{megabytes}M")


def _recipe_hash() -> str:
    inputs = [Path(__file__), REQUIREMENTS, *sorted(path for path in GUEST.rglob("*") if path.is_file())]
    recipe = hashlib.sha256()
    for path in inputs:
        if "__pycache__" not in path.parts:
            recipe.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return recipe.hexdigest()[:16]


@contextmanager
def _one_builder(folder: Path) -> Iterator[None]:
    """Test processes that start together wait for one of them to build."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*argv: str, cwd: Path | None = None, may_fail: bool = False) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False
    )
    if done.returncode != 0 and not may_fail:
        raise RuntimeError(
            f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
    return done.stdout

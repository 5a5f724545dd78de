"""A small file system of its own on a loop device: to be filled, made read-only, and cut off."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(image: Path, folder: Path, *options: str) -> Iterator[Path]:
    """Mounts an image file; unmounts whatever happens. Needs root and loop devices, else the test is skipped."""
    if os.getuid() != 0 or not Path("/dev/loop-control").exists():
        pytest.skip("mounting a loop device needs root and /dev/loop-control")
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-o", ",".join(["loop", *options]), str(image), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"this machine does not mount loop devices: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def new_image(path: Path, size_mib: int) -> Path:
    """An empty ext4 in a file."""
    with path.open("wb") as file:
        file.truncate(size_mib << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(path)], check=True)
    return path


def cut_power(image: Path, copy: Path) -> Path:
    """What a power cut leaves: only what has reached the image, not what the page cache of the mount still holds."""
    shutil.copyfile(image, copy)
    return copy

"""The lab's image, and a machine that the tests of a module share."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.image import Image, require_image
from tests.lab.machine import Machine

BEGAN = time.monotonic()
MINUTES = float(os.environ.get("WATCHDECK_LAB_MINUTES", "inf"))
"""When they are used up the rest is skipped, by name: for runs that must end, on machines that emulate slowly."""


LAST = ("test_many_cameras.py", "test_md_contract.py")
"""What is proven elsewhere too, or takes longest: the rest is not to be skipped for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name in LAST)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if time.monotonic() - BEGAN > MINUTES * 60:
        pytest.skip(f"the {MINUTES:g} minutes of WATCHDECK_LAB_MINUTES are used up")


@pytest.fixture(scope="session")
def image() -> Image:
    for tool in ("qemu-system-x86_64", "qemu-img", "mke2fs", "socat"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (packaging/install-test-tools)")
    return require_image()


@pytest.fixture(scope="module")
def machine(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Off and with empty bays: the module's own fixture fills it and switches it on."""
    folder: Path = tmp_path_factory.mktemp("machine")
    with Machine(folder, image) as made:
        yield made
    shutil.rmtree(folder)  # gigabytes

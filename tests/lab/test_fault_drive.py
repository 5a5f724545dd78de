"""The drive that fails on command, without a machine around it: it does what it is told, or the cases prove nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fault_drive import SECTOR_BYTES, FaultDrive

SIZE_BYTES = 1 << 20


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[FaultDrive]:
    made = FaultDrive(tmp_path / "drive.img", SIZE_BYTES)
    yield made
    made.close()


def test_a_power_cut_takes_back_what_was_written_since_the_last_flush(drive: FaultDrive) -> None:
    assert drive.write(0, b"a" * 4096)
    assert drive.flush()
    assert drive.write(0, b"b" * 4096)
    assert drive.write(2048, b"c" * 4096)
    drive.lose_power()
    assert drive.read(0, 4096) == b"a" * 4096
    assert drive.read(4096, 2048) == bytes(2048)
    assert drive.counted.lost_writes == 2


def test_pending_sectors_heal_when_they_are_rewritten_and_dead_ones_never(drive: FaultDrive) -> None:
    drive.make_pending(8)
    drive.make_dead(16)
    assert drive.read(0, 8 * SECTOR_BYTES) is not None
    assert drive.read(0, 9 * SECTOR_BYTES) is None
    assert drive.write(8 * SECTOR_BYTES, b"x" * SECTOR_BYTES)
    assert drive.write(16 * SECTOR_BYTES, b"x" * SECTOR_BYTES)
    assert drive.read(8 * SECTOR_BYTES, SECTOR_BYTES) == b"x" * SECTOR_BYTES
    assert drive.read(16 * SECTOR_BYTES, SECTOR_BYTES) is None
    assert (drive.pending_sectors, drive.counted.healed_sectors) == (0, 1)


def test_a_write_that_fails_writes_nothing(drive: FaultDrive) -> None:
    drive.fails_writes = True
    assert not drive.write(0, b"x" * 512)
    assert not drive.flush()
    drive.heal()
    assert drive.read(0, 512) == bytes(512)

"""RAID 6, 10, 50 and 60 under a station that records: what each level can lose it loses without a picture missing.

The cases share one machine and eight drives; each sets its level up and takes it down again, also when it fails: none takes
the next ones down with it. A camera records meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from engine.wire_chassis import (
    AssignSpare,
    DriveState,
    JobState,
    RaidLevel,
    ReleaseSpare,
    SetGood,
    SetUpStorage,
    TakeDownVolume,
    TrayPattern,
    VirtualDriveState,
)
from tests.lab.lab_drive import MIB
from tests.lab.machine import Machine
from tests.lab.station import Station, camera_stream
from tests.rtsp.server import RtspServer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

BAYS = range(8)
SIZE_BYTES = 400 * MIB
"""Two of them hold an XFS with a stripe; mkfs.xfs wants a log larger than a smaller one has room for."""
REBUILD_S = 90
SETTLE_S = 20


@pytest.fixture(scope="module")
def station(machine: Machine) -> Iterator[Station]:
    """Eight blank drives, and a camera that has nowhere to record to yet."""
    for bay in BAYS:
        machine.insert(bay, machine.drive(f"BAY{bay}", size_bytes=SIZE_BYTES))
    machine.start()
    with RtspServer([camera_stream(machine.folder, "gate")]) as server:
        made = Station(machine, server, ("gate",))
        made.install()
        made.start()
        made.add_cameras()
        yield made


@contextmanager
def recording_on(
    station: Station, level: RaidLevel, bays: Sequence[int], name: str, spans: int = 0
) -> Iterator[None]:
    drives = tuple(station.drive_id(bay) for bay in bays)
    wanted = SetUpStorage(level=level, drives=drives, names=(name,), group_each=False, spans=spans)
    try:
        station.until_allowed(wanted)
        station.do(wanted, 180)
        station.until_recording()
        made = station.virtual_drive(name)
        assert (made.level, made.state) == (level, VirtualDriveState.ONLINE)
        station.until_quiet()
        yield
    finally:
        make_free(station, name)


def make_free(station: Station, name: str) -> None:
    """Whatever a case has left: the next one finds blank drives in all bays, and no job that has them in hand."""
    machine = station.machine
    station.give_up_jobs()
    if (left := station.chassis().inventory.virtual_drive(name)) is not None:
        station.do(TakeDownVolume(virtual_drive=left.id), 180)
    for bay in BAYS:
        if bay not in machine.bays:
            machine.insert(bay, next(drive for drive in machine.drives if drive.serial == f"BAY{bay}"))
            machine.wait_drive(bay)
    for bay in BAYS:
        serial = machine.bays[bay].serial
        seen = station.until(
            lambda view, bay=bay, serial=serial: (
                (drive := view.inventory.drive_in(bay)) is not None and drive.serial == serial
            ),
            f"{serial} in bay {bay}",
        ).inventory.drive_in(bay)
        assert seen is not None
        if seen.state is DriveState.HOT_SPARE:
            station.do(ReleaseSpare(drive=seen.id))
        elif seen.state is not DriveState.UNCONFIGURED_GOOD or seen.foreign_group:
            station.do(SetGood(drive=seen.id))
        station.until_bay(bay, DriveState.UNCONFIGURED_GOOD)


def test_raid_6_survives_a_drive_and_the_wrong_second_one(station: Station) -> None:
    machine = station.machine
    with recording_on(station, RaidLevel.RAID6, range(4), "six"), station.complete_footage() as since_us:
        first = machine.pull(1)
        station.until_bay(1, DriveState.MISSING, TrayPattern.FAIL)
        station.until_state("six", VirtualDriveState.PARTIALLY_DEGRADED)
        wrong = machine.pull(2)
        station.until_bay(2, DriveState.MISSING, TrayPattern.FAIL)
        station.until_state("six", VirtualDriveState.DEGRADED)
        station.said("virtual_drive.degraded", since_us, "six", "one more failure")
        machine.insert(2, wrong)
        machine.insert(1, first)
        station.until_state("six", VirtualDriveState.ONLINE, REBUILD_S)


def test_a_set_up_that_fails_waits_and_is_undone(station: Station) -> None:
    """The drives are free again for the cases after it."""
    machine = station.machine
    machine.sh("mount --bind /bin/false $(command -v mkfs.xfs)")
    try:
        with (
            pytest.raises(AssertionError, match="Done so far: failing .* undo what this job made"),
            recording_on(station, RaidLevel.RAID1, range(2), "failing"),
        ):
            pytest.fail("a set-up ended well whose mkfs fails")
    finally:
        machine.sh("umount $(command -v mkfs.xfs)")
    newest, *_ = station.chassis().jobs
    assert (newest.state, newest.result) == (JobState.CANCELLED, "undone: the drives are free again")
    assert station.chassis().inventory.virtual_drives == ()


def test_raid_10_survives_one_of_a_pair(station: Station) -> None:
    machine = station.machine
    with recording_on(station, RaidLevel.RAID10, range(4), "ten"), station.complete_footage():
        drive = machine.pull(3)
        station.until_bay(3, DriveState.MISSING, TrayPattern.FAIL)
        station.until_state("ten", VirtualDriveState.DEGRADED)
        machine.insert(3, drive)
        station.until_state("ten", VirtualDriveState.ONLINE, REBUILD_S)


def test_raid_50_is_taken_over_by_its_spare(station: Station) -> None:
    machine = station.machine
    with recording_on(station, RaidLevel.RAID50, range(6), "fifty", spans=2):
        station.do(AssignSpare(drive=station.drive_id(6)))
        station.until_bay(6, DriveState.HOT_SPARE)
        with station.complete_footage() as since_us:
            machine.pull(0)
            station.until_bay(6, DriveState.REBUILD, TrayPattern.REBUILD)
            station.until_state("fifty", VirtualDriveState.ONLINE, REBUILD_S)
            station.until_bay(6, DriveState.ONLINE)
            station.said("spare.took_over", since_us, "bay 6", "BAY6")


def test_raid_60_survives_two_drives_of_one_half_and_one_of_the_other(station: Station) -> None:
    machine = station.machine
    with recording_on(station, RaidLevel.RAID60, BAYS, "sixty", spans=2), station.complete_footage():
        pulled = {bay: machine.pull(bay) for bay in (0, 1, 5)}
        for bay in pulled:
            station.until_bay(bay, DriveState.MISSING, TrayPattern.FAIL)
        station.until_state("sixty", VirtualDriveState.DEGRADED)
        for bay, drive in pulled.items():
            machine.insert(bay, drive)
        station.until_state("sixty", VirtualDriveState.ONLINE, REBUILD_S)


def test_a_volume_that_others_have_filled_is_named_and_goes_on_when_there_is_room(station: Station) -> None:
    machine = station.machine
    with recording_on(station, RaidLevel.RAID5, range(3), "five"):
        since_us = station.now_us()
        machine.sh("dd if=/dev/zero of=/srv/watchdeck/five/filler bs=1M status=none || true", timeout_s=60)
        station.said("volume.full", since_us, "five")
        machine.sh("rm /srv/watchdeck/five/filler")
        station.until_recording()
        with station.complete_footage():
            station.until_state("five", VirtualDriveState.ONLINE)

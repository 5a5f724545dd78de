"""RAID 5 of four drives under a station that records: nothing a drive does costs a picture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.wire_chassis import DriveState, RaidLevel, SetUpStorage, TrayPattern, VirtualDriveState
from tests.lab.machine import Machine
from tests.lab.station import Station, camera_stream
from tests.rtsp.server import RtspServer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

BAYS = range(4)


@pytest.fixture(scope="module")
def station(machine: Machine) -> Iterator[Station]:
    """RAID 5 of bays 0 to 3, set up by the engine in one flow; one camera records on it."""
    for bay in BAYS:
        machine.insert(bay, machine.drive(f"BAY{bay}", can_fail=True))
    machine.start()
    with RtspServer([camera_stream(machine.folder, "gate")]) as server:
        made = Station(machine, server, ("gate",))
        made.install()
        made.start()
        drives = tuple(made.drive_id(bay) for bay in BAYS)
        made.do(SetUpStorage(level=RaidLevel.RAID5, drives=drives, names=("A",), group_each=False), 180)
        made.add_cameras()
        made.until_quiet()
        yield made


def test_the_set_up_ends_with_a_camera_that_records_onto_an_array_of_the_bays(station: Station) -> None:
    view = station.chassis()
    [drive] = view.inventory.virtual_drives
    assert (drive.name, drive.level, drive.state) == ("A", RaidLevel.RAID5, VirtualDriveState.ONLINE)
    chain = view.chain_of(drive.id)
    assert chain is not None
    assert chain.bays == tuple(BAYS)
    assert len(chain.cameras) == 1
    for bay in BAYS:
        seen = view.inventory.drive_in(bay)
        assert seen is not None
        assert (seen.serial, seen.state) == (f"BAY{bay}", DriveState.ONLINE)
    with station.complete_footage():
        station.until_bay(0, DriveState.ONLINE)
    assert view.bays[0].pattern in (TrayPattern.IDLE, TrayPattern.ACTIVE)

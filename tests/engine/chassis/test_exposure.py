"""From virtual drives to cameras, and what the next failure costs (tolerance is per span)."""

from __future__ import annotations

from engine import wire
from engine.chassis.exposure import chains
from storage.raid.states import DriveState, RaidLevel, VirtualDriveState
from tests.engine.chassis.raids import raid
from tests.fakes.chassis_service import OneVolume

ON, LOST, NEW = DriveState.ONLINE, DriveState.MISSING, DriveState.REBUILD
VOLUMES = OneVolume("/srv/A/record").volume_views()
CAMERAS = OneVolume("").camera_views()


def exposure(level: RaidLevel, *spans: list[DriveState]) -> str:
    [chain] = chains(raid(level, *spans), VOLUMES, CAMERAS)
    return chain.exposure


def test_chain_leads_from_bays_to_cameras() -> None:
    [chain] = chains(raid(RaidLevel.RAID5, [ON, ON, ON]), VOLUMES, CAMERAS)
    assert (chain.bays, chain.volume, chain.volume_path, chain.group, chain.cameras) == (
        (0, 1, 2),
        "A",
        "/srv/A/record",
        "main",
        ("Gate",),
    )
    assert (chain.can_lose, chain.exposure) == (1, "")


def test_volume_elsewhere_is_not_in_the_chain() -> None:
    [chain] = chains(raid(RaidLevel.RAID5, [ON, ON, ON], mount="/srv/AB"), VOLUMES, CAMERAS)
    assert (chain.volume, chain.cameras) == ("", ())


def test_degraded_raid5_names_every_drive_that_still_counts() -> None:
    assert exposure(RaidLevel.RAID5, [ON, LOST, ON, ON]) == "one more failure in bays 0 2 3 loses volume A"


def test_drive_being_rebuilt_does_not_count() -> None:
    assert exposure(RaidLevel.RAID5, [ON, NEW, ON, ON]) == "one more failure in bays 0 2 3 loses volume A"


def test_raid6_with_one_loss_bears_one_more() -> None:
    said = exposure(RaidLevel.RAID6, [ON, LOST, ON, ON])
    assert said == "one more failure in bays 0 2 3 would still be borne, 2 more failures would lose volume A"
    assert "loses" in exposure(RaidLevel.RAID6, [ON, LOST, ON, LOST])


def test_mirror_names_only_the_partner() -> None:
    assert exposure(RaidLevel.RAID10, [ON, LOST], [ON, ON]) == "one more failure in bay 0 loses volume A"


def test_raid50_names_only_the_span_that_is_bare() -> None:
    said = exposure(RaidLevel.RAID50, [ON, ON, ON], [ON, LOST, ON])
    assert said == "one more failure in bays 3 5 loses volume A"


def test_level_without_redundancy_says_so_always() -> None:
    assert "no redundancy: a failure in bays 0 1 loses volume A" in exposure(RaidLevel.RAID0, [ON, ON])


def test_lost_volume_is_named_where_it_was_mounted_last() -> None:
    inventory = raid(RaidLevel.RAID5, [LOST, LOST, ON], mount="")
    assert inventory.virtual_drives[0].state is VirtualDriveState.FAILED
    [chain] = chains(inventory, VOLUMES, CAMERAS, {"v": ("/srv/A",)})
    assert (chain.volume, chain.can_lose) == ("A", 0)
    assert chain.exposure.startswith("volume A is lost")


def test_innermost_mount_carries_the_volume() -> None:
    inner = raid(RaidLevel.RAID1, [ON, ON], mount="/srv/A/record")
    volume = wire.VolumeView(
        id=1, uuid="x", name="deep", path="/srv/A/record/v", group="main", state=wire.VolumeState.OK
    )
    [chain] = chains(inner, [volume])
    assert chain.volume == "deep"

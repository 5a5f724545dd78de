"""How drives and virtual drives are named on the command line."""

from __future__ import annotations

import msgspec
import pytest

from engine.client import InvalidInput, NotFound
from engine.wire_chassis import ChassisView, DriveState, RaidLevel
from tests.fakes.chassis_views import drive, drive_id, healthy_eight, serial
from tui.cli.chassis_refs import drive_of, drives_of, named_drive, spans_of, virtual_drive_of


@pytest.fixture
def chassis() -> ChassisView:
    return healthy_eight()


def test_a_drive_is_found_by_bay_serial_and_id(chassis: ChassisView) -> None:
    for ref in ("2", serial(2), serial(2).lower(), drive_id(2)):
        assert drive_of(chassis, ref).bay == 2
    assert named_drive(drive_of(chassis, "2")) == f"bay 2 ({serial(2)})"


@pytest.mark.parametrize(
    ("ref", "said"), [("3", "bay 3 is empty"), ("99", "no drive '99'"), ("sdb", "no drive"), ("", "no drive")]
)
def test_what_is_no_drive_is_said_so(chassis: ChassisView, ref: str, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        drive_of(chassis, ref)


def test_a_serial_that_two_drives_share_is_not_guessed(chassis: ChassisView) -> None:
    twin = drive(3, serial=serial(2))
    inventory = msgspec.structs.replace(chassis.inventory, drives=(*chassis.inventory.drives, twin))
    with pytest.raises(InvalidInput, match="names 2 drives"):
        drive_of(msgspec.structs.replace(chassis, inventory=inventory), serial(2))


def test_a_bay_with_a_missing_member_and_a_new_drive_means_the_new_one(chassis: ChassisView) -> None:
    gone = msgspec.structs.replace(drive_of(chassis, "1"), id="missing-1", state=DriveState.MISSING)
    inventory = msgspec.structs.replace(chassis.inventory, drives=(gone, *chassis.inventory.drives))
    assert drive_of(msgspec.structs.replace(chassis, inventory=inventory), "1").state is DriveState.ONLINE


def test_several_drives_keep_their_order(chassis: ChassisView) -> None:
    assert [each.bay for each in drives_of(chassis, f"4-6, 1,{serial(0)}")] == [4, 5, 6, 1, 0]
    assert drives_of(chassis, "") == ()
    for wrong in ("0-2,1", "2-0", "0-5000"):
        with pytest.raises(InvalidInput):
            drives_of(chassis, wrong)
    with pytest.raises(NotFound, match="bay 3"):
        drives_of(chassis, "0-4")


def test_a_virtual_drive_is_found_by_name_in_any_case(chassis: ChassisView) -> None:
    assert virtual_drive_of(chassis, "a").name == "A"
    with pytest.raises(NotFound, match="known: A, B"):
        virtual_drive_of(chassis, "C")


def test_spans_divide_evenly_or_not_at_all(chassis: ChassisView) -> None:
    six = drives_of(chassis, "0-2,4-6")
    assert [len(span) for span in spans_of(RaidLevel.RAID50, six, 2)] == [3, 3]
    assert [len(span) for span in spans_of(RaidLevel.RAID10, six, 3)] == [2, 2, 2]
    assert [len(span) for span in spans_of(RaidLevel.RAID5, six, 2)] == [6]
    with pytest.raises(InvalidInput, match="6 drives cannot be divided into 4"):
        spans_of(RaidLevel.RAID10, six, 4)
    with pytest.raises(InvalidInput):
        spans_of(RaidLevel.RAID5, (), 0)

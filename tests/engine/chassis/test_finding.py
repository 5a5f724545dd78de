"""Which drive is meant: a wrong guess would light, or pull, the wrong one."""

from __future__ import annotations

import pytest

from engine.chassis.finding import found_drive
from storage.errors import Conflict, NotFound
from storage.raid.inventory import Inventory
from storage.raid.states import DriveState
from tests.engine.chassis.raids import drive

GOOD = DriveState.UNCONFIGURED_GOOD
BOX = Inventory(
    drives=(
        drive(2, GOOD, number=1, serial="5"),
        drive(3, GOOD, number=2, serial="TWIN"),
        drive(4, GOOD, number=3, serial="twin"),
        drive(6, GOOD, number=4, serial="20240001"),
    )
)


def test_a_bay_number_is_never_taken_for_a_serial_number() -> None:
    with pytest.raises(NotFound, match="bay 5"):
        found_drive(BOX, "5")


def test_a_serial_number_that_several_bear_names_their_bays_instead_of_one_of_them() -> None:
    with pytest.raises(Conflict, match="bay 3.*bay 4"):
        found_drive(BOX, "Twin")
    assert found_drive(BOX, "4").id == "d3"
    assert found_drive(BOX, "d2").bay == 3


def test_a_long_number_is_a_serial_number() -> None:
    assert found_drive(BOX, "20240001").bay == 6

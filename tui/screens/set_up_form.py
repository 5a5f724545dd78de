"""The few choices from which the engine plans a whole set-up of storage; the plan itself comes next, in the operation dialog."""

from __future__ import annotations

from engine.wire_chassis import ChassisView, DriveState, RaidLevel, SetUpStorage
from tui.bay_wording import bay_numbers
from widgets.dialog import Field, FormDialog

FILE_SYSTEMS = ("xfs", "ext4")


class SetUpForm(FormDialog):
    """RAID level, number of virtual drives, spares, file system."""

    def __init__(self, chassis: ChassisView | None) -> None:
        drives = chassis.inventory.drives if chassis is not None else ()
        unused = [drive for drive in drives if drive.state is DriveState.UNCONFIGURED_GOOD]
        bays = bay_numbers(drive.bay for drive in unused if drive.bay is not None)
        text = (
            f"Of the {len(unused)} unused drives in bays {bays}." if unused else "There is no unused drive."
        )
        levels = tuple(str(level) for level in RaidLevel)
        fields = [
            Field("level", "RAID level", str(RaidLevel.RAID5), kind="choice", choices=levels),
            Field("virtual_drives", "Virtual drives", "1", check=_positive, hint="one volume each"),
            Field("spares", "Hot spares", "0", check=_number, hint="drives left over for failures"),
            Field("file_system", "File system", FILE_SYSTEMS[0], kind="choice", choices=FILE_SYSTEMS),
        ]
        super().__init__(
            "Set up storage", fields, submit="Plan", text=f"{text} Nothing is done before you confirm."
        )


def operation_of(values: dict[str, str]) -> SetUpStorage:
    """What the form asks for."""
    return SetUpStorage(
        level=RaidLevel(values["level"]),
        virtual_drives=int(values["virtual_drives"]),
        spares=int(values["spares"]),
        file_system=values["file_system"],
    )


def _number(text: str) -> str:
    return "" if text.isdecimal() and int(text) <= 64 else "a number"


def _positive(text: str) -> str:
    return _number(text) or ("" if int(text) else "at least 1")

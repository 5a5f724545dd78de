"""Two forms of numbers: how fast background work may be, and how often the box looks after itself. Limits are the engine's."""

from __future__ import annotations

from functools import partial

from msgspec.structs import asdict
from textual import on

from engine.client import WatchdeckError
from engine.wire_chassis import Rates, ScheduleView, UpkeepEdit
from tui.desk import Desk
from tui.work import start
from widgets import format
from widgets.dialog import Field, FormDialog

RATES = {
    "rebuild": "Rebuild %",
    "check": "Check %",
    "initialisation": "Initialisation %",
    "patrol_read": "Patrol read %",
    "migration": "Migration %",
}
NUMBERS = {
    "check_days": ("Check, days", "0 = never"),
    "patrol_days": ("Patrol read, days", "0 = never"),
    "self_test_days": ("Self-test, days", "0 = never"),
    "smart_minutes": ("SMART, minutes", ""),
    "hour": ("Begins at, hour", "0 to 23, local time"),
}


def rate_fields(rates: Rates) -> list[Field]:
    values = asdict(rates)
    return [Field(key, label, str(values[key]), check=_percent) for key, label in RATES.items()]


def rates_of(values: dict[str, str]) -> Rates:
    return Rates(**{key: int(values[key]) for key in RATES})


class UpkeepForm(FormDialog):
    """Saves itself and stays open with the engine's reason when it is refused. Dismissed with its values after saving."""

    def __init__(self, desk: Desk, schedule: ScheduleView) -> None:
        values = asdict(schedule)
        fields = [
            Field(key, label, str(values[key]), hint=hint, check=_number)
            for key, (label, hint) in NUMBERS.items()
        ]
        fields.append(
            Field(
                "auto_rebuild", "Automatic rebuild", "yes" if schedule.auto_rebuild else "no", kind="switch"
            )
        )
        text = (
            f"Every so many days; 0 = never. Next check {_when(schedule.next_check_us, desk)},"
            f" next patrol read {_when(schedule.next_patrol_us, desk)}."
            " Automatic rebuild: a new drive in the bay of a failed one is used without asking."
        )
        super().__init__("Upkeep", fields, text=text, is_closing=False)
        self._desk = desk
        self._schedule = schedule

    @on(FormDialog.Submitted)
    def _submitted(self, event: FormDialog.Submitted) -> None:
        event.stop()
        start(self, partial(self._save, event.values), "save")

    async def _save(self, values: dict[str, str]) -> None:
        try:
            await self._desk.client.edit_upkeep(upkeep_edit(self._schedule, values))
        except WatchdeckError as error:
            self.show_error(next((key for key in NUMBERS if key in error.what), ""), str(error))
        else:
            self.dismiss(values)


def upkeep_edit(schedule: ScheduleView, values: dict[str, str]) -> UpkeepEdit:
    """Only what differs."""
    before = asdict(schedule)
    changed = {key: int(values[key]) for key in NUMBERS if int(values[key]) != before[key]}
    is_auto = values["auto_rebuild"] == "yes"
    return UpkeepEdit(**changed, auto_rebuild=None if is_auto is schedule.auto_rebuild else is_auto)


def _when(time_us: int | None, desk: Desk) -> str:
    return format.local_time(time_us, desk.zone) if time_us is not None else "never"


def _number(text: str) -> str:
    return "" if text.isdecimal() else "a number"


def _percent(text: str) -> str:
    return "" if text.isdecimal() and 1 <= int(text) <= 100 else "1 to 100"

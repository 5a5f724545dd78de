"""What an action is carried out for: the alarm as it was raised, and the words and cameras that follow from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.alarms.actions.templates import Value
from storage.catalog.alarm_records import AlarmRow
from storage.units import US_PER_SECOND


@dataclass(frozen=True, slots=True)
class Occasion:
    row: AlarmRow
    rule: str
    """Its name."""
    station: str

    @property
    def at_us(self) -> int:
        """Of the event that raised the alarm."""
        return self.row.first_us

    def cameras(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """Those an action names, else the one the event is about; () when it is about none."""
        return named or ((self.row.camera,) if self.row.camera else ())

    def values(self) -> Mapping[str, Value]:
        """For templates: all of templates.NAMES."""
        row = self.row
        return {
            "alarm": self.rule,
            "kind": row.kind,
            "source": row.source,
            "text": row.text,
            "time": local_words(self.at_us),
            "time_us": self.at_us,
            "severity": row.severity.value,
            "count": row.count,
            "station": self.station,
            "id": row.id,
        }


def local_words(time_us: int) -> str:
    """As people read it, in the machine's zone, with its offset: whoever gets a mail may live in another one."""
    moment = datetime.fromtimestamp(time_us // US_PER_SECOND, UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S %z")

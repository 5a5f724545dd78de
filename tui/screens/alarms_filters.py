"""What narrows the alarm list besides the words after `/`: status, sources, kinds, severity, dates. A state and its words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo

from engine.wire_alarms import OPEN_STATUSES, AlarmFilter, AlarmStatus
from widgets import format


@dataclass(frozen=True, slots=True)
class StatusChoice:
    """One line of the picker of `s`."""

    key: str
    help: str
    statuses: tuple[AlarmStatus, ...]
    with_muted: bool = False


STATUS_CHOICES: tuple[StatusChoice, ...] = (
    StatusChoice("open", "new and in progress; muted ones are away for their time", OPEN_STATUSES),
    StatusChoice("new", "nobody has looked at them", (AlarmStatus.NEW,)),
    StatusChoice("in progress", "somebody has", (AlarmStatus.IN_PROGRESS,)),
    StatusChoice("muted too", "open ones, and those that are muted", OPEN_STATUSES, with_muted=True),
    StatusChoice("false alarm", "history", (AlarmStatus.FALSE_ALARM,), with_muted=True),
    StatusChoice("closed", "history", (AlarmStatus.CLOSED,), with_muted=True),
    StatusChoice("all", "everything that is kept", (), with_muted=True),
)
LEVELS: tuple[tuple[str | None, str], ...] = (
    (None, "all severities"),
    ("warning", "warnings and worse"),
    ("critical", "critical only"),
)


@dataclass(slots=True)
class AlarmFilters:
    """Event-loop thread only."""

    status: StatusChoice = STATUS_CHOICES[0]
    sources: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    level: int = 0
    start_us: int | None = None
    end_us: int | None = None
    group: tuple[str, str] | None = field(default=None)
    """Kind and source of the group that was opened."""

    @property
    def is_narrowed(self) -> bool:
        return self != AlarmFilters()

    def filter(self, text: str) -> AlarmFilter:
        """For the engine."""
        kinds, sources = self.kinds, self.sources
        if self.group is not None:
            kinds, sources = (self.group[0],), (self.group[1],)
        return AlarmFilter(
            statuses=self.status.statuses,
            sources=sources,
            kinds=kinds,
            min_severity=LEVELS[self.level][0],
            start_us=self.start_us,
            end_us=self.end_us,
            text=text,
            with_muted=self.status.with_muted,
        )

    def words(self, zone: tzinfo, now_us: int) -> list[str]:
        """What is left of the list, for its title: `open`, `gate`, `since 06:00`."""
        parts = [self.status.key]
        if self.level:
            parts.append(LEVELS[self.level][1])
        if self.group is not None:
            parts.append(f"{self.group[1] or 'station'}: {self.group[0]}")
        for several, noun in ((self.sources, "source"), (self.kinds, "kind")):
            if several:
                parts.append(several[0] if len(several) == 1 else format.plural(len(several), noun))
        if self.start_us is not None:
            parts.append(f"since {format.recent_time(self.start_us, now_us, zone)}")
        if self.end_us is not None:
            parts.append(f"until {format.recent_time(self.end_us, now_us, zone)}")
        return parts

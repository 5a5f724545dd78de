"""When this console calls its operator: which alarms are told here, and how the terminal rings for them.

Switching notifications off is this client's business (rule 17): it takes away the toast, the live picture, the map and the
sound, here; recording, mail and everything else run in the engine all the same. Off for a time (AB-03) ends by itself;
a rule that was switched off (AB-06) stays off until it is switched on by hand. No terminal and no file here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.wire_alarms import MUTE_MINUTES_MAX, AlarmRaised, AlarmView

MINUTE_US = 60_000_000
RANKS = ("info", "warning", "critical")
PATTERNS: dict[int, tuple[float, ...]] = {
    1: (0.0,),
    2: (0.0, 0.3),
    3: (0.0, 0.3, 0.6),
    4: (0.0, 0.15, 0.7, 0.85),
    5: (0.0, 0.4, 0.8, 1.2, 1.6),
}
"""AA-10: seconds at which a terminal rings; a bell has one tone, so that patterns differ by number and rhythm."""
PAUSE_S = 3.0
"""After a pattern nothing rings for so long: in a storm the terminal must stay bearable."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of the alarms that came since the last look."""

    alarm: AlarmView
    """The worst of them, of equals the newest."""
    number: int
    pattern: int
    """0 = nothing rings."""


@dataclass(slots=True)
class Notifier:
    """State of one console. Event-loop thread only."""

    off_rules: set[str] = field(default_factory=set)
    """Names of rules whose alarms are not told here."""
    quiet_until_us: int = 0
    """No alarm is told before this, by the engine's clock; 0 = all are."""

    def is_quiet(self, now_us: int) -> bool:
        """Switched off for a time that is not over."""
        return now_us < self.quiet_until_us

    def quiet_for(self, minutes: int, now_us: int) -> None:
        """Off for so many minutes (at most 9,999); 0 = on again."""
        self.quiet_until_us = now_us + min(minutes, MUTE_MINUTES_MAX) * MINUTE_US if minutes else 0

    def minutes_left(self, now_us: int) -> int:
        """Begun minutes until notifications are on again; 0 also while the engine's clock was not heard."""
        if not self.is_quiet(now_us) or not now_us:
            return 0
        return max(0, -(-(self.quiet_until_us - now_us) // MINUTE_US))

    def end_quiet(self, now_us: int) -> bool:
        """True once, when the time is over."""
        if not self.quiet_until_us or self.is_quiet(now_us):
            return False
        self.quiet_until_us = 0
        return True

    def allows(self, alarm: AlarmView, now_us: int) -> bool:
        """Whether this alarm is told, shown live and sounded on this console."""
        return not self.is_quiet(now_us) and alarm.rule not in self.off_rules

    def notice(self, raised: Iterable[AlarmRaised], now_us: int) -> Notice | None:
        """Of those that were raised now; one that only went on (another event joined it) calls nobody."""
        told = [each.alarm for each in raised if each.is_new and self.allows(each.alarm, now_us)]
        if not told:
            return None
        worst = max(told, key=_rank)
        sounding = max((alarm for alarm in told if alarm.sound in PATTERNS), key=_rank, default=None)
        return Notice(worst, len(told), sounding.sound if sounding is not None else 0)


def _rank(alarm: AlarmView) -> tuple[int, int]:
    severity = alarm.severity
    return (RANKS.index(severity) if severity in RANKS else 1, alarm.id)

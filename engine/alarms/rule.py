"""Alarm rules as they are matched: compiled once, indexed by kind and source, asked ten thousand times a second. Loop only; no waiting.

How a rule is kept and checked is engine/alarms/rule_body.py and rule_check.py. Manual rows AT-04, AS-01, TM-03.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from engine.alarms.kinds import covers
from engine.recording.schedule import is_on
from engine.wire_alarm_rules import (
    AlarmAction,
    LiveAction,
    RecordAction,
    SoundAction,
    TextMatch,
    Trigger,
)
from storage.catalog.records import EventRecord, Schedule, Severity
from storage.units import US_PER_SECOND

_SLOT_US = 15 * 60 * US_PER_SECOND
"""Offsets of zones are multiples of 15 minutes, so a schedule's answer holds from one of these to the next."""
_KNOWN_LIMIT = 2_000
"""Pairs of kind and source whose triggers are remembered; sources from outside could be without number."""


class ScheduleGate:
    """Whether a schedule says yes, remembered for as long as it cannot change. None = Always."""

    def __init__(self, schedule: Schedule | None) -> None:
        self._schedule = schedule
        self._slot = -1
        self._is_on = True

    def is_on(self, time_us: int) -> bool:
        if self._schedule is None:
            return True
        slot = time_us // _SLOT_US
        if slot != self._slot:
            self._is_on = is_on(self._schedule, time_us)
            self._slot = slot
        return self._is_on


@dataclass(frozen=True, slots=True)
class CompiledTrigger:
    """One trigger of a rule, ready to be asked."""

    kind: str
    sources: frozenset[str]
    """Empty = any."""
    text: str
    """Folded unless `is_case_sensitive`; '' = any."""
    match: TextMatch
    is_case_sensitive: bool


def compile_trigger(trigger: Trigger) -> CompiledTrigger:
    return CompiledTrigger(
        kind=trigger.kind,
        sources=frozenset(trigger.sources),
        text=trigger.text if trigger.is_case_sensitive else trigger.text.casefold(),
        match=trigger.match,
        is_case_sensitive=trigger.is_case_sensitive,
    )


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """An enabled rule. `since_us`: events before it was enabled are not its own."""

    id: int
    name: str
    severity: Severity
    triggers: tuple[CompiledTrigger, ...]
    actions: tuple[AlarmAction, ...] = ()
    """With their secrets: for the runner, for nobody else."""
    retrigger_us: int = 0
    since_us: int = 0
    gate: ScheduleGate = field(default_factory=lambda: ScheduleGate(None))

    @property
    def sound(self) -> int:
        """Pattern that consoles ring, 0 = none."""
        return next(
            (
                action.pattern
                for action in self.actions
                if isinstance(action, SoundAction) and action.where in ("console", "both")
            ),
            0,
        )

    @property
    def is_live(self) -> bool:
        return any(isinstance(action, LiveAction) for action in self.actions)

    @property
    def camera(self) -> str:
        """Whose picture belongs to it when the event is about no camera: the first of a live, else of a record action."""
        for kind in (LiveAction, RecordAction):
            for action in self.actions:
                if isinstance(action, kind) and action.cameras:
                    return action.cameras[0]
        return ""

    def is_for(self, time_us: int) -> bool:
        """Enabled by then, and its schedule says yes."""
        return time_us >= self.since_us and self.gate.is_on(time_us)


_Candidate = tuple[CompiledRule, str, bool, bool]
"""A trigger that fits kind and source: its rule, its text, whether the whole text is meant, whether case counts."""


class RuleIndex:
    """Which rules an event meets. Each at most once, in the order of the rules."""

    def __init__(self, rules: Iterable[CompiledRule] = ()) -> None:
        self.rules = tuple(rules)
        self._candidates: dict[tuple[str, str], tuple[_Candidate, ...]] = {}

    def matching(self, event: EventRecord) -> Iterator[CompiledRule]:
        """TM-03: contains = a part of the text, matches = exactly identical."""
        candidates = self._candidates.get((event.kind, event.source))
        if candidates is None:
            candidates = self._look_up(event.kind, event.source)
        if not candidates:
            return
        text, folded = event.text, event.text.casefold()
        met: CompiledRule | None = None
        # One loop without calls: two hundred rules may listen for as many words, ten thousand times a second.
        for rule, wanted, is_whole, is_case_sensitive in candidates:
            if wanted:
                said = text if is_case_sensitive else folded
                if (said != wanted) if is_whole else (wanted not in said):
                    continue
            # The triggers of one rule stand together, so that the last one met is enough to know.
            if rule is not met and rule.is_for(event.time_us):
                met = rule
                yield rule

    def _look_up(self, kind: str, source: str) -> tuple[_Candidate, ...]:
        found = tuple(
            (rule, trigger.text, trigger.match is TextMatch.MATCHES, trigger.is_case_sensitive)
            for rule in self.rules
            for trigger in rule.triggers
            if covers(trigger.kind, kind) and (not trigger.sources or source in trigger.sources)
        )
        if len(self._candidates) >= _KNOWN_LIMIT:
            self._candidates.clear()
        self._candidates[kind, source] = found
        return found

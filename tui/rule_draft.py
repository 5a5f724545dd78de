"""An alarm rule while it is edited: what the four steps change, what is still missing, and what is sent in the end. Pure.

A new rule has no schedule mode until one is chosen (manual row AS-04: leaving the step needs a choice).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

from engine.wire import ScheduleMessage
from engine.wire_alarm_rules import AlarmAction, AlarmRuleAdd, AlarmRuleEdit, AlarmRuleView, Trigger

T = TypeVar("T")


class Step(IntEnum):
    """AT-04: the steps of the manual, in its order."""

    TRIGGERS = 0
    ACTIONS = 1
    SCHEDULE = 2
    NAME = 3


class ScheduleMode(StrEnum):
    """AS-01."""

    UNCHOSEN = ""
    ALWAYS = "always"
    OWN = "own"
    TEMPLATE = "template"


@dataclass(slots=True)
class RuleDraft:
    """Mutable; the rule it came from is kept to send only what differs."""

    original: AlarmRuleView | None = None
    name: str = ""
    triggers: tuple[Trigger, ...] = ()
    actions: tuple[AlarmAction, ...] = ()
    instructions: str = ""
    severity: str = "warning"
    retrigger_s: int = 30
    is_enabled: bool = True
    mode: ScheduleMode = ScheduleMode.UNCHOSEN
    schedule: ScheduleMessage | None = None
    """Kept when another mode is chosen, so that coming back loses nothing; only `own` sends it."""
    schedule_name: str = ""
    _begun_as: RuleDraft | None = field(default=None, repr=False, compare=False)

    @classmethod
    def begin(cls, rule: AlarmRuleView | None = None) -> RuleDraft:
        """Of a new rule, or of one that exists."""
        draft = cls() if rule is None else cls._of(rule)
        draft._begun_as = replace(draft)
        return draft

    @classmethod
    def _of(cls, rule: AlarmRuleView) -> RuleDraft:
        mode = ScheduleMode.ALWAYS
        if rule.schedule_name:
            mode = ScheduleMode.TEMPLATE
        elif rule.schedule is not None:
            mode = ScheduleMode.OWN
        return cls(
            original=rule,
            name=rule.name,
            triggers=rule.triggers,
            actions=rule.actions,
            instructions=rule.instructions,
            severity=rule.severity,
            retrigger_s=rule.retrigger_s,
            is_enabled=rule.is_enabled,
            mode=mode,
            schedule=rule.schedule if mode is ScheduleMode.OWN else None,
            schedule_name=rule.schedule_name,
        )

    @property
    def is_changed(self) -> bool:
        """Something would be lost by leaving."""
        return self != self._begun_as

    def complaint(self) -> tuple[Step, str] | None:
        """The first step in which something is missing, and what."""
        if not self.triggers:
            return Step.TRIGGERS, "a rule needs at least one trigger (a adds one)"
        if self.mode is ScheduleMode.UNCHOSEN:
            return Step.SCHEDULE, "choose when the rule works: always, a template, or its own times"
        if self.mode is ScheduleMode.OWN and self.schedule is None:
            return Step.SCHEDULE, "paint its times (e), or choose another"
        if self.mode is ScheduleMode.TEMPLATE and not self.schedule_name:
            return Step.SCHEDULE, "choose the template"
        if not self.name.strip():
            return Step.NAME, "the rule needs a name (enter)"
        return None

    def added(self) -> AlarmRuleAdd:
        """The whole of a new rule. Only after `complaint` found nothing."""
        return AlarmRuleAdd(
            name=self.name.strip(),
            triggers=self.triggers,
            actions=self.actions,
            instructions=self.instructions,
            severity=self.severity,
            schedule=self.schedule if self.mode is ScheduleMode.OWN else None,
            schedule_name=self.schedule_name if self.mode is ScheduleMode.TEMPLATE else "",
            retrigger_s=self.retrigger_s,
            is_enabled=self.is_enabled,
        )

    def edited(self) -> AlarmRuleEdit | None:
        """Only what differs from the rule it came from; None when nothing does."""
        before = self.original
        if before is None:
            return None
        changes: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "triggers",
                "actions",
                "instructions",
                "severity",
                "retrigger_s",
                "is_enabled",
            )
            if getattr(self, name) != getattr(before, name)
        }
        if self.name.strip() != before.name:
            changes["name"] = self.name.strip()
        changes |= self._schedule_changes(before)
        return AlarmRuleEdit(**changes) if changes else None

    def _schedule_changes(self, before: AlarmRuleView) -> dict[str, Any]:
        match self.mode:
            case ScheduleMode.OWN if before.schedule_name or self.schedule != before.schedule:
                return {"schedule": self.schedule}
            case ScheduleMode.TEMPLATE if self.schedule_name != before.schedule_name:
                return {"schedule_name": self.schedule_name}
            case ScheduleMode.ALWAYS if before.schedule is not None or before.schedule_name:
                return {"is_always": True}
        return {}

    # -- what the steps do -----------------------------------------------------------------------------

    def put_trigger(self, trigger: Trigger, at: int | None = None) -> None:
        """In the place of another, or at the end."""
        self.triggers = _put(self.triggers, trigger, at)

    def put_action(self, action: AlarmAction, at: int | None = None) -> None:
        self.actions = _put(self.actions, action, at)

    def drop_trigger(self, at: int) -> None:
        self.triggers = self.triggers[:at] + self.triggers[at + 1 :]

    def drop_action(self, at: int) -> None:
        self.actions = self.actions[:at] + self.actions[at + 1 :]


def _put(values: tuple[T, ...], value: T, at: int | None) -> tuple[T, ...]:
    return (*values, value) if at is None else (*values[:at], value, *values[at + 1 :])

"""How an alarm rule is kept: its body as JSON without secrets, and where its actions have some, the whole actions as a secret.

The body names the key of its secret, so that a crash between the two writes leaves a rule that belongs together.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine.alarms.action_secrets import masked_actions
from engine.alarms.rule import CompiledRule, ScheduleGate, compile_trigger
from engine.wire_alarm_rules import AlarmAction, AlarmRuleView, Trigger
from engine.wire_schedule import ScheduleMessage
from storage.catalog.alarm_records import RuleRow
from storage.catalog.records import Schedule, Severity
from storage.errors import CatalogDamaged
from storage.units import US_PER_SECOND

SECRET_PREFIX = "alarm_rule/"  # noqa: S105 - the beginning of a key


class RuleBody(msgspec.Struct, frozen=True, kw_only=True):
    """All of a rule but its name and whether it is enabled. As `engine.wire_alarm_rules.AlarmRuleAdd`."""

    triggers: tuple[Trigger, ...]
    actions: tuple[AlarmAction, ...] = ()
    """Masked."""
    instructions: str = ""
    severity: Severity = Severity.WARNING
    schedule: ScheduleMessage | None = None
    schedule_name: str = ""
    retrigger_s: int = 30
    secret_key: str = ""
    """Of the whole actions; '' = they have no secret."""


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule as it is in the catalog, with its secrets."""

    row: RuleRow
    body: RuleBody
    actions: tuple[AlarmAction, ...]
    """Whole."""

    def view(self, gate: ScheduleGate, now_us: int) -> AlarmRuleView:
        """Without secrets."""
        body = self.body
        return AlarmRuleView(
            id=self.row.id,
            name=self.row.name,
            triggers=body.triggers,
            actions=masked_actions(self.actions),
            instructions=body.instructions,
            severity=str(body.severity),
            schedule=body.schedule,
            schedule_name=body.schedule_name,
            retrigger_s=body.retrigger_s,
            is_enabled=self.row.is_enabled,
            is_active=self.row.is_enabled and gate.is_on(now_us),
            last_raised_us=self.row.last_raised_us,
            raised=self.row.raised,
        )

    def compiled(self, gate: ScheduleGate, since_us: int) -> CompiledRule:
        body = self.body
        return CompiledRule(
            id=self.row.id,
            name=self.row.name,
            severity=body.severity,
            triggers=tuple(compile_trigger(trigger) for trigger in body.triggers),
            actions=self.actions,
            retrigger_us=body.retrigger_s * US_PER_SECOND,
            since_us=since_us,
            gate=gate,
        )


def decode_body(row: RuleRow) -> RuleBody:
    """Raises CatalogDamaged."""
    try:
        return msgspec.json.decode(row.body, type=RuleBody)
    except msgspec.MsgspecError as exc:
        raise CatalogDamaged(
            f"alarm rule {row.name} cannot be read: {exc}", "remove it and make it anew"
        ) from exc


def encode_body(body: RuleBody) -> str:
    return msgspec.json.encode(body).decode()


def encode_actions(actions: tuple[AlarmAction, ...]) -> str:
    """The value of a secret."""
    return msgspec.json.encode(actions).decode()


def decode_actions(secret: str, masked: tuple[AlarmAction, ...]) -> tuple[AlarmAction, ...]:
    """From the secret; masked as in the body, so that they fail in plain words, when it is gone or cannot be read."""
    if not secret:
        return masked
    try:
        return msgspec.json.decode(secret, type=tuple[AlarmAction, ...])
    except msgspec.MsgspecError:
        return masked


def as_schedule(message: ScheduleMessage) -> Schedule:
    return Schedule(zone=message.zone, days=message.days)

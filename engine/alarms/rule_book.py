"""The alarm rules and schedule templates as they are now: read from the catalog, by id, name and as an index for the intake. Loop only."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec

from engine.alarms.rule import RuleIndex, ScheduleGate
from engine.alarms.rule_body import LoadedRule, as_schedule, decode_actions, decode_body
from engine.catalog_access import CatalogAccess
from engine.recording.schedule import check_schedule
from engine.wire_schedule import ScheduleMessage
from storage.catalog.alarm_records import RuleRow, ScheduleRow
from storage.errors import NotFound, WatchdeckError

log = logging.getLogger(__name__)


class RuleBook:
    """Replaced as a whole by `load`; what is asked in between sees the old rules or the new ones, never both."""

    def __init__(self, catalog: CatalogAccess) -> None:
        self._catalog = catalog
        self._rules: dict[int, LoadedRule] = {}
        self._gates: dict[int, ScheduleGate] = {}
        self._enabled_since_us: dict[int, int] = {}
        self._is_loaded = False
        self.templates: Mapping[str, ScheduleMessage] = {}
        """By name: the named weeks of alarms and recording alike."""

    async def load(self, now_us: int) -> None:
        """Read everything anew. A rule that was not enabled before counts from `now_us` on. Raises what the catalog raises.

        A rule that cannot be read is said in the log and left out: the others are worth more.
        """
        rows: list[RuleRow] = await self._catalog.read("alarm_rules")
        schedules: list[ScheduleRow] = await self._catalog.read("schedule_templates")
        templates = {row.name: msgspec.json.decode(row.schedule, type=ScheduleMessage) for row in schedules}
        rules: dict[int, LoadedRule] = {}
        gates: dict[int, ScheduleGate] = {}
        since: dict[int, int] = {}
        for row in rows:
            try:
                rules[row.id] = rule = await self._loaded(row)
                gates[row.id] = _gate(rule, templates)
            except WatchdeckError as exc:
                log.error("alarm rule left out: %s", exc)
                rules.pop(row.id, None)
                continue
            if row.is_enabled:
                since[row.id] = self._enabled_since_us.get(row.id, now_us if self._is_loaded else 0)
        self._rules, self._gates, self._enabled_since_us = rules, gates, since
        self.templates = templates
        self._is_loaded = True

    async def _loaded(self, row: RuleRow) -> LoadedRule:
        body = decode_body(row)
        secret: str = await self._catalog.read("secret", body.secret_key) if body.secret_key else ""
        return LoadedRule(row, body, decode_actions(secret, body.actions))

    def index(self, *, without: int | None = None) -> RuleIndex:
        """Of the enabled rules, in the order of their ids."""
        return RuleIndex(
            rule.compiled(self._gates[id], self._enabled_since_us[id])
            for id, rule in sorted(self._rules.items())
            if rule.row.is_enabled and id != without
        )

    def __iter__(self) -> Iterator[LoadedRule]:
        """By name."""
        return iter(sorted(self._rules.values(), key=lambda rule: rule.row.name.casefold()))

    def rule(self, ref: str) -> LoadedRule:
        """By name, whatever its case, or id. Raises NotFound."""
        folded = ref.strip().casefold()
        for rule in self:
            if rule.row.name.casefold() == folded:
                return rule
        if folded.isascii() and folded.isdigit() and int(folded) in self._rules:
            return self._rules[int(folded)]
        raise NotFound(f"no alarm rule {ref!r}", "see `watchdeck alarm rule list`")

    def note_raised(self, id: int, time_us: int) -> None:
        """One of its alarms was raised: what `load` read is brought up to date without reading."""
        rule = self._rules.get(id)
        if rule is not None:
            row = msgspec.structs.replace(rule.row, raised=rule.row.raised + 1, last_raised_us=time_us)
            self._rules[id] = replace(rule, row=row)

    def gate(self, rule: LoadedRule) -> ScheduleGate:
        return self._gates[rule.row.id]


def _gate(rule: LoadedRule, templates: Mapping[str, ScheduleMessage]) -> ScheduleGate:
    """A template that is gone means Always: one alarm too many is better than none. Raises InvalidInput: no such zone."""
    message = rule.body.schedule
    if rule.body.schedule_name:
        message = templates.get(rule.body.schedule_name)
    if message is None:
        return ScheduleGate(None)
    schedule = as_schedule(message)
    check_schedule(schedule)
    return ScheduleGate(schedule)

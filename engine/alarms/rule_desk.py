"""Where alarm rules and schedule templates are made, edited and removed; what the API's handlers call. Loop only.

Checks first, then writes, then has the service read everything anew: what is answered is what holds. One edit after the other.
"""

from __future__ import annotations

import asyncio
from uuid import uuid4

import msgspec

from engine.alarms.access import Publisher
from engine.alarms.action_secrets import masked_actions, restored_actions
from engine.alarms.buttons import Buttons
from engine.alarms.rule_body import SECRET_PREFIX, LoadedRule, RuleBody, encode_actions, encode_body
from engine.alarms.rule_check import (
    Names,
    checked_actions,
    checked_instructions,
    checked_severity,
    checked_triggers,
    checked_week,
)
from engine.alarms.rule_rename import renamed_camera, renamed_source
from engine.alarms.service import AlarmService
from engine.catalog_access import CatalogAccess
from engine.wire_alarm_rules import (
    AlarmAction,
    AlarmRuleAdd,
    AlarmRuleEdit,
    AlarmRuleView,
    AlarmTestReply,
    ScheduleTemplate,
    ScheduleTemplateView,
)
from engine.wire_schedule import ScheduleMessage
from engine.wire_sources import VirtualTrigger
from storage.catalog.names import checked_name
from storage.clock import Clock
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound

RULE_LIMIT = 1_000
TEMPLATE_LIMIT = 200


class RuleDesk:
    """Rules, the weeks they share with recording, and the buttons they have. Views hold no secret.

    `ref` is a name, in any case, or an id. Everything raises what the catalog raises, too.
    """

    def __init__(self, alarms: AlarmService, catalog: CatalogAccess, events: Publisher, clock: Clock) -> None:
        self._alarms = alarms
        self._catalog = catalog
        self._events = events
        self._clock = clock
        self._buttons = Buttons(alarms.book, catalog, events)
        self._editing = asyncio.Lock()

    # -- rules -----------------------------------------------------------------------------------------

    def views(self) -> tuple[AlarmRuleView, ...]:
        """By name."""
        return self._alarms.rules()

    def view(self, ref: str) -> AlarmRuleView:
        """Raises NotFound."""
        return self._alarms.rule_view(ref)

    async def add(self, rule: AlarmRuleAdd, actor: str) -> AlarmRuleView:
        """Raises InvalidInput, AlreadyExists, Conflict."""
        async with self._editing:
            if len(self._alarms.rules()) >= RULE_LIMIT:
                raise Conflict(f"there are {RULE_LIMIT} alarm rules already", "remove some")
            name = self._free_name(rule.name, None)
            names = self._names()
            triggers = checked_triggers(rule.triggers, names)
            actions = checked_actions(restored_actions(rule.actions, ()), triggers, names)
            body = RuleBody(
                triggers=triggers,
                instructions=checked_instructions(rule.instructions),
                severity=checked_severity(rule.severity),
                schedule=None if rule.schedule is None else checked_week(rule.schedule),
                schedule_name=names.template(rule.schedule_name, "$.schedule_name")
                if rule.schedule_name
                else "",
                retrigger_s=rule.retrigger_s,
            )
            _check_one_schedule(body)
            body = await self._with_actions(body, actions)
            row = await self._catalog.write(
                "add_alarm_rule",
                name=name,
                body=encode_body(body),
                is_enabled=rule.is_enabled,
                created_us=self._clock.now_us(),
                created_by=actor,
            )
            await self._alarms.reload()
            self._events.publish(
                "alarm_rule.added", f"Alarm rule {name} added: {_said(body)}", source=name, actor=actor
            )
            return self._alarms.rule_view(str(row.id))

    async def edit(self, ref: str, changes: AlarmRuleEdit, actor: str) -> AlarmRuleView:
        """Only what is given. Raises NotFound, InvalidInput, AlreadyExists."""
        async with self._editing:
            rule = self._alarms.book.rule(ref)
            names = self._names()
            name = rule.row.name if changes.name is None else self._free_name(changes.name, rule)
            body = _with_schedule(rule.body, changes, names)
            actions = rule.actions
            if changes.actions is not None:
                actions = restored_actions(changes.actions, rule.actions)
            if changes.triggers is not None:
                body = msgspec.structs.replace(body, triggers=checked_triggers(changes.triggers, names))
            if changes.triggers is not None or changes.actions is not None:
                actions = checked_actions(actions, body.triggers, names)
            if changes.instructions is not None:
                body = msgspec.structs.replace(body, instructions=checked_instructions(changes.instructions))
            if changes.severity is not None:
                body = msgspec.structs.replace(body, severity=checked_severity(changes.severity))
            if changes.retrigger_s is not None:
                body = msgspec.structs.replace(body, retrigger_s=changes.retrigger_s)
            is_enabled = rule.row.is_enabled if changes.is_enabled is None else changes.is_enabled
            if actions != rule.actions:
                body = await self._with_actions(body, actions)
            await self._catalog.write(
                "update_alarm_rule", rule.row.id, name=name, body=encode_body(body), is_enabled=is_enabled
            )
            await self._alarms.reload()
            if rule.body.secret_key and rule.body.secret_key != body.secret_key:
                await self._catalog.write("remove_secrets", rule.body.secret_key)
            self._events.publish(
                "alarm_rule.edited", f"Alarm rule {name} edited: {_edited(changes)}", source=name, actor=actor
            )
            return self._alarms.rule_view(str(rule.row.id))

    async def remove(self, ref: str, actor: str) -> None:
        """Alarms it raised stay. Raises NotFound."""
        async with self._editing:
            rule = self._alarms.book.rule(ref)
            self._alarms.forget_rule(rule.row.id)
            try:
                await self._alarms.flush()
                await self._catalog.write("remove_alarm_rule", rule.row.id)
                if rule.body.secret_key:
                    await self._catalog.write("remove_secrets", rule.body.secret_key)
            finally:
                await self._alarms.reload()
            self._events.publish(
                "alarm_rule.removed",
                f"Alarm rule {rule.row.name} removed; its alarms stay",
                source=rule.row.name,
                actor=actor,
            )

    async def test(self, ref: str, actor: str) -> AlarmTestReply:
        """The whole chain, now; returns when every action has ended. Raises NotFound."""
        return await self._alarms.raise_test(ref, actor)

    def _names(self) -> Names:
        return Names(self._alarms.camera_names(), self._alarms.book.templates)

    def _free_name(self, name: str, own: LoadedRule | None) -> str:
        checked = checked_name(name, "alarm rule")
        if checked.isascii() and checked.isdigit():
            raise InvalidInput("the name of an alarm rule is not a number", "numbers are ids")
        for rule in self._alarms.book:
            if rule is not own and rule.row.name.casefold() == checked.casefold():
                raise AlreadyExists(f"there is an alarm rule {rule.row.name} already", "choose another name")
        return checked

    async def _with_actions(self, body: RuleBody, actions: tuple[AlarmAction, ...]) -> RuleBody:
        """The body with its actions masked; the secret is kept first, under a key of its own."""
        masked = masked_actions(actions)
        key = "" if masked == actions else f"{SECRET_PREFIX}{uuid4()}"
        if key:
            await self._catalog.write("put_secret", key, encode_actions(actions))
        return msgspec.structs.replace(body, actions=masked, secret_key=key)

    async def camera_renamed(self, old: str, new: str) -> None:
        """Rules that name it go on naming it."""
        async with self._editing:
            has_changed = False
            for rule in list(self._alarms.book):
                triggers = tuple(renamed_source(trigger, old, new) for trigger in rule.body.triggers)
                actions = tuple(renamed_camera(action, old, new) for action in rule.actions)
                if triggers == rule.body.triggers and actions == rule.actions:
                    continue
                has_changed = True
                body = msgspec.structs.replace(rule.body, triggers=triggers)
                body = await self._with_actions(body, actions)
                await self._catalog.write("update_alarm_rule", rule.row.id, body=encode_body(body))
                if rule.body.secret_key:
                    await self._catalog.write("remove_secrets", rule.body.secret_key)
            if has_changed:
                await self._alarms.reload()

    # -- schedule templates ----------------------------------------------------------------------------

    async def schedules(self) -> tuple[ScheduleTemplateView, ...]:
        """By name."""
        return self._alarms.schedules()

    async def put_schedule(self, template: ScheduleTemplate, actor: str) -> ScheduleTemplateView:
        """Make it, or give it other cells: rules that name it follow at once. Raises InvalidInput, Conflict."""
        async with self._editing:
            name = self._template_name(template.name) or checked_name(template.name, "schedule")
            week = checked_week(template.schedule)
            if name not in self._alarms.book.templates:
                if len(self._alarms.book.templates) >= TEMPLATE_LIMIT:
                    raise Conflict(f"there are {TEMPLATE_LIMIT} schedules already", "remove some")
            await self._catalog.write("put_schedule_template", name, _encoded(week))
            await self._alarms.reload()
            self._events.publish("schedule.edited", f"Schedule {name} edited", source=name, actor=actor)
            return next(view for view in self._alarms.schedules() if view.name == name)

    async def remove_schedule(self, name: str, actor: str) -> None:
        """Raises NotFound, and Conflict while a rule uses it."""
        async with self._editing:
            known = self._template_name(name)
            if known is None:
                raise NotFound(f"no schedule {name!r}", "see `watchdeck schedule list`")
            users = next(view.used_by for view in self._alarms.schedules() if view.name == known)
            if users:
                raise Conflict(
                    f"the schedule {known} is used by {', '.join(users)}", "give these another schedule first"
                )
            await self._catalog.write("remove_schedule_template", known)
            await self._alarms.reload()
            self._events.publish("schedule.removed", f"Schedule {known} removed", source=known, actor=actor)

    def _template_name(self, name: str) -> str | None:
        folded = name.strip().casefold()
        return next((known for known in self._alarms.book.templates if known.casefold() == folded), None)

    # -- buttons ---------------------------------------------------------------------------------------

    async def buttons(self) -> tuple[VirtualTrigger, ...]:
        """By name."""
        return await self._buttons.views()

    async def fire(self, button: str, text: str, actor: str) -> None:
        """Raises NotFound, InvalidInput."""
        self._buttons.fire(button, text, actor)


def _with_schedule(body: RuleBody, changes: AlarmRuleEdit, names: Names) -> RuleBody:
    """A schedule takes a template's place, and the other way round."""
    if (changes.schedule is not None) + bool(changes.schedule_name) + changes.is_always > 1:
        raise InvalidInput("more than one of schedule, schedule_name and is_always is given", "give one")
    if changes.schedule is not None:
        return msgspec.structs.replace(body, schedule=checked_week(changes.schedule), schedule_name="")
    if changes.schedule_name:
        name = names.template(changes.schedule_name, "$.schedule_name")
        return msgspec.structs.replace(body, schedule=None, schedule_name=name)
    if changes.is_always or changes.schedule_name == "":
        return msgspec.structs.replace(
            body, schedule=None if changes.is_always else body.schedule, schedule_name=""
        )
    return body


def _check_one_schedule(body: RuleBody) -> None:
    if body.schedule is not None and body.schedule_name:
        raise InvalidInput("both $.schedule and $.schedule_name are given", "give one of them")


def _edited(changes: AlarmRuleEdit) -> str:
    """Which parts, without values: they may hold secrets."""
    parts = [
        field.removesuffix("_name").removeprefix("is_")
        for field in changes.__struct_fields__
        if field != "is_enabled" and getattr(changes, field) not in (None, False)
    ]
    if changes.is_enabled is not None:
        parts.append("switched on" if changes.is_enabled else "switched off")
    return ", ".join(parts) or "nothing changed"


def _said(body: RuleBody) -> str:
    kinds = ", ".join(dict.fromkeys(trigger.kind for trigger in body.triggers))
    return f"{body.severity}, on {kinds}"


def _encoded(week: ScheduleMessage) -> str:
    return msgspec.json.encode(week).decode()

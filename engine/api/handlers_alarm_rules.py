"""Calls about alarm rules, their schedules and buttons. What a rule may hold is the rule desk's business."""

from __future__ import annotations

import msgspec

from engine.alarms.kinds import TRIGGER_KINDS
from engine.api.services import Call, Services
from engine.wire_alarm_rules import (
    AlarmRuleAdd,
    AlarmRuleEdit,
    AlarmRuleView,
    AlarmTestReply,
    ScheduleTemplate,
    ScheduleTemplateView,
)
from engine.wire_calls import AlarmRuleList, ScheduleList, TriggerKindList, VirtualTriggerList
from engine.wire_sources import TriggerFire
from storage.catalog.alarm_records import RuleRow
from storage.errors import InvalidInput


async def list_trigger_kinds(services: Services, call: Call[None, None]) -> TriggerKindList:
    return TriggerKindList(kinds=TRIGGER_KINDS)


# -- rules -----------------------------------------------------------------------------------------------


async def list_alarm_rules(services: Services, call: Call[None, None]) -> AlarmRuleList:
    return AlarmRuleList(rules=await _counted(services, services.rules.views()))


async def get_alarm_rule(services: Services, call: Call[None, None]) -> AlarmRuleView:
    (view,) = await _counted(services, (services.rules.view(call.path["ref"]),))
    return view


async def _counted(services: Services, views: tuple[AlarmRuleView, ...]) -> tuple[AlarmRuleView, ...]:
    """With what they have raised by now: the desk knows what they had when they were last edited."""
    rows: list[RuleRow] = await services.catalog.read("alarm_rules")
    by_id = {row.id: row for row in rows}
    return tuple(
        msgspec.structs.replace(view, raised=row.raised, last_raised_us=row.last_raised_us)
        if (row := by_id.get(view.id)) is not None
        else view
        for view in views
    )


async def add_alarm_rule(services: Services, call: Call[None, AlarmRuleAdd]) -> AlarmRuleView:
    return await services.rules.add(call.body, call.caller.name)


async def edit_alarm_rule(services: Services, call: Call[None, AlarmRuleEdit]) -> AlarmRuleView:
    return await services.rules.edit(call.path["ref"], call.body, call.caller.name)


async def remove_alarm_rule(services: Services, call: Call[None, None]) -> None:
    await services.rules.remove(call.path["ref"], call.caller.name)


async def test_alarm_rule(services: Services, call: Call[None, None]) -> AlarmTestReply:
    return await services.rules.test(call.path["ref"], call.caller.name)


# -- schedules -------------------------------------------------------------------------------------------


async def list_schedules(services: Services, call: Call[None, None]) -> ScheduleList:
    return ScheduleList(schedules=await services.rules.schedules())


async def put_schedule(services: Services, call: Call[None, ScheduleTemplate]) -> ScheduleTemplateView:
    if call.body.name != call.path["ref"]:
        raise InvalidInput("$.name is not the one in the path", "give the same name twice")
    return await services.rules.put_schedule(call.body, call.caller.name)


async def remove_schedule(services: Services, call: Call[None, None]) -> None:
    await services.rules.remove_schedule(call.path["ref"], call.caller.name)


# -- virtual triggers (VR) -------------------------------------------------------------------------------


async def list_virtual_triggers(services: Services, call: Call[None, None]) -> VirtualTriggerList:
    return VirtualTriggerList(triggers=await services.rules.buttons())


async def fire_trigger(services: Services, call: Call[None, TriggerFire]) -> None:
    await services.rules.fire(call.path["ref"], call.body.text, call.caller.name)

"""Calls about cases: stretches to be handed over together, locked from recycling while they are in one. Manual rows RS."""

from __future__ import annotations

from engine import wire_evidence
from engine.api.export_sources import export_sources
from engine.api.services import Call, Services
from engine.api.validation import checked_stretch
from storage.catalog.cases import CaseItemRow, CaseRow
from storage.errors import InvalidInput


async def list_cases(services: Services, call: Call[None, None]) -> wire_evidence.CaseList:
    rows: list[CaseRow] = await services.catalog.read("cases")
    return wire_evidence.CaseList(cases=tuple(map(case_view, rows)))


async def add_case(services: Services, call: Call[None, wire_evidence.CaseAdd]) -> wire_evidence.CaseView:
    case: CaseRow = await services.catalog.write(
        "add_case",
        name=call.body.name,
        comment=call.body.comment,
        created_us=services.clock.now_us(),
        created_by=call.caller.name,
    )
    services.events.publish("case.added", f"Case {case.name} begun", source=case.name, actor=call.caller.name)
    return case_view(case)


async def get_case(services: Services, call: Call[None, None]) -> wire_evidence.CaseView:
    return case_view(await services.catalog.read("case", call.path["ref"]))


async def edit_case(services: Services, call: Call[None, wire_evidence.CaseEdit]) -> wire_evidence.CaseView:
    asked = call.body
    old: CaseRow = await services.catalog.read("case", call.path["ref"])
    case: CaseRow = await services.catalog.write(
        "edit_case", old.id, name=asked.name, comment=asked.comment, order=asked.order
    )
    if case.name != old.name:
        services.events.publish(
            "case.edited",
            f"Case {old.name} is now called {case.name}",
            source=case.name,
            actor=call.caller.name,
        )
    elif case.comment != old.comment:
        services.events.publish(
            "case.edited", f"Comment of case {case.name} changed", source=case.name, actor=call.caller.name
        )
    return case_view(case)


async def remove_case(services: Services, call: Call[None, None]) -> None:
    old: CaseRow = await services.catalog.read("case", call.path["ref"])
    gone: CaseRow = await services.catalog.write("remove_case", old.id)
    text = f"Case {gone.name} removed: {_items(len(gone.items))} may be recycled again"
    services.events.publish("case.removed", text, source=gone.name, actor=call.caller.name)


async def add_case_item(
    services: Services, call: Call[None, wire_evidence.CaseItemAdd]
) -> wire_evidence.CaseView:
    asked = call.body
    checked_stretch(asked.start_us, asked.end_us)
    _check_past(services, asked.start_us)
    old: CaseRow = await services.catalog.read("case", call.path["ref"])
    camera, _ = await export_sources(services, asked.camera, asked.start_us, asked.end_us)
    case: CaseRow = await services.catalog.write(
        "add_case_item",
        old.id,
        camera_id=camera.id,
        start_us=asked.start_us,
        end_us=asked.end_us,
        comment=asked.comment,
        added_us=services.clock.now_us(),
        added_by=call.caller.name,
    )
    length_s = (asked.end_us - asked.start_us) / 1e6
    text = f"{length_s:.0f} s of {camera.name} are in case {case.name} and locked"
    services.events.publish("case.item_added", text, source=case.name, actor=call.caller.name)
    return case_view(case)


async def edit_case_item(
    services: Services, call: Call[None, wire_evidence.CaseItemEdit]
) -> wire_evidence.CaseView:
    asked = call.body
    item_id = _item_id(call.path["id"])
    if asked.start_us is not None:
        _check_past(services, asked.start_us)
    old: CaseRow = await services.catalog.read("case", call.path["ref"])
    case: CaseRow = await services.catalog.write(
        "edit_case_item",
        old.id,
        item_id,
        start_us=asked.start_us,
        end_us=asked.end_us,
        comment=asked.comment,
        edited_us=services.clock.now_us(),
        edited_by=call.caller.name,
    )
    if asked.start_us is not None or asked.end_us is not None:
        camera = _item(case, item_id).camera
        text = f"Another stretch of {camera} is in case {case.name}"
        services.events.publish("case.item_edited", text, source=case.name, actor=call.caller.name)
    return case_view(case)


async def remove_case_item(services: Services, call: Call[None, None]) -> wire_evidence.CaseView:
    item_id = _item_id(call.path["id"])
    old: CaseRow = await services.catalog.read("case", call.path["ref"])
    case: CaseRow = await services.catalog.write("remove_case_item", old.id, item_id)
    text = f"{_item(old, item_id).camera} taken out of case {case.name}: it may be recycled again"
    services.events.publish("case.item_removed", text, source=case.name, actor=call.caller.name)
    return case_view(case)


def case_view(case: CaseRow) -> wire_evidence.CaseView:
    return wire_evidence.CaseView(
        id=case.id,
        name=case.name,
        comment=case.comment,
        created_us=case.created_us,
        created_by=case.created_by,
        items=tuple(
            wire_evidence.CaseItemView(
                id=item.id,
                camera=item.camera,
                start_us=item.start_us,
                end_us=item.end_us,
                comment=item.comment,
                added_us=item.added_us,
                added_by=item.added_by,
                is_valid=item.is_valid,
            )
            for item in case.items
        ),
    )


def _items(count: int) -> str:
    return "its stretch" if count == 1 else f"its {count} stretches"


def _item(case: CaseRow, item_id: int) -> CaseItemRow:
    return next(item for item in case.items if item.id == item_id)


def _check_past(services: Services, start_us: int) -> None:
    """What is to come would be kept from recycling before anybody has seen it."""
    if start_us >= services.clock.now_us():
        raise InvalidInput("that stretch is in the future", "add it when it is recorded")


def _item_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(f"{text!r} is no item of a case", "`watchdeck case show` lists them")
    return int(text)

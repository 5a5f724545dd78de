"""Calls about cases: stretches to be handed over together."""

from __future__ import annotations

from engine import wire_evidence
from engine.api.services import Call, Services
from storage.errors import Conflict


async def list_cases(services: Services, call: Call[None, None]) -> wire_evidence.CaseList:
    raise Conflict("not built yet")


async def add_case(services: Services, call: Call[None, wire_evidence.CaseAdd]) -> wire_evidence.CaseView:
    raise Conflict("not built yet")


async def get_case(services: Services, call: Call[None, None]) -> wire_evidence.CaseView:
    raise Conflict("not built yet")


async def edit_case(services: Services, call: Call[None, wire_evidence.CaseEdit]) -> wire_evidence.CaseView:
    raise Conflict("not built yet")


async def remove_case(services: Services, call: Call[None, None]) -> None:
    raise Conflict("not built yet")


async def add_case_item(
    services: Services, call: Call[None, wire_evidence.CaseItemAdd]
) -> wire_evidence.CaseView:
    raise Conflict("not built yet")


async def edit_case_item(
    services: Services, call: Call[None, wire_evidence.CaseItemEdit]
) -> wire_evidence.CaseView:
    raise Conflict("not built yet")


async def remove_case_item(services: Services, call: Call[None, None]) -> wire_evidence.CaseView:
    raise Conflict("not built yet")

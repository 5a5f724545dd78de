"""Calls about exports that the engine makes. Manual rows EX."""

from __future__ import annotations

from aiohttp import web

from engine import wire_evidence
from engine.api.services import Call, Services
from storage.errors import Conflict


async def plan_export_job(
    services: Services, call: Call[None, wire_evidence.ExportAsk]
) -> wire_evidence.ExportPlanView:
    raise Conflict("not built yet")


async def list_export_jobs(services: Services, call: Call[None, None]) -> wire_evidence.ExportJobList:
    raise Conflict("not built yet")


async def start_export_job(
    services: Services, call: Call[None, wire_evidence.ExportAsk]
) -> wire_evidence.ExportJobView:
    raise Conflict("not built yet")


async def get_export_job(services: Services, call: Call[None, None]) -> wire_evidence.ExportJobView:
    raise Conflict("not built yet")


async def cancel_export_job(services: Services, call: Call[None, None]) -> wire_evidence.ExportJobView:
    raise Conflict("not built yet")


async def remove_export_job(services: Services, call: Call[None, None]) -> None:
    raise Conflict("not built yet")


async def send_export_file(
    services: Services, call: Call[None, None], request: web.Request
) -> web.StreamResponse:
    raise Conflict("not built yet")

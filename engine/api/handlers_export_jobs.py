"""Calls about exports that the engine makes. Manual rows EX."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from engine import wire_evidence
from engine.api.services import Call, Services
from storage.errors import NotFound


async def plan_export_job(
    services: Services, call: Call[None, wire_evidence.ExportAsk]
) -> wire_evidence.ExportPlanView:
    return await services.exports.plan(call.body)


async def list_export_jobs(services: Services, call: Call[None, None]) -> wire_evidence.ExportJobList:
    return wire_evidence.ExportJobList(jobs=services.exports.jobs())


async def start_export_job(
    services: Services, call: Call[None, wire_evidence.ExportAsk]
) -> wire_evidence.ExportJobView:
    return await services.exports.start(call.body, call.caller.name)


async def get_export_job(services: Services, call: Call[None, None]) -> wire_evidence.ExportJobView:
    return services.exports.job(call.path["id"])


async def cancel_export_job(services: Services, call: Call[None, None]) -> wire_evidence.ExportJobView:
    return await services.exports.cancel(call.path["id"], call.caller.name)


async def remove_export_job(services: Services, call: Call[None, None]) -> None:
    await services.exports.remove(call.path["id"])


async def send_export_file(
    services: Services, call: Call[None, None], request: web.Request
) -> web.StreamResponse:
    """With ranges, so that a download that broke off goes on; a name that is not in the job's list is no file."""
    path = services.exports.file_path(call.path["id"], call.path["name"])
    if not await asyncio.get_running_loop().run_in_executor(services.files, _is_there, path):
        raise NotFound(
            f"{path.name} is not in its folder any more, or cannot be read there", "export the footage again"
        )
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(path.name)}",
        "X-Content-Type-Options": "nosniff",
    }
    return web.FileResponse(path, headers=headers)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file() and not path.is_symlink()
    except OSError:
        return False

"""Calls about video links: addresses for players elsewhere."""

from __future__ import annotations

import asyncio

from aiohttp import web

from engine import wire_links
from engine.api.export_sources import export_sources
from engine.api.handlers_exports import CHUNK_BYTES, LONGEST_US, copy_chunks
from engine.api.permissions import Role
from engine.api.services import Call, Services
from engine.api.validation import checked_stretch
from engine.links.link import Link
from storage.errors import Conflict, InvalidInput
from storage.segments.export import ExportFile, plan_export


async def add_video_link(
    services: Services, call: Call[None, wire_links.VideoLinkAsk]
) -> wire_links.VideoLink:
    ask = call.body
    if ask.start_us is not None and ask.end_us is not None:
        checked_stretch(ask.start_us, ask.end_us)
        if ask.end_us - ask.start_us > LONGEST_US:
            raise InvalidInput("a clip holds at most 24 hours", "make a link for each day")
        camera, _ = await export_sources(services, ask.camera, ask.start_us, ask.end_us)
    else:
        camera = await services.catalog.read("camera", ask.camera, with_removed=True)
    return services.links.add(ask, camera, call.caller.name)


async def list_video_links(services: Services, call: Call[None, None]) -> wire_links.VideoLinkList:
    sees_all = call.caller.role is Role.ADMINISTRATOR
    return wire_links.VideoLinkList(links=services.links.views(call.caller.name, sees_all=sees_all))


async def remove_video_link(services: Services, call: Call[None, None]) -> None:
    sees_all = call.caller.role is Role.ADMINISTRATOR
    services.links.remove(call.path["id"], call.caller.name, sees_all=sees_all)


async def planned_clip(services: Services, link: Link) -> ExportFile:
    """What a link to a recorded stretch sends. Raises WatchdeckError: it may have been recycled since."""
    if link.start_us is None or link.end_us is None:
        raise Conflict("that link is live")
    _, sources = await export_sources(services, link.camera, link.start_us, link.end_us)
    return await asyncio.get_running_loop().run_in_executor(
        services.files, plan_export, sources, link.start_us, link.end_us
    )


async def copy_clip(
    services: Services, export: ExportFile, start_bytes: int, length_bytes: int, response: web.StreamResponse
) -> None:
    """A range of it, read on the file threads. Raises ConnectionError, WatchdeckError, OSError."""
    await copy_chunks(services, export.stretch(start_bytes, length_bytes, CHUNK_BYTES), response)
    await response.write_eof()

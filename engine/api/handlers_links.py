"""Calls about video links: addresses for players elsewhere."""

from __future__ import annotations

from engine import wire_links
from engine.api.services import Call, Services
from storage.errors import Conflict


async def add_video_link(
    services: Services, call: Call[None, wire_links.VideoLinkAsk]
) -> wire_links.VideoLink:
    raise Conflict("not built yet")


async def list_video_links(services: Services, call: Call[None, None]) -> wire_links.VideoLinkList:
    raise Conflict("not built yet")


async def remove_video_link(services: Services, call: Call[None, None]) -> None:
    raise Conflict("not built yet")

"""Calls about bookmarks. Manual rows BM."""

from __future__ import annotations

from engine import wire_bookmarks
from engine.api.services import Call, Services
from storage.errors import Conflict


async def query_bookmarks(
    services: Services, call: Call[None, wire_bookmarks.BookmarkQuery]
) -> wire_bookmarks.BookmarkPage:
    raise Conflict("not built yet")


async def add_bookmark(
    services: Services, call: Call[None, wire_bookmarks.BookmarkAdd]
) -> wire_bookmarks.BookmarkView:
    raise Conflict("not built yet")


async def get_bookmark(services: Services, call: Call[None, None]) -> wire_bookmarks.BookmarkView:
    raise Conflict("not built yet")


async def edit_bookmark(
    services: Services, call: Call[None, wire_bookmarks.BookmarkEdit]
) -> wire_bookmarks.BookmarkView:
    raise Conflict("not built yet")


async def remove_bookmark(services: Services, call: Call[None, None]) -> None:
    raise Conflict("not built yet")

"""Calls about bookmarks. Manual rows BM."""

from __future__ import annotations

import unicodedata

from engine import wire_bookmarks
from engine.api.export_sources import export_sources
from engine.api.services import Call, Services
from engine.api.validation import checked_stretch
from engine.wire_sources import PreservationSettings
from storage.catalog.bookmarks import LENGTH_LIMIT_US, UNWRITTEN_US, BookmarkFilter, BookmarkRow
from storage.catalog.records import Camera
from storage.errors import InvalidInput
from storage.units import US_PER_HOUR, US_PER_SECOND

FUTURE_LIMIT_US = US_PER_HOUR
"""A bookmark may begin now and end soon; what is further off, nobody has seen."""


async def query_bookmarks(
    services: Services, call: Call[None, wire_bookmarks.BookmarkQuery]
) -> wire_bookmarks.BookmarkPage:
    query = call.body
    for start_us, end_us in ((query.start_us, query.end_us), (query.made_start_us, query.made_end_us)):
        if start_us is not None and end_us is not None:
            checked_stretch(start_us, end_us)
    found: list[BookmarkRow] = await services.catalog.read(
        "bookmarks",
        BookmarkFilter(
            camera=query.camera,
            text=query.text,
            start_us=query.start_us,
            end_us=query.end_us,
            made_start_us=query.made_start_us,
            made_end_us=query.made_end_us,
        ),
        now_us=services.clock.now_us(),
        before=_place(query.before) if query.before else None,
        limit=query.limit + 1,
    )
    shown = found[: query.limit]
    return wire_bookmarks.BookmarkPage(
        bookmarks=tuple(map(bookmark_view, shown)),
        resume=f"{shown[-1].start_us}-{shown[-1].id}" if len(found) > len(shown) else "",
    )


async def add_bookmark(
    services: Services, call: Call[None, wire_bookmarks.BookmarkAdd]
) -> wire_bookmarks.BookmarkView:
    asked = call.body
    camera: Camera = await services.catalog.read("camera", asked.camera, with_removed=True)
    end_us = asked.end_us
    if end_us is None:
        end_us = asked.start_us + wire_bookmarks.BOOKMARK_S * US_PER_SECOND
    preserved = services.settings.view().preservation or PreservationSettings()
    now_us = services.clock.now_us()
    if 0 < end_us - asked.start_us <= LENGTH_LIMIT_US and end_us <= now_us - UNWRITTEN_US:
        # A mistyped year is told at once, and not by "invalid" in a list.
        await export_sources(services, asked.camera, asked.start_us, end_us)
    row: BookmarkRow = await services.catalog.write(
        "add_bookmark",
        camera_id=camera.id,
        start_us=asked.start_us,
        end_us=end_us,
        now_us=now_us,
        latest_us=now_us + FUTURE_LIMIT_US,
        name=_line(asked.name),
        note=_lines(asked.note),
        created_by=call.caller.name,
        keep_days=preserved.bookmark_days if asked.keep_days is None else asked.keep_days,
    )
    services.events.publish("bookmark.added", _said(row, "made"), source=row.camera, actor=call.caller.name)
    return bookmark_view(row)


async def get_bookmark(services: Services, call: Call[None, None]) -> wire_bookmarks.BookmarkView:
    return bookmark_view(
        await services.catalog.read("bookmark", _id(call.path["id"]), now_us=services.clock.now_us())
    )


async def edit_bookmark(
    services: Services, call: Call[None, wire_bookmarks.BookmarkEdit]
) -> wire_bookmarks.BookmarkView:
    changes = call.body
    now_us = services.clock.now_us()
    row: BookmarkRow = await services.catalog.write(
        "edit_bookmark",
        _id(call.path["id"]),
        now_us=now_us,
        latest_us=now_us + FUTURE_LIMIT_US,
        actor=call.caller.name,
        name=None if changes.name is None else _line(changes.name),
        note=None if changes.note is None else _lines(changes.note),
        start_us=changes.start_us,
        end_us=changes.end_us,
        keep_days=changes.keep_days,
    )
    services.events.publish(
        "bookmark.edited", _said(row, "changed"), source=row.camera, actor=call.caller.name
    )
    return bookmark_view(row)


async def remove_bookmark(services: Services, call: Call[None, None]) -> None:
    row: BookmarkRow = await services.catalog.write(
        "remove_bookmark", _id(call.path["id"]), now_us=services.clock.now_us()
    )
    services.events.publish(
        "bookmark.removed", _said(row, "removed"), source=row.camera, actor=call.caller.name
    )


def bookmark_view(row: BookmarkRow) -> wire_bookmarks.BookmarkView:
    return wire_bookmarks.BookmarkView(
        id=row.id,
        camera=row.camera,
        start_us=row.start_us,
        end_us=row.end_us,
        name=row.name,
        note=row.note,
        created_us=row.created_us,
        created_by=row.created_by,
        is_valid=row.is_valid,
        is_protected=row.is_protected,
        expires_us=row.expires_us if row.is_protected else None,
    )


def _said(row: BookmarkRow, done: str) -> str:
    return f"Bookmark {row.id} of {row.camera} {done}{f': {row.name}' if row.name else ''}"


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(f"{text!r} is no bookmark's id", "`watchdeck bookmark list` shows all")
    return int(text)


def _place(text: str) -> tuple[int, int]:
    """Where the page before ended: start and id of its last bookmark."""
    start_us, _, id = text.partition("-")
    try:
        return _id(start_us), _id(id)
    except InvalidInput:
        raise InvalidInput(
            f"$.before: {text!r} is no end of a page", "give `resume` of the page before, or nothing"
        ) from None


def _line(text: str) -> str:
    """One line as terminals can show it."""
    return " ".join(_lines(text).split())


def _lines(text: str) -> str:
    """Without what would garble a terminal."""
    return "".join(
        character for character in text if character in "\n\t" or unicodedata.category(character) != "Cc"
    ).strip()

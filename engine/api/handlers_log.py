"""Calls about the log, whether its chain is whole, and events and log as files. Manual rows ES-03, LS."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from engine.api.alarm_views import log_entry, log_filter
from engine.api.csv_file import ROW_LIMIT, event_table, log_table
from engine.api.handlers_station import event_filter
from engine.api.services import Call, Services
from engine.wire_calls import CsvReply, EventFileQuery
from engine.wire_log import LogEntry, LogPage, LogQuery, LogVerification
from storage.catalog.alarm_records import ChainCheck, LogPageRows
from storage.catalog.records import EventRecord

PAGE = 1_000
"""Rows of one read: other readers of the catalog come in between."""


async def query_log(services: Services, call: Call[None, LogQuery]) -> LogPage:
    page = await _page(services, call.body)
    return LogPage(entries=tuple(map(log_entry, page.rows)), resume=page.resume)


async def _page(services: Services, asked: LogQuery) -> LogPageRows:
    found: LogPageRows = await services.catalog.read(
        "log", log_filter(asked), before=asked.before, limit=asked.limit
    )
    return found


async def export_log(services: Services, call: Call[None, LogQuery]) -> CsvReply:
    entries: list[LogEntry] = []
    asked = msgspec.structs.replace(call.body, before="", limit=PAGE)
    while True:
        page = await _page(services, asked)
        entries.extend(map(log_entry, page.rows))
        if not page.resume or len(entries) > ROW_LIMIT:
            break
        asked = msgspec.structs.replace(asked, before=page.resume)
    kept = entries[:ROW_LIMIT]
    data = await asyncio.get_running_loop().run_in_executor(services.files, log_table, kept)
    return CsvReply(data=data, rows=len(kept), is_cut=len(entries) > ROW_LIMIT or bool(page.resume))


async def verify_log(services: Services, call: Call[None, None]) -> LogVerification:
    """What was done just now is written first, so that it is part of what is looked at."""
    await services.operations.flush()
    check: ChainCheck = await services.catalog.read("verify_operations")
    return LogVerification(
        is_whole=check.is_whole,
        checked=check.checked,
        first_id=check.first_id,
        last_id=check.last_id,
        trouble=check.trouble,
    )


async def export_events(services: Services, call: Call[EventFileQuery, None]) -> CsvReply:
    """ES-03, newest first."""
    filters: dict[str, Any] = event_filter(call.query)
    events: list[EventRecord] = []
    while len(events) <= ROW_LIMIT:
        page: list[EventRecord] = await services.catalog.read(
            "events", limit=PAGE, before_id=events[-1].id if events else None, **filters
        )
        events.extend(page)
        if len(page) < PAGE:
            break
    kept = events[:ROW_LIMIT]
    data = await asyncio.get_running_loop().run_in_executor(services.files, event_table, kept)
    return CsvReply(data=data, rows=len(kept), is_cut=len(events) > ROW_LIMIT)

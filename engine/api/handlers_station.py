"""Calls about the station as a whole: version, status, snapshot, events."""

from __future__ import annotations

from typing import Any

from engine import wire, wire_calls
from engine.api.services import Call, Services
from engine.api.validation import checked_choice
from engine.api.views import event_view
from storage.catalog.records import EventRecord, Severity


async def get_version(services: Services, call: Call[None, None]) -> wire_calls.VersionReply:
    return wire_calls.VersionReply(api=wire.API_VERSION, version=services.station.station_view().version)


async def get_station(services: Services, call: Call[None, None]) -> wire.StationView:
    return services.station.station_view()


async def get_snapshot(services: Services, call: Call[None, None]) -> wire.Snapshot:
    return services.station.snapshot()


async def list_events(services: Services, call: Call[wire_calls.EventQuery, None]) -> wire_calls.EventList:
    query = call.query
    found: list[EventRecord] = await services.catalog.read(
        "events",
        limit=query.limit,
        before_id=query.before_id,
        after_id=query.after_id,
        **event_filter(query),
    )
    return wire_calls.EventList(events=tuple(map(event_view, found)))


def event_filter(query: wire_calls.EventFileQuery) -> dict[str, Any]:
    """Which events, as the catalog takes it. Raises InvalidInput."""
    severity = None
    if query.min_severity is not None:
        severity = checked_choice(Severity, query.min_severity, "min_severity")
    return {
        "kinds": query.kind or None,
        "min_severity": severity,
        "source": query.source,
        "start_us": query.start_us,
        "end_us": query.end_us,
        "text": query.text,
    }

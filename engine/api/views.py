"""Rows of the catalog as messages, where several modules need the same."""

from __future__ import annotations

from engine import wire
from storage.catalog.records import EventRecord


def event_view(event: EventRecord) -> wire.EventView:
    return wire.EventView(
        id=event.id,
        time_us=event.time_us,
        kind=event.kind,
        severity=event.severity,
        source=event.source,
        text=event.text,
        actor=event.actor,
    )

"""Whether the engine ended in order the last time. Said once, at the start that follows."""

from __future__ import annotations

from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from storage.catalog.records import EventRecord, Severity


async def tell_of_crash(catalog: CatalogThread, events: EventBus) -> None:
    """Before `engine.started` is said: every start is followed by `engine.stopped`, or it crashed or lost power."""
    newest: list[EventRecord] = await catalog.read(
        "events", limit=1, kinds=["engine.started", "engine.stopped"]
    )
    if newest and newest[0].kind == "engine.started":
        events.publish(
            "engine.crashed",
            "the engine had ended without an orderly stop: it crashed, was killed, or lost power",
            severity=Severity.WARNING,
        )

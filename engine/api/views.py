"""Rows of the catalog as messages, where several modules need the same."""

from __future__ import annotations

from engine import wire
from storage.catalog.records import Camera, EventRecord


def event_view(event: EventRecord) -> wire.EventView:
    return wire.EventView(
        id=event.id,
        time_us=event.time_us,
        kind=event.kind,
        severity=event.severity,
        source=event.source,
        text=event.text,
        actor=event.actor,
        count=event.count,
    )


def removed_camera_view(camera: Camera, oldest_us: int | None) -> wire.CameraView:
    """A camera that is not recorded any more; how to reach it is nobody's business now."""
    return wire.CameraView(
        id=camera.id,
        uuid=str(camera.uuid),
        name=camera.name,
        url=camera.url,
        user="",
        has_password=False,
        group="",
        transport=camera.transport,
        mode=camera.mode,
        is_enabled=False,
        cause="removed; its recordings stay until they are recycled",
        oldest_us=oldest_us,
        is_removed=True,
    )

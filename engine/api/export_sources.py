"""Which segment files hold a stretch of a camera, up to now: where every export begins."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from engine.api import live_tail
from engine.api.services import Services
from storage.catalog.records import Camera, Volume
from storage.errors import NotFound
from storage.segments.export import ExportSource


async def export_sources(
    services: Services, ref: str | UUID, start_us: int, end_us: int
) -> tuple[Camera, list[ExportSource]]:
    """By name, UUID or id (a UUID that is no text is never taken for a name), removed cameras too. Raises NotFound, also when nothing is
    recorded in it."""
    camera: Camera = await services.catalog.read("camera", ref, with_removed=True)
    segments = await live_tail.segments(services, [camera.id], start_us, end_us)
    volumes: dict[int, Volume] = {volume.id: volume for volume in await services.catalog.read("volumes")}
    sources = [
        ExportSource(
            path=Path(volumes[segment.volume_id].path) / segment.path,
            start_us=segment.start_us,
            end_us=segment.end_us,
            media_duration_ticks=segment.media_duration_ticks,
        )
        for segment in segments
        if segment.volume_id in volumes
    ]
    if not sources:
        raise NotFound(
            f"nothing of camera {camera.name} is recorded in that stretch",
            "`watchdeck recording list` and `watchdeck recording gaps` show what is there and why not",
        )
    return camera, sources

"""What is on disk up to now: the catalog's rows, with the open ones as long as their files are.

The catalog grows a segment only when a sync has made it durable, some seconds after it was written. Who reads, sees
and exports wants what is in the file; who recovers after a crash wants what the catalog promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engine.catalog_access import CatalogAccess
from engine.recording.segment import SegmentTail
from storage.catalog.records import Segment
from storage.units import Interval, merged

_JOIN_WITHIN_US = 1_000_000


class Tails(Protocol):
    def tails(self) -> Sequence[SegmentTail]: ...


class LiveFootage(Protocol):
    """`Services`, or whatever else has both."""

    @property
    def catalog(self) -> CatalogAccess: ...

    @property
    def recording(self) -> Tails: ...


async def open_segments(services: LiveFootage, camera_ids: Sequence[int]) -> list[Segment]:
    """The segments being written, of these cameras, each with what its file holds now."""
    rows: list[Segment] = await services.catalog.read("open_segments")
    tails = {(tail.volume_id, tail.path): tail for tail in services.recording.tails()}
    wanted = set(camera_ids)
    found: list[Segment] = []
    for row in rows:
        if row.camera_id not in wanted:
            continue
        tail = tails.get((row.volume_id, row.path))
        if tail is not None and tail.end_us > row.end_us:
            row = msgspec.structs.replace(
                row, end_us=tail.end_us, media_duration_ticks=tail.media_duration_ticks, bytes=tail.bytes
            )
        found.append(row)
    return found


async def segments(
    services: LiveFootage, camera_ids: Sequence[int], start_us: int, end_us: int, *, limit: int | None = None
) -> list[Segment]:
    """As the catalog's `segments`, by start; a page that is full ends before what is being written."""
    rows: list[Segment] = await services.catalog.read(
        "segments", list(camera_ids), start_us, end_us, limit=limit
    )
    if limit is None or len(rows) < limit:
        by_id = {row.id: row for row in rows}
        for row in await open_segments(services, camera_ids):
            if row.start_us < end_us and row.end_us > start_us:
                by_id[row.id] = row
        rows = list(by_id.values())
    rows.sort(key=lambda row: (row.start_us, row.camera_id))
    return rows


async def coverage(
    services: LiveFootage, camera_ids: Sequence[int], start_us: int, end_us: int
) -> dict[int, list[Interval]]:
    """As the catalog's `coverage`: merged stretches of each camera inside [start_us, end_us)."""
    found: dict[int, list[Interval]] = await services.catalog.read(
        "coverage", list(camera_ids), start_us, end_us
    )
    asked = Interval(start_us, end_us)
    for row in await open_segments(services, camera_ids):
        stretch = Interval(row.start_us, max(row.start_us, row.end_us)).clipped_to(asked)
        if stretch is not None:
            found[row.camera_id] = merged([*found.get(row.camera_id, []), stretch], _JOIN_WITHIN_US)
    return found

"""What is lost when a volume goes: footage by camera, with its span, its bytes and the locked part of them.

Asked before an operation that erases a volume. Read in windows of time, so that other readers get their turn between two
of them: 128 cameras x 30 days are 2.8 million rows, a window some tens of thousands.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from storage.catalog.connection import CatalogConnection

_SUMS = "SELECT camera_id, min(start_us), max(end_us), sum(bytes), count(*) FROM segment"


class CameraFootage(msgspec.Struct, frozen=True, kw_only=True):
    """Of one camera on one volume, in one window."""

    camera_id: int
    camera: str
    start_us: int
    end_us: int
    bytes: int
    locked_bytes: int = 0
    segments: int = 0


class FootageRows(CatalogConnection):
    """Table `segment` by volume."""

    def footage_span(self, volume_id: int) -> tuple[int, int] | None:
        """Start of the oldest closed segment of a volume and one past the start of its newest; None when it has none."""
        edges = [
            row[0]
            for is_locked in (0, 1)
            for order in ("ASC", "DESC")
            if (
                row := self._row(
                    "SELECT start_us FROM segment WHERE volume_id = ? AND (lock_count > 0) = ? AND state = 1"
                    f" ORDER BY start_us {order} LIMIT 1",
                    (volume_id, is_locked),
                )
            )
        ]
        return (min(edges), max(edges) + 1) if edges else None

    def footage_between(self, volume_id: int, from_us: int, to_us: int) -> list[CameraFootage]:
        """Closed segments of a volume that began in [from_us, to_us), by camera."""
        rows = [
            (*row, is_locked)
            for is_locked in (0, 1)
            for row in self._rows(
                f"{_SUMS} WHERE volume_id = ? AND (lock_count > 0) = ? AND state = 1"
                " AND start_us >= ? AND start_us < ? GROUP BY camera_id",
                (volume_id, is_locked, from_us, to_us),
            )
        ]
        return joined_footage(self._footage(row) for row in rows)

    def open_footage(self, volume_id: int) -> list[CameraFootage]:
        """What is being recorded to a volume now, by camera."""
        rows = self._rows(
            f"{_SUMS} WHERE state <> 1 AND state = 0 AND volume_id = ? GROUP BY camera_id", (volume_id,)
        )
        return [self._footage((*row, 0)) for row in rows]

    def _footage(self, row: tuple[int, ...]) -> CameraFootage:
        camera_id, start_us, end_us, size_bytes, segments, is_locked = row
        name = self._row("SELECT name FROM camera WHERE id = ?", (camera_id,))
        return CameraFootage(
            camera_id=camera_id,
            camera=name[0] if name is not None else f"camera {camera_id}",
            start_us=start_us,
            end_us=end_us,
            bytes=size_bytes,
            locked_bytes=size_bytes if is_locked else 0,
            segments=segments,
        )


def joined_footage(parts: Iterable[CameraFootage]) -> list[CameraFootage]:
    """Windows (and volumes) added up, a row a camera, in order of the cameras."""
    whole: dict[int, CameraFootage] = {}
    for part in parts:
        known = whole.get(part.camera_id)
        whole[part.camera_id] = (
            part
            if known is None
            else msgspec.structs.replace(
                known,
                start_us=min(known.start_us, part.start_us),
                end_us=max(known.end_us, part.end_us),
                bytes=known.bytes + part.bytes,
                locked_bytes=known.locked_bytes + part.locked_bytes,
                segments=known.segments + part.segments,
            )
        )
    return [whole[camera_id] for camera_id in sorted(whole)]

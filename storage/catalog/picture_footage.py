"""What a picture of a recording is made of, in one read: the segment, where it lies, its tracks and its keyframes."""

from __future__ import annotations

import msgspec

from storage.catalog.recordings import SEGMENT_COLUMNS, RecordingRows, segment_from_row
from storage.catalog.records import Segment
from storage.segments.packet import Track


class PictureFootage(msgspec.Struct, frozen=True, kw_only=True):
    """A segment with all that is known about its file."""

    segment: Segment
    root: str
    """Of its volume."""
    tracks: tuple[Track, ...]
    """Of its run."""
    places: bytes
    """Of its keyframes (storage.segments.places); empty = only the file knows."""

    @property
    def path(self) -> str:
        """Absolute."""
        return f"{self.root}/{self.segment.path}"


class PictureFootageRows(RecordingRows):
    """Tables `segment`, `run`, `segment_keyframes` and `volume`. Removed volumes are left out."""

    def picture_footage(self, camera_id: int, time_us: int) -> PictureFootage | None:
        """Of the segment that holds that moment, as `segment_at`."""
        segment = self.segment_at(camera_id, time_us)
        return None if segment is None else self.footage_of(segment)

    def footage_of(self, segment: Segment) -> PictureFootage:
        """What belongs to a segment. Raises NotFound when its run was forgotten meanwhile."""
        row = self._row("SELECT path FROM volume WHERE id = ?", (segment.volume_id,))
        return PictureFootage(
            segment=segment,
            root="" if row is None else row[0],
            tracks=self.run(segment.run_id).tracks,
            places=b"" if segment.is_open else self.keyframes(segment.id),
        )

    def footage_from(self, camera_id: int, time_us: int) -> PictureFootage | None:
        """Of the first segment that holds that moment or begins behind it; None at the end."""
        return self.picture_footage(camera_id, time_us) or self._beside(
            camera_id, "start_us >= ? ORDER BY start_us", time_us
        )

    def footage_until(self, camera_id: int, time_us: int) -> PictureFootage | None:
        """Of the last segment that has footage before that moment; None at the beginning."""
        return self.picture_footage(camera_id, time_us - 1) or self._beside(
            camera_id, "start_us < ? ORDER BY start_us DESC", time_us
        )

    def _beside(self, camera_id: int, condition: str, time_us: int) -> PictureFootage | None:
        row = self._row(
            f"SELECT {SEGMENT_COLUMNS} FROM segment WHERE camera_id = ? AND end_us > start_us AND state < 2"
            f"{self._hidden_volumes()} AND {condition} LIMIT 1",
            (camera_id, time_us),
        )
        return None if row is None else self.footage_of(segment_from_row(row))

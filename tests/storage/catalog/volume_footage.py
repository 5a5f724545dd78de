"""A real volume in a folder, with small real segment files on it, as an engine would have left them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

from storage.catalog.changes import BeginRun, CloseSegment, EndRun, OpenSegment
from storage.catalog.db import Catalog
from storage.catalog.records import Camera
from storage.catalog.records import Volume as VolumeRecord
from storage.segments.chain import RunChain
from storage.segments.identity import PastGap, SegmentIdentity
from storage.segments.packet import Codec, Packet, Track
from storage.segments.part import PartBuilder
from storage.segments.places import encode_places
from storage.segments.writer import SegmentWriter
from storage.volumes.volume import Volume, segment_path

JPEG = (Track(codec=Codec.MJPEG, time_base_hz=90_000, width=64, height=48),)
FRAME_TICKS = 45_000
PICTURE = b"\xff\xd8" + bytes(range(1, 200)) + b"\xff\xd9"
SECOND = 1_000_000


def add_volume(catalog: Catalog, path: Path, name: str = "array") -> Volume:
    uuid = uuid4()
    Volume.initialise(path, uuid, name, catalog.station().uuid)
    record: VolumeRecord = catalog.add_volume(
        uuid=uuid, name=name, path=str(path), group="main", floor_bytes=0
    )
    return Volume(record)


class Recording:
    """Writes one camera's run: files on the volume and, unless told otherwise, rows in the catalog."""

    def __init__(
        self, catalog: Catalog, volume: Volume, camera: Camera, start_us: int, chain: RunChain | None = None
    ) -> None:
        self.catalog, self.volume, self.camera = catalog, volume, camera
        self.run = uuid4()
        self._chain = chain
        self.sequence = 0
        self.end_us = start_us
        self._ticks = 0
        catalog.apply([BeginRun(self.run, camera.id, start_us, JPEG)])

    def segment(
        self,
        seconds: int = 4,
        *,
        gaps: tuple[PastGap, ...] = (),
        in_catalog: bool = True,
        is_closed: bool = True,
        camera_uuid: UUID | None = None,
    ) -> Path:
        """The next segment of the run: two pictures a second, a part a second."""
        identity = SegmentIdentity(
            station=self.catalog.station().uuid,
            camera=camera_uuid or self.camera.uuid,
            camera_name=self.camera.name,
            volume=self.volume.record.uuid,
            run=self.run,
            sequence=self.sequence,
            start_us=self.end_us,
            gaps=gaps,
        )
        relative = segment_path(self.camera.uuid, self.end_us, self.run, self.sequence)
        writer = self.volume.create_segment(relative, identity, JPEG, self._chain)
        for _ in range(seconds):
            self._part(writer)
        end_us = self.end_us + seconds * SECOND
        if in_catalog:
            self.catalog.apply(
                [OpenSegment(self.run, self.sequence, self.volume.record.id, relative, self.end_us)]
            )
        if is_closed:
            summary = writer.close()
            close = CloseSegment(
                self.run,
                self.sequence,
                end_us,
                summary.video_duration_ticks,
                summary.bytes,
                encode_places(summary.keyframes),
            )
            self.catalog.apply([close] if in_catalog else [])
        self.sequence += 1
        self.end_us = end_us
        return self.volume.root / relative

    def end(self) -> None:
        self.catalog.apply([EndRun(self.run, self.end_us, "stopped")])

    def _part(self, writer: SegmentWriter) -> None:
        builder = PartBuilder(JPEG)
        for _ in range(2):
            builder.add(Packet(0, self._ticks, True, PICTURE, 0))
            self._ticks += FRAME_TICKS
        writer.append(builder.take(self._ticks))

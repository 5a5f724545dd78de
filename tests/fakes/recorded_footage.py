"""A fake station's camera with real segment files on a real volume, in the catalog as the recorder would leave it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from engine import wire
from storage.catalog.changes import BeginRun, CloseSegment, OpenSegment
from storage.segments.chain import RunChain
from storage.units import ticks_to_us
from tests.fakes.encoded_video import Stream, merged
from tests.fakes.segment_files import START_US, identity, parts_of, write_segment
from tests.fakes.station import FakeStation


async def add_volume(station: FakeStation, root: Path) -> int:
    """`root` is made."""
    root.mkdir(exist_ok=True)
    volume = await station.catalog.write(
        "add_volume", uuid=uuid4(), name=root.name, path=str(root), group="main", floor_bytes=0
    )
    return int(volume.id)


async def record(
    station: FakeStation,
    root: Path,
    volume_id: int,
    name: str,
    *streams: Stream,
    start_us: int = START_US,
    parts_a_segment: int = 2,
) -> None:
    """A run of the camera (added when there is none of that name) that begins at `start_us`."""
    cameras = {camera.name: (camera.id, camera.uuid) for camera in await station.client.cameras()}
    if name not in cameras:
        added = await station.client.add_camera(wire.CameraAdd(name=name, url="rtsp://192.0.2.1/x"))
        cameras[name] = (added.id, added.uuid)
    camera_id, camera_uuid = cameras[name]
    chain = RunChain(station.services.keys.signer())
    tracks, packets = merged(*streams)
    parts = parts_of(tracks, packets)
    run = uuid4()
    await station.catalog.write("apply", [BeginRun(run, camera_id, start_us, tracks)])
    hz = next(track for track in tracks if track.is_video).time_base_hz
    for sequence, first in enumerate(range(0, len(parts), parts_a_segment)):
        relative = f"{name}/{start_us}-{sequence}.mp4"
        chosen = parts[first : first + parts_a_segment]
        who = msgspec.structs.replace(
            identity(sequence, start_us, run), camera=UUID(camera_uuid), camera_name=name
        )
        _, summary = write_segment(root, relative, tracks, chosen, who=who, chain=chain)
        end_us = start_us + ticks_to_us(summary.video_duration_ticks, hz)
        await station.catalog.write(
            "apply",
            [
                OpenSegment(run, sequence, volume_id, relative, start_us),
                CloseSegment(run, sequence, end_us, summary.video_duration_ticks, summary.bytes),
            ],
        )
        start_us = end_us

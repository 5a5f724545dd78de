"""A station with good cameras beside bad ones, and the question every such test ends with: did the good ones notice?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av

from engine import wire
from engine.client import EngineClient
from engine.state_folder import CATALOG_NAME
from storage.catalog.db import Catalog
from storage.segments.reader import SegmentReader
from tests.e2e.engine_process import EngineProcess, until
from tests.e2e.recorded_pictures import decodes_without_error
from tests.rtsp.live_camera import good_cameras
from tests.rtsp.scripted import ScriptedCamera

FAR_FUTURE_US = 1 << 57
GOOD = [f"good {number}" for number in range(6)]
RSS_GROWTH_LIMIT_BYTES = 128 << 20
FPS = 25


@dataclass
class Neighbours:
    """The engine, its client, and what its cameras were seen to be."""

    engine: EngineProcess
    client: EngineClient
    volume: Path
    rss_bytes: int = 0
    """When only the good cameras were recorded."""
    seen: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """(state, cause code) of each camera, as polled."""
    words: dict[str, set[str]] = field(default_factory=dict)
    nonsense: set[str] = field(default_factory=set)
    """Cameras whose video no decoder could play: what looks like a picture is kept as it came."""

    async def add(self, name: str, camera: ScriptedCamera, **changes: str) -> None:
        await self.client.add_camera(wire.CameraAdd(name=name, url=camera.url, **changes))

    async def watch_until(self, truth: Callable[[wire.Snapshot], bool], what: str, timeout_s: float) -> None:
        """Poll until `truth` holds, remembering every state on the way."""

        def look(snapshot: wire.Snapshot) -> bool:
            for camera in snapshot.cameras:
                self.seen.setdefault(camera.name, set()).add((str(camera.state), camera.cause_code))
                self.words.setdefault(camera.name, set()).add(camera.cause)
            return truth(snapshot)

        await until(self.client, look, what, timeout_s)

    async def watch_until_seen(self, expected: dict[str, tuple[str, str]], timeout_s: float = 35) -> None:
        """Each camera has been seen in its expected (state, cause code)."""
        await self.watch_until(
            lambda _: all(pair in self.seen.get(name, ()) for name, pair in expected.items()),
            f"{expected}",
            timeout_s,
        )

    def plays_nonsense(self, path: Path) -> bool:
        return SegmentReader.open(path).identity.camera_name in self.nonsense

    async def gap_causes(self, name: str) -> list[str]:
        return [gap.cause for gap in await self.client.gaps(name, 0, FAR_FUTURE_US)]

    async def recordings(self, name: str) -> list[wire.RecordingView]:
        found = await self.client.recordings(name, 0, FAR_FUTURE_US)
        return sorted(found, key=lambda recording: recording.start_us)

    async def end(self) -> None:
        """The good cameras lost nothing, memory is bounded, the engine stops in order and every file plays."""
        snapshot = await self.client.snapshot()
        assert snapshot.station.engine_rss_bytes - self.rss_bytes < RSS_GROWTH_LIMIT_BYTES
        for camera in snapshot.cameras:
            if camera.name in GOOD:
                assert (camera.state, camera.lost_packets, camera.reconnects) == ("recording", 0, 0), camera
        for name in GOOD:
            assert not await self.client.gaps(name, 0, FAR_FUTURE_US), name
        assert self.engine.stop() == 0, self.engine.tail()
        for path in sorted(self.volume.rglob("*.mp4")):
            assert self.plays_nonsense(path) or not decodes_without_error(path), path
        with Catalog.open(self.engine.state / CATALOG_NAME, read_only=True) as catalog:
            ids = {camera.name: camera.id for camera in catalog.cameras()}
            recorded = {name: catalog.segments([ids[name]], 0, FAR_FUTURE_US) for name in GOOD}
        for name, found in recorded.items():
            found.sort(key=lambda segment: segment.start_us)
            for one, following in zip(found, found[1:], strict=False):
                assert one.end_us == following.start_us, f"{name} has a hole"
            pictures = sum(picture_count(self.volume / segment.path) for segment in found)
            span_s = (found[-1].end_us - found[0].start_us) / 1e6
            assert abs(pictures - span_s * FPS) <= 0.01 * pictures + 2, f"{name} lost pictures"
        log = self.engine.log.read_text()
        assert "Traceback" not in log, log[log.index("Traceback") - 300 :][:3000]


def picture_count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)


@asynccontextmanager
async def neighbours(tmp_path: Path, *, config: str = "") -> AsyncIterator[Neighbours]:
    """Six good cameras that are being recorded; on the way out, `Neighbours.end` if nothing else failed."""
    engine = EngineProcess(tmp_path / "state", config=config)
    volume = tmp_path / "volume"
    volume.mkdir()
    with good_cameras(len(GOOD)) as urls:
        try:
            client = await engine.start()
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
            )
            for name, url in zip(GOOD, urls, strict=True):
                await client.add_camera(wire.CameraAdd(name=name, url=url))
            await until(client, lambda now: now.station.cameras_recording == len(GOOD), "all good recording")
            status = await client.status()
            found = Neighbours(engine, client, volume, status.engine_rss_bytes)
            yield found
            await found.end()
        finally:
            await engine.end()

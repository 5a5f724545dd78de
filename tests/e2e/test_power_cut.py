"""A power cut at any moment costs at most the sync interval, and what was on disk before plays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine import wire
from tests.e2e.engine_process import EngineProcess, until
from tests.e2e.loop_disk import cut_power, mounted, new_image
from tests.e2e.recorded_pictures import SentPictures, decodes_without_error, slice_hashes
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FPS = 15
SYNC_INTERVAL_S = 5
IN_FLIGHT_PICTURES = 2 * FPS
"""The part still in memory when the group commit began, and the time the commit itself takes."""
CUTS = 4
FAR_FUTURE_US = 1 << 57


async def test_a_power_cut_costs_at_most_the_sync_interval(tmp_path: Path) -> None:
    stream = RtspStream(path="/cam", fps=FPS, gop=FPS, counter=True, sent_log=str(tmp_path / "sent"))
    sent = SentPictures(tmp_path / "sent")
    image = new_image(tmp_path / "disk.img", 96)
    cuts: list[tuple[Path, int]] = []
    with mounted(image, tmp_path / "disk") as disk, RtspServer([stream]) as server:
        # State and footage on the same file system: the cut takes both at the same moment.
        engine = EngineProcess(disk / "state")
        engine.socket = tmp_path / "engine.sock"
        (disk / "volume").mkdir()
        try:
            client = await engine.start()
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(disk / "volume"), floor_bytes=4 << 20)
            )
            await client.add_camera(wire.CameraAdd(name="cam", url=server.url()))
            await until(client, lambda now: now.station.cameras_recording == 1, "recording")
            for number in range(CUTS):
                await asyncio.sleep(3.7)
                cuts.append((cut_power(image, tmp_path / f"cut{number}.img"), sent.count()))
            await client.close()
            assert engine.stop() == 0
        finally:
            await engine.end()

    for cut, sent_before in cuts:
        with mounted(cut, tmp_path / "disk"):
            try:
                client = await engine.start()
                recordings = await client.recordings("cam", 0, FAR_FUTURE_US)
                events = await client.events(limit=200)
                await client.close()
                assert engine.stop() == 0
            finally:
                await engine.end()
            assert any(event.kind == "recovery.done" for event in events), "the start says what it recovered"
            kept: list[int] = []
            for recording in recordings:
                assert not decodes_without_error(Path(recording.path))
                kept += sent.places_of(slice_hashes(Path(recording.path)))
        lost = sent_before - 1 - max(kept, default=-1)
        assert lost <= SYNC_INTERVAL_S * FPS + IN_FLIGHT_PICTURES, f"{cut.name} lost {lost} pictures"

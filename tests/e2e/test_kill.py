"""kill -9 at random moments: at most two seconds a camera are lost, and nothing that was older."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
from functools import partial
from pathlib import Path

import pytest

from engine import wire
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.e2e.recorded_pictures import SentPictures, decodes_without_error, slice_hashes
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

FPS = 15
KILLS = int(os.environ.get("WATCHDECK_KILLS", "20"))
LOSS_LIMIT_PICTURES = 2 * FPS
IN_FLIGHT_PICTURES = FPS // 2
"""Between the server's payloader and the engine's memory: encoder, sockets."""


def streams(folder: Path) -> dict[str, RtspStream]:
    """Short GOPs, GOPs longer than a part, and B-frames."""
    return {
        name: RtspStream(
            path=f"/{name}", fps=FPS, counter=True, sent_log=str(folder / f"{name}.sent"), **settings
        )
        for name, settings in {
            "short": {"gop": 15},
            "long": {"gop": 50},
            "reordered": {"gop": 30, "b_frames": 2},
        }.items()
    }


def keepers(server: RtspServer, names: list[str]) -> list[subprocess.Popen[bytes]]:
    """A viewer for each stream, so that the server's encoders live on when the engine dies."""
    return [
        subprocess.Popen(
            ["ffmpeg", "-nostdin", "-v", "quiet", "-rtsp_transport", "tcp", "-i", server.url(f"/{name}")]
            + ["-c", "copy", "-f", "null", "-"]
        )
        for name in names
    ]


async def test_a_kill_at_any_moment_costs_at_most_two_seconds_a_camera_and_nothing_older(
    tmp_path: Path,
) -> None:
    cameras = streams(tmp_path)
    volume = tmp_path / "volume"
    volume.mkdir()
    engine = EngineProcess(tmp_path / "state")
    sent = {name: SentPictures(Path(stream.sent_log)) for name, stream in cameras.items()}
    sent_at_kill: list[dict[str, int]] = []
    dice = random.Random()
    with RtspServer(list(cameras.values())) as server:
        viewers = keepers(server, list(cameras))
        try:
            client = await engine.start()
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
            )
            for name in cameras:
                await client.add_camera(wire.CameraAdd(name=name, url=server.url(f"/{name}")))
            for _ in range(KILLS):
                await until(
                    client, lambda now: now.station.cameras_recording == len(cameras), "all recording"
                )
                await asyncio.sleep(dice.uniform(0, 3))
                sent_at_kill.append({name: pictures.count() for name, pictures in sent.items()})
                engine.kill()
                client = await engine.start()
            await until(client, lambda now: now.station.cameras_recording == len(cameras), "all recording")
            gaps = {
                name: await eventually(
                    partial(client.gaps, name, 0, 1 << 57),
                    lambda found: len(found) == KILLS and all(gap.end_us is not None for gap in found),
                    f"{name} has an ended gap for every kill",
                )
                for name in cameras
            }
            recordings = {name: await client.recordings(name, 0, 1 << 57) for name in cameras}
            assert engine.stop() == 0
        finally:
            await engine.end()
            for viewer in viewers:
                viewer.kill()
                viewer.wait()

    for name in cameras:
        kept: list[int] = []
        for recording in sorted(recordings[name], key=lambda r: r.start_us):
            path = Path(recording.path)
            assert not decodes_without_error(path), f"{path} of {name} does not play"
            kept += sent[name].places_of(slice_hashes(path))
        assert len(kept) == len(set(kept)), f"pictures of {name} were recorded twice"
        for moment in sent_at_kill:
            newest = max((place for place in kept if place < moment[name]), default=-1)
            lost = moment[name] - 1 - newest
            assert lost <= LOSS_LIMIT_PICTURES + IN_FLIGHT_PICTURES, f"{name} lost {lost} pictures in a kill"
        assert {gap.cause for gap in gaps[name]} == {"engine_crashed"}

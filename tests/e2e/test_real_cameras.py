"""The whole path with a real RTSP server: every codec, sound, passwords, servers that die and come back."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import wire
from engine.client import EngineClient
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.e2e.recorded_pictures import decodes_without_error
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FAR_FUTURE_US = 1 << 57
PASSWORD = "s3cret-Pass:word"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(tmp_path / "state")
    yield process
    await process.end()


async def with_volume(engine: EngineProcess, tmp_path: Path) -> EngineClient:
    volume = tmp_path / "volume"
    volume.mkdir()
    client = await engine.start()
    await client.add_volume(
        wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
    )
    return client


def streams_in(path: Path) -> list[dict[str, str]]:
    """What ffprobe, which shares no code with us, sees in the file."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)], capture_output=True, check=True
    )
    return list(json.loads(done.stdout)["streams"])


CODECS = {
    "h264-aac": (RtspStream(path="/a", audio="aac"), ["h264", "aac"]),
    "h264-reordered": (RtspStream(path="/b", b_frames=2), ["h264"]),
    "h265-opus": (RtspStream(path="/c", video="h265", audio="opus"), ["hevc", "opus"]),
    "mjpeg-pcmu": (RtspStream(path="/d", video="mjpeg", audio="pcmu"), ["mjpeg", "pcm_mulaw"]),
    "h264-pcma": (RtspStream(path="/e", audio="pcma"), ["h264", "pcm_alaw"]),
    "h264-udp-only": (RtspStream(path="/f", transport="udp"), ["h264"]),
}


async def test_every_codec_is_recorded_and_plays(engine: EngineProcess, tmp_path: Path) -> None:
    client = await with_volume(engine, tmp_path)
    with RtspServer([stream for stream, _ in CODECS.values()]) as server:
        for name, (stream, _) in CODECS.items():
            transport = "udp" if stream.transport == "udp" else "auto"
            await client.add_camera(
                wire.CameraAdd(name=name, url=server.url(stream.path), transport=transport)
            )
        await until(client, lambda now: now.station.cameras_recording == len(CODECS), "all recording")
        await asyncio.sleep(6)
        for name, (_, expected) in CODECS.items():  # while it is still being written
            [recording] = await client.recordings(name, 0, FAR_FUTURE_US)
            assert recording.is_open
            assert [stream["codec_name"] for stream in streams_in(Path(recording.path))] == expected
        assert engine.stop() == 0
    for path in (tmp_path / "volume").rglob("*.mp4"):
        assert not decodes_without_error(path), path


@pytest.mark.parametrize("auth", ["digest", "basic"])
async def test_a_password_is_used_and_never_shown_and_a_wrong_one_is_called_refused(
    engine: EngineProcess, tmp_path: Path, auth: str
) -> None:
    client = await with_volume(engine, tmp_path)
    with RtspServer([RtspStream()], user="admin", password=PASSWORD, auth=auth) as server:
        good = wire.CameraAdd(name="good", url=server.url(), user="admin", password=PASSWORD)
        bad = wire.CameraAdd(name="bad", url=server.url(), user="admin", password="wrong-" + PASSWORD)
        await client.add_camera(good)
        await client.add_camera(bad)
        seen = await until(
            client,
            lambda now: {c.name: c.state for c in now.cameras} == {"good": "recording", "bad": "refused"},
            "one recording, one refused",
        )
        refused = next(camera for camera in seen.cameras if camera.name == "bad")
        assert refused.cause_code == "camera_refused"
        assert refused.retry_at_us is not None
        shown = repr(seen) + repr(await client.events(limit=100))
        assert engine.stop() == 0
    assert PASSWORD not in shown + engine.log.read_text()


async def test_a_camera_that_dies_is_a_gap_with_a_cause_and_comes_back_by_itself(
    engine: EngineProcess, tmp_path: Path
) -> None:
    client = await with_volume(engine, tmp_path)
    with RtspServer([RtspStream(path="/one")]) as mortal, RtspServer([RtspStream(path="/two")]) as other:
        await client.add_camera(wire.CameraAdd(name="mortal", url=mortal.url()))
        await client.add_camera(wire.CameraAdd(name="other", url=other.url()))
        await until(client, lambda now: now.station.cameras_recording == 2, "both recording")
        mortal.kill()
        lost = await until(
            client, lambda now: any(c.name == "mortal" and c.state == "lost" for c in now.cameras), "lost"
        )
        camera = next(c for c in lost.cameras if c.name == "mortal")
        assert camera.cause
        assert camera.retry_at_us
        [gap] = await eventually(
            lambda: client.gaps("mortal", 0, FAR_FUTURE_US), lambda found: len(found) > 0, "a gap"
        )
        assert (gap.cause, gap.end_us) == ("camera_unreachable", None)
        mortal.start()
        await until(client, lambda now: now.station.cameras_recording == 2, "back")
        gaps = await eventually(
            lambda: client.gaps("mortal", 0, FAR_FUTURE_US),
            lambda found: all(gap.end_us is not None for gap in found),
            "the gap ended",
        )
        assert len(gaps) == 1
        assert not await client.gaps("other", 0, FAR_FUTURE_US), "one bad camera never harms another"
        kinds = [event.kind for event in await client.events(limit=100) if event.source == "mortal"]
        assert kinds.count("camera.lost") == 1
        assert kinds.count("camera.back") == 1
        assert engine.stop() == 0


async def test_a_hung_camera_is_noticed(engine: EngineProcess, tmp_path: Path) -> None:
    client = await with_volume(engine, tmp_path)
    with RtspServer([RtspStream()]) as server:
        await client.add_camera(wire.CameraAdd(name="hung", url=server.url()))
        await until(client, lambda now: now.station.cameras_recording == 1, "recording")
        server.pause()
        seen = await until(client, lambda now: now.cameras[0].state == "lost", "noticed", timeout_s=30)
        assert seen.cameras[0].cause_code in ("camera_stalled", "camera_unreachable")
        server.resume()
        await until(client, lambda now: now.station.cameras_recording == 1, "recording again")
        assert engine.stop() == 0


async def test_what_is_exported_plays_and_covers_what_was_asked(
    engine: EngineProcess, tmp_path: Path
) -> None:
    client = await with_volume(engine, tmp_path)
    with RtspServer([RtspStream(audio="aac")]) as server:
        await client.add_camera(wire.CameraAdd(name="door", url=server.url()))
        await until(client, lambda now: now.station.cameras_recording == 1, "recording")
        await asyncio.sleep(8)
        [recording] = await client.recordings("door", 0, FAR_FUTURE_US)
        start_us, end_us = recording.start_us + 2_000_000, recording.start_us + 6_000_000
        plan = await client.plan_export("door", start_us, end_us)
        assert plan.start_us <= start_us
        exported = tmp_path / "out.mp4"
        command = [
            "recording",
            "export",
            "door",
            "--from",
            iso(start_us),
            "--to",
            iso(end_us),
            "-o",
            str(exported),
        ]
        subprocess.run(["watchdeck", "--socket", str(engine.socket), *command], check=True, env=venv_path())
        assert exported.stat().st_size == plan.bytes
        assert not decodes_without_error(exported)
        assert [stream["codec_name"] for stream in streams_in(exported)] == ["h264", "aac"]
        assert 3.9 <= float(streams_in(exported)[0]["duration"]) <= 6.5
        assert engine.stop() == 0


def iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat()


def venv_path() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

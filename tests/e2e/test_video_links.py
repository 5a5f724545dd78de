"""Video links of a real engine, taken by the players people have: ffprobe, ffmpeg and mpv, live over RTSP and HTTP, and recorded."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engine import wire
from engine.client import EngineClient
from engine.wire_links import VideoLinkAsk
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

S = 1_000_000
LINKS = "[links]\nhttp_port = 0\nrtsp_port = 0\n"


async def said_by(*command: str) -> str:
    """Output of a player that must end well by itself."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(120):
        out, error = await process.communicate()
    assert process.returncode == 0, f"{command}: {error.decode()}"
    return out.decode()


async def streams_of(url: str) -> dict[str, Any]:
    """By kind, as ffprobe sees them; it takes RTSP over UDP first, and has to be told that there is none."""
    document = json.loads(await said_by("ffprobe", "-v", "error", "-show_streams", "-of", "json", url))
    return {stream["codec_type"]: stream for stream in document["streams"]}


async def plays(url: str, *options: str) -> None:
    """mpv shows thirty pictures."""
    await said_by("mpv", "--no-config", "--vo=null", "--ao=null", "--frames=30", *options, url)


async def recorded(client: EngineClient) -> wire.Timeline:
    station = await client.status()
    return await client.timeline(("yard",), start_us=station.now_us - 60 * S, end_us=station.now_us)


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_what_is_pasted_plays(tmp_path: Path, codec: str) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    engine = EngineProcess(tmp_path / "state", config=LINKS)
    with RtspServer([RtspStream(path="/yard", fps=15, gop=15, video=codec, audio="pcmu")]) as server:
        try:
            client = await engine.start()
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
            )
            await client.add_camera(wire.CameraAdd(name="yard", url=server.url("/yard")))
            await until(client, lambda now: now.station.cameras_recording == 1, "recording")
            live = await client.add_video_link(VideoLinkAsk(camera="yard"))
            for url in (live.rtsp_url, live.http_url):
                found = await streams_of(url)
                assert found["video"]["codec_name"] == {"h264": "h264", "h265": "hevc"}[codec]
                assert found["audio"]["codec_name"] == "pcm_mulaw"
                await plays(url)
                frames = await said_by("ffmpeg", "-v", "error", "-t", "3", "-i", url, "-f", "framemd5", "-")
                assert len([line for line in frames.splitlines() if line.startswith("0,")]) >= 30
            timeline = await eventually(
                lambda: recorded(client),
                lambda seen: (
                    bool(seen.rows[0].recorded)
                    and seen.rows[0].recorded[-1][1] - seen.rows[0].recorded[0][0] > 8 * S
                ),
                "eight seconds on disk",
            )
            start_us = timeline.rows[0].recorded[0][0]
            clip = await client.add_video_link(
                VideoLinkAsk(camera="yard", start_us=start_us, end_us=start_us + 8 * S)
            )
            assert (await streams_of(clip.http_url))["video"]["nb_frames"].isdecimal()
            await plays(clip.http_url, "--start=4")
            # Players leave no trace, and recording went on.
            await eventually(
                client.video_links, lambda links: all(each.players == 0 for each in links), "players gone"
            )
            assert (await client.status()).cameras_recording == 1
        finally:
            stopped = engine.stop()
            await engine.end()
    assert stopped == 0
    assert live.http_url.split("/v/")[1].split("/")[0] not in engine.log.read_text()

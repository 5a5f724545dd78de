"""The sources against a real RTSP server (GStreamer's): every codec, transport and authentication, and its ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import av
import pytest
import uvloop
from av.video.codeccontext import VideoCodecContext

from engine.cameras.open_source import open_source
from engine.cameras.source import PacketSource, SourceSettings
from storage.errors import CameraRefused, CameraStalled, CameraUnreachable, CameraUnsupported
from storage.segments.packet import Codec, Packet, Track
from tests.fixtures_path import require_fixtures
from tests.rtsp.recording_sink import RecordingSink, nals_of
from tests.rtsp.server import RtspServer, RtspStream, make_certificate, read_counter

pytestmark = pytest.mark.e2e

DECODERS = {Codec.H264: "h264", Codec.H265: "hevc", Codec.MJPEG: "mjpeg"}


@asynccontextmanager
async def playing(source: PacketSource, timeout_s: float = 25) -> AsyncIterator[RecordingSink]:
    sink = RecordingSink()
    async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
        task = group.create_task(source.run(sink))
        yield sink
        task.cancel()


def decode(track: Track, packets: list[Packet]) -> list[av.VideoFrame]:
    """Every picture, decoded by an independent library from what would be stored."""
    context = av.CodecContext.create(DECODERS[track.codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.extradata = b"".join(b"\0\0\0\1" + nal for nal in track.parameter_sets) or None
    frames = []
    for packet in packets:
        data = packet.data
        if track.codec is not Codec.MJPEG:
            data = b"".join(b"\0\0\0\1" + nal for nal in nals_of(data))
        coded = av.Packet(data)
        coded.pts, coded.time_base = packet.pts_ticks, Fraction(1, track.time_base_hz)
        frames += context.decode(coded)
    return frames + context.decode(None)


def settings_of(server: RtspServer, path: str = "", **changes: object) -> SourceSettings:
    values: dict[str, object] = {"url": server.url(path), "user": server.user, "password": server.password}
    return SourceSettings(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("video", "audio", "codec"),
    [
        ("h264", "aac", Codec.AAC),
        ("h265", "opus", Codec.OPUS),
        ("mjpeg", "pcmu", Codec.PCMU),
        ("h264", "pcma", Codec.PCMA),
        ("h264", "l16", Codec.L16),
        ("h264", "latm", Codec.AAC),
    ],
)
async def test_every_codec_arrives_and_decodes(video: str, audio: str, codec: Codec) -> None:
    with RtspServer([RtspStream(video=video, audio=audio, kbps=1500, width=640, height=360)]) as server:
        async with playing(open_source(settings_of(server))) as sink:
            await sink.wait_for(video=20, audio=20)
    picture, sound = sink.tracks[0]
    assert (picture.codec, picture.width, picture.height) == (Codec(video), 640, 360)
    assert sound.codec is codec
    frames = decode(picture, sink.video)
    assert len(frames) == len(sink.video)
    assert {(frame.width, frame.height) for frame in frames} == {(640, 360)}
    steps = [b.pts_ticks - a.pts_ticks for a, b in zip(sink.video, sink.video[1:], strict=False)]
    assert all(5900 <= step <= 6100 for step in steps), "15 pictures a second"
    apart_s = sink.video[0].pts_ticks / 90_000 - sink.audio[0].pts_ticks / sound.time_base_hz
    assert abs(apart_s) < 2
    assert sink.losses == []


@pytest.mark.parametrize("aggregate", ["zero-latency", "max-stap"])
async def test_no_picture_is_missing(aggregate: str) -> None:
    stream = RtspStream(counter=True, aggregate=aggregate, width=640, height=360)
    with RtspServer([stream]) as server:
        async with playing(open_source(settings_of(server))) as sink:
            await sink.wait_for(video=40)
    numbers = [
        read_counter(bytes(frame.planes[0]), frame.width, frame.height, frame.planes[0].line_size)
        for frame in decode(sink.tracks[0][0], sink.video)
    ]
    assert numbers == list(range(numbers[0], numbers[0] + len(sink.video)))


@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_authenticated_stream(auth: str) -> None:
    with RtspServer(user="admin", password="s3cret:/@ü", auth=auth) as server:
        async with playing(open_source(settings_of(server))) as sink:
            await sink.wait_for(video=5)
        with pytest.raises(CameraRefused, match="password"):
            await open_source(settings_of(server, password="wrong")).run(RecordingSink())


async def test_encrypted_stream(tmp_path: Path) -> None:
    with RtspServer(tls_pem=make_certificate(tmp_path)) as server:
        async with playing(open_source(settings_of(server))) as sink:
            await sink.wait_for(video=5)
        with pytest.raises(CameraRefused, match="certificate"):
            await open_source(settings_of(server, verify_tls=True)).run(RecordingSink())


def test_encrypted_stream_on_uvloop(tmp_path: Path) -> None:
    async def session() -> None:
        async with playing(open_source(settings_of(server))) as sink:
            await sink.wait_for(video=20)
        assert sink.losses == []

    with RtspServer(
        [RtspStream(kbps=3000, width=640, height=360)], tls_pem=make_certificate(tmp_path)
    ) as server:
        uvloop.run(session())


async def test_stream_with_b_frames_goes_back_in_time_only_a_little() -> None:
    with RtspServer([RtspStream(b_frames=2, gop=30)]) as server:
        async with playing(open_source(settings_of(server))) as sink:
            await sink.wait_for(video=45)
    frames = decode(sink.tracks[0][0], sink.video)
    assert len(frames) == len(sink.video)
    assert not any(p.is_discontinuity for p in sink.video)


async def test_killed_server_ends_the_session_and_comes_back() -> None:
    with RtspServer() as server:
        async with asyncio.timeout(25):
            sink = RecordingSink()
            async with asyncio.TaskGroup() as group:
                source = open_source(settings_of(server))

                async def session() -> None:
                    with pytest.raises(CameraUnreachable):
                        await source.run(sink)

                group.create_task(session())
                await sink.wait_for(video=5)
                server.kill()
            with pytest.raises(CameraUnreachable, match="refuses"):
                await open_source(settings_of(server)).run(RecordingSink())
            server.start()
            async with playing(open_source(settings_of(server))) as again:
                await again.wait_for(video=5)


async def test_frozen_server_stalls() -> None:
    with RtspServer() as server:
        sink = RecordingSink()
        async with asyncio.timeout(25), asyncio.TaskGroup() as group:

            async def session() -> None:
                with pytest.raises(CameraStalled):
                    await open_source(settings_of(server, stall_timeout_ms=1500)).run(sink)

            group.create_task(session())
            await sink.wait_for(video=5)
            server.pause()


async def test_missing_stream_and_unknown_codec_are_refused() -> None:
    with RtspServer([RtspStream(video="vp8"), RtspStream(path="/other")]) as server:
        with pytest.raises(CameraUnsupported, match="VP8"):
            await open_source(settings_of(server)).run(RecordingSink())
        with pytest.raises(CameraRefused, match="'/nowhere'"):
            await open_source(settings_of(server, "/nowhere")).run(RecordingSink())


# -- libav -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("video", "transport"), [("h264", "udp"), ("h265", "udp"), ("mjpeg", "udp"), ("h264", "auto")]
)
async def test_udp_only_camera_is_reached(video: str, transport: str) -> None:
    stream = RtspStream(video=video, audio="aac", transport="udp")
    with RtspServer([stream], user="admin", password="p@ss/ü") as server:
        async with playing(open_source(settings_of(server, transport=transport))) as sink:
            await sink.wait_for(video=20, audio=10)
    assert (sink.tracks[0][0].width, sink.tracks[0][0].height) == (320, 240)
    assert sink.tracks[0][1].codec is Codec.AAC
    assert sink.video[0].is_keyframe
    assert len(decode(sink.tracks[0][0], sink.video)) == len(sink.video)


async def test_libav_errors_are_in_words_without_the_password() -> None:
    with RtspServer(user="admin", password="s3cret") as server:
        for changes, kind in (
            ({"password": "wr0ng"}, CameraRefused),
            ({"url": server.url("/nowhere")}, CameraRefused),
        ):
            with pytest.raises(kind) as caught:
                await open_source(settings_of(server, transport="udp", **changes)).run(RecordingSink())
            shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
            assert "s3cret" not in shown
            assert "wr0ng" not in shown
        server.kill()
        with pytest.raises(CameraUnreachable):
            await open_source(settings_of(server, transport="udp")).run(RecordingSink())
        server.start()


@pytest.mark.parametrize(
    ("name", "codec", "size", "sound"),
    [
        ("kerberos/test-480p.mp4", Codec.H264, (640, 360), Codec.AAC),
        ("onvif-simulator/short_h265.mp4", Codec.H265, (320, 240), None),
    ],
)
async def test_file_is_played_to_its_end_in_real_time(
    name: str, codec: Codec, size: tuple[int, int], sound: Codec | None
) -> None:
    folder = require_fixtures("nvr")
    path = folder / name
    if not path.exists():
        pytest.skip(f"{name} is not part of the collection")
    sink = RecordingSink()
    async with asyncio.timeout(20):
        await open_source(SourceSettings(str(path))).run(sink)
    (tracks,) = sink.tracks
    assert (tracks[0].codec, (tracks[0].width, tracks[0].height)) == (codec, size)
    assert (tracks[1].codec if len(tracks) > 1 else None) == sound
    with av.open(str(path)) as original:
        assert [p.data for p in sink.video] == [bytes(p) for p in original.demux(video=0) if p.size]
    media_us = (max(p.pts_ticks for p in sink.video) - sink.video[0].pts_ticks) * 100 // 9
    took_us = sink.video[-1].arrival_monotonic_us - sink.video[0].arrival_monotonic_us
    assert took_us >= media_us // 2


@pytest.mark.parametrize("url", ["/no/such/file.mp4", "lavfi:testsrc", "http:///x", "concat:/etc/passwd"])
async def test_impossible_url_is_refused(url: str) -> None:
    with pytest.raises((CameraRefused, CameraUnsupported)):
        await open_source(SourceSettings(url)).run(RecordingSink())

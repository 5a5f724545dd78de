"""Whole sessions of the RTSP client against a scripted camera: refusals, oddities of real devices, ends."""

from __future__ import annotations

import asyncio
import re

import pytest
import uvloop

from engine.cameras.libav import LibavSource
from engine.cameras.open_source import AnyTransportSource, open_source
from engine.cameras.rtsp import RtspSource
from engine.cameras.source import SourceSettings
from storage.errors import (
    CameraProtocolError,
    CameraRefused,
    CameraStalled,
    CameraUnreachable,
)
from tests.fixtures_path import require_fixtures
from tests.rtsp.recording_sink import RecordingSink
from tests.rtsp.rtp_packets import fragment, frames_of, interleave, rtp
from tests.rtsp.scripted import AUDIO_SDP, SDP, Request, ScriptedCamera, reply
from tests.rtsp.server import free_port
from tests.rtsp.sessions import IDR, MEDIA, P, failure, playing, settings_for


async def test_session_plays_and_is_torn_down_on_cancel() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        async with playing(camera) as sink:
            await sink.wait_for(video=3)
        await asyncio.wait_for(camera.torn_down.wait(), 5)
        assert camera.methods() == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
        assert [p.is_keyframe for p in sink.video] == [True, False, False]
        assert [p.pts_ticks - sink.video[0].pts_ticks for p in sink.video] == [0, 3600, 7200]
        assert camera.requests[2].url == camera.url + "/video"
        assert camera.requests[3].url == camera.url
        assert camera.requests[3].headers["session"] == "1"


def test_session_runs_on_uvloop_too() -> None:
    async def session() -> None:
        async with ScriptedCamera(media=MEDIA) as camera, playing(camera) as sink:
            await sink.wait_for(video=3)

    uvloop.run(session())


async def test_sound_and_picture_share_a_zero_by_rtp_info() -> None:
    audio = b"".join(frames_of([(8000 + at * 160, [b"\xff" * 160]) for at in range(4)], 0, channel=2))
    camera = ScriptedCamera(media=MEDIA + audio, sdp=SDP + AUDIO_SDP)
    async with camera:
        info = f"url={camera.url}/video;seq=0;rtptime=45000,url={camera.url}/audio;seq=0;rtptime=4000"
        camera.on["PLAY"] = lambda _: reply(headers=f"RTP-Info: {info}\r\n") + camera.media
        async with playing(camera) as sink:
            await sink.wait_for(video=3, audio=4)
    assert sink.video[0].pts_ticks == 45_000
    assert sink.audio[0].pts_ticks == 4000
    assert len(sink.tracks[0]) == 2


async def test_sound_is_not_asked_for_when_unwanted() -> None:
    async with (
        ScriptedCamera(media=MEDIA, sdp=SDP + AUDIO_SDP) as camera,
        playing(camera, wants_audio=False) as sink,
    ):
        await sink.wait_for(video=3)
        assert camera.methods().count("SETUP") == 1
        assert len(sink.tracks[0]) == 1


async def test_refused_sound_is_done_without() -> None:
    camera = ScriptedCamera(media=MEDIA, sdp=SDP + AUDIO_SDP)
    usual = camera.on["SETUP"]
    camera.on["SETUP"] = lambda r: reply(500, "No") if r.url.endswith("audio") else usual(r)
    async with camera, playing(camera) as sink:
        await sink.wait_for(video=3)
        assert len(sink.tracks[0]) == 1


# -- oddities --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cseq", ["CSeq: {cseq} \r\n", "Cseq:{cseq}\r\n", "cseq:   {cseq}\r\n", "", "CSeq: 0\r\n"]
)
async def test_odd_sequence_headers_are_understood(cseq: str) -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        for method in ("DESCRIBE", "PLAY"):
            body = SDP if method == "DESCRIBE" else ""
            camera.on[method] = lambda _, body=body, m=method: (  # type: ignore[misc]
                reply(body=body, cseq=cseq) + (MEDIA if m == "PLAY" else b"")
            )
        async with playing(camera) as sink:
            await sink.wait_for(video=3)


async def test_rtp_before_the_play_reply_is_not_lost() -> None:
    async with ScriptedCamera() as camera:
        camera.on["PLAY"] = lambda _: MEDIA + reply()
        async with playing(camera) as sink:
            await sink.wait_for(video=3)


async def test_data_on_unassigned_channels_is_ignored() -> None:
    async with ScriptedCamera(media=interleave(b"\x80" * 50, 9) + MEDIA + interleave(b"", 200)) as camera:
        async with playing(camera) as sink:
            await sink.wait_for(video=3)
        assert sink.losses == []


async def test_camera_may_choose_other_channels() -> None:
    media = b"".join(frames_of([(0, fragment(IDR)), (9, fragment(P))], channel=6))
    async with ScriptedCamera(media=media) as camera:
        camera.on["SETUP"] = lambda _: reply(
            headers="Transport: RTP/AVP/TCP;interleaved=6-7\r\nSession:    5\r\n"
        )
        async with playing(camera) as sink:
            await sink.wait_for(video=2)
        assert camera.requests[3].headers["session"] == "5"


async def test_two_session_identifiers_are_played_one_by_one() -> None:
    """H264DVR gives each medium its own."""
    camera = ScriptedCamera(media=MEDIA, sdp=SDP + AUDIO_SDP)
    identifiers = iter(["231970", "231980"])
    usual = camera.on["SETUP"]
    camera.on["SETUP"] = lambda r: usual(r).replace(b"Session: 1;", f"Session: {next(identifiers)};".encode())
    async with camera:
        async with playing(camera) as sink:
            await sink.wait_for(video=3)
        plays = [(r.headers["session"], r.url) for r in camera.requests if r.method == "PLAY"]
        assert plays == [("231970", camera.url + "/video"), ("231980", camera.url + "/audio")]
        assert camera.methods().count("TEARDOWN") == 2


async def test_changed_session_identifier_replaces_the_first() -> None:
    camera = ScriptedCamera(media=MEDIA, sdp=SDP + AUDIO_SDP)
    identifiers = iter(["old", "new"])
    usual, usual_play = camera.on["SETUP"], camera.on["PLAY"]
    camera.on["SETUP"] = lambda r: usual(r).replace(b"Session: 1;", f"Session: {next(identifiers)};".encode())
    camera.on["PLAY"] = lambda r: (
        usual_play(r)
        if (r.headers["session"], r.url) == ("new", camera.url)
        else reply(454, "Session Not Found")
    )
    async with camera, playing(camera) as sink:
        await sink.wait_for(video=3)


async def test_camera_without_session_header_plays() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        camera.on["SETUP"] = lambda _: reply(headers="Transport: RTP/AVP/TCP;interleaved=0-1\r\n")
        async with playing(camera) as sink:
            await sink.wait_for(video=3)


async def test_camera_that_knows_no_range_plays() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        camera.on["PLAY"] = lambda r: reply(457, "Invalid Range") if "range" in r.headers else reply() + MEDIA
        async with playing(camera) as sink:
            await sink.wait_for(video=3)


async def test_camera_that_refuses_options_plays() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        camera.on["OPTIONS"] = lambda _: reply(501, "Not Implemented")
        async with playing(camera) as sink:
            await sink.wait_for(video=3)


async def test_request_of_the_camera_is_answered() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        async with playing(camera) as sink:
            await sink.wait_for(video=3)
            camera.send(
                b"OPTIONS * RTSP/1.0\r\nCSeq: 77\r\n\r\n" + interleave(rtp(P, 99, 108_000, marker=True))
            )
            camera.send(b"".join(frames_of([(118_800, [IDR[:50]])], sequence=100)))
            await sink.wait_for(video=4)


@pytest.mark.parametrize(
    ("describe", "setup", "play"),
    [
        ("dahua_describe_h264_aac_onvif.txt", "dahua_setup.txt", ""),
        ("hikvision_describe.txt", "hikvision_setup_ssrc_space.txt", "hikvision_play.txt"),
        ("gw_main_describe.txt", "gw_main_setup_video.txt", "gw_main_play.txt"),
        ("gw_sub_describe.txt", "gw_sub_setup.txt", "gw_sub_play.txt"),
        ("foscam_describe.txt", "luckfox_rkipc_setup_tcp.txt", "bad_rtptime.txt"),
        ("missing_content_type_describe.txt", "reolink_setup.txt", ""),
        ("vstarcam_describe.txt", "reolink_setup.txt", ""),
        ("macrovideo_describe.txt", "reolink_setup.txt", ""),
        ("h264dvr_describe.txt", "reolink_setup.txt", ""),
    ],
)
async def test_captured_answers_make_a_session(describe: str, setup: str, play: str) -> None:
    folder = require_fixtures("nvr/retina")

    def captured(name: str) -> bytes:
        return re.sub(rb"(?i)cseq:[^\r\n]*", b"CSeq: {cseq}", (folder / name).read_bytes())

    payload_type = 105 if "geovision" in describe else 96
    media = b"".join(frames_of([(9000, fragment(IDR)), (12_600, fragment(P))], payload_type))
    async with ScriptedCamera() as camera:
        camera.on["DESCRIBE"] = lambda _: captured(describe)
        camera.on["SETUP"] = lambda _: captured(setup)
        camera.on["PLAY"] = lambda _: (captured(play) if play else reply()) + media
        async with playing(camera) as sink:
            await sink.wait_for(video=2)
        assert sink.tracks[0][0].width > 0


# -- keep-alive and ends ---------------------------------------------------------------------------------


def short_session(camera: ScriptedCamera) -> None:
    usual = camera.on["SETUP"]
    camera.on["SETUP"] = lambda r: usual(r).replace(b"timeout=60", b"timeout=1")


@pytest.mark.parametrize(
    ("listed", "method"), [("GET_PARAMETER, PLAY", "GET_PARAMETER"), ("PLAY", "OPTIONS")]
)
async def test_session_is_kept_alive_by_what_the_camera_lists(listed: str, method: str) -> None:
    asked = asyncio.Event()
    async with ScriptedCamera(media=MEDIA) as camera:
        short_session(camera)
        usual = camera.on["PLAY"]

        def keepalive(_: Request) -> bytes:
            asked.set()
            return reply()

        def play(request: Request) -> bytes:
            camera.on[method] = keepalive
            return usual(request)

        camera.on["OPTIONS"] = lambda _: reply(headers=f"Public: {listed}\r\n")
        camera.on["PLAY"] = play
        async with playing(camera) as sink:
            await sink.wait_for(video=3)
            await asked.wait()
        kept = [r for r in camera.requests if r.method == method][-1]
        assert kept.headers["session"] == "1"
        assert camera.received[:2] == b"$\x01", "a receiver report goes with it"
        assert camera.received[5] == 201


async def test_forgotten_session_ends() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        short_session(camera)
        camera.on["GET_PARAMETER"] = lambda _: reply(454, "Session Not Found")
        error = await failure(camera)
        assert isinstance(error, CameraProtocolError)
        assert "454" in str(error)


async def test_silent_camera_stalls() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        error = await failure(camera, stall_timeout_ms=100)
        assert isinstance(error, CameraStalled)
        assert "0.1 s" in str(error)


async def test_closed_connection_is_unreachable() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        sink = RecordingSink()
        async with asyncio.TaskGroup() as group:
            source = RtspSource(settings_for(camera))

            async def session() -> None:
                with pytest.raises(CameraUnreachable):
                    await source.run(sink)

            group.create_task(session())
            await sink.wait_for(video=3)
            camera.hang_up()


async def test_camera_that_answers_nothing_is_unreachable() -> None:
    async with ScriptedCamera() as camera:
        camera.on["OPTIONS"] = lambda _: b""
        error = await failure(camera, connect_timeout_ms=100)
        assert isinstance(error, CameraUnreachable)
        assert "OPTIONS" in str(error)


async def test_teardown_without_answer_is_bounded() -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        camera.on["TEARDOWN"] = lambda _: b""
        async with playing(camera) as sink:
            await sink.wait_for(video=3)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rtsp://127.0.0.1:PORT/x", "refuses the connection"),
        ("rtsp://no-such-camera.invalid/x", "cannot be resolved"),
        ("rtsp:///x", "no RTSP URL"),
    ],
)
async def test_network_errors_are_in_words(url: str, words: str) -> None:
    url = url.replace("PORT", str(free_port()))
    with pytest.raises((CameraUnreachable, CameraRefused), match=words):
        await RtspSource(SourceSettings(url)).run(RecordingSink())


async def test_tls_on_a_plain_port_is_a_protocol_error() -> None:
    async with ScriptedCamera() as camera:
        error = await failure(camera, url=camera.url.replace("rtsp://", "rtsps://"), connect_timeout_ms=1000)
        assert isinstance(error, CameraProtocolError | CameraUnreachable)


def test_source_is_chosen_by_url_and_transport() -> None:
    assert isinstance(open_source(SourceSettings("rtsp://c/")), AnyTransportSource)
    assert isinstance(open_source(SourceSettings("RTSPS://c/", transport="tcp")), RtspSource)
    for url in ("rtmp://c/", "http://c/", "/file.mp4", "file:///x"):
        assert isinstance(open_source(SourceSettings(url)), LibavSource)
    assert isinstance(open_source(SourceSettings("rtsp://c/", transport="udp")), LibavSource)

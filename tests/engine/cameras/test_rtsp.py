"""Whole sessions of the RTSP client against a scripted camera: refusals, oddities of real devices, ends."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from engine.cameras.libav import LibavSource
from engine.cameras.open_source import AnyTransportSource, open_source
from engine.cameras.rtsp import MAX_REDIRECTS, RtspSource
from engine.cameras.source import SourceSettings
from storage.errors import (
    CameraProtocolError,
    CameraRefused,
    CameraStalled,
    CameraUnreachable,
    CameraUnsupported,
    WatchdeckError,
)
from tests.fixtures_path import require_fixtures
from tests.rtsp.recording_sink import RecordingSink
from tests.rtsp.rtp_packets import fragment, frames_of, interleave, rtp
from tests.rtsp.scripted import AUDIO_SDP, SDP, Request, ScriptedCamera, reply
from tests.rtsp.server import free_port

IDR = b"\x65\x88" + b"\x11" * 3000
P = b"\x41\x9a" + b"\x22" * 300
MEDIA = b"".join(frames_of([(90_000, fragment(IDR)), (93_600, fragment(P)), (97_200, fragment(P))]))
PASSWORD = "geh€im/:@pass"


def settings_for(camera: ScriptedCamera, **changes: object) -> SourceSettings:
    values: dict[str, object] = {"url": camera.url, "stall_timeout_ms": 5000, "connect_timeout_ms": 3000}
    return SourceSettings(**{**values, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def playing(camera: ScriptedCamera, **changes: object) -> AsyncIterator[RecordingSink]:
    """A session that runs while the block does, and is cancelled after it."""
    sink = RecordingSink()
    source = RtspSource(settings_for(camera, **changes))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(source.run(sink))
        async with asyncio.timeout(10):
            yield sink
        task.cancel()


async def failure(camera: ScriptedCamera, **changes: object) -> WatchdeckError:
    """What a session that must fail raises."""
    async with asyncio.timeout(10):
        with pytest.raises(WatchdeckError) as caught:
            await RtspSource(settings_for(camera, **changes)).run(RecordingSink())
    assert PASSWORD not in repr(caught.value) + str(caught.value)
    return caught.value


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


# -- authentication --------------------------------------------------------------------------------------


def digest_is_right(
    request: Request, nonce: str, *, algorithm: str = "md5", password: str = PASSWORD
) -> bool:
    sent = dict(re.findall(r'(\w+)="([^"]*)"', request.headers.get("authorization", "")))
    if sent.get("nonce") != nonce:
        return False

    def hashed(text: str) -> str:
        return hashlib.new(algorithm, text.encode()).hexdigest()

    ha1 = hashed(f"admin:{sent['realm']}:{password}")
    return sent["response"] == hashed(f"{ha1}:{nonce}:{hashed(f'{request.method}:{request.url}')}")


def guarded(
    camera: ScriptedCamera, check: Callable[[Request], bool], challenge: Callable[[Request], str]
) -> None:
    """Every answer but OPTIONS needs `check`; a refusal carries `challenge`."""
    for method in ("DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER"):
        usual = camera.on.get(method, lambda _: reply())

        def answer(request: Request, usual: Callable[[Request], bytes] = usual) -> bytes:
            if check(request):
                return usual(request)
            return reply(401, "Unauthorized", f"WWW-Authenticate: {challenge(request)}\r\n")

        camera.on[method] = answer


@pytest.mark.parametrize(("name", "algorithm"), [("", "md5"), (", algorithm=SHA-256", "sha256")])
async def test_digest_is_answered(name: str, algorithm: str) -> None:
    async with ScriptedCamera(media=MEDIA) as camera:
        guarded(
            camera,
            lambda r: digest_is_right(r, "n1", algorithm=algorithm),
            lambda _: f'Digest realm="IP Camera(E3669)", nonce="n1", stale="FALSE"{name}',
        )
        async with playing(camera, user="admin", password=PASSWORD) as sink:
            await sink.wait_for(video=3)
        assert camera.methods().count("DESCRIBE") == 2
        assert camera.methods().count("SETUP") == 1


async def test_stale_nonce_is_renewed() -> None:
    nonces = iter(f"n{at}" for at in range(100))
    current = [next(nonces)]
    seen: set[str] = set()

    def check(request: Request) -> bool:
        right = digest_is_right(request, current[0]) and current[0] not in seen
        if right:
            seen.add(current[0])
        return right

    def challenge(request: Request) -> str:
        current[0] = next(nonces)
        return f'Digest realm="r", nonce="{current[0]}", stale=TRUE'

    async with ScriptedCamera(media=MEDIA) as camera:
        guarded(camera, check, challenge)
        async with playing(camera, user="admin", password=PASSWORD) as sink:
            await sink.wait_for(video=3)


async def test_wrong_password_is_a_refusal_and_is_tried_once() -> None:
    async with ScriptedCamera() as camera:
        guarded(camera, lambda _: False, lambda _: 'Digest realm="r", nonce="x"')
        error = await failure(camera, user="admin", password=PASSWORD)
        assert isinstance(error, CameraRefused)
        assert "password" in str(error)
        assert camera.methods().count("DESCRIBE") == 2


async def test_missing_credentials_are_a_refusal() -> None:
    async with ScriptedCamera() as camera:
        guarded(camera, lambda _: False, lambda _: 'Basic realm="r"')
        assert isinstance(await failure(camera), CameraRefused)


async def test_password_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with ScriptedCamera() as camera:
        guarded(camera, lambda _: False, lambda _: 'Basic realm="r"')
        await failure(
            camera, user="admin", password=PASSWORD, url=camera.url.replace("//", "//admin:geheim2@")
        )
        assert all("geheim2" not in request.url for request in camera.requests)
    assert PASSWORD not in caplog.text
    assert "geheim2" not in caplog.text


# -- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "status", "kind", "words"),
    [
        ("DESCRIBE", 404, CameraRefused, "no stream '/stream'"),
        ("DESCRIBE", 403, CameraRefused, "403"),
        ("DESCRIBE", 453, CameraRefused, "453"),
        ("DESCRIBE", 500, CameraProtocolError, "DESCRIBE with 500"),
        ("DESCRIBE", 503, CameraUnreachable, "503"),
        ("SETUP", 461, CameraUnsupported, "TCP"),
        ("SETUP", 400, CameraProtocolError, "SETUP with 400"),
        ("PLAY", 454, CameraProtocolError, "PLAY with 454"),
    ],
)
async def test_refusal_says_what_and_where(
    method: str, status: int, kind: type[WatchdeckError], words: str
) -> None:
    async with ScriptedCamera() as camera:
        camera.on[method] = lambda _: reply(status, "Reason")
        error = await failure(camera)
        assert isinstance(error, kind)
        assert words in str(error)
        assert f"127.0.0.1:{camera.port}" in str(error)


async def test_camera_without_picture_is_unsupported() -> None:
    async with ScriptedCamera(sdp="v=0\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\n") as camera:
        error = await failure(camera)
        assert isinstance(error, CameraUnsupported)
        assert "VP8" in str(error)


async def test_answer_in_html_is_a_protocol_error() -> None:
    async with ScriptedCamera() as camera:
        camera.on["DESCRIBE"] = lambda _: b"<html>404</html>\r\n\r\n" * 20_000
        assert isinstance(await failure(camera), CameraProtocolError)


async def test_camera_that_only_speaks_udp_is_said_so() -> None:
    async with ScriptedCamera() as camera:
        camera.on["SETUP"] = lambda _: reply(
            headers="Transport: RTP/AVP;unicast;client_port=1-2\r\nSession: 1\r\n"
        )
        source = RtspSource(settings_for(camera))
        with pytest.raises(CameraUnsupported, match="UDP"):
            await source.run(RecordingSink())
        assert source.wants_udp


# -- redirects -------------------------------------------------------------------------------------------


async def test_redirect_is_followed() -> None:
    async with ScriptedCamera(media=MEDIA) as target, ScriptedCamera() as camera:
        camera.on["DESCRIBE"] = lambda _: reply(302, "Moved", f"Location: {target.url}\r\n")
        async with playing(camera) as sink:
            await sink.wait_for(video=3)


async def test_endless_redirects_end() -> None:
    async with ScriptedCamera() as camera:
        camera.on["DESCRIBE"] = lambda _: reply(301, "Moved", f"Location: {camera.url}\r\n")
        assert isinstance(await failure(camera), CameraRefused)
        assert camera.methods().count("DESCRIBE") == MAX_REDIRECTS + 1


@pytest.mark.parametrize("location", ["", "Location: http://x/\r\n", "Location: rtsp://\r\n"])
async def test_redirect_to_nowhere_is_a_protocol_error(location: str) -> None:
    async with ScriptedCamera() as camera:
        camera.on["DESCRIBE"] = lambda _: reply(302, "Moved", location)
        assert isinstance(await failure(camera), CameraProtocolError)


async def test_plain_password_does_not_follow_to_another_host() -> None:
    async with ScriptedCamera() as target, ScriptedCamera() as camera:
        other = target.url.replace("127.0.0.1", "localhost")
        camera.on["DESCRIBE"] = lambda _: reply(302, "Moved", f"Location: {other}\r\n")
        guarded(target, lambda _: False, lambda _: 'Basic realm="r"')
        assert isinstance(await failure(camera, user="admin", password=PASSWORD), CameraRefused)
        assert all("authorization" not in request.headers for request in target.requests)


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
        (f"rtsp://127.0.0.1:{free_port()}/x", "refuses the connection"),
        ("rtsp://no-such-camera.invalid/x", "cannot be resolved"),
        ("rtsp:///x", "no RTSP URL"),
    ],
)
async def test_network_errors_are_in_words(url: str, words: str) -> None:
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

"""What the RTSP client does when the camera says no: passwords, refusals, redirects."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable

import pytest

from engine.cameras.rtsp import MAX_REDIRECTS, RtspSource
from storage.errors import (
    CameraProtocolError,
    CameraRefused,
    CameraUnreachable,
    CameraUnsupported,
    WatchdeckError,
)
from tests.rtsp.recording_sink import RecordingSink
from tests.rtsp.scripted import Request, ScriptedCamera, reply
from tests.rtsp.sessions import MEDIA, PASSWORD, failure, playing, settings_for

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

"""Transport, Session, RTP-Info and messages as captured cameras and other implementations' tests spell them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cameras.rtsp_message import could_start_message, format_request, parse_message
from engine.cameras.rtsp_url import parse_rtsp_url
from engine.cameras.transport_header import parse_public, parse_rtp_info, parse_session, parse_transport
from storage.errors import CameraProtocolError, InvalidInput
from tests.fixtures_path import SHARED_FIXTURES, require_fixtures

RETINA = SHARED_FIXTURES / "nvr" / "retina"
HEADERS = SHARED_FIXTURES / "nvr" / "gortsplib_headers.json"


def pairs(kind: str) -> list[tuple[str, str, str]]:
    if not HEADERS.exists():
        return []
    return [
        (entry["name"], entry["in"], entry["normalised"]) for entry in json.loads(HEADERS.read_text())[kind]
    ]


def retina(name: str) -> bytes:
    require_fixtures("nvr/retina")
    return (RETINA / name).read_bytes()


@pytest.mark.parametrize(("name", "text", "normalised"), pairs("transport"))
def test_transport_reads_the_same_in_any_spelling(name: str, text: str, normalised: str) -> None:
    assert parse_transport(text) == parse_transport(normalised)
    assert parse_transport(text).is_tcp == ("/TCP" in normalised)
    assert parse_transport(text).is_secure == ("SAVP" in normalised)


def test_transport_with_a_space_in_the_ssrc_and_the_ssrc_first() -> None:
    assert parse_transport("RTP/AVP/TCP;unicast;interleaved=0-1;ssrc= d6d6627").ssrc == 0x0D6D6627
    odd = parse_transport("RTP/AVP/TCP;ssrc=22345684;interleaved=4-5")
    assert (odd.ssrc, odd.channels) == (0x22345684, (4, 5))


@pytest.mark.parametrize("value", ["interleaved=300-301", "interleaved=x", "", ";;;", "interleaved=0-999"])
def test_transport_with_impossible_channels_has_none(value: str) -> None:
    assert parse_transport(f"RTP/AVP/TCP;{value}").channels is None


@pytest.mark.parametrize(("name", "text", "normalised"), pairs("rtp_info"))
def test_rtp_info_reads_the_same_in_any_spelling(name: str, text: str, normalised: str) -> None:
    found = parse_rtp_info(text)
    assert found == parse_rtp_info(normalised)
    assert len(found) == normalised.count("url=")
    assert all(info.url for info in found)


def test_rtp_info_of_captured_cameras() -> None:
    message = parse_message(retina("hikvision_play.txt"))
    assert message is not None
    (info,) = parse_rtp_info(message[0].header("rtp-info"))
    assert (info.sequence, info.timestamp) == (24104, 1270711678)
    assert info.url.endswith("trackID=1?transportmode=unicast&profile=Profile_1")
    message = parse_message(retina("bad_rtptime.txt"))
    assert message is not None
    first, second = parse_rtp_info(message[0].header("rtp-info"))
    assert (first.url, first.sequence, first.timestamp) == ("trackID=1", 1, None)
    assert second.url.endswith("trackID=2")


def test_rtp_info_with_a_trailing_semicolon_is_read() -> None:
    (info,) = parse_rtp_info("url=rtsp://a/b;seq=7;rtptime=9;")
    assert (info.url, info.sequence, info.timestamp) == ("rtsp://a/b", 7, 9)


@pytest.mark.parametrize(("name", "text", "normalised"), pairs("session"))
def test_session_reads_the_same_in_any_spelling(name: str, text: str, normalised: str) -> None:
    assert parse_session(text) == parse_session(normalised)


@pytest.mark.parametrize(
    ("text", "identifier", "timeout_s"),
    [
        ("708345999", "708345999", 60),
        ("9a90de54; timeout=120", "9a90de54", 120),
        ("a;timeout=0", "a", 60),
        ("a;timeout=x", "a", 60),
        ("a;timeout=999999", "a", 86_400),
    ],
)
def test_session_timeout(text: str, identifier: str, timeout_s: int) -> None:
    assert parse_session(text) == (identifier, timeout_s)


@pytest.mark.parametrize(
    "name",
    sorted(path.name for path in RETINA.glob("*.txt") if "sdp" not in path.name) if RETINA.is_dir() else [],
)
def test_captured_message_is_read_whole(name: str) -> None:
    data = retina(name)
    assert could_start_message(data[:21]) is True
    found = parse_message(data + b"$\x00")
    assert found is not None
    message, length = found
    assert message.cseq is not None
    assert message.status == (0 if name == "request.txt" else 200)
    if name.endswith("_describe.txt"):
        assert message.body.startswith(b"v=0")
        assert length <= len(data)


def test_session_of_h264dvr_differs_between_media() -> None:
    video, audio = (parse_message(retina(f"h264dvr_setup_{kind}.txt")) for kind in ("video", "audio"))
    assert video is not None
    assert audio is not None
    assert parse_session(video[0].header("session"))[0] != parse_session(audio[0].header("session"))[0]


def test_message_is_incomplete_until_its_last_byte() -> None:
    data = b"RTSP/1.0 200 OK\r\nCSeq: 1 \r\nContent-Length: 4\r\n\r\nv=0\n"
    for end in range(len(data)):
        assert parse_message(data[:end]) is None
    found = parse_message(data)
    assert found is not None
    assert (found[0].cseq, found[0].body, found[1]) == (1, b"v=0\n", len(data))


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"RTSP/1.0 abc OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nX: " + b"a" * 40_000,
    ],
)
def test_message_that_makes_no_sense_is_a_protocol_error(data: bytes) -> None:
    with pytest.raises(CameraProtocolError):
        parse_message(data)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    could_start_message(data[:21])
    try:
        parse_message(b"RTSP/1.0 " + data + b"\r\n\r\n")
    except CameraProtocolError:
        return


@given(st.text(max_size=200))
def test_no_header_text_raises(text: str) -> None:
    parse_transport(text)
    parse_session(text)
    parse_rtp_info(text)
    parse_public(text)


def test_request_cannot_smuggle_headers() -> None:
    request = format_request("DESCRIBE", "rtsp://a/b\r\nEvil: 1", 3, {"X": "y\r\nZ: 1"})
    assert request.count(b"\r\n") == 5
    assert b"CSeq: 3\r\n" in request


@pytest.mark.parametrize(
    ("text", "clean", "place"),
    [
        ("rtsp://cam/a?b=1&c=2", "rtsp://cam/a?b=1&c=2", "cam:554"),
        ("rtsp://user:pa55@cam:8554/a", "rtsp://cam:8554/a", "cam:8554"),
        ("RTSPS://cam", "rtsps://cam", "cam:322"),
        ("rtsp://[fe80::1]:5554/x", "rtsp://[fe80::1]:5554/x", "[fe80::1]:5554"),
        ("rtsp://cam/with space/ü", "rtsp://cam/with%20space/%C3%BC", "cam:554"),
    ],
)
def test_url_is_read_without_credentials(text: str, clean: str, place: str) -> None:
    url = parse_rtsp_url(text)
    assert (url.text, url.place) == (clean, place)


@pytest.mark.parametrize(
    "text", ["", "cam", "http://cam/", "rtsp://", "rtsp://cam:99999/", "rtsp://[::1/", "rtsp://u:s3cret@"]
)
def test_url_without_host_or_port_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_rtsp_url(text)
    assert "s3cret" not in str(caught.value)

"""Every captured session description is read into the right streams, or refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cameras.media_format import choose_audio, choose_video
from engine.cameras.parameter_sets import decode_sets, h264_size, h265_size
from engine.cameras.rtsp_message import parse_message
from engine.cameras.rtsp_url import aggregate_url, base_url, media_url, parse_rtsp_url
from engine.cameras.sdp import SessionDescription, parse_sdp
from storage.errors import CameraUnsupported
from storage.segments.packet import Codec
from tests.fixtures_path import SHARED_FIXTURES, fixture_files, require_fixtures

NVR = SHARED_FIXTURES / "nvr"
CAPTURES = sorted(
    set(
        fixture_files("nvr/retina/*describe*.txt")
        + fixture_files("nvr/retina/*sdp*.txt")
        + fixture_files("nvr/gortsplib_sdp/*.sdp")
        + fixture_files("nvr/gortsplib_sdp_session/*.sdp")
        + fixture_files("nvr/go2rtc_sdp/*.sdp")
    )
)
# What is refused, and the word that says why; everything else must offer a picture.
REFUSED = {
    "base.sdp": "no media",
    "empty_lines.sdp": "no media",
    "full.sdp": "H263-1998",
    "issue_gortsplib_1025_undisclosed_cameras_ipv4.sdp": "payload type 96",
    "issue_gortsplib_1025_undisclosed_cameras_ipv6.sdp": "payload type 96",
    "issue_gortsplib_1068_BZBGEAR_BG_VPTZ_10HSU3.sdp": "META",
    "issue_gortsplib_112_a_Hex_session.sdp": "no media",
    "issue_gortsplib_116_IOI_trk_101.sdp": "MP4V-ES",
    "issue_gortsplib_474_UDP_technology_cameras.sdp": "METADATA",
    "issue_gortsplib_501_Avigilon_cameras.sdp": "payload type 96",
    "issue_gortsplib_60_Hex_session.sdp": "no media",
    "issue_gortsplib_879_AJA_encoder.sdp": "payload type 96",
    "issue_mediamtx_120_MP2T_in_protocol.sdp": "MP2T",
    "issue_mediamtx_127_Amcrest_cameras.sdp": "no media",
    "issue_mediamtx_136_RS_bandwidth.sdp": "X-ASF-PF",
    "issue_mediamtx_2708_Y_CAM_Bullet_HD.sdp": "MP4V-ES",
    "unix_newlines.sdp": "no media",
    "key_mgmt_in_media.sdp": "SRTP",
    "key_mgmt_in_session.sdp": "SRTP",
    "multiple_formats_for_each_media.sdp": "SRTP",
}
# Codec, payload type, size where the parameter sets are in the text, sound.
EXPECTED = {
    "TestBugSDP1.sdp": (Codec.H264, 96, (1280, 720), Codec.AAC),
    "TestBugSDP2.sdp": (Codec.H264, 96, (1280, 720), Codec.PCMA),
    "TestBugSDP4.sdp": (Codec.H264, 96, (640, 480), Codec.PCMA),
    "TestBugSDP6.sdp": (Codec.MJPEG, 26, None, Codec.PCMU),
    "TestBugSDP7.sdp": (Codec.H264, 105, (640, 360), Codec.PCMU),
    "anjvision_describe.txt": (Codec.H265, 96, (1280, 704), None),
    "anpviz_sdp.txt": (Codec.H264, 96, (704, 576), Codec.AAC),
    "bunny_describe.txt": (Codec.H264, 97, (240, 160), Codec.AAC),
    "dahua_describe_h264_aac_onvif.txt": (Codec.H264, 96, (704, 480), Codec.AAC),
    "dahua_describe_h265_pcma.txt": (Codec.H265, 98, (704, 480), Codec.PCMA),
    "foscam_describe.txt": (Codec.H264, 96, (1280, 720), Codec.PCMU),
    "gw_main_describe.txt": (Codec.H264, 96, (1920, 1080), Codec.PCMU),
    "hikvision_describe.txt": (Codec.H264, 96, (1920, 1080), None),
    "issue_gortsplib_85_FLIR_timing.sdp": (Codec.H264, 111, (640, 480), None),
    "issue_mediamtx_3583_Wisenet_NVR.sdp": (Codec.H264, 96, (2592, 1520), None),
    "issue_mediamtx_5074_fake_back_channel.sdp": (Codec.H264, 96, (1920, 1080), None),
    "issue_mediamtx_5074_real_back_channel.sdp": (Codec.H264, 96, (640, 360), Codec.PCMU),
    "issue_mediamtx_5292_Verint_cameras_IP_instead_of_IN_in_origin.sdp": (
        Codec.H264,
        105,
        (3840, 2160),
        None,
    ),
    "issue_mediamtx_990_TP_Link.sdp": (Codec.H265, 96, (2304, 1296), Codec.PCMA),
    "onvif_specification.sdp": (Codec.MJPEG, 26, None, Codec.PCMU),
    "ubiquiti_sdp.txt": (Codec.H264, 97, (1920, 1080), Codec.AAC),
    "vstarcam_describe.txt": (Codec.H264, 96, (1920, 1080), Codec.PCMA),
}


def body_of(path: Path) -> bytes:
    data = path.read_bytes()
    if not data.startswith(b"RTSP/"):
        return data
    message = parse_message(data)
    if message is None:  # the length counts line ends the capture lost
        return data.split(b"\r\n\r\n", 1)[1]
    return message[0].body


def size_of(session: SessionDescription) -> tuple[int, int] | None:
    choice = choose_video(session)
    read = h264_size if choice.codec is Codec.H264 else h265_size
    for name in ("sprop-parameter-sets", "sprop-sps"):
        for nal in decode_sets(choice.format.parameters.get(name, "")):
            if size := read(nal):
                return size.width, size.height
    return None


def test_captures_are_there() -> None:
    require_fixtures("nvr/retina")
    assert len(CAPTURES) > 50


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_captured_description_is_read_or_refused_with_a_reason(path: Path) -> None:
    session = parse_sdp(body_of(path))
    if reason := REFUSED.get(path.name):
        with pytest.raises(CameraUnsupported, match=reason):
            choose_video(session)
        return
    video = choose_video(session)
    audio = choose_audio(session)
    if expected := EXPECTED.get(path.name):
        codec, payload_type, size, sound = expected
        assert (video.codec, video.format.payload_type) == (codec, payload_type)
        assert size_of(session) == size
        assert (audio.track.codec if audio else None) == sound


@pytest.mark.parametrize("name", sorted(EXPECTED) + sorted(REFUSED))
def test_expected_capture_exists(name: str) -> None:
    require_fixtures("nvr/retina")
    assert name in {path.name for path in CAPTURES}


def oracles() -> dict[str, dict[str, object]]:
    """Those that say something of a capture which is in the collection."""
    path = NVR / "retina" / "describe_oracles.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    return {name: told for name, told in found.items() if "streams" in told and (path.parent / name).exists()}


@pytest.mark.parametrize("name", sorted(oracles()))
def test_description_agrees_with_retina(name: str) -> None:
    oracle = oracles()[name]
    path = NVR / "retina" / name
    session = parse_sdp(body_of(path))
    assert len(session.media) == oracle["streams"]
    wanted = oracle.get("video")
    if isinstance(wanted, dict):
        choice = choose_video(session)
        assert choice.codec is (Codec.H265 if "h265" in str(wanted["codec"]) else Codec.H264)
        if "dims" in wanted:
            assert size_of(session) == tuple(wanted["dims"])
        if "pt" in wanted:
            assert choice.format.payload_type == wanted["pt"]
        if str(wanted["codec"]).startswith("avc1."):
            sps = decode_sets(choice.format.parameters["sprop-parameter-sets"])[0]
            assert sps[1:4].hex().upper() == str(wanted["codec"])[5:], "the SPS wins over profile-level-id"
    if "audio_clock" in oracle:
        audio = choose_audio(session)
        assert audio is not None
        assert audio.track.sample_rate_hz == oracle["audio_clock"]


def inline() -> dict[str, dict[str, object]]:
    path = NVR / "retina" / "inline_fmtp_oracles.json"
    return json.loads(path.read_text()) if path.exists() else {}


@pytest.mark.parametrize("name", sorted(inline()))
def test_inline_parameters_agree_with_retina(name: str) -> None:
    entry = inline()[name]
    is_h265 = "sprop-sps" in str(entry["fmtp"])
    codec = "H265" if is_h265 else "H264"
    text = f"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {codec}/90000\r\na=fmtp:96 {entry['fmtp']}\r\n"
    session = parse_sdp(text.encode())
    expected = entry["expect"]
    if isinstance(expected, list):
        assert size_of(session) == tuple(expected)
    elif str(expected).startswith("avc1."):
        sps = decode_sets(choose_video(session).format.parameters["sprop-parameter-sets"])[0]
        assert sps[1:4].hex().upper() == str(expected)[5:]
        assert size_of(session) is not None
    elif str(expected).startswith("reject"):
        assert size_of(session) is None


def controls(name: str, url: str = "") -> list[str]:
    path = NVR / "retina" / name
    if not path.exists():
        path = NVR / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    data = path.read_bytes()
    parsed = parse_message(data) if data.startswith(b"RTSP") else None
    told = parsed[0].header("content-base") if parsed else ""
    request = parse_rtsp_url(url or "rtsp://camera/stream")
    base = base_url(request, told, "")
    session = parse_sdp(body_of(path))
    return [aggregate_url(base, session)] + [
        media_url(base, session, media, has_base=base == told) for media in session.media
    ]


def test_control_is_glued_behind_a_query_string() -> None:
    base = "rtsp://192.168.1.110:5050/H264?channel=1&subtype=0&unicast=true&proto=Onvif"
    assert controls("gw_main_describe.txt") == [base, base + "/video", base + "/audio"]


def test_control_after_a_base_with_a_slash() -> None:
    base = "rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif/"
    assert controls("dahua_describe_h264_aac_onvif.txt")[:2] == [base, base + "trackID=0"]


def test_content_base_without_scheme_is_ignored() -> None:
    assert controls("anjvision_describe.txt")[1] == "rtsp://camera/stream/trackID=1"


def test_absent_control_is_the_base() -> None:
    assert controls("go2rtc_sdp/TestBugSDP1.sdp")[1] == "rtsp://camera/stream/track0"
    assert (
        controls("gortsplib_sdp/issue_mediamtx_2558_decimal_numbers_in_origin.sdp")[1]
        == "rtsp://camera/stream"
    )


def test_absolute_controls_stay() -> None:
    found = controls("hikvision_describe.txt")
    prefix = "rtsp://192.168.5.106:554/Streaming/Channels/101/"
    assert found[0].startswith(prefix + "?transportmode")
    assert found[1].startswith(prefix + "trackID=1?")


def test_query_control_gets_no_slash() -> None:
    assert controls("gortsplib_sdp/unordered_global_attributes.sdp")[1] == "rtsp://camera/stream?ctype=video"

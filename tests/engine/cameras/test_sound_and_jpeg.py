"""AAC, LATM and whole-payload sound; JPEG files from RFC 2435 payloads, decoded by an independent library."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.cameras.audio import (
    AacDepacketizer,
    LatmDepacketizer,
    WholePayload,
    make_aac_config,
    parse_aac_config,
    parse_stream_mux_config,
)
from engine.cameras.delivery import Delivery
from engine.cameras.media_format import choose_audio
from engine.cameras.mjpeg import MjpegDepacketizer
from engine.cameras.rtp import Depacketizer
from engine.cameras.rtp_clock import RtpClock, SessionZero
from engine.cameras.sdp import parse_sdp
from storage.segments.packet import Codec, Packet, Track
from tests.rtsp.recording_sink import RecordingSink

AUDIO = Track(codec=Codec.AAC, time_base_hz=16_000, sample_rate_hz=16_000, channels=1)
VIDEO = Track(codec=Codec.H264, time_base_hz=90_000, parameter_sets=(b"s",))


def delivery() -> tuple[RecordingSink, Delivery]:
    sink, zero = RecordingSink(), SessionZero()
    made = Delivery(sink, RtpClock(90_000, zero))
    made.add_audio(AUDIO, RtpClock(16_000, zero))
    made.video_format(VIDEO)
    made.video(b"k", 0, True, 0)
    return sink, made


def push(depacketizer: Depacketizer, payload: bytes, timestamp: int = 0, *, last: bool = True) -> None:
    depacketizer.payload(memoryview(payload), timestamp, last, 0, 0)


def hbr(*frames: bytes) -> bytes:
    headers = b"".join((len(frame) << 3).to_bytes(2, "big") for frame in frames)
    return (len(headers) * 8).to_bytes(2, "big") + headers + b"".join(frames)


def test_aac_frames_of_one_packet_follow_each_other() -> None:
    sink, made = delivery()
    push(AacDepacketizer(made, 13, 3, 3, 1024), hbr(b"one", b"three", b"x"))
    assert [(p.data, p.pts_ticks) for p in sink.audio] == [(b"one", 0), (b"three", 1024), (b"x", 2048)]


def test_aac_frame_over_several_packets_is_joined() -> None:
    sink, made = delivery()
    depacketizer = AacDepacketizer(made, 13, 3, 3, 1024)
    header = b"\x00\x10" + (10 << 3).to_bytes(2, "big")
    push(depacketizer, header + b"01234", last=False)
    push(depacketizer, header + b"56789")
    assert [p.data for p in sink.audio] == [b"0123456789"]


def test_lost_aac_fragment_costs_that_frame_only() -> None:
    sink, made = delivery()
    depacketizer = AacDepacketizer(made, 13, 3, 3, 1024)
    push(depacketizer, b"\x00\x10" + (10 << 3).to_bytes(2, "big") + b"01234", last=False)
    depacketizer.lost()
    push(depacketizer, hbr(b"next"), 1024)
    assert [p.data for p in sink.audio] == [b"next"]


def test_low_rate_aac_headers_are_one_byte() -> None:
    sink, made = delivery()
    push(AacDepacketizer(made, 6, 2, 2, 1024), b"\x00\x10" + bytes((2 << 2, 3 << 2)) + b"aabbb")
    assert [p.data for p in sink.audio] == [b"aa", b"bbb"]


@given(st.lists(st.tuples(st.binary(max_size=80), st.booleans()), max_size=20))
def test_random_sound_raises_nothing(parts: list[tuple[bytes, bool]]) -> None:
    _, made = delivery()
    for depacketizer in (AacDepacketizer(made, 13, 3, 3, 1024), LatmDepacketizer(made), WholePayload(made)):
        for index, (payload, last) in enumerate(parts):
            push(depacketizer, payload, index, last=last)


def test_latm_element_over_two_packets_is_joined() -> None:
    sink, made = delivery()
    depacketizer = LatmDepacketizer(made)
    frame = bytes(300)
    push(depacketizer, b"\xff\x2d" + frame[:100], last=False)
    push(depacketizer, frame[100:])
    assert [p.data for p in sink.audio] == [frame]


@pytest.mark.parametrize(
    ("config", "rate_hz", "core_hz", "channels"),
    [
        ("1490", 12_000, 12_000, 2),
        ("1188", 48_000, 48_000, 1),
        ("1588", 8000, 8000, 1),
        ("1408", 16_000, 16_000, 1),
        ("119056E500", 48_000, 48_000, 2),
        ("2b920800", 44_100, 22_050, 2),
    ],
)
def test_aac_configuration_is_read(config: str, rate_hz: int, core_hz: int, channels: int) -> None:
    parsed = parse_aac_config(bytes.fromhex(config))
    assert parsed is not None
    assert (parsed.rate_hz, parsed.core_rate_hz, parsed.channels) == (rate_hz, core_hz, channels)
    assert parsed.frame_samples == 1024


@given(st.binary(max_size=20))
def test_random_configuration_raises_nothing(data: bytes) -> None:
    parse_aac_config(data)
    parse_stream_mux_config(data)


def test_made_configuration_is_readable() -> None:
    parsed = parse_aac_config(make_aac_config(44_100, 2))
    assert parsed is not None
    assert (parsed.rate_hz, parsed.channels) == (44_100, 2)
    assert make_aac_config(12_345, 2) == b""


@pytest.mark.parametrize(
    ("lines", "codec", "rate_hz", "channels", "time_base"),
    [
        ("a=rtpmap:97 opus/48000/2", Codec.OPUS, 48_000, 2, 48_000),
        ("a=rtpmap:97 L16/16000/2", Codec.L16, 16_000, 2, 16_000),
        ("a=rtpmap:97 PCMA/8000", Codec.PCMA, 8000, 1, 8000),
        ("a=rtpmap:97 MPEG4-GENERIC/16000/2\r\na=fmtp:97 config=1408", Codec.AAC, 16_000, 1, 16_000),
        ("a=rtpmap:97 mpeg4-generic/44100/2\r\na=fmtp:97 mode=AAC-hbr", Codec.AAC, 44_100, 2, 44_100),
        (
            "a=rtpmap:97 MP4A-LATM/16000/1\r\na=fmtp:97 cpresent=0;config=40002810",
            Codec.AAC,
            16_000,
            1,
            16_000,
        ),
    ],
)
def test_sound_track_is_described(
    lines: str, codec: Codec, rate_hz: int, channels: int, time_base: int
) -> None:
    choice = choose_audio(parse_sdp(f"v=0\r\nm=audio 0 RTP/AVP 97\r\n{lines}\r\n".encode()))
    assert choice is not None
    track = choice.track
    assert (track.codec, track.sample_rate_hz, track.channels, track.time_base_hz) == (
        codec,
        rate_hz,
        channels,
        time_base,
    )


@pytest.mark.parametrize(
    "line", ["a=rtpmap:97 G726-32/8000", "a=rtpmap:97 MP4A-LATM/90000", "a=rtpmap:97 AMR/8000"]
)
def test_sound_nobody_can_store_is_left_out(line: str) -> None:
    assert choose_audio(parse_sdp(f"m=audio 0 RTP/AVP 97\r\n{line}\r\n".encode())) is None


# -- JPEG ------------------------------------------------------------------------------------------------


def picture(width: int, height: int) -> Image.Image:
    made = Image.new("RGB", (width, height))
    made.putdata([(x * 255 // width, y * 255 // height, 90) for y in range(height) for x in range(width)])
    return made


def rfc2435(jpeg: bytes, width: int, height: int, kind: int, quality: int, *, tables: bool) -> list[bytes]:
    """Take a baseline file apart into payloads, as a camera does."""
    position, quantisers, scan = 2, b"", b""
    while position < len(jpeg):
        marker, size = jpeg[position + 1], int.from_bytes(jpeg[position + 2 : position + 4], "big")
        body = jpeg[position + 4 : position + 2 + size]
        if marker == 0xDB:
            for at in range(0, len(body), 65):
                quantisers += body[at + 1 : at + 65]
        position += 2 + size
        if marker == 0xDA:
            scan = jpeg[position:]
            break
    payloads = []
    for at in range(0, len(scan), 1000):
        head = b"\x00" + at.to_bytes(3, "big") + bytes((kind, quality, width // 8, height // 8))
        if at == 0 and quality >= 128:
            head += (
                b"\x00\x00"
                + (len(quantisers) if tables else 0).to_bytes(2, "big")
                + (quantisers if tables else b"")
            )
        payloads.append(head + scan[at : at + 1000])
    return payloads


def receive(payloads: list[bytes], depacketizer: MjpegDepacketizer, timestamp: int = 0) -> None:
    for index, payload in enumerate(payloads):
        depacketizer.payload(memoryview(payload), timestamp, index == len(payloads) - 1, timestamp, 0)


def jpeg_bench(width: int = 0, height: int = 0) -> tuple[RecordingSink, MjpegDepacketizer]:
    sink = RecordingSink()
    return sink, MjpegDepacketizer(Delivery(sink, RtpClock(90_000, SessionZero())), width, height)


def close(packet: Packet, original: Image.Image) -> bool:
    with Image.open(io.BytesIO(packet.data)) as decoded:
        assert decoded.size == original.size
        pairs = zip(decoded.convert("RGB").tobytes(), original.tobytes(), strict=True)
        return sum(abs(a - b) for a, b in pairs) / (3 * original.width * original.height) < 4


@pytest.mark.parametrize(("kind", "subsampling"), [(0, "4:2:2"), (1, "4:2:0")])
@pytest.mark.parametrize("quality", [255, 128])
def test_jpeg_with_tables_is_rebuilt(kind: int, subsampling: str, quality: int) -> None:
    original = picture(64, 48)
    stored = io.BytesIO()
    original.save(stored, "JPEG", quality=85, subsampling=subsampling)
    sink, depacketizer = jpeg_bench()
    receive(rfc2435(stored.getvalue(), 64, 48, kind, quality, tables=True), depacketizer)
    receive(rfc2435(stored.getvalue(), 64, 48, kind, quality, tables=quality == 255), depacketizer, 3600)
    assert [close(packet, original) for packet in sink.video] == [True, True]
    assert all(packet.is_keyframe for packet in sink.video)
    assert (sink.tracks[0][0].width, sink.tracks[0][0].height) == (64, 48)


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_jpeg_with_a_quality_instead_of_tables_is_rebuilt(quality: int) -> None:
    """libjpeg's quality scale is the one of RFC 2435."""
    original = picture(64, 48)
    stored = io.BytesIO()
    original.save(stored, "JPEG", quality=quality, subsampling="4:2:0")
    sink, depacketizer = jpeg_bench()
    receive(rfc2435(stored.getvalue(), 64, 48, 1, quality, tables=False), depacketizer)
    with Image.open(io.BytesIO(sink.video[0].data)) as ours, Image.open(stored) as theirs:
        assert ours.tobytes() == theirs.tobytes()


def test_jpeg_with_restart_markers_is_rebuilt() -> None:
    original = picture(64, 48)
    stored = io.BytesIO()
    original.save(stored, "JPEG", quality=75, subsampling="4:2:0", restart_marker_blocks=4)
    payloads = [
        part[:4] + bytes((65,)) + part[5:8] + b"\x00\x04\xff\xff" + part[8:]
        for part in rfc2435(stored.getvalue(), 64, 48, 1, 75, tables=False)
    ]
    sink, depacketizer = jpeg_bench()
    receive(payloads, depacketizer)
    assert close(sink.video[0], original)


def test_jpeg_too_large_for_its_header_takes_the_described_size() -> None:
    original = picture(64, 48)
    stored = io.BytesIO()
    original.save(stored, "JPEG", quality=75, subsampling="4:2:0")
    sink, depacketizer = jpeg_bench(64, 48)
    receive(rfc2435(stored.getvalue(), 0, 0, 1, 75, tables=False), depacketizer)
    assert close(sink.video[0], original)


def test_jpeg_with_a_missing_part_is_dropped() -> None:
    stored = io.BytesIO()
    picture(160, 160).save(stored, "JPEG", quality=95, subsampling="4:2:0")
    payloads = rfc2435(stored.getvalue(), 160, 160, 1, 95, tables=False)
    assert len(payloads) > 2
    sink, depacketizer = jpeg_bench()
    receive(payloads[:1] + payloads[2:], depacketizer)
    receive(payloads, depacketizer, 3600)
    assert len(sink.video) == 1


@settings(max_examples=200)
@given(st.lists(st.tuples(st.binary(max_size=200), st.booleans()), max_size=10))
def test_random_jpeg_payloads_raise_nothing(parts: list[tuple[bytes, bool]]) -> None:
    _, depacketizer = jpeg_bench(16, 16)
    for payload, last in parts:
        depacketizer.payload(memoryview(payload), 0, last, 0, 0)

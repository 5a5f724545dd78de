"""The frame loop: any chunking gives the same packets, and no bytes raise anything but a WatchdeckError."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cameras.interleaved import BUFFER_BYTES
from engine.cameras.media_format import choose_audio, choose_video
from engine.cameras.rtp import RtpStream, read_sender_report, receiver_report
from engine.cameras.rtp_clock import RtpClock
from engine.cameras.rtsp_message import parse_message
from engine.cameras.sdp import parse_sdp
from storage.errors import CameraProtocolError, WatchdeckError
from tests.fixtures_path import require_fixtures
from tests.rtsp.recording_sink import StreamBench, nals_of
from tests.rtsp.rtp_packets import H264_PPS, H264_SPS, fragment, frames_of, interleave, rtp

IDR = b"\x65\x88" + bytes(range(256)) * 20
P = b"\x41\x9a" + bytes(range(255, 0, -1)) * 4
REPLY = b"RTSP/1.0 200 OK\r\nCSeq: 9\r\nContent-Length: 5\r\n\r\nhello"


def camera_stream() -> bytes:
    """A little of everything a session carries."""
    frames: list[bytes] = []
    for second in range(6):
        units = [(second * 90_000, [H264_SPS, H264_PPS, *fragment(IDR, size=900)])]
        units += [(second * 90_000 + at * 3600, fragment(P, size=300)) for at in range(1, 5)]
        frames += frames_of(units, sequence=len([f for f in frames if f[1] == 0]))
        frames.append(interleave(b"\x80\xc8\x00\x06" + bytes(24), 1))
        frames.append(interleave(b"unassigned", 77))
        frames.append(REPLY)
    return b"".join(frames)


STREAM = camera_stream()


def outcome(bench: StreamBench) -> list[object]:
    shown: list[object] = [
        (p.track, p.pts_ticks, p.is_keyframe, hashlib.md5(p.data).hexdigest()) for p in bench.sink.packets
    ]
    return [*shown, *bench.sink.losses, len(bench.messages), len(bench.sink.tracks)]


def run(data: bytes, chunks: list[int], codec: str = "h264") -> list[object]:
    """The result, with the kind of error that ended it, if one did."""
    bench = StreamBench(codec)
    position = turn = 0
    try:
        while position < len(data):
            size = chunks[turn % len(chunks)]
            bench.feed(data[position : position + size])
            position += size
            turn += 1
    except CameraProtocolError as error:
        return [*outcome(bench), type(error)]
    return outcome(bench)


def test_stream_is_read_whole() -> None:
    bench = StreamBench()
    bench.feed(STREAM)
    assert len(bench.sink.video) == 30
    assert nals_of(bench.sink.video[0].data) == [H264_SPS, H264_PPS, IDR]
    assert nals_of(bench.sink.video[1].data) == [P]
    assert [message.body for message in bench.messages] == [b"hello"] * 6
    assert bench.sink.losses == []


@pytest.mark.parametrize("size", [1, 2, 3, 17, 19, 20, 21, 1000, 4096, 65_536])
def test_any_chunk_size_gives_the_same_packets(size: int) -> None:
    assert run(STREAM, [size]) == run(STREAM, [BUFFER_BYTES])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_any_chunking_gives_the_same_packets(chunks: list[int]) -> None:
    assert run(STREAM, chunks) == run(STREAM, [BUFFER_BYTES])


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32), st.integers(1, 30), st.lists(st.integers(1, 3000), min_size=1, max_size=8))
def test_damaged_stream_gives_the_same_result_in_any_chunking(
    seed: int, damage: int, chunks: list[int]
) -> None:
    rng = random.Random(seed)
    data = bytearray(STREAM[: rng.randrange(2000, 30_000)])
    for _ in range(damage):
        at = rng.randrange(len(data))
        choice = rng.randrange(3)
        if choice == 0:
            data[at] = rng.randrange(256)
        elif choice == 1:
            del data[at : at + rng.randrange(1, 40)]
        else:
            data[at:at] = rng.randbytes(rng.randrange(1, 40))
    assert run(bytes(data), chunks) == run(bytes(data), [BUFFER_BYTES])


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=4000), st.sampled_from(["h264", "h265"]), st.lists(st.integers(1, 500), min_size=1))
def test_random_bytes_raise_nothing_else(data: bytes, codec: str, chunks: list[int]) -> None:
    bench = StreamBench(codec)
    try:
        for at in range(0, len(data), chunks[0]):
            bench.feed(data[at : at + chunks[0]])
    except WatchdeckError:
        return


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 3), st.booleans()), max_size=40),
    st.sampled_from(["h264", "h265"]),
)
def test_random_payloads_raise_nothing(parts: list[tuple[bytes, int, bool]], codec: str) -> None:
    bench = StreamBench(codec)
    for index, (payload, timestamp, marker) in enumerate(parts):
        bench.feed(interleave(rtp(payload, index, timestamp, marker=marker)))
    for packet in bench.sink.video:
        nals_of(packet.data)


def test_lost_framing_is_found_again() -> None:
    bench = StreamBench()
    first = b"".join(frames_of([(0, fragment(IDR))]))
    later = b"".join(frames_of([(3600, fragment(P)), (7200, fragment(IDR))], sequence=6))
    bench.feed(first + b"garbage \x00\x01$\xff" * 10 + later)
    assert bench.sink.order == ["tracks", "key", "lost", "key"]


def test_endless_garbage_ends_the_session() -> None:
    bench = StreamBench()
    with pytest.raises(CameraProtocolError, match="framing"):
        bench.feed(b"\x01" * 600_000)


def test_frames_before_the_play_reply_are_kept_in_order() -> None:
    bench = StreamBench()
    early = StreamBench()
    early.reader._is_streaming = False
    data = b"".join(frames_of([(0, fragment(IDR)), (9, fragment(P))]))
    early.feed(data)
    assert early.sink.packets == []
    early.reader.start_streaming()
    bench.feed(data)
    assert outcome(early) == outcome(bench)


def test_buffer_is_reused_while_a_picture_is_in_it() -> None:
    """Pictures larger than the buffer, and pictures that lie across its end."""
    bench = StreamBench()
    big = b"\x65\x88" + random.Random(1).randbytes(700_000)
    units = [(at * 9, fragment(big if at % 3 == 0 else P)) for at in range(10)]
    bench.feed(b"".join(frames_of(units)), 7919)
    assert [nals_of(p.data)[0] for p in bench.sink.video] == [big if at % 3 == 0 else P for at in range(10)]


def test_sender_report_is_read() -> None:
    seen: list[tuple[int, int]] = []
    report = (
        b"\x80\xc8\x00\x06" + bytes(4) + (5 << 32 | 7).to_bytes(8, "big") + (99).to_bytes(4, "big") + bytes(8)
    )
    read_sender_report(memoryview(receiver_report(1, 5)[4:] + report), lambda *told: seen.append(told))
    assert seen == [(5 << 32 | 7, 99)]


@given(st.binary(max_size=100))
def test_random_rtcp_raises_nothing(data: bytes) -> None:
    read_sender_report(memoryview(data), lambda ntp, timestamp: None)


def bunny() -> tuple[StreamBench, bytes]:
    folder = require_fixtures("nvr/retina")
    message = parse_message((folder / "bunny_describe.txt").read_bytes())
    assert message is not None
    session = parse_sdp(message[0].body)
    video, audio = choose_video(session), choose_audio(session)
    assert audio is not None
    bench = StreamBench()
    clock = RtpClock(audio.clock_hz, bench.zero)
    clock.first_timestamp = 0
    bench.delivery.add_audio(audio.track, clock)
    bench.reader.add_video(
        2, RtpStream(video.depacketizer(bench.delivery), 97, frozenset(), bench.delivery, is_video=True)
    )
    sound = RtpStream(audio.depacketizer(bench.delivery), 96, frozenset(), bench.delivery, is_video=False)
    bench.reader.add_channel(0, sound.packet)
    return bench, (folder / "bunny.rtsp").read_bytes()


@pytest.mark.parametrize("chunk", [65_536, 1460, 13])
def test_captured_session_is_replayed(chunk: int) -> None:
    bench, data = bunny()
    bench.feed(data, chunk)
    video, audio = bench.sink.video, bench.sink.audio
    (tracks,) = bench.sink.tracks
    assert (tracks[0].width, tracks[0].height) == (240, 160)
    assert (tracks[1].sample_rate_hz, tracks[1].channels, tracks[1].config.hex()) == (12_000, 2, "1490")
    assert video[0].is_keyframe
    steps = {later.pts_ticks - earlier.pts_ticks for earlier, later in zip(video, video[1:], strict=False)}
    assert steps == {3690, 3780}, "24 frames a second, in whole milliseconds"
    assert {b.pts_ticks - a.pts_ticks for a, b in zip(audio, audio[1:], strict=False)} == {1024}
    assert len(video) > 200
    assert len(audio) > 90
    assert bench.sink.losses == []
    for packet in video:
        nals_of(packet.data)

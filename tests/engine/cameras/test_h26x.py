"""Access units from RTP as RFC 6184 and 7798 describe it, and as cameras send it."""

from __future__ import annotations

import pytest

from engine.cameras.h26x import MAX_UNIT_BYTES
from tests.rtsp.recording_sink import StreamBench, nals_of
from tests.rtsp.rtp_packets import (
    H264_PPS,
    H264_SETS,
    H264_SPS,
    H264_SPS_720P,
    H265_SETS,
    fragment,
    frames_of,
    interleave,
    rtp,
)

IDR = b"\x65\x88" + b"\x11" * 50
P = b"\x41\x9a" + b"\x22" * 30
SECOND_SLICE = b"\x41\x1a" + b"\x33" * 30
SEI = b"\x06\x05\x04abcd\x80"
AUD = b"\x09\xf0"
IDR265 = b"\x26\x01\xaf" + b"\x11" * 50
P265 = b"\x02\x01\xd0" + b"\x22" * 30


def packets(*parts: tuple[int, bytes, bool], start: int = 0) -> bytes:
    """(timestamp, payload, marker) in sequence."""
    return b"".join(
        interleave(rtp(payload, start + index, timestamp, marker=marker))
        for index, (timestamp, payload, marker) in enumerate(parts)
    )


def test_single_nal_units_become_access_units() -> None:
    bench = StreamBench()
    bench.feed(packets((0, IDR, True), (3600, P, False), (3600, SECOND_SLICE, True)))
    assert [nals_of(p.data) for p in bench.sink.video] == [[IDR], [P, SECOND_SLICE]]
    assert [p.is_keyframe for p in bench.sink.video] == [True, False]
    (tracks,) = bench.sink.tracks
    assert (tracks[0].width, tracks[0].height) == (1920, 1080)
    assert tracks[0].parameter_sets == tuple(H264_SETS)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_fragments_are_put_together(codec: str, size: int) -> None:
    bench = StreamBench(codec)
    key, other = (IDR, P) if codec == "h264" else (IDR265, P265)
    bench.feed_units(frames_of([(0, fragment(key, codec, size)), (3600, fragment(other, codec, size))]))
    assert [nals_of(p.data) for p in bench.sink.video] == [[key], [other]]
    assert [p.pts_ticks for p in bench.sink.video] == [0, 3600]


def test_a_damaged_sps_does_not_push_out_a_readable_one() -> None:
    bench = StreamBench()
    bench.feed(
        packets((0, IDR, True), (3600, H264_SPS[:4], False), (3600, H264_PPS, False), (3600, IDR, True))
    )
    assert [p.is_keyframe for p in bench.sink.video] == [True, True]
    (tracks,) = bench.sink.tracks
    assert tracks[0].parameter_sets == tuple(H264_SETS)


def test_aggregated_packets_are_taken_apart() -> None:
    body = b"".join(len(nal).to_bytes(2, "big") + nal for nal in (H264_SPS, H264_PPS, SEI, IDR))
    bench = StreamBench(with_sets=False)
    bench.feed(packets((0, b"\x78" + body, True)))
    assert nals_of(bench.sink.video[0].data) == [H264_SPS, H264_PPS, SEI, IDR]


def test_aggregated_h265_packets_are_taken_apart() -> None:
    body = b"".join(len(nal).to_bytes(2, "big") + nal for nal in (*H265_SETS, IDR265))
    bench = StreamBench("h265", with_sets=False)
    bench.feed(packets((0, bytes((48 << 1, 1)) + body, True)))
    assert nals_of(bench.sink.video[0].data) == [*H265_SETS, IDR265]
    assert bench.sink.tracks[0][0].parameter_sets == tuple(H265_SETS)


def test_aggregated_packet_longer_than_itself_is_damage() -> None:
    bench = StreamBench()
    bench.feed(packets((0, IDR, True), (1, b"\x78\x00\xff\x41\x9a", True), (2, P, True), (3, IDR, True)))
    assert bench.sink.order == ["tracks", "key", "lost", "key"]


def test_without_marker_bits_the_timestamp_ends_a_picture() -> None:
    bench = StreamBench()
    bench.feed(packets((0, IDR, False), (3600, P, False), (3600, SECOND_SLICE, False), (7200, P, False)))
    assert [nals_of(p.data) for p in bench.sink.video] == [[IDR], [P, SECOND_SLICE]]


def test_marker_on_parameter_sets_and_sei_ends_nothing() -> None:
    """LV-IP22IR40DVBL and H264DVR: every NAL unit carries the mark."""
    bench = StreamBench(with_sets=False)
    bench.feed(
        packets((0, H264_SPS, True), (0, H264_PPS, True), (0, SEI, True), (0, IDR, True), (3600, P, True))
    )
    assert [nals_of(p.data) for p in bench.sink.video] == [[H264_SPS, H264_PPS, SEI, IDR], [P]]


def test_parameter_sets_with_another_timestamp_belong_to_the_next_picture() -> None:
    """Reolink RLC-822A."""
    bench = StreamBench()
    bench.feed(packets((0, H264_SPS, True), (0, H264_PPS, True), (3600, IDR, True), (7200, P, True)))
    assert [nals_of(p.data) for p in bench.sink.video] == [[H264_SPS, H264_PPS, IDR], [P]]
    assert bench.sink.video[0].pts_ticks == 0
    assert bench.sink.video[1].pts_ticks == 3600


def test_fragment_that_starts_and_ends_in_one_packet_is_whole() -> None:
    bench = StreamBench()
    bench.feed(packets((0, bytes((0x7C, 0xC5)) + IDR[1:], True)))
    assert nals_of(bench.sink.video[0].data) == [IDR]


def test_empty_fragments_are_harmless() -> None:
    bench = StreamBench()
    start, middle, end = b"\x7c\x85", b"\x7c\x05", b"\x7c\x45"
    bench.feed(packets((0, start, False), (0, middle, False), (0, middle + IDR[1:], False), (0, end, True)))
    assert nals_of(bench.sink.video[0].data) == [IDR]


def test_missing_end_bit_is_tolerated() -> None:
    bench = StreamBench()
    bench.feed(packets((0, b"\x7c\x85" + IDR[1:], True), (9, b"\x5c\x81" + P[1:], False), (18, P, True)))
    assert [nals_of(p.data) for p in bench.sink.video] == [[IDR], [P], [P]]


def test_changing_type_inside_a_fragment_is_tolerated() -> None:
    bench = StreamBench()
    bench.feed(
        packets(
            (0, b"\x7c\x85" + IDR[1:20], False), (0, b"\x7c\x01" + IDR[20:], False), (0, b"\x7c\x41", True)
        )
    )
    assert nals_of(bench.sink.video[0].data) == [IDR]


def test_start_codes_inside_a_single_nal_unit_are_split() -> None:
    code = b"\x00\x00\x00\x01"
    bench = StreamBench(with_sets=False)
    bench.feed(packets((0, H264_SPS + code + H264_PPS + code + IDR, True), (9, code + P, True)))
    assert [nals_of(p.data) for p in bench.sink.video] == [[H264_SPS, H264_PPS, IDR], [P]]


def test_parameter_sets_in_one_fragmented_unit_with_the_picture_are_split() -> None:
    joined = H264_SPS + b"\0\0\0\1" + H264_PPS + b"\0\0\0\1" + IDR
    bench = StreamBench(with_sets=False)
    bench.feed_units(frames_of([(0, fragment(joined, size=20))]))
    assert nals_of(bench.sink.video[0].data) == [H264_SPS, H264_PPS, IDR]


def test_bytes_after_a_parameter_set_are_not_part_of_it() -> None:
    bench = StreamBench(sets=[H264_SPS + b"\x00\x00", H264_PPS + b"\x00\x00\x00"])
    bench.feed(packets((0, H264_SPS + b"\x00", False), (0, H264_PPS, False), (0, IDR, True)))
    assert bench.sink.tracks[0][0].parameter_sets == tuple(H264_SETS)
    assert len(bench.sink.tracks) == 1


def test_unreadable_announced_sets_wait_for_those_in_the_stream() -> None:
    bench = StreamBench(sets=[b"\xe9\x00\xf0\x04", b"\x00\x00"])
    bench.feed(packets((0, IDR, True)))
    assert bench.sink.packets == []
    bench.feed(packets((9, H264_SPS, False), (9, H264_PPS, False), (9, IDR, True), start=1))
    assert len(bench.sink.packets) == 1


def test_new_resolution_is_announced_before_its_keyframe() -> None:
    bench = StreamBench()
    bench.feed(packets((0, IDR, True), (9, P, True)))
    bench.feed(
        packets((18, H264_SPS_720P, False), (18, H264_PPS, False), (18, IDR, True), (27, P, True), start=2)
    )
    assert bench.sink.order == ["tracks", "key", "packet", "tracks", "key", "packet"]
    assert (bench.sink.tracks[1][0].width, bench.sink.tracks[1][0].height) == (1280, 720)


def test_repeated_parameter_sets_announce_nothing() -> None:
    bench = StreamBench()
    for at in range(3):
        bench.feed(packets((at, H264_SPS, False), (at, H264_PPS, False), (at, IDR, True), start=at * 3))
    assert len(bench.sink.tracks) == 1
    assert len(bench.sink.video) == 3


def test_stream_begins_with_a_keyframe() -> None:
    bench = StreamBench()
    bench.feed(packets((0, P, True), (9, P, True), (18, IDR, True), (27, P, True)))
    assert [p.is_keyframe for p in bench.sink.video] == [True, False]
    assert bench.sink.losses == []


def test_half_a_keyframe_is_not_a_beginning() -> None:
    """The session began, or packets were lost, between two slices of an IDR picture."""
    bench = StreamBench()
    bench.feed(packets((0, b"\x65\x08" + b"\x11" * 20, True), (9, P, True), (18, IDR, True)))
    assert [nals_of(p.data) for p in bench.sink.video] == [[IDR]]


def test_recovery_point_without_idr_is_a_keyframe() -> None:
    recovery = b"\x06\x06\x01\xc4\x80"
    bench = StreamBench()
    bench.feed(packets((0, recovery, False), (0, P, True), (9, P, True)))
    assert [p.is_keyframe for p in bench.sink.video] == [True, False]


@pytest.mark.parametrize("kind", [16, 17, 18, 19, 20, 21])
def test_every_random_access_type_of_h265_is_a_keyframe(kind: int) -> None:
    bench = StreamBench("h265")
    bench.feed(packets((0, bytes((kind << 1,)) + IDR265[1:], True)))
    assert bench.sink.video[0].is_keyframe


def test_loss_drops_to_the_next_keyframe_and_is_told_once() -> None:
    bench = StreamBench()
    bench.feed(packets((0, IDR, True), (9, P, True)))
    bench.feed(packets((27, P, True), (36, P, True), start=3))
    bench.feed(packets((63, P, True), start=6))
    bench.feed(packets((72, IDR, True), (81, P, True), start=7))
    assert bench.sink.order == ["tracks", "key", "packet", "lost", "key", "packet"]
    assert bench.sink.losses == ["1 RTP packets of the picture are missing"]


def test_loss_inside_a_keyframe_drops_that_keyframe() -> None:
    bench = StreamBench()
    parts = fragment(IDR, size=10)
    bench.feed(packets((0, IDR, True)))
    frames = frames_of([(9, parts), (18, [P]), (27, fragment(IDR, size=10))], sequence=1)
    del frames[2]
    bench.feed(b"".join(frames))
    assert bench.sink.order == ["tracks", "key", "lost", "key"]
    assert nals_of(bench.sink.video[1].data) == [IDR]


def test_lost_start_of_a_fragment_is_not_joined_to_the_last_picture() -> None:
    bench = StreamBench()
    frames = frames_of([(0, fragment(IDR, size=10)), (9, fragment(P, size=10)), (18, [IDR])])
    del frames[6]
    bench.feed(b"".join(frames))
    assert [nals_of(p.data) for p in bench.sink.video] == [[IDR], [IDR]]


def test_repeated_packet_is_ignored() -> None:
    bench = StreamBench()
    first = packets((0, IDR, True))
    bench.feed(first + first + packets((9, P, True), start=1))
    assert len(bench.sink.video) == 2
    assert bench.sink.losses == []


def test_sequence_numbers_wrap() -> None:
    bench = StreamBench()
    bench.feed_units(frames_of([(at * 9, fragment(IDR, size=10)) for at in range(4)], sequence=65_530))
    assert len(bench.sink.video) == 4
    assert bench.sink.losses == []


def test_unknown_packet_type_is_damage_not_an_exception() -> None:
    bench = StreamBench()
    bench.feed(packets((0, IDR, True), (9, b"\x1f\x00\x00", True), (18, P, True), (27, IDR, True)))
    assert bench.sink.order == ["tracks", "key", "lost", "key"]


def test_picture_past_all_bounds_is_dropped() -> None:
    bench = StreamBench()
    bench.feed(packets((0, IDR, True)))
    part = b"\x5c\x01" + bytes(60_000)
    count = MAX_UNIT_BYTES // 60_000 + 20
    bench.feed(packets((9, b"\x5c\x81" + bytes(10), False), start=1))
    for index in range(count):
        bench.feed(packets((9, part, False), start=2 + index))
    bench.feed(packets((18, IDR, True), start=2 + count))
    assert len(bench.sink.video) == 2
    assert bench.sink.losses == ["damaged picture: a picture of more than 16 MiB"]


def test_access_unit_delimiters_are_kept() -> None:
    bench = StreamBench()
    bench.feed(packets((0, AUD, False), (0, IDR, True), (9, AUD, False), (9, P, True)))
    assert [nals_of(p.data) for p in bench.sink.video] == [[AUD, IDR], [AUD, P]]


@pytest.mark.parametrize("first", [0xA0, 0x90, 0x81, 0xB2])
def test_padding_extension_and_sources_are_left_out(first: int) -> None:
    bench = StreamBench()
    raw = bytearray(rtp(b"", 0, 0, marker=True))
    raw[0] = first
    body = b"\0\0\0\1" * (first & 0x0F)
    if first & 0x10:
        body += b"\xab\xac\x00\x01\0\0\0\0"
    body += IDR
    if first & 0x20:
        body += b"\0\0\x03"
    bench.feed(interleave(bytes(raw) + body))
    assert nals_of(bench.sink.video[0].data) == [IDR]

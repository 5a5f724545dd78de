"""PartBuilder: packets to parts."""

import pytest

from storage.segments.packet import Codec, Packet, Track
from storage.segments.part import PartBuilder, audio_duration_ticks

VIDEO = Track(codec=Codec.H264, time_base_hz=90_000)
PCMU = Track(codec=Codec.PCMU, time_base_hz=8_000, sample_rate_hz=8_000, channels=1)


def picture(pts: int, *, is_keyframe: bool = False) -> Packet:
    return Packet(0, pts, is_keyframe, b"\0\0\0\1\x65", 0)


def sound(pts: int, size: int = 160) -> Packet:
    return Packet(1, pts, True, bytes(size), 0)


def test_decode_times_are_the_sorted_presentation_times() -> None:
    builder = PartBuilder((VIDEO,))
    for pts in (0, 3, 1, 2):
        builder.add(picture(pts * 3600, is_keyframe=pts == 0))
    part = builder.take(4 * 3600)
    (run,) = part.runs
    assert run.dts_ticks == [0, 3600, 7200, 10800]
    assert run.composition_offsets_ticks == [0, 7200, -3600, -3600]
    assert run.durations_ticks == [3600] * 4
    assert part.has_keyframe_first
    assert part.video_duration_ticks == 4 * 3600


def test_a_part_may_be_cut_only_before_a_picture_shown_after_all_of_it() -> None:
    builder = PartBuilder((VIDEO,))
    assert not builder.can_cut_before(picture(0))
    builder.add(picture(0, is_keyframe=True))
    builder.add(picture(10800))
    assert not builder.can_cut_before(picture(3600))
    assert not builder.can_cut_before(picture(10800))
    assert builder.can_cut_before(picture(10801))


def test_the_last_picture_lasts_until_the_next_part_begins() -> None:
    builder = PartBuilder((VIDEO,))
    builder.add(picture(100, is_keyframe=True))
    builder.add(picture(3700))
    part = builder.take(9000)
    assert part.runs[0].durations_ticks == [3600, 5300]
    assert (part.video_start_ticks, part.video_duration_ticks) == (100, 8900)


def test_the_last_picture_of_a_run_lasts_as_long_as_the_one_before() -> None:
    builder = PartBuilder((VIDEO,))
    builder.add(picture(0, is_keyframe=True))
    builder.add(picture(3000))
    assert builder.take(None).runs[0].durations_ticks == [3000, 3000]
    builder.add(picture(6000))
    assert builder.take(None).runs[0].durations_ticks == [3000]


def test_with_b_frames_a_cut_inside_the_gop_does_not_overlap_the_next_part() -> None:
    builder = PartBuilder((VIDEO,))
    for pts in (0, 3, 1, 2):
        builder.add(picture(pts * 3600, is_keyframe=pts == 0))
    first = builder.take(6 * 3600)  # the P picture that opens the next part; two B pictures go before it
    for pts in (6, 4, 5):
        builder.add(picture(pts * 3600))
    second = builder.take(None)
    assert first.video_start_ticks + first.video_duration_ticks == second.video_start_ticks


def test_repeated_timestamps_never_make_decode_time_stand_still() -> None:
    builder = PartBuilder((VIDEO,))
    for _ in range(3):
        builder.add(picture(900))
    first = builder.take(900)
    builder.add(picture(900))
    second = builder.take(None)
    dts = first.runs[0].dts_ticks + second.runs[0].dts_ticks
    assert dts == [900, 901, 902, 903]
    assert first.runs[0].composition_offsets_ticks == [0, -1, -2]


def test_audio_lasts_as_long_as_its_codec_says() -> None:
    builder = PartBuilder((VIDEO, PCMU))
    builder.add(picture(0, is_keyframe=True))
    builder.add(sound(0))
    builder.add(sound(160))
    part = builder.take(3600)
    assert part.runs[1].durations_ticks == [160, 160]
    assert part.runs[1].buffers == [bytes(320)]
    assert part.bytes == 325


@pytest.mark.parametrize(
    ("track", "data", "ticks"),
    [
        (PCMU, bytes(80), 80),
        (Track(codec=Codec.L16, time_base_hz=44_100, sample_rate_hz=44_100, channels=2), bytes(400), 100),
        (Track(codec=Codec.AAC, time_base_hz=16_000, sample_rate_hz=16_000), b"x", 1024),
        (Track(codec=Codec.AAC, time_base_hz=90_000, sample_rate_hz=16_000), b"x", 5760),
        (Track(codec=Codec.OPUS, time_base_hz=48_000), bytes([0b1111_1000]), 960),
        (Track(codec=Codec.OPUS, time_base_hz=48_000), bytes([0b1111_1001]), 1920),
        (Track(codec=Codec.OPUS, time_base_hz=48_000), bytes([0b0000_0011, 3]), 1440),
        (Track(codec=Codec.OPUS, time_base_hz=48_000), b"", 0),
    ],
)
def test_audio_durations(track: Track, data: bytes, ticks: int) -> None:
    assert audio_duration_ticks(track, data) == ticks


def test_the_span_counts_pictures_only() -> None:
    builder = PartBuilder((VIDEO, PCMU))
    assert builder.is_empty
    builder.add(sound(0))
    assert (builder.is_empty, builder.has_video, builder.video_span_us) == (False, False, 0)
    builder.add(picture(9000, is_keyframe=True))
    builder.add(picture(0))
    assert (builder.has_video, builder.video_span_us) == (True, 100_000)


def test_a_segment_without_video_is_refused() -> None:
    with pytest.raises(ValueError, match="video"):
        PartBuilder((PCMU,))

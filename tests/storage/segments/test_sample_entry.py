"""Codec descriptions, field by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.segments.packet import Codec, Track
from storage.segments.parameter_sets import parse_h264_sps, parse_h265_sps
from storage.segments.sample_entry import (
    avc_configuration,
    display_size,
    hevc_configuration,
    sample_entry,
)
from tests.fakes.encoded_video import encoded


def test_avcc_of_high_profile_carries_its_extension() -> None:
    track = encoded("h264").track
    sps = track.parameter_sets[0]
    assert sps[1] == 100
    record = avc_configuration(track.parameter_sets)
    assert record[:6] == bytes([1, *sps[1:4], 0xFF, 0xE1])
    assert record[-4:] == bytes([0xFD, 0xF8, 0xF8, 0])


def test_avcc_of_baseline_has_no_extension() -> None:
    sps, pps = bytes.fromhex("6742c01ed9005005ba10000003001000000303c0f162e480"), bytes.fromhex("68cb83cb20")
    record = avc_configuration((sps, pps))
    assert record.endswith(b"\0\x05" + pps)


def test_hvcc_repeats_what_the_sps_says() -> None:
    track = encoded("h265").track
    record = hevc_configuration(track.parameter_sets)
    parsed = parse_h265_sps(track.parameter_sets[1])
    assert parsed is not None
    assert (parsed.width, parsed.height) == (160, 96)
    assert record[1:13] == parsed.profile_tier_level
    assert record[1] & 0x1F == 1  # Main
    assert record[22] == 3
    assert [record[23] & 0x3F, record[23] >> 7] == [32, 1]
    for nal in track.parameter_sets:
        assert nal in record


@pytest.mark.parametrize(
    ("hexed", "size"),
    [
        # High, cropped from 1088 rows; Baseline
        ("67640028ac2ca501e0089f970110000003001000000303c8f1832a", (1920, 1080)),
        ("6742c01ed9005005ba10000003001000000303c0f162e480", (1280, 720)),
    ],
)
def test_sizes_come_from_the_sps_when_the_source_does_not_know(hexed: str, size: tuple[int, int]) -> None:
    parsed = parse_h264_sps(bytes.fromhex(hexed))
    assert parsed is not None
    track = Track(codec=Codec.H264, time_base_hz=90_000, parameter_sets=(bytes.fromhex(hexed),))
    assert display_size(track) == size


@pytest.mark.parametrize("kind", ["h264", "h264_b", "h265", "h265_b"])
def test_encoders_own_sets_tell_their_size(kind: str) -> None:
    track = encoded(kind, 0.2, width=152, height=90).track
    bare = Track(codec=track.codec, time_base_hz=90_000, parameter_sets=track.parameter_sets)
    assert display_size(bare) == (152, 90)


@given(st.binary(max_size=80))
def test_broken_sets_never_stop_a_recording(data: bytes) -> None:
    for codec, first in ((Codec.H264, b"\x67"), (Codec.H265, b"\x42\x01")):
        track = Track(codec=codec, time_base_hz=90_000, parameter_sets=(first + data, first[:1], b""))
        assert sample_entry(track)
    parse_h264_sps(b"\x67\x64" + data)
    parse_h265_sps(b"\x42\x01" + data)


def test_streams_that_carry_their_sets_say_so() -> None:
    assert sample_entry(Track(codec=Codec.H264, time_base_hz=90_000))[4:8] == b"avc3"
    assert sample_entry(Track(codec=Codec.H265, time_base_hz=90_000))[4:8] == b"hev1"


@pytest.mark.parametrize(
    ("codec", "kind"),
    [
        (Codec.PCMU, b"ulaw"),
        (Codec.PCMA, b"alaw"),
        (Codec.L16, b"twos"),
        (Codec.AAC, b"mp4a"),
        (Codec.OPUS, b"Opus"),
    ],
)
def test_audio_entries_tell_rate_and_channels(codec: Codec, kind: bytes) -> None:
    entry = sample_entry(Track(codec=codec, time_base_hz=48_000, sample_rate_hz=48_000, channels=2))
    assert entry[4:8] == kind
    assert entry[24:28] == bytes([0, 2, 0, 16])
    assert int.from_bytes(entry[32:36], "big") == 48_000 << 16


def test_a_rate_beyond_sixteen_bits_is_left_to_the_codec() -> None:
    entry = sample_entry(Track(codec=Codec.AAC, time_base_hz=96_000, sample_rate_hz=96_000, channels=1))
    assert entry[32:36] == bytes(4)


def test_sets_and_sizes_that_fit_no_field_are_left_out() -> None:
    good = encoded("h264").track.parameter_sets
    broken = (b"\x67" + bytes(70_000), b"\x68" + bytes(70_000))
    assert avc_configuration((*good, *broken)) == avc_configuration(good)
    assert hevc_configuration((b"\x42\x01" + bytes(70_000),))
    huge = Track(codec=Codec.H264, time_base_hz=90_000, parameter_sets=good, width=70_000, height=9)
    assert display_size(huge) == (160, 96)

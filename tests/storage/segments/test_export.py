"""Exports: one plain MP4 with exactly the recorded packets."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from storage.errors import InvalidInput, NotFound, SegmentDamaged
from storage.segments import export as export_module
from storage.segments.export import ExportFile, ExportSource, plan_export
from storage.segments.packet import Packet, Track
from storage.segments.writer import SegmentWriter
from storage.units import US_PER_SECOND, ticks_to_us
from tests.fakes.encoded_video import Stream, encoded, merged
from tests.fakes.segment_files import START_US, STATION, identity, parts_of, write_run, write_segment

LATER_US = START_US + 3600 * US_PER_SECOND


def recorded(
    root: Path, *streams: Stream, parts_a_segment: int = 2, start_us: int = START_US
) -> list[ExportSource]:
    """Segments of one run with the streams' packets."""
    tracks, packets = merged(*streams)
    made = write_run(root, tracks, parts_of(tracks, packets), parts_a_segment, start_us)
    return [
        ExportSource(path, start, end, summary.video_duration_ticks) for path, summary, start, end in made
    ]


def saved(plan: ExportFile, path: Path) -> Path:
    """The export as a file, checked for its size and for pieces of the asked size."""
    pieces = list(plan.chunks(10_000))
    assert {len(piece) for piece in pieces[:-1]} <= {10_000}
    path.write_bytes(b"".join(pieces))
    assert path.stat().st_size == plan.total_bytes
    return path


def demuxed(path: Path) -> dict[int, list[Any]]:
    """PyAV's packets by stream."""
    with av.open(str(path)) as container:
        found: dict[int, list[Any]] = {stream.index: [] for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                found[packet.stream.index].append(packet)
        return found


def seconds(us: float) -> int:
    return START_US + round(us * US_PER_SECOND)


@pytest.mark.parametrize("audio", [None, "aac", "opus", "pcmu", "l16"])
@pytest.mark.parametrize("video", ["h264", "h264_b", "h265", "h265_b", "mjpeg"])
def test_a_whole_run_comes_out_packet_by_packet(
    tmp_path: Path, video: str, audio: str | None, assert_plays: Callable[[Path], None]
) -> None:
    streams = (encoded(video), encoded(audio)) if audio else (encoded(video),)
    sources = recorded(tmp_path, *streams, parts_a_segment=2 if video != "mjpeg" else 30)
    assert len(sources) > 1
    plan = plan_export(sources, START_US, seconds(60))
    path = saved(plan, tmp_path / "out.mp4")
    assert_plays(path)
    assert (plan.start_us, plan.end_us) == (START_US, seconds(4))
    assert plan.parts == ((START_US, seconds(4)),)
    assert plan.notes == ()
    for index, packets in demuxed(path).items():
        source = streams[index].packets
        assert [bytes(packet) for packet in packets] == [packet.data for packet in source]
        hz = streams[index].track.time_base_hz
        times = [round(float(packet.pts * packet.time_base) * hz) for packet in packets]
        assert times == pytest.approx([p.pts_ticks - source[0].pts_ticks for p in source], abs=1)


def test_moov_comes_first(tmp_path: Path) -> None:
    content = saved(
        plan_export(recorded(tmp_path, encoded("h264")), START_US, seconds(4)), tmp_path / "out.mp4"
    ).read_bytes()
    assert content[4:8] == b"ftyp"
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"moof" not in content


@pytest.mark.parametrize("video", ["h264", "h264_b", "h265_b"])
def test_an_export_is_cut_from_the_keyframe_before_to_the_asked_end(
    tmp_path: Path, video: str, assert_plays: Callable[[Path], None]
) -> None:
    streams = encoded(video), encoded("aac")
    plan = plan_export(recorded(tmp_path, *streams), seconds(1.5), seconds(3.3))
    path = saved(plan, tmp_path / "out.mp4")
    assert_plays(path)
    assert plan.start_us == seconds(1)
    assert seconds(3.3) <= plan.end_us <= seconds(3.5)
    pictures, sound = demuxed(path).values()
    wanted = [packet.data for packet in streams[0].packets[25:]]
    data = [bytes(packet) for packet in pictures]
    assert data == wanted[: len(data)]
    shown = [float(packet.pts * packet.time_base) for packet in pictures]
    assert min(shown) == 0
    assert max(shown) >= 2.28 - 0.04
    assert 0 <= float(sound[0].pts * sound[0].time_base) < 0.07
    assert [bytes(p) for p in sound] == [p.data for p in streams[1].packets[16 : 16 + len(sound)]]


def test_a_short_wish_between_keyframes_gives_what_decodes_it(tmp_path: Path) -> None:
    plan = plan_export(recorded(tmp_path, encoded("h264")), seconds(1.9), seconds(1.95))
    (pictures,) = demuxed(saved(plan, tmp_path / "out.mp4")).values()
    assert len(pictures) == 24


def test_gaps_are_told_and_not_shown(tmp_path: Path, assert_plays: Callable[[Path], None]) -> None:
    streams = encoded("h264"), encoded("aac")
    sources = recorded(tmp_path, *streams)
    del sources[1]
    again = encoded("h264").shifted(10**9), encoded("aac").shifted(10**9)
    tracks, packets = merged(*again)
    path, summary = write_segment(
        tmp_path, "later.mp4", tracks, parts_of(tracks, packets), who=identity(0, LATER_US, STATION)
    )
    sources.append(ExportSource(path, LATER_US, LATER_US + 4_000_000, summary.video_duration_ticks))
    plan = plan_export(sources, START_US, LATER_US + 60_000_000)
    out = saved(plan, tmp_path / "out.mp4")
    assert_plays(out)
    assert plan.parts == ((START_US, seconds(2)), (LATER_US, LATER_US + 4_000_000))
    pictures, sound = demuxed(out).values()
    assert len(pictures) == 50 + 100
    dts = [packet.dts for packet in pictures]
    assert {b - a for a, b in zip(dts, dts[1:], strict=False)} == {3600}
    assert len(sound) == pytest.approx(2 * 16_000 / 1024 + 64, abs=3)
    times = [packet.pts for packet in sound]
    assert times == sorted(set(times))


@pytest.mark.parametrize(("first", "second"), [("h264", "h264"), ("h265", "h265")])
def test_changed_parameters_get_their_own_description(
    tmp_path: Path, first: str, second: str, assert_plays: Callable[[Path], None]
) -> None:
    before, after = encoded(first, 2.0), encoded(second, 2.0, width=96, height=64)
    sources = recorded(tmp_path, before)
    tracks, packets = merged(after)
    who = identity(0, seconds(2), STATION)
    path, summary = write_segment(tmp_path, "b.mp4", tracks, parts_of(tracks, packets), who=who)
    sources.append(ExportSource(path, seconds(2), seconds(4), summary.video_duration_ticks))
    out = saved(plan_export(sources, START_US, seconds(9)), tmp_path / "out.mp4")
    assert_plays(out)
    with av.open(str(out)) as container:
        sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    assert sizes == [(160, 96)] * 50 + [(96, 64)] * 50


def test_audio_of_different_formats_is_left_out_with_a_reason(tmp_path: Path) -> None:
    sources = recorded(tmp_path, encoded("h264", 2.0), encoded("aac", 2.0))
    tracks, packets = merged(encoded("h264", 2.0), encoded("pcmu", 2.0))
    who = identity(0, seconds(2), STATION)
    path, summary = write_segment(tmp_path, "b.mp4", tracks, parts_of(tracks, packets), who=who)
    sources.append(ExportSource(path, seconds(2), seconds(4), summary.video_duration_ticks))
    plan = plan_export(sources, START_US, seconds(9))
    assert "audio" in plan.notes[0]
    assert list(demuxed(saved(plan, tmp_path / "out.mp4"))) == [0]


def test_the_last_segment_may_still_be_open(tmp_path: Path, assert_plays: Callable[[Path], None]) -> None:
    tracks, packets = merged(encoded("h264"), encoded("aac"))
    parts = parts_of(tracks, packets)
    writer = SegmentWriter.create(tmp_path, "open.mp4", identity(), tracks)
    for part in parts[:2]:
        writer.append(part)
    known = ExportSource(writer.path, START_US, seconds(1), 90_000)
    plan = plan_export([known], START_US, seconds(9))
    writer.append(parts[2])
    writer.close()
    out = saved(plan, tmp_path / "out.mp4")
    assert_plays(out)
    assert plan.end_us == seconds(2)
    assert len(demuxed(out)[0]) == 50


def test_wall_time_follows_the_catalog_when_the_cameras_clock_runs_slow(tmp_path: Path) -> None:
    (source,) = recorded(tmp_path, encoded("h264"), parts_a_segment=9)
    slow = replace(source, end_us=source.start_us + 4_400_000)
    plan = plan_export([slow], seconds(1.2), seconds(9))
    assert (plan.start_us, plan.end_us) == (seconds(1.1), seconds(4.4))


def test_sources_of_other_time_bases_are_brought_to_one(tmp_path: Path) -> None:
    sources = recorded(tmp_path, encoded("h264", 2.0))
    stream = encoded("h264", 2.0)
    track = Track(
        codec=stream.track.codec,
        time_base_hz=1000,
        parameter_sets=stream.track.parameter_sets,
        width=160,
        height=96,
    )
    packets = [Packet(0, p.pts_ticks // 90, p.is_keyframe, p.data, 0) for p in stream.packets]
    who = identity(0, seconds(2), STATION)
    path, summary = write_segment(tmp_path, "b.mp4", (track,), parts_of((track,), packets), who=who)
    sources.append(ExportSource(path, seconds(2), seconds(4), summary.video_duration_ticks))
    (pictures,) = demuxed(saved(plan_export(sources, START_US, seconds(9)), tmp_path / "o.mp4")).values()
    dts = [packet.dts for packet in pictures]
    assert {b - a for a, b in zip(dts, dts[1:], strict=False)} == {3600}


def test_beyond_four_gigabytes_offsets_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = recorded(tmp_path, encoded("h264"), encoded("aac"))
    small = saved(plan_export(sources, START_US, seconds(4)), tmp_path / "small.mp4")
    monkeypatch.setattr(export_module, "_MAX_SMALL_BYTES", 1000)
    large = saved(plan_export(sources, START_US, seconds(4)), tmp_path / "large.mp4")
    assert b"co64" in large.read_bytes()
    assert b"stco" in small.read_bytes()
    for index, packets in demuxed(large).items():
        assert [bytes(p) for p in packets] == [bytes(p) for p in demuxed(small)[index]]


def test_missing_and_damaged_sources_are_noted(tmp_path: Path) -> None:
    sources = recorded(tmp_path, encoded("h264"), parts_a_segment=1)
    os.unlink(sources[1].path)
    sources[2].path.write_bytes(b"nonsense")
    plan = plan_export(sources, START_US, seconds(9))
    assert len(plan.notes) == 2
    assert plan.parts == ((START_US, seconds(1)), (seconds(3), seconds(4)))


def test_a_source_recycled_after_planning_is_an_error_not_a_short_file(tmp_path: Path) -> None:
    sources = recorded(tmp_path, encoded("h264"))
    plan = plan_export(sources, START_US, seconds(9))
    os.unlink(sources[1].path)
    with pytest.raises(NotFound):
        list(plan.chunks())
    plan_again = plan_export(sources[:1], START_US, seconds(9))
    os.truncate(sources[0].path, 3000)
    with pytest.raises(SegmentDamaged):
        list(plan_again.chunks())


def test_nothing_recorded_and_empty_spans_are_refused(tmp_path: Path) -> None:
    sources = recorded(tmp_path, encoded("h264"))
    with pytest.raises(NotFound):
        plan_export(sources, seconds(100), seconds(200))
    with pytest.raises(InvalidInput):
        plan_export(sources, seconds(2), seconds(2))


@pytest.mark.parametrize("video", ["h264", "h264_b", "h265", "mjpeg"])
def test_a_part_that_reached_two_volumes_is_shown_once(tmp_path: Path, video: str) -> None:
    """One hung on its way to a volume, was written to another, and reached the first all the same."""
    stream = encoded(video)
    tracks, packets = merged(stream, encoded("aac"))
    parts = parts_of(tracks, packets)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first = write_run(tmp_path / "a", tracks, parts[:3], 3)[0]
    again_us = START_US + ticks_to_us(parts[2].video_start_ticks - parts[0].video_start_ticks, 90_000)
    path, summary = write_segment(tmp_path / "b", "2.mp4", tracks, parts[2:], who=identity(1, again_us))
    sources = [
        ExportSource(first[0], first[2], first[3], first[1].video_duration_ticks),
        ExportSource(path, again_us, seconds(4), summary.video_duration_ticks),
    ]
    plan = plan_export(sources, START_US, seconds(9))
    found = demuxed(saved(plan, tmp_path / "out.mp4"))
    assert [bytes(packet) for packet in found[0]] == [packet.data for packet in stream.packets]
    assert plan.parts == ((START_US, seconds(4)),)

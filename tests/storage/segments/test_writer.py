"""Segment files as they are written: playable at every moment, whole after every failure."""

import errno
import os
import struct
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import AlreadyExists, InvalidInput, VolumeFailed, VolumeFull, VolumeMissing
from storage.segments import writer as writer_module
from storage.segments.chain import RunChain
from storage.segments.packet import Packet
from storage.segments.part import PartBuilder
from storage.segments.reader import SegmentReader
from storage.segments.writer import SegmentWriter
from tests.fakes.encoded_video import Stream, encoded, merged
from tests.fakes.segment_files import KEY, identity, parts_of, write_run, write_segment

VIDEOS = ["h264", "h264_b", "h265", "h265_b", "mjpeg"]
AUDIOS = [None, "aac", "opus", "pcmu", "pcma", "l16"]


def streams(video: str, audio: str | None) -> tuple[Any, ...]:
    return (encoded(video), encoded(audio)) if audio else (encoded(video),)


@pytest.mark.parametrize("audio", AUDIOS)
@pytest.mark.parametrize("video", VIDEOS)
def test_open_and_closed_segments_play_and_hold_every_packet(
    tmp_path: Path, video: str, audio: str | None, assert_plays: Callable[[Path], None]
) -> None:
    sources = streams(video, audio)
    tracks, packets = merged(*sources)
    writer = SegmentWriter.create(tmp_path, "a/b.mp4", identity(), tracks)
    for part in parts_of(tracks, packets):
        writer.append(part)
    assert_plays(writer.path)
    summary = writer.close()
    assert_plays(writer.path)
    assert summary.bytes == writer.path.stat().st_size
    assert summary.is_indexed
    demuxed: list[list[bytes]] = [[] for _ in tracks]
    with av.open(str(writer.path)) as container:
        assert container.duration == pytest.approx(4_000_000, abs=350_000)
        for packet in container.demux():
            if packet.size:
                demuxed[packet.stream.index].append(bytes(packet))
    assert demuxed == [[packet.data for packet in stream.packets] for stream in sources]


@pytest.mark.parametrize("video", ["h264", "h264_b", "h265_b"])
def test_players_see_pictures_and_sound_start_together(tmp_path: Path, video: str) -> None:
    tracks, packets = merged(*streams(video, "aac"))
    path, _ = write_segment(tmp_path, "s.mp4", tracks, parts_of(tracks, packets))
    first: dict[int, float] = {}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.pts is not None:
                time = float(packet.pts * packet.time_base)
                first[packet.stream.index] = min(time, first.get(packet.stream.index, time))
    assert first == {0: 0.0, 1: 0.0}


def test_presentation_times_survive(tmp_path: Path) -> None:
    stream = encoded("h264_b")
    tracks, packets = merged(stream)
    path, _ = write_segment(tmp_path, "s.mp4", tracks, parts_of(tracks, packets))
    zero = min(packet.pts_ticks for packet in packets)
    with SegmentReader.open(path) as reader:
        assert [sample.pts_ticks for sample in reader.samples()] == [p.pts_ticks - zero for p in packets]
        dts = [sample.dts_ticks for sample in reader.samples()]
    assert dts == sorted(set(dts))


def test_audio_from_just_before_the_first_picture_is_kept_but_not_played(tmp_path: Path) -> None:
    video, audio = encoded("h264", 1.0), encoded("pcmu", 1.0).shifted(-50_000)
    tracks, packets = merged(video, audio)
    packets.sort(key=lambda packet: packet.track)
    path, _ = write_segment(tmp_path, "s.mp4", tracks, parts_of(tracks, packets, 10_000_000))
    with SegmentReader.open(path) as reader:
        sound = list(reader.samples(1))
    assert len(sound) == 50
    assert sound[0].pts_ticks == -400
    with av.open(str(path)) as container:
        times = [packet.pts for packet in container.demux(audio=0) if packet.pts is not None]
    assert times[0] == -400


@pytest.mark.parametrize("video", ["h264", "h264_b", "mjpeg"])
@pytest.mark.parametrize("audio", ["aac", "pcmu", "opus"])
def test_no_audio_is_lost_between_segments_and_each_keeps_in_step(
    tmp_path: Path, video: str, audio: str, assert_plays: Callable[[Path], None]
) -> None:
    pictures, sound = encoded(video), encoded(audio)
    late = sound.shifted(-70_000)  # arrives 70 ms after the pictures it belongs to
    late = Stream(
        late.track,
        tuple(replace(p, arrival_monotonic_us=p.arrival_monotonic_us + 70_000) for p in late.packets),
    )
    tracks, packets = merged(pictures, late)
    parts = parts_of(tracks, packets)
    heard = []
    for path, *_ in write_run(tmp_path, tracks, parts, 2 if video != "mjpeg" else 25):
        assert_plays(path)
        with SegmentReader.open(path) as reader:
            samples = list(reader.samples(1))
        heard += [sample.data for sample in samples]
        with av.open(str(path)) as container:
            played = [packet for packet in container.demux(audio=0) if packet.size]
        hz = tracks[1].time_base_hz
        times = [round(packet.pts * packet.time_base * hz) for packet in played]
        assert times == pytest.approx([sample.pts_ticks for sample in samples], abs=1)
    assert heard == [packet.data for packet in packets if packet.track == 1][-len(heard) :]
    assert len(heard) >= len(sound.packets) - 8


def test_a_file_has_its_duration_only_once_it_is_closed(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks)
    for part in parts_of(tracks, packets):
        writer.append(part)
    assert b"mehd" not in writer.path.read_bytes()
    writer.close()
    content = writer.path.read_bytes()
    (duration,) = struct.unpack_from(">Q", content, content.index(b"mehd") + 8)
    assert duration == 4 * 90_000
    assert struct.unpack(">I", content[-4:])[0] == len(content) - content.rindex(b"mfra") + 4


def test_each_part_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = os.writev

    def counted(fd: int, buffers: Any) -> int:
        calls.append(len(buffers))
        return real(fd, buffers)

    monkeypatch.setattr(writer_module.os, "writev", counted)
    tracks, packets = merged(encoded("h264"), encoded("aac"))
    parts = parts_of(tracks, packets)
    write_segment(tmp_path, "s.mp4", tracks, parts)
    assert len(calls) == len(parts)


def test_partial_writes_and_many_buffers_are_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks, packets = merged(encoded("h264"))
    parts = parts_of(tracks, packets)
    whole, _ = write_segment(tmp_path, "whole.mp4", tracks, parts)
    real = os.writev

    def short(fd: int, buffers: Any) -> int:
        first = memoryview(buffers[0])
        return real(fd, [first[: max(1, len(first) // 2)]])

    monkeypatch.setattr(writer_module.os, "writev", short)
    monkeypatch.setattr(writer_module, "_IOV_MAX", 3)
    halved, _ = write_segment(tmp_path, "halved.mp4", tracks, parts)
    assert halved.read_bytes() == whole.read_bytes()


def test_thousands_of_samples_in_a_part_are_written(tmp_path: Path) -> None:
    stream = encoded("mjpeg")
    picture = stream.packets[0].data
    builder = PartBuilder((stream.track,))
    for index in range(3000):
        builder.add(Packet(0, index * 30, True, picture[: 100 + index % 2], 0))
    path, _ = write_segment(tmp_path, "s.mp4", (stream.track,), [builder.take(None)])
    with SegmentReader.open(path) as reader:
        assert [len(sample.data) for sample in reader.samples()] == [100, 101] * 1500


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, VolumeFull), (errno.EDQUOT, VolumeFull), (errno.EIO, VolumeFailed)]
)
def test_a_failed_append_leaves_whole_parts_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    tracks, packets = merged(encoded("h264"))
    parts = parts_of(tracks, packets)
    whole, _ = write_segment(tmp_path, "whole.mp4", tracks, parts)
    writer = SegmentWriter.create(
        tmp_path, "s.mp4", identity(), tracks, volume_name="Rack", chain=RunChain(KEY)
    )
    writer.append(parts[0])
    size_bytes = writer.bytes_written
    real = os.writev
    calls = iter(range(100))

    def failing(fd: int, buffers: Any) -> int:
        if next(calls) == 0:
            return real(fd, [memoryview(buffers[0])[:7]])
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(writer_module.os, "writev", failing)
        with pytest.raises(error, match="Rack"):
            writer.append(parts[1])
    assert writer.path.stat().st_size == writer.bytes_written == size_bytes
    for part in parts[1:]:
        writer.append(part)
    writer.close()
    assert writer.path.read_bytes() == whole.read_bytes()


def test_no_room_for_the_index_still_closes_the_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, assert_plays: Callable[[Path], None]
) -> None:
    tracks, packets = merged(encoded("h264"))
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks)
    for part in parts_of(tracks, packets):
        writer.append(part)
    real = os.pwrite

    def full(fd: int, data: bytes, offset: int) -> int:
        if offset >= writer.bytes_written:
            raise OSError(errno.ENOSPC, "full")
        return real(fd, data, offset)

    with monkeypatch.context() as patch:
        patch.setattr(writer_module.os, "pwrite", full)
        summary = writer.close()
    assert not summary.is_indexed
    assert summary.bytes == writer.path.stat().st_size
    assert len(summary.keyframes) == 4
    assert_plays(writer.path)
    with SegmentReader.open(writer.path) as reader:
        assert reader.is_closed
        assert reader.keyframe_before(200_000).media_ticks == 180_000


def test_an_error_while_closing_leaves_the_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracks, packets = merged(encoded("h264"))
    writer = SegmentWriter.create(tmp_path, "s.mp4", identity(), tracks)
    writer.append(parts_of(tracks, packets)[0])

    def broken(fd: int, data: bytes, offset: int) -> int:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patch:
        patch.setattr(writer_module.os, "pwrite", broken)
        with pytest.raises(VolumeFailed):
            writer.close()
    assert writer.summary.bytes == writer.bytes_written == writer.path.stat().st_size
    writer.abandon()


def test_an_abandoned_file_stays_unless_it_is_empty(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    kept = SegmentWriter.create(tmp_path, "kept.mp4", identity(), tracks)
    kept.append(parts_of(tracks, packets)[0])
    kept.abandon()
    empty = SegmentWriter.create(tmp_path, "empty.mp4", identity(), tracks)
    empty.abandon()
    empty.abandon()
    assert [path.name for path in tmp_path.iterdir()] == ["kept.mp4"]
    with pytest.raises(ValueError, match="closed"):
        kept.append(parts_of(tracks, packets)[0])


def test_a_name_is_never_taken_twice(tmp_path: Path) -> None:
    tracks = (encoded("h264").track,)
    SegmentWriter.create(tmp_path, "day/s.mp4", identity(), tracks)
    with pytest.raises(AlreadyExists):
        SegmentWriter.create(tmp_path, "day/s.mp4", identity(), tracks)


@pytest.mark.parametrize("relative", ["/etc/x", "../x", "a/../x", "a//b", ".hidden", "", "a/\0", "a b"])
def test_paths_that_were_never_generated_are_refused(tmp_path: Path, relative: str) -> None:
    with pytest.raises(InvalidInput):
        SegmentWriter.create(tmp_path, relative, identity(), (encoded("h264").track,))


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / "day").symlink_to(outside)
    with pytest.raises(VolumeMissing):
        SegmentWriter.create(root, "day/s.mp4", identity(), (encoded("h264").track,))
    assert not list(outside.iterdir())


def test_modes_keep_recordings_from_strangers(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        writer = SegmentWriter.create(tmp_path, "day/s.mp4", identity(), (encoded("h264").track,))
    finally:
        os.umask(old)
    assert writer.path.stat().st_mode & 0o777 == 0o640
    assert writer.path.parent.stat().st_mode & 0o777 == 0o750


def test_tracks_without_video_are_refused_before_there_is_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="video"):
        SegmentWriter.create(tmp_path, "s.mp4", identity(), (encoded("aac").track,))
    assert not list(tmp_path.iterdir())


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-(1 << 34), 1 << 34), st.booleans(), st.integers(0, 1)), min_size=1, max_size=40
    ),
    st.integers(1, 10),
)
def test_whatever_a_camera_says_about_time_the_file_stays_readable(
    said: list[tuple[int, bool, int]], part_length: int
) -> None:
    tracks = (encoded("h264", 0.2).track, encoded("pcmu", 0.2).track)
    packets = [Packet(0, said[0][0], True, b"\0\0\0\1\x65", 0)]
    packets += [Packet(track, pts, is_key, b"\0\0\0\2\x41x", 0) for pts, is_key, track in said]
    builder = PartBuilder(tracks)
    with tempfile.TemporaryDirectory() as folder:
        writer = SegmentWriter.create(Path(folder), "s.mp4", identity(), tracks)
        for start in range(0, len(packets), part_length):
            for packet in packets[start : start + part_length]:
                builder.add(packet)
            writer.append(builder.take(None))
        writer.close()
        with SegmentReader.open(writer.path) as reader:
            assert reader.damage is None
            pictures = list(reader.samples(0))
            sound = list(reader.samples(1))
            reader.keyframe_before(0)
    assert [sample.data for sample in pictures] == [p.data for p in packets if p.track == 0]
    assert len(sound) <= sum(packet.track for packet in packets)
    for samples in (pictures, sound):
        dts = [sample.dts_ticks for sample in samples]
        assert all(later > earlier for earlier, later in zip(dts, dts[1:], strict=False))

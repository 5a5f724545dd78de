"""From packets to segments: runs, cuts, times, gaps; on real files, with a clock driven by hand."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.wire import CameraState
from storage.catalog.records import GapCause
from storage.errors import CameraStalled
from storage.segments.packet import Packet
from storage.segments.reader import SegmentReader, StoredSample
from tests.engine.recording.rig import Rig
from tests.fakes.camera import AUDIO_TRACK, H264_TRACK, PacketScript

S = 1_000_000


async def started(rig: Rig, *volumes: str) -> PacketScript:
    for name in volumes or ("v1",):
        await rig.add_volume(name)
    await rig.add_camera()
    await rig.start()
    return PacketScript(rig.clock)


async def test_segments_of_a_run_follow_each_other_exactly_and_hold_every_picture(rig: Rig) -> None:
    script = await started(rig)
    start_us = rig.clock.now_us()
    sent = await rig.stream(400, script)
    await rig.stop()
    segments = await rig.segments()
    assert segments[0].start_us == start_us
    assert [a.end_us for a in segments[:-1]] == [b.start_us for b in segments[1:]]
    assert len({segment.run_id for segment in segments}) == 1
    assert [segment.sequence for segment in segments] == list(range(len(segments)))
    assert segments[-1].end_us == start_us + 400 * S
    recorded = b"".join(
        sample.data for segment in segments for sample in samples(rig.folder / "v1" / segment.path)
    )
    assert recorded == b"".join(packet.data for packet in sent)
    lengths = [segment.end_us - segment.start_us for segment in segments]
    assert all(120 * S <= length <= 121 * S for length in lengths[1:-1])
    assert 60 * S <= lengths[0] <= 121 * S


async def test_the_first_segments_of_cameras_started_together_end_at_different_times(rig: Rig) -> None:
    await rig.add_volume()
    names = [f"cam{number}" for number in range(6)]
    for name in names:
        await rig.add_camera(name)
    await rig.start()
    await rig.stream(130, PacketScript(rig.clock, fps=5, gop=5), *names)
    await rig.stop()
    ends = {(await rig.segments(number))[0].end_us for number in range(1, 7)}
    assert len(ends) > 3


async def test_the_short_end_of_a_long_gop_is_a_part_so_that_every_keyframe_opens_one(rig: Rig) -> None:
    script = await started(rig)
    script.gop = 42  # 1.68 s at 25 pictures a second: a part of 1.5 s, and 0.18 s
    await rig.stream(30, script)
    await rig.stop()
    (segment,) = await rig.segments()
    with SegmentReader.open(rig.folder / "v1" / segment.path) as reader:
        opening = sum(part.is_keyframe for part in reader.parts)
        assert opening == sum(sample.is_keyframe for sample in reader.samples(0))
        assert len(reader.parts) >= 2 * opening - 1


async def test_a_long_gop_reaches_the_disk_in_parts_of_less_than_two_seconds(rig: Rig) -> None:
    script = await started(rig)
    script.gop = 25 * 60
    await rig.stream(30, script)
    written_us = rig.view().last_written_us
    assert written_us is not None
    assert rig.clock.now_us() - written_us <= 2 * S + 40_000


async def test_recording_is_shown_only_once_bytes_reached_the_disk(rig: Rig) -> None:
    script = await started(rig)
    assert rig.view().state is CameraState.CONNECTING
    rig.camera().send(script.next())
    assert rig.view().state is CameraState.STREAMING
    script.pass_interval()
    await rig.stream(3, script)
    assert rig.view().state is CameraState.RECORDING


async def test_a_camera_without_a_volume_streams_and_says_why_and_has_a_gap(rig: Rig) -> None:
    await rig.add_camera()
    await rig.start()
    start_us = rig.clock.now_us()
    script = PacketScript(rig.clock)
    await rig.stream(5, script)
    assert rig.view().state is CameraState.STREAMING
    assert "no volume" in rig.view().cause
    (gap,) = await rig.gaps()
    assert (gap.start_us, gap.end_us, gap.cause) == (start_us, None, GapCause.NO_VOLUME)
    await rig.add_volume()
    await rig.stream(10, script)
    assert rig.view().state is CameraState.RECORDING
    (gap,) = await rig.gaps()
    (segment,) = await rig.segments()
    assert gap.end_us == segment.start_us
    assert await rig.said() == ["recording.stopped", "recording.resumed"]


async def test_the_gap_before_a_segment_is_written_into_its_identity(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(10, script)
    end_us = rig.clock.now_us()
    rig.camera().end(CameraStalled("camera yard: no video for 10 s"))
    await rig.wait(3)
    script.number = 0
    await rig.stream(5, script)
    await rig.stop()
    first, second = await rig.segments()
    gap, stopped = await rig.gaps()
    assert first.end_us == end_us == gap.start_us
    assert (gap.end_us, gap.cause) == (second.start_us, GapCause.CAMERA_STALLED)
    assert stopped.cause is GapCause.ENGINE_STOPPED
    with SegmentReader.open(rig.folder / "v1" / second.path) as reader:
        (past,) = reader.identity.gaps
    assert (past.start_us, past.end_us, past.cause) == (gap.start_us, gap.end_us, gap.cause)


async def test_new_tracks_begin_a_new_run_without_a_gap(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(4, script)
    sink = rig.camera().sink
    assert sink is not None
    sink.tracks_changed((msgspec.structs.replace(H264_TRACK, width=640, height=480),))
    await rig.stream(4, script)
    await rig.stop()
    first, second = await rig.segments()
    assert first.run_id != second.run_id
    assert second.start_us == first.end_us
    assert [gap.cause for gap in await rig.gaps()] == [GapCause.ENGINE_STOPPED]


async def test_equal_tracks_go_on_with_the_run(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(4, script)
    sink = rig.camera().sink
    assert sink is not None
    sink.tracks_changed((H264_TRACK,))
    await rig.stream(4, script)
    await rig.stop()
    assert len(await rig.segments()) == 1


async def test_a_leap_of_media_time_begins_a_new_run_and_stretches_no_segment(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(10, script)
    script.leap(8_520 * S)
    await rig.stream(10, script)
    script.leap(-8_000 * S)
    await rig.stream(10, script)
    await rig.stop()
    segments = await rig.segments()
    assert len({segment.run_id for segment in segments}) == 3
    assert all(segment.end_us - segment.start_us <= 10 * S for segment in segments)
    assert segments[-1].end_us == rig.clock.now_us()
    assert [gap.cause for gap in await rig.gaps()] == [GapCause.ENGINE_STOPPED]


async def test_a_discontinuity_said_by_the_source_begins_a_new_run(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(3, script)
    rig.camera().send(script.next(is_discontinuity=True))
    script.pass_interval()
    await rig.stream(3, script)
    await rig.stop()
    assert len({segment.run_id for segment in await rig.segments()}) == 2


async def test_media_time_that_stands_still_does_not_fill_the_memory(rig: Rig) -> None:
    script = await started(rig)
    script.ticks = 0
    script.size_bytes = 400_000
    await rig.stream(20, script)
    recorder = next(iter(rig.service._cameras.values())).runner.recorder
    assert recorder._run is None or recorder._run.builder.bytes < 40_000_000


async def test_a_step_of_the_system_clock_begins_new_runs_at_the_new_time(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(10, script)
    rig.clock.step(3600 * S)
    await rig.stream(10, script)
    rig.clock.step(-7200 * S)
    await rig.stream(10, script)
    end_us = rig.clock.now_us()
    await rig.stop()
    segments = await rig.segments()
    assert len({segment.run_id for segment in segments}) == 3
    assert segments[0].end_us == end_us
    assert (await rig.said()).count("clock.stepped") == 2
    assert sum(segment.media_duration_ticks for segment in segments) == 30 * 90_000
    gap = next(gap for gap in await rig.gaps() if gap.cause is GapCause.CLOCK_STEPPED)
    assert gap.end_us is not None
    assert 3590 * S < gap.end_us - gap.start_us <= 3600 * S


async def test_a_small_correction_of_the_system_clock_is_no_step(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(10, script)
    rig.clock.step(400_000)
    await rig.stream(10, script)
    await rig.stop()
    assert len(await rig.segments()) == 1
    assert await rig.said() == []


@pytest.mark.parametrize("sync_interval_ms", [5000, 200])
async def test_a_camera_that_lies_about_its_frame_rate_settles_on_the_measured_rate(
    rig: Rig, sync_interval_ms: int
) -> None:
    rig.config = replace(rig.config, sync_interval_ms=sync_interval_ms)
    await rig.add_volume()
    await rig.add_camera()
    await rig.start()
    start_us = rig.clock.now_us()
    script = PacketScript(rig.clock, fps=21, declared_fps=25, gop=21)
    await rig.stream(600, script)
    end_us = rig.clock.now_us()
    await rig.stop()
    segments = await rig.segments()
    assert len({segment.run_id for segment in segments}) <= 3
    assert abs(segments[-1].end_us - end_us) < 2 * S
    media_us = sum(segment.media_duration_ticks for segment in segments) * 100 / 9
    assert abs(media_us - (end_us - start_us) * 21 / 25) < 2 * S
    assert all(a.end_us == b.start_us for a, b in zip(segments, segments[1:], strict=False))
    assert [gap.cause for gap in await rig.gaps()] == [GapCause.ENGINE_STOPPED]


async def test_a_camera_that_sends_only_keyframes_is_not_written_picture_by_picture(rig: Rig) -> None:
    script = await started(rig)
    script.gop = 1
    await rig.stream(20, script)
    await rig.stop()
    (segment,) = await rig.segments()
    with SegmentReader.open(rig.folder / "v1" / segment.path) as reader:
        assert 35 <= len(reader.parts) <= 41
        assert len(list(reader.samples(0))) == 500


async def test_a_pre_buffer_sent_at_once_gets_the_times_at_which_it_was_filmed(rig: Rig) -> None:
    script = await started(rig)
    now_us = rig.clock.now_us()
    rig.camera().send(*(script.next() for _ in range(125)))
    await rig.stream(300, script)
    await rig.stop()
    segments = await rig.segments()
    assert segments[0].start_us == now_us - 5 * S
    assert len({segment.run_id for segment in segments}) == 1
    assert segments[-1].end_us == rig.clock.now_us()


async def test_a_pre_buffer_after_a_reconnect_is_not_recorded_twice(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(20, script)
    rig.camera().end(CameraStalled("camera yard: no video for 10 s"))
    await rig.wait(2)
    again = PacketScript(rig.clock)
    rig.camera().send(*(again.next() for _ in range(125)))
    await rig.stream(10, again)
    await rig.stop()
    first, second = await rig.segments()
    assert 0 <= second.start_us - first.end_us <= 1 * S
    assert [gap.cause for gap in await rig.gaps()][-1] is GapCause.ENGINE_STOPPED


async def test_lost_frames_of_more_than_a_second_are_a_gap(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(5.4, script)
    sink = rig.camera().sink
    assert sink is not None
    sink.frames_lost("7 packets lost")
    lost_us = rig.clock.now_us()
    for _ in range(40):  # to the next keyframe but one: nothing arrives
        script.next()
        script.pass_interval()
    await rig.stream(5, script)
    await rig.stop()
    (segment,) = await rig.segments()
    gap = (await rig.gaps())[0]
    assert gap.cause is GapCause.FRAMES_LOST
    assert gap.start_us == lost_us
    assert gap.end_us == lost_us + 40 * 40_000
    assert segment.end_us == rig.clock.now_us()


async def test_lost_frames_of_less_than_a_second_are_none(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(5.4, script)
    sink = rig.camera().sink
    assert sink is not None
    sink.frames_lost("1 packet lost")
    for _ in range(15):
        script.next()
        script.pass_interval()
    await rig.stream(5, script)
    await rig.stop()
    assert [gap.cause for gap in await rig.gaps()] == [GapCause.ENGINE_STOPPED]


async def test_sound_is_recorded_beside_the_picture(rig: Rig) -> None:
    rig.camera().tracks = (H264_TRACK, AUDIO_TRACK)
    script = await started(rig)
    for number in range(100):
        rig.camera().send(script.next())
        rig.camera().send(Packet(1, number * 320, True, bytes([number]) * 320, rig.clock.monotonic_us()))
        script.pass_interval()
    await rig.stop()
    (segment,) = await rig.segments()
    heard = b"".join(sample.data for sample in samples(rig.folder / "v1" / segment.path, track=1))
    assert heard == b"".join(bytes([number]) * 320 for number in range(100))


async def test_a_broken_volume_hands_its_cameras_to_another_without_losing_a_picture(rig: Rig) -> None:
    script = await started(rig, "v1", "v2")
    sent = await rig.stream(10, script)
    used = rig.view().volume
    other = {"v1": "v2", "v2": "v1"}[used]
    rig.volumes[used].write_errno = errno.EIO
    sent += await rig.stream(10, script)
    assert rig.view().volume == other
    assert rig.view().state is CameraState.RECORDING
    await rig.stop()
    segments = await rig.segments()
    assert len(segments) == 2
    assert segments[0].end_us == segments[1].start_us
    assert segments[0].run_id == segments[1].run_id
    assert [gap.cause for gap in await rig.gaps()] == [GapCause.ENGINE_STOPPED]
    assert "volume.failed" in await rig.said()
    assert sum(segment.media_duration_ticks for segment in segments) == len(sent) * 3600


async def test_what_a_failed_sync_could_not_write_is_a_gap_until_it_is_found_again(rig: Rig) -> None:
    script = await started(rig, "v1", "v2")
    await rig.stream(14, script)
    used = rig.view().volume
    rig.volumes[used].sync_errno = rig.volumes[used].write_errno = errno.EIO
    rig.volumes[used].check_errno = errno.EIO
    await rig.stream(10, script)
    assert rig.view().state is CameraState.RECORDING
    first, *_ = await rig.segments()
    [gap] = await rig.gaps()
    assert (gap.cause, gap.start_us) == (GapCause.VOLUME_FAILED, first.end_us)
    assert 0 < (gap.end_us or 0) - gap.start_us <= 6 * S
    rig.volumes[used].sync_errno = rig.volumes[used].write_errno = rig.volumes[used].check_errno = 0
    await rig.stream(30, script)
    await rig.stop()
    assert [gap.cause for gap in await rig.gaps()] == [GapCause.ENGINE_STOPPED]
    first, second, *_ = await rig.segments()
    assert first.is_recovered
    assert first.end_us <= second.start_us <= first.end_us + S


async def test_a_volume_that_fails_alone_leaves_a_gap_and_comes_back_by_itself(rig: Rig) -> None:
    script = await started(rig)
    await rig.stream(10, script)
    rig.volumes["v1"].write_errno = errno.EIO
    await rig.stream(5, script)
    assert rig.view().state is CameraState.STREAMING
    assert "Input/output error" in rig.view().cause
    rig.volumes["v1"].write_errno = 0
    await rig.stream(20, script)
    assert rig.view().state is CameraState.RECORDING
    await rig.stop()
    segments = await rig.segments()
    gap = (await rig.gaps())[0]
    assert gap.cause is GapCause.VOLUME_FAILED
    assert gap.start_us == segments[0].end_us
    assert gap.end_us == segments[1].start_us
    assert [kind for kind in await rig.said() if kind.startswith("volume")] == [
        "volume.failed",
        "volume.back",
    ]
    assert segments[0].is_recovered  # it could not be closed while the volume was broken


async def test_a_hung_volume_is_left_for_another_one_with_what_it_still_owed(rig: Rig) -> None:
    script = await started(rig, "v1", "v2")
    await rig.stream(10, script)
    used = rig.view().volume
    rig.volumes[used].hang()
    await rig.stream(15, script)
    assert rig.volume_view(used).state == "stalled"
    assert rig.view().volume != used
    assert rig.view().state is CameraState.RECORDING
    await rig.release(used)
    await rig.stream(10, script)
    assert rig.volume_view(used).state == "ok"
    await rig.stop()
    segments = await rig.segments()
    assert all(a.end_us == b.start_us for a, b in zip(segments, segments[1:], strict=False))
    assert [gap.cause for gap in await rig.gaps()] == [GapCause.ENGINE_STOPPED]


async def test_a_full_queue_drops_whole_gops_and_writes_a_gap(rig: Rig) -> None:
    script = await started(rig)
    script.size_bytes = 40_000
    for thread in rig.service._volumes.threads:
        thread._queue_limit_bytes = 3_000_000
    await rig.stream(3, script)
    rig.volumes["v1"].hang()
    await rig.stream(8, script)
    assert rig.volume_view().queue_bytes <= 3_000_000
    await rig.release("v1")
    await rig.stream(6, script)
    await rig.stop()
    segments = await rig.segments()
    gap = (await rig.gaps())[0]
    assert gap.cause is GapCause.VOLUME_STALLED
    assert segments[0].end_us == gap.start_us
    assert segments[1].start_us == gap.end_us
    for segment in segments:
        with SegmentReader.open(rig.folder / "v1" / segment.path) as reader:
            assert reader.parts[0].is_keyframe


def samples(path: Path, track: int = 0) -> list[StoredSample]:
    with SegmentReader.open(path) as reader:
        return list(reader.samples(track))

"""Mode `events`: nothing on disk but what an event asks for, from the keyframe before it, each picture once."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.wire import CameraState
from storage.catalog.records import GapCause, Schedule
from storage.errors import CameraStalled, CameraUnreachable, Conflict, NotFound
from storage.segments.reader import SegmentReader
from tests.engine.recording.rig import Rig, recording_rig
from tests.fakes.camera import PacketScript

S = 1_000_000


async def waiting(rig: Rig, *, pre_event_s: int = 5, fps: float = 25.0, gop: int = 50) -> PacketScript:
    """A camera in mode `events`, connected."""
    await rig.add_volume()
    await rig.add_camera(mode="events", pre_event_s=pre_event_s)
    await rig.start()
    return PacketScript(rig.clock, fps=fps, gop=gop)


def keep(rig: Rig, pre_s: float = 5, post_s: float = 5, *, ago_s: float = 0) -> str:
    event_us = rig.clock.now_us() - round(ago_s * S)
    return rig.service.keep("yard", event_us - round(pre_s * S), event_us + round(post_s * S))


async def pictures(rig: Rig) -> list[list[int]]:
    """The numbers of the pictures on disk, run by run."""
    runs: dict[int, list[int]] = {}
    for segment in await rig.segments():
        with SegmentReader.open(rig.folder / "v1" / segment.path) as reader:
            numbers = [int.from_bytes(sample.data[5:9], "big") for sample in reader.samples(0)]
        runs.setdefault(segment.run_id, []).extend(numbers)
    return list(runs.values())


async def test_without_an_event_nothing_reaches_the_disk_and_nothing_is_missing(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(300, script)
    view = rig.view()
    assert (view.state, view.cause_code) == (CameraState.WAITING, "waiting_for_event")
    assert view.fps > 0
    assert rig.service.expected_cameras() == 0
    await rig.stop()
    assert await rig.segments() == []
    assert await rig.gaps() == []
    assert await rig.said() == []


async def test_a_clip_begins_with_the_keyframe_before_it_and_ends_with_a_gop_behind_it(rig: Rig) -> None:
    script = await waiting(rig)
    start_us = rig.clock.now_us()
    await rig.stream(21, script)
    words = keep(rig)
    await rig.stream(30, script)
    assert rig.view().state is CameraState.WAITING
    (segment,) = await rig.segments()
    assert segment.start_us == start_us + 16 * S
    assert segment.end_us == start_us + 26 * S
    assert await pictures(rig) == [list(range(16 * 25, 26 * 25))]
    assert "kept from 5 s ago for another 5 s" in words
    await rig.stop()
    assert await rig.gaps() == []
    assert await rig.said() == []


async def test_while_a_clip_is_written_the_camera_is_expected_and_recording(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(20, script)
    keep(rig, post_s=30)
    assert rig.service.expected_cameras() == 1
    await rig.stream(5, script)
    assert rig.view().state is CameraState.RECORDING
    await rig.stream(30, script)
    assert rig.service.expected_cameras() == 0
    assert rig.view().state is CameraState.WAITING


async def test_further_events_prolong_the_clip(rig: Rig) -> None:
    script = await waiting(rig)
    start_us = rig.clock.now_us()
    await rig.stream(20, script)
    for _ in range(10):
        keep(rig)
        await rig.stream(4, script)
    await rig.stream(20, script)
    (segment,) = await rig.segments()
    assert (segment.start_us, segment.end_us) == (start_us + 14 * S, start_us + 62 * S)
    assert await pictures(rig) == [list(range(14 * 25, 62 * 25))]


async def test_two_clips_are_two_runs_and_share_no_picture(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(20, script)
    keep(rig)
    await rig.stream(11, script)  # over at 26, and the next event wants from 26 on
    keep(rig)
    await rig.stream(60, script)
    keep(rig)
    await rig.stream(30, script)
    await rig.stop()
    first, second, third = await pictures(rig)
    assert first == list(range(14 * 25, 26 * 25))
    assert second == list(range(26 * 25, 36 * 25))
    assert third[0] == 86 * 25
    segments = await rig.segments()
    assert segments[0].end_us == segments[1].start_us
    assert await rig.gaps() == []


async def test_a_stretch_that_is_over_already_is_written_from_memory_alone(rig: Rig) -> None:
    script = await waiting(rig, pre_event_s=10)
    await rig.stream(20, script)
    keep(rig, 2, 2, ago_s=6)
    await rig.stream(1, script)
    assert rig.view().state is CameraState.WAITING
    keep(rig, 3, 1)
    await rig.stream(10, script)
    first, second = await pictures(rig)
    assert first == list(range(10 * 25, 16 * 25)), (
        "all of the camera's time before: a later event may ask for it"
    )
    assert second == list(range(16 * 25, 22 * 25)), "without what is on disk already"


async def test_what_memory_does_not_reach_back_to_is_no_gap(rig: Rig) -> None:
    script = await waiting(rig, pre_event_s=2)
    await rig.stream(3, script)
    keep(rig, pre_s=300)
    await rig.stream(20, script)
    await rig.stop()
    assert (await pictures(rig))[0][0] == 0
    assert await rig.gaps() == []


async def test_memory_holds_the_time_asked_for_and_not_more(rig: Rig) -> None:
    script = await waiting(rig, pre_event_s=10, gop=25)
    await rig.stream(120, script)
    budget = rig.service._rings
    a_second_bytes = 25 * 200
    assert 13 * a_second_bytes <= budget.bytes <= 16 * a_second_bytes
    keep(rig)
    assert budget.bytes == 0


async def test_memory_for_all_cameras_is_bounded_and_whoever_is_cut_short_says_so(rig: Rig) -> None:
    rig.config = replace(rig.config, pre_event_bytes=60_000)
    await rig.add_volume()
    await rig.add_camera("yard", mode="events", pre_event_s=300)
    await rig.add_camera("gate", mode="events", pre_event_s=1)
    await rig.start()
    script = PacketScript(rig.clock, gop=25)
    await rig.stream(60, script, "yard", "gate")
    assert rig.service._rings.bytes <= 60_000
    assert "memory is full" in rig.view("yard").cause
    assert rig.view("gate").cause == "waiting for an event"
    rig.service.keep("yard", rig.clock.now_us() - 40 * S, rig.clock.now_us() + 5 * S)
    await rig.stream(20, script, "yard", "gate")
    (gap,) = await rig.gaps()
    (segment,) = await rig.segments()
    assert (gap.cause, gap.end_us) == (GapCause.UNKNOWN, segment.start_us)
    assert "memory" in gap.detail


async def test_a_camera_that_is_away_at_the_event_has_a_gap_for_the_event_and_none_else(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(20, script)
    rig.camera().refuses = CameraUnreachable("no route to host")
    rig.camera().end(CameraUnreachable("no route to host"))
    lost_us = rig.clock.now_us()
    await rig.wait(60)
    assert rig.view().state is CameraState.LOST
    event_us = rig.clock.now_us()
    assert "nothing arrives" in keep(rig)
    await rig.wait(60)
    rig.camera().refuses = None
    await rig.wait(60)
    script.number = 0
    await rig.stream(30, script)
    assert rig.view().state is CameraState.WAITING
    await rig.stop()
    (gap,) = await rig.gaps()
    assert (gap.start_us, gap.end_us) == (event_us, event_us + 5 * S)
    assert gap.cause is GapCause.CAMERA_UNREACHABLE
    # What it had filmed before it was lost was still in memory, and is all there is of the seconds before.
    assert all(segment.end_us <= lost_us for segment in await rig.segments())


async def test_a_camera_lost_in_the_middle_of_a_clip_leaves_a_gap_to_its_end(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(20, script)
    keep(rig, post_s=60)
    event_us = rig.clock.now_us()
    await rig.stream(10.5, script)
    lost_us = rig.clock.now_us()
    rig.camera().refuses = CameraStalled("no video for 10 s")
    rig.camera().end(CameraStalled("no video for 10 s"))
    await rig.wait(80)
    (gap,) = await rig.gaps()
    assert (gap.start_us, gap.end_us, gap.cause) == (
        lost_us,
        event_us + 60 * S,
        GapCause.CAMERA_STALLED,
    )


async def test_a_camera_that_comes_back_within_the_stretch_goes_on_with_it(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(20, script)
    keep(rig, post_s=40)
    await rig.stream(10, script)
    rig.camera().end(CameraStalled("no video for 10 s"))
    await rig.wait(5)
    again = PacketScript(rig.clock, gop=50)
    again.number = 1000
    await rig.stream(60, again)
    await rig.stop()
    segments = await rig.segments()
    assert len({segment.run_id for segment in segments}) == 2
    (gap,) = await rig.gaps()
    assert (gap.start_us, gap.end_us) == (segments[0].end_us, segments[1].start_us)


async def test_a_clip_that_no_volume_takes_is_a_gap_with_that_cause(rig: Rig) -> None:
    await rig.add_camera(mode="events")
    await rig.start()
    script = PacketScript(rig.clock)
    await rig.stream(20, script)
    event_us = rig.clock.now_us()
    keep(rig)
    await rig.stream(3, script)
    assert rig.view().state is CameraState.STREAMING
    await rig.stream(20, script)
    assert rig.view().state is CameraState.WAITING
    await rig.stop()
    (gap,) = await rig.gaps()
    assert gap.cause is GapCause.NO_VOLUME
    assert (gap.start_us, gap.end_us) == (event_us - 5 * S, event_us + 5 * S)
    assert (await rig.said())[:2] == ["recording.stopped", "recording.resumed"]


async def test_a_clip_whose_end_a_failing_volume_does_not_write_has_a_gap(rig: Rig) -> None:
    script = await waiting(rig, gop=25)
    await rig.stream(20, script)
    keep(rig)
    await rig.stream(4, script)
    rig.volumes["v1"].write_errno = errno.EIO
    await rig.stream(1, script)
    rig.volumes["v1"].write_errno = errno.EIO
    await rig.stream(20, script)
    (gap,) = await rig.gaps()
    assert gap.cause is GapCause.VOLUME_FAILED
    assert gap.end_us is not None


async def test_an_ordered_stop_in_a_clip_is_a_gap_to_its_end_and_the_next_start_adds_none(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(20, script)
    keep(rig, post_s=30)
    await rig.stream(10, script)
    stopped_us = rig.clock.now_us()
    await rig.stop()
    rig.clock.advance(3600 * S)
    await rig.start()
    await rig.stream(30, PacketScript(rig.clock))
    (gap,) = await rig.gaps()
    assert (gap.start_us, gap.end_us, gap.cause) == (stopped_us, stopped_us + 20 * S, GapCause.ENGINE_STOPPED)


async def test_a_crash_in_a_clip_counts_no_longer_than_an_event_is_recorded_after(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(20, script)
    keep(rig, post_s=30)
    await rig.stream(10, script)
    await rig.crash()
    rig.clock.advance(3600 * S)
    await rig.start()
    await rig.stream(30, PacketScript(rig.clock))
    (gap,) = await rig.gaps()
    assert gap.cause is GapCause.ENGINE_CRASHED
    assert gap.end_us == gap.start_us + 5 * S


async def test_a_step_of_the_clock_makes_a_clip_neither_longer_nor_shorter(rig: Rig) -> None:
    for step_us in (3600 * S, -3600 * S):
        folder = rig.folder / str(step_us)
        folder.mkdir()
        async with recording_rig(folder) as other:
            script = await waiting(other)
            await other.stream(20, script)
            keep(other, post_s=20)
            await other.stream(6, script)
            other.clock.step(step_us)
            await other.stream(60, script)
            assert other.view().state is CameraState.WAITING
            await other.stop()
            # After a step back the later pictures have the earlier times.
            numbers = sorted(number for run in await pictures(other) for number in run)
            assert numbers == list(range(14 * 25, 40 * 25))


async def test_lost_pictures_inside_of_a_clip_are_a_gap_and_before_an_event_they_are_nothing(
    rig: Rig,
) -> None:
    script = await waiting(rig)
    await rig.stream(20, script)
    sink = rig.camera().sink
    assert sink is not None
    sink.frames_lost("7 packets lost")
    for _ in range(50):
        script.next()
        script.pass_interval()
    await rig.stream(30, script)
    assert await rig.gaps() == []
    keep(rig, post_s=20)
    await rig.stream(4, script)
    sink.frames_lost("7 packets lost")
    lost_us = rig.clock.now_us()
    for _ in range(100):
        script.next()
        script.pass_interval()
    await rig.stream(30, script)
    await rig.stop()
    (gap,) = await rig.gaps()
    assert gap.cause is GapCause.FRAMES_LOST
    assert gap.start_us == lost_us


async def test_hours_of_waiting_do_not_let_the_times_run_away(rig: Rig) -> None:
    """A camera whose crystal is off by 200 ppm, two hours without an event."""
    await waiting(rig)
    script = PacketScript(rig.clock, fps=5, declared_fps=5 * 1.0002, gop=10)
    await rig.stream(7200, script)
    event_us = rig.clock.now_us()
    keep(rig)
    await rig.stream(20, script)
    (segment,) = await rig.segments()
    assert abs(segment.start_us - (event_us - 5 * S)) <= 2 * S + 200_000
    assert abs(segment.end_us - (event_us + 5 * S)) <= 2 * S + 200_000


async def test_the_time_before_an_event_is_edited_without_a_new_session(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(10, script)
    camera = await rig.catalog.write(
        "update_camera", (await rig.catalog.read("camera", "yard")).uuid, pre_event_s=30
    )
    await rig.service.update_camera(camera, "")
    await rig.stream(60, script)
    keep(rig, pre_s=30)
    await rig.stream(20, script)
    assert rig.camera().sessions == 1
    assert (await pictures(rig))[0] == list(range(40 * 25, 76 * 25))


async def test_the_mode_is_changed_to_and_fro(rig: Rig) -> None:
    script = await waiting(rig)
    await rig.stream(10, script)
    uuid = (await rig.catalog.read("camera", "yard")).uuid

    async def set_mode(mode: str) -> None:
        await rig.service.update_camera(await rig.catalog.write("update_camera", uuid, mode=mode), "")
        await rig.quiet()

    await set_mode("continuous")
    assert rig.service._rings.bytes == 0
    script = PacketScript(rig.clock)
    await rig.stream(20, script)
    assert rig.view().state is CameraState.RECORDING
    await set_mode("events")
    script = PacketScript(rig.clock)
    await rig.stream(20, script)
    assert rig.view().state is CameraState.WAITING
    keep(rig)
    await rig.stream(2, script)
    await set_mode("off")
    assert rig.view().state is CameraState.OFF
    assert rig.service._rings.bytes == 0
    with pytest.raises(Conflict):
        keep(rig)
    await rig.stop()
    assert len({segment.run_id for segment in await rig.segments()}) == 2


async def test_a_camera_that_records_anyway_is_left_alone(rig: Rig) -> None:
    await rig.add_volume()
    await rig.add_camera()
    await rig.start()
    script = PacketScript(rig.clock)
    await rig.stream(10, script)
    assert keep(rig) == "recorded anyway"
    await rig.stream(10, script)
    assert len(await rig.segments()) == 1
    with pytest.raises(NotFound):
        rig.service.keep("nobody", 1, 2)


async def test_off_its_schedule_a_camera_is_connected_for_the_event_and_let_go_again(rig: Rig) -> None:
    await rig.add_volume()
    schedule = Schedule(zone="UTC", days=("." * 48,) * 7)
    await rig.add_camera(mode="schedule", schedule=schedule)
    await rig.start()
    assert rig.view().state is CameraState.OFF
    words = keep(rig)
    assert "nothing from before" in words
    await rig.wait(0.1, step_s=0.1)
    assert rig.camera().connections == 1
    script = PacketScript(rig.clock)
    await rig.stream(6, script)
    keep(rig)
    await rig.stream(6, script)
    assert rig.view().state is CameraState.RECORDING
    assert rig.service.expected_cameras() == 1
    await rig.stream(10, script)
    assert rig.view().state is CameraState.OFF
    assert rig.camera().sessions == 1
    await rig.stop()
    (segment,) = await rig.segments()
    assert 15 * S <= segment.end_us - segment.start_us <= 17 * S
    assert await rig.gaps() == []


@settings(max_examples=25)
@given(
    gop=st.integers(1, 120),
    fps=st.sampled_from([5.0, 12.5, 25.0]),
    pre_event_s=st.integers(0, 20),
    events=st.lists(
        st.tuples(st.floats(0.04, 30), st.integers(0, 20), st.integers(0, 20), st.floats(0, 2)),
        min_size=1,
        max_size=5,
    ),
)
async def test_every_picture_of_a_stretch_is_on_disk_once_from_its_keyframe_on(
    tmp_path_factory: pytest.TempPathFactory,
    gop: int,
    fps: float,
    pre_event_s: int,
    events: list[tuple[float, int, int, float]],
) -> None:
    async with recording_rig(tmp_path_factory.mktemp("clips")) as rig:
        script = await waiting(rig, pre_event_s=pre_event_s, fps=fps, gop=gop)
        began_us = rig.clock.now_us()
        stretches = []
        for pause_s, pre_s, post_s, ago_s in events:
            await rig.stream(pause_s, script)
            asked_us = rig.clock.now_us()
            event_us = asked_us - round(ago_s * S)
            # However late it is asked for, and whatever events came before: the camera's time before that moment is there.
            start_us = max(event_us - pre_s * S, asked_us - pre_event_s * S, began_us)
            stretches.append((start_us, event_us + post_s * S))
            if event_us + post_s * S > start_us:
                rig.service.keep("yard", event_us - pre_s * S, event_us + post_s * S)
        await rig.stream(60 + 2 * gop / fps, script)
        await rig.stop()
        runs = await pictures(rig)
        found = [number for run in runs for number in run]
        assert found == sorted(set(found))
        assert all(run[0] % gop == 0 and run == list(range(run[0], run[-1] + 1)) for run in runs)
        assert await rig.gaps() == []
        on_disk = set(found)
        for start_us, end_us in stretches:
            first = round((start_us - began_us) * fps / S)
            last = round((end_us - began_us) * fps / S)
            if last > first:
                wanted = set(range(first - first % gop, last))
                assert wanted <= on_disk

"""What a worker remembers of recordings that are played: each picture decoded once, in both directions, in bounded memory."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest

from engine.background import in_background
from engine.pictures import exact_frames, gop_decoder, recorded_files
from engine.pictures import service as service_module
from engine.pictures.decode import read_keyframe
from engine.pictures.exact_frames import ExactFrames
from engine.pictures.frame_shelf import ENTRY_BYTES
from engine.pictures.keyframe import BeyondSegment, RecordedKeyframe
from engine.pictures.messages import Done, Failed, Job
from engine.pictures.recorded_files import RecordedFiles
from engine.pictures.service import PictureService
from engine.pictures.worker import Worker
from engine.wire import PictureFormat, PictureReply, PictureRequest
from storage.errors import PictureUnavailable
from storage.segments.places import encode_places
from tests.fakes.clock import FakeClock
from tests.fakes.coded_clip import VIDEO_HZ, Clip, clip
from tests.fakes.segment_files import parts_of, write_segment

FRAME_TICKS = VIDEO_HZ // 25
HALF = PictureRequest(
    camera="gate", format=PictureFormat.HALF_BLOCK, columns=40, rows=11, exact=True, at_us=1
)
RGB_BYTES = 40 * 22 * 3


def source(folder: Path, coded: Clip, number: int, name: str = "a") -> RecordedKeyframe:
    """The moment of a picture of the clip, in one file."""
    path = folder / f"{name}.mp4"
    if not path.exists():
        parts = parts_of((coded.track,), coded.packets, 1_500_000)
        _, summary = write_segment(folder, f"{name}.mp4", (coded.track,), parts)
        (folder / f"{name}.places").write_bytes(encode_places(summary.keyframes))
    length_us = len(coded.times_us) * 40_000
    return RecordedKeyframe(
        camera=name,
        path=str(path),
        media_ticks=number * FRAME_TICKS,
        start_us=coded.times_us[0],
        end_us=coded.times_us[0] + length_us,
        duration_ticks=len(coded.times_us) * FRAME_TICKS,
        tracks=(coded.track,),
        places=(folder / f"{name}.places").read_bytes(),
        file_bytes=path.stat().st_size,
    )


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Presentation times of the samples fed to decoders."""
    fed: list[int] = []
    feed = gop_decoder.GopDecoder._feed

    def counted(self: Any, data: bytes, sample: Any) -> None:
        fed.append(sample.pts_ticks)
        feed(self, data, sample)

    monkeypatch.setattr(gop_decoder.GopDecoder, "_feed", counted)
    return fed


def never() -> bool:
    return False


def shown(frames: ExactFrames, where: RecordedKeyframe, request: PictureRequest = HALF) -> int:
    return frames.picture(where, request, never).time_us


@pytest.mark.parametrize("kind", ["h264", "h264_b", "h265_b"])
def test_playing_forward_decodes_each_picture_once(kind: str, tmp_path: Path, decodings: list[int]) -> None:
    coded = clip(kind)
    frames = ExactFrames(RecordedFiles())
    for number in range(100):
        assert shown(frames, source(tmp_path, coded, number)) == coded.times_us[number]
    assert len(decodings) == 100


@pytest.mark.parametrize("kind", ["h264", "h264_b", "h265_b"])
def test_playing_backward_decodes_each_gop_twice_at_most(
    kind: str, tmp_path: Path, decodings: list[int]
) -> None:
    coded = clip(kind)
    frames = ExactFrames(RecordedFiles())
    for number in reversed(range(100)):
        assert shown(frames, source(tmp_path, coded, number)) == coded.times_us[number]
    # The first picture asked for is not known to be played backwards yet: its GOP is decoded again.
    assert len(decodings) <= 125


def test_what_is_kept_for_playing_backward_is_bounded_in_bytes(tmp_path: Path, decodings: list[int]) -> None:
    coded = clip("h264", 200, gop=100)
    frames = ExactFrames(RecordedFiles(), shelf_bytes=20 * (RGB_BYTES + ENTRY_BYTES))
    for number in reversed(range(100)):
        assert shown(frames, source(tmp_path, coded, number)) == coded.times_us[number]
        assert frames._shelf.bytes <= 20 * (RGB_BYTES + ENTRY_BYTES)
    # Each run over the GOP serves twenty steps: 100 + 99 + 79 + 59 + 39 + 19, and not 5,050.
    assert len(decodings) < 450


def test_a_closed_file_is_read_by_its_index_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = clip("h264_b", 200, gop=100)
    where = [source(tmp_path, coded, number) for number in (0, 99, 100, 199)]

    def refused(path: Path) -> None:
        raise AssertionError("its header is read")

    monkeypatch.setattr(recorded_files.SegmentReader, "open", refused)
    frames = ExactFrames(RecordedFiles())
    assert [shown(frames, each) for each in where] == [coded.times_us[n] for n in (0, 99, 100, 199)]
    assert read_keyframe(where[1]).time_us == coded.times_us[0]
    assert read_keyframe(where[1], step=1).time_us == coded.times_us[100]


def test_only_a_few_decoders_are_kept(tmp_path: Path) -> None:
    coded = clip("h264")
    frames = ExactFrames(RecordedFiles())
    for number in range(0, 100, 25):
        for name in ("a", "b", "c"):
            shown(frames, source(tmp_path, coded, number + 3, name))
            assert len(frames._decoders) <= exact_frames.DECODERS


def test_cameras_played_side_by_side_keep_their_decoders(tmp_path: Path, decodings: list[int]) -> None:
    coded = clip("h264")
    frames = ExactFrames(RecordedFiles())
    for number in range(25):
        for name in ("a", "b", "c", "d"):
            shown(frames, source(tmp_path, coded, number, name))
    assert len(decodings) == 100


def test_a_picture_that_takes_too_long_says_so_and_the_next_try_goes_on(
    tmp_path: Path, decodings: list[int]
) -> None:
    """A GOP of 30 s on a slow machine: three tries, each goes on where the one before stopped."""
    coded = clip("h264", 750, gop=750)
    frames = ExactFrames(RecordedFiles())
    where = source(tmp_path, coded, 740)
    for _ in range(2):
        budget = iter(range(300))
        with pytest.raises(PictureUnavailable, match="741 pictures behind its keyframe.*ask again"):
            frames.picture(where, HALF, lambda left=budget: next(left, None) is None)
    assert shown(frames, where) == coded.times_us[740]
    assert len(decodings) == 741


def test_a_growing_file_is_played_on_where_it_grew(tmp_path: Path) -> None:
    from storage.segments.writer import SegmentWriter
    from tests.fakes.segment_files import identity

    coded = clip("h264_b", 100, gop=50)
    parts = parts_of((coded.track,), coded.packets, 400_000)
    writer = SegmentWriter.create(tmp_path, "open.mp4", identity(), (coded.track,))
    frames = ExactFrames(RecordedFiles())
    number = 0
    for part in parts:
        writer.append(part)
        known = writer.video_duration_ticks // FRAME_TICKS
        while number < known:
            where = RecordedKeyframe(
                camera="a",
                path=str(writer.path),
                media_ticks=number * FRAME_TICKS,
                start_us=coded.times_us[0],
                end_us=coded.times_us[0] + known * 40_000,
                duration_ticks=known * FRAME_TICKS,
            )
            assert shown(frames, where) == coded.times_us[number]
            number += 1
    assert number == 100
    writer.close()


def test_want_of_memory_is_no_damage_and_gives_back_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = clip("h264")
    worker = Worker()
    for name in ("a", "b"):
        worker.answer(Job(source=source(tmp_path, coded, 30, name), request=HALF))
    take = gop_decoder.GopDecoder._take
    failures = iter([True])

    def short(self: Any, frames: list[Any]) -> None:
        if next(failures, False):
            raise av.error.MemoryError(12, "Cannot allocate memory")
        take(self, frames)

    monkeypatch.setattr(gop_decoder.GopDecoder, "_take", short)
    done = worker.answer(Job(source=source(tmp_path, coded, 40), request=HALF))
    assert isinstance(done, Done)
    assert (done.reply.time_us, done.reply.notice) == (coded.times_us[40], "")
    assert len(worker._frames._decoders) == 1


# -- the service -----------------------------------------------------------------------------------------


@asynccontextmanager
async def serving(service: PictureService) -> AsyncIterator[None]:
    async with in_background(pictures=service.run):
        while not service._is_running:
            await asyncio.sleep(0)
        yield


async def outcome(service: PictureService, where: RecordedKeyframe) -> PictureReply | PictureUnavailable:
    try:
        return await service.render(where, HALF)
    except PictureUnavailable as exc:
        return exc


async def test_a_worker_that_dies_takes_only_its_memory_along(tmp_path: Path) -> None:
    coded = clip("h264")
    service = PictureService(FakeClock(), workers=1)
    async with serving(service):
        assert isinstance(await outcome(service, source(tmp_path, coded, 30)), PictureReply)
        (pid,) = service.worker_pids
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.TaskGroup() as group:
            lost = group.create_task(outcome(service, source(tmp_path, coded, 31)))
            while service.queued or not service._orders:
                await asyncio.sleep(0)
            os.kill(pid, signal.SIGKILL)
        assert "SIGKILL" in str(lost.result())
        again = await outcome(service, source(tmp_path, coded, 31))
        assert isinstance(again, PictureReply)
        assert again.time_us == coded.times_us[31]
        assert service.worker_pids != [pid]


async def test_a_worker_that_hangs_over_an_exact_picture_is_replaced(tmp_path: Path) -> None:
    coded = clip("h264")
    service = PictureService(FakeClock(), workers=1, job_limit_s=30)
    async with serving(service):
        assert isinstance(await outcome(service, source(tmp_path, coded, 30)), PictureReply)
        (pid,) = service.worker_pids
        os.kill(pid, signal.SIGSTOP)
        service._job_limit_s = 0.3
        assert "did not answer within 0.3 s" in str(await outcome(service, source(tmp_path, coded, 31)))
        service._job_limit_s = 30
        assert isinstance(await outcome(service, source(tmp_path, coded, 32)), PictureReply)
        assert service.worker_pids != [pid]


async def test_a_recording_is_played_by_one_worker_and_another_one_by_the_other(tmp_path: Path) -> None:
    coded = clip("h264")
    service = PictureService(FakeClock(), workers=2)
    async with serving(service):
        homes: dict[str, set[int | None]] = {"a": set(), "b": set()}
        for number in range(12):
            async with asyncio.TaskGroup() as group:
                for name in ("a", "b"):
                    group.create_task(service.render(source(tmp_path, coded, number, name), HALF))
            for name, seen in homes.items():
                seen.add(service._homes.get(name))
        assert [len(seen) for seen in homes.values()] == [1, 1]
        assert homes["a"] != homes["b"]


async def test_an_order_whose_worker_is_stuck_is_taken_by_another_one(tmp_path: Path) -> None:
    coded, clock = clip("h264"), FakeClock()
    service = PictureService(clock, workers=2)
    async with serving(service):
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b"):
                group.create_task(service.render(source(tmp_path, coded, 1, name), HALF))
        stuck = service._running[service._homes["a"]].pid
        os.kill(stuck, signal.SIGSTOP)
        async with asyncio.TaskGroup() as group:
            held = group.create_task(outcome(service, source(tmp_path, coded, 2)))
            while service.queued or not service._orders:
                await asyncio.sleep(0)
            behind = group.create_task(outcome(service, source(tmp_path, coded, 3)))
            while not service.queued:
                await asyncio.sleep(0)
            clock.advance(1_000_000)
            assert isinstance(await behind, PictureReply)
            os.kill(stuck, signal.SIGCONT)
            assert isinstance(await held, PictureReply)


async def test_a_step_out_of_the_file_is_said_and_not_kept_as_a_picture(tmp_path: Path) -> None:
    import msgspec

    coded = clip("h264")
    service = PictureService(FakeClock(), workers=1)
    async with serving(service):
        for step, number in ((1, 99), (-1, 0)):
            asked = msgspec.structs.replace(HALF, step=step)
            with pytest.raises(BeyondSegment):
                await service.render(source(tmp_path, coded, number), asked)


class Slow:
    """A worker process that answers `turns` times that it is on its way, and then with a picture."""

    def __init__(self, turns: int) -> None:
        self.turns, self.jobs = turns, list[Job]()
        self.pid = 0
        self.before_answer: Any = None

    async def answer(self, job: Job, limit_s: float) -> Any:
        self.jobs.append(job)
        for _ in range(9):
            await asyncio.sleep(0)
        if self.before_answer is not None:
            await self.before_answer(len(self.jobs))
        if job.source.media_ticks == 740 * FRAME_TICKS and self.turns > 0:  # type: ignore[union-attr]
            self.turns -= 1
            return Failed(what="decoding takes longer", remedy="ask again", is_late=True)
        request = job.request
        return Done(
            reply=PictureReply(camera="gate", time_us=1, format=request.format, width_px=1, height_px=1)
        )

    async def close(self) -> None:
        return

    kill = close


def slow_workers(monkeypatch: pytest.MonkeyPatch, turns: int) -> list[Slow]:
    made: list[Slow] = []

    async def start(shelf_bytes: int = 0) -> Slow:
        made.append(Slow(turns))
        return made[-1]

    monkeypatch.setattr(service_module.WorkerProcess, "start", start)
    return made


async def test_one_wait_is_enough_for_a_picture_far_behind_its_keyframe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = slow_workers(monkeypatch, 4)
    coded = clip("h264", 750, gop=750)
    service = PictureService(FakeClock(), workers=2)
    async with serving(service):
        assert isinstance(await outcome(service, source(tmp_path, coded, 740)), PictureReply)
    assert [len(worker.jobs) for worker in made if worker.jobs] == [5], "by one worker, which goes on"


async def test_others_are_served_between_its_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = slow_workers(monkeypatch, 3)
    coded = clip("h264", 750, gop=750)
    service = PictureService(FakeClock(), workers=1)
    async with serving(service), asyncio.TaskGroup() as group:
        far = group.create_task(outcome(service, source(tmp_path, coded, 740)))
        while not made:
            await asyncio.sleep(0)
        near = group.create_task(outcome(service, source(tmp_path, coded, 5)))
        assert isinstance(await near, PictureReply)
        assert not far.done()
        assert isinstance(await far, PictureReply)


async def test_it_is_bounded_and_the_next_one_who_asks_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = slow_workers(monkeypatch, service_module.TURNS_LIMIT + 1)
    coded = clip("h264", 750, gop=750)
    service = PictureService(FakeClock(), workers=1)
    async with serving(service):
        first = await outcome(service, source(tmp_path, coded, 740))
        assert "takes longer" in str(first)
        assert "ask again" in str(first)
        assert len(made[0].jobs) == service_module.TURNS_LIMIT
        assert isinstance(await outcome(service, source(tmp_path, coded, 740)), PictureReply)


async def test_nobody_decodes_on_for_a_caller_that_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = slow_workers(monkeypatch, 100)
    coded = clip("h264", 750, gop=750)
    service = PictureService(FakeClock(), workers=1)
    async with serving(service):
        far = asyncio.create_task(outcome(service, source(tmp_path, coded, 740)))

        async def leave(turn: int) -> None:
            if turn == 2:
                far.cancel()
                await asyncio.wait([far])

        while not made:
            await asyncio.sleep(0)
        made[0].before_answer = leave
        await asyncio.wait([far])
        assert isinstance(await outcome(service, source(tmp_path, coded, 5)), PictureReply)
        assert len(made[0].jobs) == 3
        assert (service.queued, service._orders) == (0, {})

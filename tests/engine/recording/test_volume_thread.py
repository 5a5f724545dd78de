"""A volume's threads: order, bounds, failures, hangs, and coming back."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from engine.recording.volume_thread import SegmentFile, VolumeThread
from engine.wire import VolumeState
from storage.catalog.changes import Change
from storage.catalog.records import Volume as VolumeRecord
from storage.errors import VolumeError, WatchdeckError
from storage.segments.identity import SegmentIdentity
from storage.segments.part import Part, PartBuilder
from storage.segments.writer import SegmentSummary
from storage.volumes.volume import Volume
from tests.fakes.camera import H264_TRACK, PacketScript
from tests.fakes.clock import FakeClock
from tests.fakes.volume import Faults, FaultyVolumes

S = 1_000_000
UUID_1 = UUID(int=1)


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.summary: SegmentSummary | None = None

    def part_written(self, file: SegmentFile, part: Part, size_bytes: int) -> None:
        self.told.append("written")

    def segment_closed(
        self, file: SegmentFile, summary: SegmentSummary | None, error: WatchdeckError | None
    ) -> None:
        self.summary = summary
        self.told.append("closed" if error is None else "not closed")

    def segment_failed(self, file: SegmentFile, error: WatchdeckError) -> None:
        self.told.append("failed")

    def synced(self, file: SegmentFile) -> None:
        self.told.append("synced")

    def sync_failed(self, file: SegmentFile) -> None:
        self.told.append("sync failed")

    def growth(self) -> Change | None:
        return None


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.volumes = FaultyVolumes()
        self.faults: Faults = self.volumes["v1"]
        self.states: list[VolumeState] = []
        Volume.initialise(folder / "v1", UUID_1, "v1", UUID_1)
        record = VolumeRecord(
            id=1, uuid=UUID_1, name="v1", path=str(folder / "v1"), group="main", floor_bytes=0
        )
        self.script = PacketScript(self.clock, size_bytes=1_000)
        self.builder = PartBuilder((H264_TRACK,))
        self.thread = VolumeThread(
            record,
            self.clock,
            open_volume=self.volumes.open_volume,
            on_state=lambda thread, previous: self.states.append(thread.state),
            queue_bytes=100_000,
        )

    def file(self, listener: Listener) -> SegmentFile:
        run = uuid4()
        identity = SegmentIdentity(
            station=UUID_1, camera=UUID_1, camera_name="yard", volume=UUID_1, run=run, sequence=0, start_us=1
        )
        return SegmentFile(f"{UUID_1}/2026-01-01/{run}.mp4", identity, (H264_TRACK,), listener)

    def part(self) -> Part:
        for _ in range(25):
            self.builder.add(self.script.next())
        return self.builder.take(None)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    await bench.thread.inspect()
    yield bench
    bench.faults.release()
    await bench.thread.drained()
    bench.thread.stop()


async def hanging(bench: Bench) -> None:
    while not bench.faults.hanging.is_set():
        await bench.thread.call(lambda: None)


async def test_parts_of_a_segment_are_written_in_order_and_then_it_is_closed(bench: Bench) -> None:
    listener = Listener()
    file = bench.file(listener)
    assert bench.thread.append(file, bench.part())
    assert bench.thread.append(file, bench.part())
    bench.thread.close(file)
    await bench.thread.drained()
    assert listener.told == ["written", "written", "closed"]
    assert listener.summary is not None
    assert listener.summary.video_duration_ticks == 2 * 90_000
    assert bench.thread.queue_bytes == 0


async def test_a_segment_without_a_part_leaves_no_file(bench: Bench, tmp_path: Path) -> None:
    listener = Listener()
    bench.thread.close(bench.file(listener))
    await bench.thread.drained()
    assert listener.told == ["closed"]
    assert listener.summary is None
    assert list(tmp_path.rglob("*.mp4")) == []


async def test_a_full_queue_takes_nothing_and_loses_nothing(bench: Bench) -> None:
    listener = Listener()
    file = bench.file(listener)
    bench.faults.hang()
    taken = 0
    while bench.thread.append(file, bench.part()):
        taken += 1
    assert taken == 4  # parts of 25 kB in 100 kB
    assert not bench.thread.accepts
    bench.faults.release()
    await bench.thread.drained()
    assert listener.told == ["written"] * 4
    assert bench.thread.accepts


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (errno.ENOSPC, VolumeState.FULL),
        (errno.EDQUOT, VolumeState.FULL),
        (errno.EIO, VolumeState.FAILED),
        (errno.EROFS, VolumeState.READ_ONLY),
        (errno.ENODEV, VolumeState.FAILED),
        (errno.EACCES, VolumeState.FAILED),
    ],
)
async def test_a_failed_write_takes_the_volume_out_of_use(
    bench: Bench, number: int, state: VolumeState
) -> None:
    listener = Listener()
    file = bench.file(listener)
    bench.thread.append(file, bench.part())
    await bench.thread.drained()
    bench.faults.write_errno = number
    bench.thread.append(file, bench.part())
    bench.thread.append(file, bench.part())
    await bench.thread.drained()
    assert listener.told == ["written", "failed"]
    assert bench.thread.state is state
    assert not bench.thread.append(file, bench.part())


async def test_a_failed_volume_is_let_go_of_so_that_it_can_be_unmounted_and_mounted_again(
    bench: Bench, tmp_path: Path
) -> None:
    def is_held() -> bool:
        links = (Path(link) for link in glob.glob("/proc/self/fd/*"))
        return any(os.path.realpath(link).startswith(str(tmp_path / "v1")) for link in links)

    file = bench.file(Listener())
    bench.thread.append(file, bench.part())
    await bench.thread.drained()
    assert is_held()
    bench.faults.write_errno = bench.faults.check_errno = errno.EIO
    bench.thread.append(file, bench.part())
    await bench.thread.drained()
    bench.thread.cancel(file)
    await bench.thread.drained()
    with pytest.raises(VolumeError):
        await bench.thread.inspect()
    bench.thread._writing.submit(bool).result()  # what was asked of it before is done
    assert not is_held()


async def test_a_failed_volume_comes_back_after_its_hold_off_which_grows(bench: Bench) -> None:
    for hold_off_s in (5, 10, 20):
        bench.faults.write_errno = errno.EIO
        bench.thread.append(bench.file(Listener()), bench.part())
        await bench.thread.drained()
        assert not bench.thread.is_ok
        bench.faults.write_errno = 0
        bench.clock.advance(hold_off_s * S - 1)
        await bench.thread.inspect()
        assert not bench.thread.is_ok
        bench.clock.advance(1)
        await bench.thread.inspect()
        assert bench.thread.is_ok


async def test_an_operation_that_does_not_end_is_a_stall_until_it_ends(bench: Bench) -> None:
    listener = Listener()
    bench.faults.hang()
    bench.thread.append(bench.file(listener), bench.part())
    await hanging(bench)
    bench.clock.advance(9 * S)
    bench.thread.watch()
    assert bench.thread.is_ok
    bench.clock.advance(2 * S)
    bench.thread.watch()
    assert bench.thread.state is VolumeState.STALLED
    bench.faults.release()
    await bench.thread.drained()
    bench.thread.watch()
    assert bench.thread.is_ok
    assert listener.told == ["written"]


async def test_upkeep_goes_on_while_a_write_hangs(bench: Bench) -> None:
    bench.faults.hang()
    bench.thread.append(bench.file(Listener()), bench.part())
    await hanging(bench)
    await bench.thread.inspect()
    assert bench.thread.space is not None


async def test_what_is_cancelled_is_not_written_any_more(bench: Bench) -> None:
    listener = Listener()
    file = bench.file(listener)
    bench.faults.hang()
    bench.thread.append(file, bench.part())
    bench.thread.append(file, bench.part())
    await hanging(bench)
    bench.thread.cancel(file)
    bench.faults.release()
    await bench.thread.drained()
    assert listener.told == ["written", "closed"]
    assert listener.summary is not None
    assert listener.summary.video_duration_ticks == 90_000


async def test_a_bug_in_one_segment_takes_neither_the_volume_nor_its_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OverflowError("a number too large for its field")

    listener, other = Listener(), Listener()
    with monkeypatch.context() as patched:
        patched.setattr(Volume, "create_segment", broken)
        bench.thread.append(bench.file(listener), bench.part())
        await bench.thread.drained()
    assert listener.told == ["failed"]
    assert bench.thread.is_ok
    bench.thread.append(bench.file(other), bench.part())
    await bench.thread.drained()
    assert other.told == ["written"]


async def test_a_failed_sync_is_the_volumes_failure_and_is_never_made_good_by_a_later_one(
    bench: Bench,
) -> None:
    """The kernel reports pages it could not write once; then it forgets them."""
    listener = Listener()
    file = bench.file(listener)
    bench.thread.append(file, bench.part())
    await bench.thread.drained()
    bench.faults.sync_errno = errno.EIO
    with pytest.raises(VolumeError):
        await bench.thread.sync()
    assert bench.thread.state is VolumeState.FAILED
    assert listener.told == ["written", "sync failed"]
    bench.faults.sync_errno = 0
    bench.thread.close(file)
    await bench.thread.drained()
    assert not bench.thread.has_unsynced
    assert await bench.thread.sync() == []


async def test_a_mount_that_goes_away_is_missing_and_nothing_is_made_in_its_place(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "v1").rename(tmp_path / "away")
    with pytest.raises(VolumeError):
        await bench.thread.inspect()
    assert bench.thread.state is VolumeState.MISSING
    assert bench.states[-1] is VolumeState.MISSING
    assert not (tmp_path / "v1").exists()

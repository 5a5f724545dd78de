"""One volume at work: a thread that writes, a thread for upkeep, a queue bounded in bytes, and a state with its cause.

The loop hands over parts and never waits. Writing has a thread of its own, so that neither a `syncfs` of
seconds nor the recycling of old segments delays it; upkeep (sync, space, checks, removals) has the other.
A drive that hangs therefore holds up nobody but itself. Loop only, except the methods marked otherwise.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from engine.recording.byte_rate import ByteRate
from engine.supervise import attempt_blocking
from engine.wire import VolumeState
from storage.catalog.changes import Change
from storage.catalog.records import Volume as VolumeRecord
from storage.clock import Clock
from storage.errors import (
    VolumeError,
    VolumeFailed,
    VolumeFull,
    VolumeMismatch,
    VolumeMissing,
    VolumeReadOnly,
    VolumeStalled,
    WatchdeckError,
)
from storage.segments.chain import RunChain
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Track
from storage.segments.part import Part
from storage.segments.writer import SegmentSummary, SegmentWriter
from storage.units import US_PER_SECOND
from storage.volumes.volume import Space, Volume

QUEUE_BYTES = 64 * 1024 * 1024
STALL_US = 10 * US_PER_SECOND
"""A write older than this: the volume does not answer."""
TELL_US = 20_000
"""Results are kept from the loop no longer than this, while the volume answers."""
UPKEEP_STALL_US = 30 * US_PER_SECOND
"""A sync on a busy drive may take longer than a write into memory."""
HOLD_OFF_US = 5 * US_PER_SECOND
"""How long a volume that failed is left alone; doubles with each failure soon after, up to a minute."""
HOLD_OFF_LIMIT_US = 60 * US_PER_SECOND

T = TypeVar("T")

_STATES: dict[type[WatchdeckError], VolumeState] = {
    VolumeFull: VolumeState.FULL,
    VolumeMissing: VolumeState.MISSING,
    VolumeMismatch: VolumeState.MISMATCH,
    VolumeReadOnly: VolumeState.READ_ONLY,
    VolumeFailed: VolumeState.FAILED,
    VolumeStalled: VolumeState.STALLED,
}


class SegmentListener(Protocol):
    """Who wants to know how a segment's file fares: its recorder. Called on the loop."""

    def part_written(self, file: SegmentFile, part: Part, size_bytes: int) -> None:
        """The part is in the file, which has this size now."""

    def segment_closed(
        self, file: SegmentFile, summary: SegmentSummary | None, error: WatchdeckError | None
    ) -> None:
        """The file is finished. Without summary and error it never held anything and is gone."""

    def segment_failed(self, file: SegmentFile, error: WatchdeckError) -> None:
        """A part could not be written; neither it nor what follows is in the file."""

    def synced(self, file: SegmentFile) -> None:
        """All that `growth` told last survives a power cut."""

    def sync_failed(self, file: SegmentFile) -> None:
        """What was written since the last sync may be lost, though a later sync succeeds: the kernel tells once."""

    def growth(self) -> Change | None:
        """What the catalog may be told about the segment once all that was written up to now is durable."""


@dataclass(eq=False, slots=True)
class SegmentFile:
    """A segment on its way to a volume: made by the recorder, written by the volume's thread."""

    relative: str
    identity: SegmentIdentity
    tracks: tuple[Track, ...]
    listener: SegmentListener
    chain: RunChain | None = None
    """Of its run; None: it is recorded without hashes. Writing threads only."""
    is_cancelled: bool = False
    """Set on the loop: parts still queued are not to be written any more."""
    has_failed: bool = False
    """Writing thread only."""
    is_untrusted: bool = False
    """A sync failed: nothing more is told of it before the file was read again. Loop only."""
    writer: SegmentWriter | None = field(default=None, repr=False)
    """Writing thread only."""


@dataclass(frozen=True, slots=True)
class _Work:
    file: SegmentFile
    part: Part | None
    """None: close the file."""


class VolumeThread:
    """A registered volume in use.

    States: OK <-> any other. A failed operation leaves OK at once; only a successful inspection comes back to it,
    not before the hold-off is over. STALLED goes when the operation that hung ends.

    An idle writing thread is woken `gather_ms` after the first part came: waking it costs as much as the write.
    """

    def __init__(
        self,
        record: VolumeRecord,
        clock: Clock,
        *,
        open_volume: Callable[[VolumeRecord], Volume] = Volume,
        on_state: Callable[[VolumeThread, VolumeState], None],
        queue_bytes: int = QUEUE_BYTES,
        gather_ms: int = 0,
    ) -> None:
        # Two, because a Volume belongs to one thread: it opens its root anew when the mount changed.
        self._volume = open_volume(record)
        self.upkeep_volume = open_volume(record)
        self.record = record
        self.state = VolumeState.MISSING
        self.cause = f"volume {record.name}: not looked at yet"
        self.space: Space | None = None
        self.is_on_system_disk = False
        self.used_bytes = 0
        """By segments, as last read from the catalog."""
        self.rate = ByteRate(clock)
        self.is_short = False
        """Retention found nothing more to recycle here and the floor is reached."""
        self._clock = clock
        self._on_state = on_state
        self._loop = asyncio.get_running_loop()
        self._writing = ThreadPoolExecutor(1, f"volume {record.name} writes")
        self._upkeep = ThreadPoolExecutor(1, f"volume {record.name} upkeep")
        # Bounded by `append`, in bytes: when full, the recorder turns to another volume or drops whole GOPs.
        self._queue: deque[_Work] = deque()
        self._queue_limit_bytes = queue_bytes
        self._gather_s = gather_ms / 1000
        # What the writing thread has done and the loop has not seen; no longer than what was queued.
        self._results: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._is_working = False
        self._working_since_us: int | None = None
        self._upkeep_since_us: dict[object, int] = {}
        self._unfinished = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._hold_off_us = HOLD_OFF_US
        self._failed_at_us = clock.monotonic_us() - 2 * HOLD_OFF_LIMIT_US
        # Segments that changed since the last sync; at most the open ones and those closed since.
        self._unsynced: dict[SegmentFile, None] = {}
        self._uninspected_bytes = 0
        self.writing_paths: set[str] = set()
        """Relative paths of the segments that are open here: not to be recovered by anybody else."""
        self.queue_bytes = 0
        self._closing: list[Future[None]] = []

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def is_ok(self) -> bool:
        return self.state is VolumeState.OK

    @property
    def has_unsynced(self) -> bool:
        return bool(self._unsynced)

    @property
    def accepts(self) -> bool:
        """A recorder that was refused may come back: the queue is at most half full."""
        return self.is_ok and self.queue_bytes <= self._queue_limit_bytes // 2

    @property
    def room_bytes(self) -> int:
        """Free above the floor, with what was written since the last look taken off."""
        if self.space is None:
            return 0
        return self.space.free_bytes - self._uninspected_bytes - self.record.floor_bytes

    @property
    def is_reachable(self) -> bool:
        """Segments on it can be read and removed (a full volume is just where that is needed)."""
        return self.state in (VolumeState.OK, VolumeState.FULL)

    def freed(self, size_bytes: int) -> None:
        """Retention removed so much since the last inspection."""
        self._uninspected_bytes -= size_bytes

    # -- the recorder's calls: never wait ------------------------------------------------------------------

    def append(self, file: SegmentFile, part: Part) -> bool:
        """Queue a part; False when the queue is full or the volume not in order: then nothing is queued."""
        if not self.is_ok or self.queue_bytes + part.bytes > self._queue_limit_bytes:
            return False
        self.queue_bytes += part.bytes
        self.writing_paths.add(file.relative)
        self._put(_Work(file, part))
        return True

    def close(self, file: SegmentFile) -> None:
        """Queue the end of a segment, whatever state the volume is in; `segment_closed` follows."""
        self._put(_Work(file, None))

    def tell_again(self, file: SegmentFile) -> None:
        """`growth` had nothing to say of the file, and has now."""
        self._note_unsynced(file)

    def _note_unsynced(self, file: SegmentFile) -> None:
        if not file.is_untrusted:
            self._unsynced[file] = None

    def cancel(self, file: SegmentFile) -> None:
        """Drop what is still queued of the file, then close it."""
        file.is_cancelled = True
        self.close(file)

    def _put(self, work: _Work) -> None:
        self._unfinished += 1
        self._is_idle.clear()
        with self._lock:
            self._queue.append(work)
            if self._is_working:
                return
            self._is_working = True
        if self._gather_s:
            self._loop.call_later(self._gather_s, self._writing.submit, self._work)
        else:
            self._writing.submit(self._work)

    # -- writing thread ------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Empty the queue. Results wait for the loop until the queue is empty, or for TELL_US: to wake the loop costs,
        too. When the next operation hangs, `watch` finds them.
        """
        told_us = self._clock.monotonic_us()
        while True:
            with self._lock:
                work = self._queue.popleft() if self._queue else None
                if work is None:
                    self._is_working = False
            now_us = self._clock.monotonic_us()
            if self._results and (work is None or now_us - told_us >= TELL_US):
                told_us = now_us
                try:
                    self._loop.call_soon_threadsafe(self._take_results)
                except RuntimeError:
                    # The loop is closed: the engine gave up on this drive and has ended.
                    return
            if work is None:
                return
            self._working_since_us = now_us
            self._results.append(
                self._close(work.file) if work.part is None else self._append(work.file, work.part)
            )
            self._working_since_us = None

    def _append(self, file: SegmentFile, part: Part) -> Callable[[], None]:
        if file.is_cancelled or file.has_failed:
            return lambda: self._finished(part.bytes)
        outcome = attempt_blocking(f"volume {self.name}", lambda: self._written(file, part))
        if isinstance(outcome, WatchdeckError):
            file.has_failed = True
            error = outcome
            return lambda: self._append_failed(file, part, error)
        size_bytes = outcome
        return lambda: self._append_done(file, part, size_bytes)

    def _written(self, file: SegmentFile, part: Part) -> int:
        if file.writer is None:
            file.writer = self._volume.create_segment(file.relative, file.identity, file.tracks, file.chain)
        file.writer.append(part)
        return file.writer.bytes_written

    def _close(self, file: SegmentFile) -> Callable[[], None]:
        writer = file.writer
        if writer is None:
            return lambda: self._close_done(file, None, None)
        if writer.bytes_written == 0:
            writer.abandon()
            return lambda: self._close_done(file, None, None)
        outcome = attempt_blocking(f"volume {self.name}", writer.close)
        if isinstance(outcome, WatchdeckError):
            writer.abandon()
            error = outcome
            return lambda: self._close_done(file, None, error)
        summary = outcome
        return lambda: self._close_done(file, summary, None)

    # -- results, on the loop ------------------------------------------------------------------------------

    def _take_results(self) -> None:
        while self._results:
            self._results.popleft()()

    def _finished(self, size_bytes: int) -> None:
        self.queue_bytes -= size_bytes
        self._unfinished -= 1
        if self._unfinished == 0:
            self._is_idle.set()

    def _append_done(self, file: SegmentFile, part: Part, size_bytes: int) -> None:
        self._finished(part.bytes)
        self.rate.add(part.bytes)
        self._uninspected_bytes += part.bytes
        self._note_unsynced(file)
        file.listener.part_written(file, part, size_bytes)

    def _append_failed(self, file: SegmentFile, part: Part, error: WatchdeckError) -> None:
        self._finished(part.bytes)
        self.fail(error)
        file.listener.segment_failed(file, error)

    def _close_done(
        self, file: SegmentFile, summary: SegmentSummary | None, error: WatchdeckError | None
    ) -> None:
        self._finished(0)
        if error is not None:
            self.fail(error)
        self.writing_paths.discard(file.relative)
        if summary is not None:
            self._note_unsynced(file)
        file.listener.segment_closed(file, summary, error)

    # -- upkeep --------------------------------------------------------------------------------------------

    async def call(self, work: Callable[[], T]) -> T:
        """Run blocking work on the upkeep thread. A VolumeError leaves the volume's state behind and is raised."""
        token = object()

        def timed() -> T:
            self._upkeep_since_us[token] = self._clock.monotonic_us()
            try:
                return work()
            finally:
                del self._upkeep_since_us[token]

        try:
            return await self._loop.run_in_executor(self._upkeep, timed)
        except VolumeError as error:
            self.fail(error)
            raise

    async def sync(self) -> list[Change]:
        """One syncfs; returns what the catalog may now be told: it survives a power cut. Raises VolumeError."""
        files, self._unsynced = self._unsynced, {}
        changes = [change for file in files if (change := file.listener.growth()) is not None]
        try:
            await self.call(self.upkeep_volume.sync)
        except VolumeError:
            # Not owed any more: the next sync would succeed without the pages that this one could not write.
            for file in files | self._unsynced:
                file.is_untrusted = True
                file.listener.sync_failed(file)
            self._unsynced = {}
            raise
        except BaseException:
            self._unsynced = files | self._unsynced
            raise
        for file in files:
            file.listener.synced(file)
        return changes

    async def inspect(self) -> None:
        """Look whether it is there, the right one, writable, and how much room is left. Raises VolumeError.

        Comes back to OK by itself, but not while the hold-off lasts.
        """
        uninspected_bytes = self._uninspected_bytes
        self.space = await self.call(self._look)
        self._uninspected_bytes -= uninspected_bytes
        if self._clock.monotonic_us() - self._failed_at_us < self._hold_off_us or self.is_hanging():
            return
        if self.room_bytes <= 0 and self.is_short:
            self._enter(
                VolumeState.FULL, f"volume {self.name}: no room above its floor and nothing to recycle"
            )
        elif self.state is not VolumeState.FULL or self.room_bytes > 0:
            self._enter(VolumeState.OK, "")

    def _look(self) -> Space:
        self.upkeep_volume.check()
        return self.upkeep_volume.space()

    def watch(self) -> None:
        """Notice an operation that does not end, and its end. Called every second."""
        self._take_results()
        if self.is_hanging():
            self._enter(
                VolumeState.STALLED,
                f"volume {self.name}: an operation does not end, the drive does not answer",
            )
        elif self.state is VolumeState.STALLED:
            self._enter(VolumeState.OK, "")

    def is_hanging(self) -> bool:
        now_us = self._clock.monotonic_us()
        writing_since_us = self._working_since_us
        if writing_since_us is not None and now_us - writing_since_us > STALL_US:
            return True
        return any(now_us - since_us > UPKEEP_STALL_US for since_us in list(self._upkeep_since_us.values()))

    def fail(self, error: WatchdeckError) -> None:
        """An operation failed: a volume's fault takes it out of use, a segment's own fault does not."""
        if not isinstance(error, VolumeError):
            return
        if self.is_ok:
            now_us = self._clock.monotonic_us()
            is_again = now_us - self._failed_at_us < 2 * HOLD_OFF_LIMIT_US
            self._hold_off_us = min(self._hold_off_us * 2, HOLD_OFF_LIMIT_US) if is_again else HOLD_OFF_US
            self._failed_at_us = now_us
        self._enter(_STATES.get(type(error), VolumeState.FAILED), str(error))

    def _enter(self, state: VolumeState, cause: str) -> None:
        previous = self.state
        self.state, self.cause = state, cause
        if state is not previous:
            if not self.is_reachable and not self._closing:
                # A descriptor kept on a file system that is lost would keep it from being unmounted and mounted again.
                self._writing.submit(self._volume.close)
            self._on_state(self, previous)

    # -- stop ----------------------------------------------------------------------------------------------

    async def drained(self) -> None:
        """Everything queued was written or has failed."""
        await self._is_idle.wait()

    def stop(self) -> None:
        """Let go of the mount and end the threads as soon as they are done; one stuck in a dead drive is left behind."""
        self._let_go()

    async def stopped(self) -> None:
        """Like `stop`; on return nothing keeps the volume from being unmounted."""
        await asyncio.wait([asyncio.wrap_future(closing) for closing in self._let_go()])

    def _let_go(self) -> list[Future[None]]:
        if not self._closing:
            self._closing = [
                self._writing.submit(self._volume.close),
                self._upkeep.submit(self.upkeep_volume.close),
            ]
            self._writing.shutdown(wait=False)
            self._upkeep.shutdown(wait=False)
        return self._closing

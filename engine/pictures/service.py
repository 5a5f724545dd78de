"""Pictures for whoever asks: a bounded queue in front of a few worker processes, with sharing and a cache.

Called by the API on the event loop; owns its tasks and child processes. Recording never depends on it: a worker
that crashes or hangs is replaced, and the only trace is a PictureUnavailable for the picture that did it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from engine.deadline import Deadline
from engine.pictures.cache import PictureCache
from engine.pictures.fit import check_request
from engine.pictures.keyframe import KeyframeSource, RecordedKeyframe, keyframe_name
from engine.pictures.messages import Done, Job, MotionSeen, Ready
from engine.pictures.process import WorkerLost, WorkerProcess
from engine.pictures.spans import KnownSpans
from engine.wire import PictureFormat, PictureReply, PictureRequest
from storage.clock import Clock
from storage.errors import PictureUnavailable
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

QUEUE_LIMIT = 64
"""Pictures waiting for a worker. When full the oldest is dropped: its asker has most likely scrolled on."""
JOB_LIMIT_S = 5.0
IDLE_LIMIT_S = 300.0
"""A worker nobody needs is ended: it holds some 60 MB."""
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0
PALETTE_LIMIT = 512
"""Palettes remembered; the least recently used go first."""
PALETTE_AGE_US = 600 * US_PER_SECOND


@dataclass(slots=True, eq=False)
class _Order:
    """One picture wanted by one or more callers. Invariant: dropped as soon as `waiters` is empty, unless in work."""

    key: Hashable
    source: KeyframeSource
    request: PictureRequest
    waiters: set[asyncio.Future[PictureReply]] = field(default_factory=set)

    def succeed(self, reply: PictureReply) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(reply)

    def fail(self, what: str, remedy: str = "") -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(PictureUnavailable(what, remedy))


@dataclass(frozen=True, slots=True)
class _KeptPalette:
    palette: bytes
    error: float
    chosen_us: int


class PictureService:
    """Turns keyframes into pictures. All methods on the event loop's thread."""

    def __init__(
        self,
        clock: Clock,
        workers: int = 2,
        *,
        cache_bytes: int = 32 << 20,
        queue_limit: int = QUEUE_LIMIT,
        job_limit_s: float = JOB_LIMIT_S,
        idle_limit_s: float = IDLE_LIMIT_S,
    ) -> None:
        self._clock = clock
        self._workers = workers
        self._queue_limit = queue_limit
        self._job_limit_s = job_limit_s
        self._idle_limit_s = idle_limit_s
        self._cache = PictureCache(cache_bytes)
        self._spans = KnownSpans()
        self._orders: dict[Hashable, _Order] = {}
        """Waiting and in work."""
        self._queue: OrderedDict[Hashable, _Order] = OrderedDict()
        """Waiting only, oldest first; at most `queue_limit`, then the oldest is answered "too busy"."""
        self._wanted = asyncio.Condition()
        self._palettes: OrderedDict[tuple[str, int], _KeptPalette] = OrderedDict()
        self._running: dict[int, WorkerProcess] = {}
        self._is_running = False

    @property
    def worker_pids(self) -> list[int]:
        """Of the live workers, for health figures and tests."""
        return [worker.pid for worker in self._running.values()]

    @property
    def queued(self) -> int:
        return len(self._queue)

    async def run(self) -> None:
        """Serve until cancelled; then every caller is answered and every worker is gone."""
        self._is_running = True
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._workers):
                    group.create_task(self._serve(number), name=f"pictures:{number}")
        finally:
            self._is_running = False
            for order in list(self._orders.values()):
                order.fail("the engine is stopping")
            self._orders.clear()
            self._queue.clear()

    async def render(self, source: KeyframeSource, request: PictureRequest) -> PictureReply:
        """The picture, from the cache, from an equal request under way, or made now.

        Raises PictureUnavailable (with the reason) and InvalidInput. When the caller is cancelled and nobody else
        waits for the same picture, work that has not begun is dropped.
        """
        check_request(request)
        key = self._key(source, request)
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        if not self._is_running:
            raise PictureUnavailable("the picture workers are not running", "is the engine stopping?")
        order = self._orders.get(key)
        if order is None:
            order = await self._enqueue(_Order(key, source, request))
        waiter: asyncio.Future[PictureReply] = asyncio.get_running_loop().create_future()
        order.waiters.add(waiter)
        try:
            return await waiter
        finally:
            order.waiters.discard(waiter)
            if not order.waiters and self._queue.get(key) is order:
                del self._queue[key]
                self._forget(order)

    def _key(self, source: KeyframeSource, request: PictureRequest) -> Hashable:
        """What makes two orders the same picture: the keyframe that will be decoded, as far as that is known."""
        if isinstance(source, RecordedKeyframe):
            known_ticks = self._spans.keyframe_ticks(source.path, source.media_ticks)
            ticks = source.media_ticks if known_ticks is None else known_ticks
            return source.path, ticks, _request_identity(request)
        return source.camera, source.time_us, _request_identity(request)

    async def _enqueue(self, order: _Order) -> _Order:
        async with self._wanted:
            # Somebody may have asked for the same while this waited for the lock.
            known = self._orders.get(order.key)
            if known is not None:
                return known
            if len(self._queue) >= self._queue_limit:
                _, dropped = self._queue.popitem(last=False)
                self._forget(dropped)
                dropped.fail(
                    "too busy: newer pictures were asked for first", "ask again, or for fewer pictures"
                )
            self._orders[order.key] = self._queue[order.key] = order
            self._wanted.notify()
        return order

    async def _next(self) -> _Order:
        async with self._wanted:
            await self._wanted.wait_for(lambda: bool(self._queue))
            return self._queue.popitem(last=False)[1]

    # -- one worker ----------------------------------------------------------------------------------------

    async def _serve(self, number: int) -> None:
        """Keep one worker process busy; replace it when it fails, ever more slowly while it keeps failing."""
        pause_s = FIRST_PAUSE_S
        while True:
            order = await self._next_or_idle(number)
            try:
                await self._make(number, order)
                pause_s = FIRST_PAUSE_S
            except WorkerLost as exc:
                what = f"{exc}, while making a picture of {keyframe_name(order.source)}"
                log.warning("%s", what)
                self._forget(order)
                order.fail(what)
                await self._discard(number)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            except asyncio.CancelledError:
                self._forget(order)
                order.fail("the engine is stopping")
                await self._discard(number)
                raise

    async def _next_or_idle(self, number: int) -> _Order:
        """The next order; a worker idle for long is ended while waiting."""
        try:
            if number in self._running:
                try:
                    async with Deadline(self._idle_limit_s):
                        return await self._next()
                except TimeoutError:
                    await self._running.pop(number).close()
            return await self._next()
        except asyncio.CancelledError:
            await self._discard(number)
            raise

    async def _make(self, number: int, order: _Order) -> None:
        """Answer one order. Raises WorkerLost."""
        worker = self._running.get(number)
        if worker is None:
            worker = self._running[number] = await WorkerProcess.start()
        palette_key = (order.source.camera, order.request.colors)
        kept = self._kept_palette(palette_key) if order.request.format is PictureFormat.SIXEL else None
        job = Job(
            source=order.source,
            request=order.request,
            palette=kept.palette if kept else b"",
            palette_error=kept.error if kept else 0.0,
        )
        answer = await worker.answer(job, self._job_limit_s)
        if isinstance(answer, Ready | MotionSeen):
            raise WorkerLost("the picture worker spoke out of turn")
        self._forget(order)
        if isinstance(answer, Done):
            if answer.palette and (kept is None or kept.palette != answer.palette):
                self._keep_palette(palette_key, answer)
            if answer.span is not None and isinstance(order.source, RecordedKeyframe):
                self._spans.learn(order.source.path, answer.span)
            self._cache.put(self._key(order.source, order.request), answer.reply)
            order.succeed(answer.reply)
        else:
            order.fail(f"no picture of {keyframe_name(order.source)}: {answer.what}")

    def _forget(self, order: _Order) -> None:
        """From here on nobody may join it. Always before its waiters are answered."""
        if self._orders.get(order.key) is order:
            del self._orders[order.key]

    async def _discard(self, number: int) -> None:
        worker = self._running.pop(number, None)
        if worker is not None:
            await worker.kill()

    # -- palettes ------------------------------------------------------------------------------------------

    def _kept_palette(self, key: tuple[str, int]) -> _KeptPalette | None:
        kept = self._palettes.get(key)
        if kept is None or self._clock.monotonic_us() - kept.chosen_us > PALETTE_AGE_US:
            return None
        self._palettes.move_to_end(key)
        return kept

    def _keep_palette(self, key: tuple[str, int], answer: Done) -> None:
        self._palettes[key] = _KeptPalette(answer.palette, answer.palette_error, self._clock.monotonic_us())
        self._palettes.move_to_end(key)
        if len(self._palettes) > PALETTE_LIMIT:
            self._palettes.popitem(last=False)


def _request_identity(request: PictureRequest) -> tuple[int | str, ...]:
    """What of a request changes the bytes of its answer; `at_us` is in the keyframe already."""
    if request.format is PictureFormat.JPEG:
        return request.camera, request.format, request.width_px
    return (
        request.camera,
        request.format,
        request.columns,
        request.rows,
        request.cell_width_px,
        request.cell_height_px,
        request.colors,
        request.image_id,
    )

"""Pictures for whoever asks: a bounded queue in front of a few worker processes, with sharing and a cache.

Called by the API on the event loop; owns its tasks and child processes. Recording never depends on it: a worker
that crashes or hangs is replaced, and the only trace is a PictureUnavailable for the picture that did it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from engine.deadline import Deadline
from engine.pictures.cache import PictureCache
from engine.pictures.fit import check_request
from engine.pictures.keyframe import (
    BeyondSegment,
    KeyframeSource,
    RecordedKeyframe,
    Unreadable,
    keyframe_name,
)
from engine.pictures.losses import Losses
from engine.pictures.messages import Beyond, Done, Failed, Job, MotionSeen, Ready
from engine.pictures.process import WorkerLost, WorkerNotStarted, WorkerProcess
from engine.pictures.spans import KnownSpans
from engine.wire import PictureFormat, PictureReply, PictureRequest
from storage.clock import Clock
from storage.errors import PictureUnavailable
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

QUEUE_LIMIT = 64
"""Pictures waiting for a worker. When full the oldest is dropped: its asker has most likely scrolled on."""
JOB_LIMIT_S = 5.0
TURNS_LIMIT = 6
"""A picture far behind its keyframe is decoded for as many times four fifths of JOB_LIMIT_S, others in between; then who wants it asks again."""
IDLE_LIMIT_S = 300.0
"""A worker nobody needs is ended: it holds some 60 MB."""
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0
START_REMEDY = "see how much memory, and how many processes and open files, the engine has left; it tries again by itself"
STOPPING = "the engine is stopping"
DEFECT = "the engine met a defect in making pictures, and begins anew"
SHELF_BYTES = 64 << 20
"""Of all workers together: what they keep of pictures played backwards."""
HOMES_LIMIT = 512
"""Cameras of which is remembered which worker played them last."""
HOME_PATIENCE_US = 250_000
"""An order waits this long for the worker that has its GOP decoded half already; then any may take it."""
PALETTE_LIMIT = 512
"""Palettes remembered; the least recently used go first."""
PALETTE_AGE_US = 600 * US_PER_SECOND


@dataclass(slots=True, eq=False)
class _Order:
    """One picture wanted by one or more callers. Invariant: dropped as soon as `waiters` is empty, unless in work."""

    key: Hashable
    source: KeyframeSource
    request: PictureRequest
    since_us: int = 0
    """Monotonic: when it was wanted."""
    waiters: set[asyncio.Future[PictureReply]] = field(default_factory=set)
    begun_by: int | None = None
    """The worker that has decoded a part of its GOP and goes on from there; any other would begin anew."""
    turns: int = 0
    """Of that worker, so far."""

    def succeed(self, reply: PictureReply) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(reply)

    def fail(self, what: str, remedy: str = "") -> None:
        self.fail_with(lambda: PictureUnavailable(what, remedy))

    def fail_with(self, error: Callable[[], Exception]) -> None:
        """Each waiter gets an error of its own: one raised twice gathers tracebacks."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(error())


_PaletteKey = tuple[str, int, tuple[int, int, int, int] | None]
"""Camera, colours and region: a part of a picture has other colours than the whole."""


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
        self._homes: OrderedDict[str, int] = OrderedDict()
        """Which worker decoded a camera's recording last: it has the decoder where playing goes on."""
        self._palettes: OrderedDict[_PaletteKey, _KeptPalette] = OrderedDict()
        self._losses = Losses(clock)
        self._running: dict[int, WorkerProcess] = {}
        self._starting: set[int] = set()
        self._is_running = False
        self._end_reason = STOPPING
        """Told to those who wait when it ends."""

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
        self._end_reason = STOPPING
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._workers):
                    group.create_task(self._serve(number), name=f"pictures:{number}")
        finally:
            self._is_running = False
            for order in list(self._orders.values()):
                order.fail(self._end_reason)
            self._orders.clear()
            self._queue.clear()

    async def render(self, source: KeyframeSource, request: PictureRequest) -> PictureReply:
        """The picture, from the cache, from an equal request under way, or made now.

        Raises PictureUnavailable (with the reason), InvalidInput, and BeyondSegment for a step out of the file. When the caller is cancelled and nobody else
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
            order = await self._enqueue(_Order(key, source, request, self._clock.monotonic_us()))
        waiter: asyncio.Future[PictureReply] = asyncio.get_running_loop().create_future()
        order.waiters.add(waiter)
        try:
            return await waiter
        finally:
            order.waiters.discard(waiter)
            if not order.waiters and self._queue.get(key) is order:
                del self._queue[key]
                self._forget(order)

    def has_lost(self, source: KeyframeSource, request: PictureRequest) -> bool:
        """A moment ago this ended a worker, and would again."""
        return self._losses.count(source, request) > 0

    def _key(self, source: KeyframeSource, request: PictureRequest) -> Hashable:
        """What makes two orders the same picture: the one that will be decoded, as far as that is known."""
        if not isinstance(source, RecordedKeyframe):
            return source.camera, source.time_us, _request_identity(request)
        ticks = source.media_ticks
        if not request.step:
            known_ticks = self._spans.keyframe_ticks(source.path, ticks, exact=request.exact)
            ticks = ticks if known_ticks is None else known_ticks
        return source.path, ticks, _request_identity(request)

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
            self._wanted.notify_all()
        return order

    async def _next(self, number: int) -> _Order:
        async with self._wanted:
            while (order := self._chosen(number)) is None:
                try:
                    # With orders kept for another worker in the queue: look again when their patience is over.
                    async with Deadline(
                        HOME_PATIENCE_US / US_PER_SECOND if self._queue else self._idle_limit_s
                    ):
                        await self._wanted.wait()
                except TimeoutError:
                    if not self._queue and number in self._running:
                        raise
            return order

    def _chosen(self, number: int) -> _Order | None:
        """The oldest order for this worker: any, but those of a recording that another one is playing, unless they waited long."""
        now_us = self._clock.monotonic_us()
        for key, order in self._queue.items():
            if order.begun_by is not None and order.begun_by != number and order.begun_by in self._running:
                continue
            home = self._homes.get(order.source.camera) if order.request.exact else None
            if (
                home in (None, number)
                or home not in self._running
                or now_us - order.since_us > HOME_PATIENCE_US
            ):
                del self._queue[key]
                return order
        return None

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
                if isinstance(exc, WorkerNotStarted):
                    order.fail(what, START_REMEDY)
                else:
                    order.fail(what, self._losses.add(order.source, order.request))
                if isinstance(exc, WorkerNotStarted) and not self._running and not self._starting:
                    self._fail_waiting(str(exc), START_REMEDY)
                await self._discard(number)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            except (
                BaseException
            ) as exc:  # an orderly stop, or a defect: nobody is left waiting, and no process
                if not isinstance(exc, asyncio.CancelledError):
                    self._end_reason = DEFECT
                self._forget(order)
                order.fail(self._end_reason)
                await self._discard(number)
                raise

    def _fail_waiting(self, what: str, remedy: str) -> None:
        """They would wait for a worker that does not come; those who ask later wait for the next try."""
        while self._queue:
            _, order = self._queue.popitem(last=False)
            self._forget(order)
            order.fail(what, remedy)

    async def _next_or_idle(self, number: int) -> _Order:
        """The next order; a worker idle for long is ended while waiting."""
        while True:
            try:
                return await self._next(number)
            except TimeoutError:
                await self._running.pop(number).close()
            except asyncio.CancelledError:
                await self._discard(number)
                raise

    async def _make(self, number: int, order: _Order) -> None:
        """Answer one order. Raises WorkerLost."""
        worker = self._running.get(number)
        if worker is None:
            self._starting.add(number)
            try:
                worker = await WorkerProcess.start(SHELF_BYTES // self._workers)
            finally:
                self._starting.discard(number)
            self._running[number] = worker
        if order.request.exact:
            self._make_home(order.source.camera, number)
        palette_key = (order.source.camera, order.request.colors, order.request.region)
        kept = self._kept_palette(palette_key) if order.request.format is PictureFormat.SIXEL else None
        job = Job(
            source=order.source,
            request=order.request,
            palette=kept.palette if kept else b"",
            palette_error=kept.error if kept else 0.0,
            left_out=self._losses.count(order.source, order.request) if order.request.step else 0,
            limit_ms=round(self._job_limit_s * 800),
        )
        answer = await worker.answer(job, self._job_limit_s)
        if isinstance(answer, Ready | MotionSeen):
            raise WorkerLost("the picture worker spoke out of turn")
        if isinstance(answer, Failed) and answer.is_late and self._goes_on(number, order):
            return
        self._forget(order)
        if isinstance(answer, Done):
            if answer.palette and (kept is None or kept.palette != answer.palette):
                self._keep_palette(palette_key, answer)
            if answer.span is not None and isinstance(order.source, RecordedKeyframe):
                self._spans.learn(order.source.path, answer.span, exact=order.request.exact)
            if not answer.reply.notice:
                self._cache.put(self._key(order.source, order.request), answer.reply)
            order.succeed(answer.reply)
        elif isinstance(answer, Beyond):
            order.fail_with(BeyondSegment)
        else:
            what, remedy = f"no picture of {keyframe_name(order.source)}: {answer.what}", answer.remedy
            kind = PictureUnavailable if answer.is_late else Unreadable
            order.fail_with(lambda: kind(what, remedy))

    def _goes_on(self, number: int, order: _Order) -> bool:
        """Behind those who came meanwhile, as long as somebody waits; its worker keeps what it has of the GOP."""
        order.begun_by, order.turns = number, order.turns + 1
        if not order.waiters or order.turns >= TURNS_LIMIT:
            return False
        self._queue[order.key] = order
        return True

    def _forget(self, order: _Order) -> None:
        """From here on nobody may join it. Always before its waiters are answered."""
        if self._orders.get(order.key) is order:
            del self._orders[order.key]

    def _make_home(self, camera: str, number: int) -> None:
        self._homes[camera] = number
        self._homes.move_to_end(camera)
        if len(self._homes) > HOMES_LIMIT:
            self._homes.popitem(last=False)

    async def _discard(self, number: int) -> None:
        worker = self._running.pop(number, None)
        if worker is not None:
            await worker.kill()

    # -- palettes ------------------------------------------------------------------------------------------

    def _kept_palette(self, key: _PaletteKey) -> _KeptPalette | None:
        kept = self._palettes.get(key)
        if kept is None or self._clock.monotonic_us() - kept.chosen_us > PALETTE_AGE_US:
            return None
        self._palettes.move_to_end(key)
        return kept

    def _keep_palette(self, key: _PaletteKey, answer: Done) -> None:
        self._palettes[key] = _KeptPalette(answer.palette, answer.palette_error, self._clock.monotonic_us())
        self._palettes.move_to_end(key)
        if len(self._palettes) > PALETTE_LIMIT:
            self._palettes.popitem(last=False)


def _request_identity(request: PictureRequest) -> tuple[Hashable, ...]:
    """What of a request changes the bytes of its answer; `at_us` is in the keyframe already."""
    frame = (request.camera, request.format, request.exact, request.step, request.region, request.is_rough)
    if request.format is PictureFormat.JPEG:
        return *frame, request.width_px
    return (
        *frame,
        request.columns,
        request.rows,
        request.cell_width_px,
        request.cell_height_px,
        request.colors,
        request.image_id,
        request.strip_rows,
    )

"""Searching in footage: what went on along the timeline, and motion in a region. Searches run in the engine and are asked after.

Every caller has their own; a search that nobody asks after is forgotten, and ended if it still runs. Loop only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from uuid import UUID, uuid4

from engine.api import live_tail
from engine.api.permissions import Caller, Role
from engine.catalog_access import CatalogAccess
from engine.deadline import Deadline
from engine.search.activity import Bins, Histogram
from engine.search.decoded import SearchWorker
from engine.search.motion_search import RunningSearch
from engine.search.region import cells_in
from engine.search.stored import newest, on_disk, span_of
from engine.supervise import Sleep, attempt
from engine.wire_search import ActivityQuery, ActivityView, MotionSearch, MotionSearchView, SearchState
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import MotionLook
from storage.catalog.records import Camera, Segment
from storage.clock import Clock
from storage.errors import CatalogDamaged, Conflict, InvalidInput, NotFound, SegmentDamaged
from storage.units import US_PER_DAY, US_PER_SECOND, Interval, merged

SEARCHES_LIMIT = 16
"""Kept, running or not."""
RUNNING_A_CALLER = 8
LEFT_US = 90 * US_PER_SECOND
"""A search that runs and that nobody asked after for so long has lost its caller: it is ended."""
FORGET_US = 600 * US_PER_SECOND
ROUND_S = 15.0
STORED_LIMIT_S = 15.0
"""How long the first answer may wait for the search in what was stored."""
ACTIVITIES_AT_ONCE = 2
"""Each may hold a month of segments; the others wait, and are dropped when their caller leaves."""
ACTIVITY_LIMIT_US = 32 * US_PER_DAY
SEARCH_LIMIT_US = 366 * US_PER_DAY
PLACES_LIMIT = 400
"""Segments read group by group for one histogram; of more, the segments are told apart, not what is in them."""

Recent = Callable[[UUID], Sequence[MotionLook]]
"""Looks of a camera not in the catalog yet: engine.motion_index.MotionIndex.recent."""


@dataclass(frozen=True, slots=True)
class _Footage:
    catalog: CatalogAccess
    recording: live_tail.Tails


class FootageSearch:
    """`run` for ever."""

    def __init__(
        self,
        catalog: CatalogAccess,
        recording: live_tail.Tails,
        recent: Recent,
        clock: Clock,
        files: Executor,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._footage = _Footage(catalog, recording)
        self._recent = recent
        self._clock = clock
        self._files = files
        self._sleep = sleep
        self._searches: dict[str, RunningSearch] = {}
        self._worker = SearchWorker(sleep)
        self._activity_turn = asyncio.Semaphore(ACTIVITIES_AT_ONCE)
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                while True:
                    await self._sleep(ROUND_S)
                    self._forget_old()
                    if not any(each.state is SearchState.RUNNING for each in self._searches.values()):
                        await self._worker.rest()
        finally:
            self._tasks = None
            for search in self._searches.values():
                search.end(SearchState.FAILED, "searching was begun anew: search again")
            await self._worker.rest()

    def _forget_old(self) -> None:
        now_us = self._clock.monotonic_us()
        for id, search in list(self._searches.items()):
            if now_us - search.asked_us > FORGET_US:
                self._drop(id)
            elif search.state is SearchState.RUNNING and now_us - search.asked_us > LEFT_US:
                search.end(SearchState.CANCELLED, "nobody asked after it for a minute and a half")
                if search.task is not None:
                    search.task.cancel()

    def _drop(self, id: str) -> None:
        search = self._searches.pop(id)
        if search.task is not None:
            search.task.cancel()

    # -- motion in a region ------------------------------------------------------------------------------------

    async def begin(self, camera: Camera, search: MotionSearch, caller: Caller) -> MotionSearchView:
        """Raises InvalidInput, Conflict."""
        if not 0 < search.start_us < search.end_us:
            raise InvalidInput("the search ends at or before its start", "exchange the two times")
        if search.end_us - search.start_us > SEARCH_LIMIT_US:
            raise InvalidInput("a search covers at most 366 days", "search in parts")
        cells = cells_in(search.polygon)
        if search.min_cells > cells.bit_count():
            raise InvalidInput(
                f"$.min_cells: the polygon has {cells.bit_count()} cells, {search.min_cells} are asked for",
                "ask for fewer",
            )
        if self._tasks is None:
            raise Conflict("the engine stops, or begins, to search", "try again in a moment")
        self._check_share(caller)
        self._make_room()
        running = RunningSearch(
            uuid4().hex,
            caller.name,
            camera,
            search,
            cells,
            footage=self._footage,
            recent=self._recent(camera.uuid),
            files=self._files,
            worker=self._worker,
        )
        running.asked_us = self._clock.monotonic_us()
        self._searches[running.id] = running
        running.task = self._tasks.create_task(_ended(running), name=f"motion search {running.id}")
        try:
            async with Deadline(STORED_LIMIT_S):
                await running.has_read_stored.wait()
                if not running.is_decoding:
                    await asyncio.wait([running.task])
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            # Its caller left without its id: nobody can ask after it.
            if running.id in self._searches:
                self._drop(running.id)
            raise
        return running.view()

    def _check_share(self, caller: Caller) -> None:
        """Searches of one caller leave the others theirs. Raises Conflict."""
        running = [
            each
            for each in self._searches.values()
            if each.owner == caller.name and each.state is SearchState.RUNNING
        ]
        if len(running) >= RUNNING_A_CALLER:
            raise Conflict(
                f"{len(running)} motion searches of {caller.name} are running, which is as many as one caller has",
                "wait for one of them, or cancel it",
            )

    def _make_room(self) -> None:
        while len(self._searches) >= SEARCHES_LIMIT:
            ended = [each for each in self._searches.values() if each.state is not SearchState.RUNNING]
            if not ended:
                raise Conflict(
                    f"{SEARCHES_LIMIT} motion searches are running", "wait for one of them, or cancel it"
                )
            self._drop(min(ended, key=lambda each: each.asked_us).id)

    async def view(self, id: str, caller: Caller, wait_ms: int = 0) -> MotionSearchView:
        """Raises NotFound."""
        search = self._search(id, caller)
        search.asked_us = self._clock.monotonic_us()
        if wait_ms and search.state is SearchState.RUNNING and not search.has_news:
            try:
                async with Deadline(wait_ms / 1000):
                    await search.news.wait()
            except TimeoutError:
                pass
        return search.view()

    def cancel(self, id: str, caller: Caller) -> None:
        """Raises NotFound."""
        search = self._search(id, caller)
        search.end(SearchState.CANCELLED)
        if search.task is not None:
            search.task.cancel()

    def _search(self, id: str, caller: Caller) -> RunningSearch:
        search = self._searches.get(id)
        if search is None or (caller.name != search.owner and caller.role is not Role.ADMINISTRATOR):
            raise NotFound(
                f"no motion search {id}", "it was forgotten, ten minutes after it was asked for last"
            )
        return search

    # -- activity ----------------------------------------------------------------------------------------------

    async def activity(self, camera: Camera, query: ActivityQuery) -> ActivityView:
        """Raises InvalidInput."""
        start_us, end_us = query.start_us, query.end_us
        if not start_us < end_us:
            raise InvalidInput("the stretch of time ends at or before its start", "exchange the two times")
        if end_us - start_us > ACTIVITY_LIMIT_US:
            raise InvalidInput("a histogram covers at most 32 days", "ask for a shorter stretch")
        async with self._activity_turn:
            return await self._activity(camera, query)

    async def _activity(self, camera: Camera, query: ActivityQuery) -> ActivityView:
        start_us, end_us = query.start_us, query.end_us
        catalog = self._footage.catalog
        loop = asyncio.get_running_loop()
        segments = await self._segments(camera, Interval(start_us, end_us))
        histogram = Histogram(Bins(start_us, end_us, query.bins))
        await self._add_motion(histogram, camera, Interval(start_us, end_us), _recorded(segments))
        coarse = [segment for segment in segments if histogram.wants_places(segment)]
        places: dict[int, bytes] = {}
        if 0 < len(coarse) <= PLACES_LIMIT:
            places = await catalog.read("keyframes_of", [segment.id for segment in coarse])
        await loop.run_in_executor(self._files, _add_sizes, histogram, segments, places)
        bars, seen = histogram.bars()
        return ActivityView(camera=camera.name, start_us=start_us, end_us=end_us, bins=bars, seen=seen)

    async def _segments(self, camera: Camera, asked: Interval) -> list[Segment]:
        """By start; read day by day: nobody waits for a month of rows."""
        found: dict[int, Segment] = {}
        for day in _days(asked):
            rows: list[Segment] = await live_tail.segments(
                self._footage, [camera.id], day.start_us, day.end_us
            )
            found.update((row.id, row) for row in rows)
        return sorted(found.values(), key=lambda row: row.start_us)

    async def _add_motion(
        self, histogram: Histogram, camera: Camera, asked: Interval, recorded: Sequence[Interval]
    ) -> None:
        """Day by day, so that neither the catalog is held nor memory filled by a month of them."""
        catalog, loop = self._footage.catalog, asyncio.get_running_loop()
        recent = self._recent(camera.uuid)
        around: list[MotionBlock] = []
        if (span := span_of(recent)) is not None and span.overlaps(asked):
            around = await catalog.read("motion_blocks", camera.id, span.start_us, span.end_us)
        known = await loop.run_in_executor(self._files, newest, recent, around)
        for day in _days(asked):
            blocks: list[MotionBlock] = await catalog.read(
                "motion_blocks", camera.id, day.start_us, day.end_us, has_looks=histogram.reads_looks
            )
            own = [
                block
                for block in blocks
                # One that reaches over from the day before was there.
                if not known.holds(block)
                and (block.start_us >= day.start_us or day.start_us == asked.start_us)
            ]
            await loop.run_in_executor(self._files, _add_blocks, histogram, own)
        histogram.add_looks(on_disk(known.looks, recorded))


async def _ended(search: RunningSearch) -> None:
    """A defect over one search's footage is that search's end, not that of all."""
    error = await attempt(f"motion search {search.id}", search.run)
    if error is not None:
        search.end(SearchState.FAILED, str(error))


def _recorded(segments: Iterable[Segment]) -> list[Interval]:
    return merged([Interval(each.start_us, each.end_us) for each in segments if each.end_us > each.start_us])


def _days(asked: Interval) -> Iterator[Interval]:
    for start_us in range(asked.start_us, asked.end_us, US_PER_DAY):
        yield Interval(start_us, min(start_us + US_PER_DAY, asked.end_us))


def _add_blocks(histogram: Histogram, blocks: Iterable[MotionBlock]) -> None:
    for block in blocks:
        try:
            histogram.add_block(block)
        except CatalogDamaged:
            continue  # the sizes say something there


def _add_sizes(histogram: Histogram, segments: Sequence[Segment], places: dict[int, bytes]) -> None:
    histogram.add_recorded(_recorded(segments))
    for segment in segments:
        try:
            histogram.add_segment(segment, places.get(segment.id, b""))
        except SegmentDamaged:
            histogram.add_segment(segment)

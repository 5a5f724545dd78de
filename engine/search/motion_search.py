"""One motion search on its way: first all that was stored, then, where nothing was, keyframe by keyframe. Loop only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor

from engine.api import live_tail
from engine.search.decoded import SearchWorker, StretchDecoder
from engine.search.hits import Stretches
from engine.search.stored import (
    WINDOW_US,
    Newest,
    Pass,
    add_looks,
    missing,
    newest,
    on_disk,
    search_blocks,
    span_of,
    split_looks,
)
from engine.wire_search import MotionDecoding, MotionHit, MotionSearch, MotionSearchView, SearchState
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import MotionLook
from storage.catalog.records import Camera
from storage.errors import WatchdeckError
from storage.units import US_PER_SECOND, Interval

STORED_SHARE = 0.1
"""Of the progress, when there is something to decode."""


class RunningSearch:
    """`run` once; `view` at any time. `news` is set, and replaced, whenever there is something new to tell."""

    def __init__(
        self,
        id: str,
        owner: str,
        camera: Camera,
        asked: MotionSearch,
        cells: int,
        *,
        footage: live_tail.LiveFootage,
        recent: Sequence[MotionLook],
        files: Executor,
        worker: SearchWorker,
    ) -> None:
        self.id = id
        self.owner = owner
        self.asked_us = 0
        """Monotonic, for last; kept by who keeps the searches."""
        self.news = asyncio.Event()
        self.has_read_stored = asyncio.Event()
        self.is_decoding = False
        """It is in no hurry to end."""
        self.state = SearchState.RUNNING
        self.trouble = ""
        self.task: asyncio.Task[None] | None = None
        self._camera = camera
        self._asked = asked
        self._cells = cells
        self._footage = footage
        self._recent = recent
        self._files = files
        self._worker = worker
        self._range = Interval(asked.start_us, asked.end_us)
        self._found = Stretches(
            round(asked.join_s * US_PER_SECOND), round(asked.min_length_s * US_PER_SECOND)
        )
        self._damaged: list[Interval] = []
        self._is_cut = False
        self._progress = 0.0
        self._news_count = self._told_count = 0
        self._stored_looks = self._decoded_looks = self._unseen_us = 0

    # -- what is told ------------------------------------------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Something was found since the last view."""
        return self._news_count != self._told_count

    def view(self) -> MotionSearchView:
        self._told_count = self._news_count
        hits, is_more = self._found.hits(self._asked.limit)
        return MotionSearchView(
            id=self.id,
            camera=self._camera.name,
            start_us=self._range.start_us,
            end_us=self._range.end_us,
            state=self.state,
            progress=1.0 if self.state is SearchState.DONE else round(min(self._progress, 0.999), 3),
            hits=hits,
            is_cut=self._is_cut or is_more,
            stored_looks=self._stored_looks,
            decoded_looks=self._decoded_looks,
            unseen_us=self._unseen_us,
            trouble=self.trouble,
        )

    def end(self, state: SearchState, trouble: str = "") -> None:
        """Once; what comes later changes nothing."""
        if self.state is SearchState.RUNNING:
            self.state, self.trouble = state, trouble
            self.has_read_stored.set()
            self._tell()

    def _tell(self) -> None:
        self._news_count += 1
        news, self.news = self.news, asyncio.Event()
        news.set()

    # -- the search --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ends in one of the states; raises only CancelledError and defects."""
        try:
            await self._search()
        except WatchdeckError as error:
            self.end(SearchState.FAILED, str(error))
        except asyncio.CancelledError:
            self.end(SearchState.CANCELLED)
            raise
        self.end(SearchState.DONE)

    async def _search(self) -> None:
        ids = [self._camera.id]
        recorded = (
            await live_tail.coverage(self._footage, ids, self._range.start_us, self._range.end_us)
        ).get(self._camera.id, [])
        seen: list[Interval] = []
        if self._asked.decoding is not MotionDecoding.ALWAYS:
            seen = await self._search_stored(recorded)
        unknown = missing(recorded, seen, self._damaged)
        hits, is_more = self._found.hits(self._asked.limit)
        if is_more or self._found.is_full:
            self._is_cut = True
            reached_us = hits[-1].end_us if is_more else self._range.end_us
            unknown = [each for each in unknown if each.start_us < reached_us]
        if self._asked.decoding is MotionDecoding.NEVER:
            self._unseen_us = sum(each.duration_us for each in unknown)
            unknown = []
        self.is_decoding = bool(unknown)
        self.has_read_stored.set()
        self._tell()
        if unknown:
            await self._decode(unknown)

    async def _search_stored(self, recorded: Sequence[Interval]) -> list[Interval]:
        """From what is in the catalog, and in memory on its way there; returns what somebody looked at."""
        seen: list[Interval] = []
        loop = asyncio.get_running_loop()
        around: list[MotionBlock] = []
        if (span := span_of(self._recent)) is not None:
            around = await self._blocks(span)
        known = await loop.run_in_executor(self._files, newest, self._recent, around)
        async for window in self._windows(recorded):
            blocks = [block for block in await self._blocks(window) if not known.holds(block)]
            if blocks:
                self._take(
                    await loop.run_in_executor(
                        self._files, search_blocks, blocks, window, self._cells, self._asked.min_cells
                    ),
                    seen,
                )
            if self._found.is_full:
                self._found.drop_short(window.end_us)
            if self._found.is_full or self._found.hits(self._asked.limit)[1]:
                seen.append(Interval(window.end_us, self._range.end_us))
                break
        else:
            self._take(self._of_newest(known, recorded), seen)
        return sorted(seen)

    async def _windows(self, recorded: Sequence[Interval]) -> AsyncIterator[Interval]:
        """The range in steps, without those in which nothing is recorded."""
        start_us, place = self._range.start_us, 0
        while start_us < self._range.end_us:
            while place < len(recorded) and recorded[place].end_us <= start_us:
                place += 1
            if place == len(recorded):
                return
            start_us = max(start_us, recorded[place].start_us)
            end_us = min(start_us + WINDOW_US, self._range.end_us)
            yield Interval(start_us, end_us)
            self._progress = STORED_SHARE * (end_us - self._range.start_us) / self._range.duration_us
            start_us = end_us

    async def _blocks(self, stretch: Interval) -> list[MotionBlock]:
        found: list[MotionBlock] = await self._footage.catalog.read(
            "motion_blocks", self._camera.id, stretch.start_us, stretch.end_us
        )
        return found

    def _of_newest(self, known: Newest, recorded: Sequence[Interval]) -> Pass:
        found = Pass(damaged=known.damaged)
        for part in split_looks(on_disk(known.looks, recorded)):
            found.seen.append(Interval(part[0].time_us, part[-1].time_us))
            add_looks(found, part, self._range, self._cells, self._asked.min_cells)
        return found

    def _take(self, found: Pass, seen: list[Interval]) -> None:
        self._stored_looks += found.looks
        seen += found.seen
        self._damaged += found.damaged
        for moment in found.moments:
            self._found.add(*moment)

    async def _decode(self, unknown: Sequence[Interval]) -> None:
        decoder = StretchDecoder(
            self._footage,
            self._worker,
            self._camera,
            self._cells,
            self._asked.min_cells,
            self._asked.sensitivity,
        )
        whole_us = sum(each.duration_us for each in unknown)
        before_us = 0
        for stretch in unknown:
            async for step in decoder.steps(stretch):
                self._decoded_looks += step.looks
                self._unseen_us += step.unseen_us
                done_us = (
                    before_us + min(max(step.until_us, stretch.start_us), stretch.end_us) - stretch.start_us
                )
                self._progress = max(self._progress, STORED_SHARE + (1 - STORED_SHARE) * done_us / whole_us)
                if step.moment is not None:
                    self._found.add(*step.moment)
                    if self._is_past_limit(step.until_us):
                        self._is_cut = True
                        return
                    self._tell()
            before_us += stretch.duration_us

    def _is_past_limit(self, time_us: int) -> bool:
        """All that may be told was found before that time."""
        if self._found.is_full:
            self._found.drop_short(time_us)
        if self._found.is_full:
            return True
        if len(self._found) <= self._asked.limit:
            return False
        hits: tuple[MotionHit, ...]
        hits, is_more = self._found.hits(self._asked.limit)
        return is_more and hits[-1].end_us < time_us

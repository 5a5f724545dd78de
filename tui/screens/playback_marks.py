"""What stands above the bar of the camera in front: activity, events, bookmarks. Asked for the times in sight with a margin; the newest wish wins.

Bounded: at most EVENT_PAGES pages of events and one of bookmarks for a window; what is beyond is said in `trouble`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from functools import partial

from engine import wire
from engine.client import WatchdeckError
from engine.wire_bookmarks import BookmarkQuery
from tui.event_signs import EVENT_TYPES, EVENT_US, OTHER, EventType, event_type
from tui.screens.view import View
from tui.work import is_under_way, start
from widgets.format import SECOND_US
from widgets.playback_timeline import PlaybackTimeline
from widgets.timeline_marks import Tag, TimelineMarks

DEBOUNCE_S = 0.15
FRESH_US = 10 * SECOND_US
"""Near the present it is asked for again after this."""
MARKS = "marks"
"""Group of the workers that ask for them."""
EVENT_PAGE = 1_000
EVENT_PAGES = 3
BOOKMARKS = 1_000
MOST_BINS = 2_000
SEARCH_US = 24 * 3600 * SECOND_US
"""First stretch in which the next event is looked for; doubled until one is found."""


class MarksFeed:
    """Fetches for one PlaybackTimeline of one view. Event-loop thread only."""

    def __init__(self, view: View, timeline: PlaybackTimeline) -> None:
        self._view = view
        self._timeline = timeline
        self._camera = ""
        self._loaded: tuple[int, int] | None = None
        self._asked_us = 0
        self._asking: tuple[str, int, int] | None = None
        self._marks = TimelineMarks()
        self._events: tuple[wire.EventView, ...] = ()
        self._hits: dict[str, tuple[tuple[int, int], ...]] = {}
        self.words: frozenset[str] | None = None
        """Types shown, by their words; None = all."""
        self.trouble = ""
        """What is not shown, and why."""

    # -- what the view says ------------------------------------------------------------------------------

    def want(self, camera: str) -> None:
        """The timeline shows these times now, and this camera is in front."""
        timeline = self._timeline
        start_us, end_us = timeline.start_us, timeline.end_us
        if camera != self._camera:
            self._camera, self._loaded, self._events = camera, None, ()
            self._marks = TimelineMarks()
            self._draw()
        loaded = self._loaded
        is_loaded = loaded is not None and loaded[0] <= start_us and end_us <= loaded[1]
        is_same_scale = loaded is not None and loaded[1] - loaded[0] <= 4 * timeline.span_us
        if not camera or (is_loaded and is_same_scale and not self._is_old(end_us)):
            return
        asking = (camera, start_us, end_us)
        if asking == self._asking and is_under_way(self._view, MARKS):
            return  # the next tick does not end the question of this one
        self._asking = asking
        start(self._view, partial(self._fetch, camera, start_us, end_us), MARKS)

    def again(self) -> None:
        """Something of it changed: a bookmark, the filter of the engine's."""
        self._loaded = self._asking = None
        self.want(self._camera)

    def _is_old(self, end_us: int) -> bool:
        return end_us > self._asked_us and self._view.desk.mirror.now_us - self._asked_us > FRESH_US

    def filter(self, words: frozenset[str] | None) -> None:
        """Show only these types of events."""
        self.words = words
        self._draw()

    def set_hits(self, camera: str, hits: tuple[tuple[int, int], ...]) -> None:
        """What a motion search found in a camera: [start_us, end_us), drawn bright until others are set; () = none."""
        self._hits = {camera: hits} if hits else {}
        self._draw()

    # -- what is known -----------------------------------------------------------------------------------

    def types_in_view(self, *, with_hidden: bool = False) -> list[tuple[EventType, int]]:
        """Types of the events in sight, with how many of each; the most first."""
        timeline = self._timeline
        count = Counter(
            event_type(event.kind)
            for event in self._events
            if timeline.start_us <= event.time_us < timeline.end_us
            and (with_hidden or self._is_wanted(event))
        )
        return sorted(count.items(), key=lambda item: (-item[1], item[0].word))

    def _is_wanted(self, event: wire.EventView) -> bool:
        return self.words is None or event_type(event.kind).word in self.words

    def event_at(self, time_us: int) -> wire.EventView | None:
        """The newest event that began at most 10 s before, of those shown."""
        fitting = [
            event
            for event in self._events
            if event.time_us <= time_us < event.time_us + EVENT_US and self._is_wanted(event)
        ]
        return max(fitting, key=lambda event: event.time_us, default=None)

    # -- fetching ----------------------------------------------------------------------------------------

    async def _fetch(self, camera: str, start_us: int, end_us: int) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        mirror = self._view.desk.mirror
        if not mirror.is_connected:
            return
        span_us = end_us - start_us
        first_us, last_us = max(start_us - span_us, 0), end_us + span_us
        asked_us = mirror.now_us
        async with asyncio.TaskGroup() as group:
            asked = (
                group.create_task(self._activity(camera, first_us, last_us)),
                group.create_task(self._events_of(camera, first_us, last_us)),
                group.create_task(self._bookmarks(camera, first_us, last_us)),
            )
        activity, events, bookmarks = asked[0].result(), asked[1].result(), asked[2].result()
        self._loaded, self._asked_us = (first_us, last_us), asked_us
        self._events = events or ()
        self._marks = TimelineMarks(
            activity=activity or (),
            activity_start_us=first_us,
            activity_end_us=last_us,
            bookmarks=bookmarks or (),
        )
        troubles = [
            name
            for name, found in (("activity", activity), ("events", events), ("bookmarks", bookmarks))
            if found is None
        ]
        self.trouble = f"not shown: {', '.join(troubles)}" if troubles else ""
        if len(self._events) >= EVENT_PAGE * EVENT_PAGES:
            self.trouble = f"the newest {EVENT_PAGE * EVENT_PAGES:,} events only (+ shows less time)"
        self._draw()

    async def _activity(self, camera: str, start_us: int, end_us: int) -> tuple[int, ...] | None:
        bins = min(3 * self._timeline.cells, MOST_BINS)
        try:
            return (await self._view.desk.client.activity(camera, start_us, end_us, bins)).bins
        except WatchdeckError:
            return None

    async def _events_of(self, camera: str, start_us: int, end_us: int) -> tuple[wire.EventView, ...] | None:
        """In the order of time."""
        found: list[wire.EventView] = []
        before_id: int | None = None
        try:
            for _ in range(EVENT_PAGES):
                page = await self._view.desk.client.events(
                    limit=EVENT_PAGE,
                    before_id=before_id,
                    source=camera,
                    start_us=start_us - EVENT_US,
                    end_us=end_us,
                )
                found.extend(page)
                if len(page) < EVENT_PAGE:
                    break
                before_id = page[-1].id
        except WatchdeckError:
            return None
        return tuple(sorted(found, key=lambda event: event.time_us))

    async def _bookmarks(self, camera: str, start_us: int, end_us: int) -> tuple[tuple[int, int], ...] | None:
        query = BookmarkQuery(camera=camera, start_us=start_us, end_us=end_us, limit=BOOKMARKS)
        try:
            page = await self._view.desk.client.bookmarks(query)
        except WatchdeckError:
            return None
        # The query takes part of a name.
        return tuple((each.start_us, each.end_us) for each in page.bookmarks if each.camera == camera)

    def _draw(self) -> None:
        tags = tuple(
            Tag(event.time_us, event.time_us + EVENT_US, kind.sign, kind.tone)
            for event in self._events
            if self._is_wanted(event)
            for kind in (event_type(event.kind),)
        )
        hits = self._hits.get(self._camera, ())
        self._timeline.set_marks(replace(self._marks, tags=tags, hits=hits))

    # -- next and previous event -------------------------------------------------------------------------

    async def find_event(self, camera: str, from_us: int, direction: int) -> int | None:
        """When the nearest event of the types shown began, after (1) or before (-1) a time; None = there is none. Raises WatchdeckError."""
        return await (self._after(camera, from_us) if direction > 0 else self._before(camera, from_us))

    def _kinds(self) -> tuple[str, ...]:
        """What the engine is asked for; () = all, to be sifted here."""
        if self.words is None or OTHER.word in self.words:
            return ()
        return tuple(each.kind for each in EVENT_TYPES if each.word in self.words)

    async def _before(self, camera: str, from_us: int) -> int | None:
        before_id: int | None = None
        while True:
            page = await self._view.desk.client.events(
                limit=EVENT_PAGE, before_id=before_id, source=camera, end_us=from_us, kinds=self._kinds()
            )
            times = [event.time_us for event in page if self._is_wanted(event)]
            if times:
                return max(times)
            if len(page) < EVENT_PAGE:
                return None
            before_id = page[-1].id

    async def _after(self, camera: str, from_us: int) -> int | None:
        """In growing stretches: pages come newest first, and the nearest is the oldest."""
        now_us = self._view.desk.mirror.now_us
        start_us, reach_us = from_us + 1, SEARCH_US
        while start_us <= now_us:
            page = await self._view.desk.client.events(
                limit=EVENT_PAGE,
                source=camera,
                start_us=start_us,
                end_us=start_us + reach_us,
                kinds=self._kinds(),
            )
            if len(page) == EVENT_PAGE and reach_us > SECOND_US:
                reach_us = max(reach_us // 8, SECOND_US)  # the nearest may be among those that were cut
                continue
            times = [event.time_us for event in page if self._is_wanted(event)]
            if times:
                return min(times)
            start_us += reach_us
            reach_us *= 2
        return None

"""Rows of the alarm list from the engine, a window at a time. Nothing here holds the whole list.

`filter`, `is_grouped` and the words are the view's; the list is asked to `invalidate` after they change.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import msgspec

from engine.client import WatchdeckError
from engine.wire_alarms import AlarmFilter, AlarmPage, AlarmPlaceQuery, AlarmQuery, AlarmView
from tui.connection import Client
from widgets.line_source import Line, SourceUnavailable
from widgets.line_window import PAGE_ROWS

T = TypeVar("T")
GROUPS_KEPT = 4_096
"""Of which the newest alarm is remembered."""


class AlarmSource:
    """A `LineSource`. The page that was looked at last comes with the count, so that a refresh costs two or three calls."""

    def __init__(
        self,
        client: Callable[[], Client],
        write: Callable[[AlarmView], Line],
        newest_id: Callable[[], int],
        on_trouble: Callable[[WatchdeckError], None],
    ) -> None:
        """
        Args:
            write: makes the row of an alarm.
            newest_id: of all alarms the console has heard of.
            on_trouble: says why there are no rows.
        """
        self._client = client
        self._write = write
        self._newest_id = newest_id
        self._on_trouble = on_trouble
        self.filter = AlarmFilter()
        self.is_grouped = False
        self.seen_id = 0
        """The newest alarm when the list was asked last: what is marked as a whole ends with it."""
        self._at = 0
        self._ready: tuple[int, AlarmPage] | None = None
        self._groups: OrderedDict[Hashable, int] = OrderedDict()

    def group_id(self, key: Hashable) -> int | None:
        """The newest alarm seen of a group."""
        return self._groups.get(key)

    def note_groups(self, newest: Iterable[AlarmView]) -> None:
        """The newest alarm of each of these groups is known."""
        for alarm in newest:
            self._groups[(alarm.kind, alarm.source)] = alarm.id
            self._groups.move_to_end((alarm.kind, alarm.source))
        while len(self._groups) > GROUPS_KEPT:
            self._groups.popitem(last=False)

    async def _ask(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except WatchdeckError as error:
            self._on_trouble(error)
            raise SourceUnavailable from error

    async def _page(self, start: int, length: int) -> AlarmPage:
        fields = msgspec.structs.asdict(self.filter)
        query = AlarmQuery(**fields, grouped=self.is_grouped, offset=start, limit=length)
        page = await self._ask(self._client().alarms(query))
        if self.is_grouped:
            self.note_groups(page.alarms)
        return page

    async def count(self) -> int:
        """Rows of the whole list; the page in sight comes along."""
        newest_id = self._newest_id()
        page = await self._page(self._at, PAGE_ROWS)
        self._ready = (self._at, page)
        self.seen_id = max(newest_id, max((alarm.id for alarm in page.alarms), default=0))
        return page.total

    async def window(self, start: int, length: int) -> Sequence[Line]:
        """A page of rows."""
        ready, self._ready = self._ready, None
        if ready is not None:
            self._at = start  # the first after the count is the page in sight
        if ready is not None and ready[0] == start and length == PAGE_ROWS:
            page = ready[1]
        else:
            page = await self._page(start, length)
        return [self._write(alarm) for alarm in page.alarms]

    async def index_of(self, key: Hashable) -> int | None:
        """Where an alarm, or a group, is now."""
        id = self.group_id(key) if self.is_grouped else key
        if not isinstance(id, int):
            return None
        fields = msgspec.structs.asdict(self.filter)
        query = AlarmPlaceQuery(**fields, id=id, grouped=self.is_grouped)
        return (await self._ask(self._client().alarm_place(query))).index

    def set_filter(self, text: str) -> None:
        """Words, all of which must be there."""
        self.filter = msgspec.structs.replace(self.filter, text=text)

    def set_order(self, column: str, is_descending: bool) -> None:
        """Always newest first: no column of the list can be chosen."""

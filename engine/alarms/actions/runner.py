"""Runs the actions of alarms beside everything else: never waited for, bounded, each with a limit and a result that is kept.

Given new alarms by the alarm service (`start`), tests of a rule by the API (`run_now`). Recording, intake and consoles never wait for any of
it: an action that cannot be taken, or not be done, is a result in words. Loop only. Manual rows AA, HR; docs/alarms.md.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from engine.alarms.actions.lanes import LANE_RULES, STOPPED_WORDS, Lane, LaneRules, Order, Perform
from engine.alarms.actions.occasion import Occasion
from engine.alarms.actions.results import ResultBook, ResultCatalog
from engine.alarms.actions.words import action_words
from engine.deadline import Deadline
from engine.supervise import Sleep, keep_running
from engine.wire_alarm_rules import (
    ActionResult,
    ActionState,
    AlarmAction,
    BookmarkAction,
    LiveAction,
    RecordAction,
)
from storage.catalog.alarm_records import AlarmRow, ResultRow
from storage.clock import Clock
from storage.errors import WatchdeckError

log = logging.getLogger(__name__)

STOP_PATIENCE_S = 3.0
"""What is pending at an ordered stop has this long; the rest is recorded as skipped."""
WRITE_PATIENCE_S = 2.0
OVERFLOW_WORDS = "too many at once"


class ActionRunner:
    """`start` may be called at any time; what was started is carried out while `run` runs."""

    def __init__(
        self,
        performers: Mapping[type[AlarmAction], Perform],
        catalog: ResultCatalog,
        clock: Clock,
        *,
        station: Callable[[], str],
        rules: Mapping[type[AlarmAction], LaneRules] = LANE_RULES,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        stop_patience_s: float = STOP_PATIENCE_S,
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._station = station
        self._sleep = sleep
        self._stop_patience_s = stop_patience_s
        self._book = ResultBook(catalog, sleep=sleep)
        self._lanes = {
            kind: Lane(
                kind.__struct_config__.tag or kind.__name__,  # type: ignore[arg-type]
                rules[kind],
                perform,
                self._book,
                clock,
                sleep=sleep,
                chance=chance,
            )
            for kind, perform in performers.items()
        }
        self._is_stopping = False
        self.skipped = 0
        """Actions that found their lane full, since the start."""

    def start(self, row: AlarmRow, actions: Sequence[AlarmAction], rule: str) -> None:
        """Carry them out some time soon. Never waits, never raises."""
        for lane, order in self._orders(row, actions, rule):
            if self._is_stopping:
                self._skip(order, STOPPED_WORDS)
            elif lane.offer(order):
                self._book.put(order.result(ActionState.WAITING, 0))
            else:
                self.skipped += 1
                self._skip(order, OVERFLOW_WORDS)

    async def run_now(
        self, row: AlarmRow, actions: Sequence[AlarmAction], rule: str
    ) -> tuple[ActionResult, ...]:
        """All of them at once and once each, past what waits in their lanes: a person wants to see what comes of it."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(lane.carry_out(order, tries=1), name=f"action test {lane.name}")
                for lane, order in self._orders(row, actions, rule)
            ]
        await self._flush()
        return tuple(_message(task.result()) for task in tasks)

    def _orders(
        self, row: AlarmRow, actions: Sequence[AlarmAction], rule: str
    ) -> Iterator[tuple[Lane, Order]]:
        occasion = Occasion(row, rule, self._station())
        now_us = self._clock.monotonic_us()
        for position, action in enumerate(actions):
            words = action_words(action, _cameras(action, occasion))
            yield self._lanes[type(action)], Order(action, occasion, position, words, now_us)

    def _skip(self, order: Order, why: str) -> None:
        self._book.put(order.result(ActionState.SKIPPED, self._clock.now_us(), text=why))

    # -- running ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Carry out what is started, until cancelled; then what is pending has a short time."""
        self._is_stopping = False
        await self._end_unfinished()
        workers: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as group:
            book = group.create_task(
                keep_running("results of actions", self._book.run, sleep=self._sleep),
                name="results of actions",
            )
            for lane in self._lanes.values():
                for number in range(lane.rules.workers):
                    name = f"action {lane.name} {number}"
                    workers.append(
                        group.create_task(keep_running(name, lane.work, sleep=self._sleep), name=name)
                    )
            try:
                await asyncio.Event().wait()
            finally:
                self._is_stopping = True
                await self._finish()
                await _ended(workers)
                for lane in self._lanes.values():
                    for order in lane.give_up():
                        self._skip(order, STOPPED_WORDS)
                await _ended([book])
                await self._flush()

    async def _end_unfinished(self) -> None:
        """What a crash left behind is nothing that still waits."""
        try:
            await self._catalog.write("end_action_results", STOPPED_WORDS)
        except WatchdeckError as error:
            log.error("results of actions from before the start stay as they are: %s", error)

    async def _finish(self) -> None:
        try:
            async with Deadline(self._stop_patience_s):
                for lane in self._lanes.values():
                    await lane.idle()
        except TimeoutError:
            log.warning("actions of alarms were still pending at the stop: they are recorded as skipped")

    async def _flush(self) -> None:
        try:
            async with Deadline(WRITE_PATIENCE_S):
                await self._book.flush()
        except (TimeoutError, WatchdeckError) as error:
            log.error("the catalog did not take the last results of actions: %s", error)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _cameras(action: AlarmAction, occasion: Occasion) -> tuple[str, ...]:
    if isinstance(action, RecordAction | BookmarkAction | LiveAction):
        return occasion.cameras(action.cameras)
    return ()


def _message(row: ResultRow) -> ActionResult:
    return ActionResult(
        action=row.action,
        state=ActionState(row.state),
        tries=row.tries,
        text=row.text,
        time_us=row.time_us,
    )

"""One lane for each kind of action: a bounded queue and a few workers, so that a dead mail server delays mails and nothing else.

Called by the runner. Loop only; `offer` never waits.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.alarms.actions.occasion import Occasion
from engine.alarms.actions.results import ResultBook
from engine.deadline import Deadline
from engine.supervise import Backoff, Sleep, attempt
from engine.wire_alarm_rules import (
    ActionState,
    AlarmAction,
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    OutputAction,
    PresetAction,
    PushAction,
    RecordAction,
    SoundAction,
)
from storage.catalog.alarm_records import ResultRow
from storage.clock import Clock
from storage.errors import ActionFailed, InvalidInput, NotFound, WatchdeckError
from storage.units import US_PER_SECOND

Perform = Callable[[Any, Occasion], Awaitable[str]]
"""Carries an action of one kind out, once; answers in plain words without secrets. Raises WatchdeckError."""

STOPPED_WORDS = "the engine stopped before it was done"
FIRST_RETRY_S = 2.0
TEXT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class LaneRules:
    workers: int
    queue_limit: int
    """Actions that wait. When full a further one is skipped, and its result says so."""
    deadline_s: float
    """Of one try."""
    tries: int = 1
    patience_us: int = 3_600 * US_PER_SECOND
    """What waited longer is skipped: a camera that turns to the door an hour late helps nobody."""


_AT_ONCE_US = 60 * US_PER_SECOND
_SOON_US = 600 * US_PER_SECOND

LANE_RULES: Mapping[type[AlarmAction], LaneRules] = {
    RecordAction: LaneRules(workers=1, queue_limit=512, deadline_s=5, patience_us=_SOON_US),
    BookmarkAction: LaneRules(workers=1, queue_limit=512, deadline_s=10, tries=3),
    MailAction: LaneRules(workers=2, queue_limit=128, deadline_s=30, tries=3),
    HttpAction: LaneRules(workers=8, queue_limit=256, deadline_s=10, tries=3, patience_us=_SOON_US),
    PushAction: LaneRules(workers=2, queue_limit=128, deadline_s=20, tries=3, patience_us=_SOON_US),
    LiveAction: LaneRules(workers=1, queue_limit=512, deadline_s=5),
    SoundAction: LaneRules(workers=1, queue_limit=16, deadline_s=15, patience_us=_AT_ONCE_US),
    PresetAction: LaneRules(workers=4, queue_limit=128, deadline_s=10, patience_us=_AT_ONCE_US),
    OutputAction: LaneRules(workers=4, queue_limit=128, deadline_s=10, patience_us=_AT_ONCE_US),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One action of one alarm."""

    action: AlarmAction
    occasion: Occasion
    position: int
    words: str
    ordered_us: int
    """Monotonic."""

    def result(self, state: ActionState, time_us: int, *, tries: int = 0, text: str = "") -> ResultRow:
        return ResultRow(
            alarm_id=self.occasion.row.id,
            position=self.position,
            action=self.words,
            state=state.value,
            tries=tries,
            text=text[:TEXT_LIMIT],
            time_us=time_us,
        )


class Lane:
    """Carries actions of one kind out, oldest first."""

    def __init__(
        self,
        name: str,
        rules: LaneRules,
        perform: Perform,
        book: ResultBook,
        clock: Clock,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.rules = rules
        self._perform = perform
        self._book = book
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._waiting: asyncio.Queue[Order] = asyncio.Queue(rules.queue_limit)

    def offer(self, order: Order) -> bool:
        """False when as many wait already as may."""
        try:
            self._waiting.put_nowait(order)
        except asyncio.QueueFull:
            return False
        return True

    async def work(self) -> None:
        """One of its workers, for ever. What it was doing when it is cancelled is recorded as skipped."""
        while True:
            order = await self._waiting.get()
            try:
                await self._carry_out_late(order)
            except asyncio.CancelledError:
                self._book.put(order.result(ActionState.SKIPPED, self._clock.now_us(), text=STOPPED_WORDS))
                raise
            finally:
                self._waiting.task_done()

    async def idle(self) -> None:
        """Nothing waits and nothing is being done."""
        await self._waiting.join()

    def give_up(self) -> list[Order]:
        """What waits, taken out."""
        orders = []
        while not self._waiting.empty():
            orders.append(self._waiting.get_nowait())
            self._waiting.task_done()
        return orders

    async def _carry_out_late(self, order: Order) -> None:
        waited_us = self._clock.monotonic_us() - order.ordered_us
        if waited_us > self.rules.patience_us:
            text = f"waited {waited_us // US_PER_SECOND} s behind others: too late for it"
            self._book.put(order.result(ActionState.SKIPPED, self._clock.now_us(), text=text))
            return
        await self.carry_out(order, tries=self.rules.tries)

    async def carry_out(self, order: Order, *, tries: int) -> ResultRow:
        """Try until it works, a further try would be the same, or `tries` is reached. The result is kept, and returned."""
        backoff = Backoff(first_s=FIRST_RETRY_S, random=self._chance)
        number = 0
        while True:
            number += 1
            begun_us = self._clock.now_us()
            self._book.put(order.result(ActionState.RUNNING, begun_us, tries=number))
            error, answer = await self._try(order)
            if error is None:
                result = order.result(ActionState.DONE, self._clock.now_us(), tries=number, text=answer)
                break
            result = order.result(ActionState.FAILED, self._clock.now_us(), tries=number, text=str(error))
            if number >= tries or _is_final(error):
                break
            again = order.result(
                ActionState.WAITING, self._clock.now_us(), tries=number, text=f"tried again after: {error}"
            )
            self._book.put(again)
            await self._sleep(backoff.next_delay_s())
        self._book.put(result)
        return result

    async def _try(self, order: Order) -> tuple[WatchdeckError | None, str]:
        answer = ""

        async def once() -> None:
            nonlocal answer
            try:
                async with Deadline(self.rules.deadline_s):
                    answer = await self._perform(order.action, order.occasion)
            except TimeoutError as error:
                raise ActionFailed(
                    f"no answer within {self.rules.deadline_s:.0f} s", "is the other side up and reachable?"
                ) from error

        error = await attempt(f"action {self.name}", once)
        return error, answer


def _is_final(error: WatchdeckError) -> bool:
    """Nothing but a person's edit makes it work."""
    if isinstance(error, ActionFailed):
        return error.is_final
    return isinstance(error, InvalidInput | NotFound)

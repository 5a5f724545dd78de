"""Listening to one camera's events: meet it, subscribe, pull until something ends it.

A subscription the camera has forgotten (a reboot, a renewal it does not take) is made anew without a word; what keeps it from
being made ends the session with an error, and engine/onvif/camera_watch.py decides when there is another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.onvif.dialogue import EVENTS_NS, CameraDialogue, mapped
from engine.onvif.fault import SoapFault
from engine.onvif.notification import Notification
from engine.onvif.subscription import FAREWELL_S, PullPoint, SubscriptionGone
from engine.supervise import Sleep
from storage.clock import Clock
from storage.errors import CameraProtocolError, WatchdeckError
from storage.units import US_PER_SECOND

PULL_PACE_S = 0.5
"""Between the beginnings of two pulls: some cameras answer at once with nothing, for ever."""
SHORT_LIVED_US = 5 * US_PER_SECOND
SHORT_LIVED_LIMIT = 3
"""Subscriptions in a row that ended as soon as they were made."""


class OnvifSession:
    """`run` once, until it raises or is cancelled. Loop only."""

    def __init__(
        self,
        dialogue: CameraDialogue,
        clock: Clock,
        *,
        gate: asyncio.Semaphore,
        on_listening: Callable[[], None],
        on_messages: Callable[[tuple[Notification, ...]], None],
        on_announced: Callable[[tuple[str, ...]], None] = lambda topics: None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`gate` bounds how many cameras are met at once. `on_messages` is called after each pull, also with none."""
        self._dialogue = dialogue
        self._clock = clock
        self._gate = gate
        self._on_listening = on_listening
        self._on_messages = on_messages
        self._on_announced = on_announced
        self._sleep = sleep

    async def run(self) -> None:
        """Raises CameraError when listening is over; gives the subscription back in any case."""
        async with self._gate:
            await self._dialogue.meet()
            self._on_announced(await self._dialogue.announced_topics())
        events = self._dialogue.service(EVENTS_NS, "events")
        short_lived = 0
        while True:
            point = PullPoint(self._dialogue, events, self._clock)
            began_us = self._clock.monotonic_us()
            try:
                async with self._gate:
                    await _made(point)
                self._on_listening()
                why = await self._listen(point)
            except SubscriptionGone as gone:
                point.forget()
                why = str(gone)
            finally:
                await point.close()
            is_short = self._clock.monotonic_us() - began_us < SHORT_LIVED_US
            short_lived = short_lived + 1 if is_short else 0
            if short_lived >= SHORT_LIVED_LIMIT:
                raise CameraProtocolError(
                    f"{self._dialogue.device.place} ends its event subscriptions at once: {why}",
                    "other clients may use up what it bears; restart the camera",
                )
            await self._sleep(PULL_PACE_S)

    async def _listen(self, point: PullPoint) -> str:
        """Until the camera refuses a pull; says why."""
        while True:
            began_us = self._clock.monotonic_us()
            try:
                messages = await point.pull()
            except SoapFault as fault:
                if fault.is_not_authorised:
                    # Its clock was set, and our tokens are of another time.
                    await self._dialogue.learn_clock()
                elif fault.is_not_offered:
                    raise mapped(fault, self._dialogue.device.place, "events to pull") from fault
                return fault.told
            self._on_messages(messages)
            left_s = PULL_PACE_S - (self._clock.monotonic_us() - began_us) / US_PER_SECOND
            if left_s > 0:
                await self._sleep(left_s)


async def _made(point: PullPoint) -> None:
    """A subscription in the making is waited for a little also when it is not wanted any more: given up on its way, nobody could
    give it back."""
    refused: list[Exception] = []

    async def make() -> None:
        try:
            await point.create()
        except (SubscriptionGone, SoapFault, WatchdeckError) as error:
            refused.append(error)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(make(), name="onvif subscription")
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=FAREWELL_S)
            raise
    if refused:
        raise refused[0]

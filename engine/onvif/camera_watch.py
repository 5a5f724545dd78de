"""One camera's events for as long as they are wanted: sessions, pauses between them, what is said about them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from engine.onvif.notification import Notification
from engine.onvif.rising_edges import Detection, RisingEdges
from engine.supervise import Backoff, Sleep, attempt
from storage.catalog.records import Severity
from storage.clock import Clock
from storage.errors import CameraRefused, CameraUnsupported, WatchdeckError
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

SLOW_RETRY_S = 60.0
"""A camera that says no is not asked again sooner: many lock an account after some wrong passwords."""
STABLE_US = 30 * US_PER_SECOND
"""Listening this long resets the back-off."""


GRAVE_KINDS = frozenset(
    f"detection.{name}" for name in ("tampering", "temperature", "shock", "sd_card", "video_loss")
)
"""Warnings, as in docs/events.md."""


class OnvifState(StrEnum):
    """As in engine.wire_sources.AnalyticsView."""

    OFF = "off"
    CONNECTING = "connecting"
    LISTENING = "listening"
    REFUSED = "refused"
    LOST = "lost"


_MOVES: dict[OnvifState, frozenset[OnvifState]] = {
    OnvifState.OFF: frozenset({OnvifState.CONNECTING}),
    OnvifState.CONNECTING: frozenset(
        {OnvifState.LISTENING, OnvifState.REFUSED, OnvifState.LOST, OnvifState.OFF}
    ),
    OnvifState.LISTENING: frozenset({OnvifState.REFUSED, OnvifState.LOST, OnvifState.OFF}),
    OnvifState.REFUSED: frozenset({OnvifState.CONNECTING, OnvifState.OFF}),
    OnvifState.LOST: frozenset({OnvifState.CONNECTING, OnvifState.OFF}),
}


class EventPublisher(Protocol):
    """engine.events.EventBus."""

    def publish(
        self,
        kind: str,
        text: str,
        *,
        severity: Severity = ...,
        source: str = ...,
        actor: str = ...,
        count: int = ...,
    ) -> object: ...


class Listening(Protocol):
    """engine.onvif.session.OnvifSession."""

    async def run(self) -> None: ...


ListenFactory = Callable[[Callable[[], None], Callable[[tuple[Notification, ...]], None]], Listening]
"""Called with what to call when listening begins, and with each pull's messages."""


class CameraWatch:
    """State machine of one camera's events.

    off -> connecting -> listening, from both -> lost or refused -> connecting; -> off from any. The trouble stays shown while
    it is tried again. `name` may be changed at any time.
    """

    def __init__(
        self,
        name: str,
        listen: ListenFactory,
        edges: RisingEdges,
        *,
        events: EventPublisher,
        clock: Clock,
        on_change: Callable[[], None] = lambda: None,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.state = OnvifState.OFF
        self.trouble = ""
        self._listen = listen
        self._edges = edges
        self._events = events
        self._clock = clock
        self._on_change = on_change
        self._sleep = sleep
        self._backoff = Backoff(random=chance)
        self._said = OnvifState.LISTENING
        self._listening_since_us: int | None = None

    async def run(self) -> None:
        """For ever; cancel to stop, which gives the subscription back."""
        try:
            while True:
                self._enter(OnvifState.CONNECTING, self.trouble)
                self._listening_since_us = None
                session = self._listen(self._began, self._heard)
                error = await attempt(f"onvif {self.name}", session.run)
                await self._sleep(self._ended(error))
        finally:
            self._tell(self._edges.rest())
            self._enter(OnvifState.OFF, "")

    def _began(self) -> None:
        """Also after each new subscription of a session."""
        if self.state is OnvifState.LISTENING:
            return
        self._listening_since_us = self._clock.monotonic_us()
        self._enter(OnvifState.LISTENING, "")
        if self._said is not OnvifState.LISTENING:
            self._said = OnvifState.LISTENING
            self._events.publish("onvif.back", f"Camera {self.name} tells its events again", source=self.name)

    def _heard(self, messages: tuple[Notification, ...]) -> None:
        kinds = len(self._edges.kinds)
        self._tell(self._edges.notice(messages, self._clock.monotonic_us()))
        if len(self._edges.kinds) != kinds:
            self._on_change()

    def _tell(self, detections: list[Detection]) -> None:
        for detection in detections:
            self._detected(detection.kind, detection.text, detection.count)

    def _detected(self, kind: str, text: str, count: int) -> None:
        severity = Severity.WARNING if kind in GRAVE_KINDS else Severity.INFO
        self._events.publish(kind, text, severity=severity, source=self.name, count=count)

    def _ended(self, error: WatchdeckError | None) -> float:
        """Say so once; gives the pause until the next attempt."""
        if error is None:
            error = WatchdeckError("the session with the camera ended")
        if isinstance(error, CameraRefused | CameraUnsupported):
            self._enter(OnvifState.REFUSED, str(error))
            self._say(OnvifState.REFUSED, error)
            return self._backoff.scattered(SLOW_RETRY_S)
        began_us = self._listening_since_us
        if began_us is not None and self._clock.monotonic_us() - began_us >= STABLE_US:
            self._backoff.reset()
        self._enter(OnvifState.LOST, str(error))
        self._say(OnvifState.LOST, error)
        return self._backoff.next_delay_s()

    def _say(self, state: OnvifState, error: WatchdeckError) -> None:
        """Once, until it listens again or the other one is the case."""
        if self._said is state:
            return
        self._said = state
        kind = "onvif.refused" if state is OnvifState.REFUSED else "onvif.lost"
        self._events.publish(
            kind,
            f"Camera {self.name} does not tell its events: {error}",
            severity=Severity.WARNING,
            source=self.name,
        )

    def _enter(self, state: OnvifState, trouble: str) -> None:
        if state is self.state and trouble == self.trouble:
            return
        assert state is self.state or state in _MOVES[self.state], f"{self.state} -> {state}"
        self.state, self.trouble = state, trouble
        self._on_change()

"""What came in from outside, kept for the one who sets up a rule: the newest messages, and what was turned away."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from engine.events import EventBus
from engine.wire_sources import HeardMessage
from storage.catalog.records import EventRecord
from storage.clock import Clock
from storage.plain_text import plain_text

KEPT = 10
"""Manual row TM-02."""

Matching = Callable[[EventRecord], tuple[str, ...]]
"""Names of the rules an event meets."""


class Heard:
    """Turns a message into an event, and remembers the newest. Never trusted: one printable line of bounded length."""

    def __init__(self, events: EventBus, clock: Clock, matching: Matching) -> None:
        self._events = events
        self._clock = clock
        self._matching = matching
        self._newest: deque[HeardMessage] = deque(maxlen=KEPT)
        self.dropped = 0
        """Turned away: too large, not allowed, too many."""

    @property
    def newest(self) -> tuple[HeardMessage, ...]:
        """Newest first."""
        return tuple(reversed(self._newest))

    def take(self, kind: str, source: str, peer: str, text: str) -> None:
        event = self._events.publish(kind, plain_text(text), source=plain_text(source))
        self._newest.append(
            HeardMessage(
                time_us=self._clock.now_us(), peer=peer, text=event.text, matched=self._matching(event)
            )
        )

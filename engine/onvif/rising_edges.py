"""From what a camera says to what is news: each state's false-to-true, once, and a storm as a count. Pure.

A state is kept as long as its camera is followed: a new subscription repeats all states as `Initialized`, which is not news,
and a repeated `true` is none either.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.onvif.notification import Notification, PropertyOperation
from engine.onvif.topics import OTHER, flags_of, meaning_of, text_of
from storage.units import US_PER_SECOND

STATES_LIMIT = 1_000
"""Of one camera: topics x sources x rules. When full, the one that was quiet longest is forgotten (and would be news again)."""
STORM_EVENTS = 10
STORM_US = 10 * US_PER_SECOND
"""More than STORM_EVENTS of a kind within STORM_US are told together, with their count."""


@dataclass(frozen=True, slots=True)
class Detection:
    """An event to publish."""

    kind: str
    text: str
    count: int = 1


@dataclass(slots=True)
class _Storm:
    """What was told of one kind lately, and what was held back."""

    told_us: deque[int] = field(default_factory=lambda: deque(maxlen=STORM_EVENTS))
    held: int = 0
    held_since_us: int = 0
    text: str = ""


class RisingEdges:
    """One camera's states. `notice` with every message in order; `due` now and then, for what a storm held back."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[str, ...], bool] = OrderedDict()
        self._storms: dict[str, _Storm] = {}
        self.kinds: set[str] = set()
        """Announced or told by this camera, news or not."""

    def announce(self, topics: Iterable[str]) -> None:
        """What the camera may tell, as far as its topics are known here."""
        meanings = [meaning_of(topic) for topic in topics]
        self.kinds |= {meaning.kind for meaning in meanings if meaning is not None and meaning is not OTHER}

    def notice(self, notifications: Iterable[Notification], now_us: int) -> list[Detection]:
        """The news in them, in order. `now_us` is monotonic."""
        news = []
        for notification in notifications:
            for flag in flags_of(notification):
                self.kinds.add(flag.meaning.kind)
                if self._is_news(flag.key, flag.is_on, notification.operation):
                    detection = Detection(flag.meaning.kind, text_of(flag, notification.topic))
                    if self._may_tell(detection, now_us):
                        news.append(detection)
        return news + self.due(now_us)

    def due(self, now_us: int) -> list[Detection]:
        """What storms held back, once their time is over."""
        told = []
        for kind, storm in self._storms.items():
            if storm.held and now_us - storm.held_since_us >= STORM_US:
                told.append(Detection(kind, storm.text, storm.held))
                storm.held = 0
        return told

    def rest(self) -> list[Detection]:
        """What storms hold back now: nobody will ask again."""
        told = [Detection(kind, storm.text, storm.held) for kind, storm in self._storms.items() if storm.held]
        for storm in self._storms.values():
            storm.held = 0
        return told

    def _is_news(self, key: tuple[str, ...], is_on: bool | None, operation: PropertyOperation) -> bool:
        if is_on is None:
            return operation in (PropertyOperation.CHANGED, PropertyOperation.NONE)
        if operation is PropertyOperation.DELETED:
            self._states.pop(key, None)
            return False
        was_on = self._states.get(key, False)
        self._states[key] = is_on
        self._states.move_to_end(key)
        if len(self._states) > STATES_LIMIT:
            self._states.popitem(last=False)
        return is_on and not was_on and operation is not PropertyOperation.INITIALIZED

    def _may_tell(self, detection: Detection, now_us: int) -> bool:
        storm = self._storms.setdefault(detection.kind, _Storm())
        if storm.held or (len(storm.told_us) == STORM_EVENTS and now_us - storm.told_us[0] < STORM_US):
            if not storm.held:
                storm.held_since_us = now_us
            storm.held += 1
            storm.text = detection.text
            return False
        storm.told_us.append(now_us)
        return True

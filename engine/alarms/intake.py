"""From events to hits: every event is asked which rules it meets, and what comes between two writes is one hit with a count.

Called for each event at the moment it is published, so it never waits, and it must be cheap in a storm. Bounded: a key is (rule, kind,
source); beyond the limits events are counted on a hit that is there, never dropped. The sum of all counts is the number of events that
met a rule. Loop only. Knows no catalog and no action: engine/alarms/service.py takes what gathers here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.alarms.rule import CompiledRule, RuleIndex
from storage.catalog.alarm_records import AlarmHit
from storage.catalog.records import EventRecord

KEY_LIMIT = 2_000
"""Keys that wait; what would be one more is counted on (rule, kind, OTHERS)."""
HITS_A_KEY = 100
"""Hits of one key that wait, for rules of which each event raises an alarm."""
HIT_LIMIT = 5_000
"""Hits that wait in all, when the catalog does not take them."""
OTHERS = "(others)"
"""The source of what was too much to be told apart."""

Key = tuple[int, str, str]
"""Rule's id, kind, source."""


@dataclass(slots=True)
class Gathered:
    """A hit that still grows."""

    rule: CompiledRule
    kind: str
    source: str
    camera: str
    first_us: int
    last_us: int
    count: int
    text: str
    is_acted_on: bool = False
    """Its actions ran although the catalog did not take it."""

    @property
    def key(self) -> Key:
        return (self.rule.id, self.kind, self.source)

    def join(self, other: Gathered) -> None:
        """`other` came later."""
        self.first_us = min(self.first_us, other.first_us)
        self.last_us = max(self.last_us, other.last_us)
        self.count += other.count
        self.text = other.text

    def as_hit(self) -> AlarmHit:
        return AlarmHit(
            rule_id=self.rule.id,
            rule=self.rule.name,
            kind=self.kind,
            source=self.source,
            camera=self.camera,
            severity=self.rule.severity,
            first_us=self.first_us,
            last_us=self.last_us,
            count=self.count,
            text=self.text,
            sound=self.rule.sound,
            is_live=self.rule.is_live,
            retrigger_us=self.rule.retrigger_us,
        )


class Intake:
    """Gathers hits until somebody takes them."""

    def __init__(self, camera_names: Callable[[], Collection[str]]) -> None:
        self._camera_names = camera_names
        self._waiting: dict[Key, list[Gathered]] = {}
        self._hits = 0
        self._cameras: frozenset[str] | None = None
        self.index = RuleIndex()
        self.arrived = asyncio.Event()

    def take(self, event: EventRecord) -> None:
        """An event was published. Alarms and their rules raise no alarms."""
        if event.kind.startswith(("alarm.", "alarm_rule.")):
            return
        for rule in self.index.matching(event):
            self._add(
                Gathered(
                    rule, event.kind, event.source, "", event.time_us, event.time_us, event.count, event.text
                )
            )

    def take_all(self) -> list[Gathered]:
        """Everything that waits, in the order in which it began; nothing waits then."""
        hits = [hit for hits in self._waiting.values() for hit in hits]
        self._waiting = {}
        self._hits = 0
        self._cameras = None
        self.arrived.clear()
        hits.sort(key=lambda hit: hit.first_us)
        return hits

    def put_back(self, hits: list[Gathered]) -> None:
        """What could not be written: it waits again, before what came since."""
        newer = self.take_all()
        for hit in (*hits, *newer):
            self._add(hit)

    def _add(self, hit: Gathered) -> None:
        waiting = self._waiting.get(hit.key)
        if waiting is None:
            waiting = self._waiting.get(self._key_for(hit))
        if waiting is not None and self._must_join(waiting, hit):
            waiting[-1].join(hit)
        else:
            if not hit.camera:
                hit.camera = hit.source if self._is_camera(hit.source) else hit.rule.camera
            if waiting is None:
                waiting = self._waiting[hit.key] = []
            waiting.append(hit)
            self._hits += 1
        self.arrived.set()

    def _is_camera(self, source: str) -> bool:
        """Asked once between two writes: a storm of sources must not look at all cameras for each."""
        if self._cameras is None:
            self._cameras = frozenset(self._camera_names())
        return source in self._cameras

    def _key_for(self, hit: Gathered) -> Key:
        """Of a new key, or once there is no room for more, of all that is too much; the hit is changed with it."""
        if len(self._waiting) >= KEY_LIMIT:
            hit.source = OTHERS
        return hit.key

    def _must_join(self, waiting: list[Gathered], hit: Gathered) -> bool:
        if len(waiting) >= HITS_A_KEY or self._hits >= HIT_LIMIT:
            return True
        retrigger_us, last = hit.rule.retrigger_us, waiting[-1]
        return (
            retrigger_us > 0
            and hit.first_us - last.last_us <= retrigger_us
            and last.first_us - hit.last_us <= retrigger_us
        )

"""Events that wait for the catalog: in order, bounded, and in a flood counted together instead of dropped.

A flood is told apart by what it is. Detections and messages from outside may come by the thousand: of those, one kind from one source is
counted on the row that waits as soon as many wait. What an operator did, and everything whose words matter, stays a row of its own until
the queue is really full. The sum of all counts is the number of events. Owned by engine/events.py; loop only.
"""

from __future__ import annotations

import logging

import msgspec

from storage.catalog.records import EventRecord, Severity

log = logging.getLogger("engine.events")

FLOODING = ("detection.", "external.")
"""Families of which one kind from one source is counted together in a flood."""
STORM_FROM = 64
"""Events that wait; from here on floods are counted."""
PENDING_LIMIT = 10_000
"""Events that wait; from here on everything is counted on what is there. Reached only when the catalog hangs."""
OTHERS = "(others)"
"""Source, or actor, of what was too much to be told apart."""
LINES_A_BATCH = 500
"""Lines in the engine's log between two batches; of those that may flood, FLOOD_LINES. The rest is one line with a number."""
FLOOD_LINES = 10

_LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.ERROR}

_Key = tuple[str, str, Severity, str]
"""Kind, source, severity, actor."""


class PendingEvents:
    """Rows to be, with their counts."""

    def __init__(self) -> None:
        self._rows: list[EventRecord] = []
        self._counts: list[int] = []
        self._newest: dict[_Key, int] = {}
        """Place of the newest row of a key."""
        self._logged = 0
        self._flood_logged = 0
        self._not_logged: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __bool__(self) -> bool:
        return bool(self._rows)

    @property
    def is_storm(self) -> bool:
        return len(self._rows) >= STORM_FROM

    def add(self, event: EventRecord) -> None:
        """Never fails and never drops."""
        may_flood = event.kind.startswith(FLOODING) and not event.actor
        self._log(event, may_flood)
        key = (event.kind, event.source, event.severity, event.actor)
        if len(self._rows) >= PENDING_LIMIT:
            self._add_to_full(event, key)
        elif may_flood and self.is_storm and key in self._newest:
            self._counts[self._newest[key]] += event.count
        else:
            self._append(event, key)

    def _add_to_full(self, event: EventRecord, key: _Key) -> None:
        if key not in self._newest:
            actor = OTHERS if event.actor else ""
            key = (event.kind, OTHERS, event.severity, actor)
            if key not in self._newest:
                # Bounded all the same: kinds and severities are the engine's own words.
                self._append(msgspec.structs.replace(event, source=OTHERS, actor=actor), key)
                return
        self._counts[self._newest[key]] += event.count

    def _append(self, event: EventRecord, key: _Key) -> None:
        self._newest[key] = len(self._rows)
        self._rows.append(event)
        self._counts.append(event.count)

    def take_all(self) -> list[EventRecord]:
        """Everything that waits, oldest first, with counts; the first time and the first words of what was counted together."""
        rows = [
            event if event.count == count else msgspec.structs.replace(event, count=count)
            for event, count in zip(self._rows, self._counts, strict=True)
        ]
        for kind, number in self._not_logged.items():
            log.warning("%s: %d more such events", kind, number)
        self._rows, self._counts, self._newest, self._not_logged = [], [], {}, {}
        self._logged = self._flood_logged = 0
        return rows

    def _log(self, event: EventRecord, may_flood: bool) -> None:
        if (may_flood and self._flood_logged >= FLOOD_LINES) or self._logged >= LINES_A_BATCH:
            self._not_logged[event.kind] = self._not_logged.get(event.kind, 0) + event.count
            return
        self._logged += 1
        self._flood_logged += may_flood
        log.log(
            _LEVELS[event.severity],
            "%s%s: %s",
            event.kind,
            f" [{event.source}]" if event.source else "",
            event.text,
        )

"""The station's own troubles as events: processor, memory and network over 90 %, links, retention, footage with holes.

Looks at what others measure (engine/health.py, the recording service) once a second and says what changed, once. Loop only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from engine import wire
from engine.catalog_thread import CatalogThread
from engine.events import EventBus
from engine.health import Health
from engine.sources.limit import RESOURCE_LIMIT_PERCENT, Crossing, Limit
from engine.supervise import Sleep
from storage.catalog.records import Camera, Gap, Severity
from storage.clock import Clock
from storage.units import US_PER_SECOND

LOOK_S = 1.0
RESOURCE_PATIENCE = 30
"""Seconds over (or not over) the limit in a row before it is said."""
MINUTE = 60
"""Looks between two of what changes slowly: retention, holes."""
RETENTION_PATIENCE = 3
"""Minutes: the estimate of remaining days follows the measured rate and wavers."""
HOLES_US = 600 * US_PER_SECOND
HOLES_LEAST = 3
HOLES_LEAST_US = 10 * US_PER_SECOND
"""A camera whose footage has so many holes of so much in all in ten minutes records badly, though each one ended."""


class StationWatch:
    """`run` for ever; everything it needs is handed in as a question."""

    def __init__(
        self,
        events: EventBus,
        catalog: CatalogThread,
        clock: Clock,
        *,
        health: Callable[[], Health],
        groups: Callable[[], Sequence[wire.GroupView]],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._events = events
        self._catalog = catalog
        self._clock = clock
        self._health = health
        self._groups = groups
        self._sleep = sleep
        self._resources: dict[str, Limit] = {}
        self._links: dict[str, bool] = {}
        self._active: Mapping[str, str] = {}
        self._short: dict[str, Limit] = {}
        self._holed: set[int] = set()

    async def run(self) -> None:
        looks = 0
        while True:
            await self._sleep(LOOK_S)
            health = self._health()
            if health.memory_percent:  # 0 = not measured yet
                self._look_at_resources(health)
                self._look_at_links(health)
            looks += 1
            if looks % MINUTE == 0:
                self._look_at_retention()
                await self._look_at_holes()

    # -- processor, memory, network ------------------------------------------------------------------------

    def _look_at_resources(self, health: Health) -> None:
        self._resource("station.cpu", "", "processor use", health.cpu_percent)
        self._resource("station.memory", "", "memory use", health.memory_percent)
        for link in health.links:
            if link.speed_bps > 0:
                used = 100 * max(link.receive_bps, link.send_bps) / link.speed_bps
                self._resource("station.network", link.name, f"network use of {link.name}", used)

    def _resource(self, kind: str, source: str, words: str, percent: float) -> None:
        limit = self._resources.setdefault(
            f"{kind} {source}", Limit(RESOURCE_LIMIT_PERCENT, RESOURCE_PATIENCE)
        )
        match limit.read(percent):
            case Crossing.ROSE:
                self._events.publish(
                    f"{kind}_high",
                    f"{words} is over {RESOURCE_LIMIT_PERCENT:g} % for {RESOURCE_PATIENCE} s: {percent:.0f} %",
                    severity=Severity.WARNING,
                    source=source,
                )
            case Crossing.FELL:
                self._events.publish(
                    f"{kind}_ok", f"{words} is no longer over {RESOURCE_LIMIT_PERCENT:g} %", source=source
                )
            case None:
                pass

    # -- links (manual rows HW-14, AT-07) ------------------------------------------------------------------

    def _look_at_links(self, health: Health) -> None:
        now = {link.name: link.is_up for link in health.links}
        for name, is_up in now.items():
            was_up = self._links.get(name)
            if was_up is not None and was_up is not is_up:
                self._say_link(name, is_up)
        for name, was_up in self._links.items():
            if was_up and name not in now:  # the adapter itself went
                self._say_link(name, False)
        self._links = now
        for bond, active in health.active_members.items():
            before = self._active.get(bond)
            if before is not None and before != active:
                self._events.publish(
                    "network.failover",
                    f"{bond} went from {before or 'no link'} to {active or 'no link'}",
                    severity=Severity.WARNING if active else Severity.CRITICAL,
                    source=bond,
                )
        self._active = health.active_members

    def _say_link(self, name: str, is_up: bool) -> None:
        if is_up:
            self._events.publish("network.link_up", f"network link {name} is up", source=name)
        else:
            self._events.publish(
                "network.link_down",
                f"network link {name} is down: cable, switch or adapter",
                severity=Severity.WARNING,
                source=name,
            )

    # -- footage -------------------------------------------------------------------------------------------

    def _look_at_retention(self) -> None:
        """Rule 21."""
        groups = {group.name: group for group in self._groups()}
        for name, group in groups.items():
            limit = self._short.setdefault(name, Limit(0.5, RETENTION_PATIENCE))
            match limit.read(float(group.is_below_retention)):
                case Crossing.ROSE:
                    self._events.publish(
                        "retention.short",
                        f"recording group {name} will not keep {group.retention_days} days: {group.recorded_days:.1f} are"
                        f" recorded and its volumes are full in {group.remaining_days or 0:.1f}",
                        severity=Severity.WARNING,
                        source=name,
                    )
                case Crossing.FELL:
                    self._events.publish(
                        "retention.ok",
                        f"recording group {name} has room for its days again",
                        source=name,
                    )
                case None:
                    pass
        for gone in self._short.keys() - groups.keys():
            del self._short[gone]

    async def _look_at_holes(self) -> None:
        """Cameras that come and go: no single gap is long, and the footage is worthless all the same."""
        now_us = self._clock.now_us()
        cameras: list[Camera] = await self._catalog.read("cameras")
        names = {camera.id: camera.name for camera in cameras}
        gaps: list[Gap] = await self._catalog.read("gaps", list(names), now_us - HOLES_US, now_us)
        holes: dict[int, list[int]] = {}
        for gap in gaps:
            if gap.end_us is not None:  # one that goes on has been said as `recording.stopped`
                holes.setdefault(gap.camera_id, []).append(gap.end_us - max(gap.start_us, now_us - HOLES_US))
        bad = {
            camera_id
            for camera_id, lengths_us in holes.items()
            if len(lengths_us) >= HOLES_LEAST and sum(lengths_us) >= HOLES_LEAST_US
        }
        for camera_id in sorted(bad - self._holed):
            lengths_us = holes[camera_id]
            self._events.publish(
                "recording.failing",
                f"the footage of {names[camera_id]} has {len(lengths_us)} holes of {sum(lengths_us) // US_PER_SECOND} s in all"
                f" in the last {HOLES_US // US_PER_SECOND // 60} minutes",
                severity=Severity.WARNING,
                source=names[camera_id],
            )
        # Well again only when the last ten minutes are whole: what comes and goes is said once.
        whole = {camera_id for camera_id in self._holed if camera_id in names and camera_id not in holes}
        for camera_id in sorted(whole):
            self._events.publish(
                "recording.whole",
                f"the footage of {names[camera_id]} is whole again for {HOLES_US // US_PER_SECOND // 60} minutes",
                source=names[camera_id],
            )
        self._holed = ((self._holed | bad) - whole) & names.keys()

"""Bookmarks: a clip that begins at the event and is never recycled (AA-09, rule 1), until its preservation time ends."""

from __future__ import annotations

import msgspec

from engine.alarms.actions.occasion import Occasion
from engine.catalog_access import CatalogAccess
from engine.wire_alarm_rules import BookmarkAction
from engine.wire_sources import PreservationSettings
from storage.catalog.records import Camera, Lock
from storage.clock import Clock
from storage.errors import ActionFailed, NotFound
from storage.units import US_PER_DAY, US_PER_SECOND

SETTING = "preservation"
"""In the catalog: PreservationSettings as JSON."""
REASON_LIMIT = 200
ACTOR = "alarm rule"


class Bookmarker:
    """Locks stretches of footage."""

    def __init__(self, catalog: CatalogAccess, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock

    async def perform(self, action: BookmarkAction, occasion: Occasion) -> str:
        """Locks what is there and what will be. Raises ActionFailed, and names the cameras that were locked all the same."""
        names = occasion.cameras(action.cameras)
        if not names:
            raise ActionFailed("the event is about no camera", "name the cameras in the rule", is_final=True)
        days = action.preserve_days or await self._preserve_days()
        now_us = self._clock.now_us()
        start_us = occasion.at_us
        reason = f"{occasion.rule}: {occasion.row.text}"[:REASON_LIMIT]
        done: list[str] = []
        missing: list[str] = []
        for name in names:
            try:
                camera: Camera = await self._catalog.read("camera", name)
            except NotFound:
                missing.append(name)
                continue
            end_us = start_us + action.length_s * US_PER_SECOND
            if not await self._is_known(camera, start_us, end_us, reason):
                await self._catalog.write(
                    "add_lock",
                    camera_id=camera.id,
                    start_us=start_us,
                    end_us=end_us,
                    reason=reason,
                    created_us=now_us,
                    created_by=ACTOR,
                    expires_us=None if days is None else now_us + days * US_PER_DAY,
                )
            done.append(name)
        words = f"{action.length_s} s of {', '.join(done)} {_until(days)}" if done else ""
        if missing:
            raise ActionFailed(
                f"no camera {', '.join(missing)}{f'; kept: {words}' if words else ''}",
                "edit the rule",
                is_final=True,
            )
        return words

    async def _is_known(self, camera: Camera, start_us: int, end_us: int, reason: str) -> bool:
        """An earlier try has done it: its answer was late, its lock is there."""
        locks: list[Lock] = await self._catalog.read("locks", [camera.id], start_us, end_us)
        return any(
            (lock.start_us, lock.end_us, lock.reason, lock.created_by) == (start_us, end_us, reason, ACTOR)
            for lock in locks
        )

    async def _preserve_days(self) -> int | None:
        kept: str | None = await self._catalog.read("station_setting", SETTING)
        return None if kept is None else msgspec.json.decode(kept, type=PreservationSettings).bookmark_days


def _until(days: int | None) -> str:
    return "kept for ever" if days is None else f"kept for {days} days"

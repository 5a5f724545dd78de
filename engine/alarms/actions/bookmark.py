"""Bookmarks: a clip that begins at the event and is never recycled (AA-09, rule 1), until its preservation time ends."""

from __future__ import annotations

import msgspec

from engine.alarms.actions.occasion import Occasion
from engine.catalog_access import CatalogAccess
from engine.wire_alarm_rules import BookmarkAction
from engine.wire_sources import PreservationSettings
from storage.catalog.records import Camera
from storage.clock import Clock
from storage.errors import ActionFailed, NotFound
from storage.units import US_PER_SECOND

SETTING = "preservation"
"""In the catalog: PreservationSettings as JSON."""
NOTE_LIMIT = 4_000
ACTOR = "alarm rule"


class Bookmarker:
    """Bookmarks named as the rule, with the event's words as the note."""

    def __init__(self, catalog: CatalogAccess, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock

    async def perform(self, action: BookmarkAction, occasion: Occasion) -> str:
        """Keeps what is there and what will be; another try of it makes no second bookmark.

        Raises ActionFailed, and names the cameras that were bookmarked all the same.
        """
        names = occasion.cameras(action.cameras)
        if not names:
            raise ActionFailed("the event is about no camera", "name the cameras in the rule", is_final=True)
        days = action.preserve_days or await self._preserve_days()
        now_us = self._clock.now_us()
        start_us = occasion.at_us
        done: list[str] = []
        missing: list[str] = []
        for name in names:
            try:
                camera: Camera = await self._catalog.read("camera", name)
            except NotFound:
                missing.append(name)
                continue
            await self._catalog.write(
                "add_bookmark",
                camera_id=camera.id,
                start_us=start_us,
                end_us=start_us + action.length_s * US_PER_SECOND,
                now_us=now_us,
                name=occasion.rule,
                note=occasion.row.text[:NOTE_LIMIT],
                created_by=ACTOR,
                keep_days=days,
                once=True,
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

    async def _preserve_days(self) -> int | None:
        kept: str | None = await self._catalog.read("station_setting", SETTING)
        return None if kept is None else msgspec.json.decode(kept, type=PreservationSettings).bookmark_days


def _until(days: int | None) -> str:
    return "kept for ever" if days is None else f"kept for {days} days"

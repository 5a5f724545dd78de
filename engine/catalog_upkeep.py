"""What the catalog forgets by itself, so that it stays bounded: old events, alarms and operations as the preservation settings say,
ended jobs as old as events may be, rules' bookmarks whose video is gone, as old as alarms may be, and gaps from before the oldest footage.

Footage itself is forgotten by retention. A background round of the station; loop only, the work is the catalog's.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec

from engine.alarms.actions.bookmark import ACTOR as ALARM_RULE
from engine.catalog_thread import CatalogThread
from engine.config import CatalogSection
from engine.supervise import Sleep
from engine.wire_sources import PreservationSettings
from storage.catalog.records import Severity
from storage.clock import Clock
from storage.units import US_PER_DAY

log = logging.getLogger(__name__)

ROUND_S = 600.0
PAUSE_S = 0.1
"""Between two steps of one round: the recorder's changes go in between."""
KEEP_AT_LEAST = 10_000
"""Events, alarms and operations kept whatever the clock says: one that was set years ahead must not cost the whole history."""
EVENTS_A_STEP = 5_000
ALARMS_A_STEP = 1_000
"""An alarm goes with its places in four indexes, its words and its history: the step is to take as long as one of events."""
PRESERVATION = "preservation"
"""Key of the station setting."""


async def upkeep_rounds(
    catalog: CatalogThread, clock: Clock, limits: CatalogSection, *, sleep: Sleep = asyncio.sleep
) -> None:
    """For ever, the first at once: after a long time off there may be much to forget."""
    while True:
        await upkeep_round(catalog, clock, limits, sleep=sleep)
        await sleep(ROUND_S)


async def upkeep_round(
    catalog: CatalogThread, clock: Clock, limits: CatalogSection, *, sleep: Sleep = asyncio.sleep
) -> None:
    """Bring the catalog to its limits, in steps. Raises WatchdeckError when the catalog takes no changes."""
    now_us = clock.now_us()

    def before(days: int) -> int:
        return now_us - days * US_PER_DAY

    async def in_steps(call: str, *args: Any, **kwargs: Any) -> None:
        while await catalog.write(call, *args, **kwargs):
            await sleep(PAUSE_S)

    wanted = await preservation(catalog)
    kept = wanted or PreservationSettings()
    by_severity = {
        "major": before(kept.log_major_days),
        "normal": before(kept.log_normal_days),
        "minor": before(kept.log_minor_days),
    }
    of_events: int | dict[Severity, int] = before(limits.keep_events_days)
    if wanted is not None:
        of_events = {
            Severity.CRITICAL: by_severity["major"],
            Severity.WARNING: by_severity["normal"],
            Severity.INFO: by_severity["minor"],
        }
    await in_steps(
        "prune_events",
        limits.keep_events,
        before_us=of_events,
        keep_at_least=KEEP_AT_LEAST,
        step=EVENTS_A_STEP,
    )
    await in_steps("prune_alarms", before(kept.alarms_days), ALARMS_A_STEP, keep_at_least=KEEP_AT_LEAST)
    await in_steps("prune_bookmarks", before(kept.alarms_days), ALARM_RULE, ALARMS_A_STEP)
    await in_steps("prune_operations", by_severity, EVENTS_A_STEP, keep_at_least=KEEP_AT_LEAST)
    await catalog.write("forget_chassis_jobs", before(limits.keep_events_days))
    await catalog.write("forget_gaps", before(limits.keep_gaps_days))


async def preservation(catalog: CatalogThread) -> PreservationSettings | None:
    """As set (PR-17, PR-18); None while it never was, or when another version wrote what cannot be read."""
    text: str | None = await catalog.read("station_setting", PRESERVATION)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=PreservationSettings)
    except msgspec.DecodeError as error:
        log.error("preservation settings cannot be read, the defaults hold: %s", error)
        return None

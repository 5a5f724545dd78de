"""What the catalog forgets by itself, so that it stays bounded: old events, ended jobs as old as those, and gaps from before
the oldest footage.

Footage itself is forgotten by retention. A background round of the station; loop only, the work is the catalog's.
"""

from __future__ import annotations

import asyncio

from engine.catalog_thread import CatalogThread
from engine.config import CatalogSection
from engine.supervise import Sleep
from storage.clock import Clock
from storage.units import US_PER_DAY

ROUND_S = 600.0
PAUSE_S = 0.1
"""Between two steps of one round: the recorder's changes go in between."""
KEEP_AT_LEAST = 10_000
"""Events kept whatever the clock says: one that was set years ahead must not cost the whole history."""
EVENTS_A_STEP = 5_000


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
    before_us = now_us - limits.keep_events_days * US_PER_DAY
    while await catalog.write(
        "prune_events",
        limits.keep_events,
        before_us=before_us,
        keep_at_least=KEEP_AT_LEAST,
        step=EVENTS_A_STEP,
    ):
        await sleep(PAUSE_S)
    await catalog.write("forget_chassis_jobs", before_us)
    await catalog.write("forget_gaps", now_us - limits.keep_gaps_days * US_PER_DAY)

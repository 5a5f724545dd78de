"""What moved where, kept while recording: looks gathered a minute in memory, then written as blocks with the footage they are about.

Only looks at footage that is on disk are kept: a camera that records around events is looked at all the time, and most of that
was never recorded. A crash loses the looks in memory; searches then decode that minute. Loop only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from engine.catalog_access import CatalogAccess
from engine.recording.segment import SegmentTail
from engine.supervise import Sleep
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import BLOCK_LIMIT_US, SEEN_GAP_US, MotionLook, encode_block
from storage.catalog.records import Camera
from storage.clock import Clock
from storage.errors import WatchdeckError
from storage.units import US_PER_SECOND, Interval

log = logging.getLogger(__name__)

FLUSH_S = 40.0
SETTLE_US = 15 * US_PER_SECOND
"""A look this young is held back: whether its picture reaches the disk is not known yet."""
WAITING_LIMIT = 600
"""Looks of a camera in memory while the catalog takes none; the oldest go first."""
_MS = 1_000


@dataclass(slots=True)
class _Camera:
    waiting: list[MotionLook] = field(default_factory=list)
    """Not yet held against the footage."""
    block: list[MotionLook] = field(default_factory=list)
    """Of the newest block, which is written anew with every flush until it is full."""


class MotionIndex:
    """`note` what was seen; `run` for ever."""

    def __init__(
        self,
        catalog: CatalogAccess,
        clock: Clock,
        tails: Callable[[], Sequence[SegmentTail]],
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._tails = tails
        self._sleep = sleep
        self._cameras: dict[UUID, _Camera] = {}
        self._leaving: set[UUID] = set()

    def note(self, camera: UUID, time_us: int, cells: bytes) -> None:
        """One look at the keyframe of that moment of the footage; `cells` as engine.pictures.motion.packed."""
        # Up to the next millisecond: who asks for the picture of that moment gets this one, not the one before.
        look = MotionLook((time_us // _MS + 1) * _MS, int.from_bytes(cells, "big"))
        self._leaving.discard(camera)
        waiting = self._cameras.setdefault(camera, _Camera()).waiting
        waiting.append(look)
        if len(waiting) > WAITING_LIMIT:
            del waiting[0]

    def forget(self, camera: UUID) -> None:
        """It was removed, or its motion is not kept any more: what it has so far is written, and no more comes."""
        self._leaving.add(camera)

    def recent(self, camera: UUID) -> list[MotionLook]:
        """Looks that are not in the catalog, or not all of their block, in order of time."""
        known = self._cameras.get(camera)
        return [] if known is None else sorted([*known.block, *known.waiting])

    async def run(self) -> None:
        try:
            while True:
                await self._sleep(FLUSH_S)
                try:
                    await self.flush()
                except WatchdeckError as error:
                    log.error("stored motion: %s; tried again", error)
        finally:
            try:
                # What is too young to be held against the footage is held against what there is of it.
                await self.flush(is_last=True)
            except WatchdeckError as error:
                log.error("stored motion: the last minute is lost: %s", error)

    async def flush(self, *, is_last: bool = False) -> None:
        """Write the looks that have settled; the last time all. Raises WatchdeckError; nothing is lost by that."""
        until_us = self._clock.now_us() - SETTLE_US
        due = {
            uuid: [look for look in each.waiting if is_last or look.time_us <= until_us]
            for uuid, each in self._cameras.items()
        }
        due = {uuid: looks for uuid, looks in due.items() if looks}
        if due:
            await self._write(due)
        for uuid in [each for each in self._leaving if not self._cameras.get(each, _Camera()).waiting]:
            self._cameras.pop(uuid, None)
            self._leaving.discard(uuid)

    async def _write(self, due: dict[UUID, list[MotionLook]]) -> None:
        cameras: list[Camera] = await self._catalog.read("cameras", with_removed=True)
        ids = {camera.uuid: camera.id for camera in cameras if camera.uuid in due}
        on_disk = await self._footage(
            list(ids.values()),
            min(look.time_us for looks in due.values() for look in looks),
            max(look.time_us for looks in due.values() for look in looks) + 1,
        )
        blocks: list[MotionBlock] = []
        open_blocks: dict[UUID, list[MotionLook]] = {}
        for uuid, looks in due.items():
            if uuid in ids:
                kept = _covered(looks, on_disk[ids[uuid]])
                parts = _in_blocks(self._cameras[uuid].block, kept)
                if kept:
                    blocks += [_block(ids[uuid], part) for part in parts]
                    open_blocks[uuid] = parts[-1]
        if blocks:
            await self._catalog.write("put_motion_blocks", blocks)
        for uuid, looks in due.items():
            camera = self._cameras[uuid]
            gone = set(looks)
            camera.waiting = [look for look in camera.waiting if look not in gone]
            camera.block = open_blocks.get(uuid, camera.block)

    async def _footage(self, ids: Sequence[int], start_us: int, end_us: int) -> dict[int, list[Interval]]:
        on_disk: dict[int, list[Interval]] = await self._catalog.read("coverage", list(ids), start_us, end_us)
        for tail in self._tails():
            if tail.camera_id in on_disk and tail.end_us > tail.start_us:
                on_disk[tail.camera_id].append(Interval(tail.start_us, tail.end_us))
        return on_disk


def _covered(looks: Sequence[MotionLook], stretches: Sequence[Interval]) -> list[MotionLook]:
    # A keyframe just written may begin a millisecond behind where its file ends so far.
    return [
        look
        for look in looks
        if any(stretch.start_us <= look.time_us <= stretch.end_us + US_PER_SECOND for stretch in stretches)
    ]


def _in_blocks(begun: Sequence[MotionLook], looks: Sequence[MotionLook]) -> list[list[MotionLook]]:
    """The begun block and what follows, cut where it is long enough, where nobody looked, and where the clock was set."""
    parts: list[list[MotionLook]] = [list(begun)] if begun else []
    for look in looks:
        block = parts[-1] if parts else []
        if (
            block
            and 0 < look.time_us - block[-1].time_us <= SEEN_GAP_US
            and look.time_us - block[0].time_us <= BLOCK_LIMIT_US
        ):
            block.append(look)
        elif not block or look.time_us != block[-1].time_us:
            parts.append([look])
    return parts


def _block(camera_id: int, looks: Sequence[MotionLook]) -> MotionBlock:
    return MotionBlock(
        camera_id,
        looks[0].time_us,
        looks[-1].time_us,
        sum(1 for look in looks if look.cells),
        encode_block(looks),
    )

"""Retention of a recording group: by days, by bytes and by free space together; oldest unlocked first.

Small batches, on the volume's upkeep thread, so that recycling never delays writing; candidates come from an
index, nothing is scanned. Locked segments are stepped over and counted. Called in rounds by the recording service.
"""

from __future__ import annotations

import logging

from engine.catalog_thread import CatalogThread
from engine.recording.groups import RecordingGroup
from engine.recording.volume_thread import VolumeThread
from storage.catalog.records import GroupUsage, Segment
from storage.clock import Clock
from storage.errors import VolumeError
from storage.units import US_PER_DAY

log = logging.getLogger(__name__)

BATCH = 16
"""Segments of one step: some milliseconds in the catalog, some unlinks on the volume."""
STEPS_A_ROUND = 64
MARGIN_BYTES = 2 * 1024**3


def margin_bytes(total_bytes: int, room_total_bytes: int, bytes_a_second: float) -> int:
    """How far above its floor a volume is freed, so that recycling comes in batches and writing never meets the floor.

    1 % of the volume, or more if a minute of writing needs more (but not more than 2 GiB); never above a tenth
    of what recording may use at all.
    """
    wanted_bytes = max(total_bytes // 100, min(MARGIN_BYTES, round(60 * bytes_a_second)))
    return min(wanted_bytes, max(room_total_bytes, 0) // 10)


class Retention:
    """Recycles the segments of one group. Hysteresis: begins at half the margin above the floor, ends at the margin."""

    def __init__(self, group: RecordingGroup, catalog: CatalogThread, clock: Clock) -> None:
        self.group = group
        self._catalog = catalog
        self._clock = clock
        self.recycled = 0
        """Segments, since the start."""

    async def round(self) -> None:
        """Bring the group to what its rules allow. Volumes in trouble are left for another time."""
        await self._catalog.write("expire_locks", self._clock.now_us())
        for volume in list(self.group.volumes.values()):
            await self._free_space(volume)
        await self._keep_days()
        await self._keep_bytes()
        usage: GroupUsage = await self._catalog.read("group_usage", self.group.record.id)
        self.group.usage = usage

    def is_urgent(self) -> bool:
        """A volume comes near its floor."""
        return any(
            volume.space is not None
            and not volume.is_short
            and volume.room_bytes < self._margin_bytes(volume) // 2
            for volume in self.group.volumes.values()
        )

    def _margin_bytes(self, volume: VolumeThread) -> int:
        if volume.space is None:
            return 0
        total_bytes = volume.space.total_bytes
        return margin_bytes(total_bytes, total_bytes - volume.record.floor_bytes, volume.rate.quick_bps / 8)

    async def _free_space(self, volume: VolumeThread) -> None:
        margin = self._margin_bytes(volume)
        if volume.space is None or volume.room_bytes >= margin // 2:
            volume.is_short = False
            return
        for _ in range(STEPS_A_ROUND):
            if volume.room_bytes >= margin:
                volume.is_short = False
                return
            candidates = await self._candidates(volume)
            if not candidates or not await self._recycle(volume, candidates):
                # Nothing may go. Above the floor there is still room for new footage.
                volume.is_short = True
                return

    async def _keep_days(self) -> None:
        days = self.group.record.retention_days
        if days is None:
            return
        before_us = self._clock.now_us() - days * US_PER_DAY
        for volume in list(self.group.volumes.values()):
            for _ in range(STEPS_A_ROUND):
                candidates = await self._candidates(volume, before_us)
                if not candidates or not await self._recycle(volume, candidates):
                    break

    async def _keep_bytes(self) -> None:
        limit_bytes = self.group.record.retention_bytes
        if limit_bytes is None:
            return
        usage: GroupUsage = await self._catalog.read("group_usage", self.group.record.id)
        excess_bytes = usage.bytes - limit_bytes
        for _ in range(STEPS_A_ROUND):
            if excess_bytes <= 0:
                return
            oldest: list[Segment] = await self._catalog.read(
                "recycle_candidates", self.group.record.id, BATCH
            )
            chosen: list[Segment] = []
            for segment in oldest:
                if excess_bytes <= 0:
                    break
                chosen.append(segment)
                excess_bytes -= segment.bytes
            freed = 0
            for volume in list(self.group.volumes.values()):
                own = [segment for segment in chosen if segment.volume_id == volume.record.id]
                freed += await self._recycle(volume, own) if own else 0
            if not freed:
                return

    async def _candidates(self, volume: VolumeThread, before_us: int | None = None) -> list[Segment]:
        found: list[Segment] = await self._catalog.read(
            "recycle_candidates",
            self.group.record.id,
            BATCH,
            before_us=before_us,
            volume_id=volume.record.id,
        )
        return found

    async def _recycle(self, volume: VolumeThread, segments: list[Segment]) -> int:
        """Mark, unlink, forget; returns how many went. A volume that fails meanwhile is tried again after its return."""
        if not volume.is_reachable:
            return 0
        marked = set(await self._catalog.write("mark_deleting", [segment.id for segment in segments]))
        chosen = [segment for segment in segments if segment.id in marked]
        try:
            freed_bytes = await volume.call(
                lambda: sum(volume.upkeep_volume.remove_segment(segment.path) for segment in chosen)
            )
        except VolumeError as error:
            log.warning("retention: %s", error)
            return 0
        await self._catalog.write("forget", [segment.id for segment in chosen])
        volume.freed(freed_bytes)
        self.recycled += len(chosen)
        return len(chosen)

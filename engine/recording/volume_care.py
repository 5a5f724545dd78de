"""The upkeep of one volume: sync at its interval, inspection, recovery of what a crash or a failure left open.

Two tasks a volume, both on its upkeep thread; a drive that hangs holds up only them. Run by the recording service.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from engine.catalog_thread import CatalogThread
from engine.recording.recovery import RecoveryReport, recover_volume
from engine.recording.volume_thread import VolumeThread
from engine.supervise import Sleep
from storage.catalog.records import Camera
from storage.errors import VolumeError
from storage.segments.chain import Signer
from storage.volumes.volume import is_on_system_disk

log = logging.getLogger(__name__)

INSPECT_S = 5.0


class VolumeCare:
    """Keeps one volume synced, looked at and recovered."""

    def __init__(
        self,
        volume: VolumeThread,
        catalog: CatalogThread,
        *,
        sync_interval_ms: int,
        signer: Signer | None = None,
        sleep: Sleep,
        cameras: Callable[[], list[Camera]],
        on_recovered: Callable[[VolumeThread, RecoveryReport], None],
        on_inspected: Callable[[VolumeThread], None],
    ) -> None:
        self.volume = volume
        self._catalog = catalog
        self._sync_interval_s = sync_interval_ms / 1000
        self._signer = signer
        self._sleep = sleep
        self._cameras = cameras
        self._on_recovered = on_recovered
        self._on_inspected = on_inspected
        self._syncing = asyncio.Lock()
        self._is_recovered = False
        """Nothing is left open on it from before it came (back)."""
        self._copied: list[Camera] | None = None

    async def sync_rounds(self) -> None:
        """For ever: what was written becomes durable, then the catalog's rows grow."""
        while True:
            await self._sleep(self._sync_interval_s)
            await self.sync()

    async def sync(self) -> None:
        """Nothing to do when nothing was written. A failure is the volume's state; the rows then stay as they are.

        One after the other: who stops the volume has to wait for the sync that is under way, and for its rows.
        """
        async with self._syncing:
            if not self.volume.has_unsynced:
                return
            try:
                changes = await self.volume.sync()
            except VolumeError as error:
                log.warning("sync: %s", error)
                self._is_recovered = False
                return
            self._catalog.record(*changes)

    async def inspect_rounds(self) -> None:
        """For ever."""
        while True:
            await self.inspect()
            await self._sleep(INSPECT_S)

    async def inspect(self) -> None:
        """One look, and what follows from it."""
        volume = self.volume
        try:
            await volume.inspect()
            if volume.is_ok and not self._is_recovered:
                volume.is_on_system_disk = await volume.call(
                    lambda: is_on_system_disk(volume.upkeep_volume.root)
                )
                report = await recover_volume(volume, self._catalog, self._signer)
                self._is_recovered = True
                self._on_recovered(volume, report)
            if volume.is_ok:
                await self._copy_settings()
        except VolumeError:
            pass  # It is the volume's state now, and was said once.
        if not volume.is_reachable:
            self._is_recovered = False
        volume.used_bytes = await self._catalog.read("volume_usage", volume.record.id)
        self._on_inspected(volume)

    async def _copy_settings(self) -> None:
        """The cameras' settings beside their footage, for a rebuild of the catalog."""
        cameras = self._cameras()
        if cameras == self._copied:
            return
        await self.volume.call(lambda: self.volume.upkeep_volume.write_settings_copy(cameras))
        self._copied = cameras

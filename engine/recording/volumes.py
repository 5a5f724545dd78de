"""The volumes and recording groups in use: started, edited, watched, recycled, recovered. Loop only.

Part of the recording service, which owns the task group and tells the cameras' recorders what happens here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from engine.catalog_thread import CatalogThread
from engine.deadline import Deadline
from engine.events import EventBus
from engine.recording.groups import RecordingGroup
from engine.recording.recovery import RecoveryReport
from engine.recording.retention import Retention
from engine.recording.settings import RecordingConfig
from engine.recording.volume_care import VolumeCare
from engine.recording.volume_thread import VolumeThread
from engine.supervise import Sleep, keep_running
from engine.wire import VolumeState
from storage.catalog.records import Camera, Severity
from storage.catalog.records import Volume as VolumeRecord
from storage.clock import Clock
from storage.errors import NotFound
from storage.volumes.volume import Volume

log = logging.getLogger(__name__)

RETENTION_S = 10.0


class VolumeUsers(Protocol):
    """The recording service, as its volumes need it."""

    def cameras(self) -> list[Camera]:
        """Their settings, for the copy on each volume."""

    def volume_moved(self, volume: VolumeThread) -> None:
        """Its state is another one."""

    def volume_leaves(self, volume: VolumeThread) -> None:
        """Nothing more is to be written to it."""

    def on_change(self, kind: str, ref: str) -> None:
        """A "volume" (by UUID) or "group" (by name) looks different."""


@dataclass(slots=True)
class _Place:
    thread: VolumeThread
    care: VolumeCare
    is_first_look_over: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class RecordingVolumes:
    """Every registered volume has a thread and two tasks; every group its retention."""

    def __init__(
        self,
        catalog: CatalogThread,
        events: EventBus,
        clock: Clock,
        config: RecordingConfig,
        users: VolumeUsers,
        *,
        open_volume: Callable[[VolumeRecord], Volume],
        sleep: Sleep,
    ) -> None:
        self.groups: dict[str, RecordingGroup] = {}
        self._catalog = catalog
        self._events = events
        self._clock = clock
        self._config = config
        self._users = users
        self._open_volume = open_volume
        self._sleep = sleep
        self._tasks: asyncio.TaskGroup | None = None
        self._places: dict[UUID, _Place] = {}
        self._retention: dict[int, Retention] = {}
        self._wants_retention = asyncio.Event()
        self._at_start: RecoveryReport | None = RecoveryReport()

    @property
    def threads(self) -> list[VolumeThread]:
        return [place.thread for place in self._places.values()]

    def group(self, name: str) -> RecordingGroup:
        """Raises NotFound."""
        group = self.groups.get(name)
        if group is None:
            raise NotFound(f"no recording group {name!r}", "`watchdeck group list` shows all")
        return group

    # -- start and stop --------------------------------------------------------------------------------------

    async def start(self, tasks: asyncio.TaskGroup, patience_s: float) -> RecoveryReport:
        """All registered volumes in use; returns what was recovered on those that answered in time."""
        self._tasks = tasks
        await self.load_groups()
        for record in await self._catalog.read("volumes"):
            self.add(record)
        try:
            async with Deadline(patience_s):
                for place in self._places.values():
                    await place.is_first_look_over.wait()
        except TimeoutError:
            silent = [
                place.thread.name for place in self._places.values() if not place.is_first_look_over.is_set()
            ]
            log.warning("cameras start without waiting any longer for volume %s", ", ".join(silent))
        report, self._at_start = self._at_start or RecoveryReport(), None
        self._say_recovered(report)
        return report

    async def finish(self) -> None:
        """Everything handed over is written and durable, or its volume has failed. May hang with a volume."""
        async with asyncio.TaskGroup() as group:
            for place in self._places.values():
                group.create_task(_finish(place), name=f"volume {place.thread.name} stop")

    def stop(self) -> None:
        for place in self._places.values():
            for task in place.tasks:
                task.cancel()
            place.thread.stop()

    # -- groups ----------------------------------------------------------------------------------------------

    async def load_groups(self) -> None:
        """As they are in the catalog now; volumes, which name their group, too."""
        by_id = {group.record.id: group for group in self.groups.values()}
        self.groups = {}
        for record in await self._catalog.read("groups"):
            group = by_id.get(record.id) or RecordingGroup(record)
            group.record = record
            self.groups[record.name] = group
            if record.id not in self._retention:
                self._retention[record.id] = Retention(group, self._catalog, self._clock)
        ids = {group.record.id for group in self.groups.values()}
        self._retention = {group_id: self._retention[group_id] for group_id in ids}
        for volume in await self._catalog.read("volumes"):
            if (place := self._places.get(volume.uuid)) is not None:
                place.thread.record = volume
        self._wants_retention.set()

    async def retention_rounds(self) -> None:
        """For ever: every ten seconds, or at once when a volume comes near its floor or a rule was edited."""
        while True:
            self._wants_retention.clear()
            for retention in list(self._retention.values()):
                await retention.round()
                self._users.on_change("group", retention.group.record.name)
            async with asyncio.TaskGroup() as group:
                pause = group.create_task(self._pause(), name="retention pause")
                await self._wants_retention.wait()
                pause.cancel()

    async def _pause(self) -> None:
        await self._sleep(RETENTION_S)
        self._wants_retention.set()

    # -- volumes ---------------------------------------------------------------------------------------------

    def add(self, record: VolumeRecord) -> None:
        """Use a registered volume."""
        assert self._tasks is not None, "the recording service does not run"
        thread = VolumeThread(
            record,
            self._clock,
            open_volume=self._open_volume,
            on_state=self._entered,
            queue_bytes=self._config.queue_bytes,
            gather_ms=self._config.gather_ms,
        )
        care = VolumeCare(
            thread,
            self._catalog,
            sync_interval_ms=self._config.sync_interval_ms,
            signer=self._config.signer,
            sleep=self._sleep,
            cameras=self._users.cameras,
            on_recovered=self._recovered,
            on_inspected=self._inspected,
        )
        place = self._places[record.uuid] = _Place(thread, care)
        self.group(record.group).volumes[record.uuid] = thread
        for name, rounds in (("sync", care.sync_rounds), ("inspection", care.inspect_rounds)):
            task_name = f"volume {record.name} {name}"
            place.tasks.append(
                self._tasks.create_task(keep_running(task_name, rounds, sleep=self._sleep), name=task_name)
            )

    async def remove(self, uuid: UUID, patience_s: float) -> None:
        """No longer registered: its segments are closed, cameras go to others of the group. Raises NotFound."""
        place = self._places.pop(uuid, None)
        if place is None:
            raise NotFound(f"no volume {uuid} in use")
        group = self.groups.get(place.thread.record.group)
        if group is not None:
            group.volumes.pop(uuid, None)
        self._users.volume_leaves(place.thread)
        try:
            async with Deadline(patience_s):
                await _finish(place)
                for task in place.tasks:
                    task.cancel()
                # The operator's next step may be to unmount it.
                await place.thread.stopped()
        except TimeoutError:
            log.error("volume %s: removed without waiting for it any longer", place.thread.name)
            for task in place.tasks:
                task.cancel()
            place.thread.stop()
        self._users.on_change("group", place.thread.record.group)

    def watch(self) -> None:
        """Every second: rates, operations that hang, space that runs out."""
        for place in self._places.values():
            place.thread.rate.tick()
            place.thread.watch()
        if any(retention.is_urgent() for retention in self._retention.values()):
            self._wants_retention.set()

    # -- told by threads and care ----------------------------------------------------------------------------

    def _entered(self, thread: VolumeThread, previous: VolumeState) -> None:
        place = self._places.get(thread.record.uuid)
        if place is not None and place.is_first_look_over.is_set():
            self._say(thread)
        self._users.volume_moved(thread)
        self._users.on_change("volume", str(thread.record.uuid))

    def _inspected(self, thread: VolumeThread) -> None:
        place = self._places.get(thread.record.uuid)
        if place is not None and not place.is_first_look_over.is_set():
            place.is_first_look_over.set()
            if not thread.is_ok:
                self._say(thread)
        self._users.on_change("volume", str(thread.record.uuid))

    def _say(self, thread: VolumeThread) -> None:
        if thread.is_ok:
            self._events.publish("volume.back", "in order again", source=thread.name)
        else:
            self._events.publish(
                f"volume.{thread.state}", thread.cause, severity=Severity.CRITICAL, source=thread.name
            )

    def _recovered(self, thread: VolumeThread, report: RecoveryReport) -> None:
        if self._at_start is not None:
            self._at_start.add(report)
        else:
            self._say_recovered(report, thread.name)

    def _say_recovered(self, report: RecoveryReport, source: str = "") -> None:
        if not report.is_empty:
            severity = Severity.WARNING if report.dropped or report.truncated_bytes else Severity.INFO
            self._events.publish("recovery.done", report.words, severity=severity, source=source)


async def _finish(place: _Place) -> None:
    await place.thread.drained()
    await place.care.sync()

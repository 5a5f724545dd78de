"""The recording service: cameras, recorders, volumes and groups put together, started, edited and stopped in order.

Called by the station (run, views) and by the API (edits). Each camera and each volume has tasks of its own, so
that none waits for another. What is edited is in the catalog already; the service follows. Loop only.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from engine import wire
from engine.cameras.camera import CameraRunner
from engine.cameras.source import PacketSink, PacketSource, SourceSettings
from engine.catalog_thread import CatalogThread
from engine.deadline import Deadline
from engine.events import EventBus
from engine.recording import views
from engine.recording.footage import Footage
from engine.recording.gaps import GapTracker
from engine.recording.keyframe_news import KeyframeNews
from engine.recording.pre_event import RingBudget
from engine.recording.recorder import CLOCK_STEP_US, LiveKeyframe, Recorder
from engine.recording.recovery import RecoveryReport
from engine.recording.segment import SegmentTail
from engine.recording.settings import RecordingConfig
from engine.recording.volume_thread import VolumeThread
from engine.recording.volumes import RecordingVolumes
from engine.supervise import Sleep, keep_running
from storage.catalog.changes import CloseGap, EndRun, OpenGap
from storage.catalog.records import Camera, Gap, GapCause, RecordingMode, Run, Severity, StationIdentity
from storage.catalog.records import Volume as VolumeRecord
from storage.clock import Clock
from storage.errors import Conflict, NotFound, WatchdeckError
from storage.segments.packet import Track
from storage.units import US_PER_SECOND
from storage.volumes.volume import Volume

log = logging.getLogger(__name__)

WATCH_S = 1.0
CATALOG_PATIENCE_S = 3.0
START_PATIENCE_S = 10.0
"""Cameras start no later than this, also when a volume does not answer."""
USAGE_EVERY = 30
"""Looks between two refreshes of what cameras' views take from the catalog."""


@dataclass(slots=True)
class _CameraPlace:
    runner: CameraRunner
    task: asyncio.Task[None] | None = None
    fps: float = 0.0
    frames_before: int = 0
    oldest_us: int | None = None


OnChange = Callable[[str, str], None]
"""Called with ("camera" | "volume" | "group", uuid of the camera or volume, name of the group) after a change."""


class RecordingService:
    """Records. `run` ends only by cancellation, in order and within its stop budget."""

    def __init__(
        self,
        catalog: CatalogThread,
        events: EventBus,
        clock: Clock,
        config: RecordingConfig,
        source_factory: Callable[[SourceSettings], PacketSource],
        *,
        on_change: OnChange = lambda kind, ref: None,
        open_volume: Callable[[VolumeRecord], Volume] = Volume,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.on_change = on_change
        self.is_started = asyncio.Event()
        """Cameras are being connected; what a crash left behind is recovered, as far as its volumes answer."""
        self.keyframes = KeyframeNews()
        """Of all cameras, for those who wait for a picture."""
        self._catalog = catalog
        self._events = events
        self._clock = clock
        self._config = config
        self._source_factory = source_factory
        self._sleep = sleep
        self._chance = chance
        self._station: StationIdentity | None = None
        self._cameras: dict[UUID, _CameraPlace] = {}
        self._rings = RingBudget(config.pre_event_bytes)
        self._volumes = RecordingVolumes(
            catalog, events, clock, config, self, open_volume=open_volume, sleep=sleep
        )
        self._wall_minus_monotonic_us = 0
        self._tasks: asyncio.TaskGroup | None = None

    # -- running ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Start, record until cancelled, stop in order."""
        self._station = await self._catalog.read("station")
        self._wall_minus_monotonic_us = self._clock.now_us() - self._clock.monotonic_us()
        unended: list[Run] = await self._catalog.read("unended_runs")
        background: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                report = await self._volumes.start(tasks, START_PATIENCE_S)
                await self._settle_crash(unended, report)
                for camera in await self._catalog.read("cameras"):
                    await self._start_camera(camera, await self._catalog.read("camera_password", camera.uuid))
                background += [
                    tasks.create_task(keep_running(name, rounds, sleep=self._sleep), name=name)
                    for name, rounds in (
                        ("watch", self._watch),
                        ("retention", self._volumes.retention_rounds),
                    )
                ]
                self.is_started.set()
                await asyncio.Event().wait()
            finally:
                self.is_started.clear()
                await self._stop()
                for task in background:
                    task.cancel()

    async def _settle_crash(self, unended: list[Run], report: RecoveryReport) -> None:
        """Write down where the footage of a run without an end stopped, and that a gap begins there."""
        for segment in await self._catalog.read("open_segments"):
            # On a volume that is not there: as far as is known.
            report.saw(segment.camera_id, segment.start_us, segment.end_us)
        for run in unended:
            known = report.found.get(run.camera_id)
            end_us = known.end_us if known is not None else run.start_us
            self._catalog.record(EndRun(run.uuid, end_us, "the engine ended without an orderly stop"))
        for camera_id, found in report.found.items():
            going_on: Gap | None = await self._catalog.read("open_gap", camera_id)
            if going_on is not None and going_on.start_us < found.start_us:
                # It had ended with the segment; the crash came before the catalog heard of it.
                self._catalog.record(CloseGap(camera_id, found.start_us))
            self._catalog.record(OpenGap(camera_id, found.end_us, GapCause.ENGINE_CRASHED))
        await self._catalog.flush()

    async def _stop(self) -> None:
        """Sources stop, parts are flushed, segments closed, gaps begin, volumes synced, the catalog told."""
        try:
            async with Deadline(self._config.stop_budget_ms / 1000):
                for place in self._cameras.values():
                    if place.task is not None:
                        place.task.cancel()
                await _ended(place.task for place in self._cameras.values())
                await self._volumes.finish()
        except TimeoutError:
            stuck = [thread.name for thread in self._volumes.threads if thread.queue_bytes]
            log.error("stopped without waiting any longer for %s", ", ".join(stuck) or "the cameras")
        for place in self._cameras.values():
            place.runner.recorder.engine_stops()
        self._volumes.stop()
        await self._flush_catalog()

    async def _flush_catalog(self) -> None:
        try:
            async with Deadline(CATALOG_PATIENCE_S):
                await self._catalog.flush()
        except (TimeoutError, WatchdeckError) as error:
            log.error("the catalog did not take the last changes: %s", error)

    # -- groups and volumes ----------------------------------------------------------------------------------

    async def reload_groups(self) -> None:
        """Groups were added, edited or removed. After a renaming, the cameras in it name another one."""
        await self._volumes.load_groups()
        for camera in await self._catalog.read("cameras"):
            if (place := self._cameras.get(camera.uuid)) is not None:
                place.runner.camera = place.runner.recorder.footage.camera = camera
        for name in self._volumes.groups:
            self.on_change("group", name)

    async def add_volume(self, volume: VolumeRecord) -> None:
        """It was registered in the catalog: use it."""
        if self._tasks is None:
            raise Conflict("the recording service does not run")
        if volume.group not in self._volumes.groups:
            await self._volumes.load_groups()
        self._volumes.add(volume)
        self._changed_group(volume.group)

    async def remove_volume(self, uuid: UUID) -> None:
        """It is no longer registered: its segments are closed, cameras go to others of the group."""
        await self._volumes.remove(uuid, self._config.stop_budget_ms / 1000)

    def cameras(self) -> list[Camera]:
        """Settings of the cameras in use."""
        return [place.runner.camera for place in self._cameras.values()]

    def volume_moved(self, volume: VolumeThread) -> None:
        for place in self._cameras.values():
            place.runner.recorder.footage.volume_changed(volume)

    def volume_leaves(self, volume: VolumeThread) -> None:
        for place in self._cameras.values():
            place.runner.recorder.footage.volume_removed(volume)

    # -- cameras ---------------------------------------------------------------------------------------------

    async def add_camera(self, camera: Camera, password: str) -> None:
        """It was added to the catalog: record it. Raises Conflict beyond the limit."""
        self.check_camera_limit()
        await self._start_camera(camera, password)

    def check_camera_limit(self) -> None:
        """Raises Conflict when no further camera fits; to be asked before one is added to the catalog."""
        if len(self._cameras) >= self._config.camera_limit:
            raise Conflict(
                f"this station records {self._config.camera_limit} cameras at most",
                "remove one, or add a second station",
            )

    async def update_camera(self, camera: Camera, password: str) -> None:
        """It was edited: a new session with the new settings. Renaming alone interrupts nothing."""
        place = self._cameras.get(camera.uuid)
        if place is None:
            await self.add_camera(camera, password)
            return
        runner = place.runner
        if runner.takes_over(camera, password):
            self._changed_camera(camera.uuid)
            return
        await self._end_camera(place)
        condition, recorder = runner.condition, runner.recorder
        if camera.group != runner.camera.group:
            if (old := self._volumes.groups.get(runner.camera.group)) is not None:
                old.release(camera.uuid)
            self._changed_group(runner.camera.group)
        recorder.footage.camera = camera
        recorder.footage.group = self._volumes.group(camera.group)
        self._set_output(recorder, camera)
        place.runner = self._runner(camera, password, recorder)
        place.runner.condition.since_us = condition.since_us
        self._run_camera(place)

    async def remove_camera(self, uuid: UUID) -> None:
        """Its recordings stay until they are recycled."""
        place = self._cameras.pop(uuid, None)
        if place is None:
            raise NotFound(f"no camera {uuid} in use")
        await self._end_camera(place)
        place.runner.recorder.record_all()
        place.runner.recorder.footage.expect_nothing(self._clock.now_us())
        group = place.runner.camera.group
        if group in self._volumes.groups:
            self._volumes.groups[group].release(uuid)
        self._changed_group(group)

    def keep(self, camera_name: str, start_us: int, end_us: int) -> str:
        """Bring this stretch to disk, as far as the camera is not recorded anyway; what will come of it, in words.

        Never waits. Raises NotFound, and Conflict when the camera does not record at all.
        """
        for place in self._cameras.values():
            if place.runner.camera.name == camera_name:
                return place.runner.keep(start_us, end_us)
        raise NotFound(f"no camera {camera_name!r} in use", "`watchdeck camera list` shows all")

    def tap(self, uuid: UUID, sink: PacketSink) -> tuple[Track, ...]:
        """The sink gets what the camera sends from now on, beside the recorder; its tracks at present. Raises NotFound."""
        place = self._cameras.get(uuid)
        if place is None:
            raise NotFound(f"no camera {uuid} in use")
        recorder = place.runner.recorder
        recorder.taps.append(sink)
        return recorder.tracks if recorder.has_video else ()

    def untap(self, uuid: UUID, sink: PacketSink) -> None:
        """No longer."""
        place = self._cameras.get(uuid)
        if place is not None and sink in place.runner.recorder.taps:
            place.runner.recorder.taps.remove(sink)

    async def _start_camera(self, camera: Camera, password: str) -> None:
        if self._station is None:
            raise Conflict("the recording service does not run")
        if camera.group not in self._volumes.groups:
            await self._volumes.load_groups()
        going_on: Gap | None = await self._catalog.read("open_gap", camera.id)

        def on_change() -> None:
            self._camera_moved(camera.uuid)

        footage = Footage(
            camera,
            self._station.uuid,
            self._volumes.groups.get(camera.group),
            clock=self._clock,
            catalog=self._catalog,
            gaps=GapTracker(camera.id, self._catalog, going_on),
            config=self._config,
            on_change=on_change,
            recorded_until_us=going_on.start_us if going_on is not None else 0,
        )
        recorder = Recorder(
            footage,
            clock=self._clock,
            config=self._config,
            on_change=on_change,
            on_keyframe=lambda: self.keyframes.arrived(camera.uuid),
        )
        self._set_output(recorder, camera)
        place = self._cameras[camera.uuid] = _CameraPlace(self._runner(camera, password, recorder))
        self._run_camera(place)

    def _set_output(self, recorder: Recorder, camera: Camera) -> None:
        if camera.mode is RecordingMode.EVENTS:
            recorder.record_events(self._rings, camera.pre_event_s * US_PER_SECOND)
        else:
            recorder.record_all()

    def _runner(self, camera: Camera, password: str, recorder: Recorder) -> CameraRunner:
        return CameraRunner(
            camera,
            password,
            recorder,
            source_factory=self._source_factory,
            clock=self._clock,
            events=self._events,
            on_change=lambda: self._changed_camera(camera.uuid),
            sleep=self._sleep,
            chance=self._chance,
        )

    def _run_camera(self, place: _CameraPlace) -> None:
        assert self._tasks is not None, "the recording service does not run"
        camera = place.runner.camera
        place.task = self._tasks.create_task(
            keep_running(f"camera {camera.name}", place.runner.run, sleep=self._sleep),
            name=f"camera:{camera.id}",
        )
        self._changed_camera(camera.uuid)
        self._changed_group(camera.group)

    async def _end_camera(self, place: _CameraPlace) -> None:
        if place.task is not None:
            place.task.cancel()
            await _ended([place.task])

    def _camera_moved(self, uuid: UUID) -> None:
        if (place := self._cameras.get(uuid)) is not None:
            place.runner.refresh()
            self._changed_camera(uuid)

    def _changed_camera(self, uuid: UUID) -> None:
        if uuid in self._cameras:
            self.on_change("camera", str(uuid))

    def _changed_group(self, name: str) -> None:
        if name in self._volumes.groups:
            self.on_change("group", name)

    # -- rounds ----------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Every second: the clock, operations that hang, cameras of which nothing reaches the disk, rates."""
        looks = 0
        before_us = self._clock.monotonic_us()
        while True:
            await self._sleep(WATCH_S)
            now_us = self._clock.monotonic_us()
            elapsed_s = max(now_us - before_us, 1) / US_PER_SECOND
            before_us = now_us
            self._watch_clock()
            self._volumes.watch()
            if looks % USAGE_EVERY == 0:
                await self._refresh_oldest()
            looks += 1
            for uuid, place in self._cameras.items():
                recorder = place.runner.recorder
                recorder.watch()
                place.fps += ((recorder.frames - place.frames_before) / elapsed_s - place.fps) * 0.25
                place.frames_before = recorder.frames
                place.runner.refresh()
                self.on_change("camera", str(uuid))

    def _watch_clock(self) -> None:
        offset_us = self._clock.now_us() - self._clock.monotonic_us()
        step_us = offset_us - self._wall_minus_monotonic_us
        self._wall_minus_monotonic_us = offset_us
        if abs(step_us) <= CLOCK_STEP_US:
            return
        self._events.publish(
            "clock.stepped",
            f"the system's clock was set {'forward' if step_us > 0 else 'back'} by {abs(step_us) / US_PER_SECOND:.1f} s",
            severity=Severity.WARNING,
        )
        for place in self._cameras.values():
            place.runner.recorder.clock_stepped()
            place.runner.clock_stepped()

    async def _refresh_oldest(self) -> None:
        ids = {place.runner.camera.id: place for place in self._cameras.values()}
        oldest: dict[int, int] = await self._catalog.read("oldest_us", list(ids))
        for camera_id, place in ids.items():
            place.oldest_us = oldest.get(camera_id)

    # -- views -----------------------------------------------------------------------------------------------

    def camera_view(self, uuid: UUID) -> wire.CameraView:
        """Raises NotFound."""
        place = self._cameras.get(uuid)
        if place is None:
            raise NotFound(f"no camera {uuid} in use")
        return views.camera_view(place.runner, place.fps, place.oldest_us)

    def camera_views(self) -> list[wire.CameraView]:
        return [self.camera_view(uuid) for uuid in self._cameras]

    def volume_views(self) -> list[wire.VolumeView]:
        return [views.volume_view(thread) for thread in self._volumes.threads]

    def group_views(self) -> list[wire.GroupView]:
        now_us = self._clock.now_us()
        names: dict[str, list[str]] = {}
        for place in self._cameras.values():
            names.setdefault(place.runner.camera.group, []).append(place.runner.camera.name)
        return [
            views.group_view(group, tuple(names.get(name, ())), now_us)
            for name, group in self._volumes.groups.items()
        ]

    def expected_cameras(self) -> int:
        """How many should be recording now."""
        now_us = self._clock.now_us()
        return sum(place.runner.is_expected(now_us) for place in self._cameras.values())

    def tails(self) -> list[SegmentTail]:
        """The newest segments of each camera as their files are now: the catalog follows with the next sync."""
        return [tail for place in self._cameras.values() for tail in place.runner.recorder.footage.tails()]

    def last_keyframe(self, uuid: UUID) -> LiveKeyframe | None:
        """The newest keyframe of a camera; None when nothing arrives. Raises NotFound."""
        place = self._cameras.get(uuid)
        if place is None:
            raise NotFound(f"no camera {uuid} in use")
        return place.runner.recorder.last_keyframe()


async def _ended(tasks: Iterable[asyncio.Task[None] | None]) -> None:
    """Wait for cancelled tasks to be over; what they raised was for them."""
    waiting = {task for task in tasks if task is not None}
    if waiting:
        await asyncio.wait(waiting)

"""The chassis service: owns the hardware, keeps what is known of it, says what changes, and does what needs nobody.

Around it: inventory_watch.py looks, changes.py and its neighbours find words, smart_sweep.py asks the drives, lamps.py drives
the lamps, automation.py uses spares, upkeep_rounds.py checks at night. Every call that may hang has a lane of its own; when all
of this stands still the recording does not notice. Loop only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from engine import wire
from engine.chassis.access import Announcer, CatalogAccess
from engine.chassis.automation import Automation
from engine.chassis.changes import inventory_changes, source_of, the_drive
from engine.chassis.drive_words import drive_words
from engine.chassis.exposure import chains, mount_paths
from engine.chassis.finding import found_drive, thinned
from engine.chassis.gone_drives import forget_drive, gone_drives
from engine.chassis.happenings import Happening
from engine.chassis.indicators import information_pattern
from engine.chassis.inventory_watch import POLL_S, TASK_POLL_S, InventoryWatch
from engine.chassis.lamps import Lamps, alarms
from engine.chassis.lanes import Lane
from engine.chassis.notices import NoticeTeller
from engine.chassis.operation_gate import OperationGate, controllers_of
from engine.chassis.planned import Planned
from engine.chassis.problems import Problems
from engine.chassis.readings import Readings
from engine.chassis.smart_sweep import SmartSweep
from engine.chassis.spare_policy import settles_at_us
from engine.chassis.storms import StormGuard
from engine.chassis.task_changes import task_changes
from engine.chassis.titles import title_of
from engine.chassis.upkeep_rounds import UpkeepRounds
from engine.chassis.view import Moment, chassis_view, with_self_tests
from engine.supervise import keep_running
from engine.wire_chassis import (
    ChainView,
    ChassisLayout,
    ChassisView,
    DetectionView,
    DriveDetail,
    DriveLocate,
    GoneDrive,
    JobKind,
    JobState,
    JobView,
    LearnBay,
    OperationDone,
    ScheduleView,
    SelfTestKind,
    UpkeepEdit,
)
from storage.clock import Clock
from storage.drives.detection import detection_differences
from storage.errors import Unsupported, WatchdeckError
from storage.hardware import Hardware
from storage.raid.backend import Command
from storage.raid.inventory import Drive, Inventory, Problem
from storage.raid.operations import RaidOperation, Silence
from storage.raid.states import TaskState

log = logging.getLogger(__name__)

T = TypeVar("T")

OPERATION_TIMEOUT_S = 300.0
CALL_TIMEOUT_S = 900.0
"""Of what jobs ask for: making a file system on many terabytes takes minutes."""
QUICK_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 2.0
HISTORY_LIMIT = 400
MOUNTED_KEY = "mounted"
"""Setting in the catalog."""


class RecordingViews(Protocol):
    """engine.recording.recording.RecordingService: what is recorded where."""

    def camera_views(self) -> Sequence[wire.CameraView]: ...

    def volume_views(self) -> Sequence[wire.VolumeView]: ...


class JobViews(Protocol):
    """engine.chassis.jobs.JobDesk."""

    def views(self) -> tuple[JobView, ...]: ...


class ChassisService:
    """One box. `run` as a task; what is known may be asked for at any time."""

    def __init__(
        self,
        hardware: Hardware,
        catalog: CatalogAccess,
        events: Announcer,
        clock: Clock,
        recording: RecordingViews,
        *,
        gate: OperationGate | None = None,
        simulate: Callable[[str], object] | None = None,
    ) -> None:
        """`gate` keeps what the service does by itself apart from what people and jobs do; `simulate` takes the lines of a scenario, when the hardware is a simulated one."""
        self.on_change: Callable[[], None] = lambda: None
        self.has_readers: Callable[[], bool] = lambda: False
        """Somebody looks at the lamps: set by whoever serves them."""
        self.has_looked = asyncio.Event()
        self._hardware = hardware
        self._catalog = catalog
        self._events = events
        self._clock = clock
        self._recording = recording
        self._simulate = simulate
        self._gate = gate or OperationGate()
        self._jobs: JobViews | None = None
        self._shown_jobs: tuple[JobView, ...] = ()
        self._layout = ChassisLayout(name="", rows=(), has_mapping=False)
        self._uid = False
        self._mounted: dict[str, tuple[str, ...]] = {}
        """Where each virtual drive is mounted, or was before it failed."""
        self._view: ChassisView | None = None
        self._to_remember = asyncio.Event()
        self._notices = NoticeTeller()
        self._storms = StormGuard()
        self._planned = Planned()
        self._work = Lane("operations")
        self._asks = Lane("chassis", 4)
        self._problems = Problems(self.inventory, self._say, self._changed)
        self._watch = InventoryWatch(hardware, clock, self._taken, self._silent, self._noticed)
        self._lamps = Lamps(hardware, clock, self.view, self._changed, self._problems.put)
        self._sweep = SmartSweep(hardware, catalog, clock, self._say, self._changed)
        self._readings = Readings(
            hardware, self._sweep, self.inventory, self._problems, self._say, self._changed
        )
        self._upkeep = UpkeepRounds(
            catalog, clock, self.inventory, self._perform_by_itself, self._test_by_itself, self._say
        )
        self._automation = Automation(
            hardware,
            catalog,
            clock,
            self.inventory,
            self._perform_by_itself,
            self._say,
            work=self._work,
            auto_rebuild=lambda: self._upkeep.settings.auto_rebuild,
            claimed=self._claimed,
        )

    @property
    def hardware(self) -> Hardware:
        return self._hardware

    def follow_jobs(self, jobs: JobViews) -> None:
        """Show them, and leave alone what they work on."""
        self._jobs = jobs
        self.jobs_changed()

    def jobs_changed(self) -> None:
        """What they wait for may have come, what they show is another thing; nothing happens when it is not."""
        shown = self._jobs.views() if self._jobs is not None else ()
        if shown != self._shown_jobs:
            self._shown_jobs = shown
            self.look_soon()
            self._changed()

    def look_soon(self) -> None:
        """Do not wait for the next round."""
        self._watch.wake()

    # -- life ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. Nothing that goes wrong here ends the engine."""
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "inventory": partial(self._watch.run, self._pause_s),
            "memory": self._remember_drives,
            "lamps": self._run_lamps,
            "sensors": self._readings.watch_sensors,
            "SMART sweep": self._run_sweep,
            "temperatures": self._readings.watch_temperatures,
            "activity": partial(self._readings.watch_activity, lambda: self.has_readers()),
            "automation": self._automate,
            "upkeep": self._upkeep.run,
        }
        try:
            await keep_running("chassis start", self.load)
            async with asyncio.TaskGroup() as group:
                for name, work in works.items():
                    group.create_task(keep_running(f"chassis {name}", work), name=f"chassis {name}")
        finally:
            await self._close()

    async def load(self) -> None:
        """Settings, and what was said before the restart. The first thing `run` does."""
        await self._upkeep.load()
        await self._automation.load()
        mounted: Any = await self._catalog.read("chassis_setting", MOUNTED_KEY)
        if mounted is not None:
            self._mounted = msgspec.convert(mounted, dict[str, tuple[str, ...]])
        known = await self._catalog.read("known_drives")
        await self._sweep.remember(drive.identity for drive in known)
        try:
            self._layout = await self._asks.call(QUICK_TIMEOUT_S, self._hardware.layout)
        except WatchdeckError as error:
            self._problems.put("layout", Problem(code="layout", what=error.what, remedy=error.remedy))
        else:
            self._problems.put("layout", None)

    async def _run_lamps(self) -> None:
        """Not before the drives are known: a lamp that burns for a failed drive must not go out for a moment."""
        await self.has_looked.wait()
        await self._lamps.run()

    async def _run_sweep(self) -> None:
        await self.has_looked.wait()
        await self._readings.sweep(lambda: self._upkeep.settings.smart_minutes)

    async def _automate(self) -> None:
        await self.has_looked.wait()
        await self._automation.run()

    async def _remember_drives(self) -> None:
        """For ever: which drives are here, where, and what was mounted of them; only what is new is written."""
        kept: dict[str, tuple[str, ...]] = {}
        while True:
            await self._to_remember.wait()
            self._to_remember.clear()
            if self._mounted != kept:
                kept = self._mounted
                await self._catalog.write("set_chassis_setting", MOUNTED_KEY, kept)
            await self._catalog.write("remember_drives", self.inventory().drives, self._clock.now_us())

    async def _close(self) -> None:
        """Bounded: a box that hangs must not keep the engine from ending."""
        try:
            await self._lamps.close()
            await self._asks.call(CLOSE_TIMEOUT_S, self._hardware.close)
        except WatchdeckError as error:
            log.warning("the chassis is left as it is: %s", error)
        for part in (self._watch, self._work, self._asks, self._readings):
            part.close()

    def _pause_s(self) -> float:
        """Until the next look that nothing asks for."""
        is_running = any(task.state is TaskState.RUNNING for task in self.inventory().tasks)
        return TASK_POLL_S if is_running and (self.has_readers() or self._open_jobs()) else POLL_S

    def _open_jobs(self) -> list[JobView]:
        jobs = self._jobs.views() if self._jobs is not None else ()
        return [job for job in jobs if job.state in (JobState.RUNNING, JobState.WAITING)]

    def _claimed(self) -> frozenset[str]:
        """Serial numbers of the drives that replacement jobs work on."""
        jobs = [job for job in self._open_jobs() if job.kind is JobKind.REPLACE]
        return frozenset(job.serial for job in jobs if job.serial)

    # -- what is known -------------------------------------------------------------------------------------

    @property
    def has_answer(self) -> bool:
        """The drives were looked at, or it is known why not."""
        return self._watch.has_looked or bool(self._problems.all())

    def inventory(self) -> Inventory:
        return self._watch.inventory

    def view(self) -> ChassisView:
        """The same object until something changes."""
        if self._view is None:
            self._view = self._made_view()
        return self._view

    def _made_view(self) -> ChassisView:
        inventory = self.inventory()
        healths = self._sweep.view(inventory)
        now_us = self._clock.monotonic_us()
        shift_us = self._clock.now_us() - now_us
        settling = settles_at_us(self._automation.memory, now_us)
        moment = Moment(
            layout=self._layout,
            inventory=with_self_tests(inventory, healths),
            healths=healths,
            chains=self._chains(inventory),
            sensors=self._readings.sensors,
            jobs=self._jobs.views() if self._jobs is not None else (),
            upkeep=self._upkeep.view(),
            problems=self._problems.all(),
            information=information_pattern(self._readings.sensors, healths, uid=self._uid),
            uid=self._uid,
            read_us=self._watch.read_us,
            is_simulated=self._simulate is not None,
            located=self._lamps.located(),
            settling={id: at_us + shift_us for id, at_us in settling.items()},
            active=self._readings.active,
        )
        view = chassis_view(moment)
        return msgspec.structs.replace(view, is_beeping=self._lamps.is_beeping(alarms(view)))

    def _chains(self, inventory: Inventory) -> tuple[ChainView, ...]:
        recording = self._recording
        return chains(inventory, recording.volume_views(), recording.camera_views(), self._mounted)

    def _changed(self) -> None:
        self._view = None
        self._lamps.wake()
        self.on_change()

    # -- what happens --------------------------------------------------------------------------------------

    def _say(self, happenings: Iterable[Happening]) -> None:
        for said in self._storms.take(happenings, self._clock.monotonic_us()):
            self._events.publish(said.kind, said.text, severity=said.severity, source=said.source)

    def _taken(self, before: Inventory | None, now: Inventory) -> None:
        """A new inventory."""
        self._say(())  # what was held back
        if before != now:
            self._mounted = mount_paths(now, self._mounted)
            chain_views = self._chains(now)
            claimed = self._claimed()
            planned = self._planned.drives | {drive.id for drive in now.drives if drive.serial in claimed}
            self._say(inventory_changes(before, now, chain_views, planned))
            self._say(task_changes(before, now, self._planned.stopped))
            self._say(self._sweep.teller.counted(now.drives, is_first=before is None))
            self._planned.forget(now)
            self._problems.tell()
        if before is None or {drive.id for drive in before.drives} != {drive.id for drive in now.drives}:
            self._readings.sweep_soon()
        self._automation.take(now)
        self._to_remember.set()
        self.has_looked.set()
        self._changed()

    def _silent(self, problem: Problem | None) -> None:
        self._problems.put("drives", problem)

    def _noticed(self, notices: Sequence[str]) -> None:
        self._say(self._notices.take(notices, self._clock.monotonic_us()))

    # -- for jobs, plans and the automation (engine/chassis/access.py) -------------------------------------

    async def refresh(self) -> Inventory:
        return await self._watch.refresh()

    async def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        return await self._asks.call(OPERATION_TIMEOUT_S, partial(self._hardware.plan, operation, inventory))

    async def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        """One after the other. The box's own beeper is silenced with that of any controller."""
        if isinstance(operation, Silence):
            self._lamps.silence()
            if all(controller.id != operation.controller for controller in inventory.controllers):
                return self.inventory()
        self._planned.expect(operation, inventory)
        try:
            after = await self._work.call(
                OPERATION_TIMEOUT_S, partial(self._hardware.perform, operation, inventory)
            )
        except WatchdeckError:
            self._planned.give_up(operation)
            self._watch.wake()
            raise
        self._watch.take(after)
        return self.inventory()

    async def _perform_by_itself(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        """Raises Conflict while somebody is at work: nobody is kept waiting by what nobody asked for."""
        with self._gate.hold(controllers_of(operation, inventory), title_of(operation, inventory)):
            return await self.perform(operation, inventory)

    async def locate(self, drive_id: str, is_on: bool, seconds: float) -> None:
        drive = self.inventory().drive(drive_id)
        if drive is None or drive.bay is None:
            name = drive_words(drive) if drive is not None else drive_id
            raise Unsupported(f"{name}: no lamp can be lit", "teach the bays with `watchdeck chassis learn`")
        self._lamps.locate(drive.bay, is_on, seconds)

    async def call(self, method: Callable[..., T], *args: Any) -> T:
        return await self._asks.call(CALL_TIMEOUT_S, partial(method, *args))

    # -- for the API (engine/api/services.py) --------------------------------------------------------------

    async def detail(self, drive_ref: str) -> DriveDetail:
        view = self.view()
        drive = found_drive(view.inventory, drive_ref)
        history = await self._catalog.read("drive_history", drive.id)
        group = view.inventory.group(drive.group)
        ids = {vd.id for vd in view.inventory.virtual_drives_of(drive.group)} if group is not None else set()
        return DriveDetail(
            drive=drive,
            bay=view.bay(drive.bay) if drive.bay is not None else None,
            health=view.health_of(drive.id),
            smart=await self._catalog.read("drive_report", drive.id),
            history=thinned(history, HISTORY_LIMIT),
            chains=tuple(chain for chain in view.chains if chain.virtual_drive in ids),
            self_tests=self._sweep.self_tests.get(drive.id),
        )

    async def gone_drives(self) -> tuple[GoneDrive, ...]:
        return await gone_drives(self._catalog, self.inventory())

    async def forget_drive(self, drive_ref: str, actor: str) -> None:
        gone = await forget_drive(self._catalog, self.inventory(), drive_ref)
        text = f"Forgotten: {gone.model} with serial {gone.serial or gone.id}"
        self._events.publish("drive.forgotten", text, actor=actor)

    async def detect(self) -> DetectionView:
        detected = await self._asks.call(OPERATION_TIMEOUT_S, self._hardware.detect)
        return DetectionView(
            detected=detected, differences=detection_differences(detected, self.inventory().drives)
        )

    async def locate_drive(self, drive_ref: str, locate: DriveLocate, actor: str) -> None:
        drive = found_drive(self.inventory(), drive_ref)
        await self.locate(drive.id, locate.is_on, locate.seconds)
        text = f"Locate {'on' if locate.is_on else 'off'}: {drive_words(drive)}"
        self._events.publish("drive.locate", text, source=source_of(drive), actor=actor)

    async def start_self_test(self, drive_ref: str, kind: SelfTestKind, actor: str) -> OperationDone:
        drive = found_drive(self.inventory(), drive_ref)
        said = await self._start_test(drive, kind)
        text = f"{the_drive(drive)}: {kind} self-test started. {said}".strip()
        self._events.publish("drive.self_test", text, source=source_of(drive), actor=actor)
        return OperationDone(text=text)

    async def _start_test(self, drive: Drive, kind: SelfTestKind) -> str:
        said: str = await self._sweep.on_lane(partial(self._hardware.start_self_test, drive.id, kind))
        self._sweep.follow(drive.id)
        return said

    async def _test_by_itself(self, drive_id: str) -> None:
        """The weekly one; its result is told, its start is not."""
        if (drive := self.inventory().drive(drive_id)) is not None:
            await self._start_test(drive, SelfTestKind.SHORT)

    async def abort_self_test(self, drive_ref: str, actor: str) -> None:
        drive = found_drive(self.inventory(), drive_ref)
        await self._sweep.on_lane(partial(self._hardware.abort_self_test, drive.id))
        self._sweep.follow(drive.id)
        text = f"{the_drive(drive)}: self-test aborted"
        self._events.publish("drive.self_test", text, source=source_of(drive), actor=actor)

    async def switch_uid(self, is_on: bool, actor: str) -> None:
        self._uid = is_on
        self._changed()
        self._events.publish("chassis.uid", f"UID lamp {'on' if is_on else 'off'}", actor=actor)

    async def sound(self, is_on: bool) -> None:
        """The box's beeper, rung by an alarm. Raises Unsupported, DriveError."""
        await self._lamps.sound(is_on)

    async def learn_bay(self, learn: LearnBay, actor: str) -> ChassisLayout:
        drive = found_drive(self.inventory(), learn.drive)
        self._layout = await self._work.call(
            QUICK_TIMEOUT_S, partial(self._hardware.learn, learn.bay, drive.id)
        )
        await self.refresh()
        text = f"Bay {learn.bay} is where the drive with serial {drive.serial or drive.id} is now"
        self._events.publish("chassis.bay_learned", text, source=f"bay {learn.bay}", actor=actor)
        return self._layout

    async def edit_upkeep(self, changes: UpkeepEdit, actor: str) -> ScheduleView:
        view = await self._upkeep.edit(changes)
        self._changed()
        self._automation.wake()
        given = {
            name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not None
        }
        shown = ", ".join(f"{name} = {value}" for name, value in given.items())
        self._events.publish("chassis.upkeep_edited", f"Upkeep edited: {shown}", actor=actor)
        return view

    async def simulate(self, step: str, actor: str) -> None:
        if self._simulate is None:
            raise Unsupported("this chassis is not a simulated one", "only `watchdeck demo` has one")
        await self.call(self._simulate, step)
        self._events.publish("chassis.simulated", f"Simulated: {step}", actor=actor)
        await self.refresh()

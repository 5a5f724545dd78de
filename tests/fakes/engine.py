"""An engine that follows a script: the client's method names over a station in memory, with a clock that tests drive.

Pictures are a gradient with the camera's name, so that screens with previews are the same in every run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from engine import wire
from engine.wire_alarms import AlarmRaised, AlarmsMessage, AlarmView
from engine.wire_chassis import ChassisView, GoneDrive, OperationDone, OperationPlan, SelfTestState
from engine.wire_wall import Arrangements, LastWall
from storage.errors import AlreadyExists, EngineUnreachable, NotFound, WatchdeckError
from storage.units import US_PER_SECOND
from tests.fakes.alarm_calls import FakeAlarmCalls, FakeAlarmState
from tests.fakes.alarm_desk import FakeAlarmDesk
from tests.fakes.chassis_calls import FakeChassisCalls
from tests.fakes.clock import FakeClock
from tests.fakes.evidence_calls import FakeEvidence, FakeEvidenceCalls
from tests.fakes.footage_calls import FakeFootage, FakeFootageCalls
from tests.fakes.scripted_alarms import scripted_alarms
from tests.fakes.scripted_station import scripted_snapshot, scripted_timeline
from tests.fakes.wall_calls import FakeWallCalls

SCRIPT_NOW_US = 1_772_633_000_000_000
"""2026-03-04 14:03:20 UTC."""
FRAME_US = 40_000
"""Of the script's footage: 25 pictures a second."""
PICTURE_RAMP = " .:-=+*#%@"


class FakeExport:
    """Bytes of an export in steps; `release` lets the next step go when `held`."""

    def __init__(self, total_bytes: int, steps: int, gate: asyncio.Event | None) -> None:
        self.total_bytes = total_bytes
        self._steps = steps
        self._gate = gate

    async def __aiter__(self) -> AsyncIterator[bytes]:
        step = self.total_bytes // self._steps
        for number in range(self._steps):
            if number and self._gate is not None:
                await self._gate.wait()
            yield bytes(step if number < self._steps - 1 else self.total_bytes - step * (self._steps - 1))


@dataclass
class FakeEngine:
    """The station behind every FakeEngineClient: tests change it and watch the console follow."""

    cameras: int = 8
    alarms: int = 0
    """Raised before the script begins."""
    chassis: ChassisView | None = None
    """What is in the bays; None = nobody looked."""
    clock: FakeClock = field(default_factory=lambda: FakeClock(now_us=SCRIPT_NOW_US))
    is_reachable: bool = True
    calls: list[tuple[str, object]] = field(default_factory=list)
    export_gate: asyncio.Event | None = None
    test_reply: wire.CameraTestReply = wire.CameraTestReply(
        ok=True,
        tracks=(wire.TrackView(codec="h264", width=1920, height=1080),),
        fps=25.0,
        bitrate_bps=4_100_000,
        first_picture_ms=412,
    )

    def __post_init__(self) -> None:
        snapshot = scripted_snapshot(self.cameras, self.clock.now_us())
        self.snapshot = msgspec.structs.replace(snapshot, chassis=self.chassis)
        self.desk = FakeAlarmDesk(self.clock.now_us)
        self.desk.add(scripted_alarms(self.alarms, self.clock.now_us()))
        self.alarm_state = FakeAlarmState(self.clock.now_us())
        self.snapshot = msgspec.structs.replace(self.snapshot, alarms=self.desk.counts())
        self.plan: OperationPlan | WatchdeckError | None = None
        """What is answered to an operation; None = a plan without losses."""
        self.operation_done: OperationDone | WatchdeckError = OperationDone(text="done as planned")
        self.self_tests: SelfTestState | None = None
        """Of every drive."""
        self.act_refusals: list[WatchdeckError] = []
        """Of answers to jobs, one each."""
        self.gone_drives: tuple[GoneDrive, ...] = ()
        self.locks: list[wire.LockView] = []
        self.arrangements = Arrangements()
        self.last_walls: dict[str, LastWall] = {}
        self.footage = FakeFootage()
        self.evidence = FakeEvidence()
        self._streams: list[asyncio.Queue[wire.StreamMessage | None]] = []

    def client(self) -> FakeEngineClient:
        return FakeEngineClient(self)

    # -- what tests do -----------------------------------------------------------------------------------

    def send(self, message: wire.StreamMessage) -> None:
        for stream in self._streams:
            stream.put_nowait(message)

    def next_sequence(self) -> int:
        self.snapshot = msgspec.structs.replace(self.snapshot, sequence=self.snapshot.sequence + 1)
        return self.snapshot.sequence

    def change_camera(self, known_as: str, /, **changes: object) -> None:
        """Alter one camera and tell the consoles."""
        cameras = []
        for camera in self.snapshot.cameras:
            if camera.name == known_as:
                camera = msgspec.structs.replace(camera, **changes)
                changed = camera
            cameras.append(camera)
        self.snapshot = msgspec.structs.replace(self.snapshot, cameras=tuple(cameras))
        self.send(wire.CameraMessage(sequence=self.next_sequence(), camera=changed))

    def change_chassis(self, chassis: ChassisView) -> None:
        """The box changed: tell the consoles."""
        self.chassis = chassis
        self.snapshot = msgspec.structs.replace(self.snapshot, chassis=chassis)
        self.send(wire.ChassisMessage(sequence=self.next_sequence(), chassis=chassis))

    def add_event(
        self, text: str, severity: str = "info", source: str = "", kind: str = "test", count: int = 1
    ) -> wire.EventView:
        newest = max(event.id for event in self.snapshot.events) + 1
        event = wire.EventView(
            id=newest,
            time_us=self.clock.now_us(),
            kind=kind,
            severity=severity,
            source=source,
            text=text,
            count=count,
        )
        events = (event, *self.snapshot.events)
        self.snapshot = msgspec.structs.replace(self.snapshot, events=events)
        self.send(wire.EventMessage(sequence=self.next_sequence(), event=event))
        return event

    def raise_alarm(self, **fields: object) -> AlarmView:
        """One more alarm, of now unless told otherwise: tell the consoles."""
        alarm = self.desk.raise_alarm(**fields)
        self.send(AlarmRaised(sequence=self.next_sequence(), alarm=alarm))
        self.alarms_changed()
        return alarm

    def join_alarm(self, id: int, text: str = "") -> AlarmView:
        """Another event meets an alarm that is there."""
        alarm = self.desk.join(id, text)
        self.send(AlarmRaised(sequence=self.next_sequence(), alarm=alarm, is_new=False))
        self.alarms_changed()
        return alarm

    def alarms_changed(self) -> None:
        counts = self.desk.counts()
        self.snapshot = msgspec.structs.replace(self.snapshot, alarms=counts)
        self.send(AlarmsMessage(sequence=self.next_sequence(), counts=counts))

    def tick(self) -> None:
        """A second passes: the station view with new numbers."""
        self.clock.advance(US_PER_SECOND)
        station = msgspec.structs.replace(self.snapshot.station, now_us=self.clock.now_us())
        self.snapshot = msgspec.structs.replace(self.snapshot, station=station)
        self.send(wire.StationMessage(sequence=self.next_sequence(), station=station))

    def stop(self) -> None:
        """The engine dies: streams end, calls fail until `start`."""
        self.is_reachable = False
        for stream in self._streams:
            stream.put_nowait(None)

    def start(self) -> None:
        self.is_reachable = True


class FakeEngineClient(FakeChassisCalls, FakeAlarmCalls, FakeEvidenceCalls, FakeFootageCalls, FakeWallCalls):
    """The names of engine.client.EngineClient."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    def _called(self, name: str, argument: object = None) -> None:
        if not self._engine.is_reachable:
            raise EngineUnreachable("no engine answers on /run/watchdeck/engine.sock", "start one")
        self._engine.calls.append((name, argument))

    async def prepare(self) -> None:
        pass

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> FakeEngineClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def snapshot(self) -> wire.Snapshot:
        self._called("snapshot")
        return self._engine.snapshot

    async def stream(self) -> AsyncIterator[wire.StreamMessage]:
        self._called("stream")
        queue: asyncio.Queue[wire.StreamMessage | None] = asyncio.Queue()  # tests send a handful
        self._engine._streams.append(queue)
        try:
            yield wire.SnapshotMessage(snapshot=self._engine.snapshot)
            while (message := await queue.get()) is not None:
                yield message
        finally:
            self._engine._streams.remove(queue)
        raise EngineUnreachable("the engine closed the connection", "")

    # -- cameras -----------------------------------------------------------------------------------------

    def _camera(self, ref: str) -> wire.CameraView:
        for camera in self._engine.snapshot.cameras:
            if ref in (camera.name, camera.uuid):
                return camera
        raise NotFound(f"no camera is called {ref!r}", "`watchdeck camera list` shows them")

    async def add_camera(self, camera: wire.CameraAdd) -> wire.CameraView:
        self._called("add_camera", camera)
        engine = self._engine
        if any(known.name == camera.name for known in engine.snapshot.cameras):
            raise AlreadyExists(f"a camera called {camera.name!r} exists", "choose another name")
        number = max((known.id for known in engine.snapshot.cameras), default=0) + 1
        view = wire.CameraView(
            id=number,
            uuid=f"00000000-0000-4000-8000-{number:012d}",
            name=camera.name,
            url=camera.url,
            user=camera.user,
            has_password=bool(camera.password),
            group=camera.group,
            transport=camera.transport,
            mode=camera.mode,
            state=wire.CameraState.CONNECTING,
            state_since_us=engine.clock.now_us(),
        )
        engine.snapshot = msgspec.structs.replace(engine.snapshot, cameras=(*engine.snapshot.cameras, view))
        engine.send(wire.CameraMessage(sequence=engine.next_sequence(), camera=view))
        return view

    async def edit_camera(self, ref: str, edit: wire.CameraEdit) -> wire.CameraView:
        self._called("edit_camera", (ref, edit))
        changes = {name: value for name, value in msgspec.structs.asdict(edit).items() if value is not None}
        if changes.pop("password", None) is not None:
            changes["has_password"] = True
        self._engine.change_camera(self._camera(ref).name, **changes)
        return self._camera(str(changes.get("name", ref)))

    async def remove_camera(self, ref: str) -> None:
        self._called("remove_camera", ref)
        gone, engine = self._camera(ref), self._engine
        left = tuple(camera for camera in engine.snapshot.cameras if camera.uuid != gone.uuid)
        engine.snapshot = msgspec.structs.replace(engine.snapshot, cameras=left)
        engine.send(wire.CameraRemoved(sequence=engine.next_sequence(), name=gone.name, uuid=gone.uuid))

    async def test_camera(self, test: wire.CameraTest) -> wire.CameraTestReply:
        self._called("test_camera", test)
        return self._engine.test_reply

    # -- recordings --------------------------------------------------------------------------------------

    async def timeline(self, cameras: Iterable[str], start_us: int, end_us: int) -> wire.Timeline:
        names = tuple(cameras)
        self._called("timeline", (names, start_us, end_us))
        engine = self._engine
        chosen = [self._camera(name) for name in names] or list(engine.snapshot.cameras)
        return scripted_timeline(chosen, start_us, end_us, engine.snapshot.station.now_us, engine.locks)

    async def gaps(self, camera: str, start_us: int, end_us: int) -> tuple[wire.GapView, ...]:
        self._called("gaps", (camera, start_us, end_us))
        engine = self._engine
        timeline = scripted_timeline(
            [self._camera(camera)], start_us, end_us, engine.snapshot.station.now_us, []
        )
        return tuple(
            wire.GapView(camera=camera, start_us=start, end_us=end, cause=cause)
            for start, end, cause in timeline.rows[0].gaps
        )

    async def add_lock(self, lock: wire.LockAdd) -> wire.LockView:
        self._called("add_lock", lock)
        view = wire.LockView(
            id=len(self._engine.locks) + 1,
            camera=lock.camera,
            start_us=lock.start_us,
            end_us=lock.end_us,
            reason=lock.reason,
            created_by="operator",
        )
        self._engine.locks.append(view)
        return view

    async def locks(
        self, camera: str | None = None, start_us: int | None = None, end_us: int | None = None
    ) -> tuple[wire.LockView, ...]:
        self._called("locks", camera)
        return tuple(
            lock
            for lock in self._engine.locks
            if camera in (None, lock.camera)
            and (end_us is None or lock.start_us < end_us)
            and (start_us is None or lock.end_us > start_us)
        )

    async def remove_lock(self, lock_id: int) -> None:
        self._called("remove_lock", lock_id)
        self._engine.locks = [lock for lock in self._engine.locks if lock.id != lock_id]

    async def plan_export(self, camera: str, start_us: int, end_us: int) -> wire.ExportPlan:
        self._called("plan_export", (camera, start_us, end_us))
        return wire.ExportPlan(
            camera=camera, start_us=start_us, end_us=end_us, bytes=4_000_000, parts=((start_us, end_us),)
        )

    @asynccontextmanager
    async def export(self, camera: str, start_us: int, end_us: int) -> AsyncIterator[FakeExport]:
        self._called("export", (camera, start_us, end_us))
        yield FakeExport(4_000_000, 8, self._engine.export_gate)

    # -- pictures and events -----------------------------------------------------------------------------

    async def picture(self, request: wire.PictureRequest) -> wire.PictureReply:
        self._called("picture", request)
        time_us = request.at_us or self._engine.snapshot.station.now_us
        until_us = None
        if request.at_us is not None and request.exact:
            time_us = (request.at_us // FRAME_US + request.step) * FRAME_US
            until_us = time_us + FRAME_US
        if request.format is wire.PictureFormat.JPEG:
            return self._reply(request, time_us, until_us, data=b"\xff\xd8 a picture \xff\xd9")
        return self._reply(request, time_us, until_us, cells=_gradient(request))

    @staticmethod
    def _reply(
        request: wire.PictureRequest,
        time_us: int,
        until_us: int | None,
        data: bytes = b"",
        cells: wire.CellPicture | None = None,
    ) -> wire.PictureReply:
        return wire.PictureReply(
            camera=request.camera,
            time_us=time_us,
            format=request.format,
            width_px=1920,
            height_px=1080,
            columns=cells.columns if cells else 0,
            rows=cells.rows if cells else 0,
            data=data,
            cells=cells,
            until_us=until_us,
        )

    async def events(
        self,
        *,
        limit: int = 100,
        before_id: int | None = None,
        after_id: int | None = None,
        kinds: Iterable[str] = (),
        min_severity: str | None = None,
        source: str | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
        text: str | None = None,
    ) -> tuple[wire.EventView, ...]:
        self._called("events", (limit, before_id))
        wanted = tuple(kinds)
        ranks = ("info", "warning", "critical")
        floor = ranks.index(min_severity) if min_severity else 0
        found = [
            event
            for event in self._engine.snapshot.events
            if (before_id is None or event.id < before_id)
            and (after_id is None or event.id > after_id)
            and ranks.index(event.severity) >= floor
            and (not wanted or any(f"{event.kind}.".startswith(f"{kind}.") for kind in wanted))
            and source in (None, event.source)
            and (start_us is None or event.time_us >= start_us)
            and (end_us is None or event.time_us < end_us)
            and (not text or text.casefold() in f"{event.source} {event.text}".casefold())
        ]
        return tuple(found[:limit])


def _gradient(request: wire.PictureRequest) -> wire.CellPicture:
    """A ramp from dark to bright, 16:9 inside the room asked for."""
    columns = max(1, min(request.columns, request.rows * 32 // 9))
    rows = max(1, min(request.rows, columns * 9 // 32))
    lines = []
    for row in range(rows):
        shade = row * (len(PICTURE_RAMP) - 1) // max(1, rows - 1)
        half = columns // 2
        if request.format is wire.PictureFormat.HALF_BLOCK:
            top, bottom = 232 + shade * 2, 233 + shade * 2
            runs = (wire.CellRun("▀" * half, top, bottom), wire.CellRun("▀" * (columns - half), bottom, top))
        else:
            runs = (wire.CellRun(PICTURE_RAMP[shade] * columns, -1, -1),)
        lines.append(runs)
    return wire.CellPicture(columns=columns, rows=rows, lines=tuple(lines))

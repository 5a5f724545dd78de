"""The whole of Watchdeck in the guest: both services from their own units, cameras on this machine, and what was recorded.

Blocking, as `Machine` is: each question to the engine opens its client anew. `footage` is the judge of every case: all
pictures the camera's server sent between two moments are in the recordings, in order, none missing, and no gap is told of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from engine import wire
from engine.client import EngineClient, EngineUnreachable
from engine.wire_chassis import (
    BayView,
    ChassisOperation,
    ChassisView,
    DriveState,
    JobAct,
    JobState,
    JobView,
    OperationPlan,
    OperationRun,
    TrayPattern,
    VirtualDrive,
    VirtualDriveState,
)
from tests.e2e.recorded_pictures import SentPictures, decodes_without_error, slice_hashes
from tests.lab.machine import HOST, Machine
from tests.rtsp.server import RtspServer, RtspStream

CALL_TIMEOUT_MS = 240_000
FPS = 5
SEGMENT_S = 10
STATION_TOML = f"""
[recording]
segment_s = {SEGMENT_S}
sync_interval_s = 1.0
"""
UNITS = ("watchdeck-drives.service", "watchdeck.service")

DRIVE_SERVICE_DROP_IN = b"""[Service]
Environment=PYTHONFAULTHANDLER=1
ExecStart=
ExecStart=/usr/bin/watchdeck drive-service --state /var/lib/watchdeck-drives --socket /run/watchdeck-drives/drives.sock --user watchdeck --chassis /etc/watchdeck/chassis.toml
"""

T = TypeVar("T")


def camera_stream(folder: Path, name: str) -> RtspStream:
    """Small pictures: the guest's processor may be emulated."""
    return RtspStream(
        path=f"/{name}",
        width=320,
        height=180,
        fps=FPS,
        gop=FPS,
        kbps=100,
        counter=True,
        transport="tcp",
        sent_log=str(folder / f"{name}.sent"),
    )


def install(machine: Machine) -> None:
    """Both services as packaging/*.service say, with the lab's chassis file and short segments."""
    bays = "".join(
        f'[[bay]]\nnumber = {bay}\npath = "{machine.place(bay).removeprefix("/dev/disk/by-path/")}"\n'
        for bay in (*range(machine.nvme_bays.start), *machine.nvme_bays)
    )
    numbers = list(range(machine.nvme_bays.start))
    front = [numbers[len(numbers) // 2 :], numbers[: len(numbers) // 2], [*machine.nvme_bays]]
    machine.sh("mkdir -p /etc/watchdeck /etc/systemd/system/watchdeck-drives.service.d")
    machine.put("/etc/watchdeck/chassis.toml", f'name = "lab"\nrows = {front}\n{bays}'.encode())
    machine.put("/etc/watchdeck/station.toml", STATION_TOML.encode())
    machine.put("/etc/systemd/system/watchdeck-drives.service.d/chassis.conf", DRIVE_SERVICE_DROP_IN)
    for unit in UNITS:
        machine.sh(f"cp /opt/watchdeck/packaging/{unit} /etc/systemd/system/")
    machine.sh("systemctl daemon-reload")


class Station:
    """On a machine that runs; `server` has a stream made by `camera_stream` for each name in `cameras`."""

    def __init__(self, machine: Machine, server: RtspServer, cameras: tuple[str, ...]) -> None:
        self.machine = machine
        self.cameras = cameras
        self._server = server

    # -- on and off ------------------------------------------------------------------------------------

    def install(self) -> None:
        install(self.machine)

    def start(self) -> None:
        """Returns when the engine answers and has seen the drives."""
        self.machine.sh(f"systemctl start {' '.join(UNITS)}", timeout_s=120)
        self.machine.until(self._has_drives, bool, "the engine to see the drives", timeout_s=60)

    def stop(self) -> None:
        self.machine.sh(f"systemctl stop {' '.join(reversed(UNITS))}", timeout_s=90)

    def log(self) -> str:
        """For a person, when a case fails."""
        units = " ".join(f"-u {unit}" for unit in UNITS)
        return self.machine.run("sh", "-c", f"journalctl -b --no-pager -o cat {units} | tail -40").out

    def _has_drives(self) -> bool:
        try:
            return bool(self.chassis().inventory.drives)
        except EngineUnreachable:
            return False

    # -- asking ----------------------------------------------------------------------------------------

    def ask(self, call: Callable[[EngineClient], Awaitable[T]]) -> T:
        async def once() -> T:
            async with EngineClient(self.machine.engine_socket, call_timeout_ms=CALL_TIMEOUT_MS) as engine:
                return await call(engine)

        return asyncio.run(once())

    def chassis(self) -> ChassisView:
        return self.ask(lambda engine: engine.chassis())

    def bay(self, number: int) -> BayView:
        bay = self.chassis().bay(number)
        assert bay is not None, f"the chassis has no bay {number}"
        return bay

    def virtual_drive(self, name: str) -> VirtualDrive:
        drive = self.chassis().inventory.virtual_drive(name)
        assert drive is not None, f"there is no virtual drive {name}"
        return drive

    def drive_id(self, bay: int) -> str:
        drive = self.chassis().inventory.drive_in(bay)
        assert drive is not None, f"bay {bay} is empty"
        return drive.id

    def until(self, truth: Callable[[ChassisView], bool], what: str, timeout_s: float = 30) -> ChassisView:
        try:
            return self.machine.until(self.chassis, truth, what, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def until_bay(
        self, bay: int, state: DriveState, pattern: TrayPattern | None = None, timeout_s: float = 30
    ) -> None:
        """The drive in (or missing from) the bay is in this state, and its tray shows this."""

        def truth(view: ChassisView) -> bool:
            drive, tray = view.inventory.drive_in(bay), view.bay(bay)
            assert tray is not None
            return drive is not None and drive.state is state and pattern in (None, tray.pattern)

        self.until(truth, f"bay {bay} to be {state}, tray {pattern}", timeout_s)

    def until_state(self, name: str, state: VirtualDriveState, timeout_s: float = 30) -> None:
        def truth(view: ChassisView) -> bool:
            drive = view.inventory.virtual_drive(name)
            return drive is not None and drive.state is state

        self.until(truth, f"virtual drive {name} to be {state}", timeout_s)

    def until_quiet(self, timeout_s: float = 120) -> None:
        """No background operation is left."""
        self.until(lambda view: not view.inventory.tasks, "all background operations to end", timeout_s)

    def now_us(self) -> int:
        """The guest's clock."""
        return self.ask(lambda engine: engine.status()).now_us

    def said(self, kind: str, since_us: int, *words: str) -> wire.EventView:
        """The one event of this kind since then whose text has these words: never two for one happening."""

        def told() -> list[wire.EventView]:
            events = self.ask(lambda engine: engine.events(limit=200, kinds=[kind], start_us=since_us))
            return [event for event in events if all(word in event.text for word in words)]

        found = self.machine.until(told, bool, f"an event {kind} with {words}")
        assert len(found) == 1, f"told more than once: {[event.text for event in found]}"
        return found[0]

    # -- doing -----------------------------------------------------------------------------------------

    def plan(self, operation: ChassisOperation) -> OperationPlan:
        return self.ask(lambda engine: engine.plan_operation(operation))

    def do(self, operation: ChassisOperation, timeout_s: float = 120) -> None:
        """Plan it, confirm what is asked for, carry it out, and wait for the job it may leave."""
        plan = self.plan(operation)
        assert not plan.refused, f"{plan.title}: refused: {plan.refused}"
        run = OperationRun(operation=operation, fingerprint=plan.fingerprint, confirmation=plan.confirmation)
        done = self.ask(lambda engine: engine.run_operation(run))
        if done.job:
            job = self.job(done.job, timeout_s)
            assert job.state is JobState.DONE, f"{plan.title}: {job}\n{self.log()}"

    def until_allowed(self, operation: ChassisOperation, timeout_s: float = 30) -> None:
        """Nothing speaks against it any more: a drive that was put in a moment ago settles first."""
        self.machine.until(
            lambda: self.plan(operation).refused,
            lambda refused: not refused,
            f"{operation} to be allowed",
            timeout_s,
        )

    def job(self, id: str, timeout_s: float = 120) -> JobView:
        """Once it has ended or waits for a person."""
        return self.machine.until(
            lambda: self.ask(lambda engine: engine.chassis_job(id)),
            lambda job: job.state is not JobState.RUNNING,
            f"job {id} to end",
            timeout_s,
        )

    def give_up_jobs(self) -> None:
        """What waits for a person is undone, else left: a job keeps its drives from all others."""
        for known in self.chassis().jobs:
            if known.state not in (JobState.RUNNING, JobState.WAITING):
                continue
            job = self.job(known.id)
            while job.state is JobState.WAITING:
                act = JobAct(action=next(name for name in ("undo", "leave", "cancel") if name in job.actions))
                self.ask(lambda engine, id=job.id, act=act: engine.act_on_job(id, act))
                job = self.job(job.id)

    def add_cameras(self, group: str = "main") -> None:
        """They record as soon as the group has a volume: `until_recording`."""
        for name in self.cameras:
            url = self._server.url(f"/{name}").replace("127.0.0.1", HOST)
            camera = wire.CameraAdd(name=name, url=url, group=group, transport="tcp")
            self.ask(lambda engine, camera=camera: engine.add_camera(camera))

    def until_recording(self) -> None:
        def recording() -> int:
            return self.ask(lambda engine: engine.status()).cameras_recording

        self.machine.until(
            recording, lambda count: count == len(self.cameras), "all cameras recording", timeout_s=60
        )

    # -- judging ---------------------------------------------------------------------------------------

    @contextmanager
    def complete_footage(self) -> Iterator[int]:
        """Whatever is done inside, not one picture is lost. Gives the moment it began."""
        since_us = self.now_us()
        yield since_us
        self.footage(since_us, self.now_us())

    def footage(self, start_us: int, end_us: int) -> None:
        """All cameras, from one moment to the other: no gap, every segment decodes, every picture sent is there in order."""
        gaps = self.ask(lambda engine: engine.gaps(None, start_us, end_us))
        assert not gaps, f"gaps: {gaps}\n{self.log()}"
        for camera in self.cameras:
            found = self.machine.until(
                lambda camera=camera: self.closed_recordings(camera, start_us, end_us),
                lambda recordings: bool(recordings) and recordings[-1].end_us >= end_us,
                f"the segments of {camera} to be closed",
                timeout_s=SEGMENT_S * 3,
            )
            recorded = [picture for recording in found for picture in self.pictures(recording)]
            SentPictures(self.machine.folder / f"{camera}.sent").places_of(recorded)

    def closed_recordings(self, camera: str, start_us: int, end_us: int) -> list[wire.RecordingView]:
        found = self.ask(lambda engine: engine.recordings(camera, start_us, end_us))
        return sorted((one for one in found if not one.is_open), key=lambda one: one.start_us)

    def pictures(self, recording: wire.RecordingView) -> list[str]:
        """Read from the array itself, not from memory."""
        self.machine.sh(f"dd if='{recording.path}' iflag=nocache count=0 status=none")
        copy = self.machine.folder / "segment.mp4"
        copy.write_bytes(self.machine.get(recording.path))
        complaints = decodes_without_error(copy)
        assert not complaints, f"{recording.path}: {complaints}"
        return slice_hashes(copy)

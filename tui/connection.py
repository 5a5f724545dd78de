"""The console's line to the engine: keeps the stream open, feeds the mirror, and carries single calls.

Tries for ever with a back-off of 1 to 5 s. Nothing here blocks a paint: calls are awaited by workers of the app,
and an error always reaches its caller as a WatchdeckError with words for the operator.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from engine import wire, wire_chassis
from engine.client import WatchdeckError
from tui.alarm_client import AlarmClient
from tui.alarm_rule_client import AlarmRuleClient
from tui.byte_stream import ByteStream
from tui.footage_client import FootageClient
from tui.mirror import Mirror

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 5.0
SILENCE_S = 15.0
"""A stream without a message for so long is treated as dead: the engine sends one every second."""


class Client(AlarmClient, AlarmRuleClient, FootageClient, Protocol):
    """What the console uses of engine.client.EngineClient."""

    async def prepare(self) -> None: ...
    async def close(self) -> None: ...
    def stream(self) -> AsyncIterator[wire.StreamMessage]: ...
    async def snapshot(self) -> wire.Snapshot: ...
    async def add_camera(self, camera: wire.CameraAdd) -> wire.CameraView: ...
    async def edit_camera(self, ref: str, changes: wire.CameraEdit) -> wire.CameraView: ...
    async def remove_camera(self, ref: str) -> None: ...
    async def test_camera(self, test: wire.CameraTest) -> wire.CameraTestReply: ...
    async def timeline(self, cameras: Iterable[str], start_us: int, end_us: int) -> wire.Timeline: ...
    async def gaps(self, camera: str | None, start_us: int, end_us: int) -> tuple[wire.GapView, ...]: ...
    async def locks(
        self, camera: str | None = None, start_us: int | None = None, end_us: int | None = None
    ) -> tuple[wire.LockView, ...]: ...
    async def add_lock(self, lock: wire.LockAdd) -> wire.LockView: ...
    async def remove_lock(self, lock_id: int) -> None: ...
    async def plan_export(self, camera: str, start_us: int, end_us: int) -> wire.ExportPlan: ...
    def export(self, camera: str, start_us: int, end_us: int) -> AbstractAsyncContextManager[ByteStream]: ...
    def export_file(
        self, id: str, name: str, *, from_bytes: int = 0
    ) -> AbstractAsyncContextManager[ByteStream]: ...
    async def picture(self, request: wire.PictureRequest) -> wire.PictureReply: ...
    async def events(
        self,
        *,
        limit: int = 100,
        before_id: int | None = None,
        kinds: Iterable[str] = (),
        min_severity: str | None = None,
        source: str | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
        text: str | None = None,
    ) -> tuple[wire.EventView, ...]: ...
    async def drive(self, ref: str) -> wire_chassis.DriveDetail: ...
    async def locate_drive(self, ref: str, locate: wire_chassis.DriveLocate) -> object: ...
    async def start_self_test(
        self, ref: str, start: wire_chassis.SelfTestStart
    ) -> wire_chassis.OperationDone: ...
    async def abort_self_test(self, ref: str) -> object: ...
    async def gone_drives(self) -> tuple[wire_chassis.GoneDrive, ...]: ...
    async def set_up_choices(
        self, drives: Sequence[str] = (), virtual_drives: int = 1, spans: int = 0
    ) -> wire_chassis.SetUpChoices: ...
    async def edit_upkeep(self, changes: wire_chassis.UpkeepEdit) -> wire_chassis.ScheduleView: ...
    async def simulate(self, step: wire_chassis.SimulatedStep) -> object: ...
    async def plan_operation(
        self, operation: wire_chassis.ChassisOperation
    ) -> wire_chassis.OperationPlan: ...
    async def run_operation(self, run: wire_chassis.OperationRun) -> wire_chassis.OperationDone: ...
    async def act_on_job(self, job_id: str, act: wire_chassis.JobAct) -> wire_chassis.JobView: ...
    async def switch_uid(self, switch: wire_chassis.UidSwitch) -> object: ...
    async def learn_bay(self, learn: wire_chassis.LearnBay) -> wire_chassis.ChassisLayout: ...


class Connection:
    """One stream and one client; `run` is a worker of the app and ends only when it is cancelled."""

    def __init__(self, client: Client, mirror: Mirror) -> None:
        self.client = client
        self._mirror = mirror
        self._retry = asyncio.Event()

    async def run(self) -> None:
        wait_s = FIRST_WAIT_S
        await self.client.prepare()
        try:
            while True:
                try:
                    await self._follow()
                except WatchdeckError as error:
                    was_live = self._mirror.is_connected
                    self._mirror.lose(error.what)
                except TimeoutError:
                    was_live = self._mirror.is_connected
                    self._mirror.lose(f"the engine has said nothing for {SILENCE_S:.0f} s")
                wait_s = FIRST_WAIT_S if was_live else min(wait_s * 1.5, LONGEST_WAIT_S)
                await self._pause(wait_s)
        finally:
            await self.client.close()

    def retry_now(self) -> None:
        """Do not wait for the next attempt."""
        self._retry.set()

    async def _follow(self) -> None:
        stream = self.client.stream()
        while True:
            async with asyncio.timeout(SILENCE_S):
                message = await anext(stream)
            self._mirror.apply(message)

    async def _pause(self, wait_s: float) -> None:
        self._retry.clear()
        try:
            async with asyncio.timeout(wait_s):
                await self._retry.wait()
        except TimeoutError:
            pass


ClientFactory = Callable[[], Client]

"""The engine's side of the drive service: storage.hardware.Hardware over its socket. Blocking, a connection a call."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from engine.drive_service.calls import (
    CALL_TIMEOUT_S,
    DEFAULT_TIMEOUT_S,
    WATCH,
    Answer,
    call_types,
    encode_request,
    receive_message,
    send_message,
)
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.sensors import Sensor
from storage.drives.smart_report import SelfTestKind, SmartReport
from storage.errors import CommandTimeout, DriveError, error_classes
from storage.hardware import ChassisLayout, MadeVolume
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import Inventory, VirtualDrive
from storage.raid.operations import RaidOperation

SOCKET_PATH = Path("/run/watchdeck-drives/drives.sock")
REMEDY = "systemctl status watchdeck-drives; it runs as root beside the engine"


class Notices:
    """The wake-ups of the service as one Wakeup. After the service has gone it is quiet; the engine's poll goes on."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting = b""

    def fileno(self) -> int:
        return self._connection.fileno()

    def drain(self) -> Sequence[str]:
        notices: list[str] = []
        with contextlib.suppress(BlockingIOError):
            while part := self._connection.recv(65536, socket.MSG_DONTWAIT):
                self._waiting += part
        while len(self._waiting) >= 4:
            length = int.from_bytes(self._waiting[:4], "big")
            if len(self._waiting) < 4 + length:
                break
            message, self._waiting = self._waiting[4 : 4 + length], self._waiting[4 + length :]
            notices.extend(msgspec.msgpack.decode(message, type=tuple[str, ...]))
        return notices

    def close(self) -> None:
        self._connection.close()


class RemoteHardware:
    """Hardware of the drive service at a socket. Raises what the service raises, and DriveError when there is none."""

    def __init__(self, path: Path = SOCKET_PATH) -> None:
        self._path = path
        self._wakeups: tuple[Wakeup, ...] | None = None

    def _connect(self, timeout_s: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            connection.settimeout(timeout_s)
            connection.connect(str(self._path))
        except OSError as error:
            connection.close()
            raise DriveError(
                f"no drive service answers on {self._path}: {error.strerror or error}", REMEDY
            ) from error
        return connection

    def _call(self, method: str, *arguments: Any) -> Any:
        timeout_s = CALL_TIMEOUT_S.get(method, DEFAULT_TIMEOUT_S)
        with self._connect(timeout_s) as connection:
            try:
                send_message(connection, encode_request(method, arguments))
                message = receive_message(connection)
            except TimeoutError as error:
                raise CommandTimeout(
                    f"the drive service did not answer `{method}` within {timeout_s:g} s",
                    "a drive may hang: see the kernel log",
                ) from error
            except OSError as error:
                raise DriveError(f"the drive service broke off: {error.strerror or error}", REMEDY) from error
        if message is None:
            raise DriveError("the drive service closed the connection without an answer", REMEDY)
        try:
            answer = msgspec.msgpack.decode(message, type=Answer)
            if answer.error is not None:
                _raise(answer)
            return msgspec.msgpack.decode(answer.value, type=call_types()[method].value)
        except msgspec.MsgspecError as error:
            raise DriveError(
                f"the drive service's answer cannot be read: {error}",
                "engine and drive service differ: restart both",
            ) from error

    # -- Hardware ----------------------------------------------------------------------------------------

    def layout(self) -> ChassisLayout:
        found: ChassisLayout = self._call("layout")
        return found

    def inventory(self) -> Inventory:
        found: Inventory = self._call("inventory")
        return found

    def wakeups(self) -> Sequence[Wakeup]:
        if self._wakeups is None:
            connection = self._connect(DEFAULT_TIMEOUT_S)
            send_message(connection, encode_request(WATCH, ()))
            self._wakeups = (Notices(connection),)
        return self._wakeups

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        commands: tuple[Command, ...] = self._call("plan", operation, inventory)
        return commands

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        found: Inventory = self._call("perform", operation, inventory)
        return found

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        done: tuple[str, ...] = self._call("tend", inventory)
        return done

    def smart(self, drive: str) -> SmartReport:
        report: SmartReport = self._call("smart", drive)
        return report

    def temperatures(self) -> Mapping[str, int]:
        found: Mapping[str, int] = self._call("temperatures")
        return found

    def activity(self) -> Mapping[str, int]:
        found: Mapping[str, int] = self._call("activity")
        return found

    def start_self_test(self, drive: str, kind: SelfTestKind) -> str:
        text: str = self._call("start_self_test", drive, kind)
        return text

    def abort_self_test(self, drive: str) -> None:
        self._call("abort_self_test", drive)

    def show_trays(self, patterns: Mapping[int, TrayPattern], inventory: Inventory) -> tuple[str, ...]:
        failed: tuple[str, ...] = self._call("show_trays", patterns, inventory)
        return failed

    def show_information(self, pattern: InformationPattern) -> tuple[str, ...]:
        failed: tuple[str, ...] = self._call("show_information", pattern)
        return failed

    def sensors(self) -> tuple[Sensor, ...]:
        found: tuple[Sensor, ...] = self._call("sensors")
        return found

    def beep(self, is_on: bool) -> None:
        self._call("beep", is_on)

    def plan_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> tuple[Command, ...]:
        commands: tuple[Command, ...] = self._call(
            "plan_volume", virtual_drive, label, mount_point, file_system
        )
        return commands

    def make_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> MadeVolume:
        made: MadeVolume = self._call("make_volume", virtual_drive, label, mount_point, file_system)
        return made

    def unmake_volume(self, virtual_drive: VirtualDrive) -> None:
        self._call("unmake_volume", virtual_drive)

    def learn(self, bay: int, drive: str) -> ChassisLayout:
        layout: ChassisLayout = self._call("learn", bay, drive)
        return layout

    def close(self) -> None:
        for wakeup in self._wakeups or ():
            wakeup.close()
        self._wakeups = None


def _raise(answer: Answer) -> NoReturn:
    assert answer.error is not None
    kind = error_classes().get(answer.error.code, DriveError)
    raise kind(answer.error.what, answer.error.remedy)

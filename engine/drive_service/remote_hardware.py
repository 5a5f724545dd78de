"""The engine's side of the drive service: storage.hardware.Hardware over its socket. Blocking, a connection a call."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from engine.drive_service.calls import (
    CALL_TIMEOUT_S,
    DEFAULT_TIMEOUT_S,
    WATCH,
    Answer,
    decode_answer,
    decode_notices,
    decode_value,
    encode_request,
    receive_message,
    send_message,
)
from storage.drives.detection import DetectedDrive
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.sensors import Sensor
from storage.drives.smart_report import SelfTestKind, SelfTestState, SmartReport
from storage.errors import CommandTimeout, DriveError, error_classes
from storage.hardware import ChassisLayout, MadeVolume
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import Inventory, VirtualDrive
from storage.raid.operations import RaidOperation

SOCKET_PATH = Path("/run/watchdeck-drives/drives.sock")
RECONNECT_S = 2.0
NOTICE_LIMIT = 1000
"""Notices nobody fetched; the oldest are given up: the next inventory shows the state all the same."""
REMEDY = "systemctl status watchdeck-drives; it runs as root beside the engine"


class Notices:
    """The wake-ups of the service as one Wakeup: a thread listens, and connects again when the service was restarted."""

    def __init__(self, connect: Callable[[float | None], socket.socket]) -> None:
        self._connect = connect
        self._notices: deque[str] = deque(maxlen=NOTICE_LIMIT)
        self._event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_closing = threading.Event()
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._listen, name="drive notices", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._event_fd

    def drain(self) -> Sequence[str]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._event_fd)
        return [self._notices.popleft() for _ in range(len(self._notices))]

    def close(self) -> None:
        self._is_closing.set()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        os.close(self._event_fd)

    def _listen(self) -> None:
        while not self._is_closing.is_set():
            with (
                contextlib.suppress(OSError, DriveError, msgspec.MsgspecError),
                self._connect(None) as connection,
            ):
                self._connection = connection
                send_message(connection, encode_request(WATCH, ()))
                while not self._is_closing.is_set() and (message := receive_message(connection)) is not None:
                    self._notices.extend(decode_notices(message))
                    os.eventfd_write(self._event_fd, 1)
            self._is_closing.wait(RECONNECT_S)


class RemoteHardware:
    """Hardware of the drive service at a socket. Raises what the service raises, and DriveError when there is none."""

    def __init__(self, path: Path = SOCKET_PATH) -> None:
        self._path = path
        self._wakeups: tuple[Wakeup, ...] | None = None

    def _connect(self, timeout_s: float | None) -> socket.socket:
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
                with contextlib.suppress(BrokenPipeError):  # turned away unread: the answer says why
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
            answer = decode_answer(message)
            if answer.error is not None:
                _raise(answer)
            return decode_value(method, answer)
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
            self._wakeups = (Notices(self._connect),)
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

    def detect(self) -> tuple[DetectedDrive, ...]:
        found: tuple[DetectedDrive, ...] = self._call("detect")
        return found

    def self_tests(self, drive: str) -> SelfTestState:
        found: SelfTestState = self._call("self_tests", drive)
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

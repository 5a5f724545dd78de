"""The privileged half over a real socket, with a stand-in for the steel behind it."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.drive_service import calls, remote_hardware, server
from engine.drive_service.calls import CALL_TYPES, Answer, Failure, receive_message, send_message
from engine.drive_service.remote_hardware import RemoteHardware
from engine.drive_service.server import DriveService, listen
from storage.drives.indicators import TrayPattern
from storage.errors import (
    CommandTimeout,
    DriveError,
    InternalError,
    InvalidInput,
    NotFound,
    NotPermitted,
    OperationRefused,
)
from storage.hardware import ChassisLayout, Hardware, MadeVolume
from storage.raid.inventory import Drive, Inventory, VirtualDrive
from storage.raid.operations import CreateVirtualDrive
from storage.raid.states import RaidLevel, VirtualDriveState

ARRAY = VirtualDrive(
    id="md-1",
    name="A",
    group="md-1",
    level=RaidLevel.RAID5,
    state=VirtualDriveState.ONLINE,
    size_bytes=3 * 10**12,
    device="/dev/md127",
)
CREATE = CreateVirtualDrive(name="B", level=RaidLevel.RAID1, spans=(("d1", "d2"),))


class StandInWakeup:
    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self.notices: list[str] = []

    def fileno(self) -> int:
        return self._read

    def fire(self, *notices: str) -> None:
        self.notices.extend(notices)
        os.write(self._write, b"x")

    def drain(self) -> list[str]:
        os.read(self._read, 4096)
        notices, self.notices = self.notices, []
        return notices

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class StandInHardware:
    """Answers as told and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.wakeup = StandInWakeup()
        self.hold = threading.Event()
        self.state = Inventory(drives=(Drive(id="d1", bay=3, serial="ZL2A1B2C"),), virtual_drives=(ARRAY,))

    def layout(self) -> ChassisLayout:
        return ChassisLayout(name="front-8", rows=((4, 5, 6, 7), (0, 1, 2, 3)))

    def inventory(self) -> Inventory:
        return self.state

    def wakeups(self) -> list[StandInWakeup]:
        return [self.wakeup]

    def perform(self, operation: Any, inventory: Inventory) -> Inventory:
        self.asked.append(("perform", (operation, inventory)))
        raise OperationRefused("bay 3 (serial ZL2A1B2C) holds the system", "choose another bay")

    def temperatures(self) -> dict[str, int]:
        self.hold.wait(30)
        return {"d1": 31}

    def show_trays(self, patterns: Any, inventory: Inventory) -> tuple[str, ...]:
        self.asked.append(("show_trays", (patterns, inventory)))
        return ("bay 3: no lamp",)

    def sensors(self) -> tuple[Any, ...]:
        raise ZeroDivisionError("a defect")

    def make_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> MadeVolume:
        self.asked.append(("make_volume", (virtual_drive, label, mount_point, file_system)))
        return MadeVolume(path=mount_point, file_system=file_system, uuid="u")

    def close(self) -> None:
        self.wakeup.close()


@contextmanager
def serving(path: Path, hardware: StandInHardware) -> Iterator[RemoteHardware]:
    service = DriveService(hardware, [os.getuid()])  # type: ignore[arg-type]
    listener = listen(path, None)
    thread = threading.Thread(target=service.serve, args=(listener,))
    thread.start()
    try:
        with closing(RemoteHardware(path)) as remote:
            yield remote
    finally:
        hardware.hold.set()
        service.stop()
        thread.join(10)
        listener.close()
        service.close()


@pytest.fixture
def hardware() -> StandInHardware:
    return StandInHardware()


@pytest.fixture
def remote(tmp_path: Path, hardware: StandInHardware) -> Iterator[RemoteHardware]:
    with serving(tmp_path / "drives.sock", hardware) as found:
        yield found


def test_every_call_of_the_interface_exists_on_both_sides() -> None:
    names = {name for name in vars(Hardware) if not name.startswith("_")} - {"wakeups", "close"}
    assert set(CALL_TYPES) == names
    assert all(callable(getattr(RemoteHardware, name, None)) for name in names)


def test_values_arrive_as_they_were(remote: RemoteHardware, hardware: StandInHardware) -> None:
    assert remote.inventory() == hardware.state
    assert remote.layout().bays == (0, 1, 2, 3, 4, 5, 6, 7)
    assert remote.show_trays({3: TrayPattern.FAIL}, hardware.state) == ("bay 3: no lamp",)
    assert hardware.asked == [("show_trays", ({3: TrayPattern.FAIL}, hardware.state))]


def test_a_refusal_arrives_as_the_same_error(remote: RemoteHardware, hardware: StandInHardware) -> None:
    with pytest.raises(OperationRefused, match="bay 3.*ZL2A1B2C") as caught:
        remote.perform(CREATE, hardware.state)
    assert caught.value.remedy == "choose another bay"
    assert hardware.asked[0][1][0] == CREATE


def test_a_defect_behind_a_call_ends_that_call_only(
    remote: RemoteHardware, hardware: StandInHardware
) -> None:
    with pytest.raises(InternalError):
        remote.sensors()
    assert remote.inventory() == hardware.state


def test_a_call_that_hangs_does_not_hold_the_others(
    remote: RemoteHardware, hardware: StandInHardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(calls.CALL_TIMEOUT_S, "temperatures", 0.2)
    with pytest.raises(CommandTimeout, match="temperatures"):
        remote.temperatures()
    assert remote.inventory() == hardware.state


def test_calls_beyond_the_limit_are_turned_away_at_once(
    tmp_path: Path, hardware: StandInHardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTION_LIMIT", 1)
    with serving(tmp_path / "s.sock", hardware) as remote:
        with socket.socket(socket.AF_UNIX) as waiting:  # takes the only place: it asks nothing yet
            waiting.connect(str(tmp_path / "s.sock"))
            with pytest.raises(DriveError):
                remote.layout()
        while (layout := layout_of(remote)) is None:  # the place is free a moment later
            pass
        assert layout.bays


def layout_of(remote: RemoteHardware) -> ChassisLayout | None:
    try:
        return remote.layout()
    except DriveError:
        return None


def test_wakeups_cross_with_their_notices(remote: RemoteHardware, hardware: StandInHardware) -> None:
    (wakeup,) = remote.wakeups()
    seen: list[str] = []
    while not seen:
        hardware.wakeup.fire("bay 3 (serial ZL2A1B2C): a sector cannot be read")
        assert select.select([wakeup.fileno()], [], [], 30)[0]
        seen.extend(wakeup.drain())
    assert set(seen) == {"bay 3 (serial ZL2A1B2C): a sector cannot be read"}


def test_wakeups_come_again_after_the_service_was_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_hardware, "RECONNECT_S", 0.01)
    path = tmp_path / "drives.sock"
    with closing(RemoteHardware(path)) as remote:
        for _ in range(2):
            with serving(path, StandInHardware()):
                (wakeup,) = remote.wakeups()
                assert select.select([wakeup.fileno()], [], [], 30)[0]
                wakeup.drain()


def test_a_volume_is_made_on_what_is_there_now_and_only_where_volumes_belong(
    remote: RemoteHardware, hardware: StandInHardware
) -> None:
    forged = msgspec.structs.replace(ARRAY, device="/dev/sda")
    made = remote.make_volume(forged, "A", "/srv/watchdeck/A", "xfs")
    assert made.path == "/srv/watchdeck/A"
    assert hardware.asked[-1][1][0].device == "/dev/md127"
    for place in ("/etc", "/srv", "/srv/../etc", "srv/a", "/srvx/a"):
        with pytest.raises(OperationRefused, match="no place"):
            remote.make_volume(ARRAY, "A", place, "xfs")
    with pytest.raises(NotFound, match="md-9"):
        remote.make_volume(msgspec.structs.replace(ARRAY, id="md-9"), "A", "/srv/a", "xfs")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xc1",
        b"\x92\xa5close\x90",
        b"\x92\xa7wakeups\x90",
        b"\x92\xa8__init__\x90",
        b"\x92\xa5smart\x91\x05",
    ],
)
def test_what_is_no_call_is_refused(remote: RemoteHardware, tmp_path: Path, message: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "drives.sock"))
        send_message(connection, message)
        answer = receive_message(connection)
    assert answer is not None
    error = msgspec.msgpack.decode(answer, type=Answer).error
    assert error is not None
    assert error.code == InvalidInput.code


def test_another_user_is_refused(
    tmp_path: Path, hardware: StandInHardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "peer_uid", lambda connection: 4711)
    with serving(tmp_path / "s.sock", hardware) as remote, pytest.raises(NotPermitted, match="4711"):
        remote.layout()


def test_another_user_takes_no_place_from_the_engine(
    tmp_path: Path, hardware: StandInHardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers: list[int] = [4711] * 3
    monkeypatch.setattr(server, "peer_uid", lambda _: strangers.pop() if strangers else os.getuid())
    with serving(tmp_path / "s.sock", hardware) as remote:
        held = []
        for _ in range(3):
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].connect(str(tmp_path / "s.sock"))
            assert receive_message(held[-1]) is not None, "an answer without a question"
            assert held[-1].recv(1) == b"", "and the end"
        assert remote.layout().bays
        for each in held:
            each.close()


def test_watchers_that_are_forgotten_do_not_add_up(
    tmp_path: Path, hardware: StandInHardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "WATCHER_LIMIT", 2)
    with serving(tmp_path / "s.sock", hardware):
        watchers = []
        for _ in range(3):
            watchers.append(socket.socket(socket.AF_UNIX))
            watchers[-1].connect(str(tmp_path / "s.sock"))
            send_message(watchers[-1], msgspec.msgpack.encode(("watch", ())))
            assert receive_message(watchers[-1]) is not None
        watchers[0].settimeout(30)
        assert receive_message(watchers[0]) is None, "the oldest was let go"
        hardware.wakeup.fire("news")
        assert receive_message(watchers[2]) is not None
        for watcher in watchers:
            watcher.close()


def test_a_caller_that_has_gone_and_a_wakeup_that_fails_end_nothing(
    tmp_path: Path, hardware: StandInHardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[str]:
        os.read(hardware.wakeup.fileno(), 4096)
        raise OSError(19, "No such device")

    monkeypatch.setattr(hardware.wakeup, "drain", broken)
    with serving(tmp_path / "s.sock", hardware) as remote:
        hardware.wakeup.fire("news")
        assert remote.layout().bays
        assert remote.inventory() == hardware.state


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.lists(st.binary(max_size=3)).map(lambda parts: b"\x91" * 5000 + b"".join(parts))
)
def test_whatever_is_sent_gets_an_answer_or_the_end_and_the_next_call_works(
    remote: RemoteHardware, tmp_path: Path, message: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "drives.sock"))
        with suppress(ConnectionError):  # the end, with something left unread
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "drives.sock"))
        send_message(connection, message)
        assert receive_message(connection) is not None
    assert remote.layout().bays


def test_a_refusal_that_comes_before_the_question_is_read_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with listen(path, None) as listener:
        remote = RemoteHardware(path)
        connect = remote._connect

        def turned_away(timeout_s: float | None) -> socket.socket:
            connection = connect(timeout_s)
            at_the_door, _ = listener.accept()
            failure = Failure(code=NotPermitted.code, what="user id 4711 may not")
            send_message(at_the_door, msgspec.msgpack.encode(Answer(error=failure)))
            at_the_door.close()
            return connection

        remote._connect = turned_away  # type: ignore[method-assign]
        with pytest.raises(NotPermitted, match="4711"):
            remote.layout()


def test_without_a_service_the_error_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(DriveError, match="no drive service") as caught:
        RemoteHardware(tmp_path / "none.sock").layout()
    assert "systemctl" in caught.value.remedy


def test_the_socket_is_private_and_a_second_service_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with listen(path, None):
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(DriveError, match="already"):
            listen(path, None)
    listen(path, None).close()  # what a killed service left behind is taken over

"""The daemon: arguments, exit codes, lock, service manager, log, stop budget."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.logs import OneLineFormatter, start_log
from engine.sd_notify import ServiceManager
from engine.state_folder import locked_state_folder
from engine.stop_budget import left_over, start_stop_budget
from storage.errors import ConfigError, Conflict


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def kept_log() -> Iterator[None]:
    """`main` sets up the root logger; put back what pytest needs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


# -- exit codes ------------------------------------------------------------------------------------------


def test_wrong_configuration_exits_78_and_names_the_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "x.toml").write_text("[recording]\nsegmnt_s = 3\n")
    assert main(["--state", str(folder / "s"), "--config", str(folder / "x.toml")]) == 78
    assert "$.recording.segmnt_s" in capsys.readouterr().err
    assert main(["--state", str(folder / "s"), "--config", str(folder / "none.toml")]) == 78
    assert main(["--state", str(folder / "s"), "--socket", str(folder / "no" / "s")]) == 78


def test_state_folder_in_use_exits_7(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked_state_folder(folder / "s"):
        assert main(["--state", str(folder / "s"), "--socket", str(folder / "sock")]) == 7
    assert str(os.getpid()) in capsys.readouterr().err


def test_damaged_catalog_exits_14(folder: Path) -> None:
    (folder / "s").mkdir()
    (folder / "s" / "catalog.sqlite").write_bytes(b"this is no database" * 100)
    assert main(["--state", str(folder / "s"), "--socket", str(folder / "sock")]) == 14


def test_wrong_arguments_exit_2() -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--stat", "x", "--nonsense"])
    assert raised.value.code == 2


# -- state folder ----------------------------------------------------------------------------------------


def test_state_folder_is_private_and_locked_until_left(folder: Path) -> None:
    (folder / "s").mkdir(mode=0o755)
    with locked_state_folder(folder / "s"):
        assert (folder / "s").stat().st_mode & 0o777 == 0o700
        with pytest.raises(Conflict, match=f"process {os.getpid()}"), locked_state_folder(folder / "s"):
            pass
    with locked_state_folder(folder / "s"):
        pass


def test_state_folder_that_cannot_be_made_is_a_config_error(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(ConfigError), locked_state_folder(folder / "file" / "s"):
        pass


# -- service manager -------------------------------------------------------------------------------------


def test_service_manager_hears_ready_status_watchdog_and_stopping(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(folder / "notify"))
        manager = ServiceManager({"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "30000000"})
        manager.ready("recording\n3 of 4")
        manager.alive()
        manager.stopping()
        assert [heard.recv(500) for _ in range(3)] == [
            b"READY=1\nSTATUS=recording 3 of 4",
            b"WATCHDOG=1",
            b"STOPPING=1\nSTATUS=stopping",
        ]
        assert manager.watchdog_us == 30_000_000
    manager.alive()  # nobody listens any more: not our problem
    manager.close()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "5"},
        {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "zzz"},
        {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"},
    ],
)
def test_without_a_watchdog_for_us_none_is_fed(environment: dict[str, str]) -> None:
    manager = ServiceManager(environment)
    assert manager.watchdog_us == 0
    manager.alive()
    manager.close()


# -- log -------------------------------------------------------------------------------------------------


def record(message: str, exc: BaseException | None = None) -> logging.LogRecord:
    info = (type(exc), exc, exc.__traceback__) if exc is not None else None
    return logging.LogRecord("engine.x", logging.ERROR, "f", 1, message, (), info)


def test_log_is_one_line_without_secrets() -> None:
    try:
        raise ValueError("first\nsecond rtsp://admin:hunter2@cam/x")
    except ValueError as error:
        line = OneLineFormatter(is_journal=False).format(record("open rtsp://u:p@h/x", error))
    assert "\n" not in line
    assert "hunter2" not in line
    assert "u:p@" not in line
    assert "rtsp://…@h/x" in line
    assert "ValueError" in line


def test_journal_lines_begin_with_their_priority_and_have_no_time() -> None:
    assert OneLineFormatter(is_journal=True).format(record("x")) == "<3>engine.x: x"


def test_log_level_is_the_configured_one() -> None:
    start_log("warning", {})
    assert logging.getLogger().level == logging.WARNING
    assert len(logging.getLogger().handlers) == 1


# -- stop budget -----------------------------------------------------------------------------------------


async def test_stop_that_takes_too_long_is_ended_and_says_what_was_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    left: asyncio.Future[int] = loop.create_future()
    stuck = asyncio.create_task(asyncio.Event().wait(), name="volume archive stop")
    timer = start_stop_budget(loop, 0.01, lambda code: loop.call_soon_threadsafe(left.set_result, code))
    assert timer.daemon
    async with asyncio.timeout(10):
        assert await left == 75
    assert "volume archive stop" in caplog.text
    assert any("volume archive stop" in name for name in left_over(loop))
    stuck.cancel()


# -- the process -----------------------------------------------------------------------------------------


@pytest.mark.e2e
def test_process_tells_systemd_serves_and_stops_in_order(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(folder / "notify"))
        heard.settimeout(30)
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", "--state", str(folder / "s"), "--socket", str(folder / "sock")],
            env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "400000"},
            stderr=subprocess.PIPE,
        )
        try:
            said = b""
            while said.count(b"WATCHDOG=1") < 3 or b"READY=1" not in said:
                said += heard.recv(500) + b"\n"
            assert (folder / "sock").is_socket()
            process.send_signal(signal.SIGTERM)
            while b"STOPPING=1" not in said:
                said += heard.recv(500) + b"\n"
            _, log = process.communicate(timeout=25)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0, log
    assert not (folder / "sock").exists()
    assert b"Traceback" not in log


@pytest.mark.e2e
def test_killed_process_leaves_a_lock_and_socket_that_do_not_matter(folder: Path) -> None:
    command = [sys.executable, "-m", "engine", "--state", str(folder / "s"), "--socket", str(folder / "sock")]
    for number in (signal.SIGKILL, signal.SIGINT):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
            address = folder / f"notify-{number}"
            heard.bind(str(address))
            heard.settimeout(30)
            process = subprocess.Popen(
                command, env={**os.environ, "NOTIFY_SOCKET": str(address)}, stderr=subprocess.PIPE
            )
            try:
                while b"READY=1" not in heard.recv(500):
                    pass
                process.send_signal(number)
                process.communicate(timeout=25)
            finally:
                process.kill()
                process.wait()
    assert process.returncode == 0

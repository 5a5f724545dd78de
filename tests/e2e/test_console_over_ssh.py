"""The console as an administrator meets it: through a real sshd, in a real terminal, on a real engine."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine import wire
from tests.e2e.engine_process import EngineProcess, until
from tests.e2e.terminal_session import Sshd, Tmux
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WATCHDECK = Path(sys.executable).parent / "watchdeck"


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path)
    yield server
    server.stop()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(tmp_path / "state")
    yield process
    await process.end()


async def test_the_console_shows_a_recording_camera_and_an_engine_that_went_away(
    engine: EngineProcess, sshd: Sshd, tmp_path: Path
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    client = await engine.start()
    await client.add_volume(
        wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
    )
    with RtspServer([RtspStream()]) as server:
        await client.add_camera(wire.CameraAdd(name="loading-dock", url=server.url()))
        await until(client, lambda now: now.station.cameras_recording == 1, "recording")
        terminal = Tmux(tmp_path, sshd.command(f"{WATCHDECK} --socket {engine.socket}"), 80, 24)
        try:
            terminal.wait_for("1 of 1")
            terminal.press("2")
            terminal.wait_for("loading-dock")
            assert "\u2580" in terminal.wait_for("\u2580"), "a preview in half blocks"
            terminal.resize(132, 43)
            terminal.wait_for("loading-dock")
            terminal.press("3")
            terminal.wait_for("loading-dock")
            terminal.press("4")
            terminal.wait_for("camera.added")
            assert engine.stop() == 0
            terminal.wait_for("engine lost")
            client = await engine.start()
            terminal.press("1")
            terminal.wait_for("1 of 1")
            terminal.press("q")
        finally:
            terminal.stop()
        assert engine.stop() == 0


async def test_without_an_engine_the_console_says_how_to_start_one(sshd: Sshd, tmp_path: Path) -> None:
    terminal = Tmux(tmp_path, sshd.command(f"{WATCHDECK} --socket {tmp_path / 'none.sock'}"), 80, 24)
    try:
        screen = terminal.wait_for("watchdeck engine")
        assert "demo" in screen
    finally:
        terminal.stop()

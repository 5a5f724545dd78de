"""Sixel pictures in a real xterm: the camera's colours are on the screen, and nothing of them stays behind."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine import wire
from tests.e2e.engine_process import EngineProcess, until
from tests.e2e.xterm_session import XtermSession, draws_sixels
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WATCHDECK = Path(sys.executable).parent / "watchdeck"
BARS = ((255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0))
"""Upper bars of the SMPTE test picture: yellow, cyan, green, magenta, red."""
TELLING = ((255, 0, 255), (106, 0, 212))
"""Magenta and the violet at the bottom of it: the console itself never draws them."""
WHITE = (255, 255, 255)
SHARE = 0.004


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(tmp_path / "state")
    yield process
    await process.end()


@pytest.fixture
def server() -> Iterator[RtspServer]:
    with RtspServer([RtspStream(pattern="smpte", width=640, height=360, kbps=2000)]) as running:
        yield running


async def test_pictures_are_drawn_in_pixels_and_leave_no_ghosts(
    engine: EngineProcess, server: RtspServer, tmp_path: Path
) -> None:
    if not await asyncio.get_running_loop().run_in_executor(None, draws_sixels, tmp_path):
        pytest.skip("this xterm was built without sixel graphics")
    volume = tmp_path / "volume"
    volume.mkdir()
    client = await engine.start()
    await client.add_volume(
        wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
    )
    await client.add_camera(wire.CameraAdd(name="test-card", url=server.url()))
    await until(client, lambda now: now.station.cameras_recording == 1, "recording")
    terminal = XtermSession(tmp_path, [str(WATCHDECK), "--socket", str(engine.socket)])
    try:
        await asyncio.get_running_loop().run_in_executor(None, look_around, terminal)
    finally:
        terminal.stop()


def look_around(terminal: XtermSession) -> None:
    """Pictures come on both screens that have them; dialogs, help, palette and other screens are free of them."""
    terminal.wait_for((WHITE,), share=0.001)  # the console is there and reads keys
    terminal.press("2")
    terminal.wait_for(BARS, share=SHARE)
    for opened in ("a", "question", "d", "1", "4"):
        terminal.press(opened)
        terminal.wait_without(TELLING)
        terminal.press("2" if opened.isdigit() else "Escape")
        terminal.wait_for(BARS, share=SHARE)
    terminal.press("3", "g")
    terminal.wait_for(BARS, share=SHARE)
    terminal.press("J")
    terminal.wait_without(TELLING)
    terminal.press("Escape")
    terminal.wait_for(BARS, share=SHARE)
    terminal.press("1")
    terminal.wait_without(TELLING)
    change_size(terminal)
    look_at_the_wall(terminal)


def change_size(terminal: XtermSession) -> None:
    """Another size of the window, then of the letters: pictures follow, and nothing of the old ones stays."""
    terminal.press("2")
    terminal.wait_for(BARS, share=SHARE)
    terminal.resize(620, 420)
    terminal.wait_for(BARS, share=SHARE)
    terminal.press("question")
    terminal.wait_without(TELLING)
    terminal.press("Escape")
    terminal.wait_for(BARS, share=SHARE)
    terminal.press("shift+KP_Subtract")
    terminal.wait_for(BARS, share=SHARE / 2)
    terminal.press("1")
    terminal.wait_without(TELLING)
    terminal.press("shift+KP_Add")
    terminal.resize(900, 600)


def look_at_the_wall(terminal: XtermSession) -> None:
    """The camera fills a good part of its cell of 2x2; dialogs leave nothing of it, and it comes back."""
    terminal.press("7")
    terminal.wait_for(BARS, share=2 * SHARE)
    for opened in ("l", "colon"):
        terminal.press(opened)
        if opened == "l":
            terminal.wait_without(TELLING)
        terminal.press("Escape")
        terminal.wait_for(BARS, share=2 * SHARE)
    terminal.press("Return")
    terminal.wait_for(BARS, share=6 * SHARE)
    terminal.press("4")
    terminal.wait_without(TELLING)

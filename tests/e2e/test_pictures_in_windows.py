"""Pictures in pixels in a real xterm (sixel) and a real kitty: the camera's colours are on the screen, and nothing of them stays behind."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine import wire
from tests.e2e.engine_process import EngineProcess, until
from tests.e2e.picture_tour import BARS, SHARE, look_around
from tests.e2e.window_session import KittySession, XtermSession, draws_sixels
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WATCHDECK = Path(sys.executable).parent / "watchdeck"
KITTY_STORE = Path(__file__).with_name("kitty_store.py")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(tmp_path / "state")
    yield process
    await process.end()


@pytest.fixture
def server() -> Iterator[RtspServer]:
    with RtspServer([RtspStream(pattern="smpte", width=640, height=360, kbps=2000)]) as running:
        yield running


@pytest.fixture
async def recording(engine: EngineProcess, server: RtspServer, tmp_path: Path) -> EngineProcess:
    """An engine that records the test picture."""
    volume = tmp_path / "volume"
    volume.mkdir()
    client = await engine.start()
    await client.add_volume(
        wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
    )
    await client.add_camera(wire.CameraAdd(name="test-card", url=server.url()))
    await until(client, lambda now: now.station.cameras_recording == 1, "recording")
    return engine


async def test_sixels_are_drawn_in_xterm_and_leave_no_ghosts(
    recording: EngineProcess, tmp_path: Path
) -> None:
    if not await asyncio.to_thread(draws_sixels, tmp_path):
        pytest.skip("this xterm was built without sixel graphics")
    terminal = XtermSession(tmp_path, [str(WATCHDECK), "--socket", str(recording.socket)])
    try:
        await asyncio.to_thread(look_around, terminal)
    finally:
        terminal.stop()


async def test_kitty_draws_pictures_without_ghosts_and_keeps_none_when_the_console_is_left(
    recording: EngineProcess, tmp_path: Path
) -> None:
    answers = tmp_path / "store"
    console = shlex.join([str(WATCHDECK), "--socket", str(recording.socket)])
    ask = shlex.join([sys.executable, str(KITTY_STORE), str(answers)])
    terminal = KittySession(tmp_path, ["sh", "-c", f"{console}; {ask}"])
    try:
        await asyncio.to_thread(look_around, terminal)
        await asyncio.to_thread(leave_with_a_picture, terminal, answers)
    finally:
        terminal.stop()
    kept = [line for line in answers.read_text().splitlines() if line.endswith(" OK")]
    asked = len(answers.read_text().splitlines())
    assert (kept, asked) == ([], 400), "pictures that stay in the terminal's store"


def leave_with_a_picture(terminal: KittySession, answers: Path) -> None:
    """From the live wall, whose pictures stand, back to the shell, which looks into the store."""
    terminal.press("7")
    terminal.wait_for(BARS, share=SHARE)
    terminal.press("q")
    deadline_s = time.monotonic() + 20
    while not answers.exists():
        assert time.monotonic() < deadline_s, "the console did not end"
        time.sleep(0.1)

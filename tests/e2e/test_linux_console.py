"""The screen and keyboard of the box itself: TERM=linux shows eight colours and CP437, through every screen."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine import wire
from tests.e2e.engine_process import EngineProcess, until
from tests.pty_console import PtyConsole
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

WATCHDECK = Path(sys.executable).parent / "watchdeck"
TOUR = (
    ("2", "loading-dock"),
    ("a", "Add camera"),
    ("\x1b", "Cameras"),
    ("j", "gone"),
    ("\r", "Address"),
    ("\x1b", "Cameras"),
    ("d", "Remove camera"),
    ("\x1b", "Cameras"),
    ("3", "recorded"),
    ("g", "LIVE"),
    ("J", "Jump to time"),
    ("\x1b", "LIVE"),
    ("4", "all severities"),
    (":", ":"),
    ("\x1b", "Events"),
    ("?", "This screen"),
    ("\x1b", "Events"),
    ("1", "Storage"),
)
"""Keys, and what stands on the screen afterwards."""
TOO_BRIGHT = {"38", "48", *map(str, (*range(90, 98), *range(100, 108)))}
SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|[()][A-Z0-9]|\][^\x07]*\x07|[=>78cDEHMZ])")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(tmp_path / "state")
    yield process
    await process.end()


async def test_every_screen_is_made_of_what_the_kernel_can_draw(
    engine: EngineProcess, tmp_path: Path
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    client = await engine.start()
    await client.add_volume(
        wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
    )
    with RtspServer([RtspStream()]) as server:
        await client.add_camera(wire.CameraAdd(name="loading-dock", url=server.url()))
        await client.add_camera(wire.CameraAdd(name="gone", url="rtsp://127.0.0.1:1/nothing"))
        await until(client, lambda now: now.station.cameras_recording == 1, "recording")
        output = await asyncio.get_running_loop().run_in_executor(None, tour, engine.socket)
    text = output.decode("utf-8")
    parameters = {one for found in re.findall(r"\x1b\[([\d;]*)m", text) for one in found.split(";")}
    assert not parameters & TOO_BRIGHT
    shown = SEQUENCE.sub("", text)
    assert "\x1b" not in shown, f"sequences the kernel does not know: {shown[shown.index(chr(27)) :][:40]!r}"
    assert "".join(sorted({character for character in shown if not _is_cp437(character)})) == ""


def tour(socket: Path) -> bytes:
    """All that was sent while every screen and its dialogs were opened, with a recording and a lost camera."""
    with PtyConsole(
        [str(WATCHDECK), "--socket", str(socket)],
        env={"TERM": "linux", "COLORTERM": None, "LC_ALL": "C.UTF-8"},
        columns=80,
        rows=25,
    ) as console:
        console.wait_for("1 of 2")
        console.wait_for("gone")  # the dashboard names the camera that does not record
        for keys, expected in TOUR:
            console.send(keys)
            console.wait_for(expected)
            console.settle()
        console.send("q")
        assert console.wait_exit() == 0
        return bytes(console.output)


def _is_cp437(character: str) -> bool:
    if character in "\r\n\b\x07":
        return True
    try:
        character.encode("cp437")
    except UnicodeEncodeError:
        return False
    return True

"""The live wall on the demo: its real engine and cameras, in a real terminal (tmux)."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from engine import wire
from engine.client import EngineClient, EngineUnreachable
from engine.wire_wall import StartUp, StartUpRow
from tests.e2e.terminal_session import Tmux

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

COLOURED = re.compile(r"\x1b\[[0-9;]*48;(?:5|2);[0-9;]*m")
UPPER_HALF = "▀"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """The socket of a demo without a console."""
    folder = tmp_path / "demo"
    with (tmp_path / "demo.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.demo", "--no-console", "--state", str(folder)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    yield folder / "engine.sock"
    process.send_signal(signal.SIGTERM)
    process.wait(60)


@pytest.fixture
async def client(demo: Path) -> AsyncIterator[EngineClient]:
    """Once eight cameras record."""
    async with EngineClient(demo) as engine:
        async with asyncio.timeout(120):
            while True:
                try:
                    station = await engine.status()
                except EngineUnreachable:
                    await asyncio.sleep(0.2)
                    continue
                if station.cameras_recording == 8:
                    break
                await asyncio.sleep(0.2)
        yield engine


def block(screen: str, column: int, row: int, columns: int, rows: int) -> str:
    """A part of the screen."""
    lines = [line.ljust(80) for line in screen.splitlines()]
    return "\n".join(line[column : column + columns] for line in lines[row : row + rows])


def has_picture(terminal: Tmux, column: int, row: int) -> bool:
    return block(terminal.screen(), column, row, 38, 9).count(UPPER_HALF) > 20


async def test_four_cameras_show_pictures_and_one_switched_off_says_why(
    client: EngineClient, demo: Path, tmp_path: Path
) -> None:
    await client.put_start_up(StartUp(rows=(StartUpRow(terminal="*", shows="live"),)))
    terminal = Tmux(
        tmp_path,
        [sys.executable, "-m", "tui", "--socket", str(demo)],
        80,
        24,
        {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)},
    )
    try:
        names = [camera.name for camera in await client.cameras()][:4]
        terminal.wait_for("cameras 1-4 of 8")
        corners = ((0, 2), (41, 2), (0, 12), (41, 12))
        for name, (column, row) in zip(names, corners, strict=True):
            terminal.wait_for(name)
            await _until(partial(has_picture, terminal, column, row))
        colours = set(COLOURED.findall(terminal.screen(with_colours=True)))
        assert len(colours) > 30, "pictures, not one colour"
        before = block(terminal.screen(), 0, 2, 38, 9)
        await _until(lambda: block(terminal.screen(), 0, 2, 38, 9) != before)

        await client.edit_camera(names[1], wire.CameraEdit(is_enabled=False))
        terminal.wait_for("off since")
        assert UPPER_HALF not in block(terminal.wait_for("disabled"), 41, 2, 38, 9)
        terminal.press("Enter", "+", "+")
        terminal.wait_for("2.0x  PAN")
        terminal.press("Escape")
        terminal.press("V")
        terminal.wait_for("Save view")
        terminal.press("D", "o", "o", "r", "s", "Enter")
        terminal.wait_for("view Doors saved")
        (view,) = (await client.arrangements()).views
        assert (view.name, view.cameras) == ("Doors", tuple(names))
        terminal.press("Right", "Left", "c")
        await _until(lambda: len(list((tmp_path / "watchdeck-exports").glob("*.jpg"))) == 1)
    finally:
        terminal.stop()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.2)

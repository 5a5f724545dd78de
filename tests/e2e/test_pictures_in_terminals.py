"""Pictures where a terminal draws none: half blocks in tmux, coloured characters on the kernel's console. The bars of the
camera's test picture are looked for by their colours."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.engine_process import EngineProcess
from tests.e2e.terminal_session import Tmux
from tests.pty_console import PtyConsole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WATCHDECK = Path(sys.executable).parent / "watchdeck"
BARS = {
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "green": (0, 255, 0),
    "magenta": (255, 0, 255),
    "red": (255, 0, 0),
    "blue": (0, 0, 255),
}
"""Upper bars of the SMPTE test picture."""
CUBE = (0, 95, 135, 175, 215, 255)
SGR = re.compile(r"\x1b\[([\d;]*)m")


async def in_thread(work: object, *arguments: object) -> None:
    await asyncio.get_running_loop().run_in_executor(None, work, *arguments)  # type: ignore[arg-type]


def backgrounds(screen: str) -> set[tuple[int, int, int]]:
    """Colours of the xterm cube, or true ones, that stand behind something in what tmux shows."""
    found = set()
    for match in SGR.finditer(screen):
        numbers = [int(number or 0) for number in match[1].split(";")]
        for index, number in enumerate(numbers):
            if number != 48 or index + 2 >= len(numbers):
                continue
            if numbers[index + 1] == 2 and len(numbers) >= index + 5:
                found.add((numbers[index + 2], numbers[index + 3], numbers[index + 4]))
            elif numbers[index + 1] == 5 and 16 <= numbers[index + 2] < 232:
                place = numbers[index + 2] - 16
                found.add((CUBE[place // 36], CUBE[place // 6 % 6], CUBE[place % 6]))
    return found


def bars_seen(screen: str) -> set[str]:
    return {
        name
        for name, color in BARS.items()
        if any(
            all(abs(one - other) <= 45 for one, other in zip(color, seen, strict=True))
            for seen in backgrounds(screen)
        )
    }


async def test_in_tmux_pictures_are_half_blocks_in_the_cameras_colours(
    test_card: EngineProcess, tmp_path: Path
) -> None:
    terminal = Tmux(tmp_path, [str(WATCHDECK), "--socket", str(test_card.socket)], 100, 30)
    try:
        terminal.wait_for("1 of 1")
        assert "Gi=31" not in terminal.title(), "the question for kitty graphics"
        await in_thread(look_for_bars, terminal, "2")
        terminal.press("4")
        terminal.wait_for("camera.added")
        assert bars_seen(terminal.screen(with_colours=True)) == set(), "nothing of the picture stays"
        await in_thread(look_for_bars, terminal, "7")
        terminal.resize(60, 20)
        await in_thread(look_for_bars, terminal, "7")
    finally:
        terminal.stop()


def look_for_bars(terminal: Tmux, key: str) -> None:
    """All bars, in half blocks, within half a minute."""
    terminal.press(key)
    for _ in range(150):
        screen = terminal.screen(with_colours=True)
        if len(bars_seen(screen)) == len(BARS) and "\u2580" in screen:
            return
        terminal.wait_for("test-card")
        time.sleep(0.2)
    raise AssertionError(f"only {bars_seen(screen)} of the bars are seen:\n{terminal.screen()}")


async def test_the_kernels_console_shows_the_bars_as_coloured_characters(test_card: EngineProcess) -> None:
    await in_thread(look_on_the_console, test_card.socket)


def look_on_the_console(socket: Path) -> None:
    """Eight colours, characters by brightness; not one sequence for pixels."""
    with PtyConsole(
        [str(WATCHDECK), "--socket", str(socket)],
        env={"TERM": "linux", "COLORTERM": None, "LC_ALL": "C.UTF-8"},
        columns=80,
        rows=25,
    ) as console:
        console.wait_for("1 of 1")
        for key in ("2", "7"):
            console.send(key)
            console.until(lambda: len(ramp_colors(console)) >= 6, f"of the bars on {key}")
        assert b"\x1bP" not in console.output
        assert b"\x1b_G" not in console.output


def ramp_colors(console: PtyConsole) -> set[str]:
    """Colours of at least eight characters of the ramp each."""
    counts: dict[str, int] = {}
    for row in console.cells():
        for character, foreground, *_ in row:
            if character in ".:-=+*#%@":
                counts[foreground] = counts.get(foreground, 0) + 1
    names = {"brown", "cyan", "green", "magenta", "red", "blue"}
    return {name for name, count in counts.items() if count >= 8 and name in names}

"""Terminals that answer as others do: GNU screen itself, and models of what people sit at. The bars of the camera's test picture are
looked for by their colours; nothing that a terminal does not know may be sent, or it would print it."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.engine_process import EngineProcess
from tests.pty_console import Answers, PtyConsole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WATCHDECK = Path(sys.executable).parent / "watchdeck"
BARS = {"ffff00", "00ffff", "00ff00", "ff00ff", "ff0000", "0000ff"}
"""Upper bars of the SMPTE test picture in the colours of the xterm cube."""
UPPER_HALF = "\u2580"
RAMP = ".:-=+*#%@"
STRINGS = re.compile(rb"\x1b[P_^X][^\x1b]*")
"""DCS, APC, PM, SOS: printed by what does not know them."""


@dataclass(frozen=True)
class Model:
    """What a terminal says of itself, and what the console makes of it."""

    environment: dict[str, str | None]
    answers: Answers
    pictures: Literal["sixel", "half", "ascii"]
    strings: int
    """Strings that it is sent before the first picture: the question for kitty graphics."""
    has_cube: bool = True
    """256 colours."""


MODELS = {
    "Windows Terminal": Model(
        {"TERM": "xterm-256color", "WT_SESSION": "0"},
        Answers("?61;4;6;7;14;21;22;23;24;28;32;42;52", sync=2, cell_px=(10, 20), registers=256),
        "sixel",
        1,
    ),
    "Apple Terminal": Model(
        {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, Answers("?1;2"), "half", 1
    ),
    "PuTTY": Model({"TERM": "xterm", "SSH_TTY": "/dev/pts/0"}, Answers("?6"), "ascii", 0, has_cube=False),
    "mosh": Model(
        {"TERM": "xterm-256color", "SSH_TTY": "/dev/pts/0"},
        Answers(attributes=None, reports_cursor=False),
        "half",
        0,
    ),
    "VT220": Model(
        {"TERM": "vt220"}, Answers(attributes=None, reports_cursor=False), "ascii", 0, has_cube=False
    ),
}


@pytest.mark.parametrize("name", MODELS)
async def test_pictures_come_and_nothing_is_sent_that_the_terminal_would_print(
    name: str, test_card: EngineProcess
) -> None:
    await asyncio.to_thread(look_at_the_wall, MODELS[name], test_card.socket)


def look_at_the_wall(model: Model, socket: Path) -> None:
    """Dashboard, live wall, another size, and out."""
    with PtyConsole(
        [str(WATCHDECK), "--socket", str(socket)],
        env={"COLORTERM": None, "LC_ALL": "C.UTF-8", **model.environment},
        answers=model.answers,
    ) as console:
        console.wait_for("1 of 1")
        assert len(STRINGS.findall(bytes(console.output))) == model.strings
        console.send("7")
        console.until(lambda: has_picture(console, model), "for the test picture")
        console.resize(100, 30)
        console.until(lambda: has_picture(console, model), "for the test picture in another size")
        console.send("q")
        assert console.wait_exit() == 0
        output = bytes(console.output)
        assert (b"\x1b[?2026h" in output) is (model.answers.sync is not None)
        assert (b"8;5;" in output) is model.has_cube
        assert not re.findall(rb"\x1b\[[\d;]*[34]8;2;", output), "16.7 million colours"
        if model.pictures != "sixel":
            assert len(STRINGS.findall(output)) == model.strings
        if model.environment["TERM"] == "vt220":
            assert b"\x1b]" not in output, "a string for the window's system"
            assert not re.findall(rb"\x1b\[[>=]", output), "modes of later terminals"
            shown = re.findall(rb"\x1b\[([\d;]*)m", output)
            assert not [number for one in shown for number in one.split(b";") if len(number) > 1], "colours"


def has_picture(console: PtyConsole, model: Model) -> bool:
    """A good part of the screen is it, in its colours where there are any."""
    if model.pictures == "sixel":
        return len(console.pixels) > 100
    cells = [cell for row in console.cells() for cell in row]
    if model.pictures == "ascii":
        return sum(str(cell[0]) in RAMP for cell in cells) > 150
    return any(cell[0] == UPPER_HALF for cell in cells) and {str(cell[2]) for cell in cells} >= BARS


# -- GNU screen ------------------------------------------------------------------------------------------


async def test_in_screen_pictures_are_half_blocks_and_survive_detaching(
    test_card: EngineProcess, tmp_path: Path
) -> None:
    if shutil.which("screen") is None:
        pytest.skip("screen not installed: packaging/install-test-tools")
    await asyncio.to_thread(detach_and_come_back, test_card.socket, tmp_path)


def detach_and_come_back(socket: Path, folder: Path) -> None:
    """From a terminal to another of another size."""
    settings, sockets = folder / "screenrc", folder / "sockets"
    # What is written to the hardstatus goes to the title of the window, as with Debian's own settings.
    settings.write_text(
        "startup_message off\nterm screen-256color\ntermcapinfo * hs:ts=\\E]0;:fs=\\007:ds=\\E]0;\\007\n"
    )
    sockets.mkdir(mode=0o700)
    model = Model({}, Answers(), "half", 0)

    def terminal(columns: int, rows: int, *arguments: str) -> PtyConsole:
        return PtyConsole(
            ["screen", "-c", str(settings), "-S", "watchdeck-test", *arguments],
            env={"COLORTERM": None, "LC_ALL": "C.UTF-8", "SCREENDIR": str(sockets)},
            columns=columns,
            rows=rows,
        )

    with terminal(100, 30, str(WATCHDECK), "--socket", str(socket)) as first:
        first.wait_for("1 of 1")
        first.send("7")
        first.until(lambda: has_picture(first, model), "for the test picture")
        first.resize(80, 24)
        first.until(lambda: has_picture(first, model), "for the test picture in another size")
        assert not STRINGS.findall(bytes(first.output))
        assert b"Gi=31" not in first.output, "the question for kitty graphics became the window's title"
        first.send("\x01d")
        assert first.wait_exit() == 0
    with terminal(120, 40, "-r") as second:
        second.until(lambda: has_picture(second, model), "for the test picture after attaching")
        second.wait_for("test-card")
        second.send("q")
        assert second.wait_exit() == 0

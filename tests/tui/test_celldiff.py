"""The cell diff against stock Textual: the same sessions on two pseudo-terminals must end in the same screens."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.pty_console import Answers, PtyConsole

ROOT = Path(__file__).resolve().parents[2]
SESSION = [
    ("value", "u"),
    ("value again", "u"),
    ("down", "\x1b[B"),
    ("down", "\x1b[B"),
    ("up", "\x1b[A"),
    ("page down", "\x1b[6~"),
    ("wide", "w"),
    ("wide shifted", "w"),
    ("wide shifted back", "w"),
    ("combining", "w"),
    ("wide at the end", "w"),
    ("many", "l"),
    ("many more", "l"),
    ("dialog", "m"),
    ("focus in dialog", "\t"),
    ("dialog closed", "\x1b"),
    ("screen", "s"),
    ("screen closed", "\x1b"),
    ("theme", "t"),
    ("smaller", (90, 20)),
    ("larger", (110, 32)),
    ("value after resize", "u"),
    ("repainted", "\x0c"),
    ("many at last", "l"),
]


def start(kind: str, **environment: str | None) -> PtyConsole:
    console = PtyConsole(
        [sys.executable, "-m", "tests.tui.apps.panes", kind],
        env={"TEXTUAL_ANIMATIONS": "none", **environment},
        columns=100,
        rows=28,
        cwd=str(ROOT),
    )
    console.wait_for("camera 3")
    console.settle()
    return console


def agreed(stock: PtyConsole, diff: PtyConsole, *, timeout_s: float = 20.0) -> list[tuple[int, int]]:
    """Read both until each said something and both are silent with equal screens; else the cells that differ."""
    consoles = (stock, diff)
    before = [console.bytes_out for console in consoles]
    started = last = time.monotonic()
    while (now := time.monotonic()) - started < timeout_s:
        if any([console.pump(0.01) for console in consoles]):
            last = time.monotonic()
            continue
        have_spoken = all(console.bytes_out > start for console, start in zip(consoles, before, strict=True))
        # A key that means nothing to one of them (ctrl+l to stock Textual) is answered by silence.
        if now - last > (0.06 if have_spoken else 0.6) and stock.cells() == diff.cells():
            return []
    wanted, got = stock.cells(), diff.cells()
    return [(x, y) for y, row in enumerate(wanted) for x, cell in enumerate(row) if cell != got[y][x]] or [
        (-1, -1)
    ]


@pytest.mark.parametrize(
    ("colors", "environment"),
    [
        ("truecolor", {"TEXTUAL_COLOR_SYSTEM": "truecolor", "TEXTUAL_THEME": "textual-dark"}),
        ("256", {"TEXTUAL_COLOR_SYSTEM": "256", "TEXTUAL_THEME": "textual-dark"}),
        ("16", {"TEXTUAL_COLOR_SYSTEM": "standard", "TEXTUAL_THEME": "ansi-dark"}),
    ],
)
@pytest.mark.timeout(120)
def test_every_screen_of_a_session_equals_stock_textual(colors: str, environment: dict[str, str]) -> None:
    with start("stock", **environment) as stock, start("diff", **environment) as diff:
        for name, step in [("start", ""), *SESSION]:
            for console in (stock, diff):
                if isinstance(step, tuple):
                    console.resize(*step)
                elif step:
                    console.send(step)
            differing = agreed(stock, diff)
            cells = [(x, y, stock.cell(x, y), diff.cell(x, y)) for x, y in differing[:5]]
            assert not differing, f"{colors}: after {name!r} {len(differing)} cells differ: {cells}"
        assert diff.bytes_out * 2 < stock.bytes_out


def test_one_changed_value_costs_less_than_a_hundred_bytes_and_the_same_value_nothing() -> None:
    with start("diff") as console:
        at = len(console.output)
        console.send("u")
        console.until(lambda: len(console.output) > at)  # a busy machine takes longer than a screen is quiet
        console.settle()
        assert len(console.output) - at < 100
        console.send("r")
        assert console.settle() == 0


def test_ctrl_l_repairs_a_screen_that_others_wrote_on() -> None:
    with start("diff") as console:
        before = console.cells()
        console._stream.feed(b"\x1b[5;5HBroadcast message from root\x1b[10;1H\x1b[J")
        assert console.cells() != before
        console.send("\x0c")
        console.until(lambda: console.cells() == before)


def test_a_frame_is_one_synchronised_update_where_the_terminal_knows_them() -> None:
    with PtyConsole(
        [sys.executable, "-m", "tests.tui.apps.panes", "diff"],
        env={"TEXTUAL_ANIMATIONS": "none"},
        answers=Answers(sync=2),
        cwd=str(ROOT),
    ) as console:
        console.wait_for("camera 3")
        console.settle()
        at = len(console.output)
        console.send("u")
        console.settle()
        sent = bytes(console.output[at:])
        assert sent.startswith(b"\x1b[?2026h")
        assert sent.endswith(b"\x1b[?2026l")
        assert sent.count(b"\x1b[?2026h") == 1


def test_a_terminal_that_does_not_read_does_not_stop_the_program() -> None:
    with PtyConsole(
        [sys.executable, "-m", "tests.tui.apps.stall"], env={"TEXTUAL_ANIMATIONS": "none"}, cwd=str(ROOT)
    ) as console:
        console.wait_for("ready")
        console.send("g")  # paints everything 50 times a second for 2 s of its own time, measuring its loop
        time.sleep(3)  # nothing is read meanwhile: that is the test
        console.wait_for("longest pause")
        line = next(line for line in console.text.splitlines() if "longest pause" in line)
        assert int(line.split()[2]) < 1000, line


def test_suspending_and_coming_back_paints_everything_again() -> None:
    import os
    import signal

    with start("diff") as console:
        before = console.cells()
        os.kill(console.pid, signal.SIGTSTP)
        console.settle()
        console._stream.feed(b"\x1b[2J\x1b[H$ shell output")
        os.kill(console.pid, signal.SIGCONT)
        console.until(lambda: console.cells() == before)

"""Pictures in pixels in a real xterm (sixel) and a real kitty: the camera's colours are on the screen, and nothing of them stays behind."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.engine_process import EngineProcess
from tests.e2e.picture_tour import BARS, SHARE, look_around
from tests.e2e.window_session import KittySession, XtermSession, draws_sixels

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WATCHDECK = Path(sys.executable).parent / "watchdeck"
KITTY_STORE = Path(__file__).with_name("kitty_store.py")


async def test_sixels_are_drawn_in_xterm_and_leave_no_ghosts(
    test_card: EngineProcess, tmp_path: Path
) -> None:
    if not await asyncio.to_thread(draws_sixels, tmp_path):
        pytest.skip("this xterm was built without sixel graphics")
    terminal = XtermSession(tmp_path, [str(WATCHDECK), "--socket", str(test_card.socket)])
    try:
        await asyncio.to_thread(look_around, terminal)
    finally:
        terminal.stop()


async def test_kitty_draws_pictures_without_ghosts_and_keeps_none_when_the_console_is_left(
    test_card: EngineProcess, tmp_path: Path
) -> None:
    answers = tmp_path / "store"
    console = shlex.join([str(WATCHDECK), "--socket", str(test_card.socket)])
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

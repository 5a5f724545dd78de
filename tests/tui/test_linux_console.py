"""On `TERM=linux` nothing may come that the kernel's console cannot show: eight colours and its built-in font."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.pty_console import PtyConsole
from tui.probe import ProbeReply
from tui.profile import decide
from tui.themes import THEMES

ROOT = Path(__file__).resolve().parents[2]


def gallery(term: str, **environment: str | None) -> PtyConsole:
    profile = decide(
        {"TERM": term, **{key: value for key, value in environment.items() if value}}, ProbeReply()
    )
    # Themes are registered by the gallery itself, before its app is made.
    code = (
        "import runpy; from tui.themes import register_themes; register_themes(); "
        "runpy.run_module('tests.tui.apps.gallery', run_name='__main__')"
    )
    console = PtyConsole(
        [sys.executable, "-c", code],
        env={"TERM": term, "COLORTERM": None, **profile.environment(), **environment},
        columns=80,
        rows=25,
        cwd=str(ROOT),
    )
    console.wait_for("camera 3")
    console.settle()
    return console


def parameters(output: bytes) -> set[str]:
    return {
        one for sequence in re.findall(rb"\x1b\[([\d;]*)m", output) for one in sequence.decode().split(";")
    }


def test_only_the_eight_colours_and_the_built_in_font_are_used() -> None:
    with gallery("linux") as console:
        for key in ("\x1b[B", " ", "m", "\x1b", "f", "\t", "\x1b"):
            console.send(key)
            console.settle()
        output = bytes(console.output)
        used = parameters(output)
        bright = {str(number) for number in (*range(90, 98), *range(100, 108))}
        assert not used & (bright | {"38", "48"})
        strange = {
            character
            for character in output.decode("utf-8")
            if ord(character) > 126 and not _is_cp437(character)
        }
        assert not strange
        assert b"\x1b[>" not in output, "keyboard protocols are printed by the kernel"
        assert b"\x1b[?1000h" not in output
        assert b"\x1b[c" not in output, "it is not asked"


def _is_cp437(character: str) -> bool:
    try:
        character.encode("cp437")
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("box", ["degraded_eight", "sixteen", "empty_box", "alarm"])
def test_the_bays_keep_to_the_eight_colours_and_the_built_in_font(box: str) -> None:
    with PtyConsole(
        [sys.executable, "-m", "tests.tui.apps.bays", box],
        env={"TERM": "linux", "COLORTERM": None},
        columns=80,
        rows=25,
        cwd=str(ROOT),
    ) as console:
        console.wait_for("5 of 8")
        console.send("5")
        console.wait_for("F6 Bays")
        for key in ("\x1b[C", "v", "\x1b[B", "v", "o", "\x1b"):
            console.send(key)
            console.settle(0.2, 1)
        output = bytes(console.output)
    bright = {str(number) for number in (*range(90, 98), *range(100, 108))}
    assert not parameters(output) & (bright | {"38", "48"})
    strange = {
        character for character in output.decode("utf-8") if ord(character) > 126 and not _is_cp437(character)
    }
    assert not strange


def test_no_color_sends_no_colour_at_all() -> None:
    with gallery("xterm-256color", NO_COLOR="1", LANG="C.UTF-8") as console:
        console.send("\x1b[B")
        console.settle()
        used = parameters(bytes(console.output))
        colors = {
            str(number) for number in (*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108))
        }
        assert not used & colors
        assert "7" in used, "the cursor is reverse video"


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_every_theme_starts(theme: str) -> None:
    with gallery("xterm-256color", TEXTUAL_THEME=theme) as console:
        assert "front door" in console.text

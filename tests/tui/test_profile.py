"""What the console decides about terminals, from their environment and answers."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import cast

import pytest

from tui.desk import Desk
from tui.picture_wish import Wish, request_for
from tui.probe import ProbeReply
from tui.profile import TRUECOLOR, BadOverride, TerminalProfile, decide, may_ask

XTERM = {"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"}
SSH = {"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}
SIXEL = ProbeReply(has_sixel=True, sixel_registers=256, cell_width_px=9, cell_height_px=18, is_complete=True)
KITTY = ProbeReply(has_kitty=True, is_complete=True)


@pytest.mark.parametrize(
    ("environ", "colors", "glyphs"),
    [
        (XTERM, 256, "unicode"),
        ({**XTERM, "COLORTERM": "truecolor"}, TRUECOLOR, "unicode"),
        ({"TERM": "xterm-kitty"}, TRUECOLOR, "unicode"),
        ({"TERM": "xterm-direct"}, TRUECOLOR, "unicode"),
        ({"TERM": "xterm"}, 16, "unicode"),
        ({"TERM": "screen"}, 8, "unicode"),
        ({"TERM": "tmux-256color"}, 256, "unicode"),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, 8, "cp437"),
        ({"TERM": "vt220"}, 2, "ascii"),
        ({**XTERM, "NO_COLOR": "1", "COLORTERM": "truecolor"}, 2, "unicode"),
        ({**XTERM, "NO_COLOR": ""}, 256, "unicode"),
        ({**XTERM, "LC_ALL": "de_DE.ISO-8859-1"}, 256, "ascii"),
        ({**XTERM, "LC_ALL": "C.utf8"}, 256, "unicode"),
        ({**XTERM, "WATCHDECK_COLORS": "16", "WATCHDECK_GLYPHS": "cp437"}, 16, "cp437"),
    ],
)
def test_colours_and_characters_follow_the_environment(
    environ: dict[str, str], colors: int, glyphs: str
) -> None:
    profile = decide(environ, ProbeReply())
    assert (profile.colors, profile.glyphs) == (colors, glyphs)


@pytest.mark.parametrize(
    ("environ", "reply", "override", "graphics"),
    [
        (XTERM, ProbeReply(), None, "half"),
        (XTERM, SIXEL, None, "sixel"),
        (XTERM, KITTY, None, "kitty"),
        ({"TERM": "xterm"}, SIXEL, None, "sixel"),
        ({"TERM": "xterm"}, ProbeReply(), None, "ascii"),
        ({**XTERM, **SSH}, SIXEL, None, "half"),
        ({**XTERM, **SSH}, SIXEL, "sixel", "sixel"),
        ({**XTERM, **SSH}, KITTY, None, "half"),
        ({**XTERM, "TMUX": "/tmp/tmux-0/default,1,0"}, SIXEL, None, "half"),
        ({"TERM": "screen-256color"}, SIXEL, None, "half"),
        ({**XTERM, "TMUX": "x"}, SIXEL, "sixel", "sixel"),
        ({"TERM": "linux"}, ProbeReply(), None, "ascii"),
        ({**XTERM, "NO_COLOR": "1"}, ProbeReply(), None, "ascii"),
        ({**XTERM, "NO_COLOR": "1"}, SIXEL, None, "ascii"),
        ({**XTERM, "WATCHDECK_GRAPHICS": "none"}, SIXEL, None, "none"),
        ({**XTERM, "WATCHDECK_GRAPHICS": "none"}, SIXEL, "half", "half"),
        ({**XTERM, "WATCHDECK_GRAPHICS": "sixel"}, KITTY, "auto", "kitty"),
    ],
)
def test_pictures_are_as_good_as_the_link_and_the_terminal_allow(
    environ: dict[str, str], reply: ProbeReply, override: str | None, graphics: str
) -> None:
    assert decide(environ, reply, graphics=override).graphics == graphics


def test_an_unknown_override_is_refused_by_name() -> None:
    with pytest.raises(
        BadOverride, match=r"'sixels' \(WATCHDECK_GRAPHICS\) is not one of auto, kitty, sixel"
    ):
        decide({**XTERM, "WATCHDECK_GRAPHICS": "sixels"}, ProbeReply())
    with pytest.raises(BadOverride, match="'purple'"):
        decide(XTERM, ProbeReply(), colors="purple")


def test_the_size_of_a_cell_comes_from_the_window_then_the_answer_then_a_vt340() -> None:
    assert decide(XTERM, SIXEL, window_cell=(8, 16)).cell_width_px == 8
    assert decide(XTERM, SIXEL).cell_height_px == 18
    default = decide(XTERM, ProbeReply())
    assert (default.cell_width_px, default.cell_height_px) == (10, 20)


def test_sixel_palettes_stay_within_registers_and_the_link() -> None:
    assert decide(XTERM, SIXEL).sixel_colors == 64
    assert decide({**XTERM, **SSH}, SIXEL).sixel_colors == 32
    assert decide(XTERM, ProbeReply(has_sixel=True, sixel_registers=16)).sixel_colors == 16


def test_no_sixel_is_asked_for_that_is_larger_than_the_terminal_draws() -> None:
    profile = decide(
        XTERM, ProbeReply(has_sixel=True, sixel_width_px=1000, sixel_height_px=500), window_cell=(7, 15)
    )
    desk = SimpleNamespace(profile=profile)
    asked = request_for(cast("Desk", desk), Wish("gate"), 150, 20)
    assert (asked.columns, asked.rows) == (142, 20)
    asked = request_for(cast("Desk", desk), Wish("gate"), 100, 48)
    assert (asked.columns, asked.rows) == (100, 33)
    half = SimpleNamespace(profile=decide(XTERM, ProbeReply(sixel_width_px=1000, sixel_height_px=500)))
    assert request_for(cast("Desk", half), Wish("gate"), 150, 48).columns == 150


@pytest.mark.parametrize("term", ["dumb", "", "unknown"])
def test_terminals_that_cannot_be_drawn_on_are_sent_to_the_command_line(term: str) -> None:
    assert "watchdeck status" in decide({"TERM": term}, ProbeReply()).refusal
    assert "watchdeck status" in decide(XTERM, ProbeReply(), is_terminal=False).refusal
    assert decide(XTERM, ProbeReply()).refusal == ""


def test_plain_terminals_are_never_asked() -> None:
    assert not any(may_ask(term) for term in ("linux", "dumb", "vt100", "vt220", ""))
    assert may_ask("xterm-256color")


def test_the_mouse_is_off_over_ssh_and_on_the_console() -> None:
    assert decide(XTERM, ProbeReply()).has_mouse
    assert not decide({**XTERM, **SSH}, ProbeReply()).has_mouse
    assert not decide({"TERM": "linux"}, ProbeReply()).has_mouse
    assert decide({**XTERM, **SSH}, ProbeReply(), has_mouse=True).has_mouse


def test_textual_is_told_by_its_environment() -> None:
    assert TerminalProfile(colors=256).environment() == {
        "TEXTUAL_COLOR_SYSTEM": "256",
        "TEXTUAL_THEME": "watchdeck",
        "TEXTUAL_ANIMATIONS": "none",
        "TEXTUAL_FPS": "240",
        "TEXTUAL_SMOOTH_SCROLL": "0",
    }
    console = decide({"TERM": "linux"}, ProbeReply()).environment()
    assert console["TEXTUAL_DISABLE_KITTY_KEY"] == "1"
    assert console["TEXTUAL_THEME"] == "watchdeck-16"
    assert decide({"TERM": "vt420"}, ProbeReply()).environment()["TEXTUAL_DISABLE_KITTY_KEY"] == "1"
    assert TerminalProfile(colors=2).environment()["NO_COLOR"] == "1"


def test_deciding_does_not_import_textual() -> None:
    code = "import sys, tui.profile; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_terminal_that_draws_pictures_has_their_colours_for_cells_too() -> None:
    """xterm calls itself `xterm` unless told otherwise; drawn in sixteen colours, what lies under a region cannot be recognised."""
    plain = {"TERM": "xterm", "LANG": "C.UTF-8"}
    assert decide(plain, SIXEL).colors == 256
    assert decide(plain, ProbeReply(is_complete=True)).colors == 16
    assert decide({**plain, "TERM": "vt340"}, SIXEL).colors == 2
    assert decide(plain, SIXEL, colors="16").colors == 16

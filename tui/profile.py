"""What this terminal can do, decided once before Textual is imported, and how Textual is told.

    profile = detect(os.environ, graphics=None, colors=None, glyphs=None, has_mouse=None)
    if profile.refusal: print it and exit 2
    os.environ.update(profile.environment()); only then import Textual

Overrides beat everything: the arguments (`--graphics`, `--colors`, `--glyphs`, `--mouse`), then `WATCHDECK_GRAPHICS`,
`WATCHDECK_COLORS`, `WATCHDECK_GLYPHS`, `WATCHDECK_BLINK`, then `NO_COLOR`. No list of terminal names decides about pictures: the
terminal is asked (tui/probe.py). Over SSH and inside tmux or screen the default is half-blocks: small, and they
survive a multiplexer; sixel and kitty are one override away.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from tui.probe import ProbeReply, probe, window_cell_size

Graphics = Literal["kitty", "sixel", "half", "ascii", "none"]
GlyphSet = Literal["unicode", "cp437", "ascii"]
Blinking = Literal["full", "calm", "off"]
"""What the lamps of the drive bays do: as on the box; all but activity; stand still (the words say it)."""

GRAPHICS: Final[tuple[str, ...]] = get_args(Graphics)
GLYPHS: Final[tuple[str, ...]] = get_args(GlyphSet)
BLINKING: Final[tuple[str, ...]] = get_args(Blinking)
TRUECOLOR: Final = 16_777_216
COLORS: Final[dict[str, int]] = {
    "truecolor": TRUECOLOR,
    "256": 256,
    "16": 16,
    "8": 8,
    "mono": 2,
    str(TRUECOLOR): TRUECOLOR,
    "2": 2,
}
"""What `--colors` understands."""

DEFAULT_CELL_PX: Final = (10, 20)
"""Of a VT340, where nobody says how large a cell is."""

_TRUECOLOR_TERMS: Final = ("xterm-kitty", "xterm-ghostty", "foot", "alacritty", "wezterm", "contour")
"""Values of TERM that mean 16.7 million colours even where COLORTERM got lost on the way (ssh does not send it)."""


class BadOverride(ValueError):
    """An override has a value nobody knows; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class TerminalProfile:
    """How to draw on this terminal."""

    colors: int = 256
    """16,777,216, 256, 16, 8 or 2."""
    glyphs: GlyphSet = "unicode"
    graphics: Graphics = "half"
    cell_width_px: int = DEFAULT_CELL_PX[0]
    cell_height_px: int = DEFAULT_CELL_PX[1]
    sixel_colors: int = 64
    """Palette size for sixel pictures: what the terminal has, at most 64; 32 over SSH."""
    sixel_width_px: int = 0
    """The terminal draws no wider sixel picture; 0 = not known."""
    sixel_height_px: int = 0
    is_ssh: bool = False
    is_multiplexer: bool = False
    has_mouse: bool = False
    blinking: Blinking = "full"
    has_title: bool = False
    """The terminal has a window title that may be written."""
    is_plain: bool = False
    """It may print what it does not know: `TERM=linux` and `vt*`."""
    refusal: str = ""
    """Why the console must not start here, and what to do; empty = it may."""

    @property
    def theme(self) -> str:
        """Name of the theme to start with (tui/themes.py)."""
        if self.colors <= 2:
            return "watchdeck-mono"
        return "watchdeck-16" if self.colors <= 16 else "watchdeck"

    def environment(self) -> dict[str, str]:
        """Variables that Textual reads while it is imported; set them before."""
        system = "truecolor" if self.colors > 256 else "256" if self.colors > 16 else "standard"
        variables = {
            "TEXTUAL_COLOR_SYSTEM": system,
            "TEXTUAL_THEME": self.theme,
            "TEXTUAL_ANIMATIONS": "none",
            # A frame waits up to two periods after the one before: at 60 a key just behind a picture is felt.
            "TEXTUAL_FPS": "240",
            "TEXTUAL_SMOOTH_SCROLL": "0",  # in-band resize and pixel mouse: nothing here needs them
        }
        if self.is_plain:
            variables["TEXTUAL_DISABLE_KITTY_KEY"] = "1"  # the kernel would print it
        if self.colors <= 2:
            variables["NO_COLOR"] = "1"
        return variables

    def picture_format(self) -> str:
        """Name of the engine's picture format; empty when no picture can be shown."""
        return "" if self.graphics == "none" else self.graphics


def detect(
    environ: Mapping[str, str],
    *,
    graphics: str | None = None,
    colors: str | None = None,
    glyphs: str | None = None,
    has_mouse: bool | None = None,
    stdin_fd: int = 0,
    stdout_fd: int = 1,
    timeout_s: float = 1.0,
) -> TerminalProfile:
    """Look at the environment, ask the terminal if it may be asked, decide. Raises BadOverride."""
    is_terminal = _is_tty(stdin_fd) and _is_tty(stdout_fd)
    reply = ProbeReply()
    if is_terminal and may_ask(environ.get("TERM", "")):
        reply = probe(stdin_fd, stdout_fd, timeout_s=timeout_s, asks_for_kitty=_is_near(environ))
    return decide(
        environ,
        reply,
        is_terminal=is_terminal,
        window_cell=window_cell_size(stdout_fd) if is_terminal else (0, 0),
        graphics=graphics,
        colors=colors,
        glyphs=glyphs,
        has_mouse=has_mouse,
    )


def may_ask(term: str) -> bool:
    """Whether this kind of terminal stands being asked: the plain ones print the question."""
    return term not in ("", "linux", "dumb", "unknown") and not term.startswith("vt")


def decide(
    environ: Mapping[str, str],
    reply: ProbeReply,
    *,
    is_terminal: bool = True,
    window_cell: tuple[int, int] = (0, 0),
    graphics: str | None = None,
    colors: str | None = None,
    glyphs: str | None = None,
    has_mouse: bool | None = None,
) -> TerminalProfile:
    """The decision alone: no terminal is touched. Raises BadOverride."""
    term = environ.get("TERM", "")
    is_ssh, is_multiplexer = _is_ssh(environ), _is_multiplexer(environ)
    number = _colors(environ, term, reply, colors)
    glyph_set = _glyphs(environ, term, glyphs)
    picture = _graphics(environ, reply, graphics, number, glyph_set, is_near=_is_near(environ))
    cell = next(
        (size for size in (window_cell, (reply.cell_width_px, reply.cell_height_px)) if all(size)),
        DEFAULT_CELL_PX,
    )
    registers = reply.sixel_registers or 64
    return TerminalProfile(
        colors=number,
        glyphs=glyph_set,
        graphics=picture,
        cell_width_px=cell[0],
        cell_height_px=cell[1],
        sixel_colors=max(2, min(registers, 32 if is_ssh else 64)),
        sixel_width_px=reply.sixel_width_px,
        sixel_height_px=reply.sixel_height_px,
        is_ssh=is_ssh,
        is_multiplexer=is_multiplexer,
        has_mouse=has_mouse if has_mouse is not None else not is_ssh and may_ask(term),
        blinking=_blinking(environ, is_near=not is_ssh),
        has_title=is_terminal and may_ask(term),
        is_plain=not may_ask(term),
        refusal=_refusal(term, is_terminal),
    )


def _is_ssh(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))


def _is_multiplexer(environ: Mapping[str, str]) -> bool:
    is_inside = environ.get("TMUX") or environ.get("STY")
    return bool(is_inside) or environ.get("TERM", "").startswith(("tmux", "screen"))


def _is_near(environ: Mapping[str, str]) -> bool:
    """Pictures in pixels are drawn without being asked for."""
    return not (_is_ssh(environ) or _is_multiplexer(environ))


def _refusal(term: str, is_terminal: bool) -> str:
    instead = "Use the command line instead: `watchdeck status`, `watchdeck --help`; add --json for scripts."
    if not is_terminal:
        return f"The console needs a terminal for its input and output. {instead}"
    if term in ("", "dumb", "unknown"):
        return f"The console cannot draw on a terminal of type {term or '(TERM is not set)'!s}. {instead}"
    return ""


def _override(
    given: str | None, environ: Mapping[str, str], variable: str, allowed: tuple[str, ...]
) -> str | None:
    """The argument, else the variable; `auto` and empty mean: decide."""
    value = given if given is not None else environ.get(variable, "")
    if value in ("", "auto"):
        return None
    if value not in allowed:
        origin = "option" if given is not None else variable
        raise BadOverride(f"{value!r} ({origin}) is not one of auto, {', '.join(allowed)}")
    return value


def _colors(environ: Mapping[str, str], term: str, reply: ProbeReply, given: str | None) -> int:
    chosen = _override(given, environ, "WATCHDECK_COLORS", tuple(COLORS))
    if chosen is not None:
        return COLORS[chosen]
    if environ.get("NO_COLOR"):
        return 2
    if term == "linux":
        return 8
    if term.startswith("vt"):
        return 2
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return TRUECOLOR
    if term.endswith("-direct") or term.startswith(_TRUECOLOR_TERMS):
        return TRUECOLOR
    if "256color" in term:
        return 256
    if term in ("screen", "ansi", "cygwin", "cons25"):
        return 8
    # xterm calls itself that everywhere; one that draws pictures in pixels has the 256 colours, too. A VT340 says that it is one.
    return 256 if reply.has_sixel or reply.has_kitty else 16


def _glyphs(environ: Mapping[str, str], term: str, given: str | None) -> GlyphSet:
    chosen = _override(given, environ, "WATCHDECK_GLYPHS", GLYPHS)
    if chosen is not None:
        return cast("GlyphSet", chosen)
    if term == "linux":
        return "cp437"
    if term.startswith("vt"):
        return "ascii"
    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environ.get(name))), "")
    charset = locale.partition(".")[2].partition("@")[0].lower().replace("-", "")
    return "ascii" if charset and charset != "utf8" else "unicode"


def _blinking(environ: Mapping[str, str], *, is_near: bool) -> Blinking:
    """Over SSH activity is told by a word: eight lamps at 4 Hz are most of a kilobyte a second."""
    chosen = _override(None, environ, "WATCHDECK_BLINK", BLINKING)
    if chosen is not None:
        return cast("Blinking", chosen)
    return "full" if is_near else "calm"


def _graphics(
    environ: Mapping[str, str],
    reply: ProbeReply,
    given: str | None,
    colors: int,
    glyphs: GlyphSet,
    *,
    is_near: bool,
) -> Graphics:
    chosen = _override(given, environ, "WATCHDECK_GRAPHICS", GRAPHICS)
    if chosen is not None:
        return cast("Graphics", chosen)
    # Pictures in pixels bring colours of their own: a terminal that names itself plainly may well have them.
    if is_near and colors > 2 and reply.has_kitty:
        return "kitty"
    if is_near and colors > 2 and reply.has_sixel:
        return "sixel"
    return "ascii" if glyphs == "ascii" or colors <= 16 else "half"


def _is_tty(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False

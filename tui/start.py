"""Puts a console together: themes, mirror, connection, keys. Imported only after the terminal was asked."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.client import EngineClient
from tui.app import WatchdeckApp
from tui.connection import Connection
from tui.desk import Desk
from tui.keymap import keymap_path, load_keymap
from tui.local_zone import local_zone
from tui.mirror import Mirror
from tui.notify_file import load_notifier, notify_path
from tui.profile import TerminalProfile
from tui.region_file import load_regions, region_path
from tui.start_up import own_names
from tui.themes import THEMES, register_themes
from tui.title import PUT_BACK
from tui.wall_settings import load_overlay, wall_path
from widgets.glyphs import GLYPH_SETS
from widgets.scroll_bar import use_whole_cell_scroll_bars

EXPORTS = "watchdeck-exports"


def start_console(
    profile: TerminalProfile, socket: str | None, theme: str | None, *, shows: str, is_read_only: bool
) -> str | None:
    """Run the console; `demo` when the operator asked for it. `shows`: what it begins with, instead of the station's choice."""
    register_themes()
    if profile.glyphs != "unicode":
        use_whole_cell_scroll_bars()
    mirror = Mirror()
    notifier, complaint = load_notifier(notify_path())
    overlay, wall_complaint = load_overlay(wall_path())
    regions, region_complaint = load_regions(region_path())
    desk = Desk(
        blinking=profile.blinking,
        mirror=mirror,
        connection=Connection(EngineClient(socket), mirror),
        profile=profile,
        glyphs=GLYPH_SETS[profile.glyphs],
        zone=local_zone(),
        folder=Path.home() / EXPORTS,
        is_read_only=is_read_only,
        notifier=notifier,
        overlay=overlay,
        wall_file=wall_path(),
        regions=regions,
        region_file=region_path(),
    )
    app = WatchdeckApp(desk, load_keymap(keymap_path()), theme=theme_named(theme))
    app.notify_file = notify_path()
    app.terminal_names = own_names()
    app.shows = shows
    app.complaints += [words for words in (complaint, wall_complaint, region_complaint) if words]
    try:
        return app.run(mouse=profile.has_mouse)
    finally:
        if app.has_own_title:
            sys.stdout.write(PUT_BACK)
            sys.stdout.flush()


def theme_named(name: str | None) -> str | None:
    """`light` and `watchdeck-light` are the same; an unknown name is ignored by the app, which says so."""
    if name is None:
        return None
    return next(
        (theme.name for theme in THEMES if name in (theme.name, theme.name.removeprefix("watchdeck-"))), name
    )

"""An app that carries one widget under test, and the text it draws."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.widget import Widget

from tui.themes import register_themes
from widgets.glyphs import UNICODE, Glyphs

register_themes()


class Gallery(App[None]):
    """Widgets one below the other."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *widgets: Widget, glyphs: Glyphs = UNICODE, theme: str = "watchdeck") -> None:
        super().__init__()
        self.shown = widgets
        self.glyphs = glyphs
        self.theme = theme
        self.heard: list[object] = []

    def compose(self) -> ComposeResult:
        yield from self.shown


def drawn(app: App[None]) -> str:
    """The whole screen as text, blanks on the right cut."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


def lines_of(widget: Widget, rows: Sequence[int] | range) -> list[str]:
    """Rows of one widget as text."""
    return [widget.render_line(row).text.rstrip() for row in rows]

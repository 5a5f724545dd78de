"""A pane of ready lines that repaints only the lines that changed: header, footer, dashboard and details use it.

It knows nothing of the station: whoever owns the pane makes the lines for its size.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from widgets.glyphs import glyphs_of
from widgets.paint_pass import PaintPass


def cut(content: Content, columns: int, ellipsis: str) -> Content:
    """At most so many cells; what was cut ends with the ellipsis of the glyph set."""
    if content.cell_length <= columns:
        return content
    return content.truncate(max(0, columns - 1)) + Content(ellipsis)


def hints(words: str, room: int) -> str:
    """Of `m moves  x swaps  esc leaves` (two spaces between) as many as there is room for in cells, the first ones, each whole."""
    fitted = ""
    for hint in words.split("  "):
        longer = f"{fitted}  {hint}" if fitted else hint
        if cell_len(longer) > room:
            break
        fitted = longer
    return fitted


class TextPane(PaintPass, Widget):
    """One line of Content per row, cut at the right edge; no scrolling, no wrapping."""

    DEFAULT_CSS = """
    TextPane {
        text-wrap: nowrap;
        text-overflow: clip;
        height: 1fr;
    }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: tuple[Content, ...] = ()

    @property
    def plain(self) -> str:
        """What it says, without styles."""
        return "\n".join(line.plain for line in self._lines)

    def show(self, lines: Sequence[Content]) -> None:
        """Replace the lines; equal ones cost nothing."""
        before, self._lines = self._lines, tuple(lines)
        for row in range(max(len(before), len(self._lines))):
            old = before[row] if row < len(before) else None
            new = self._lines[row] if row < len(self._lines) else None
            if old is None or new is None or not old.is_same(new):
                self.refresh(Region(0, row, max(1, self.size.width), 1))

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        content = cut(self._lines[y], self.size.width, glyphs_of(self).ellipsis)
        strips = Visual.to_strips(self, content, self.size.width, 1, self.visual_style, pad=True)
        return strips[0] if strips else Strip.blank(self.size.width, self.rich_style)

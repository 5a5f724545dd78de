"""Scroll bars of whole cells, for terminals whose font has no eighth blocks. The app asks for them before it starts."""

from __future__ import annotations

from textual.scrollbar import ScrollBar, ScrollBarRender


class WholeCellScrollBar(ScrollBarRender):
    """A thumb that starts and ends on a cell: no partial blocks."""

    VERTICAL_BARS = [" "]
    HORIZONTAL_BARS = [" "]


def use_whole_cell_scroll_bars() -> None:
    """For all scroll bars of this process."""
    ScrollBar.renderer = WholeCellScrollBar

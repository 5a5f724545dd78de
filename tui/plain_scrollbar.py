"""Scroll bars of whole cells: for fonts without the eighth blocks that Textual draws their ends with."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBar, ScrollBarRender


class PlainScrollBarRender(ScrollBarRender):
    """The thumb begins and ends at cells."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]


def choose_scrollbars(*, is_plain: bool) -> None:
    """For the whole process: there is one console in it."""
    ScrollBar.renderer = PlainScrollBarRender if is_plain else ScrollBarRender

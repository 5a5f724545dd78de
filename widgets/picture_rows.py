"""Rows of a picture as segments: the runs of a picture made of characters, or cells kept free for one in pixels.

    PictureRows(surface_id)
        .segments(picture, row, base, is_truecolor)   one row, at most `picture.columns` wide
        .kept_free(picture, base)                     the same for sixel and kitty
    differing_rows(before, after)                     which rows a newer picture changes; None = all

Every cell of a picture carries `PICTURE_META` in its style's meta: that is how it is known at the terminal's end
(tui/cell_screen.py) what may wait for the link and what may not. Used by widgets/video_cell.py alone.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style

from widgets.picture import PICTURE_META, CellPictureLike, Picture, TerminalPicture, run_style

KEPT_STYLES = 32_768
"""Styles of picture cells remembered, of all cells together; when there are more the memory starts anew."""

_styles: dict[tuple[Style, int, int, bool], Style] = {}
"""By the base style and the colours; shared, for the pictures of a wall have most of their colours in common."""


class PictureRows:
    """Paints rows of the picture of one surface."""

    def __init__(self, surface_id: int) -> None:
        self._surface_id = surface_id

    def segments(
        self, picture: CellPictureLike, row: int, base: Style, *, is_truecolor: bool
    ) -> list[Segment]:
        """The runs of a row; empty below the picture."""
        if row >= len(picture.lines):
            return []
        segments = []
        for run in picture.lines[row]:
            key = (base, run.foreground, run.background, is_truecolor)
            if (style := _styles.get(key)) is None:
                if len(_styles) >= KEPT_STYLES:
                    _styles.clear()
                style = _styles[key] = base + run_style(run.foreground, run.background, is_truecolor)
            segments.append(Segment(run.text, style))
        return segments

    def kept_free(self, picture: TerminalPicture, base: Style) -> list[Segment]:
        """Blank cells that say whose they are."""
        return [Segment(" " * picture.columns, base + Style(meta={PICTURE_META: self._surface_id}))]


def differing_rows(before: Picture | None, after: Picture) -> list[int] | None:
    """Of two pictures of one size only the rows that differ: most of a camera's view stands still. None = paint all."""
    if (
        before is None
        or isinstance(before, TerminalPicture)
        or isinstance(after, TerminalPicture)
        or (before.columns, before.rows) != (after.columns, after.rows)
        or len(before.lines) != len(after.lines)
    ):
        return None
    return [row for row, line in enumerate(after.lines) if before.lines[row] != line]

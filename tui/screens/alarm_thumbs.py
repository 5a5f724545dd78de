"""Small pictures of the alarms around the row in hand, three to five a row. The list below keeps cursor, marks and keys."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Container

from engine.wire_alarms import AlarmView
from tui.picture_feed import PictureBoard
from tui.picture_wish import Wish
from tui.screens.alarms_text import title_of
from tui.screens.view import View
from widgets import format
from widgets.glyphs import glyphs_of
from widgets.line_list import LineList
from widgets.video_cell import VideoCell

ROWS_MAX, COLUMNS_MAX = 4, 5
CELL_ROWS = 7
"""At least so high, caption and all."""


def columns_for(width: int) -> int:
    """Three to five a row; two where there is hardly room for three."""
    return 2 if width < 50 else 3 if width < 110 else 4 if width < 150 else COLUMNS_MAX


class AlarmThumbs(Container):
    """A page of pictures; which page follows from the list's cursor."""

    DEFAULT_CSS = """
    AlarmThumbs { display: none; height: 1fr; layout: grid; grid-gutter: 0 1; }
    AlarmThumbs VideoCell.-selected > .video-cell--caption {
        color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style;
    }
    """

    def __init__(self, view: View) -> None:
        super().__init__(id="alarm-thumbs")
        self._view = view
        self._board = PictureBoard(view, writes_notes=False, keeps_picture=False)
        self._shape = (1, 1)

    def compose(self) -> ComposeResult:
        for number in range(ROWS_MAX * COLUMNS_MAX):
            yield VideoCell(id=f"alarm-thumb-{number}")

    @property
    def columns(self) -> int:
        """Pictures a row."""
        return self._shape[0]

    def fit_shape(self) -> None:
        """As many as there is room for."""
        size = self.size
        columns = columns_for(size.width)
        rows = max(1, min(ROWS_MAX, size.height // CELL_ROWS))
        if (columns, rows) != self._shape:
            self._shape = (columns, rows)
            self.styles.grid_size_columns = columns
            self.styles.grid_size_rows = rows

    def draw(self, rows: LineList, when: Callable[[AlarmView], str]) -> None:
        """The page with the cursor in it."""
        self.fit_shape()
        number = self._shape[0] * self._shape[1]
        first = min(rows.cursor // number * number, max(rows.count - number, 0))
        glyphs = glyphs_of(self)
        wanted = []
        for place, cell in enumerate(self.query(VideoCell)):
            index = first + place
            cell.display = place < number
            if not cell.display:
                continue
            line = rows.line(index)
            alarm = line.value if line is not None else None
            is_selected = index == rows.cursor and alarm is not None
            cell.visible = index < rows.count
            cell.set_class(is_selected, "-selected")
            if line is None or not isinstance(alarm, AlarmView):
                cell.caption = cell.note = ""
                cell.clear("...")
                continue
            sign = glyphs.cursor if is_selected else " "
            mark = glyphs.mark if line.key in rows.marking else " "
            cell.caption = f"{sign}{mark}{alarm.source or 'station'} {title_of(alarm)}"
            cell.note = when(alarm)
            if alarm.camera:
                wanted.append((cell, Wish(alarm.camera, alarm.first_us, is_rough=True)))
                if is_selected:
                    self._board.focused = cell
            else:
                cell.clear("not of a camera")
        self._board.show(wanted)

    def again(self) -> None:
        """The room changed."""
        self._board.again()

    def stop(self) -> None:
        """Nothing more is asked for."""
        self._board.stop()


def note_of(alarm: AlarmView, now_us: int) -> str:
    """How long ago: under a small picture there is no room for more."""
    return format.age(alarm.last_us, now_us).removesuffix(" ago")

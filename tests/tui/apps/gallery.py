"""Every widget at once, dressed as the console dresses them for this terminal. Run as `python -m tests.tui.apps.gallery`.

m opens a dialog, f a form.
"""

from __future__ import annotations

import os
from zoneinfo import ZoneInfo

from textual.app import ComposeResult
from textual.binding import Binding

from tui.celldiff import CellDiffMixin
from tui.profile import detect
from widgets.dialog import ConfirmDialog, Field, FormDialog
from widgets.format import HOUR_US
from widgets.glyphs import GLYPH_SETS
from widgets.line_list import LineList
from widgets.line_source import Column, Line
from widgets.meters import Meter, Spark
from widgets.picture import CellPicture, CellRun
from widgets.scroll_bar import use_whole_cell_scroll_bars
from widgets.timeline import GapKind, GapMark, Timeline, TimelineTrack
from widgets.video_cell import VideoCell

NOW_US = 1_783_857_600_000_000


class WidgetGallery(CellDiffMixin):
    """One of each."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "LineList { height: 6; } Timeline { height: 4; } VideoCell { height: 6; }"
    BINDINGS = [Binding("m", "ask", "ask"), Binding("f", "form", "form")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        columns = (Column("name", "Name", 12, grow=1), Column("state", "State", 10), Column("x", "Rate", 12))
        rows = LineList(columns, can_mark=True)
        rows.set_lines(
            Line(n, (f"camera {n}", ("recording", "ok") if n % 2 else ("lost", "error"), "4 Mbit/s"))
            for n in range(30)
        )
        yield rows
        timeline = Timeline(zone=ZoneInfo("UTC"))
        gaps = (GapMark(NOW_US - HOUR_US // 2, NOW_US - HOUR_US // 3, GapKind.STORAGE),)
        recorded = ((NOW_US - HOUR_US, NOW_US - HOUR_US // 2), (NOW_US - HOUR_US // 3, NOW_US))
        locks = ((NOW_US - HOUR_US // 4, NOW_US - HOUR_US // 5),)
        timeline.set_tracks([TimelineTrack("a", "front door", recorded, gaps, locks)], NOW_US)
        yield timeline
        cell = VideoCell(caption="front door")
        cell.set_picture(CellPicture(8, 1, ((CellRun("########", 1, 4),),)), colors=8)
        yield cell
        yield VideoCell(reason="switched off")
        meter = Meter("Volume")
        meter.show(0.4, "1.2 TB", mark=0.9, level="warning")
        yield meter
        spark = Spark()
        spark.set_values(range(40))
        yield spark

    def action_ask(self) -> None:
        self.push_screen(ConfirmDialog("Remove camera yard?", "Its recordings stay."))

    def action_form(self) -> None:
        fields = (Field("a", "Name", "text"), Field("b", "Transport", kind="choice", choices=("auto", "tcp")))
        self.push_screen(FormDialog("Add camera", fields))


if __name__ == "__main__":
    glyphs = GLYPH_SETS[detect(os.environ, timeout_s=0.2).glyphs]
    if glyphs.name != "unicode":
        use_whole_cell_scroll_bars()
    app = WidgetGallery()
    app.glyphs = glyphs  # type: ignore[attr-defined]
    app.run(mouse=False)

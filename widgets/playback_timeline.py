"""A `Timeline` with rows above its bars for the track under the cursor: activity, events, bookmarks; and a playhead that plays.

PlaybackTimeline(*, zone, title_width=14, ...)      everything of Timeline, and
    .set_marks(marks)            TimelineMarks of the track under the cursor
    .magnify                     1, 2, 4 or 8: how much small activity is raised; 0 = the row is blank
    .show_mark_rows(number)      so many of the rows above the bars
    .play_to(time_us, direction) the playhead moves on by itself; at the edge of the view the view turns by most of a page
"""

from __future__ import annotations

from typing import ClassVar

from textual.reactive import reactive
from textual.strip import Strip

from widgets.glyphs import glyphs_of
from widgets.timeline import Timeline
from widgets.timeline_marks import (
    TONES,
    TimelineMarks,
    covered_cells,
    level_cells,
    tag_cells,
)
from widgets.timeline_paint import RULER_ROWS, paint_marks

ACTIVITY, EVENTS, BOOKMARKS = range(3)
TITLES = (" activity", " events", " bookmarks")
MOST_TELLING = (EVENTS, ACTIVITY, BOOKMARKS)


class PlaybackTimeline(Timeline):
    """Below the ruler three rows of the track under the cursor, then the bars."""

    COMPONENT_CLASSES: ClassVar[set[str]] = Timeline.COMPONENT_CLASSES | {
        "timeline--activity",
        "timeline--hit",
        "timeline--bookmark",
        *(f"timeline--tag-{tone}" for tone in TONES),
    }
    """
    | Class | Of |
    | :- | :- |
    | `timeline--activity` | the histogram |
    | `timeline--hit` | what a search found: brighter than all else |
    | `timeline--bookmark` | moments kept |
    | `timeline--tag-motion`, `-analytics`, `-device`, `-trouble`, `-other` | events by class |
    """

    DEFAULT_CSS = """
    PlaybackTimeline {
        & > .timeline--activity { color: $success; }
        & > .timeline--hit { color: $warning; text-style: bold; }
        & > .timeline--bookmark { color: $accent; text-style: bold; }
        & > .timeline--tag-motion { color: $success; text-style: bold; }
        & > .timeline--tag-analytics { color: $warning; text-style: bold; }
        & > .timeline--tag-device { color: $accent; text-style: bold; }
        & > .timeline--tag-trouble { color: $error; text-style: bold; }
        & > .timeline--tag-other { color: $foreground; }
    }
    """

    magnify = reactive(1, init=False)
    """Raises small activity: 1, 2, 4 or 8 times; 0 hides it."""

    _mark_rows: tuple[int, ...] = (ACTIVITY, EVENTS, BOOKMARKS)
    """Which are shown."""
    _marks = TimelineMarks()
    _drawn: tuple[object, list[list[tuple[str, str]]]] | None = None
    """Cells of the rows above the bars, and what they were made from."""

    @property
    def head_rows(self) -> int:
        """Ruler and marks."""
        return RULER_ROWS + len(self._mark_rows)

    def show_mark_rows(self, number: int) -> None:
        """So many of the three rows above the bars, where there is little room: events first, then activity."""
        rows = tuple(sorted(MOST_TELLING[: max(0, number)]))
        if rows != self._mark_rows:
            self._mark_rows = rows
            self.refresh(layout=True)

    @property
    def marks(self) -> TimelineMarks:
        """Of the track under the cursor."""
        return self._marks

    def set_marks(self, marks: TimelineMarks) -> None:
        """Of the track under the cursor, from now on."""
        if marks != self._marks:
            self._marks = marks
            self.refresh()

    def play_to(self, time_us: int, direction: int) -> None:
        """Move on by itself. Most of a page lies ahead after the view has turned."""
        self.is_following = False
        if not self.start_us <= time_us < self.end_us:
            share = 1 if direction > 0 else 7
            self.start_us = time_us - self.span_us * share // 8
        self.playhead_us = time_us

    def render_line(self, y: int) -> Strip:
        """Ruler, marks, bars."""
        if not RULER_ROWS <= y < self.head_rows:
            return super().render_line(y)
        row = self._mark_rows[y - RULER_ROWS]
        return paint_marks(self._paint(), TITLES[row], self._mark_cells()[row])

    def _mark_cells(self) -> list[list[tuple[str, str]]]:
        """Character and style of each cell of the three rows."""
        key = (self._marks, self.start_us, self.end_us, self.cells, self.magnify, glyphs_of(self).name)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, [self._activity_cells(), self._tag_cells(), self._bookmark_cells()])
        return self._drawn[1]

    def _activity_cells(self) -> list[tuple[str, str]]:
        glyphs = glyphs_of(self)
        hits = covered_cells(self._marks.hits, self.start_us, self.end_us, self.cells)
        row = []
        for level, is_hit in zip(
            level_cells(self._marks, self.start_us, self.end_us, self.cells), hits, strict=True
        ):
            shown = min(level * self.magnify, 100)
            if is_hit:
                row.append((glyphs.mark, "hit"))
            elif shown <= 0:
                row.append((" ", "activity"))
            else:
                row.append((glyphs.levels[(shown * len(glyphs.levels) - 1) // 100], "activity"))
        return row

    def _tag_cells(self) -> list[tuple[str, str]]:
        glyphs = glyphs_of(self)
        return [
            (" ", "tag-other")
            if tag is None
            else (tag.sign if tag.is_start else glyphs.horizontal, f"tag-{tag.tone}")
            for tag in tag_cells(self._marks.tags, self.start_us, self.end_us, self.cells)
        ]

    def _bookmark_cells(self) -> list[tuple[str, str]]:
        glyphs = glyphs_of(self)
        covered = covered_cells(self._marks.bookmarks, self.start_us, self.end_us, self.cells)
        return [(glyphs.sort_down if is_there else " ", "bookmark") for is_there in covered]

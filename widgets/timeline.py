"""Recorded stretches of several cameras on one time axis, with gaps, locks, a selection and a playhead.

    Timeline(*, zone, title_width=14, name, id, classes)
        .set_tracks(tracks, now_us, loaded=None)   all rows; `loaded` = (start_us, end_us) the data is for
        .update_track(track)                       one row, by key
        .set_now(now_us)                           the live edge; drags the view along while `is_following`
        .start_us, .end_us, .span_us, .playhead_us, .row, .selection (start_us, end_us) | None, .is_following
        .track (row under the cursor), .visible_keys, .gap_at_playhead(), .is_recorded_at_playhead()
        .show(start_us, span_us=None), .go_to(time_us), .follow(), .move_cells(n), .move_us(delta_us), .page(n), .zoom(n),
        .next_edge(direction), .start_selection(), .end_selection(), .clear_selection(), .move_row(n)
    messages: Timeline.WindowChanged(control, start_us, end_us, keys): fetch this; Timeline.PlayheadMoved(control, time_us, key);
              Timeline.RowChanged(control, key); Timeline.SelectionChanged(control, selection)
    values: TimelineTrack, GapMark, GapKind in widgets/timeline_cells.py

The keys are the screen's business. Times are microseconds UTC; only the ruler shows local time.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import tzinfo
from typing import ClassVar, Final

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from widgets.format import DAY_US, HOUR_US, MINUTE_US
from widgets.glyphs import glyphs_of
from widgets.paint_pass import PaintPass
from widgets.timeline_cells import GapKind, GapMark, StripCell, TimelineTrack, strip_cells
from widgets.timeline_paint import RULER_ROWS, TimelinePaint, paint_labels, paint_row, paint_ruler

SPANS_US: Final[tuple[int, ...]] = (
    3 * DAY_US,
    DAY_US,
    12 * HOUR_US,
    6 * HOUR_US,
    3 * HOUR_US,
    HOUR_US,
    12 * MINUTE_US,
    MINUTE_US,
)
"""The lengths a view may have, longest first."""


class Timeline(PaintPass, Widget, can_focus=True):
    """Ruler above, one row a track.

    Invariants: `span_us` is one of `SPANS_US`; the playhead lies inside the view; messages are posted only on change.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "timeline--title",
        "timeline--title-cursor",
        "timeline--ruler",
        "timeline--recorded",
        "timeline--locked",
        "timeline--gap-camera",
        "timeline--gap-storage",
        "timeline--gap-engine",
        "timeline--gap-planned",
        "timeline--playhead",
        "timeline--selection",
        "timeline--unknown",
    }
    """
    | Class | Of |
    | :- | :- |
    | `timeline--title`, `--title-cursor` | a row's name; of the row under the cursor |
    | `timeline--ruler` | ticks and their times |
    | `timeline--recorded`, `--locked` | what is on disk; what is never recycled |
    | `timeline--gap-camera` | camera and network (C, L) |
    | `timeline--gap-storage` | volumes (S) |
    | `timeline--gap-engine` | the recorder and the clock (E, T, ?) |
    | `timeline--gap-planned` | schedule (P) |
    | `timeline--playhead`, `--selection` | the time looked at; the range chosen |
    | `timeline--unknown` | not fetched yet |
    """

    DEFAULT_CSS = """
    Timeline {
        height: 1fr;
        background: $background;
        color: $foreground;
        & > .timeline--title { color: $text-muted; }
        & > .timeline--title-cursor { color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style; }
        & > .timeline--ruler { color: $text-muted; }
        & > .timeline--recorded { color: $primary; background: $background; }
        & > .timeline--locked { color: $warning; background: $primary; }
        & > .timeline--gap-camera { color: $error; background: $background; }
        & > .timeline--gap-storage { color: $warning; background: $background; }
        & > .timeline--gap-engine { color: $accent; background: $background; }
        & > .timeline--gap-planned { color: $text-muted; background: $background; }
        & > .timeline--playhead { color: $foreground; text-style: bold; }
        & > .timeline--selection { color: $accent; text-style: bold; }
        & > .timeline--unknown { color: $text-muted; }
    }
    """

    start_us = reactive(0, init=False)
    """First instant in view."""
    span_us = reactive(HOUR_US, init=False)
    """Length of the view: one of `SPANS_US`."""
    playhead_us = reactive(0, init=False)
    """The time looked at."""
    row = reactive(0, init=False)
    """Index of the track under the cursor."""
    selection: reactive[tuple[int, int] | None] = reactive(None, init=False)
    """[start_us, end_us) chosen for a lock or an export."""

    class _TimelineMessage(Message):
        def __init__(self, control: Timeline) -> None:
            super().__init__()
            self._timeline = control

        @property
        def control(self) -> Timeline:
            """The timeline."""
            return self._timeline

    class WindowChanged(_TimelineMessage):
        """Other times or other rows are in view: fetch them."""

        def __init__(self, control: Timeline, start_us: int, end_us: int, keys: tuple[Hashable, ...]) -> None:
            super().__init__(control)
            self.start_us, self.end_us, self.keys = start_us, end_us, keys

        def can_replace(self, message: Message) -> bool:
            """Only the newest view matters."""
            return isinstance(message, Timeline.WindowChanged)

    class PlayheadMoved(_TimelineMessage):
        """Another time, or another row, is looked at."""

        def __init__(self, control: Timeline, time_us: int, key: Hashable) -> None:
            super().__init__(control)
            self.time_us, self.key = time_us, key

        def can_replace(self, message: Message) -> bool:
            """Only the newest position matters."""
            return isinstance(message, Timeline.PlayheadMoved)

    class RowChanged(_TimelineMessage):
        """The cursor came to another track."""

        def __init__(self, control: Timeline, key: Hashable) -> None:
            super().__init__(control)
            self.key = key

    class SelectionChanged(_TimelineMessage):
        """A range was chosen, or let go (None)."""

        def __init__(self, control: Timeline, selection: tuple[int, int] | None) -> None:
            super().__init__(control)
            self.selection = selection

    def __init__(
        self,
        *,
        zone: tzinfo,
        title_width: int = 14,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """
        Args:
            zone: of the times on the ruler.
            title_width: cells for the names of tracks.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.zone = zone
        self.title_width = title_width
        self.now_us = 0
        self.is_following = True
        self._tracks: tuple[TimelineTrack, ...] = ()
        self._loaded: tuple[int, int] | None = None
        self._first_row = 0
        self._selection_anchor_us: int | None = None
        self._strips: dict[Hashable, list[StripCell]] = {}
        self._told: tuple[int, int, tuple[Hashable, ...]] | None = None

    # -- values ------------------------------------------------------------------------------------------

    @property
    def end_us(self) -> int:
        """First instant after the view."""
        return self.start_us + self.span_us

    @property
    def cells(self) -> int:
        """Width of the strips."""
        return max(self.content_size.width - self.title_width - 1, 1)

    @property
    def tracks(self) -> tuple[TimelineTrack, ...]:
        """All rows."""
        return self._tracks

    @property
    def track(self) -> TimelineTrack | None:
        """The row under the cursor."""
        return self._tracks[self.row] if self._tracks else None

    @property
    def head_rows(self) -> int:
        """Rows above the tracks."""
        return RULER_ROWS

    @property
    def _body_rows(self) -> int:
        return max(self.content_size.height - self.head_rows, 1)

    @property
    def visible_keys(self) -> tuple[Hashable, ...]:
        """Keys of the rows in sight."""
        return tuple(track.key for track in self._tracks[self._first_row : self._first_row + self._body_rows])

    def set_tracks(
        self, tracks: Sequence[TimelineTrack], now_us: int, loaded: tuple[int, int] | None = None
    ) -> None:
        """All rows; the cursor stays on its row by key. Outside of `loaded` the strips say "not fetched yet"."""
        key = self.track.key if self.track else None
        is_changed = tuple(tracks) != self._tracks or loaded != self._loaded
        self._tracks = tuple(tracks)
        self._loaded = loaded
        index = next((index for index, track in enumerate(self._tracks) if track.key == key), self.row)
        self.row = max(0, min(index, len(self._tracks) - 1))
        if is_changed:
            self._strips.clear()
            self.refresh()
        self.set_now(now_us)
        self._tell_window()

    def update_track(self, track: TimelineTrack) -> None:
        """Replace one row by its key."""
        self._tracks = tuple(track if each.key == track.key else each for each in self._tracks)
        self._strips.pop(track.key, None)
        self.refresh()

    def set_now(self, now_us: int) -> None:
        """The live edge moved."""
        is_first = not self.now_us
        self.now_us = now_us
        if self.is_following:
            self._place_live()
        elif is_first:
            self.refresh()

    def gap_at_playhead(self) -> GapMark | None:
        """The gap under the playhead in the current row."""
        if self.track is None:
            return None
        time_us = self.playhead_us
        return next((gap for gap in self.track.gaps if gap.start_us <= time_us < gap.end_us), None)

    def is_recorded_at_playhead(self) -> bool:
        """Whether there is a picture to fetch."""
        time_us = self.playhead_us
        return self.track is not None and any(start <= time_us < end for start, end in self.track.recorded)

    # -- moving ------------------------------------------------------------------------------------------

    def show(self, start_us: int, span_us: int | None = None) -> None:
        """Put this stretch in view; the playhead is taken along when it would be outside."""
        self.is_following = False
        if span_us is not None:
            self.span_us = span_us
        self.start_us = start_us
        self.playhead_us = max(self.start_us, min(self.playhead_us, self.end_us - 1))

    def go_to(self, time_us: int) -> None:
        """Look at a time; it comes to the middle when it was out of view."""
        self.is_following = False
        if not self.start_us <= time_us < self.end_us:
            self.start_us = time_us - self.span_us // 2
        self.playhead_us = time_us

    def follow(self) -> None:
        """Back to the live edge, and stay there."""
        self.is_following = True
        self._place_live()

    def _place_live(self) -> None:
        # The edge stands at 15/16 of the view and moves by whole cells, so that a second changes few cells.
        step_us = max(self.span_us // self.cells, 1)
        start_us = (self.now_us - self.span_us * 15 // 16) // step_us * step_us
        self.start_us = start_us
        self.playhead_us = self.now_us

    def move_us(self, delta_us: int) -> None:
        """Move the playhead; the view follows when it comes to its edge. Never beyond the live edge."""
        time_us = self.playhead_us + delta_us
        if self.now_us:
            time_us = min(time_us, self.now_us)
        self.is_following = False
        if time_us < self.start_us:
            self.start_us = time_us - self.span_us // 4
        elif time_us >= self.end_us:
            self.start_us = time_us - self.span_us * 3 // 4
        self.playhead_us = time_us

    def move_cells(self, cells: int) -> None:
        """Move the playhead by cells."""
        self.move_us(cells * max(self.span_us // self.cells, 1))

    def page(self, views: int) -> None:
        """Move by whole views."""
        self.move_us(views * self.span_us)

    def zoom(self, steps: int) -> None:
        """In (positive) or out; the playhead keeps its place on the screen."""
        index = SPANS_US.index(self.span_us) + steps
        span_us = SPANS_US[max(0, min(index, len(SPANS_US) - 1))]
        share = (self.playhead_us - self.start_us) / self.span_us
        was_following = self.is_following
        self.span_us = span_us
        self.start_us = self.playhead_us - int(span_us * share)
        if was_following:
            self.follow()

    def next_edge(self, direction: int) -> None:
        """To the next start or end of a recorded stretch or gap in this row, of what is fetched."""
        if self.track is None:
            return
        edges = {edge for stretch in self.track.recorded for edge in stretch}
        edges |= {edge for gap in self.track.gaps for edge in (gap.start_us, gap.end_us)}
        here = self.playhead_us
        later = [edge for edge in edges if (edge > here if direction > 0 else edge < here)]
        if later:
            self.go_to(min(later) if direction > 0 else max(later))

    def move_row(self, rows: int) -> None:
        """Move the cursor up or down."""
        if self._tracks:
            self.row = max(0, min(self.row + rows, len(self._tracks) - 1))

    def start_selection(self) -> None:
        """One end of a range at the playhead; the other follows it until `end_selection`."""
        self._selection_anchor_us = self.playhead_us
        self._select(self.playhead_us, self.playhead_us)

    def end_selection(self) -> None:
        """Fix the range."""
        if self._selection_anchor_us is None and self.selection is not None:
            self._select(self.selection[0], self.playhead_us)
        self._selection_anchor_us = None

    def clear_selection(self) -> None:
        """Let the range go."""
        self._selection_anchor_us = None
        self.selection = None

    @property
    def is_selecting(self) -> bool:
        """The range grows with the playhead."""
        return self._selection_anchor_us is not None

    def _select(self, one_us: int, other_us: int) -> None:
        self.selection = (min(one_us, other_us), max(one_us, other_us))

    # -- changes -----------------------------------------------------------------------------------------

    def validate_span_us(self, span_us: int) -> int:
        """The shortest allowed span that is not shorter."""
        return min((span for span in SPANS_US if span >= span_us), default=SPANS_US[0])

    def watch_start_us(self) -> None:
        """Strips are of another time now."""
        self._strips.clear()
        self._tell_window()

    def watch_span_us(self) -> None:
        """Strips have another scale now."""
        self._strips.clear()
        self._tell_window()

    def watch_playhead_us(self, time_us: int) -> None:
        """Tell, and take the open end of a range along."""
        if self._selection_anchor_us is not None:
            self._select(self._selection_anchor_us, time_us)
        self.post_message(self.PlayheadMoved(self, time_us, self.track.key if self.track else None))

    def watch_row(self) -> None:
        """Bring the row into sight and tell."""
        self._scroll_to_row()
        key = self.track.key if self.track else None
        self.post_message(self.RowChanged(self, key))
        self.post_message(self.PlayheadMoved(self, self.playhead_us, key))

    def watch_selection(self, selection: tuple[int, int] | None) -> None:
        """Tell."""
        self.post_message(self.SelectionChanged(self, selection))

    def _scroll_to_row(self) -> None:
        first = max(0, min(self._first_row, len(self._tracks) - self._body_rows))
        if self.row < first:
            first = self.row
        elif self.row >= first + self._body_rows:
            first = self.row - self._body_rows + 1
        if first != self._first_row:
            self._first_row = first
            self.refresh()
        self._tell_window()

    def _tell_window(self) -> None:
        told = (self.start_us, self.end_us, self.visible_keys)
        if told != self._told and self.now_us and self.is_attached:
            self._told = told
            self.post_message(self.WindowChanged(self, *told))

    def on_resize(self, event: events.Resize) -> None:
        """Strips have another width now."""
        self._strips.clear()
        if self.is_following and self.now_us:
            self._place_live()
        self._scroll_to_row()

    def on_click(self, event: events.Click) -> None:
        """Look at the time and row clicked."""
        y = event.y - self.head_rows
        if 0 <= y < len(self.visible_keys):
            self.row = self._first_row + y
        x = event.x - self.title_width - 1
        if 0 <= x < self.cells:
            self.go_to(min(self.start_us + x * self.span_us // self.cells, self.now_us or self.end_us))

    # -- drawing -----------------------------------------------------------------------------------------

    def _cell_of(self, time_us: int) -> int:
        return (time_us - self.start_us) * self.cells // self.span_us

    def _paint(self) -> TimelinePaint:
        selection = self.selection
        return TimelinePaint(
            glyphs=glyphs_of(self),
            base=self.rich_style,
            styles={
                name.removeprefix("timeline--"): self.part_style(name) for name in self.COMPONENT_CLASSES
            },
            title_width=self.title_width,
            cells=self.cells,
            playhead=self._cell_of(self.playhead_us),
            now=self._cell_of(self.now_us),
            selection=None
            if selection is None
            else (self._cell_of(selection[0]), self._cell_of(selection[1])),
            loaded=None
            if self._loaded is None
            else (self._cell_of(self._loaded[0]), self._cell_of(self._loaded[1])),
            has_focus=self.has_focus,
        )

    def render_line(self, y: int) -> Strip:
        """Times, ticks, then rows."""
        paint = self._paint()
        if y == 0:
            return paint_labels(paint, self.start_us, self.span_us, self.playhead_us, self.zone)
        if y == 1:
            total = len(self._tracks)
            shown = (self._first_row + 1, min(self._first_row + self._body_rows, total), total)
            return paint_ruler(paint, self.start_us, self.span_us, self.zone, shown)
        index = self._first_row + y - self.head_rows
        width = self.content_size.width
        if index >= len(self._tracks):
            return Strip.blank(width, self.rich_style)
        track = self._tracks[index]
        cells = self._strips.get(track.key)
        if cells is None:
            has_halves = paint.glyphs.has_half_cells
            cells = strip_cells(track, self.start_us, self.end_us, self.cells, has_half_cells=has_halves)
            self._strips[track.key] = cells
        return paint_row(paint, track, cells, is_cursor=index == self.row)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Ruler and all rows, where the height is `auto`."""
        return self.head_rows + max(len(self._tracks), 1)


__all__ = ["SPANS_US", "GapKind", "GapMark", "Timeline", "TimelineTrack"]

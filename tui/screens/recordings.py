"""Recordings: what is on disk and what is not, one row a camera; a picture under the playhead; lock and export a range."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content

from tui.clip import CLIP_US, Clip
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.picture_feed import PictureBoard
from tui.picture_wish import Wish
from tui.screens.cameras import save_snapshot
from tui.screens.clip_actions import ClipActions
from tui.screens.range_actions import RangeView
from tui.screens.range_jobs import RangeJobs
from tui.screens.text_pane import TextPane
from tui.screens.timeline_feed import TimelineFeed
from tui.screens.timeline_words import legend, state_words
from tui.when import floor_to_hour_us
from widgets import format
from widgets.timeline import Timeline
from widgets.video_cell import VideoCell

OPENING_SPAN_US = 6 * format.HOUR_US
GAP_SEARCH_US = 7 * format.DAY_US
"""First stretch searched for the next gap; doubled until one is found or the recordings end."""


class RecordingsView(RangeView):
    """Number key 3."""

    SCOPE = Scope.RECORDINGS
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(Scope.RECORDINGS),
        Binding("up,k", "row(-1)", "camera above", show=False),
        Binding("down,j", "row(1)", "camera below", show=False),
        Binding("pageup,ctrl+u", "row(-10)", show=False),
        Binding("pagedown,ctrl+d", "row(10)", show=False),
    ]
    DEFAULT_CSS = """
    RecordingsView > .title { height: 1; background: $surface; }
    RecordingsView > #recordings-body { height: 1fr; layout: vertical; }
    RecordingsView Timeline { height: 1fr; }
    RecordingsView #recordings-legend { height: 1; }
    RecordingsView #recordings-side { height: 10; layout: horizontal; }
    RecordingsView #recordings-side VideoCell { width: 32; }
    RecordingsView #recordings-side TextPane { padding: 0 1; }
    RecordingsView.-no-preview #recordings-side VideoCell { display: none; }
    RecordingsView.-no-preview #recordings-side { height: 6; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._is_placed = False
        self._target = ""
        self._clips = ClipActions(self)
        self.set_class(desk.profile.graphics == "none", "-no-preview")

    def compose(self) -> ComposeResult:
        names = [camera.name for camera in self.desk.mirror.cameras]
        title_width = max(8, min(18, max(map(len, names), default=8) + 1))
        yield TextPane(classes="title")
        yield Timeline(zone=self.desk.zone, title_width=title_width)
        yield TextPane(id="recordings-legend")
        with Container(id="recordings-side"):
            yield VideoCell(reason="no camera selected")
            yield TextPane(id="recordings-info")

    def on_mount(self) -> None:
        self.timeline = self.query_one(Timeline)
        self._feed = TimelineFeed(self, self.timeline)
        self._pictures = PictureBoard(self)
        self.jobs = RangeJobs(self, self.coverage_changed)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.timeline.focus()
        if not self._is_placed and self.desk.mirror.now_us:
            self._is_placed = True
            self._feed.draw()
            hour_us = floor_to_hour_us(self.desk.mirror.now_us, self.desk.zone)
            self.timeline.show(hour_us - OPENING_SPAN_US * 3 // 4, OPENING_SPAN_US)
            if self._is_recorded_before(hour_us):
                self.timeline.go_to(hour_us)
            else:
                self.timeline.follow()  # a station of this hour: what there is to see is at the live edge
        self._show_camera()
        self._look()

    def _is_recorded_before(self, time_us: int) -> bool:
        cameras = self.desk.mirror.cameras
        return any(camera.oldest_us is not None and camera.oldest_us <= time_us for camera in cameras)

    def leave(self) -> None:
        self._pictures.stop()

    def show_target(self, camera: str, at_us: int | None) -> None:
        self._target = camera
        if at_us is not None:
            self.timeline.go_to(at_us)
        self._show_camera()

    def _show_camera(self) -> None:
        names = [track.key for track in self.timeline.tracks]
        if self._target in names:
            self.timeline.row = names.index(self._target)
            self._target = ""

    def refresh_from(self, change: Change) -> None:
        if change & Change.CAMERAS and change & Change.WORDS:
            self._feed.draw()
            self._show_camera()
        if change & Change.LINK and self.desk.mirror.is_connected:
            self._feed.again()
        self._feed.tick()
        self._draw_words()

    @property
    def filter_text(self) -> str | None:
        return self._feed.filter_text

    def set_filter(self, text: str) -> None:
        self._feed.filter_text = text
        self._feed.draw()
        self._draw_words()

    def back(self) -> bool:
        if self.timeline.selection is not None or self.timeline.is_selecting:
            self.timeline.clear_selection()
            return True
        if self._feed.filter_text:
            self.set_filter("")
            return True
        return False

    async def reload(self) -> None:
        self._feed.again()

    # -- drawing -----------------------------------------------------------------------------------------

    @on(Timeline.WindowChanged)
    def _window_changed(self, event: Timeline.WindowChanged) -> None:
        self._feed.want(event.start_us, event.end_us, event.keys)
        self._draw_words()

    @on(Timeline.PlayheadMoved)
    @on(Timeline.SelectionChanged)
    def _playhead_moved(self) -> None:
        self._draw_words()
        self._look()

    def _look(self) -> None:
        """The picture for where the playhead is."""
        if self.has_class("-no-preview") or not self.display:
            return
        cell = self.query_one(VideoCell)
        cell.caption = self.camera_name
        if not self.camera_name or not self.desk.mirror.is_connected:
            self._pictures.stop()
            cell.clear("no engine" if self.camera_name else "no cameras")
        else:
            at_us = None if self.timeline.is_following else self.timeline.playhead_us
            self._pictures.show([(cell, Wish(self.camera_name, at_us))])

    def _draw_words(self) -> None:
        timeline = self.timeline
        parts: list[Content | tuple[str, str]] = [
            (" " + self._when_words(), "bold"),
            (f"  {self.camera_name}  ", ""),
            state_words(timeline, self._feed.row),
            (f"  span {format.duration(timeline.span_us)}", "dim"),
        ]
        if self._feed.filter_text:
            parts.append((f"  /{self._feed.filter_text}", "bold $text-accent"))
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])
        self.query_one("#recordings-legend", TextPane).show([legend(timeline, self.desk.glyphs)])
        self.query_one("#recordings-info", TextPane).show(self._info())

    def _when_words(self) -> str:
        time_us, zone = self.timeline.playhead_us, self.desk.zone
        is_narrow = self.app.size.width < 60
        return format.local_clock(time_us, zone) if is_narrow else format.local_time_with_zone(time_us, zone)

    def _info(self) -> list[Content]:
        timeline = self.timeline
        zone = self.desk.zone
        lines = []
        if timeline.selection is None:
            lines.append(Content.styled("no range: [ and ] set it", "dim"))
        else:
            start_us, end_us = timeline.selection
            lines.append(Content.styled(f"Range of {format.clock_length(end_us - start_us)}", "bold"))
            lines.append(Content(f"[ {format.local_time(start_us, zone)}"))
            lines.append(Content(f"] {format.local_time(end_us, zone)}"))
            lines.append(Content.styled("L locks, x exports, esc clears", "dim"))
        row = self._feed.row
        if row is not None and row.oldest_us is not None:
            lines.append(Content(f"oldest {format.local_time(row.oldest_us, zone)}"))
        if row is not None and any(start <= timeline.playhead_us < end for start, end in row.locks):
            lines.append(Content.styled(f"{self.desk.glyphs.lock} locked here (u unlocks)", "$text-warning"))
        return lines

    # -- moving ------------------------------------------------------------------------------------------

    def action_span(self, steps: int) -> None:
        """Wider (1) or closer (-1)."""
        self.timeline.zoom(-steps)

    def action_move(self, cells: int) -> None:
        self.timeline.move_cells(cells)

    def action_page(self, pages: int) -> None:
        self.timeline.page(pages)

    def action_row(self, rows: int) -> None:
        self.timeline.move_row(rows)

    def action_live(self) -> None:
        self.timeline.follow()

    def action_oldest(self) -> None:
        row = self._feed.row
        if row is None or row.oldest_us is None:
            self.say(f"nothing is recorded of {self.camera_name}")
        else:
            self.timeline.go_to(row.oldest_us)

    def action_newest(self) -> None:
        camera = self.desk.mirror.camera(self.camera_name)
        if camera is None or camera.last_written_us is None:
            self.say(f"nothing is recorded of {self.camera_name}")
        else:
            self.timeline.go_to(camera.last_written_us - 1)

    @property
    def shown_us(self) -> int:
        return self.timeline.playhead_us

    def go_to(self, time_us: int) -> None:
        self.timeline.go_to(time_us)

    def action_play(self) -> None:
        """Go where it plays."""
        if self.camera_name:
            self.post_message(
                self.Wanted(Scope.PLAYBACK, camera=self.camera_name, at_us=self.timeline.playhead_us)
            )

    def action_gap(self, direction: int) -> None:
        if self.camera_name and self.has_engine():
            self.work(lambda: self._find_gap(self.camera_name, direction))

    async def _find_gap(self, camera: str, direction: int) -> None:
        """The nearest gap that begins after (before) the playhead, searched in growing stretches."""
        here_us = self.timeline.playhead_us
        row = self._feed.row
        limit_us = (
            self.desk.mirror.now_us if direction > 0 else (row.oldest_us if row and row.oldest_us else 0)
        )
        reach_us = GAP_SEARCH_US
        while True:
            far_us = min(here_us + reach_us, limit_us) if direction > 0 else max(here_us - reach_us, limit_us)
            low_us, high_us = min(here_us, far_us), max(here_us, far_us)
            gaps = (
                await self.ask(self.desk.client.gaps(camera, low_us, high_us + 1), "gaps")
                if low_us < high_us
                else ()
            )
            if gaps is None:
                return
            starts = [
                gap.start_us
                for gap in gaps
                if (gap.start_us > here_us if direction > 0 else gap.start_us < here_us)
            ]
            if starts:
                self.timeline.go_to(min(starts) if direction > 0 else max(starts))
                return
            if far_us == limit_us or reach_us > 4000 * format.DAY_US:
                self.say(f"no {'later' if direction > 0 else 'earlier'} gap of {camera}")
                return
            reach_us *= 2

    # -- the rest ------------------------------------------------------------------------------------

    def action_snapshot(self) -> None:
        if self.camera_name and self.has_engine():
            at_us = None if self.timeline.is_following else self.timeline.playhead_us
            camera = self.camera_name
            self.keep(lambda: save_snapshot(self, camera, at_us))

    def coverage_changed(self) -> None:
        """A lock came or went."""
        self._feed.again()

    # -- elsewhere ---------------------------------------------------------------------------------------

    def action_bookmark(self, name: str = "") -> None:
        """The range, else 10 s from the playhead on; of the last 10 s at the live edge (HK-08)."""
        camera = self.camera_name
        if not camera:
            self.say("no camera selected", is_error=True)
            return
        now_us, here_us = self.desk.mirror.now_us, self.timeline.playhead_us
        start_us, end_us = self.timeline.selection or (here_us, here_us + CLIP_US)
        if self.timeline.selection is None and end_us > now_us:
            start_us, end_us = now_us - CLIP_US, now_us
        self._clips.bookmark(Clip(camera, start_us, end_us), name)

    def action_thumbnails(self) -> None:
        self._go(Scope.THUMBNAILS)

    def action_motion(self) -> None:
        self._go(Scope.MOTION)

    def action_bookmarks(self) -> None:
        self._go(Scope.BOOKMARKS)

    def _go(self, scope: Scope) -> None:
        at_us = None if self.timeline.is_following else self.timeline.playhead_us
        self._clips.go(scope, self.camera_name, at_us)

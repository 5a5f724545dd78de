"""Playback: one camera or several along one timeline, at one playhead. Manual rows PB-01 to PB-18, HK-15 to HK-20, rules 15 and 16.

The clock (tui/playback_clock.py) is the truth; timeline and pictures follow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer

from engine import wire
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.picture_feed import MIN_ROWS
from tui.playback_clock import Happening, Lacking, PlaybackClock, Skipped
from tui.playback_footage import Footage, merged
from tui.screens.cell_menu import PLAYBACK_MENU
from tui.screens.playback_actions import PlaybackActions
from tui.screens.playback_grid import PlaybackCell, PlaybackGrid
from tui.screens.playback_marks import MarksFeed
from tui.screens.playback_pictures import PlaybackPictures
from tui.screens.playback_search import FootageSearch
from tui.screens.playback_text import (
    event_words,
    events_legend,
    happening_words,
    local_millis,
    range_words,
    title,
)
from tui.screens.range_jobs import RangeJobs
from tui.screens.text_pane import TextPane
from tui.screens.timeline_feed import LIVE_EDGE_US, TimelineFeed
from tui.screens.timeline_words import legend, state_words
from tui.when import floor_to_hour_us
from tui.work import start
from widgets import format
from widgets.playback_timeline import PlaybackTimeline
from widgets.timeline import Timeline, TimelineTrack
from widgets.timeline_paint import RULER_ROWS
from widgets.video_cell import VideoCell

TICK_S = 0.2
"""The playhead is drawn so often while it moves; pictures come by themselves."""
OPENING_SPAN_US = 6 * format.HOUR_US
ROWS_OF_BARS = 4
"""Bars of cameras in sight, where there is room."""
TALL_ROWS = 34
"""Height of the view from which on there are more bars and a second line of legend."""


class PlaybackView(PlaybackActions):
    """Number key 8."""

    SCOPE = Scope.PLAYBACK
    MENU = PLAYBACK_MENU
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(Scope.PLAYBACK),
        Binding("up", "row(-1)", "camera above", show=False),
        Binding("down", "row(1)", "camera below", show=False),
        Binding("pageup", "page(-1)", "span back", show=False),
        Binding("pagedown", "page(1)", "span forward", show=False),
    ]
    DEFAULT_CSS = """
    PlaybackView > .title { height: 1; background: $surface; }
    PlaybackView > PlaybackTimeline { height: 6; }
    PlaybackView > #playback-legend { height: 1; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.clock = PlaybackClock()
        self.cameras: list[str] = []
        self.is_enlarged = False
        self._front = ""
        self._is_placed = False
        self._opened_us = 0
        self._drawn_us = 0
        """Where the playhead was put last: anywhere else it is because of a click."""
        self._was_connected = desk.mirror.is_connected
        self._footage: tuple[tuple[TimelineTrack, ...], Footage] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        names = [camera.name for camera in self.desk.mirror.cameras]
        yield TextPane(classes="title")
        yield PlaybackGrid(lambda camera: self.pictures.zoom_of(camera), id="playback-grid")
        yield PlaybackTimeline(
            zone=self.desk.zone, title_width=max(10, min(16, max(map(len, names), default=8) + 1))
        )
        yield TextPane(id="playback-legend")

    def on_mount(self) -> None:
        self.timeline = self.query_one(PlaybackTimeline)
        self.grid = self.query_one(PlaybackGrid)
        self._feed = TimelineFeed(self, self.timeline, lambda: self.cameras, self._loaded)
        self._search = FootageSearch(self, self._happened)
        self.marks = MarksFeed(self, self.timeline)
        self.jobs = RangeJobs(self, self.coverage_changed)
        self.pictures = PlaybackPictures(
            self, self.clock, advance=self.tell_clock, missing=self.missing, drawn=self._picture_drawn
        )
        self._timer = self.set_interval(TICK_S, self._tick, pause=True)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        if (found := self.desk.motion_hits) is not None:
            self.marks.set_hits(found.camera, found.stretches)
        self.timeline.focus()
        if self._timer is not None:
            self._timer.resume()
        if not self.cameras:
            recorded = [camera.name for camera in self.desk.mirror.cameras if camera.oldest_us is not None]
            names = recorded or [camera.name for camera in self.desk.mirror.cameras]
            if names:
                self.play_cameras(names[:1], names[0])
        if not self._is_placed and self.desk.mirror.now_us:
            self._place()
        self.pictures.again()
        self.moved()

    def _place(self) -> None:
        """PB-02, rule 15: at the start of the hour, with six hours; of a camera that began within it, at its first picture."""
        self._is_placed = True
        self.tell_clock()
        hour_us = floor_to_hour_us(self.desk.mirror.now_us, self.desk.zone)
        self.timeline.show(hour_us - OPENING_SPAN_US * 3 // 4, OPENING_SPAN_US)
        self.clock.pause()
        self.clock.seek(min(max(hour_us, self.clock.oldest_us), self.desk.mirror.now_us - 1))
        self._opened_us = self.clock.playhead_us

    def leave(self) -> None:
        if self._timer is not None:
            self._timer.pause()
        self.tell_clock()
        if not self.clock.is_live:
            self.clock.pause()  # nobody looks: it waits here
        self._search.stop()
        self.pictures.stop()

    def show_target(self, camera: str, at_us: int | None) -> None:
        if self.desk.mirror.camera(camera) is None:
            return
        if camera in self.cameras:
            self.choose_front(camera)
        else:
            self.play_cameras([camera], camera)
        if at_us is None:
            self._place()
            self.moved()
        else:
            self.go_to(at_us)

    def refresh_from(self, change: Change) -> None:
        if self.cameras:
            self._drop_removed()
            self._tell_oldest()
        if self.desk.mirror.is_connected is not self._was_connected:
            self._was_connected = self.desk.mirror.is_connected
            self.pictures.again()
            if self._was_connected:
                self._feed.again()
        self._feed.tick()
        self.marks.want(self.camera_name)
        self._draw_words()

    def _drop_removed(self) -> None:
        known = {camera.name for camera in self.desk.mirror.cameras}
        left = [name for name in self.cameras if name in known]
        if left != self.cameras:
            self.play_cameras(left, self._front if self._front in left else next(iter(left), ""))
            if not left:
                self.arrive()

    def back(self) -> bool:
        if self.is_enlarged:
            self.action_enlarge()
        elif self.timeline.selection is not None or self.timeline.is_selecting:
            self.timeline.clear_selection()
        elif self.marks.words is not None:
            self.marks.filter(None)
            self._draw_words()
        else:
            return False
        return True

    def _tell_oldest(self) -> None:
        oldest = [
            camera.oldest_us
            for camera in self.desk.mirror.cameras
            if camera.name in self.cameras and camera.oldest_us is not None
        ]
        is_first = self._is_placed and not self.clock.oldest_us and bool(oldest)
        self.clock.oldest_us = min(oldest, default=0)
        if is_first and self.clock.playhead_us == self._opened_us < self.clock.oldest_us:
            self._place()  # it had not been told yet where the recordings begin
            self.moved()

    async def reload(self) -> None:
        self._feed.again()
        self.marks.again()
        self.pictures.again()

    def coverage_changed(self) -> None:
        self._feed.again()

    # -- cameras -----------------------------------------------------------------------------------------

    @property
    def camera_name(self) -> str:
        return self._front

    def play_cameras(self, cameras: list[str], front: str) -> None:
        self._search.stop()
        self.cameras = cameras
        self._front = front
        self.is_enlarged = self.is_enlarged and len(cameras) > 1
        self._tell_oldest()
        self._feed.draw()
        self.choose_front(front)
        self._feed.want(self.timeline.start_us, self.timeline.end_us, cameras)
        self.stand_anew()

    def choose_front(self, camera: str) -> None:
        self._front = camera
        if camera in self.cameras:
            self.timeline.row = self.cameras.index(camera)
        self.marks.want(camera)
        if self.is_enlarged:
            self.stand_anew()
        else:
            self.name_cells()
            self._show_pictures()
        self._draw_words()

    def name_cells(self) -> None:
        self.grid.mark(self.cameras, self._front, is_enlarged=self.is_enlarged, room=self._room)

    def stand_anew(self) -> None:
        start(self, self._arrange, "arrange")

    async def _arrange(self) -> None:
        # A picture of three rows with its caption is worth more than the rows above the bars.
        rows_left = self.size.height - 1 - RULER_ROWS - 1 - self._legend_rows - (MIN_ROWS + 1)
        self.timeline.show_mark_rows(rows_left)
        self.timeline.styles.height = self._timeline_rows
        self.query_one("#playback-legend", TextPane).styles.height = self._legend_rows
        await self.grid.place_cells(self.cameras, self._front, is_enlarged=self.is_enlarged, room=self._room)
        self._show_pictures()
        self._draw_words()

    @property
    def _timeline_rows(self) -> int:
        most = ROWS_OF_BARS if self.size.height >= TALL_ROWS else 1
        return self.timeline.head_rows + max(1, min(len(self.cameras), most))

    @property
    def _legend_rows(self) -> int:
        return 2 if self.size.height >= TALL_ROWS else 1

    @property
    def _room(self) -> tuple[int, int]:
        """Columns and rows for pictures and their captions."""
        return max(self.size.width, 1), max(self.size.height - 1 - self._timeline_rows - self._legend_rows, 1)

    def _show_pictures(self) -> None:
        self.pictures.show(list(zip(self.grid.cells, self.cameras, strict=False)), self._front)

    def on_resize(self) -> None:
        self.call_after_refresh(self.stand_anew)

    @on(VideoCell.RoomChanged)
    def _room_changed(self, event: VideoCell.RoomChanged) -> None:
        self.pictures.resized(event.control)

    @property
    def menu_title(self) -> str:
        return self._front

    def take_in_hand(self, cell: VideoCell) -> bool:
        if isinstance(cell, PlaybackCell) and cell.camera in self.cameras:
            self.choose_front(cell.camera)
        return True

    @on(VideoCell.Opened)
    def _cell_clicked(self, event: VideoCell.Opened) -> None:
        """To the front; what is there already is enlarged, and back."""
        cell = event.control
        if isinstance(cell, PlaybackCell) and cell.camera == self._front:
            self.action_enlarge()
        else:
            self.take_in_hand(cell)

    @on(Timeline.RowChanged)
    def _row_changed(self) -> None:
        track = self.timeline.track  # as it is now: the message may be of before
        if track is not None and track.key != self._front and track.key in self.cameras:
            self.choose_front(str(track.key))

    # -- time --------------------------------------------------------------------------------------------

    def _loaded(self) -> None:
        """What is recorded is known now."""
        self._draw_words()
        self.pictures.wake()

    def footage(self) -> Footage | None:
        """What at least one of the cameras has, as far as it is known of all."""
        tracks, loaded = self.timeline.tracks, self._feed.loaded
        if loaded is None or any(self._feed.row_of(name) is None for name in self.cameras):
            return None
        if self._footage is None or self._footage[0] is not tracks:
            known = merged(track.recorded for track in tracks)
            edges = [track.recorded[-1][1] for track in self._growing(tracks) if track.recorded]
            self._footage = (tracks, Footage(known, *loaded, edge_us=max(edges, default=None)))
        return self._footage[1]

    def _growing(self, tracks: tuple[TimelineTrack, ...]) -> Iterator[TimelineTrack]:
        """Rows to which footage is added now."""
        mirror = self.desk.mirror
        for track in tracks:
            camera = mirror.camera(str(track.key))
            is_recording = camera is not None and camera.state is wire.CameraState.RECORDING
            if is_recording and track.recorded and track.recorded[-1][1] > mirror.now_us - LIVE_EDGE_US:
                yield track

    def tell_clock(self) -> None:
        mirror = self.desk.mirror
        if mirror.now_us:
            happening = self.clock.advance(mirror.at_s, mirror.now_us, self.footage())
            if happening is not None:
                self._happened(happening)

    def _happened(self, happening: Happening) -> None:
        if isinstance(happening, Lacking):
            self._search.look(happening)
            return
        why = self._gap_words(self._front, happening.from_us) if isinstance(happening, Skipped) else ""
        if words := happening_words(happening, why):
            self.say(words)

    def _tick(self) -> None:
        if self.clock.is_playing and self.is_front:
            self.tell_clock()
            self._draw_playhead()
            self._draw_words()

    def moved(self) -> None:
        self._search.moved()
        self._draw_playhead()
        self._draw_words()
        self.pictures.wake()

    def _draw_playhead(self) -> None:
        """The timeline follows the clock."""
        timeline, clock = self.timeline, self.clock
        if clock.is_live:
            timeline.set_now(self.desk.mirror.now_us)
            if not timeline.is_following:
                timeline.follow()
        elif clock.is_playing:
            timeline.play_to(clock.playhead_us, clock.direction)
        else:
            timeline.go_to(clock.playhead_us)
        self._drawn_us = timeline.playhead_us

    @on(Timeline.WindowChanged)
    def _window_changed(self, event: Timeline.WindowChanged) -> None:
        self._feed.want(event.start_us, event.end_us, self.cameras)
        self.marks.want(self._front)
        self._draw_words()

    @on(Timeline.PlayheadMoved)
    def _playhead_moved(self) -> None:
        timeline = self.timeline
        if not timeline.is_following and timeline.playhead_us != self._drawn_us:
            self.go_to(timeline.playhead_us)  # a click

    @on(Timeline.SelectionChanged)
    def _selection_changed(self) -> None:
        self._draw_words()

    # -- words -------------------------------------------------------------------------------------------

    def missing(self, camera: str) -> str:
        """Why a camera has no picture at the playhead; empty = it has one, or it is not known."""
        loaded, time_us = self._feed.loaded, self.clock.playhead_us
        row = self._feed.row_of(camera)
        track = next((track for track in self.timeline.tracks if track.key == camera), None)
        if row is None or track is None or loaded is None or not loaded[0] <= time_us < loaded[1]:
            return ""
        if any(start_us <= time_us < end_us for start_us, end_us in track.recorded):
            return ""
        if words := self._gap_words(camera, time_us):
            return words
        if row.oldest_us is None:
            return "nothing is recorded of this camera"
        if time_us < row.oldest_us:
            return "before its oldest recording"
        if time_us > self.desk.mirror.now_us - LIVE_EDGE_US:
            return ""  # it may be on its way to the disk: the engine knows
        return "not recorded at this time"

    def _gap_words(self, camera: str, time_us: int) -> str:
        track = next((track for track in self.timeline.tracks if track.key == camera), None)
        gaps = track.gaps if track is not None else ()
        return next((gap.label for gap in gaps if gap.start_us <= time_us < gap.end_us), "")

    def _picture_drawn(self, camera: str) -> None:
        for player in self.pictures.players:
            if player.camera == camera:
                shown = player.shown
                is_there = shown is not None and not shown.is_missing
                player.cell.note = local_millis(shown.time_us, self.desk.zone) if shown and is_there else ""
        if camera == self._front:
            self._draw_playhead()  # a step went where its frame is
            self._draw_words()

    def _shown_time_us(self) -> int:
        """Of the frame in front while it is that of the playhead, else the playhead."""
        shown = self.pictures.shown(self._front)
        if shown is None or shown.is_missing or (shown.asked_us is None) is not self.clock.is_live:
            return self.clock.playhead_us
        return (
            shown.time_us
            if self.clock.is_playing or shown.covers(self.clock.playhead_us)
            else self.clock.playhead_us
        )

    def _draw_words(self) -> None:
        timeline = self.timeline
        words = title(
            self.clock,
            self._shown_time_us(),
            self.desk.zone,
            camera=self._front,
            cameras=len(self.cameras),
            state=state_words(timeline, self._feed.row),
            is_narrow=self.app.size.width < 60,
        )
        if not self.desk.mirror.is_live:
            words += " not live"
        self.write(".title", [words])
        self.write("#playback-legend", self._legend())

    def _legend(self) -> list[Content]:
        """What matters most where there is one line: the range, the event under the playhead, the signs."""
        timeline, zone = self.timeline, self.desk.zone
        lines = []
        if timeline.selection is not None:
            lines.append(range_words(*timeline.selection, zone))
        event = None if self.clock.is_live else self.marks.event_at(self.clock.playhead_us)
        if event is not None:
            lines.append(event_words(event, zone))
        lines.append(
            events_legend(
                self.marks.types_in_view(),
                span_us=timeline.span_us,
                is_filtered=self.marks.words is not None,
                bookmark_sign=self.desk.glyphs.sort_down if timeline.marks.bookmarks else "",
                trouble=self.marks.trouble,
                width=self.size.width,
            )
        )
        lines.append(legend(timeline, self.desk.glyphs))
        return lines

"""What the keys of playback do. A mix-in of PlaybackView: it moves the clock, the timeline and the choice of cameras."""

from __future__ import annotations

from datetime import date

from engine.client import WatchdeckError
from engine.wire_bookmarks import BOOKMARK_S, BookmarkAdd, BookmarkView
from tui.commands import Scope
from tui.desk import Undo
from tui.event_signs import EVENT_TYPES, OTHER
from tui.picture_zoom import Zoom
from tui.playback_clock import PlaybackClock, speed_words
from tui.screens.cameras import save_snapshot
from tui.screens.cell_menu import CellMenuView
from tui.screens.playback_calendar import CalendarDialog, same_time_on
from tui.screens.playback_grid import ADVISED, MOST
from tui.screens.playback_marks import MarksFeed
from tui.screens.playback_pictures import PlaybackPictures
from tui.screens.range_actions import RangeView
from tui.work import start
from widgets import format
from widgets.pick_dialog import Option, PickDialog
from widgets.playback_timeline import PlaybackTimeline

MAGNIFY = (1, 2, 4, 8, 0)


class PlaybackActions(RangeView, CellMenuView):
    """Needs what PlaybackView makes when it is mounted."""

    timeline: PlaybackTimeline
    clock: PlaybackClock
    pictures: PlaybackPictures
    marks: MarksFeed
    cameras: list[str]
    is_enlarged: bool

    def tell_clock(self) -> None:
        """Bring the clock up to this moment."""
        raise NotImplementedError

    def moved(self) -> None:
        """The playhead, speed or direction was changed: draw, and look for pictures."""
        raise NotImplementedError

    def play_cameras(self, cameras: list[str], front: str) -> None:
        """These from now on."""
        raise NotImplementedError

    def choose_front(self, camera: str) -> None:
        """Of those that are played."""
        raise NotImplementedError

    def name_cells(self) -> None:
        """Captions: who is in front, and how far it is zoomed in."""
        raise NotImplementedError

    def stand_anew(self) -> None:
        """The cells stand otherwise now."""
        raise NotImplementedError

    # -- playing -----------------------------------------------------------------------------------------

    def action_play_or_pause(self) -> None:
        self.tell_clock()
        self.clock.toggle()
        self.moved()

    def action_play(self, direction: int) -> None:
        self.tell_clock()
        self.clock.play(direction)
        self.moved()

    def action_speed(self, steps: int) -> None:
        self.tell_clock()
        if self.clock.is_live:
            self.say("live has one speed; space pauses, r plays backwards")
            return
        before = self.clock.speed
        self.clock.change_speed(steps)
        if self.clock.speed == before:
            self.say(f"{speed_words(before)} is the {'fastest' if steps > 0 else 'slowest'}")
        self.moved()

    def action_normal_speed(self) -> None:
        self.tell_clock()
        self.clock.reset_speed()
        self.moved()

    def action_step(self, step: int, is_keyframe: bool = False) -> None:
        """To the frame or keyframe beside the one shown."""
        if self.camera_name and self.has_engine():
            self.tell_clock()
            self.clock.pause()
            self.pictures.step(self.camera_name, step, is_keyframe=is_keyframe)
            self.moved()

    def action_live(self) -> None:
        self.clock.go_live()
        self.tell_clock()
        self.moved()

    # -- moving ------------------------------------------------------------------------------------------

    @property
    def shown_us(self) -> int:
        return self.clock.playhead_us

    def go_to(self, time_us: int) -> None:
        self.tell_clock()
        self.clock.seek(time_us)
        self.moved()

    def action_move(self, cells: int) -> None:
        timeline = self.timeline
        self.go_to(self.clock.playhead_us + cells * max(timeline.span_us // timeline.cells, 1))

    def action_page(self, pages: int) -> None:
        self.go_to(self.clock.playhead_us + pages * self.timeline.span_us)

    def action_oldest(self) -> None:
        if self.clock.oldest_us:
            self.go_to(self.clock.oldest_us)
        else:
            self.say("nothing is recorded of these cameras")

    def action_span(self, steps: int) -> None:
        """Wider (1) or closer (-1)."""
        self.timeline.zoom(-steps)
        self.moved()

    def action_calendar(self) -> None:
        if self.cameras and self.has_engine():
            dialog = CalendarDialog(self.desk, self.cameras, self.clock.playhead_us)
            self.app.push_screen(dialog, self._day_chosen)

    def _day_chosen(self, day: date | None) -> None:
        if day is not None:
            self.go_to(same_time_on(day, self.clock.playhead_us, self.desk.zone))

    def action_event(self, direction: int) -> None:
        """To the next (1) or previous (-1) event of the types shown."""
        if self.camera_name and self.has_engine():
            start(self, lambda: self._find_event(self.camera_name, direction), "event")

    async def _find_event(self, camera: str, direction: int) -> None:
        self.tell_clock()
        try:
            time_us = await self.marks.find_event(camera, self.clock.playhead_us, direction)
        except WatchdeckError as error:
            self.say(f"events: {error}", is_error=True)
            return
        if time_us is None:
            of_these = " of the types shown" if self.marks.words is not None else ""
            self.say(f"no {'later' if direction > 0 else 'earlier'} event of {camera}{of_these}")
        else:
            self.go_to(time_us)

    # -- cameras -----------------------------------------------------------------------------------------

    def action_row(self, rows: int) -> None:
        """The next camera: of those played together, else of all."""
        names = self.cameras
        if len(names) < 2:
            names = [camera.name for camera in self.desk.mirror.cameras]
        if self.camera_name not in names:
            return
        camera = names[max(0, min(names.index(self.camera_name) + rows, len(names) - 1))]
        if len(self.cameras) < 2:
            self.play_cameras([camera], camera)
        else:
            self.choose_front(camera)

    def action_sync(self) -> None:
        """Several cameras at one time; again: back to the one in front."""
        if len(self.cameras) > 1:
            self.play_cameras([self.camera_name], self.camera_name)
        else:
            self.action_choose()

    def action_choose(self) -> None:
        """Which cameras are played together."""
        if not self.desk.mirror.cameras:
            self.say("there are no cameras")
            return
        options = [
            Option(camera.name, camera.name, note="" if camera.oldest_us else "nothing recorded")
            for camera in self.desk.mirror.cameras
        ]
        dialog = PickDialog(
            "Play together",
            options,
            text=f"Up to {MOST} cameras at the same time; {ADVISED} are advised.",
            is_many=True,
            chosen=self.cameras,
            submit="Play",
            needs="pick at least one camera",
        )
        self.app.push_screen(dialog, self._chosen)

    def _chosen(self, names: tuple[str, ...] | None) -> None:
        if names is None:
            return
        if len(names) > MOST:
            self.say(f"{len(names)} cameras: {MOST} at most are played together", is_error=True)
            return
        if len(names) > ADVISED:
            self.say(f"{len(names)} cameras at once: pictures come slower than of {ADVISED}")
        front = self.camera_name if self.camera_name in names else names[0]
        self.play_cameras(list(names), front)

    def action_enlarge(self) -> None:
        """The camera in front alone; again: all of them. Time goes on for all."""
        if len(self.cameras) > 1:
            self.is_enlarged = not self.is_enlarged
            self.stand_anew()

    def action_zoom(self, steps: int) -> None:
        """PB-06: closer (1) or farther (-1), of the camera in front."""
        zoom = self.pictures.zoom_of(self.camera_name)
        self._zoom_to(zoom.nearer() if steps > 0 else zoom.farther())

    def action_pan(self, across: int, down: int) -> None:
        """Another part of an enlarged picture."""
        zoom = self.pictures.zoom_of(self.camera_name)
        if zoom.is_zoomed:
            self._zoom_to(zoom.panned(across, down))
        else:
            self.say("the whole picture is shown: i zooms in")

    def _zoom_to(self, zoom: Zoom) -> None:
        if self.camera_name:
            self.pictures.zoom(self.camera_name, zoom)
            self.name_cells()

    # -- what is shown above the bar ---------------------------------------------------------------------

    def action_event_types(self) -> None:
        """PB-15: which types of events have tags."""
        counts = {kind.word: count for kind, count in self.marks.types_in_view(with_hidden=True)}
        options = [
            Option(kind.word, f"{kind.sign} {kind.word}", note=f"{counts[kind.word]:,} in sight")
            if kind.word in counts
            else Option(kind.word, f"{kind.sign} {kind.word}")
            for kind in sorted((*EVENT_TYPES, OTHER), key=lambda kind: kind.word not in counts)
        ]
        words = [option.key for option in options]
        chosen = words if self.marks.words is None else [word for word in words if word in self.marks.words]
        dialog = PickDialog("Events on the timeline", options, is_many=True, chosen=chosen, submit="Show")
        self.app.push_screen(dialog, self._types_chosen)

    def _types_chosen(self, words: tuple[str, ...] | None) -> None:
        if words is not None:
            is_all = len(words) == len(EVENT_TYPES) + 1
            self.marks.filter(None if is_all else frozenset(words))
            self.moved()

    def action_magnify(self) -> None:
        """PB-10: raise small activity, or hide it."""
        level = MAGNIFY[(MAGNIFY.index(self.timeline.magnify) + 1) % len(MAGNIFY)]
        self.timeline.magnify = level
        self.say(f"activity raised {level} times" if level else "activity hidden")

    # -- what is done with it ----------------------------------------------------------------------------

    def action_snapshot(self) -> None:
        """Of the frame shown, as far as it is seen (VC-09)."""
        camera = self.camera_name
        if camera and self.has_engine():
            self.tell_clock()
            shown = self.pictures.shown(camera)
            at_us = None if self.clock.is_live else self.clock.playhead_us
            if at_us is not None and shown is not None and shown.covers(at_us) and not shown.is_missing:
                at_us = shown.time_us
            region = self.pictures.zoom_of(camera).region
            self.keep(lambda: save_snapshot(self, camera, at_us, is_exact=at_us is not None, region=region))

    def action_bookmark(self, name: str = "") -> None:
        """Ten seconds from the playhead; live: the last ten."""
        if self.camera_name and self.may_change():
            self.tell_clock()
            start_us = self.clock.playhead_us - (BOOKMARK_S * format.SECOND_US if self.clock.is_live else 0)
            bookmark = BookmarkAdd(camera=self.camera_name, start_us=start_us, name=name)
            self.keep(lambda: self._bookmark(bookmark))

    async def _bookmark(self, bookmark: BookmarkAdd) -> None:
        added = await self.ask(self.desk.client.add_bookmark(bookmark), f"bookmark of {bookmark.camera}")
        if added is not None:
            when = format.local_time(added.start_us, self.desk.zone)
            length = format.duration(added.end_us - added.start_us)
            self.say(f"bookmarked {length} of {added.camera} from {when} (z takes it back)")
            self.desk.undo.append(Undo(f"bookmark of {added.camera}", lambda: self._remove_bookmark(added)))
            self.marks.again()

    async def _remove_bookmark(self, bookmark: BookmarkView) -> bool:
        is_done = await self.carry(
            self.desk.client.remove_bookmark(bookmark.id), f"bookmark of {bookmark.camera}"
        )
        self.marks.again()
        return is_done

    def action_thumbnails(self) -> None:
        self._hand_on(Scope.THUMBNAILS)

    def action_motion(self) -> None:
        self._hand_on(Scope.MOTION)

    def _hand_on(self, scope: Scope) -> None:
        if self.camera_name:
            self.tell_clock()
            self.post_message(self.Wanted(scope, camera=self.camera_name, at_us=self.clock.playhead_us))

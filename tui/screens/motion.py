"""Motion search: a region drawn on one camera's picture, and when something moved in it. Manual rows SS-01, SS-11, SS-15, SS-17 to SS-20, HK-31."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from engine.wire_search import MotionHit
from tui.clip import CLIP_US, EXPORT_US, Clip
from tui.commands import Scope, bindings_of
from tui.desk import Desk, Undo
from tui.mirror import Change
from tui.motion_form import MotionSettings, motion_complaint, motion_fields, opening_settings, settings_of
from tui.motion_hits import MotionHits
from tui.picture_wish import Wish
from tui.region_file import save_regions
from tui.screens.backdrop import fetch_backdrop
from tui.screens.clip_actions import ClipActions, pick_camera
from tui.screens.clip_player import ClipPlayer
from tui.screens.mode_keys import BACK, MOTION_CLOSED, MOTION_FIRST, MOTION_HITS, MOTION_OPEN, Labels, playing
from tui.screens.motion_run import MotionRun
from tui.screens.motion_text import hit_caption, outcome_words, region_words, stretch_words, words_lines
from tui.screens.own_files import keep_file
from tui.screens.picture_grid import GridItem, PictureGrid
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.dialog import FormDialog
from widgets.meters import Meter
from widgets.polygon_cell import PolygonCell
from widgets.video_cell import VideoCell

FASTER = 5
"""Cells that shift moves by; of rows half of it."""
PLAYED_US = 3 * format.SECOND_US
"""A hit is played for at least so long."""


class MotionView(View):
    """`:search motion`, and `k` where a camera is in hand. Three looks: drawing, hits, playing."""

    SCOPE = Scope.MOTION
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(Scope.MOTION),
        Binding("left,h", "move(-1, 0)", show=False),
        Binding("right,l", "move(1, 0)", show=False),
        Binding("up", "move(0, -1)", show=False),
        Binding("down,j", "move(0, 1)", show=False),
        Binding("shift+left,H", f"move({-FASTER}, 0)", show=False),
        Binding("shift+right,L", f"move({FASTER}, 0)", show=False),
        Binding("shift+up,K", f"move(0, {-FASTER // 2})", show=False),
        Binding("shift+down,J", f"move(0, {FASTER // 2})", show=False),
    ]
    DEFAULT_CSS = """
    MotionView > .title { height: 1; background: $surface; }
    MotionView > Meter { display: none; }
    MotionView.-running > Meter { display: block; }
    MotionView > #motion-words { height: 2; background: $surface; }
    MotionView PictureGrid { display: none; }
    MotionView.-hits PictureGrid { display: block; }
    MotionView.-hits PolygonCell { display: none; }
    MotionView.-playing PictureGrid, MotionView.-playing PolygonCell, MotionView.-playing > #motion-words { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._camera = ""
        self._at_us: int | None = None
        """Of the picture drawn on; None = live."""
        self._settings: MotionSettings | None = None
        self._actions = ClipActions(self)
        self.job = MotionRun(self, self._found)

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield PolygonCell(id="motion-picture")
        yield PictureGrid(self, id="motion-grid")
        yield ClipPlayer(self)
        yield Meter("search")
        yield TextPane(id="motion-words")

    def on_mount(self) -> None:
        self.cell = self.query_one(PolygonCell)
        self.grid = self.query_one(PictureGrid)
        self.player = self.query_one(ClipPlayer)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        cameras = self.desk.mirror.cameras
        if not self._camera and cameras:
            self._choose(cameras[0].name, None)
        self._focus()
        if self.has_class("-hits"):
            self.grid.draw()

    def _focus(self) -> None:
        (self.player if self.player.is_open else self.grid if self.has_class("-hits") else self.cell).focus()

    def leave(self) -> None:
        self._close_player()
        self.grid.stop()

    def show_target(self, camera: str, at_us: int | None) -> None:
        if camera and (camera != self._camera or at_us is not None):
            self._choose(camera, at_us)

    def refresh_from(self, change: Change) -> None:
        if change & Change.LINK and self.desk.mirror.is_connected and self._camera:
            self._fetch_picture()
        self._draw_words()

    def back(self) -> bool:
        """One thing: the player, a search under way, the hits, the region."""
        if self.player.is_open:
            self._close_player()
            self.grid.draw()
        elif self.job.cancel():
            self.say("search stopped; what was found stays")
        elif self.has_class("-hits"):
            self._look_at_hits(is_wanted=False)
        else:
            return self._delete_region()
        return True

    async def reload(self) -> None:
        self._fetch_picture()

    @property
    def labels(self) -> Labels:
        if self.player.is_open:
            return playing("motion", ("motion.export", "Export"))
        if self.has_class("-hits"):
            labels = MOTION_HITS
        else:
            labels = (
                MOTION_CLOSED if self.cell.is_closed else MOTION_OPEN if self.cell.points else MOTION_FIRST
            )
            labels = (labels[0], ("motion.look", "Results"), *labels[1:]) if self.hits else labels
        return (
            ((BACK, "Stop"), *(each for each in labels if each[0] != BACK)) if self.job.is_running else labels
        )

    # -- the camera and its picture ----------------------------------------------------------------------

    def _choose(self, camera: str, at_us: int | None) -> None:
        now_us = self.desk.mirror.now_us
        if camera != self._camera:
            self.job.cancel()
            self.job.found = self.job.search = None
            known = self.desk.mirror.camera(camera)
            points = self.desk.regions.get(known.uuid, ()) if known is not None else ()
            self.cell.put(points, is_closed=len(points) > 2)
        if at_us is not None or self._settings is None:
            self._settings = opening_settings(now_us, at_us)
        self._camera, self._at_us = camera, at_us
        self._close_player()
        self._look_at_hits(is_wanted=False)
        self.cell.clear("fetching the picture ...")
        self._fetch_picture()
        self._draw_words()

    def _fetch_picture(self) -> None:
        if self._camera and self.desk.mirror.is_connected:
            start(self, lambda: fetch_backdrop(self.desk, self.cell, self._camera, self._at_us), "backdrop")

    @on(VideoCell.RoomChanged)
    def _room_changed(self, event: VideoCell.RoomChanged) -> None:
        if event.control is self.cell:
            self._fetch_picture()

    def action_camera(self, name: str = "") -> None:
        start(self, lambda: self._ask_camera(name), "dialog")

    async def _ask_camera(self, name: str) -> None:
        if name and self.desk.mirror.camera(name) is None:
            self.say(f"no camera is called {name!r}", is_error=True)
            return
        chosen = name or await pick_camera(self, "Motion of which camera?", self._camera)
        if chosen:
            self._choose(chosen, None)

    # -- drawing a region --------------------------------------------------------------------------------

    @property
    def is_drawing(self) -> bool:
        return not self.has_class("-hits") and not self.player.is_open

    def action_move(self, columns: int, rows: int) -> None:
        if self.is_drawing:
            self.cell.move(columns, rows)
        elif self.player.is_open and abs(columns) == 1:
            self.action_neighbour(columns)

    @on(VideoCell.Opened)
    @on(PictureGrid.Opened)
    def _opened(self) -> None:
        self.action_enter()

    def action_enter(self) -> None:
        """A corner; the search when the region is closed; a hit's clip."""
        if self.has_class("-hits"):
            self._play(self.grid.cursor)
        elif self.cell.is_closed:
            self.action_run()
        else:
            self._complain(self.cell.add())

    def action_close(self) -> None:
        if self.is_drawing:
            self._complain(self.cell.close())

    def action_remove_last(self) -> None:
        if self.is_drawing:
            self.cell.remove_last()

    def _complain(self, words: str) -> None:
        if words:
            self.say(words, is_error=True)

    def _delete_region(self) -> bool:
        """HK-31."""
        points, was_closed, camera = self.cell.points, self.cell.is_closed, self._camera
        if not self.cell.delete():
            return False

        async def bring_back() -> bool:
            if self._camera == camera:
                self.cell.put(points, is_closed=was_closed)
            return True

        self.desk.undo.append(Undo("the region deleted", bring_back))
        self.say("region deleted: the whole picture is searched (z brings it back)")
        return True

    @on(PolygonCell.Changed)
    def _region_changed(self) -> None:
        known, before = self.desk.mirror.camera(self._camera), dict(self.desk.regions)
        if known is not None and self.cell.is_closed:
            self.desk.regions[known.uuid] = self.cell.points
        elif known is not None and not self.cell.points:
            self.desk.regions.pop(known.uuid, None)
        path, regions = self.desk.region_file, dict(self.desk.regions)
        if path is not None and regions != before:
            start(self, lambda: keep_file(self, path, partial(save_regions, path, regions)), "regions")
        self._draw_words()

    # -- searching ---------------------------------------------------------------------------------------

    def action_fields(self) -> None:
        start(self, self._ask_fields, "dialog")

    async def _ask_fields(self) -> None:
        settings, now_us, zone = self._settings, self.desk.mirror.now_us, self.desk.zone
        if settings is None:
            return
        form = FormDialog(
            f"Motion search of {self._camera}",
            motion_fields(settings, now_us, zone),
            submit="Search",
            text="Sensitivity: low for near scenes, high for long-distance ones.",
            check=lambda values: motion_complaint(values, now_us, zone),
        )
        values = await self.app.push_screen_wait(form)
        if values is not None:
            self._settings = settings_of(values, settings, now_us, zone)
            self.action_run()

    def action_run(self) -> None:
        settings = self._settings
        if settings is None or not self.has_engine():
            return
        if self.cell.points and not self.cell.is_closed and (wrong := self.cell.close()):
            self.say(f"{wrong}: add more, or esc for the whole picture", is_error=True)
            return
        if settings.is_until_now:
            settings = self._settings = replace(settings, end_us=self.desk.mirror.now_us)
        self._close_player()
        self._look_at_hits(is_wanted=False)
        self.grid.cursor = 0
        self.job.begin(settings.search(self._camera, self.cell.points))

    def _found(self) -> None:
        """Something new came, or it ended."""
        run = self.job
        self.set_class(run.is_running, "-running")
        found = run.found
        share = found.progress if found is not None else 0.0
        words = f"{share * 100:.0f} %, {len(found.hits) if found is not None else 0} found, esc stops"
        self.query_one(Meter).show(share, words)
        if self.hits and not self.player.is_open:
            self._look_at_hits(is_wanted=True)
        elif not run.is_running and not run.trouble and found is not None and not self.hits:
            self.say(outcome_words(run))
        self._draw_words()

    @property
    def hits(self) -> tuple[MotionHit, ...]:
        """Of the last search."""
        return self.job.found.hits if self.job.found is not None else ()

    def _look_at_hits(self, *, is_wanted: bool) -> None:
        self.set_class(is_wanted, "-hits")
        if is_wanted:
            self.grid.show(len(self.hits), self._item)
        else:
            self.grid.stop()
        if self.is_front:
            self._focus()
        self._draw_words()

    def action_look(self) -> None:
        """Hits or drawing."""
        if self.player.is_open:
            return
        if not self.has_class("-hits") and not self.hits:
            self.say("nothing was found yet: r searches")
        else:
            self._look_at_hits(is_wanted=not self.has_class("-hits"))

    def _item(self, index: int) -> GridItem:
        hit = self.hits[index]
        caption, length = hit_caption(hit, self.desk.mirror.now_us, self.desk.zone)
        return GridItem(hit.start_us, caption, Wish(self._camera, hit.peak_us, is_rough=True), length)

    @on(PictureGrid.Moved)
    def _moved(self) -> None:
        self._draw_words()

    def _draw_words(self) -> None:
        self.tell_keys()
        settings, now_us, zone = self._settings, self.desk.mirror.now_us, self.desk.zone
        parts: list[Content | tuple[str, str]] = [(" Motion", "bold")]
        if settings is None:
            parts.append(("  no camera yet" if not self.desk.mirror.cameras else "  ...", "dim"))
        else:
            parts.append((f"  {self._camera}", "bold $text-accent"))
            parts.append((f"  {stretch_words(settings, now_us, zone)}  {region_words(self.cell)}", ""))
            lines = words_lines(
                self.cell, settings, self.job, self.size.width, has_hits=self.has_class("-hits")
            )
            self.write("#motion-words", lines)
            self.cell.caption = self._camera
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.write(".title", [Content.assemble(*parts)])

    # -- playing -----------------------------------------------------------------------------------------

    def _play(self, index: int) -> None:
        if not 0 <= index < len(self.hits) or not self.has_engine():
            return
        if self.desk.profile.graphics == "none":
            self.say("this console shows no pictures (--graphics none)", is_error=True)
            return
        hit = self.hits[index]
        self.grid.stop()
        self.grid.cursor = index
        self.add_class("-playing")
        clip = Clip(self._camera, hit.start_us, max(hit.end_us, hit.start_us + PLAYED_US))
        self.player.play(clip, f"{index + 1} of {len(self.hits)}")

    @on(ClipPlayer.Ended)
    def _clip_ended(self) -> None:
        """SS-15: the following clips, unless interrupted."""
        self.action_neighbour(1)

    def action_neighbour(self, direction: int) -> None:
        if not self.player.is_open:
            return
        index = self.grid.cursor + direction
        if 0 <= index < len(self.hits):
            self._play(index)
        else:
            self.say("that was the last one" if direction > 0 else "that was the first one")

    def action_pause(self) -> None:
        if self.player.is_open:
            self.player.pause()

    def action_step(self, frames: int) -> None:
        if self.player.is_open:
            self.player.step(frames)

    def _close_player(self) -> None:
        if self.player.is_open:
            self.player.close()
            self.remove_class("-playing")
            self._focus()

    # -- with a hit --------------------------------------------------------------------------------------

    def _clip(self) -> Clip | None:
        """The hit in hand, or None after saying that there is none."""
        if not self.hits or not (self.has_class("-hits") or self.player.is_open):
            self.say("no motion in hand: search first (r)", is_error=True)
            return None
        hit = self.hits[self.grid.cursor]
        return Clip(self._camera, hit.start_us, hit.end_us)

    def action_export(self) -> None:
        if (clip := self._clip()) is not None:  # EX-09
            self._actions.export(clip.around(EXPORT_US, self.desk.mirror.now_us))

    def action_bookmark(self, name: str = "") -> None:
        if (clip := self._clip()) is not None:
            self._actions.bookmark(clip.around(CLIP_US, self.desk.mirror.now_us), name)

    def action_snapshot(self) -> None:
        """Of what is drawn on, while there are no hits in sight."""
        picture: tuple[str, int | None] = self._camera, self._at_us
        if self.has_class("-hits") and self.hits:
            picture = self._camera, self.hits[self.grid.cursor].peak_us
        if self._camera:
            self._actions.snapshot(self.player, picture)

    def action_case(self) -> None:
        if (clip := self._clip()) is not None:
            self._actions.to_case((clip.around(CLIP_US, self.desk.mirror.now_us),))

    def action_playback(self) -> None:
        """With the hits drawn on its timeline (SS-17)."""
        if (clip := self._clip()) is not None:
            stretches = tuple((hit.start_us, hit.end_us) for hit in self.hits)
            self.desk.motion_hits = MotionHits(self._camera, stretches)
            self._actions.go(Scope.PLAYBACK, clip.camera, clip.start_us)

    def action_thumbnails(self) -> None:
        at_us = self._at_us
        if self.hits and self.has_class("-hits"):
            at_us = self.hits[self.grid.cursor].start_us
        self._actions.go(Scope.THUMBNAILS, self._camera, at_us)

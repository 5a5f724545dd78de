"""Thumbnail search: a stretch of one camera's time as pictures, down to single frames. Manual rows TH-01 to TH-07, HK-23.

Which moments are shown is worked out in tui/thumbnail_plan.py; what is recorded comes from the timeline.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine import wire
from tui.clip import CLIP_US, Clip
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.picture_wish import Wish
from tui.screens.clip_player import ClipPlayer
from tui.screens.frame_steps import FrameSteps
from tui.screens.mode_keys import Labels, playing
from tui.screens.picture_grid import GridItem, PictureGrid
from tui.screens.text_pane import TextPane
from tui.screens.thumbnails_keys import ThumbnailsKeys
from tui.screens.thumbnails_text import day_words, plan_words, when_words, why_words
from tui.thumbnail_form import length_words
from tui.thumbnail_level import Level
from tui.thumbnail_plan import (
    first_recorded,
    fitting_interval_us,
    opening_stretch,
    plan_of,
)
from tui.work import start


class ThumbnailsView(ThumbnailsKeys):
    """`:search thumbnails`, and `t` where a camera is in hand."""

    SCOPE = Scope.THUMBNAILS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.THUMBNAILS)]
    DEFAULT_CSS = """
    ThumbnailsView > .title { height: 1; background: $surface; }
    ThumbnailsView.-playing PictureGrid { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._around_us: int | None = None
        self._row: wire.TimelineRow | None = None
        """Coverage of the stretch shown; None = on its way."""

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield PictureGrid(self, id="thumbnails-grid")
        yield ClipPlayer(self)

    def on_mount(self) -> None:
        self.grid = self.query_one(PictureGrid)
        self.player = self.query_one(ClipPlayer)
        self._frames = FrameSteps(self, self.grid, self._show_items)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        (self.player if self.player.is_open else self.grid).focus()
        if not self.levels:
            self.call_after_refresh(self.begin)
        else:
            self._show_items()

    def leave(self) -> None:
        self.close_player()
        self.grid.stop()
        self._frames.stop()

    def show_target(self, camera: str, at_us: int | None) -> None:
        """This camera: around a time, else the last hour."""
        self.camera_name = camera or self.camera_name
        self._around_us = at_us
        self.close_player()
        self.call_after_refresh(self.begin)

    def refresh_from(self, change: Change) -> None:
        if change & Change.LINK and self.desk.mirror.is_connected and self.levels and self._row is None:
            self._load()
        self._draw_title()

    def back(self) -> bool:
        if self.player.is_open:
            self.close_player()
            self._show_items()
            return True
        return self._go_up()

    @property
    def labels(self) -> Labels | None:
        return playing("thumbnails", ("thumbnails.export", "Export")) if self.player.is_open else None

    async def reload(self) -> None:
        if self.levels:
            self._load()

    # -- what is shown -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """The opening stretch of the camera, on one page."""
        now_us = self.desk.mirror.now_us
        cameras = self.desk.mirror.cameras
        if not self.camera_name and cameras:
            self.camera_name = cameras[0].name
        if not self.camera_name or not now_us:
            self._draw_title()
            return
        self.grid.fit()
        stretch = opening_stretch(now_us, self._around_us)
        plan = plan_of(*stretch, self.grid.page_cells, self._clip_us)
        around_us = self._around_us
        self.show_plan([Level(plan, plan.index_at(around_us) if around_us is not None else 0)])

    @property
    def _clip_us(self) -> int:
        return self.levels[0].plan.clip_us if self.levels else CLIP_US

    def show_plan(self, levels: list[Level]) -> None:
        self.levels = levels
        self._row = None
        plan = levels[-1].plan
        if plan.is_by_frame:
            self._frames.begin(self.camera_name, plan.start_us, plan.end_us)
        else:
            self._frames.stop()
        self.grid.cursor = levels[-1].cursor
        self._show_items()
        self._load()

    def _load(self) -> None:
        start(self, self._fetch_coverage, "coverage")

    async def _fetch_coverage(self) -> None:
        level = self.level
        if level is None or not self.desk.mirror.is_connected:
            return
        plan = level.plan
        call = self.desk.client.timeline([self.camera_name], plan.start_us, plan.end_us)
        timeline = await self.ask(call, f"recordings of {self.camera_name}")
        if timeline is None or self.level is not level:
            return
        empty = wire.TimelineRow(camera=self.camera_name, recorded=(), gaps=(), locks=(), oldest_us=None)
        self._row = next((row for row in timeline.rows if row.camera == self.camera_name), empty)
        self._show_items()

    def _show_items(self) -> None:
        level = self.level
        if level is None:
            return
        if not level.plan.is_by_frame:
            self.grid.show(level.plan.count, self._item)
        else:
            found = len(self._frames.times_us)
            is_open = not self._frames.is_complete
            self.grid.show(max(1, found + is_open), self._frame_item)
            self._frames.want(self.grid.first + 2 * self.grid.page_cells)
        self._draw_title()

    def _item(self, index: int) -> GridItem:
        """A slot: its first recorded moment, or why there is none."""
        level = self.level
        assert level is not None
        plan, row = level.plan, self._row
        start_us, end_us = plan.slot(index)
        if row is None:
            return GridItem(index, self._when(start_us), reason="...")
        at_us = first_recorded(row.recorded, start_us, end_us)
        if at_us is None:
            return GridItem(index, self._when(start_us), reason=why_words(row, start_us, end_us))
        wish = Wish(self.camera_name, at_us, is_exact=plan.is_exact, is_rough=True)
        return GridItem(index, self._when(at_us), wish, self._day(at_us))

    def _frame_item(self, index: int) -> GridItem:
        frames = self._frames
        if index < len(frames.times_us):
            at_us = frames.times_us[index]
            return GridItem(
                index, self._when(at_us), Wish(self.camera_name, at_us, is_exact=True, is_rough=True)
            )
        return GridItem(
            index, "", reason=(frames.trouble or "nothing recorded") if frames.is_complete else "..."
        )

    def _when(self, time_us: int) -> str:
        level = self.level
        assert level is not None
        return when_words(time_us, level.plan, self.desk.zone)

    def _day(self, time_us: int) -> str:
        return day_words(time_us, self.desk.mirror.now_us, self.desk.zone)

    def _draw_title(self) -> None:
        self.tell_keys()
        level = self.level
        parts: list[Content | tuple[str, str]] = [(" Thumbnails", "bold")]
        if level is None:
            parts.append(("  no camera yet" if not self.desk.mirror.cameras else "  ...", "dim"))
        else:
            is_open = level.plan.is_by_frame and not self._frames.is_complete
            cells = self.grid.page_cells
            pages = (self.grid.first // cells + 1, -(-self._count // cells))
            parts.append((f"  {self.camera_name}", "bold $text-accent"))
            parts.append((f"  {plan_words(level.plan, self.desk.mirror.now_us, self.desk.zone)}", ""))
            if pages[1] > 1 or is_open:
                parts.append((f"  page {pages[0]} of {pages[1]}{'+' if is_open else ''}", ""))
            if len(self.levels) > 1:
                parts.append((f"  level {len(self.levels)} (esc up)", "dim"))
            if level.plan.clip_us != CLIP_US:
                parts.append((f"  clips {length_words(level.plan.clip_us)}", "dim"))
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.write(".title", [Content.assemble(*parts)])

    @property
    def _count(self) -> int:
        level = self.level
        if level is None:
            return 0
        return max(1, len(self._frames.times_us)) if level.plan.is_by_frame else level.plan.count

    # -- the grid ----------------------------------------------------------------------------------------

    @on(PictureGrid.Moved)
    def _moved(self) -> None:
        if self.level is not None:
            self.level.cursor, self.level.here_us = self.grid.cursor, None
            if self.level.plan.is_by_frame:
                self._show_items()
        self._draw_title()

    @on(PictureGrid.AtEnd)
    def _at_end(self, event: PictureGrid.AtEnd) -> None:
        if len(self.levels) == 1:
            key = "> shows later" if event.direction > 0 else "< shows earlier"
            self.say(f"the end of this stretch: {key} ones")

    @on(PictureGrid.Reshaped)
    def _reshaped(self) -> None:
        """With another number of cells the whole stretch still fits on one page."""
        level = self.level
        if level is None or not level.is_fitted or level.plan.is_by_frame:
            return
        plan, here_us = level.plan, level.cursor_us()
        level.plan = plan.with_interval(fitting_interval_us(plan.span_us, self.grid.page_cells))
        level.cursor = self.grid.cursor = level.plan.index_at(here_us)
        self._show_items()

    @on(PictureGrid.Opened)
    def _opened(self) -> None:
        self.action_play()

    def clip_in_hand(self) -> Clip | None:
        return self.player.clip or self._clip_at_cursor()

    def _clip_at_cursor(self) -> Clip | None:
        level = self.level
        item = None
        if level is not None:
            make = self._frame_item if level.plan.is_by_frame else self._item
            item = make(self.grid.cursor)
        if level is None or item is None or item.wish is None or item.wish.at_us is None:
            self.say("nothing is recorded there", is_error=True)
            return None
        at_us = item.wish.at_us
        return Clip(
            self.camera_name, at_us, min(at_us + level.plan.clip_us, max(self.desk.mirror.now_us, at_us + 1))
        )

    # -- playing -----------------------------------------------------------------------------------------

    def action_play(self) -> None:
        clip = self._clip_at_cursor() if self.has_engine() else None
        if clip is None:
            return
        if self.desk.profile.graphics == "none":
            self.say("this console shows no pictures (--graphics none)", is_error=True)
            return
        self.add_class("-playing")
        self.grid.stop()
        self.player.play(clip, f"{self.grid.cursor + 1} of {self._count}")

    def close_player(self) -> None:
        if self.player.is_open:
            self.player.close()
            self.remove_class("-playing")
            self.grid.focus()

    def action_pause(self) -> None:
        if self.player.is_open:
            self.player.pause()

    def action_step(self, frames: int) -> None:
        """Scrub (TH-03): opens the clip when it is not."""
        if not self.player.is_open:
            self.action_play()
        if self.player.is_open:
            self.player.step(frames)

    def action_neighbour(self, direction: int) -> None:
        if self.player.is_open and not self._play_next(direction):
            self.say("that was the last clip" if direction > 0 else "that was the first clip")

    @on(ClipPlayer.Ended)
    def _clip_ended(self) -> None:
        level = self.level
        if level is not None and not self._play_next(1, self._playing_end_us):
            self.say("that was the last clip")

    @property
    def _playing_end_us(self) -> int:
        clip = self.player.clip
        return clip.end_us if clip is not None else 0

    def _play_next(self, direction: int, not_before_us: int = 0) -> bool:
        """The nearest recorded clip that way."""
        level = self.level
        if level is None:
            return False
        make = self._frame_item if level.plan.is_by_frame else self._item
        indexes = range(self.grid.cursor + direction, self._count if direction > 0 else -1, direction)
        for index in indexes:
            wish = make(index).wish
            if wish is not None and (wish.at_us or 0) >= not_before_us:
                self.grid.cursor = level.cursor = index
                self.action_play()
                return True
        return False

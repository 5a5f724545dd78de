"""What the keys of thumbnail search do besides playing: deeper and up, other stretches and cameras, and what is done with the clip in hand.
A mix-in of ThumbnailsView.
"""

from __future__ import annotations

from dataclasses import replace

from tui.clip import Clip
from tui.commands import Scope
from tui.desk import Desk
from tui.screens.clip_actions import ClipActions, pick_camera
from tui.screens.clip_player import ClipPlayer
from tui.screens.picture_grid import PictureGrid
from tui.screens.view import View
from tui.thumbnail_form import form_complaint, form_fields, plan_of_form
from tui.thumbnail_level import Level
from tui.thumbnail_plan import deeper, fitting_interval_us
from tui.when import HINT, parse_when
from tui.work import start
from widgets.dialog import Field, FormDialog


class ThumbnailsKeys(View):
    """Needs what ThumbnailsView makes."""

    grid: PictureGrid
    player: ClipPlayer

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.camera_name = ""
        self.levels: list[Level] = []
        self._actions = ClipActions(self)

    @property
    def level(self) -> Level | None:
        """The one in front."""
        return self.levels[-1] if self.levels else None

    def begin(self) -> None:
        """The opening stretch of the camera, on one page."""
        raise NotImplementedError

    def show_plan(self, levels: list[Level]) -> None:
        """The last of them from now on."""
        raise NotImplementedError

    def close_player(self) -> None:
        """Back to the pictures."""
        raise NotImplementedError

    def clip_in_hand(self) -> Clip | None:
        """What is played, else what is under the cursor; None after saying that nothing is recorded there."""
        raise NotImplementedError

    # -- down and up -------------------------------------------------------------------------------------

    def action_more(self) -> None:
        """More snapshots of the slot in hand (TH-04)."""
        level = self.level
        if level is None or self.desk.profile.graphics == "none":
            return
        plan = deeper(level.plan, self.grid.cursor, self.grid.page_cells)
        if plan is None:
            self.say("these are single frames: there are no more between them")
        elif (clip := self.clip_in_hand()) is not None:
            self.close_player()
            level.cursor = self.grid.cursor
            cursor = 0 if plan.is_by_frame else plan.index_at(clip.start_us)
            self.show_plan([*self.levels, Level(plan, cursor)])

    def action_up(self) -> None:
        if not self.back():
            self.say("this is the whole stretch: < and > show earlier and later ones")

    def _go_up(self) -> bool:
        if len(self.levels) < 2:
            return False
        self.show_plan(self.levels[:-1])
        return True

    # -- span, interval, camera --------------------------------------------------------------------------

    def action_span(self, spans: int) -> None:
        level = self.level
        if level is not None:
            plan = replace(level.plan, is_by_frame=False).moved(spans, self.desk.mirror.now_us)
            plan = replace(plan, is_by_frame=level.plan.is_by_frame)
            if plan == level.plan:
                self.say("later ones do not exist yet" if spans > 0 else "there is nothing earlier")
            else:
                self.close_player()
                self.show_plan([Level(plan, is_fitted=level.is_fitted)])

    def action_interval(self, steps: int) -> None:
        level = self.level
        if level is None or level.plan.is_by_frame:
            return
        plan = level.plan.stepped(steps)
        if plan == level.plan:
            self.say("no longer interval" if steps > 0 else "no shorter interval")
            return
        self.close_player()
        here_us = level.cursor_us()
        below = Level(plan, plan.index_at(here_us), is_fitted=False, here_us=here_us)
        self.show_plan([*self.levels[:-1], below])

    def action_fields(self) -> None:
        start(self, self._ask_fields, "dialog")

    async def _ask_fields(self) -> None:
        level = self.level
        if level is None:
            return
        plan, now_us, zone = level.plan, self.desk.mirror.now_us, self.desk.zone
        form = FormDialog(
            f"Thumbnails of {self.camera_name}",
            form_fields(plan, now_us, zone),
            submit="Show",
            check=lambda values: form_complaint(values, plan, now_us, zone),
        )
        values = await self.app.push_screen_wait(form)
        if values is None:
            return
        chosen = plan_of_form(values, plan, self.grid.page_cells, now_us, zone)
        fitted_us = fitting_interval_us(chosen.span_us, self.grid.page_cells)
        self.close_player()
        self.show_plan([Level(chosen, is_fitted=chosen.interval_us == fitted_us)])

    def action_when(self, text: str = "") -> None:
        """Around another time (TH-07)."""
        if text:
            self._go_to(text)
            return
        field = Field("when", "Time", is_required=True, check=self._when_complaint)
        form = FormDialog("Thumbnails around", [field], submit="Show", text=f"For example {HINT}")
        self.app.push_screen(form, lambda values: self._go_to(values["when"]) if values else None)

    def _typed(self, text: str) -> int | None:
        level = self.level
        now_us = self.desk.mirror.now_us
        return parse_when(text, now_us, level.plan.start_us if level else now_us, self.desk.zone)

    def _when_complaint(self, text: str) -> str:
        return "" if self._typed(text) is not None else f"not a time: {text!r}"

    def _go_to(self, text: str) -> None:
        time_us = self._typed(text)
        if time_us is None:
            self.say(f"not a time: {text!r} (try {HINT})", is_error=True)
        elif time_us > self.desk.mirror.now_us:
            self.say("that is in the future", is_error=True)
        else:
            self.show_target(self.camera_name, time_us)

    def action_newest(self) -> None:
        self.show_target(self.camera_name, None)

    def action_camera(self, name: str = "") -> None:
        start(self, lambda: self._choose_camera(name), "dialog")

    async def _choose_camera(self, name: str) -> None:
        if name and self.desk.mirror.camera(name) is None:
            self.say(f"no camera is called {name!r}", is_error=True)
            return
        chosen = name or await pick_camera(self, "Thumbnails of which camera?", self.camera_name)
        level = self.level
        if chosen is None or (chosen == self.camera_name and level is not None and not name):
            return
        self.camera_name = chosen
        self.close_player()
        if level is None:
            self.call_after_refresh(self.begin)
        else:  # the same times of another camera
            self.show_plan(self.levels[:1])

    # -- with the clip -----------------------------------------------------------------------------------

    def action_export(self) -> None:
        if (clip := self.clip_in_hand()) is not None:
            self._actions.export(clip)

    def action_bookmark(self, name: str = "") -> None:
        if (clip := self.clip_in_hand()) is not None:
            self._actions.bookmark(clip, name)

    def action_snapshot(self) -> None:
        if (clip := self.clip_in_hand()) is not None:
            self._actions.snapshot(self.player, (clip.camera, clip.start_us))

    def action_case(self) -> None:
        if (clip := self.clip_in_hand()) is not None:
            self._actions.to_case((clip,))

    def action_playback(self) -> None:
        if (clip := self.clip_in_hand()) is not None:
            self._actions.go(Scope.PLAYBACK, clip.camera, clip.start_us)

    def action_motion(self) -> None:
        clip = self.clip_in_hand() if self.level is not None else None
        if clip is not None:
            self._actions.go(Scope.MOTION, clip.camera, clip.start_us)

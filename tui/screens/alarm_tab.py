"""The alarm tab: live pictures of the cameras whose alarms send live streaming, opening by themselves (rows AB-01, AG-04 to AG-06).

One cell a camera. The newest alarm has a blinking red frame that also says NEW, the selected cell a yellow double one. The pin
holds everything still; what comes meanwhile is counted. Triage is for the alarm of the selected cell, and all of its kind and source.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content

from engine.wire_alarms import (
    MUTE_MINUTES_MAX,
    AlarmQuery,
    AlarmSelection,
    AlarmStatus,
    AlarmTriage,
    AlarmView,
)
from tui.alarm_wall import AlarmWall, grid_of, most_cells
from tui.clip import Clip
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.picture_feed import PictureBoard
from tui.picture_wish import Wish
from tui.screens.alarm_clips import clip_of
from tui.screens.case_dialog import add_to_case
from tui.screens.export_dialog import ask_export
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.wording import severity_wording
from tui.work import start
from widgets import format
from widgets.blink import BlinkBeat, Rate
from widgets.dialog import Field, FormDialog
from widgets.glyphs import glyphs_of
from widgets.video_cell import VideoCell

MOST_ALARMS = 500
"""Asked for at once: newest first, far more than there are cameras."""
NEW_RATE: Rate = "1hz"


class AlarmCell(VideoCell):
    """A picture in a frame whose lines and title say what it is, with colour and without."""

    DEFAULT_CSS = """
    AlarmCell { width: 1fr; height: 1fr; border: solid $border-blurred; border-title-color: $foreground; }
    AlarmCell.-newest { border-title-style: bold; border-title-color: $text-error; }
    AlarmCell.-newest.-lit { border: solid $error; border-title-style: bold reverse; }
    AlarmCell.-selected { border: double $warning; border-title-style: bold; }
    AlarmCell.-selected.-newest.-lit { border: double $error; border-title-style: bold reverse; }
    AlarmCell.-ascii { border: ascii $border-blurred; }
    AlarmCell.-ascii.-newest.-lit { border: ascii $error; }
    AlarmCell.-ascii.-selected { border: ascii $warning; }
    """

    def say(self, alarm: AlarmView, *, is_newest: bool, is_selected: bool, is_lit: bool, when: str) -> None:
        """Frame and title; the caption below is the camera."""
        glyphs = glyphs_of(self)
        self.set_class(is_newest, "-newest")
        self.set_class(is_newest and is_lit, "-lit")
        self.set_class(is_selected, "-selected")
        self.set_class(glyphs.name == "ascii", "-ascii")
        mark = f"{glyphs.cursor} " if is_selected else ""
        lamp = f"{glyphs.lamp_lit if is_lit else glyphs.lamp_dark} NEW " if is_newest else ""
        sign = severity_wording(alarm.severity).sign
        count = f" x{format.count(alarm.count)}" if alarm.count > 1 else ""
        title = f"{mark}{lamp}{sign} {when} {alarm.rule}{count}"
        room = max(4, self.size.width - 4)
        self.border_title = format.fit(title, room, glyphs.ellipsis).rstrip().replace("[", "\\[")
        self.caption = alarm.camera


class AlarmTabView(View):
    """`:alarm tab`, and `L` in the alarms."""

    SCOPE = Scope.ALARM_TAB
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(Scope.ALARM_TAB),
        Binding("left,h", "move(-1,0)", "left", show=False),
        Binding("right,l", "move(1,0)", "right", show=False),
        Binding("up,k", "move(0,-1)", "up", show=False),
        Binding("down,j", "move(0,1)", "down", show=False),
    ]
    DEFAULT_CSS = """
    AlarmTabView > .title, AlarmTabView > #tab-words { height: 1; background: $surface; }
    AlarmTabView > #tab-grid { layout: grid; height: 1fr; }
    AlarmTabView > #tab-empty { height: 1; padding: 0 1; }
    """
    can_focus = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.wall = AlarmWall()
        self._alarms: tuple[AlarmView, ...] = ()
        self._across = 1
        self._was_quiet = False
        """Notifications were off here when the cells were arranged: rule 17 takes live pictures away too."""
        self._kept_out = 0
        """Alarms that this console shows no live picture of."""
        self._beat = BlinkBeat(self, self._blink)
        self._board = PictureBoard(self)

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield TextPane(id="tab-empty")
        yield Container(id="tab-grid")
        yield TextPane(id="tab-words")

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.focus()
        start(self, self.reload, "alarms")

    def leave(self) -> None:
        self._beat.stop()
        self._board.stop()

    def refresh_from(self, change: Change) -> None:
        if change & Change.ALARMS:
            start(self, self.reload, "alarms")
        elif self._was_quiet is not self.desk.notifier.is_quiet(self.desk.mirror.now_us):
            start(self, self._arrange, "alarms")
        self._draw_words()

    def on_resize(self) -> None:
        self.call_after_refresh(self._arrange)

    async def reload(self) -> None:
        query = AlarmQuery(is_live=True, limit=MOST_ALARMS)
        page = await self.ask(self.desk.client.alarms(query), "alarms")
        if page is not None:
            self._alarms = page.alarms
            await self._arrange()

    # -- cells -------------------------------------------------------------------------------------------

    async def _arrange(self) -> None:
        """As many cells as there are cameras with alarms, in a grid that suits the terminal."""
        grid = self.query_one("#tab-grid", Container)
        room = grid.size if grid.size.width else self.size
        notifier, now_us = self.desk.notifier, self.desk.mirror.now_us
        self._was_quiet = notifier.is_quiet(now_us)
        allowed = [alarm for alarm in self._alarms if notifier.allows(alarm, now_us)]
        self._kept_out = len(self._alarms) - len(allowed)
        self.wall.update(allowed, most_cells(self.size.width, max(self.size.height - 3, 1)))
        count = len(self.wall.shown)
        self.query_one("#tab-empty").display = not count
        grid.display = bool(count)
        cells = list(self.query(AlarmCell))
        if len(cells) < count:
            await grid.mount_all(AlarmCell() for _ in range(count - len(cells)))
            cells = list(self.query(AlarmCell))
        for number, cell in enumerate(cells):
            cell.display = number < count
        if count:
            self._across, down = grid_of(count, max(room.width, self.size.width), max(room.height, 1))
            grid.styles.grid_size_columns = self._across
            grid.styles.grid_size_rows = down
        pairs = list(zip(cells, self.wall.shown, strict=False))
        self._board.show([(cell, Wish(alarm.camera)) for cell, alarm in pairs] if self.is_front else [])
        self._draw_cells()
        self._draw_words()

    def _draw_cells(self) -> None:
        """Frames and titles."""
        newest, blinking = self.wall.newest, self.desk.blinking != "off"
        self._beat.follow([NEW_RATE] if newest is not None and blinking and self.is_front else [])
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        for cell, alarm in zip(self.query(AlarmCell), self.wall.shown, strict=False):
            cell.say(
                alarm,
                is_newest=alarm is newest,
                is_selected=alarm.camera == self.wall.selected,
                is_lit=self._beat.is_lit(NEW_RATE),
                when=format.recent_time(alarm.last_us, now_us, zone),
            )

    def _blink(self, rates: Iterable[Rate]) -> None:
        self._draw_cells()

    @on(VideoCell.RoomChanged)
    def _room_changed(self) -> None:
        self._draw_cells()

    @on(VideoCell.Opened)
    def _opened(self, event: VideoCell.Opened) -> None:
        self.wall.selected = event.control.caption
        self._draw_cells()
        self._draw_words()

    def _draw_words(self) -> None:
        wall = self.wall
        parts: list[Content | tuple[str, str]] = [
            (" Alarm tab", "bold"),
            (f"  {format.plural(len(wall.shown), 'camera')}", ""),
        ]
        if wall.hidden and not wall.is_pinned:
            parts.append((f", {wall.hidden} more with older alarms", "$text-warning"))
        if minutes := self.desk.notifier.minutes_left(self.desk.mirror.now_us):
            parts.append((f"  notifications off here for {minutes} min", "bold $text-warning"))
        elif self._kept_out:
            parts.append((f"  {self._kept_out} of rules switched off here", "$text-warning"))
        if wall.is_pinned:
            parts.append(("  PINNED", "bold reverse"))
            words = f"{format.count(wall.waiting)} waiting (T lets them in)" if wall.waiting else "T unpins"
            parts.append((f" {words}", "bold $text-warning" if wall.waiting else ""))
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])
        empty = "no open alarm sends live pictures (the action Live picture of a rule)"
        if self._kept_out:
            empty = f"{format.plural(self._kept_out, 'alarm')} not shown here (:notify)"
        self.query_one("#tab-empty", TextPane).show([Content.styled(empty, "dim")])
        self.query_one("#tab-words", TextPane).show([self._in_hand_words()])

    def _in_hand_words(self) -> Content:
        alarm = self.wall.in_hand
        if alarm is None:
            return Content("")
        status = str(alarm.status).replace("_", " ")
        return Content.assemble(
            (f" {alarm.camera}", "bold"),
            f"  {alarm.rule}, {status}, {format.age(alarm.last_us, self.desk.mirror.now_us)}: {alarm.text}",
        )

    # -- actions -----------------------------------------------------------------------------------------

    def action_move(self, across: int, down: int) -> None:
        self.wall.move(across, down, self._across)
        self._draw_cells()
        self._draw_words()

    def action_pin(self) -> None:
        """AG-05."""
        self.wall.pin(not self.wall.is_pinned)
        start(self, self._arrange, "alarms")

    def action_footage(self) -> None:
        self.action_go(Scope.RECORDINGS)

    def action_go(self, scope: str) -> None:
        """The camera of the alarm in hand, when it began: recordings, playback, thumbnail search, motion search."""
        alarm = self.wall.in_hand
        if alarm is not None:
            self.post_message(self.Wanted(Scope(scope), camera=alarm.camera, at_us=alarm.first_us))

    def action_export(self) -> None:
        if (alarm := self._alarm_meant()) is not None and self.has_engine():
            start(self, partial(self._export, alarm), "dialog")

    async def _export(self, alarm: AlarmView) -> None:
        if (clip := await self._clip(alarm)) is not None:
            await ask_export(self, [clip], comment=alarm.rule)

    def action_to_case(self) -> None:
        if (alarm := self._alarm_meant()) is not None and self.may_change():
            start(self, partial(self._to_case, alarm), "dialog")

    async def _to_case(self, alarm: AlarmView) -> None:
        if (clip := await self._clip(alarm)) is not None:
            await add_to_case(self, [clip], comment=alarm.rule)

    async def _clip(self, alarm: AlarmView) -> Clip | None:
        """From pre- to post-event; None after saying why not."""
        detail = await self.ask(self.desk.client.alarm(alarm.id), "alarm")
        return clip_of(detail, self.desk.mirror.now_us) if detail is not None else None

    def _alarm_meant(self) -> AlarmView | None:
        """That of the cell in hand, or None after saying that there is none."""
        alarm = self.wall.in_hand
        if alarm is None:
            self.say("no alarm is in hand", is_error=True)
        return alarm

    def _step(
        self, *, status: AlarmStatus | None = None, minutes: int | None = None, comment: str | None = None
    ) -> None:
        alarm = self._alarm_meant()
        if alarm is not None and self.may_change():
            selection = AlarmSelection(ids=(alarm.id,), with_groups=True)
            step = AlarmTriage(
                selection=selection, status=status, mute_minutes=minutes, comment=comment or None
            )
            start(self, partial(self._carry_out, step), "step")

    async def _carry_out(self, step: AlarmTriage) -> None:
        done = await self.ask(self.desk.client.triage(step), "triage")
        if done is not None:
            self.say(f"{done.what} (u undoes)")
            await self.reload()

    def action_false_alarm(self) -> None:
        self._step(status=AlarmStatus.FALSE_ALARM)

    def action_close(self) -> None:
        self._step(status=AlarmStatus.CLOSED)

    def action_acknowledge(self) -> None:
        self._step(status=AlarmStatus.IN_PROGRESS)

    def action_progress(self, comment: str = "") -> None:
        if comment:
            self._step(status=AlarmStatus.IN_PROGRESS, comment=comment)
        elif self.wall.in_hand is not None and self.may_change():
            field = Field("comment", "Comment", hint="what was seen, who was called")
            self.app.push_screen(FormDialog(f"In progress: {self.wall.selected}", [field]), self._commented)

    def _commented(self, values: dict[str, str] | None) -> None:
        if values is not None:
            self._step(status=AlarmStatus.IN_PROGRESS, comment=values["comment"].strip())

    def action_mute(self, minutes: str = "") -> None:
        if minutes:
            if complaint := _minutes(minutes):
                self.say(complaint, is_error=True)
            else:
                self._step(minutes=int(minutes))
        elif self.wall.in_hand is not None and self.may_change():
            field = Field("minutes", "Minutes", "60", is_required=True, check=_minutes)
            form = FormDialog(f"Mute {self.wall.selected}", [field], submit="Mute")
            self.app.push_screen(form, self._muted)

    def _muted(self, values: dict[str, str] | None) -> None:
        if values is not None:
            self._step(minutes=int(values["minutes"]))

    def action_undo_step(self) -> None:
        if self.may_change():
            start(self, self._undo, "step")

    async def _undo(self) -> None:
        done = await self.ask(self.desk.client.undo_triage(), "undo")
        if done is not None:
            self.say(done.what)
            await self.reload()


def _minutes(text: str) -> str:
    is_right = text.strip().isdecimal() and 1 <= int(text) <= MUTE_MINUTES_MAX
    return "" if is_right else f"minutes: 1 to {MUTE_MINUTES_MAX:,}"

"""Alarms: newest first, live without moving the row in hand; triage by single keys, for the row or for all that is marked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.timer import Timer

from engine.client import WatchdeckError
from engine.wire_alarms import AlarmDetail, AlarmStatus, AlarmView
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.alarm_panel import DRAFTS, AlarmPanel
from tui.screens.alarm_thumbs import AlarmThumbs, note_of
from tui.screens.alarms_actions import AlarmActions
from tui.screens.alarms_filters import AlarmFilters
from tui.screens.alarms_narrowing import Narrowing
from tui.screens.alarms_source import AlarmSource
from tui.screens.alarms_text import Moment, columns, detail_line, line_of
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.line_list import LineList
from widgets.line_source import Line
from widgets.video_cell import VideoCell

RELOAD_S = 0.5
"""In a storm the list is read anew no more often than this."""
DETAIL_DEBOUNCE_S = 0.15
"""A cursor that goes on within this asks for no detail."""
EMPTY = "no alarms. Rules decide what becomes one (r); s shows those dealt with"
NOTHING_FITS = "no alarm fits; esc takes the filter off"


class AlarmsView(View):
    """Number key 6."""

    SCOPE = Scope.ALARMS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.ALARMS)]
    DEFAULT_CSS = """
    AlarmsView > .title { height: 1; background: $surface; }
    AlarmsView > #alarm-body { height: 1fr; layout: vertical; }
    AlarmsView LineList { height: 1fr; }
    AlarmsView > #alarm-line { height: 1; background: $surface; }
    AlarmsView.-thumbs LineList { height: 5; }
    AlarmsView.-thumbs AlarmThumbs { display: block; }
    AlarmsView.-panel AlarmPanel { display: block; }
    AlarmsView.-panel AlarmThumbs { display: none; }
    AlarmsView.-panel LineList { height: 1fr; }
    AlarmsView.-panel > #alarm-line { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.filters = AlarmFilters()
        self.source = AlarmSource(
            lambda: desk.client, self._write, lambda: desk.mirror.alarm_counts.newest_id, self._source_failed
        )
        self.actions = AlarmActions(self)
        self.narrowing = Narrowing(self)
        self.marked_up_to = 0
        """The newest alarm there was when all were marked."""
        self._draft: AlarmStatus | None = None
        self._is_dated = False
        self._text = ""
        self._reload_timer: Timer | None = None
        self._must_reload = False

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        with Container(id="alarm-body"):
            yield AlarmThumbs(self)
            yield LineList(
                columns(is_dated=False, is_grouped=False),
                shows_top=True,
                can_mark=True,
                empty_text=EMPTY,
                free_keys=("g",),
            )
            yield AlarmPanel(self)
        yield TextPane(id="alarm-line")

    def on_mount(self) -> None:
        self.rows = self.query_one(LineList)
        self.panel = self.query_one(AlarmPanel)
        self.thumbs = self.query_one(AlarmThumbs)
        self.source.filter = self.filters.filter("")
        self.rows.set_source(self.source)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.rows.focus()
        self.changed()
        self.panel.again()
        self.thumbs.again()

    def leave(self) -> None:
        self.panel.stop()
        self.thumbs.stop()

    def refresh_from(self, change: Change) -> None:
        if change & Change.ALARMS or (change & Change.LINK and self.desk.mirror.is_connected):
            self.changed()
        self.rows.rewrite(self._rewrite)  # ages go on
        self._draw_words()

    @property
    def filter_text(self) -> str | None:
        return self._text

    def set_filter(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.narrow()

    def narrow(self) -> None:
        """The filters changed: another list, from its top, with nothing marked."""
        self.source.filter = self.filters.filter(self._text)
        self._is_dated = False
        self.rows.empty_text = NOTHING_FITS if self._text or self.filters.is_narrowed else EMPTY
        self.forget_draft()
        self.rows.set_source(self.source)
        self._draw_words()

    def back(self) -> bool:
        """One thing at a time: panel, marks, words, the group that was opened, the other filters."""
        if self.has_class("-panel"):
            self._close_panel()
        elif len(self.rows.marking):
            self.rows.clear_marks()
        elif self._text:
            self.set_filter("")
        elif self.filters.group is not None:
            self.filters.group = None
            self.action_group()
        elif self.filters.is_narrowed:
            self.filters = AlarmFilters()
            self.narrow()
        else:
            return False
        return True

    async def reload(self) -> None:
        self.rows.invalidate()

    # -- rows --------------------------------------------------------------------------------------------

    @property
    def moment(self) -> Moment:
        """For which rows are written."""
        mirror = self.desk.mirror
        return Moment(mirror.now_us, self.desk.zone, mirror.is_live, self.source.is_grouped)

    @property
    def alarm(self) -> AlarmView | None:
        """In hand, once fetched."""
        line = self.rows.cursor_line
        return line.value if line is not None and isinstance(line.value, AlarmView) else None

    def _write(self, alarm: AlarmView) -> Line:
        return line_of(alarm, self.moment)

    def _rewrite(self, line: Line) -> Line:
        return line_of(line.value, self.moment) if isinstance(line.value, AlarmView) else line

    def _source_failed(self, error: WatchdeckError) -> None:
        if self.desk.mirror.is_connected:
            self.say(f"alarms: {error}", is_error=True)

    def changed(self) -> None:
        """Alarms came, went or changed: read anew, at once or when the last time is long enough ago."""
        if self.actions.is_busy:
            return  # its answer says where the cursor goes, then the list is read
        if self._reload_timer is not None:
            self._must_reload = True
            return
        self._must_reload = False
        self._reload_timer = self.set_timer(RELOAD_S, self._reload_due)
        self.rows.invalidate()

    def _reload_due(self) -> None:
        self._reload_timer = None
        if self._must_reload:
            self.changed()

    @on(LineList.Reloaded)
    @on(LineList.MarksChanged)
    def _rows_changed(self) -> None:
        self._fit_times()
        self._draw_words()
        self._draw_pictures()

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self.forget_draft()
        self._draw_words()
        self._draw_pictures()

    @on(VideoCell.RoomChanged)
    def _room_changed(self) -> None:
        self.panel.again()
        self.thumbs.again()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_pictures)

    def _fit_times(self) -> None:
        """Dates get their room once a row is not of today; the newest are first, so the last in sight tells."""
        if not self._is_dated:
            moment = self.moment
            last = self.rows.line(min(self.rows.count - 1, self.rows.cursor + self.size.height))
            alarm = last.value if last is not None else None
            if isinstance(alarm, AlarmView):
                today = format.local_date(moment.now_us, moment.zone)
                self._is_dated = format.local_date(alarm.last_us, moment.zone) != today
        self.rows.set_columns(columns(is_dated=self._is_dated, is_grouped=self.source.is_grouped))

    # -- drawing -----------------------------------------------------------------------------------------

    def _draw_words(self) -> None:
        mirror = self.desk.mirror
        rows = self.rows
        noun = "group" if self.source.is_grouped else ""
        count = format.plural(rows.count, noun) if noun else format.count(rows.count)
        parts: list[Content | tuple[str, str]] = [(" Alarms", "bold"), (f"  {count}", "")]
        if not mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        if marked := len(rows.marking):
            words = f"all {format.count(marked)}" if rows.marking.is_all else format.count(marked)
            parts.append((f"  {words} marked", "bold $text-accent"))
        if rows.arrived_above:
            parts.append((f"  {format.count(rows.arrived_above)} new (<)", "bold $text-warning"))
        words = ", ".join(self.filters.words(self.desk.zone, mirror.now_us))
        parts.append((f"  {words}", "bold $text-accent" if self.filters.is_narrowed else "dim"))
        if self._text:
            parts.append((f"  /{self._text}", "bold $text-accent"))
        if self._text or self.filters.is_narrowed:
            parts.append(("  (esc clears)", "dim"))
        if not self.filters.status.with_muted and mirror.alarm_counts.muted:
            parts.append((f"  {format.count(mirror.alarm_counts.muted)} muted", "dim"))
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])
        alarm = self.alarm
        line = detail_line(alarm, self.moment) if alarm is not None else Content("")
        self.query_one("#alarm-line", TextPane).show([line])

    def _draw_pictures(self) -> None:
        """The panel or the thumbnails, whichever is open."""
        if self.has_class("-panel"):
            start(self, self._fetch_detail, "detail")
        elif self.has_class("-thumbs"):
            now_us = self.desk.mirror.now_us
            self.thumbs.draw(self.rows, lambda alarm: note_of(alarm, now_us))

    async def _fetch_detail(self) -> None:
        alarm = self.alarm
        if alarm is None:
            self.panel.show_nothing()
            return
        known = self.panel.detail
        if known is not None and known.alarm.id != alarm.id:
            await asyncio.sleep(DETAIL_DEBOUNCE_S)
        detail = await self.ask(self.desk.client.alarm(alarm.id), "alarm")
        if detail is not None:
            self._show_detail(detail)

    def _show_detail(self, detail: AlarmDetail) -> None:
        if self.has_class("-panel"):
            self.panel.show(detail, self._draft, self.moment)

    def _close_panel(self) -> None:
        self.forget_draft()
        self.remove_class("-panel")
        self.panel.stop()
        self._draw_pictures()

    # -- a draft (rule 2) --------------------------------------------------------------------------------

    def forget_draft(self) -> None:
        """Another row, or done: what was chosen and not acknowledged never counts."""
        if self._draft is not None:
            self._draft = None
            if self.panel.detail is not None:
                self._show_detail(self.panel.detail)

    def action_sideways(self, steps: int) -> None:
        """With the panel open: another draft. In thumbnails: the picture beside. On a group: open it."""
        detail = self.panel.detail
        if self.has_class("-panel"):
            if detail is not None and self.may_change():
                self._draft = DRAFTS[(DRAFTS.index(self._draft) + steps) % len(DRAFTS)]
                self._show_detail(detail)
        elif self.has_class("-thumbs"):
            self.rows.cursor += steps
        elif steps > 0 and self.source.is_grouped and self.alarm is not None:
            self.filters.group = (self.alarm.kind, self.alarm.source)
            self.source.is_grouped = False
            self.narrow()

    # -- triage ------------------------------------------------------------------------------------------

    def meant_words(self) -> str:
        """What the next step is for, in words."""
        marking = self.rows.marking
        noun = "group" if self.source.is_grouped else "alarm"
        if len(marking):
            return f"{format.plural(len(marking), f'marked {noun}')}"
        alarm = self.alarm
        if alarm is None:
            return f"this {noun}"
        return f"{alarm.rule}, {alarm.source or 'station'}" + (
            f" ({format.plural(alarm.members, 'alarm')})" if alarm.members > 1 else ""
        )

    def _step(self, status: AlarmStatus) -> None:
        self.actions.step(status=status)

    def action_false_alarm(self) -> None:
        self._step(AlarmStatus.FALSE_ALARM)

    def action_close(self) -> None:
        self._step(AlarmStatus.CLOSED)

    def action_acknowledge(self) -> None:
        """The status drafted in the panel; without one: in progress."""
        self._step(self._draft or AlarmStatus.IN_PROGRESS)

    def action_progress(self, comment: str = "") -> None:
        """In progress, with a comment."""
        if comment:
            self.actions.step(status=AlarmStatus.IN_PROGRESS, comment=comment)
        else:
            self.actions.ask_comment(AlarmStatus.IN_PROGRESS)

    def action_comment(self, comment: str = "") -> None:
        if comment:
            self.actions.step(comment=comment)
        else:
            self.actions.ask_comment(None)

    def action_mute(self, minutes: str = "") -> None:
        self.actions.mute(minutes)

    def action_unmute(self) -> None:
        self.actions.step(mute_minutes=0)

    def action_undo_step(self) -> None:
        self.actions.undo()

    def action_mark_all(self) -> None:
        self.actions.mark_all()

    # -- other looks -------------------------------------------------------------------------------------

    def action_group(self) -> None:
        """One row for each kind and source (rule 20); again: each alarm."""
        self.source.is_grouped = not self.source.is_grouped
        self.filters.group = None
        self.narrow()

    def action_thumbnails(self) -> None:
        if self.desk.profile.graphics == "none":
            self.say("this console shows no pictures (--graphics none)", is_error=True)
            return
        self.toggle_class("-thumbs")
        if not self.has_class("-thumbs"):
            self.thumbs.stop()
        self.call_after_refresh(self._draw_pictures)

    @on(LineList.Selected)
    def _opened(self, event: LineList.Selected) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """The panel; when it is open: the footage."""
        if self.has_class("-panel"):
            self.action_footage()
        elif self.alarm is not None:
            self.add_class("-panel")
            self.call_after_refresh(self._draw_pictures)

    def action_footage(self) -> None:
        """That camera at that time in Recordings."""
        self.action_go(Scope.RECORDINGS)

    def action_go(self, scope: str) -> None:
        """That camera at that time elsewhere: playback, thumbnail search, motion search."""
        alarm = self.alarm
        if alarm is None or self.desk.mirror.camera(alarm.camera) is None:
            self.say("this alarm is not about a camera that exists", is_error=True)
            return
        self.post_message(self.Wanted(Scope(scope), camera=alarm.camera, at_us=alarm.first_us))

    # -- narrowing and files -----------------------------------------------------------------------------

    def _work(self, work: Callable[[], Awaitable[object]]) -> None:
        start(self, work, "dialog")

    def action_status(self, word: str = "") -> None:
        self.narrowing.choose_status(word)

    def action_sources(self, name: str = "") -> None:
        if self.has_engine():
            self._work(partial(self.narrowing.choose_sources, name))

    def action_kinds(self, kind: str = "") -> None:
        if self.has_engine():
            self._work(partial(self.narrowing.choose_kinds, kind))

    def action_severity(self) -> None:
        self.narrowing.next_level()

    def action_dates(self, text: str = "") -> None:
        self.narrowing.choose_dates(text)

    def action_export(self) -> None:
        self.actions.export_csv()

    def action_clips(self) -> None:
        if self.has_engine():
            self._work(self.actions.clips.export)

    def action_ask_export(self) -> None:
        if self.has_engine():
            self._work(self.actions.clips.ask_export)

    def action_to_case(self) -> None:
        if self.may_change():
            self._work(self.actions.clips.to_case)

    def action_rules(self) -> None:
        self.post_message(self.Wanted(Scope.RULES))

    def action_live(self) -> None:
        self.post_message(self.Wanted(Scope.ALARM_TAB))

    def action_quiet(self) -> None:
        """Notifications off for a time: the app's business."""
        self.post_message(self.QuietWanted())

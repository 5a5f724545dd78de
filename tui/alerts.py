"""What the console does when an alarm was raised, whatever screen is in front: a line in the footer, the bell, the title.

A mix-in of the app: it follows the mirror, asks the rules of tui/notify.py, and has the commands that change them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from textual.content import Content

from engine.client import WatchdeckError
from engine.wire_alarms import MUTE_MINUTES_MAX, AlarmView
from tui.celldiff import CellDiffMixin
from tui.desk import Desk
from tui.mirror import Change
from tui.notify import PATTERNS, PAUSE_S, Notice
from tui.notify_file import save_notifier
from tui.screens.alarms_text import one_line
from tui.screens.frame import FooterLine
from tui.title import WindowTitle, title_words
from tui.wording import severity_wording
from tui.work import BESIDE_MOST, start, start_beside
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

T = TypeVar("T")
USUAL_MINUTES = "30"


class AlertMixin(CellDiffMixin):
    """Toasts, bells, title; `:notify`, `:notify rules` and `:trigger`."""

    desk: Desk
    notify_file: Path | None = None
    """Where the settings are kept; None = nowhere."""
    _heard = 0
    _toasted = 0
    """Alarms told in the toast that is shown."""
    _is_ringing = False
    _window_title: WindowTitle | None = None

    def tell(self, text: str, *, is_error: bool = False) -> None:
        raise NotImplementedError

    # -- following the mirror ----------------------------------------------------------------------------

    def begin_alerts(self) -> None:
        """Alarms that were raised before nobody is called for."""
        self._heard = self.desk.mirror.raised_total
        if self.desk.profile.has_title:
            self._window_title = WindowTitle(self.write_apart)

    @property
    def has_own_title(self) -> bool:
        """The window's title has to be put back."""
        return self._window_title is not None and self._window_title.is_set

    def alert(self, change: Change) -> None:
        """With each change of the mirror."""
        mirror = self.desk.mirror
        if change & Change.ALARMS and mirror.raised_total > self._heard:
            fresh = min(mirror.raised_total - self._heard, len(mirror.raised))
            self._heard = mirror.raised_total
            notice = self.desk.notifier.notice(list(mirror.raised)[-fresh:], mirror.now_us)
            if notice is not None:
                self._toast(notice)
                self.ring(notice.pattern)

    def tick_alerts(self) -> None:
        """Once a second: the time notifications are off may be over; the title."""
        mirror = self.desk.mirror
        if mirror.now_us and self.desk.notifier.end_quiet(mirror.now_us):
            self.tell("notifications are on again")
            self._save()
        if self._window_title is not None:
            station = mirror.station.name if mirror.station is not None else ""
            self._window_title.show(title_words(station, mirror.alarm_counts.new))

    # -- telling -----------------------------------------------------------------------------------------

    def _toast(self, notice: Notice) -> None:
        footer = self.screen_stack[0].query_one(FooterLine)
        self._toasted = notice.number + (self._toasted if footer.has_toast else 0)
        footer.toast(toast_line(notice.alarm, self._toasted))

    def ring(self, pattern: int) -> None:
        """The terminal's bell, once for each beep; a pattern that is under way is not mixed with another."""
        beeps = PATTERNS.get(pattern, ())
        if not beeps or self._is_ringing:
            return
        self._is_ringing = True
        for after_s in beeps:
            if after_s:
                self.set_timer(after_s, self.bell)
            else:
                self.bell()
        self.set_timer(beeps[-1] + PAUSE_S, self._rung)

    def _rung(self) -> None:
        self._is_ringing = False

    # -- commands ----------------------------------------------------------------------------------------

    def action_notifications(self, minutes: str = "") -> None:
        """Off for so many minutes; `on` ends it; without a number it is asked for."""
        if minutes:
            word = "0" if minutes in ("on", "0") else minutes
            if word != "0" and (complaint := _minutes_complaint(word)):
                self.tell(f"{complaint}, or on", is_error=True)
            else:
                self._quiet(int(word))
            return
        left = self.desk.notifier.minutes_left(self.desk.mirror.now_us)
        text = "No toast, no bell and no live picture here for so long; then they come back by themselves."
        if left:
            text = f"Off for another {format.plural(left, 'minute')}. 0 switches them on now."
        field = Field(
            "minutes",
            "Minutes",
            "0" if left else USUAL_MINUTES,
            is_required=True,
            check=lambda typed: "" if typed.strip() == "0" else _minutes_complaint(typed),
        )
        form = FormDialog("Notifications off", [field], submit="Set", text=text)
        self.push_screen(form, lambda values: self._quiet(int(values["minutes"])) if values else None)

    def _quiet(self, minutes: int) -> None:
        self.desk.notifier.quiet_for(minutes, self.desk.mirror.now_us)
        if minutes:
            self.tell(f"notifications are off here for {format.plural(minutes, 'minute')} (:notify on)")
        else:
            self.tell("notifications are on")
        self._save()

    def action_notify_rules(self) -> None:
        """Which rules' alarms are told here."""
        start(self, self._pick_rules, "dialog")

    async def _pick_rules(self) -> None:
        rules = await self._ask(self.desk.client.alarm_rules(), "rules")
        if rules is None:
            return
        notifier = self.desk.notifier
        options = [Option(rule.name, rule.name, rule.severity) for rule in rules]
        dialog = PickDialog(
            "Alarms told on this console",
            options,
            is_many=True,
            chosen=[rule.name for rule in rules if rule.name not in notifier.off_rules],
            submit="Keep",
            text="Without a cross: no toast, live picture or sound here, until it is picked again. "
            "Recording, mail and all else go on.",
        )
        picked = await self.push_screen_wait(dialog)
        if picked is None:
            return
        notifier.off_rules = {rule.name for rule in rules} - set(picked)
        off = len(notifier.off_rules)
        self.tell(f"{format.plural(off, 'rule')} not told here" if off else "all rules are told here")
        self._save()

    def action_trigger(self, button: str = "") -> None:
        """Press a button: by name, or out of a list."""
        if self.desk.is_read_only:
            self.tell("read-only mode: nothing is changed (:readonly leaves it)", is_error=True)
        elif not self.desk.mirror.is_connected:
            self.tell("no engine: wait until it is back", is_error=True)
        else:
            start(self, partial(self._fire, button), "dialog")

    async def _fire(self, button: str) -> None:
        if not button:
            buttons = await self._ask(self.desk.client.virtual_triggers(), "buttons")
            if buttons is None:
                return
            if not buttons:
                self.tell("no rule has a button: a rule with a virtual trigger makes one (:rules)")
                return
            zone, now_us = self.desk.zone, self.desk.mirror.now_us
            options = [
                Option(
                    each.name,
                    each.name,
                    "never pressed"
                    if each.last_fired_us is None
                    else f"pressed {format.recent_time(each.last_fired_us, now_us, zone)}",
                    f"Raises: {', '.join(each.rules)}",
                )
                for each in buttons
            ]
            picked = await self.push_screen_wait(PickDialog("Press a button", options, submit="Press"))
            if not picked:
                return
            button = picked[0]
        if not start_beside(self, partial(self._press, button), "keeping"):
            self.tell(f"{BESIDE_MOST} of these are still under way: wait for one to end", is_error=True)

    async def _press(self, button: str) -> None:
        try:
            await self.desk.client.fire_trigger(button)
        except WatchdeckError as error:
            self.tell(f"{button}: {error}", is_error=True)
        else:
            self.tell(f"pressed: {button}")

    async def _ask(self, call: Awaitable[T], doing: str) -> T | None:
        try:
            return await call
        except WatchdeckError as error:
            self.tell(f"{doing}: {error}", is_error=True)
            return None

    # -- the file ----------------------------------------------------------------------------------------

    def _save(self) -> None:
        if self.notify_file is not None:
            start(self, partial(self._write_file, self.notify_file), "notify-file")

    async def _write_file(self, path: Path) -> None:
        notifier = self.desk.notifier
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="notify") as thread:
            try:
                await loop.run_in_executor(
                    thread, save_notifier, path, frozenset(notifier.off_rules), notifier.quiet_until_us
                )
            except OSError as error:
                self.tell(f"kept for this session only: {path}: {error.strerror}", is_error=True)


def _minutes_complaint(text: str) -> str:
    if text.strip().isdecimal() and 1 <= int(text) <= MUTE_MINUTES_MAX:
        return ""
    return f"minutes: 1 to {MUTE_MINUTES_MAX:,}"


def toast_line(alarm: AlarmView, number: int) -> Content:
    """` ! critical  front-door  Panic button: pressed  (6)`; of several how many, and the worst."""
    wording = severity_wording(alarm.severity)
    several = f"{format.count(number)} new alarms, " if number > 1 else ""
    return Content.assemble(
        (f" {several}{wording.sign} {wording.word} ", f"reverse {wording.style or 'bold'}"),
        (f"  {one_line(alarm)}", "bold"),
        ("  (6)", "bold $text-accent"),
    )

"""What is done with alarms of the list: triage of the row, the group or all that is marked; and files made of them.

Each step is one call and one transaction in the engine, whether it is for one alarm or for ten thousand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from engine.client import WatchdeckError
from engine.wire_alarms import (
    COMMENT_LENGTH,
    MUTE_MINUTES_MAX,
    AlarmQuery,
    AlarmSelection,
    AlarmStatus,
    AlarmTriage,
    AlarmView,
)
from tui.export_job import SaveFailed, file_name, save_bytes
from tui.screens.alarm_clips import AlarmClips
from tui.work import start
from widgets import format
from widgets.dialog import Field, FormDialog

if TYPE_CHECKING:
    from tui.screens.alarms import AlarmsView

GROUPS_MAX = 1_000
"""Groups that can be marked at once: what one answer of the engine holds."""
USUAL_MINUTES = "60"


def minutes_complaint(text: str) -> str:
    """What is wrong with minutes as they were typed; empty = nothing."""
    if text.strip().isdecimal() and 1 <= int(text) <= MUTE_MINUTES_MAX:
        return ""
    return f"minutes: 1 to {MUTE_MINUTES_MAX:,}"


def comment_complaint(text: str) -> str:
    """The same of a comment."""
    return "" if len(text) <= COMMENT_LENGTH else f"at most {COMMENT_LENGTH:,} characters"


class AlarmActions:
    """Steps and dialogs of the alarms view."""

    def __init__(self, view: AlarmsView) -> None:
        self._view = view
        self.clips = AlarmClips(view)
        self.is_busy = False
        """A step is under way: the list waits for its answer before it is read anew."""

    def _work(self, work: Callable[[], Awaitable[object]]) -> None:
        start(self._view, work, "dialog")

    # -- what is meant -----------------------------------------------------------------------------------

    def selection(self) -> AlarmSelection | None:
        """All that is marked, else the row under the cursor (a group: all of it, rule 20); None after saying that
        there is nothing."""
        view = self._view
        rows, source = view.rows, view.source
        marking = rows.marking
        is_grouped = source.is_grouped
        if marking.is_all:
            out = tuple(key for key in marking.taken_out if isinstance(key, int))
            chosen = msgspec.structs.replace(
                source.filter, up_to_id=view.marked_up_to or None, without_ids=out
            )
            return AlarmSelection(filter=chosen)
        keys = marking.keys if len(marking) else frozenset({rows.cursor_key})
        ids = [source.group_id(key) if is_grouped else key for key in keys]
        numbers = tuple(sorted(id for id in ids if isinstance(id, int)))
        if not numbers:
            view.say("no alarm is in hand: the list is empty", is_error=True)
            return None
        return AlarmSelection(ids=numbers, with_groups=is_grouped)

    # -- triage ------------------------------------------------------------------------------------------

    def step(
        self,
        *,
        status: AlarmStatus | None = None,
        mute_minutes: int | None = None,
        comment: str | None = None,
    ) -> None:
        """One step for all that is meant."""
        view = self._view
        if not view.may_change():
            return
        selection = self.selection()
        if selection is not None:
            step = AlarmTriage(
                selection=selection, status=status, mute_minutes=mute_minutes, comment=comment or None
            )
            self._work(partial(self._carry_out, step))

    async def _carry_out(self, step: AlarmTriage) -> None:
        """The cursor goes to the next row that stays; marks are done with."""
        view = self._view
        rows = view.rows
        landing, was_on = rows.landing(), rows.cursor_key
        self.is_busy = True
        try:
            done = await view.ask(view.desk.client.triage(step), "triage")
        finally:
            self.is_busy = False
        if done is None:
            view.changed()
            return
        view.say(f"{done.what} (u undoes)")
        view.forget_draft()
        rows.clear_marks()
        if landing is not None and rows.cursor_key == was_on:
            rows.land_on(landing)
        view.changed()

    def undo(self) -> None:
        """The last step of this operator back."""
        if self._view.may_change():
            self._work(self._undo)

    async def _undo(self) -> None:
        view = self._view
        done = await view.ask(view.desk.client.undo_triage(), "undo")
        if done is not None:
            view.say(done.what)
            view.changed()

    def mute(self, minutes: str) -> None:
        """For so many minutes, or as long as is answered."""
        view = self._view
        if minutes and (complaint := minutes_complaint(minutes)):
            view.say(complaint, is_error=True)
            return
        if minutes:
            self.step(mute_minutes=int(minutes))
            return
        if not view.may_change() or self.selection() is None:
            return
        field = Field(
            "minutes", "Minutes", USUAL_MINUTES, is_required=True, check=minutes_complaint, hint="60"
        )
        form = FormDialog(
            f"Mute {view.meant_words()}",
            [field],
            submit="Mute",
            text="They leave the list for so long (at most 9,999 minutes) and come back by themselves.",
        )
        view.app.push_screen(form, self._mute)

    def _mute(self, values: dict[str, str] | None) -> None:
        if values is not None:
            self.step(mute_minutes=int(values["minutes"]))

    def ask_comment(self, status: AlarmStatus | None) -> None:
        """A comment for the step."""
        view = self._view
        if not view.may_change() or self.selection() is None:
            return
        is_needed = status is None
        title = f"Comment on {view.meant_words()}" if is_needed else f"In progress: {view.meant_words()}"
        field = Field(
            "comment",
            "Comment",
            is_required=is_needed,
            check=comment_complaint,
            hint="what was seen, who was called",
        )
        form = FormDialog(title, [field], submit="Save", text="Kept with your name and the time.")
        view.app.push_screen(form, partial(self._comment, status))

    def _comment(self, status: AlarmStatus | None, values: dict[str, str] | None) -> None:
        if values is not None:
            self.step(status=status, comment=values["comment"].strip())

    # -- marking all -------------------------------------------------------------------------------------

    def mark_all(self) -> None:
        """All of this filter that have come by now; again: none."""
        view = self._view
        rows = view.rows
        if rows.marking.is_all or (len(rows.marks) and len(rows.marks) == rows.count):
            rows.clear_marks()
        elif view.source.is_grouped:
            self._work(self._mark_groups)
        elif rows.count:
            seen_id = view.marked_up_to = view.source.seen_id
            rows.mark_all(lambda key: isinstance(key, int) and key <= seen_id)

    async def _mark_groups(self) -> None:
        view = self._view
        fields = msgspec.structs.asdict(view.source.filter)
        query = AlarmQuery(**fields, grouped=True, limit=GROUPS_MAX)
        page = await view.ask(view.desk.client.alarms(query), "groups")
        if page is None:
            return
        if page.total > len(page.alarms):
            view.say(f"only the newest {GROUPS_MAX:,} groups are marked")
        view.source.note_groups(page.alarms)
        view.rows.mark_keys((alarm.kind, alarm.source) for alarm in page.alarms)

    # -- files -------------------------------------------------------------------------------------------

    def export_csv(self) -> None:
        """The whole list of this filter, as a file on this machine."""
        if self._view.has_engine():
            self._work(self._export_csv)

    async def _export_csv(self) -> None:
        view = self._view
        desk = view.desk
        data = await view.ask(desk.client.alarm_csv(view.source.filter), "export")
        if data is None:
            return
        path = desk.folder / file_name("alarms", desk.mirror.now_us, desk.zone, ".csv")
        try:
            saved = await save_bytes(data, path)
        except SaveFailed as error:
            view.say(str(error), is_error=True)
        else:
            rows = max(data.count(b"\n") - 1, 0)
            view.say(f"saved {format.plural(rows, 'alarm')} in {saved}")

    async def meant_alarms(self, limit: int) -> tuple[list[AlarmView], int] | None:
        """The first so many of what is meant, and how many there are; None after saying why not."""
        view = self._view
        selection = self.selection()
        if selection is None:
            return None
        try:
            if selection.filter is not None:
                fields = msgspec.structs.asdict(selection.filter)
                page = await view.desk.client.alarms(AlarmQuery(**fields, limit=limit))
                return list(page.alarms), page.total
            if selection.with_groups:
                return await self._members(selection.ids, limit)
            ids = selection.ids[-limit:]
            return [(await view.desk.client.alarm(id)).alarm for id in ids], len(selection.ids)
        except WatchdeckError as error:
            view.say(f"alarms: {error}", is_error=True)
            return None

    async def _members(self, newest_ids: tuple[int, ...], limit: int) -> tuple[list[AlarmView], int]:
        """Of groups: what each shows when it is opened, up to its newest alarm."""
        view = self._view
        client = view.desk.client
        found: list[AlarmView] = []
        total = 0
        for id in newest_ids:
            newest = (await client.alarm(id)).alarm
            group = msgspec.structs.replace(
                view.source.filter, kinds=(newest.kind,), sources=(newest.source,), up_to_id=id
            )
            page = await client.alarms(AlarmQuery(**msgspec.structs.asdict(group), limit=limit))
            members = [alarm for alarm in page.alarms if alarm.kind == newest.kind]
            total += page.total - (len(page.alarms) - len(members))
            found += members[: limit - len(found)]
        return found, total

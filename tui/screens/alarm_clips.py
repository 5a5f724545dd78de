"""The footage of alarms, each from pre- to post-event: files here, one an alarm, with progress and a way to stop; exports; cases."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from engine.client import WatchdeckError
from engine.wire_alarms import AlarmDetail, AlarmView
from tui.clip import Clip
from tui.export_job import SaveFailed, export_to_file, file_name
from tui.screens.case_dialog import add_to_case
from tui.screens.export_dialog import ask_export
from tui.work import start
from widgets import format
from widgets.dialog import ConfirmDialog, ProgressDialog

if TYPE_CHECKING:
    from tui.screens.alarms import AlarmsView

CLIPS_MAX = 200
"""Files made, or clips put into a case, at once."""


def clip_of(detail: AlarmDetail, now_us: int) -> Clip:
    """As the rule records it, as far as it has happened by now."""
    alarm = detail.alarm
    start_us = detail.clip_start_us or alarm.first_us
    end_us = min(detail.clip_end_us or alarm.last_us + format.SECOND_US, now_us)
    return Clip(alarm.camera, start_us, end_us)


class AlarmClips:
    """The export of the alarms view; one at a time."""

    def __init__(self, view: AlarmsView) -> None:
        self._view = view
        self._export: Worker[None] | None = None

    async def export(self) -> None:
        """Ask, then fetch one after the other; what was saved stays when it is stopped."""
        view = self._view
        found = await view.actions.meant_alarms(CLIPS_MAX)
        if found is None:
            return
        alarms = [alarm for alarm in found[0] if alarm.camera]
        if not alarms:
            view.say("no camera has footage of these alarms", is_error=True)
            return
        words = [f"{format.plural(len(alarms), 'file')} in {view.desk.folder}, from pre- to post-event."]
        if len(alarms) < len(found[0]):
            words.append(f"{len(found[0]) - len(alarms)} of them have no camera.")
        if found[1] > len(found[0]):
            words.append(f"{found[1]:,} are marked; at most {CLIPS_MAX} are saved at once.")
        question = ConfirmDialog(
            "Save the footage of these alarms?", "\n".join(words), confirm="Save", is_destructive=False
        )
        if await view.app.push_screen_wait(question):
            dialog = ProgressDialog(f"Saving {format.plural(len(alarms), 'clip')}")
            await view.app.push_screen(dialog, self._closed)
            self._export = start(view, partial(self._fetch, alarms, dialog), "export")

    def _closed(self, is_done: bool | None) -> None:
        if not is_done and self._export is not None:
            self._export.cancel()
            self._view.say("export stopped; the files saved so far stay")

    async def _fetch(self, alarms: list[AlarmView], dialog: ProgressDialog) -> None:
        view = self._view
        total = len(alarms)
        saved = 0
        trouble = ""
        for number, alarm in enumerate(alarms):
            dialog.advance(number, total, f"{number + 1} of {total}: {alarm.camera}")
            try:
                await self._save(alarm)
                saved += 1
            except (WatchdeckError, SaveFailed) as error:
                trouble = f"{alarm.camera}: {error}"
        failed = total - saved
        words = f"Saved {format.plural(saved, 'clip')} in {view.desk.folder}"
        if failed:
            words += f"; {failed} not, the last: {trouble}"
        dialog.finish(words, is_failed=bool(failed))
        view.say(words, is_error=bool(failed))

    async def _save(self, alarm: AlarmView) -> None:
        desk = self._view.desk
        clip = clip_of(await desk.client.alarm(alarm.id), desk.mirror.now_us)
        path = desk.folder / file_name(f"alarm-{alarm.id}-{clip.camera}", clip.start_us, desk.zone, ".mp4")
        await export_to_file(
            desk.client, clip.camera, clip.start_us, clip.end_us, path, lambda done, total: None
        )

    # -- evidence ----------------------------------------------------------------------------------------

    async def ask_export(self) -> None:
        """By the engine or here, as the dialog asks; of several alarms as many ranges."""
        alarms = await self._with_footage()
        if alarms and (clips := await self._clips(alarms)):
            await ask_export(self._view, clips, comment=_named_alike(alarms))

    async def to_case(self) -> None:
        """As many stretches as there are alarms, the oldest first."""
        alarms = await self._with_footage()
        if alarms and (clips := await self._clips(alarms)):
            await add_to_case(self._view, clips, comment=_named_alike(alarms))

    async def _with_footage(self) -> list[AlarmView]:
        """Those meant that are of a camera; none after saying why not."""
        view = self._view
        found = await view.actions.meant_alarms(CLIPS_MAX)
        if found is None:
            return []
        if found[1] > len(found[0]):
            view.say(f"{found[1]:,} are marked; at most {CLIPS_MAX} at once", is_error=True)
            return []
        alarms = [alarm for alarm in found[0] if alarm.camera]
        if not alarms:
            view.say("no camera has footage of these alarms", is_error=True)
        elif left := len(found[0]) - len(alarms):
            view.say(f"{format.plural(left, 'alarm')} without a camera left out")
        return sorted(alarms, key=lambda alarm: alarm.first_us)

    async def _clips(self, alarms: list[AlarmView]) -> list[Clip]:
        view = self._view
        clips = []
        for alarm in alarms:
            detail = await view.ask(view.desk.client.alarm(alarm.id), "alarm")
            if detail is None:
                return []
            clips.append(clip_of(detail, view.desk.mirror.now_us))
        return clips


def _named_alike(alarms: list[AlarmView]) -> str:
    """The rule that raised all of them; empty = several did."""
    rules = {alarm.rule for alarm in alarms}
    return rules.pop() if len(rules) == 1 else ""

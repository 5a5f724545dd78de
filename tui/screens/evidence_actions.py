"""What is done with exports and cases on the evidence screen: dialogs and calls, each a worker of the view."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from textual.worker import Worker

from engine.client import WatchdeckError
from engine.wire_evidence import CaseAdd, CaseEdit, CaseItemEdit, CaseItemView, CaseView, ExportJobView
from tui.event_search import time_complaint, time_fields, typed_time
from tui.export_job import SaveFailed, fetch_export
from tui.screens.direct_export import PacedProgress
from tui.screens.evidence_text import export_text, is_active
from tui.screens.export_dialog import ask_export
from tui.work import start
from widgets import format
from widgets.dialog import ConfirmDialog, Field, FormDialog, ProgressDialog

if TYPE_CHECKING:
    from tui.screens.evidence import EvidenceView


class ExportActions:
    """With one export."""

    def __init__(self, view: EvidenceView) -> None:
        self._view = view
        self._fetching: Worker[None] | None = None

    def tell(self, job: ExportJobView | None) -> None:
        """Files and notes, to be read."""
        if job is not None:
            text = export_text(job, self._view.desk.zone)
            self._view.app.push_screen(ConfirmDialog("Export", text, confirm="OK", cancel="Close"))

    def key(self) -> None:
        start(self._view, self._key, "dialog")

    async def _key(self) -> None:
        view = self._view
        key = await view.ask(view.desk.client.station_key(), "station key")
        if key is not None:
            text = (
                "Exports are signed with this station's key. Its fingerprint, to be read out\n"
                f"to whoever verifies them:\n\n{_in_two_lines(key.fingerprint)}\n\n"
                f"{key.algorithm}, made {format.local_time(key.created_us, view.desk.zone)}"
            )
            view.app.push_screen(ConfirmDialog("Station key", text, confirm="OK", cancel="Close"))

    def cancel(self, job: ExportJobView) -> None:
        if is_active(job):
            start(self._view, partial(self._cancel, job), "dialog")
        else:
            self._view.say(f"export {job.name} is {job.state} already", is_error=True)

    async def _cancel(self, job: ExportJobView) -> None:
        view = self._view
        question = ConfirmDialog(
            f"Cancel export {job.name}?", "Nothing of it is left.", confirm="Cancel it", cancel="Go on"
        )
        if not await view.app.push_screen_wait(question):
            return
        if await view.ask(view.desk.client.cancel_export_job(job.id), f"export {job.name}") is not None:
            view.say(f"export {job.name} cancelled")
        view.fetch_again()

    def remove(self, job: ExportJobView) -> None:
        if is_active(job):
            self._view.say("it is not over: c cancels it", is_error=True)
        else:
            start(self._view, partial(self._remove, job), "dialog")

    async def _remove(self, job: ExportJobView) -> None:
        view = self._view
        text = f"Its files in {job.folder} are deleted." if job.folder else "It is taken off the list."
        if not await view.app.push_screen_wait(
            ConfirmDialog(f"Remove export {job.name}?", text, confirm="Remove")
        ):
            return
        if await view.carry(view.desk.client.remove_export_job(job.id), f"export {job.name}"):
            view.say(f"removed export {job.name}")
        view.fetch_again()

    def fetch(self, job: ExportJobView) -> None:
        if not job.folder:
            words = "its files were removed" if job.is_expired else f"it is {job.state}"
            self._view.say(f"export {job.name}: {words}", is_error=True)
            return
        start(self._view, partial(self._begin, job), "dialog")

    async def _begin(self, job: ExportJobView) -> None:
        dialog = ProgressDialog(f"Fetching {job.name}")
        await self._view.app.push_screen(dialog, self._closed)
        self._fetching = start(self._view, partial(self._fetch, job, dialog), "fetch")

    def _closed(self, is_done: bool | None) -> None:
        if not is_done and self._fetching is not None:
            self._fetching.cancel()
            self._view.say("fetching cancelled; nothing half-written was left")

    async def _fetch(self, job: ExportJobView, dialog: ProgressDialog) -> None:
        view = self._view
        files = [(file.name, file.bytes, file.sha256) for file in job.files]
        name = job.folder.rpartition("/")[2]
        try:
            saved = await fetch_export(
                view.desk.client, job.id, name, files, view.desk.folder, PacedProgress(dialog)
            )
        except (WatchdeckError, SaveFailed) as error:
            dialog.finish(f"Not fetched: {error}", is_failed=True)
            view.say(f"export {job.name}: {error}", is_error=True)
        else:
            dialog.finish(f"Saved {saved}")
            view.say(f"saved {saved}")


class CaseActions:
    """With one case, or a stretch of it."""

    def __init__(self, view: EvidenceView) -> None:
        self._view = view

    def add(self) -> None:
        start(self._view, self._add, "dialog")

    async def _add(self) -> None:
        view = self._view
        fields = [Field("name", "Name", is_required=True), Field("comment", "Comment")]
        values = await view.app.push_screen_wait(FormDialog("New case", fields))
        if values is not None:
            new = CaseAdd(name=values["name"].strip(), comment=values["comment"].strip())
            added = await view.ask(view.desk.client.add_case(new), f"case {new.name}")
            if added is not None:
                view.say(f"case {added.name} begun: C in Recordings puts footage into it")
                view.fetch_again()

    def edit(self, case: CaseView) -> None:
        start(self._view, partial(self._edit, case), "dialog")

    async def _edit(self, case: CaseView) -> None:
        view = self._view
        fields = [
            Field("name", "Name", case.name, is_required=True),
            Field("comment", "Comment", case.comment),
        ]
        values = await view.app.push_screen_wait(FormDialog(f"Case {case.name}", fields))
        if values is not None:
            changes = CaseEdit(name=values["name"].strip(), comment=values["comment"].strip())
            await self._changed(case, changes)

    async def _changed(self, case: CaseView, changes: CaseEdit) -> None:
        view = self._view
        changed = await view.ask(view.desk.client.edit_case(str(case.id), changes), f"case {case.name}")
        if changed is not None:
            view.put_case(changed)

    def remove(self, case: CaseView) -> None:
        start(self._view, partial(self._remove, case), "dialog")

    async def _remove(self, case: CaseView) -> None:
        view = self._view
        clips = format.plural(len(case.items), "clip")
        text = f"Its {clips} may be recycled from then on. Exports of it stay."
        question = ConfirmDialog(f"Remove case {case.name}?", text, confirm="Remove")
        if not await view.app.push_screen_wait(question):
            return
        if await view.carry(view.desk.client.remove_case(str(case.id)), f"case {case.name}"):
            view.say(f"removed case {case.name}")
        view.fetch_again()

    def export(self, case: CaseView) -> None:
        if not case.items:
            self._view.say(f"case {case.name} is empty", is_error=True)
        else:
            start(self._view, partial(self._export, case), "dialog")

    async def _export(self, case: CaseView) -> None:
        if await ask_export(self._view, (), case=case.name, name=case.name):
            self._view.fetch_again()

    # -- stretches ---------------------------------------------------------------------------------------

    def reorder(self, case: CaseView, item: CaseItemView, step: int) -> None:
        items = list(case.items)
        place = items.index(item)
        if 0 <= place + step < len(items):
            items[place], items[place + step] = items[place + step], items[place]
            # Shown at once: the next key starts from here, however slow the engine is. Of two orders the newest counts.
            self._view.put_case(msgspec.structs.replace(case, items=tuple(items)))
            self._view.go_to_item(place + step)
            start(self._view, partial(self._reorder, case, tuple(each.id for each in items)), "reorder")

    async def _reorder(self, case: CaseView, order: tuple[int, ...]) -> None:
        view = self._view
        call = view.desk.client.edit_case(str(case.id), CaseEdit(order=order))
        if await view.ask(call, f"case {case.name}") is None:
            view.fetch_again()

    def edit_item(self, case: CaseView, item: CaseItemView) -> None:
        start(self._view, partial(self._edit_item, case, item), "dialog")

    async def _edit_item(self, case: CaseView, item: CaseItemView) -> None:
        view = self._view
        now_us, zone = view.desk.mirror.now_us, view.desk.zone

        def complaint(values: Mapping[str, str]) -> tuple[str, str] | None:
            for key in ("from", "to"):
                if typed_time(values[key], now_us, zone) is None:
                    return key, "a time is needed"
            return time_complaint(values, now_us, zone)

        fields = [
            *time_fields(item.start_us, item.end_us, now_us, zone),
            Field("comment", "Comment", item.comment),
        ]
        form = FormDialog(f"{item.camera} in case {case.name}", fields, check=complaint)
        values = await view.app.push_screen_wait(form)
        if values is None:
            return
        changes = CaseItemEdit(
            start_us=self._new_time(values["from"], item.start_us),
            end_us=self._new_time(values["to"], item.end_us),
            comment=values["comment"].strip(),
        )
        call = view.desk.client.edit_case_item(str(case.id), item.id, changes)
        changed = await view.ask(call, f"case {case.name}")
        if changed is not None:
            view.put_case(changed)

    def _new_time(self, text: str, before_us: int) -> int | None:
        """None: it was left as it stood."""
        zone = self._view.desk.zone
        if text == format.local_time(before_us, zone):
            return None
        return typed_time(text, self._view.desk.mirror.now_us, zone)

    def remove_item(self, case: CaseView, item: CaseItemView) -> None:
        start(self._view, partial(self._remove_item, case, item), "dialog")

    async def _remove_item(self, case: CaseView, item: CaseItemView) -> None:
        view = self._view
        text = f"{item.camera}, {format.local_time(item.start_us, view.desk.zone)}: it may be recycled from then on."
        question = ConfirmDialog(f"Take it out of case {case.name}?", text, confirm="Take out")
        if not await view.app.push_screen_wait(question):
            return
        call = view.desk.client.remove_case_item(str(case.id), item.id)
        changed = await view.ask(call, f"case {case.name}")
        if changed is not None:
            view.put_case(changed)


def _in_two_lines(fingerprint: str) -> str:
    groups = fingerprint.split()
    half = (len(groups) + 1) // 2
    return f"  {' '.join(groups[:half])}\n  {' '.join(groups[half:])}"

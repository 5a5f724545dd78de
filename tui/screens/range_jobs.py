"""What is done with a range of a camera's recordings: lock it, unlock it, export it to a file with progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from textual.worker import Worker

from engine import wire
from engine.client import WatchdeckError
from tui.desk import Undo
from tui.export_job import SaveFailed, export_to_file, file_name, free_bytes
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.dialog import ConfirmDialog, Field, FormDialog, ProgressDialog

PROGRESS_S = 0.25
"""The bar moves at most this often."""


class RangeJobs:
    """Dialogs and jobs of a view; each method is a worker of the view."""

    def __init__(self, view: View, on_locks: Callable[[], None] = lambda: None) -> None:
        """`on_locks` is called when a lock came or went."""
        self._view = view
        self._on_locks = on_locks
        self._export: Worker[None] | None = None

    def _words(self, start_us: int, end_us: int) -> str:
        zone = self._view.desk.zone
        return f"{format.local_time(start_us, zone)} to {format.local_time(end_us, zone)}"

    # -- locks -------------------------------------------------------------------------------------------

    async def lock(self, camera: str, chosen: tuple[int, int], reason: str) -> None:
        view = self._view
        if not reason:
            text = f"{self._words(*chosen)}: kept from recycling until it is unlocked."
            form = FormDialog(
                f"Lock recordings of {camera}", [Field("reason", "Reason")], submit="Lock", text=text
            )
            values = await view.app.push_screen_wait(form)
            if values is None:
                return
            reason = values["reason"].strip()
        await self._add(wire.LockAdd(camera=camera, start_us=chosen[0], end_us=chosen[1], reason=reason))

    async def _add(self, lock: wire.LockAdd) -> None:
        view = self._view
        added = await view.ask(view.desk.client.add_lock(lock), f"lock {lock.camera}")
        if added is not None:
            view.say(f"locked {lock.camera} {self._words(lock.start_us, lock.end_us)} (z takes it back)")
            view.desk.undo.append(Undo(f"lock of {lock.camera}", lambda: self._remove(added)))
            self._on_locks()

    async def _remove(self, lock: wire.LockView) -> bool:
        view = self._view
        is_done = await view.carry(view.desk.client.remove_lock(lock.id), f"unlock {lock.camera}")
        self._on_locks()
        return is_done

    async def unlock(self, camera: str, at_us: int) -> None:
        view = self._view
        locks = await view.ask(view.desk.client.locks(camera, at_us, at_us + 1), f"locks of {camera}")
        if locks is None:
            return
        if not locks:
            view.say(f"no lock of {camera} is under the playhead", is_error=True)
            return
        lock = locks[-1]
        reason = f"\nReason given: {lock.reason}" if lock.reason else ""
        text = (
            f"{camera}, {self._words(lock.start_us, lock.end_us)}.{reason}\n"
            "Without the lock the oldest of it may be recycled at once."
        )
        if await view.app.push_screen_wait(ConfirmDialog("Unlock these recordings?", text, confirm="Unlock")):
            if await self._remove(lock):
                view.say(f"unlocked {lock.camera} {self._words(lock.start_us, lock.end_us)}")

    # -- export ------------------------------------------------------------------------------------------

    async def export(self, camera: str, chosen: tuple[int, int]) -> None:
        """Says what the file would hold, then fetches it; cancelling leaves nothing behind."""
        view = self._view
        desk = view.desk
        plan = await view.ask(desk.client.plan_export(camera, *chosen), f"export of {camera}")
        if plan is None:
            return
        path = desk.folder / file_name(camera, plan.start_us, desk.zone, ".mp4")
        gaps = len(plan.parts) - 1
        holes = f", with {format.plural(gaps, 'gap')} inside" if gaps > 0 else ""
        text = (
            f"{camera}, {self._words(plan.start_us, plan.end_us)}\n"
            f"{format.decimal_bytes(plan.bytes)}, {format.clock_length(plan.end_us - plan.start_us)}"
            f"{holes}\n"
            f"to {path}\n({format.decimal_bytes(free_bytes(desk.folder))} free there)"
        )
        question = ConfirmDialog("Export this range?", text, confirm="Export", is_destructive=False)
        if await view.app.push_screen_wait(question):
            dialog = ProgressDialog(f"Exporting {camera}")
            await view.app.push_screen(dialog, self._closed)
            self._export = start(view, partial(self._fetch, plan, dialog), "export")

    def _closed(self, is_done: bool | None) -> None:
        if not is_done and self._export is not None:
            self._export.cancel()
            self._view.say("export cancelled; no file was left")

    async def _fetch(self, plan: wire.ExportPlan, dialog: ProgressDialog) -> None:
        view = self._view
        desk = view.desk
        path = desk.folder / file_name(plan.camera, plan.start_us, desk.zone, ".mp4")
        started_at = last_at = time.monotonic()

        def progress(done_bytes: int, total_bytes: int) -> None:
            nonlocal last_at
            now_at = time.monotonic()
            if now_at - last_at < PROGRESS_S and done_bytes < total_bytes:
                return
            last_at = now_at
            rate_bps = done_bytes / max(now_at - started_at, 0.001)
            left_us = round((total_bytes - done_bytes) / max(rate_bps, 1) * 1_000_000)
            dialog.advance(
                done_bytes,
                total_bytes,
                f"{format.decimal_bytes(done_bytes)} of {format.decimal_bytes(total_bytes)}, "
                f"{format.clock_length(left_us)} left",
            )

        try:
            saved = await export_to_file(desk.client, plan.camera, plan.start_us, plan.end_us, path, progress)
        except (WatchdeckError, SaveFailed) as error:
            dialog.finish(f"Not exported: {error}", is_failed=True)
            view.say(f"export of {plan.camera}: {error}", is_error=True)
        else:
            dialog.finish(f"Saved {saved}")
            view.say(f"saved {saved}")

"""An export that this console fetches itself, straight into a file here: one range, as recorded, no password and no report."""

from __future__ import annotations

import time
from functools import partial

from textual.worker import Worker

from engine import wire
from engine.client import WatchdeckError
from tui.export_job import SaveFailed, export_to_file, file_name, free_bytes
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.dialog import ConfirmDialog, ProgressDialog

PROGRESS_S = 0.25
"""The bar moves at most this often."""


class DirectExport:
    """Dialog and job; `ask_and_fetch` is a worker of the view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._export: Worker[None] | None = None

    async def ask_and_fetch(self, camera: str, chosen: tuple[int, int]) -> bool:
        """Says what the file would hold, then fetches it; cancelling leaves nothing behind. False: not begun."""
        view = self._view
        desk = view.desk
        plan = await view.ask(desk.client.plan_export(camera, *chosen), f"export of {camera}")
        if plan is None:
            return False
        path = desk.folder / file_name(camera, plan.start_us, desk.zone, ".mp4")
        gaps = len(plan.parts) - 1
        holes = f", with {format.plural(gaps, 'gap')} inside" if gaps > 0 else ""
        first, last = (format.local_time(each, desk.zone) for each in (plan.start_us, plan.end_us))
        text = (
            f"{camera}, {first} to {last}\n"
            f"{format.decimal_bytes(plan.bytes)}, {format.clock_length(plan.end_us - plan.start_us)}"
            f"{holes}\n"
            f"to {path}\n({format.decimal_bytes(free_bytes(desk.folder))} free there)"
        )
        question = ConfirmDialog("Export this range?", text, confirm="Export", is_destructive=False)
        if not await view.app.push_screen_wait(question):
            return False
        dialog = ProgressDialog(f"Exporting {camera}")
        await view.app.push_screen(dialog, self._closed)
        self._export = start(view, partial(self._fetch, plan, dialog), "export")
        return True

    def _closed(self, is_done: bool | None) -> None:
        if not is_done and self._export is not None:
            self._export.cancel()
            self._view.say("export cancelled; no file was left")

    async def _fetch(self, plan: wire.ExportPlan, dialog: ProgressDialog) -> None:
        view = self._view
        desk = view.desk
        path = desk.folder / file_name(plan.camera, plan.start_us, desk.zone, ".mp4")
        try:
            saved = await export_to_file(
                desk.client, plan.camera, plan.start_us, plan.end_us, path, PacedProgress(dialog)
            )
        except (WatchdeckError, SaveFailed) as error:
            dialog.finish(f"Not exported: {error}", is_failed=True)
            view.say(f"export of {plan.camera}: {error}", is_error=True)
        else:
            dialog.finish(f"Saved {saved}")
            view.say(f"saved {saved}")


class PacedProgress:
    """Moves a bar at most four times a second, with what is left to wait."""

    def __init__(self, dialog: ProgressDialog) -> None:
        self._dialog = dialog
        self._started_at = self._last_at = time.monotonic()

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        now_at = time.monotonic()
        if now_at - self._last_at < PROGRESS_S and done_bytes < total_bytes:
            return
        self._last_at = now_at
        rate_bps = done_bytes / max(now_at - self._started_at, 0.001)
        left_us = round((total_bytes - done_bytes) / max(rate_bps, 1) * 1_000_000)
        self._dialog.advance(
            done_bytes,
            total_bytes,
            f"{format.decimal_bytes(done_bytes)} of {format.decimal_bytes(total_bytes)}, "
            f"{format.clock_length(left_us)} left",
        )

"""A camera's own events and motion in its pictures, set in a dialog; areas are drawn on its picture (f4).

saved = await app.push_screen_wait(AnalyticsDialog(desk, await client.analytics(camera)))      True = saved
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Label

from engine.client import WatchdeckError
from engine.wire_sources import AnalyticsView
from tui.analytics_form import (
    ALL,
    ALL_BUT,
    analytics_fields,
    areas_of,
    drawn_words,
    mask_complaint,
    settings_of,
    state_words,
)
from tui.desk import Desk
from tui.screens.areas_dialog import AreasDialog
from tui.work import start
from widgets.choice import Choice
from widgets.dialog import FormDialog

AREAS_MAX = 576
"""As many as there are cells: a mask from a file may be a pattern."""


class AnalyticsDialog(FormDialog):
    """Dismissed with the values after saving; stays open with the reason when the engine refuses."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4", "draw_areas", "draw areas", show=False)]

    def __init__(self, desk: Desk, view: AnalyticsView) -> None:
        super().__init__(
            f"Analytics of {view.camera}",
            analytics_fields(view.settings),
            text=f"{state_words(view, desk.mirror.now_us)}\nf4 draws areas: left out, or looked at alone.",
            check=self._complaint,
            is_closing=False,
        )
        self._desk = desk
        self._view = view
        self._areas = areas_of(view.settings)

    def _complaint(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        wrong = mask_complaint(values["part"], self._areas)
        return ("part", wrong) if wrong else None

    def action_draw_areas(self) -> None:
        """What is drawn counts: all of the picture becomes all but the areas."""
        start(self, self._draw_areas, "areas")

    async def _draw_areas(self) -> None:
        camera = self._view.camera
        dialog = AreasDialog(self._desk, f"Areas of {camera}", camera, None, self._areas, limit=AREAS_MAX)
        areas = await self.app.push_screen_wait(dialog)
        if areas is None:
            return
        self._areas = areas
        part = self.query_one("#field-part", Choice)
        if not areas:
            part.value = ALL
        elif part.value == ALL:
            part.value = ALL_BUT
        self.show_error("", "")
        self._say(drawn_words(part.value, areas))
        part.focus()

    def _say(self, words: str) -> None:
        self.query_one("#error", Label).update(words)

    @on(FormDialog.Submitted)
    def _save(self, event: FormDialog.Submitted) -> None:
        event.stop()
        start(self, partial(self._store, event.values), "save")

    async def _store(self, values: dict[str, str]) -> None:
        settings = settings_of(values, self._areas, self._view.settings)
        self._say("saving ...")
        try:
            await self._desk.client.edit_analytics(self._view.camera, settings)
        except WatchdeckError as error:
            self.show_error("onvif_url" if "onvif_url" in error.what else "", str(error))
            return
        self.dismiss(values)

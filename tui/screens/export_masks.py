"""The form of an export: its masks are typed, or drawn on the picture (f4) and then stand in the field as if typed. Manual row EX-04."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.desk import Desk
from tui.mask_words import NoMask, rectangles_of, redrawn
from tui.screens.areas_dialog import AreasDialog
from tui.work import start
from widgets.areas import bounds, rectangle_of
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

MASKS_MAX = 64
"""Of one range; the engine refuses more."""


@dataclass(frozen=True, slots=True)
class MaskField:
    """Where the masks of a camera are typed."""

    key: str
    camera: str
    at_us: int
    """Of the picture they are drawn on."""


class MaskingDialog(FormDialog):
    """A form with fields for masks; without any it is like every form."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4", "draw_masks", "draw masks", show=False)]

    def __init__(
        self,
        desk: Desk,
        title: str,
        fields: Sequence[Field],
        *,
        masks: Sequence[MaskField],
        when: Callable[[str], int | None],
        check: Callable[[Mapping[str, str]], tuple[str, str] | None],
    ) -> None:
        """`when` reads a time in a mask."""
        super().__init__(title, fields, submit="Plan", check=check)
        self._desk = desk
        self._masks = tuple(masks)
        self._when = when

    def action_draw_masks(self) -> None:
        """Of the field in hand; of the only camera; else of one that is picked."""
        if self._masks:
            start(self, self._draw_masks, "masks")

    async def _draw_masks(self) -> None:
        mask = await self._meant()
        if mask is None:
            return
        editor = self.query_one(f"#field-{mask.key}", Input)
        try:
            before = rectangles_of(editor.value, self._when)
        except NoMask as error:
            self.show_error(mask.key, str(error))
            return
        dialog = AreasDialog(
            self._desk,
            f"Masks of {mask.camera}",
            mask.camera,
            mask.at_us,
            [rectangle_of(each) for each in before],
            has_polygons=False,
            limit=MASKS_MAX,
        )
        areas = await self.app.push_screen_wait(dialog)
        if areas is not None:
            editor.value = redrawn(editor.value, self._when, [bounds(area) for area in areas])
            self.show_error("", "")
            editor.focus()

    async def _meant(self) -> MaskField | None:
        focused = self.focused.id if self.focused is not None else None
        in_hand = next((mask for mask in self._masks if f"field-{mask.key}" == focused), None)
        if in_hand is not None or len(self._masks) == 1:
            return in_hand or self._masks[0]
        options = [Option(mask.key, mask.camera) for mask in self._masks]
        picked = await self.app.push_screen_wait(PickDialog("Masks of which camera?", options))
        return next((mask for mask in self._masks if picked and mask.key == picked[0]), None)

"""The form of an export: its masks are typed, or drawn on the picture (f4) and then stand in the field as if typed. Manual row EX-04."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from engine.wire_evidence import MaskStyle
from tui.desk import Desk
from tui.mask_words import NoMask, drawn, redrawn
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


class MasksDialog(AreasDialog):
    """Rectangles, each black or pixelated."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "style", "black or pixelated", show=False)]
    MORE_KEYS = "s black/pixelate  "

    def __init__(
        self,
        desk: Desk,
        mask: MaskField,
        at_us: int,
        before: Sequence[tuple[tuple[int, int, int, int], MaskStyle]],
    ) -> None:
        areas = [rectangle_of(rectangle) for rectangle, _ in before]
        title = f"Masks of {mask.camera}"
        super().__init__(desk, title, mask.camera, at_us, areas, has_polygons=False, limit=MASKS_MAX)
        self._were = dict(before)
        self.chosen_styles: dict[tuple[int, int, int, int], MaskStyle] = {}
        """Of those whose style was chosen here."""

    def hand_words(self) -> str:
        index = self.cell.in_hand
        if index is None or self.cell.points:
            return ""
        return f", this one {'black' if self._style(index) is MaskStyle.BLACK else 'pixelated'}"

    @property
    def is_changed(self) -> bool:
        return super().is_changed or bool(self.chosen_styles)

    def _style(self, index: int) -> MaskStyle:
        rectangle = bounds(self.cell.areas[index])
        return self.chosen_styles.get(rectangle, self._were.get(rectangle, MaskStyle.BLACK))

    def action_style(self) -> None:
        index = self.cell.in_hand
        if index is None:
            self.say("no area is under the cursor")
            return
        is_black = self._style(index) is MaskStyle.BLACK
        self.chosen_styles[bounds(self.cell.areas[index])] = (
            MaskStyle.PIXELATE if is_black else MaskStyle.BLACK
        )
        self.say("")


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
        first: Callable[[Mapping[str, str], str], Awaitable[int]],
        check: Callable[[Mapping[str, str]], tuple[str, str] | None],
    ) -> None:
        """`when` reads a time in a mask; `first` knows of which time a camera's first picture is, with the form filled in like this."""
        super().__init__(title, fields, submit="Plan", check=check)
        self._desk = desk
        self._masks = tuple(masks)
        self._when = when
        self._first = first

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
            before = drawn(editor.value, self._when)
        except NoMask as error:
            self.show_error(mask.key, str(error))
            return
        dialog = MasksDialog(self._desk, mask, await self._first(self.values, mask.camera), before)
        areas = await self.app.push_screen_wait(dialog)
        if areas is not None:
            rectangles = [bounds(area) for area in areas]
            editor.value = redrawn(editor.value, self._when, rectangles, dialog.chosen_styles)
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

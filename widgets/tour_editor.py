"""A dialog with two panes: what there is on the left, what is shown in turn on the right, each for so many seconds. Manual rows VT-03, VT-04.

TourEditor(title, names, stops, *, seconds=5)    -> tuple[(name, seconds), ...] | None
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from widgets.dialog_frame import DialogFrame
from widgets.format import fit
from widgets.glyphs import glyphs_of

SECONDS_MAX = 86_400
STOPS_MAX = 128
ROWS_AROUND = 9
KEYS = "space add/drop  tab side  J/K move  0-9 seconds  = for all  a save  esc"
LEFT, RIGHT = 0, 1

Stop = tuple[str, int]


class TourEditor(ModalScreen[tuple[Stop, ...] | None]):
    """The stops in their order; None when cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
        Binding("tab,left,right,h,l", "other_side", show=False),
        Binding("up,k", "step(-1)", show=False),
        Binding("down,j", "step(1)", show=False),
        Binding("space,enter", "take", show=False),
        Binding("delete,d", "drop", show=False),
        Binding("shift+up,K", "move(-1)", show=False),
        Binding("shift+down,J", "move(1)", show=False),
        Binding("plus", "longer(1)", show=False),
        Binding("minus", "longer(-1)", show=False),
        Binding("equals_sign", "same", show=False),
        Binding("a,f10,ctrl+s", "save", "save", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | tab, left, right | the other side |
    | up, down | another line |
    | space, enter | left: add it at the end; right: take it out |
    | shift+up, shift+down (or K, J) | right: earlier, later |
    | digits, + and - | right: seconds |
    | = | these seconds for all |
    | a, f10 | save |
    | escape | cancel |
    """

    DEFAULT_CSS = """
    TourEditor {
        align: center middle;
        background: $background;
        DialogFrame { width: 78; }
        #views { width: 1fr; height: auto; }
        #stops { width: 1fr; height: auto; }
    }
    """

    def __init__(
        self, title: str, names: Sequence[str], stops: Sequence[Stop] = (), *, seconds: int = 5
    ) -> None:
        """
        Args:
            names: of what can be shown.
            seconds: of a stop that is added.
        """
        super().__init__()
        self._heading = title
        self._names = tuple(names)
        self._stops = list(stops)
        self._seconds = seconds
        self._side = LEFT
        self._at = [0, 0]
        self._typed = ""
        """Digits of the seconds being typed."""

    def compose(self) -> ComposeResult:
        """Two panes, what is wrong, keys."""
        with DialogFrame(self._heading, KEYS):
            with Horizontal(id="panes"):
                yield Static(id="views")
                yield Static(id="stops")
            yield Label("", id="error", classes="dialog--error", markup=False)

    def on_mount(self) -> None:
        """Draw."""
        self._draw()

    def on_resize(self) -> None:
        """As many lines as there is room for."""
        self._draw()

    # -- drawing -----------------------------------------------------------------------------------------

    def _draw(self) -> None:
        width = (min(78, max(self.size.width, 40)) - 6) // 2
        rows = max(3, self.size.height - ROWS_AROUND)
        total = sum(seconds for _, seconds in self._stops)
        left = [(name, "") for name in self._names]
        right = [(f"{n}. {name}", f"{seconds} s") for n, (name, seconds) in enumerate(self._stops, 1)]
        heads = ("Views", f"Tour, {total} s in all" if self._stops else "Tour: nothing yet")
        rows = min(rows, max(len(left), len(right), 3))
        self.query_one("#panes").styles.height = rows + 2
        for side, pane, items in ((LEFT, "#views", left), (RIGHT, "#stops", right)):
            lines = [Content.styled(fit(heads[side], width), "bold" if side == self._side else "dim")]
            first = max(0, self._at[side] - rows + 1)
            for number in range(first, min(first + rows, len(items))):
                name, seconds = items[number]
                is_in_hand = number == self._at[side]
                mark = f"{glyphs_of(self).cursor} " if is_in_hand and side == self._side else "  "
                room = width - len(mark) - len(seconds) - 2
                text = f"{mark}{fit(name, room, glyphs_of(self).ellipsis)} {seconds} "
                lines.append(Content.styled(text, "reverse bold" if mark.strip() else ""))
            lines += [Content("")] * (rows + 1 - len(lines))
            self.query_one(pane, Static).update(Content("\n").join(lines))

    def _say(self, text: str) -> None:
        self.query_one("#error", Label).update(text)

    # -- keys --------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Digits are the seconds of the line in hand."""
        if event.key.isdecimal() and self._side == RIGHT and self._stops:
            event.stop()
            self._typed = (self._typed + event.key).lstrip("0")[-5:]
            if self._typed:
                self._set_seconds(min(int(self._typed), SECONDS_MAX))
        else:
            self._typed = ""

    def _set_seconds(self, seconds: int) -> None:
        name, _ = self._stops[self._at[RIGHT]]
        self._stops[self._at[RIGHT]] = (name, seconds)
        self._draw()

    def action_longer(self, by: int) -> None:
        """A second more or less."""
        if self._stops:
            seconds = self._stops[self._at[RIGHT]][1]
            self._set_seconds(min(max(seconds + by, 1), SECONDS_MAX))

    def action_same(self) -> None:
        """VT-04: the same for all."""
        if self._stops:
            seconds = self._stops[self._at[RIGHT]][1]
            self._stops = [(name, seconds) for name, _ in self._stops]
            self._seconds = seconds
            self._draw()
            self._say(f"{seconds} s for all")

    def action_other_side(self) -> None:
        """The other pane."""
        if self._side == RIGHT or self._stops:
            self._side = LEFT if self._side == RIGHT else RIGHT
            self._draw()
        else:
            self._say("the tour has no view yet: space adds one")

    def action_step(self, by: int) -> None:
        """Another line."""
        count = len(self._names) if self._side == LEFT else len(self._stops)
        self._at[self._side] = min(max(self._at[self._side] + by, 0), max(count - 1, 0))
        self._draw()

    def action_take(self) -> None:
        """Left: add; right: take out."""
        self._say("")
        if self._side == RIGHT:
            self.action_drop()
        elif len(self._stops) >= STOPS_MAX:
            self._say(f"a tour has at most {STOPS_MAX} stops")
        elif self._names:
            self._stops.append((self._names[self._at[LEFT]], self._seconds))
            self._at[RIGHT] = len(self._stops) - 1
            self._draw()

    def action_drop(self) -> None:
        """Take the line in hand out of the tour."""
        if self._side == RIGHT and self._stops:
            del self._stops[self._at[RIGHT]]
            self._at[RIGHT] = min(self._at[RIGHT], max(len(self._stops) - 1, 0))
            if not self._stops:
                self._side = LEFT
            self._draw()

    def action_move(self, by: int) -> None:
        """Earlier or later."""
        here, there = self._at[RIGHT], self._at[RIGHT] + by
        if self._stops and 0 <= there < len(self._stops):
            self._stops[here], self._stops[there] = self._stops[there], self._stops[here]
            self._at[RIGHT] = there
            self._draw()

    def action_save(self) -> None:
        """Done."""
        if self._stops:
            self.dismiss(tuple(self._stops))
        else:
            self._say("a tour needs a view: space adds the one in hand")

    def action_cancel(self) -> None:
        """Nothing is changed."""
        self.dismiss(None)

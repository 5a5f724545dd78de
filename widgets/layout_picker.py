"""A dialog in which a layout is picked: a column for each type, the one in hand as a sketch. Manual rows LV-03, CL-04.

    LayoutPicker(title, columns, *, chosen="")     -> LayoutPick | None
        LayoutColumn(title, items, is_own=False)     LayoutItem(key, title, columns, rows, cells)
        LayoutPick(key, verb)                        verb: `open`, `rename`, `remove` (the last two of own ones)

Arrows move, letters and digits find a name, enter picks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from widgets.cell_grid import CellBox
from widgets.dialog_frame import DialogFrame
from widgets.format import fit
from widgets.glyphs import glyphs_of
from widgets.sketch import sketch

LIST_ROWS = 8
"""Names in sight; longer columns scroll."""
SKETCH_COLUMNS, SKETCH_ROWS = 33, 9
Verb = Literal["open", "rename", "remove"]


@dataclass(frozen=True, slots=True)
class LayoutItem:
    """One layout."""

    key: str
    title: str
    columns: int
    rows: int
    cells: Sequence[CellBox]


@dataclass(frozen=True, slots=True)
class LayoutColumn:
    """Layouts of one type."""

    title: str
    items: Sequence[LayoutItem]
    is_own: bool = False
    """They can be renamed and removed."""


@dataclass(frozen=True, slots=True)
class LayoutPick:
    """What was picked, and what for."""

    key: str
    verb: Verb = "open"


class LayoutPicker(ModalScreen[LayoutPick | None]):
    """None when cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
        Binding("left", "move(-1,0)", show=False),
        Binding("right", "move(1,0)", show=False),
        Binding("up", "move(0,-1)", show=False),
        Binding("down", "move(0,1)", show=False),
        Binding("enter", "pick('open')", show=False),
        Binding("f2", "pick('rename')", show=False),
        Binding("delete", "pick('remove')", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | arrows | another layout |
    | letters, digits, `+`; backspace | the first whose name begins so |
    | enter | pick it |
    | f2, delete | rename, remove one of the own |
    | escape | forget what was typed, then cancel |
    """

    DEFAULT_CSS = """
    LayoutPicker {
        align: center middle;
        background: $background;
        DialogFrame { width: 78; }
        #columns, #sketch { width: 1fr; height: auto; }
        #sketch { margin: 1 0 0 0; }
    }
    """

    def __init__(
        self, title: str, columns: Sequence[LayoutColumn], *, chosen: str = "", said: str = ""
    ) -> None:
        """
        Args:
            chosen: key of the one in hand at first.
            said: said at first: what came of the pick before.
        """
        super().__init__()
        self._heading = title
        self._said = said
        self._columns = [column for column in columns if column.items]
        self._at = next(
            (
                (x, y)
                for x, column in enumerate(self._columns)
                for y, item in enumerate(column.items)
                if item.key == chosen
            ),
            (0, 0),
        )
        self._typed = ""

    def compose(self) -> ComposeResult:
        """Columns, sketch, what is wrong, keys."""
        with DialogFrame(self._heading, "arrows or type a name   enter pick   F2/del own ones   esc back"):
            yield Static(id="columns")
            yield Static(id="sketch")
            yield Label(self._said, id="error", classes="dialog--error", markup=False)

    def on_mount(self) -> None:
        """Draw."""
        self._draw()

    def on_resize(self) -> None:
        """The sketch goes first where there is little room."""
        self._draw()

    @property
    def in_hand(self) -> LayoutItem:
        """The layout under the cursor."""
        x, y = self._at
        return self._columns[x].items[y]

    # -- drawing -----------------------------------------------------------------------------------------

    def _draw(self) -> None:
        room = min(78, max(self.size.width, 30)) - 4
        width = room // max(len(self._columns), 1)
        glyphs = glyphs_of(self)
        shown = max(2, min(LIST_ROWS, self.size.height - 7))
        lines = [
            Content("").join(
                Content.styled(fit(column.title, width), "bold" if x == self._at[0] else "dim")
                for x, column in enumerate(self._columns)
            )
        ]
        for row in range(shown):
            parts = []
            for x, column in enumerate(self._columns):
                first = max(0, self._at[1] - shown + 1) if x == self._at[0] else 0
                y = first + row
                if y >= len(column.items):
                    parts.append(Content(" " * width))
                    continue
                is_in_hand = (x, y) == self._at
                mark = f"{glyphs.cursor} " if is_in_hand else "  "
                text = fit(column.items[y].title, width - 3, glyphs.ellipsis)
                parts.append(Content.styled(mark + text, "reverse bold" if is_in_hand else "") + Content(" "))
            lines.append(Content("").join(parts))
        self.query_one("#columns", Static).update(Content("\n").join(lines))
        self._draw_sketch(self.size.height - shown - 8)

    def _draw_sketch(self, room: int) -> None:
        item, pane = self.in_hand, self.query_one("#sketch", Static)
        height = min(SKETCH_ROWS, room)
        pane.display = height >= 4
        if not pane.display:
            return
        labels = [str(number) for number in range(1, len(item.cells) + 1)]
        lines = sketch(item.columns, item.rows, item.cells, labels, SKETCH_COLUMNS, height, glyphs_of(self))
        count = len(item.cells)
        words = [
            Content.styled(f"   {item.title}", "bold"),
            Content(f"   {count} cell{'s' if count != 1 else ''}"),
            Content(f"   find: {self._typed}" if self._typed else ""),
        ]
        words += [Content("")] * (len(lines) - len(words))
        pane.update(Content("\n").join(line + word for line, word in zip(lines, words, strict=False)))

    # -- keys --------------------------------------------------------------------------------------------

    def action_move(self, across: int, down: int) -> None:
        """Another layout; columns and rows end."""
        x = min(max(self._at[0] + across, 0), len(self._columns) - 1)
        y = min(max(self._at[1] + down, 0), len(self._columns[x].items) - 1)
        self._typed = ""
        self._show(x, y)

    def _show(self, x: int, y: int) -> None:
        self._at = x, y
        self.query_one("#error", Label).update("")
        self._draw()

    def on_key(self, event: events.Key) -> None:
        """Letters find a name."""
        character = event.character
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif character is not None and character.isprintable():
            self._typed += character
        else:
            return
        event.stop()
        wanted = self._typed.casefold()
        found = [
            (x, y)
            for x, column in enumerate(self._columns)
            for y, item in enumerate(column.items)
            if item.title.casefold().startswith(wanted)
        ]
        if found:
            self._show(*found[0])
        else:
            self.query_one("#error", Label).update(f"no layout begins with {self._typed!r}")
            self._typed = self._typed[:-1]

    def action_pick(self, verb: Verb) -> None:
        """Done; what is always there stays as it is."""
        if verb != "open" and not self._columns[self._at[0]].is_own:
            self.query_one("#error", Label).update("this layout is always there")
        else:
            self.dismiss(LayoutPick(self.in_hand.key, verb))

    def action_cancel(self) -> None:
        """What was typed goes first."""
        if self._typed:
            self._typed = ""
            self._draw()
        else:
            self.dismiss(None)

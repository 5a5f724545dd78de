"""A dialog with saved things by name: find one by typing, open, save under a name, rename, remove.

    ShelfDialog(title, entries, verbs, *, text="", empty="", said="")   -> ShelfPick | None
        ShelfEntry(key, note="", mark="")
        ShelfVerb(key, word, label, needs="entry"|"name"|"")      `needs` what it is done to: the entry in hand, what was typed
        ShelfPick(word, name)                                     the verb's word; the entry's key, or what was typed

Enter does the first verb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option as Row

from widgets.dialog_frame import DialogFrame
from widgets.format import fit

ROWS_AROUND = 8


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """One saved thing."""

    key: str
    """Its name."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ShelfVerb:
    """One thing to do with them."""

    key: str
    word: str
    label: str
    needs: Literal["entry", "name", ""] = "entry"


@dataclass(frozen=True, slots=True)
class ShelfPick:
    """What is to be done, and with which."""

    word: str
    name: str


class ShelfDialog(ModalScreen[ShelfPick | None]):
    """None when cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
    ]
    """
    | Key | Does |
    | :- | :- |
    | letters | narrow the list to names that hold them |
    | up, down | another one |
    | enter | the first verb |
    | others | as printed |
    | escape | forget what was typed, then cancel |
    """

    DEFAULT_CSS = """
    ShelfDialog {
        align: center middle;
        background: $background;
        DialogFrame { width: 78; }
        OptionList {
            height: auto; border: none; padding: 0; margin: 1 0 0 0; background: $surface; scrollbar-size-vertical: 1;
            & > .option-list--option { padding: 0; }
            & > .option-list--option-highlighted {
                color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
            }
            &:focus { border: none; }
        }
    }
    """

    def __init__(
        self,
        title: str,
        entries: Sequence[ShelfEntry],
        verbs: Sequence[ShelfVerb],
        *,
        text: str = "",
        empty: str = "",
        said: str = "",
    ) -> None:
        """
        Args:
            empty: said when there are none.
            said: said at first: what came of the verb before.
        """
        super().__init__()
        self._heading = title
        self._entries = tuple(entries)
        self._verbs = tuple(verbs)
        self._text = text
        self._empty = empty
        self._said = said
        self._shown = list(self._entries)
        self._width = max((cell_len(entry.key) for entry in self._entries), default=0)

    def compose(self) -> ComposeResult:
        """Words, the line for a name, the list, keys."""
        keys = "   ".join([*(f"{_named(verb.key)} {verb.label}" for verb in self._verbs), "esc back"])
        with DialogFrame(self._heading, keys):
            if self._text:
                yield Static(self._text, classes="dialog--text", markup=False)
            yield Input(id="name", compact=True, placeholder="type a name")
            yield OptionList(*self._rows(), compact=True)
            yield Label("", id="error", classes="dialog--error", markup=False)

    def on_mount(self) -> None:
        """Type at once; the first is in hand."""
        rows = self.query_one(OptionList)
        rows.can_focus = False
        rows.highlighted = 0 if self._shown else None
        self.query_one(Input).focus()
        if self._said or not self._entries:
            self._say(self._said or self._empty)

    def on_resize(self, event: events.Resize) -> None:
        """The list scrolls where there is little room."""
        self.query_one(OptionList).styles.max_height = max(3, self.size.height - ROWS_AROUND)

    def _rows(self) -> list[Row]:
        return [
            Row(Content.assemble((fit(entry.key, self._width), "bold"), f"  {entry.note}"))
            for entry in self._shown
        ]

    def _say(self, text: str) -> None:
        self.query_one("#error", Label).update(text)

    @property
    def _typed(self) -> str:
        return self.query_one(Input).value.strip()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow; a name typed in full is in hand."""
        event.stop()
        wanted = self._typed.casefold()
        self._shown = [entry for entry in self._entries if wanted in entry.key.casefold()]
        rows = self.query_one(OptionList)
        rows.clear_options()
        rows.add_options(self._rows())
        whole = [n for n, entry in enumerate(self._shown) if entry.key.casefold() == wanted]
        rows.highlighted = next(iter(whole), 0) if self._shown else None
        self._say("")

    def action_step(self, by: int) -> None:
        """Another one."""
        rows = self.query_one(OptionList)
        rows.action_cursor_down() if by > 0 else rows.action_cursor_up()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The first verb."""
        event.stop()
        self._do(self._verbs[0])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """With the mouse."""
        event.stop()
        self._do(self._verbs[0])

    def on_key(self, event: events.Key) -> None:
        """The other verbs."""
        for verb in self._verbs[1:]:
            if event.key == verb.key:
                event.stop()
                event.prevent_default()
                self._do(verb)

    def _do(self, verb: ShelfVerb) -> None:
        place = self.query_one(OptionList).highlighted
        in_hand = self._shown[place].key if place is not None and place < len(self._shown) else ""
        if verb.needs == "entry" and not in_hand:
            self._say(f"none is called {self._typed!r}" if self._typed else self._empty or "there is none")
        elif verb.needs == "name" and not (self._typed or in_hand):
            self._say("type a name first")
        elif verb.needs == "name":
            self.dismiss(ShelfPick(verb.word, self._typed or in_hand))
        else:
            self.dismiss(ShelfPick(verb.word, in_hand if verb.needs else self._typed))

    def action_cancel(self) -> None:
        """What was typed goes first."""
        if self._typed:
            self.query_one(Input).value = ""
        else:
            self.dismiss(None)


def _named(key: str) -> str:
    return {"delete": "del", "insert": "ins"}.get(
        key, key.upper() if key[0] == "f" and key[1:].isdigit() else key
    )

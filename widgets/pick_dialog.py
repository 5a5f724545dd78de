"""A dialog in which one, or some, of several things are picked; what cannot be picked stands there greyed, with the reason.

    PickDialog(title, options, *, text="", is_many=False, chosen=(), submit="Choose", needs="")  -> tuple[str, ...] | None
        Option(key, title, note="", help="", refused="")
        `note` stands behind the title, `help` below the list while the option is in hand
        `chosen`: keys picked already, or the one in hand; `needs`: said when nothing is picked (empty = that is allowed)

One: enter picks, digits too. Some: space picks and drops, `a` all or none, enter goes on. `/` narrows by words. Escape: None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

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

ROWS_AROUND = 5
"""Of the frame, the message and the keys."""
FEW = 9
"""Of more than these the keys say that the list can be narrowed."""


@dataclass(frozen=True, slots=True)
class Option:
    """One line of the list."""

    key: str
    title: str
    note: str = ""
    help: str = ""
    refused: str = ""
    """Why it cannot be picked; empty = it can."""
    is_faint: bool = False
    """It can be picked, but something else has to be done first: `note` says what."""


class PickDialog(ModalScreen[tuple[str, ...] | None]):
    """The keys of what was picked, in the order of the list; None when cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "cancel", show=False),
        Binding("j", "move('down')", show=False),
        Binding("k", "move('up')", show=False),
        Binding("space", "pick", "pick", show=False),
        Binding("a", "all", "all or none", show=False),
        Binding("f10", "submit", "go on", show=False),
        Binding("slash", "filter", "narrow", show=False),
        *(Binding(str(digit), f"number({digit})", show=False) for digit in range(1, 10)),
    ]
    """
    | Key | Does |
    | :- | :- |
    | up/k, down/j, home, end | another line |
    | enter | pick it; where several may be picked: go on with those picked |
    | 1-9 | pick the line of that number (where one is picked) |
    | space, a | pick or drop it; all or none in sight (where several may be picked) |
    | / | narrow the list by words; enter or down: back to the list |
    | escape, q | take the words off, then cancel |
    """

    DEFAULT_CSS = """
    PickDialog {
        align: center middle;
        background: $background;
        DialogFrame { width: 78; }
        OptionList {
            height: auto; border: none; padding: 0; background: $surface; scrollbar-size-vertical: 1;
            & > .option-list--option { padding: 0; }
            & > .option-list--option-disabled { color: $text-muted; }
            & > .option-list--option-highlighted {
                color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
            }
            &:focus { border: none; background-tint: $surface 0%; }
        }
        #words { display: none; }
        #help { width: 1fr; height: auto; margin: 1 0 0 0; color: $text-muted; }
    }
    """

    def __init__(
        self,
        title: str,
        options: Sequence[Option],
        *,
        text: str = "",
        is_many: bool = False,
        chosen: Sequence[str] = (),
        submit: str = "Choose",
        needs: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """
        Args:
            chosen: picked already; where one is picked: the one in hand.
            needs: where several may be picked: what is said when none is; empty = that is allowed.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._heading = title
        self._options = tuple(options)
        self._text = text
        self._is_many = is_many
        self._chosen = set(chosen)
        self._submit = submit
        self._needs = needs
        self._width = max((cell_len(option.title) for option in self._options), default=0)
        self._shown = list(range(len(self._options)))
        """Numbers of the options in sight."""

    def compose(self) -> ComposeResult:
        """Title, words, the list, help on the line in hand, keys."""
        verb = self._submit.lower()
        keys = (
            f"space pick/drop   a all/none   enter {verb}   esc back"
            if self._is_many
            else f"up/down, enter or digit {verb}   esc back"
        )
        if len(self._options) > FEW:
            keys = f"/ narrow   {keys}"
        with DialogFrame(self._heading, keys):
            if self._text:
                yield Static(self._text, classes="dialog--text", markup=False)
            yield Input(id="words", compact=True, placeholder="words to look for")
            yield OptionList(*self._rows(), compact=True)
            yield Static("", id="help", markup=False)
            yield Label("", id="error", classes="dialog--error", markup=False)

    def on_mount(self) -> None:
        """The first that can be picked is in hand, or the one chosen."""
        rows = self.query_one(OptionList)
        rows.focus()
        free = [number for number, option in enumerate(self._options) if not option.refused]
        wanted = [number for number in free if self._options[number].key in self._chosen]
        rows.highlighted = next(iter(wanted if wanted and not self._is_many else free), None)
        self._show_help(self._in_hand)

    def on_resize(self, event: events.Resize) -> None:
        """The list takes what the words leave; it scrolls when that is too little."""
        inner = max(20, min(78, self.size.width) - 4)
        words = [self._text, *(max((option.help for option in self._options), key=len, default=""),)]
        taken = sum(
            1 + sum(1 + cell_len(line) // inner for line in text.splitlines()) for text in words if text
        )
        self.query_one(OptionList).styles.max_height = max(3, self.size.height - ROWS_AROUND - taken)

    # -- drawing -----------------------------------------------------------------------------------------

    def _rows(self) -> list[Row]:
        return [
            Row(self._line(number), disabled=bool(self._options[number].refused)) for number in self._shown
        ]

    @property
    def _in_hand(self) -> int | None:
        """Number of the option under the cursor."""
        place = self.query_one(OptionList).highlighted
        return self._shown[place] if place is not None and place < len(self._shown) else None

    def _line(self, number: int) -> Content:
        option = self._options[number]
        if option.refused:
            mark = (
                " -  " if self._is_many else "- "
            )  # without colours, too, it is seen that it cannot be picked
        elif self._is_many:
            mark = "[x] " if option.key in self._chosen else "[ ] "
        else:
            place = self._shown.index(number) + 1
            is_numbered = option.title.split(maxsplit=1)[:1] == [str(place)]
            mark = "" if is_numbered else f"{place} " if place <= 9 else "  "
        title = fit(option.title, self._width)
        rest = option.refused or option.note
        style = "" if option.refused else "$text-muted" if option.is_faint else "bold"
        rest_style = "$text-muted" if option.is_faint else ""
        return Content.assemble(mark, (title, style), (f"  {rest}" if rest else "", rest_style))

    def _show_help(self, number: int | None) -> None:
        text = self._options[number].help if number is not None else ""
        pane = self.query_one("#help", Static)
        pane.update(text)
        pane.display = bool(text)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Help follows."""
        event.stop()
        self._show_help(self._in_hand)

    def _say(self, text: str) -> None:
        self.query_one("#error", Label).update(text)

    # -- keys --------------------------------------------------------------------------------------------

    def action_move(self, where: str) -> None:
        """Another line."""
        rows = self.query_one(OptionList)
        rows.action_cursor_down() if where == "down" else rows.action_cursor_up()

    def action_number(self, digit: int) -> None:
        """By number, where one is picked."""
        if self._is_many or digit > len(self._shown):
            return
        option = self._options[self._shown[digit - 1]]
        if option.refused:
            self._say(option.refused)
        else:
            self.dismiss((option.key,))

    def action_pick(self) -> None:
        """Pick or drop; where one is picked: pick it."""
        number = self._in_hand
        if number is None:
            return
        if not self._is_many:
            self.dismiss((self._options[number].key,))
            return
        self._chosen ^= {self._options[number].key}
        self._redraw((number,))

    def action_all(self) -> None:
        """All that can be picked; none when they are."""
        if self._is_many:
            seen = [self._options[number] for number in self._shown]
            every = {option.key for option in seen if not option.refused}
            self._chosen = self._chosen - every if every <= self._chosen else self._chosen | every
            self._redraw(self._shown)

    def _redraw(self, numbers: Sequence[int]) -> None:
        rows = self.query_one(OptionList)
        for number in numbers:
            rows.replace_option_prompt_at_index(self._shown.index(number), self._line(number))
        self._say("")

    def action_filter(self) -> None:
        """Words to narrow the list by."""
        words = self.query_one("#words", Input)
        words.display = True
        words.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """As they are typed: all of them, anywhere in the line."""
        event.stop()
        words = event.value.casefold().split()
        self._shown = [
            number
            for number, option in enumerate(self._options)
            if all(word in f"{option.title} {option.note} {option.refused}".casefold() for word in words)
        ]
        rows = self.query_one(OptionList)
        rows.clear_options()
        rows.add_options(self._rows())
        free = (place for place, number in enumerate(self._shown) if not self._options[number].refused)
        rows.highlighted = next(free, None)
        self._show_help(self._in_hand)
        self._say("" if self._shown else "nothing fits these words")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the list."""
        event.stop()
        self.query_one(OptionList).focus()

    def on_key(self, event: events.Key) -> None:
        """Down leaves the words for the list."""
        if event.key == "down" and self.query_one("#words", Input).has_focus:
            event.stop()
            self.query_one(OptionList).focus()

    def action_submit(self) -> None:
        """Go on with what is picked."""
        if not self._is_many:
            self.action_pick()
            return
        picked = tuple(option.key for option in self._options if option.key in self._chosen)
        if self._needs and not picked:
            self._say(self._needs)
        else:
            self.dismiss(picked)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter."""
        event.stop()
        self.action_submit()

    def action_cancel(self) -> None:
        """The words go first; then: nothing is picked."""
        words = self.query_one("#words", Input)
        if words.display:
            words.value = ""
            words.display = False
            self.query_one(OptionList).focus()
        else:
            self.dismiss(None)

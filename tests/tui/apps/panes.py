"""A console in small: table, tabs, dialogs, wide characters. Run as `python -m tests.tui.apps.panes stock|diff`.

Keys: u change a value, j/k table cursor, m dialog, s another screen, t theme, r same content again, w wide text,
g scroll, l lots of changes, x exit. After each key the title says how many keys were handled.
"""

from __future__ import annotations

import sys
from typing import Any

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, DataTable, Input, Label, Static

from tui.celldiff import CellDiffMixin
from tui.themes import register_themes

register_themes()


class Ask(ModalScreen[None]):
    """Translucent dialog over everything."""

    CSS = "Ask { align: center middle; } #box { width: 40; height: 9; border: thick $error; background: $surface; }"
    BINDINGS = [Binding("escape", "dismiss", "close")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box"):
            yield Label("Really? 本当に?")
            yield Input("text")
            yield Button("No")


class Other(Screen[None]):
    """Something else entirely."""

    BINDINGS = [Binding("escape", "app.pop_screen", "back")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield Static(
            "\n".join(
                f"[bold]{n}[/] [italic]line[/] [underline]of[/] [reverse]another[/] screen" for n in range(30)
            )
        )


class Panes(App[str]):
    """The stock one."""

    CSS = """
    #left { width: 30; border: round $primary; }
    #wide { height: 4; background: $panel; }
    #value { height: 1; color: $success; text-style: bold; }
    """
    BINDINGS = [  # noqa: RUF012
        Binding("u", "value", "value"),
        Binding("m", "ask", "ask"),
        Binding("s", "other", "other"),
        Binding("t", "next_theme", "theme"),
        Binding("r", "same", "same"),
        Binding("w", "wide", "wide"),
        Binding("l", "lots", "lots"),
        Binding("x", "quit", "exit"),
    ]
    ENABLE_COMMAND_PALETTE = False
    count = 0
    wide = 0

    def compose(self) -> ComposeResult:
        yield Static("panes", id="title")
        with Horizontal():
            with VerticalScroll(id="left"):
                yield Static("value 0", id="value")
                yield Static("plain", id="wide", markup=False)
                yield Static("\n".join(f"row {n}" for n in range(40)), id="rows")
            table: DataTable[Any] = DataTable(cursor_type="row", id="table")
            yield table
        yield Static("ready", id="foot")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("camera", "state", "rate")
        for n in range(50):
            table.add_row(f"camera {n}", "recording" if n % 3 else "[red]lost[/]", f"{n * 1.7:.1f} Mbit/s")
        table.focus()

    def action_value(self) -> None:
        self.count += 1
        self.query_one("#value", Static).update(f"value {self.count}")

    def action_same(self) -> None:
        value = self.query_one("#value", Static)
        value.update(f"value {self.count}")

    def action_ask(self) -> None:
        self.push_screen(Ask())

    def action_other(self) -> None:
        self.push_screen(Other())

    def action_next_theme(self) -> None:
        names = ["textual-dark", "watchdeck", "watchdeck-light", "nord"]
        if self.current_theme.ansi:
            names = ["ansi-dark", "watchdeck-16"]
        here = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(here + 1) % len(names)]

    def action_wide(self) -> None:
        texts = [
            "plain",
            "玄関 カメラ",
            "a玄関 b",
            "玄a関",
            "über \u0301x é",
            "plain玄",
            "xx 関関関",
            "👩\u200d👩\u200d👧 family |",
            "🇩🇪 flag |",
        ]
        self.wide = (self.wide + 1) % len(texts)
        self.query_one("#wide", Static).update(texts[self.wide])

    def action_lots(self) -> None:
        rows = self.query_one("#rows", Static)
        self.count += 1
        rows.update("\n".join(f"{'x' * (n * self.count % 23)} [b]{n * self.count}[/b]" for n in range(40)))
        self.query_one("#foot", Static).update("." * (self.count % 70))


class DiffPanes(CellDiffMixin, Panes):  # type: ignore[misc]
    """The same through the cell diff."""

    BINDINGS = [Binding("ctrl+l", "repaint", "repaint")]  # noqa: RUF012


if __name__ == "__main__":
    app = DiffPanes() if sys.argv[1] == "diff" else Panes()
    app.run(mouse=False)

"""The box a dialog stands in: border by what the terminal can draw, compact buttons and fields, printed keys."""

from __future__ import annotations

from textual.containers import Vertical
from textual.widgets import Label

from widgets.glyphs import glyphs_of


class DialogFrame(Vertical):
    """Titled box with the keys on its last line.

    Children carry `dialog--text`, `dialog--error` or `dialog--buttons` (a `Horizontal`) as class.
    """

    DEFAULT_CSS = """
    DialogFrame {
        width: 66;
        max-width: 100%;
        height: auto;
        max-height: 100%;
        background: $surface;
        color: $foreground;
        border: solid $primary;
        border-title-style: bold;
        padding: 0 1;
        &.-ascii { border: ascii $primary; }
        &.-destructive { border: solid $error; border-title-color: $text-error; }
        &.-destructive.-ascii { border: ascii $error; }
        .dialog--text { width: 1fr; height: auto; margin: 0 0 1 0; }
        .dialog--keys { color: $text-muted; width: 1fr; }
        .dialog--error { color: $text-error; text-style: bold; width: 1fr; height: auto; }
        .dialog--buttons { height: 1; margin: 0 0 1 0; }
        Button.-textual-compact {
            height: 1; min-width: 10; margin: 0 2 0 0; padding: 0 1;
            background: $panel; color: $foreground; text-style: none;
            &:focus {
                background: $block-cursor-background;
                color: $block-cursor-foreground;
                text-style: $block-cursor-text-style;
            }
        }
        Input { background: $panel; }
        /* In eight colours Textual uses the terminal's own background, which may be as light as the text. */
        Input:ansi {
            background: $surface;
            color: $foreground;
            &:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
            &>.input--placeholder { color: $foreground; }
        }
        Button:ansi.-style-default.-textual-compact {
            background: $input-selection-background;
            color: $input-selection-foreground;
            text-style: none;
            &:focus {
                background: $block-cursor-background;
                color: $block-cursor-foreground;
                text-style: $block-cursor-text-style;
            }
        }
    }
    """

    def __init__(self, title: str, keys: str = "", *, is_destructive: bool = False) -> None:
        """
        Args:
            title: on the border.
            keys: what the keys do; last line of the box.
            is_destructive: the border says so.
        """
        super().__init__(classes="-destructive" if is_destructive else "")
        self.border_title = title.replace("[", "\\[")
        self._keys = keys

    def on_mount(self) -> None:
        """Border by glyph set; the keys go last."""
        self.set_class(glyphs_of(self).name == "ascii", "-ascii")
        self.mount(Label(self._keys, id="keys", classes="dialog--keys", markup=False))

    def say_keys(self, keys: str) -> None:
        """Other keys work now."""
        self.query_one("#keys", Label).update(keys)

"""One-line bars with a number, and a small sparkline that costs few bytes on the wire.

    Meter(label, *, label_width=8, name, id, classes)
        .show(share, text, *, mark=None, level="")      share 0..1; mark 0..1 = a tick on the bar (retention); level ok|warning|error
    spark_text(values, levels, bottom=0, top=None)      the same as plain text, one cell a value
    Spark(*, limit=None, name, id, classes)   .push(value)  .set_values(values)     one colour, newest on the right

Both draw given values, keep no time and know no units: the text comes with the value.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from widgets.format import fit
from widgets.glyphs import glyphs_of

Level = Literal["", "ok", "warning", "error"]


def spark_text(values: Sequence[float], levels: str, *, bottom: float = 0.0, top: float | None = None) -> str:
    """One rising bar a value; a blank for what is not above `bottom`. `top` None or 0 = the highest value."""
    span = (top or max(values, default=0.0)) - bottom or 1.0
    return "".join(
        " " if value <= bottom else levels[min(int((value - bottom) / span * len(levels)), len(levels) - 1)]
        for value in values
    )


class Meter(Widget):
    """Label, bar, number on one line; draws again only when what is seen changes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "meter--label",
        "meter--bar",
        "meter--rest",
        "meter--mark",
        "meter--ok",
        "meter--warning",
        "meter--error",
    }
    """
    | Class | Of |
    | :- | :- |
    | `meter--label`, `--bar`, `--rest` | name; filled and empty part |
    | `meter--mark` | the tick |
    | `meter--ok`, `--warning`, `--error` | the number, by level |
    """

    DEFAULT_CSS = """
    Meter {
        height: 1;
        & > .meter--label { color: $text-muted; }
        & > .meter--bar { color: $primary; }
        & > .meter--rest { color: $text-muted; }
        & > .meter--mark { color: $accent; text-style: bold; }
        & > .meter--ok { color: $text-success; }
        & > .meter--warning { color: $text-warning; text-style: bold; }
        & > .meter--error { color: $text-error; text-style: bold; }
    }
    """

    def __init__(
        self,
        label: str,
        *,
        label_width: int = 8,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.label = label
        self._label_width = label_width if label else 0
        self._share = 0.0
        self._text = ""
        self._mark: float | None = None
        self._level: Level = ""

    def show(self, share: float, text: str, *, mark: float | None = None, level: Level = "") -> None:
        """Another value; `share` and `mark` are clamped to 0..1."""
        share = max(0.0, min(share, 1.0))
        state = (share, text, mark, level)
        if state != (self._share, self._text, self._mark, self._level):
            self._share, self._text, self._mark, self._level = state
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The one line."""
        width = self.content_size.width
        base = self.rich_style
        glyphs = glyphs_of(self)
        if y:
            return Strip.blank(width, base)
        text = f" {self._text}"
        if self._level in ("warning", "error"):
            text += " !" if self._level == "warning" else " !!"
        label_width = min(self._label_width, width)
        room = width - label_width - len(text)
        if room < 4:
            room, text = max(width - label_width - len(text), 0), text[: max(width - label_width, 0)]
        filled = round(self._share * room)
        if self._share > 0 and not filled:
            filled = min(1, room)
        style = {
            name: base + self.get_component_rich_style(f"meter--{name}", partial=True)
            for name in ("label", "bar", "rest", "mark")
        }
        bar = [(glyphs.full, style["bar"])] * filled + [(glyphs.bar_empty, style["rest"])] * (room - filled)
        if self._mark is not None and room:
            at = min(int(max(self._mark, 0.0) * room), room - 1)
            bar[at] = (glyphs.vertical, style["mark"])
        segments = (
            [Segment(fit(self.label, label_width, glyphs.ellipsis), style["label"])] if label_width else []
        )
        start = 0
        for index in range(1, len(bar) + 1):
            if index == len(bar) or bar[index] != bar[start]:
                segments.append(Segment(bar[start][0] * (index - start), bar[start][1]))
                start = index
        number = base
        if self._level:
            number = base + self.get_component_rich_style(f"meter--{self._level}", partial=True)
        segments.append(Segment(text, number))
        return Strip(segments).adjust_cell_length(width, base)


class Spark(Widget):
    """The last values as rising bars, newest on the right, in one colour and one run: few bytes a step."""

    DEFAULT_CSS = """
    Spark { height: 1; color: $primary; }
    """

    def __init__(
        self,
        *,
        limit: float | None = None,
        kept: int = 240,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """
        Args:
            limit: value of a full bar; None = the highest value in sight.
            kept: values kept; older ones are forgotten.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.limit = limit
        self._values: deque[float] = deque(maxlen=kept)

    def push(self, value: float) -> None:
        """One more value."""
        self._values.append(value)
        self.refresh()

    def set_values(self, values: Iterable[float]) -> None:
        """All values."""
        new = deque(values, maxlen=self._values.maxlen)
        if new != self._values:
            self._values = new
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The one line."""
        width = self.content_size.width
        if y:
            return Strip.blank(width, self.rich_style)
        levels = glyphs_of(self).levels
        shown = list(self._values)[-width:]
        text = spark_text(shown, levels, top=self.limit)
        return Strip([Segment(text.rjust(width), self.rich_style)], width)

"""Cursor and marks of a `LineList`: keys, moves, messages. What rows there are and how they look is the list's business."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView

from widgets.line_marks import Marks, MarkTrail
from widgets.line_source import Line
from widgets.paint_pass import PaintPass


class LineCursor(PaintPass, ScrollView, can_focus=True):
    """Base of `LineList`: the row in hand and the rows marked, by key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "up", show=False),
        Binding("down,j", "cursor_down", "down", show=False),
        Binding("pageup,ctrl+u", "page_up", "page up", show=False),
        Binding("pagedown,ctrl+d", "page_down", "page down", show=False),
        Binding("home,g,less_than_sign", "cursor_first", "first", show=False),
        Binding("end,G,greater_than_sign", "cursor_last", "last", show=False),
        Binding("enter", "select", "open", show=False),
        Binding("space", "mark", "mark", show=False),
        Binding("shift+up,K", "mark_up", "mark upwards", show=False),
        Binding("shift+down,J", "mark_down", "mark downwards", show=False),
    ]
    """
    | Key | Does |
    | :- | :- |
    | up/k, down/j | move the cursor |
    | pageup/ctrl+u, pagedown/ctrl+d | move by a screenful |
    | home/g/<, end/G/> | first, last row |
    | enter | post `Selected` |
    | space | mark or unmark the row and go down (when `can_mark`) |
    | shift+up/K, shift+down/J | mark the rows gone over; going back unmarks them (when `can_mark`) |
    """

    cursor = reactive(0, repaint=False)
    """Index of the row under the cursor; 0 when the list is empty."""

    class _RowMessage(Message):
        def __init__(self, control: LineCursor, key: Hashable, line: Line | None) -> None:
            super().__init__()
            self._list = control
            self.key = key
            """Of the row."""
            self.line = line
            """The row, when it has been fetched."""

        @property
        def control(self) -> LineCursor:
            """The list."""
            return self._list

    class Highlighted(_RowMessage, namespace="line_list"):
        """The cursor came to another row; `key` is None when the list is empty."""

    class Selected(_RowMessage, namespace="line_list"):
        """Enter (or a click on the row under the cursor)."""

    class MarksChanged(Message, namespace="line_list"):
        """Rows were marked or unmarked."""

        def __init__(self, control: LineCursor, marks: frozenset[Hashable]) -> None:
            super().__init__()
            self._list = control
            self.marks = marks
            """Keys of the rows marked one by one."""

        @property
        def control(self) -> LineCursor:
            """The list."""
            return self._list

    can_mark = False
    _count = 0
    _cursor_key: Hashable = None
    _marking = Marks()

    def _free(self, keys: Iterable[str]) -> None:
        """Whoever owns the list uses these keys itself."""
        for key in keys:
            self._bindings.key_to_bindings.pop(key, None)

    # -- what the list fills in --------------------------------------------------------------------------

    def _line(self, index: int) -> Line | None:
        raise NotImplementedError

    @property
    def _top(self) -> int:
        return max(0, round(self.scroll_offset.y))

    @property
    def _body_rows(self) -> int:
        return max(self.scrollable_content_region.height - 1, 0)

    # -- cursor ------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Rows with the filter applied."""
        return self._count

    @property
    def cursor_line(self) -> Line | None:
        """The row under the cursor, when fetched."""
        return self._line(self.cursor)

    @property
    def cursor_key(self) -> Hashable:
        """Key of the row under the cursor; None when there is none."""
        return self._cursor_key

    def _note_cursor_key(self) -> None:
        line = self._line(self.cursor)
        self._cursor_key = line.key if line is not None else None

    def validate_cursor(self, cursor: int) -> int:
        """Inside the list."""
        return max(0, min(cursor, self._count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Bring it into sight and tell."""
        self._note_cursor_key()
        self._show_cursor()
        self._refresh_row(old)
        self._refresh_row(new)
        self.post_message(self.Highlighted(self, self._cursor_key, self.cursor_line))

    def _refresh_row(self, index: int) -> None:
        y = index - self._top + 1
        if 1 <= y < self.size.height:
            self.refresh_line(self._top + y)

    def _show_cursor(self) -> None:
        rows = self._body_rows
        if not rows:
            return
        top = self._top
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True, force=True)
        elif self.cursor >= top + rows:
            self.scroll_to(y=self.cursor - rows + 1, animate=False, immediate=True, force=True)

    def action_cursor_up(self) -> None:
        """One row up."""
        self.cursor -= 1

    def action_cursor_down(self) -> None:
        """One row down."""
        self.cursor += 1

    def action_page_up(self) -> None:
        """A screenful up."""
        self.cursor -= max(self._body_rows - 1, 1)

    def action_page_down(self) -> None:
        """A screenful down."""
        self.cursor += max(self._body_rows - 1, 1)

    def action_cursor_first(self) -> None:
        """First row."""
        self.cursor = 0

    def action_cursor_last(self) -> None:
        """Last row."""
        self.cursor = self._count - 1

    def action_select(self) -> None:
        """Post `Selected`."""
        if self._count:
            self.post_message(self.Selected(self, self.cursor_key, self.cursor_line))

    # -- marks -------------------------------------------------------------------------------------------

    @property
    def marks(self) -> frozenset[Hashable]:
        """Keys of the rows marked one by one."""
        return self._marking.keys

    @property
    def marking(self) -> Marks:
        """All that is marked, also when it is everything."""
        return self._marking

    def clear_marks(self) -> None:
        """Unmark all rows."""
        self._set_marks(Marks())

    def mark_keys(self, keys: Iterable[Hashable]) -> None:
        """Mark these rows and no others."""
        self._set_marks(Marks(frozenset(keys)))

    def mark_all(self, covers: Callable[[Hashable], bool]) -> None:
        """Mark all rows there are now; `covers` says of a key whether its row was there."""
        self._set_marks(Marks(covers=covers, total=self._count))

    def _set_marks(self, marks: Marks) -> None:
        if marks != self._marking:
            self._marking = marks
            self.post_message(self.MarksChanged(self, marks.keys))
            self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The marking keys are free for others where nothing is marked."""
        if action in ("mark", "mark_up", "mark_down"):
            return self.can_mark
        return super().check_action(action, parameters)

    def action_mark(self) -> None:
        """Mark or unmark, and go down."""
        line = self.cursor_line
        if line is not None:
            self._set_marks(self._marking.toggled(line.key))
            self.cursor += 1

    def action_mark_up(self) -> None:
        """Mark this row and the one above, and go there."""
        self._mark_to(self.cursor - 1)

    def action_mark_down(self) -> None:
        """Mark this row and the one below, and go there."""
        self._mark_to(self.cursor + 1)

    _trail: MarkTrail | None = None

    def _mark_to(self, index: int) -> None:
        index = self.validate_cursor(index)
        here, there = self._line(self.cursor), self._line(index)
        if here is None or there is None:
            return
        if self._trail is None:
            self._trail = MarkTrail()
        self._set_marks(self._trail.step(self._marking, here.key, there.key))
        self.cursor = index

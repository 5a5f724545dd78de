"""Steps of the wall that can be taken back and done again, and edits of the layout that are kept or abandoned. Pure. Rows CL-02, HK-13, HK-14."""

from __future__ import annotations

from collections import deque

from tui.wall_arrangement import Arrangement

KEPT_STEPS = 100


class WallHistory:
    """Invariant: undoing what was done gives exactly what was there, cell in hand included."""

    def __init__(self, now: Arrangement) -> None:
        self.now = now
        self._before: deque[Arrangement] = deque(maxlen=KEPT_STEPS)
        """The oldest are forgotten."""
        self._undone: list[Arrangement] = []
        self._begun: tuple[Arrangement, tuple[Arrangement, ...]] | None = None
        """What was there when editing began, and the steps before it."""

    @property
    def is_editing(self) -> bool:
        return self._begun is not None

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def do(self, after: Arrangement) -> bool:
        """A step; False when it changes nothing."""
        if after == self.now:
            return False
        self._before.append(self.now)
        self._undone.clear()
        self.now = after
        return True

    def look(self, after: Arrangement) -> None:
        """Another cell in hand, or the like: nothing to take back."""
        self.now = after

    def undo(self) -> bool:
        if not self._before:
            return False
        self._undone.append(self.now)
        self.now = self._before.pop()
        return True

    def redo(self) -> bool:
        if not self._undone:
            return False
        self._before.append(self.now)
        self.now = self._undone.pop()
        return True

    def begin_edit(self) -> None:
        """Steps from here on belong together."""
        self._begun = self.now, tuple(self._before)
        self._before.clear()
        self._undone.clear()

    def keep_edit(self) -> bool:
        """The edit becomes one step; False when it changed nothing."""
        return self._end_edit(self.now)

    def abandon_edit(self) -> None:
        """All is as it was when editing began."""
        if self._begun is not None:
            self._end_edit(self._begun[0])

    def _end_edit(self, after: Arrangement) -> bool:
        if self._begun is None:
            return False
        self.now, steps = self._begun
        self._begun = None
        self._before.clear()
        self._before.extend(steps)
        self._undone.clear()
        return self.do(after)

"""Which rows of a list are marked: some by key, or all there were at a moment but some. A value; nothing is drawn here.

All are marked without their keys: a list of a hundred thousand rows has none of them here. `covers` tells rows that were
there from rows that came later, which were not meant.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

NONE: frozenset[Hashable] = frozenset()


@dataclass(frozen=True, slots=True)
class Marks:
    """Invariant: with `covers`, `keys` is empty; without, `taken_out` is."""

    keys: frozenset[Hashable] = NONE
    """Marked one by one."""
    covers: Callable[[Hashable], bool] | None = None
    """All are marked for which this holds; None = only `keys`."""
    total: int = 0
    """Rows there were when all were marked."""
    taken_out: frozenset[Hashable] = NONE
    """Of all: unmarked again."""

    @property
    def is_all(self) -> bool:
        return self.covers is not None

    def __len__(self) -> int:
        return max(0, self.total - len(self.taken_out)) if self.is_all else len(self.keys)

    def __contains__(self, key: Hashable) -> bool:
        if self.covers is not None:
            return key not in self.taken_out and self.covers(key)
        return key in self.keys

    def toggled(self, key: Hashable) -> Marks:
        """The row the other way. A row that came after all were marked stays unmarked."""
        if self.covers is None:
            return Marks(self.keys ^ {key})
        if not self.covers(key):
            return self
        return Marks(covers=self.covers, total=self.total, taken_out=self.taken_out ^ {key})

    def with_key(self, key: Hashable, *, is_marked: bool) -> Marks:
        """The row marked or not, whatever it was."""
        return self if (key in self) is is_marked else self.toggled(key)


class MarkTrail:
    """Marking by going: rows gone over are marked, and going back unmarks them again.

    Each step says from which row to which; a step that does not begin where the last one ended begins a new trail.
    """

    def __init__(self) -> None:
        self._keys: list[Hashable] = []

    def step(self, marks: Marks, here: Hashable, there: Hashable) -> Marks:
        """The marks after going from `here` to `there`."""
        if not self._keys or self._keys[-1] != here:
            self._keys = [here]
        if len(self._keys) > 1 and self._keys[-2] == there:
            self._keys.pop()
            return marks.with_key(here, is_marked=False)
        if here != there:
            self._keys.append(there)
        return marks.with_key(here, is_marked=True).with_key(there, is_marked=True)

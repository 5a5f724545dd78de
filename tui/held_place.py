"""Where what was in hand stands in a list that changed meanwhile: rows are held by what they are, not by their position. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def place_after(before: Sequence[Hashable], held: int, after: Sequence[Hashable]) -> tuple[int, bool]:
    """Index in `after` of what was at `held` in `before`, and whether it is there at all.

    When it is gone: the index of what stood behind it, as far as that is left; it may be `len(after)`.
    """
    places = {key: index for index, key in enumerate(after)}
    if not 0 <= held < len(before):
        return max(0, min(held, len(after))), False
    if before[held] in places:
        return places[before[held]], True
    for key in before[held + 1 :]:
        if key in places:
            return places[key], False
    return max((places[key] + 1 for key in before[:held] if key in places), default=0), False

"""Where escape leads when a screen has nothing left to close: back to the one it was opened from, else up. Pure.

A key that takes what is in hand to another screen leaves a step behind it. A number or a word after `:` is a fresh start: from
there escape leads up to the screen with a number that the one in front belongs to.
"""

from __future__ import annotations

from tui.command import Scope

ABOVE: dict[Scope, Scope] = {
    Scope.RULES: Scope.ALARMS,
    Scope.SCHEDULES: Scope.RULES,
    Scope.ALARM_TAB: Scope.ALARMS,
    Scope.LOG: Scope.EVENTS,
    Scope.THUMBNAILS: Scope.PLAYBACK,
    Scope.MOTION: Scope.PLAYBACK,
    Scope.BOOKMARKS: Scope.EVIDENCE,
}
"""Screens without a number of their own: whose they are."""


def numbered(screen: Scope) -> Scope:
    """The screen with a number that this one belongs to; itself when it has one."""
    while screen in ABOVE:
        screen = ABOVE[screen]
    return screen


class Trail:
    """The screens behind the one in front, each once: whatever keys lead where, escape comes to an end."""

    def __init__(self) -> None:
        self._behind: list[Scope] = []
        self._left: set[Scope] = set()
        """Which escape has led away from since a key last led anywhere: up does not go there again."""

    def lead(self, here: Scope, there: Scope) -> None:
        """A key led from one to the other. To a screen that is behind: back to how it was opened."""
        self._left.clear()
        if there in self._behind:
            del self._behind[self._behind.index(there) :]
        elif there is not here:
            self._behind.append(here)

    def begin(self) -> None:
        """A screen was named: nothing is behind it."""
        self._behind.clear()
        self._left.clear()

    def back(self, here: Scope) -> Scope | None:
        """Where to go from here; None = this is the top."""
        self._left.add(here)
        if self._behind:
            return self._behind.pop()
        up = ABOVE.get(here)
        while up is not None and up in self._left:
            up = ABOVE.get(up)
        return up

"""What every view of the console is: a pane in the switcher that draws from the mirror while it is in front.

Views hold no truth; they ask the engine through `ask`, which turns errors into words, and report with `say`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, TypeVar

from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from engine.client import WatchdeckError
from tui.commands import Scope
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.mode_keys import Labels
from tui.screens.text_pane import TextPane
from tui.work import BESIDE_MOST, start_beside

T = TypeVar("T")


class View(Vertical):
    """Base of the views; `refresh_from` is called only while the view is in front."""

    DEFAULT_CSS = """
    View { height: 1fr; }
    """

    SCOPE: ClassVar[Scope]

    class Said(Message):
        """Words for the operator: the footer shows them, the command log keeps them."""

        def __init__(self, text: str, *, is_error: bool = False, seconds: float | None = None) -> None:
            super().__init__()
            self.text = text
            self.is_error = is_error
            self.seconds = seconds
            """How long it stands; None = as usual."""

    class Wanted(Message):
        """Go to another view, with something to show there."""

        def __init__(self, scope: Scope, *, camera: str = "", at_us: int | None = None) -> None:
            super().__init__()
            self.scope = scope
            self.camera = camera
            self.at_us = at_us

    class KeysChanged(Message):
        """Other keys matter in what is shown now: the footer is of the mode before."""

    class QuietWanted(Message):
        """Ask for how long notifications are off."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(id=str(self.SCOPE))
        self.desk = desk
        self._told_labels: Labels | None = None

    # -- what views fill in ------------------------------------------------------------------------------

    def arrive(self) -> None:
        """The view came to the front: take the focus."""

    def leave(self) -> None:
        """The view went to the back: stop what only a visible view needs."""

    def refresh_from(self, change: Change) -> None:
        """Draw what changed."""

    def show_target(self, camera: str, at_us: int | None) -> None:
        """Show this camera, at this time."""

    def sent_target(self) -> tuple[str, tuple[int, int] | None] | None:
        """What a video link would show: camera and stretch (None = live); None = this view has nothing to send."""
        return None

    def back(self) -> bool:
        """Escape: close or clear one thing; False when there was nothing."""
        return False

    @property
    def filter_text(self) -> str | None:
        """The words the list is narrowed by; None = this view has no list to narrow."""
        return None

    @property
    def labels(self) -> Labels | None:
        """What the footer shows in this mode; None = the labels that the commands of the screen have."""
        return None

    def set_filter(self, text: str) -> None:
        """Narrow the list while the operator types."""

    async def reload(self) -> None:
        """Ask the engine again for what is not in the mirror."""

    # -- what views use ----------------------------------------------------------------------------------

    @property
    def is_front(self) -> bool:
        return self.display and self.screen.is_current

    def say(self, text: str, *, is_error: bool = False, seconds: float | None = None) -> None:
        self.post_message(self.Said(text, is_error=is_error, seconds=seconds))

    def write(self, pane: str, lines: Sequence[Content]) -> None:
        """Into one of its own text panes, by selector; nowhere while the console closes and its panes go one by one."""
        for found in self.query(pane).results(TextPane):
            found.show(lines)

    def tell_keys(self) -> None:
        """Call it when the mode may have changed."""
        if self.labels != self._told_labels:
            self._told_labels = self.labels
            self.post_message(self.KeysChanged())

    def may_change(self) -> bool:
        """False in read-only mode or without an engine, after saying so."""
        if self.desk.is_read_only:
            self.say("read-only mode: nothing is changed (:readonly leaves it)", is_error=True)
            return False
        return self.has_engine()

    def has_engine(self) -> bool:
        if not self.desk.mirror.is_connected:
            self.say("no engine: wait until it is back", is_error=True)
            return False
        return True

    def keep(self, work: Callable[[], Awaitable[object]]) -> None:
        """What one key keeps or sends (a snapshot, a bookmark, a button): none waits for another, and no dialog ends it."""
        if not start_beside(self, work, "keeping"):
            self.say(f"{BESIDE_MOST} of these are still under way: wait for one to end", is_error=True)

    async def ask(self, call: Awaitable[T], doing: str) -> T | None:
        """The reply of a call, or None after its error was said."""
        try:
            return await call
        except WatchdeckError as error:
            self.say(f"{doing}: {error}", is_error=True)
            return None

    async def carry(self, call: Awaitable[object], doing: str) -> bool:
        """True when a call that answers nothing of interest went well; otherwise its error was said."""
        try:
            await call
        except WatchdeckError as error:
            self.say(f"{doing}: {error}", is_error=True)
            return False
        return True

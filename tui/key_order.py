"""A key or a paste is looked at only when what the key before it began is done: typed ahead or sent in one burst, each reaches what it was
meant for.

Textual hands keys on as they come, and a key travels through the queues of the focused widget and those above it before its command
runs. Over a slow line `:`, `m`, `o` arrive in one packet: without this the last two would be commands of the screen, not text of the
line that `:` opens. A mix-in of the app.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App
from textual.message import Message

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.timer import Timer
    from textual.widget import Widget

PATIENCE_S = 0.5
"""A key whose end is never heard of (its widget went) holds up the next no longer."""
KEPT = 4096
"""Keys and pastes waiting; more than anybody types ahead is somebody's elbow, or a paste from a terminal that does not mark it as one."""


class KeyOrderMixin(App[str]):
    """Put it before the mix-ins that look at events."""

    class KeyDone(Message):
        """Follows a key through the same queues: where it arrives, the key has been. Twice: what the key made somebody say has
        been too."""

        def __init__(self, number: int, *, is_last: bool = False) -> None:
            super().__init__()
            self.number = number
            self.is_last = is_last

    _waiting: deque[events.Key | events.Paste]
    _has_lost_keys = False
    """Some had no room, which was said; until none waits any more."""
    _key_number = 0
    """Of the key in work; 0 = none is."""
    _keys_given = 0
    _key_timer: Timer | None = None
    _key_target: Widget | None = None
    """What had the focus then."""
    _key_screen: Screen[Any] | None = None
    """The screen that was there before the key in work."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = deque()

    @property
    def is_key_in_work(self) -> bool:
        """A key was typed whose command has not ended."""
        return bool(self._key_number or self._waiting)

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif len(self._waiting) < KEPT:
            self._waiting.append(event)
            await self._give_next()
        elif not self._has_lost_keys:
            self._has_lost_keys = True
            self.keys_lost()

    def keys_lost(self) -> None:
        """Called once when keys have no room to wait: those that come now are dropped, the ones before them still count."""

    async def _give_next(self) -> None:
        """The next key, if none is in work."""
        if self._key_number or not self._waiting:
            return
        event = self._waiting.popleft()
        self._keys_given += 1
        number = self._key_number = self._keys_given
        target = self._key_target = self.focused or self.screen
        self._key_screen = self.screen
        self._key_timer = self.set_timer(PATIENCE_S, lambda: self._key_ended(number))
        await super().on_event(event)
        if not target.post_message(self.KeyDone(number)):
            self._key_ended(number)

    async def on_key_order_mixin_key_done(self, event: KeyDone) -> None:
        event.stop()
        if event.number != self._key_number:
            return
        target = self._key_target
        if not event.is_last and target is not None:
            if not target.post_message(self.KeyDone(event.number, is_last=True)):
                self._key_ended(event.number)
            return
        if self.screen is self._key_screen:
            self._key_ended(event.number)
        else:  # a dialog came or went: the next key is for what has the focus then
            self.screen.call_after_refresh(self._key_ended, event.number)

    def _key_ended(self, number: int) -> None:
        if number != self._key_number:
            return
        self._key_number = 0
        if self._key_timer is not None:
            self._key_timer.stop()
            self._key_timer = None
        if self._waiting:
            self.call_next(self._give_next)
        else:
            self._has_lost_keys = False

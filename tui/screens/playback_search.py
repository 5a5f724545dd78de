"""Where playing goes on when the timeline does not know: the next footage beyond what is loaded, asked of the engine.

The playhead waits meanwhile; whoever goes elsewhere is not fetched back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tui.playback_clock import Lacking, Skipped
from tui.playback_footage import Footage, merged
from tui.screens.playback_actions import PlaybackActions
from tui.work import start
from widgets import format

FIRST_REACH_US = 7 * format.DAY_US
"""First stretch that is asked for; doubled until there is footage."""
GROUP = "footage"


class FootageSearch:
    """Belongs to the view of playback. Event-loop thread only."""

    def __init__(self, view: PlaybackActions, skipped: Callable[[Skipped], None]) -> None:
        """`skipped`: the playhead went over what is not recorded."""
        self._view = view
        self._skipped = skipped
        self._wanted: Lacking | None = None
        """What is looked for now."""

    def look(self, lacking: Lacking) -> None:
        """Once: the clock says it again with every tick, a little further on."""
        if self._wanted is None:
            self._wanted = lacking
            start(self._view, partial(self._find, lacking), GROUP)
        else:
            self._view.clock.seek(self._wanted.at_us)

    def moved(self) -> None:
        """The playhead may be elsewhere, or rest, or go the other way: then nothing is looked for any more."""
        wanted, clock = self._wanted, self._view.clock
        if wanted is not None and not (
            clock.is_playing
            and not clock.is_live
            and (clock.playhead_us, clock.direction) == (wanted.at_us, wanted.direction)
        ):
            self.stop()

    def stop(self) -> None:
        """Other cameras, or nobody looks."""
        self._wanted = None
        self._view.workers.cancel_group(self._view, GROUP)

    async def _find(self, lacking: Lacking) -> None:
        """In growing stretches; then it plays on from there."""
        view, clock = self._view, self._view.clock
        direction, at_us = lacking.direction, lacking.at_us
        now_us, oldest_us = view.desk.mirror.now_us, clock.oldest_us
        reach_us = FIRST_REACH_US
        found_us: int | None = None
        while found_us is None:
            far_us = min(at_us + reach_us, now_us) if direction > 0 else max(at_us - reach_us, oldest_us)
            low_us, high_us = min(at_us, far_us), max(at_us, far_us)
            if low_us >= high_us:
                break
            call = view.desk.client.timeline(view.cameras, low_us, high_us)
            timeline = await view.ask(call, "next recording")
            if timeline is None:
                self._wanted = None
                clock.pause()
                view.moved()
                return
            footage = Footage(merged(row.recorded for row in timeline.rows), low_us, high_us)
            found_us = footage.next_us(at_us, direction)
            if far_us in (now_us, oldest_us):
                break
            reach_us *= 2
        self._wanted = None
        if found_us is not None:
            clock.seek(found_us)
            self._skipped(Skipped(at_us, found_us))
        elif direction > 0:
            clock.go_live()
            view.say("no later recording: live")
        else:
            clock.hold(oldest_us)
            view.say("the oldest recording")
        view.moved()

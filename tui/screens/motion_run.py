"""A motion search under way: begun, watched to its end, cancelled; what it found so far is shown meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from engine.client import WatchdeckError
from engine.wire_search import MotionSearch, MotionSearchView, SearchState
from tui.screens.view import View
from tui.work import start

WAIT_MS = 5_000
"""In the engine, for something new."""


class MotionRun:
    """One search at a time; belongs to a view."""

    def __init__(self, view: View, on_change: Callable[[], None]) -> None:
        """`on_change` is called with everything new, and at the end."""
        self._view = view
        self._on_change = on_change
        self.search: MotionSearch | None = None
        """What was asked."""
        self.found: MotionSearchView | None = None
        self.is_running = False
        self.trouble = ""
        """Why it came to no end."""

    def begin(self, search: MotionSearch) -> None:
        """Instead of the one before."""
        self.cancel()
        self.search, self.found, self.trouble = search, None, ""
        self.is_running = True
        start(self._view, self._run, "search")
        self._on_change()

    def cancel(self) -> bool:
        """Stop it; what was found stays. False = nothing was running."""
        if not self.is_running:
            return False
        self.is_running = False
        self._view.workers.cancel_group(self._view, "search")
        found = self.found
        if found is not None and found.state is SearchState.RUNNING:
            start(self._view, lambda: self._tell_engine(found.id), "search-cancel")
        self._on_change()
        return True

    async def _tell_engine(self, id: str) -> None:
        try:
            await self._view.desk.client.cancel_motion_search(id)
        except WatchdeckError:
            return  # it is forgotten by itself

    async def _run(self) -> None:
        search = self.search
        assert search is not None
        client = self._view.desk.client
        try:
            self.found = await client.search_motion(search)
            while self.found.state is SearchState.RUNNING:
                self._on_change()
                self.found = await client.motion_search(self.found.id, wait_ms=WAIT_MS)
        except WatchdeckError as error:
            self.trouble = error.what
            self._view.say(f"motion search: {error}", is_error=True)
        else:
            if self.found.state is SearchState.FAILED:
                self.trouble = self.found.trouble or "it failed"
        self.is_running = False
        self._on_change()

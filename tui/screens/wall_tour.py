"""A tour under way: its views in turn, each for its seconds (VT-02, VT-04, VT-05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from engine.wire_wall import Tour, WallView

if TYPE_CHECKING:
    from tui.screens.wall import LiveWall


class TourRun:
    """Belongs to the wall. Event-loop thread only."""

    def __init__(self, wall: LiveWall) -> None:
        self._wall = wall
        self._tour: Tour | None = None
        self._views: dict[str, WallView] = {}
        self._at = 0
        self._left_s = 0
        self._timer: Timer | None = None

    @property
    def is_running(self) -> bool:
        return self._tour is not None

    @property
    def words(self) -> str:
        """`Night: Doors, next Yard in 3 s`."""
        tour = self._tour
        if tour is None:
            return ""
        stop = tour.stops[self._at]
        if len(tour.stops) == 1:
            return f"{tour.name}: {stop.view}"
        following = tour.stops[(self._at + 1) % len(tour.stops)].view
        return f"{tour.name}: {stop.view}, next {following} in {self._left_s} s"

    def start(self, tour: Tour, views: dict[str, WallView]) -> None:
        """`views` by name, all that the tour has."""
        self.stop()
        self._tour, self._views = tour, views
        self._timer = self._wall.set_interval(1.0, self.tick)
        self._show(0)

    def stop(self) -> None:
        """The view that is shown stays."""
        if self._timer is not None:
            self._timer.stop()
        self._tour = self._timer = None

    def tick(self) -> None:
        """A second has passed."""
        if self._tour is None or not self._wall.is_front:
            return
        self._left_s -= 1
        if self._left_s <= 0 and len(self._tour.stops) > 1:
            self._show((self._at + 1) % len(self._tour.stops))
        else:
            self._wall.draw_title()

    def _show(self, number: int) -> None:
        assert self._tour is not None
        stop = self._tour.stops[number]
        self._at, self._left_s = number, stop.seconds
        self._wall.open_view(self._views[stop.view.casefold()], is_tour=True)

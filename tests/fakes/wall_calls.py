"""Layouts, views, tours and start-up of the fake engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from engine.api.wall_checks import check_last_wall
from engine.wire_wall import Arrangements, LastWall, Layout, StartUp, Tour, WallView
from storage.errors import Conflict, NotFound

if TYPE_CHECKING:
    from tests.fakes.engine import FakeEngine

N = TypeVar("N", Layout, WallView, Tour)


class FakeWallCalls:
    """Kept by name, as the engine does; what is shown is not removed."""

    _engine: FakeEngine

    if TYPE_CHECKING:

        def _called(self, name: str, argument: object = None) -> None: ...

    async def arrangements(self) -> Arrangements:
        self._called("arrangements")
        return self._engine.arrangements

    def _keep(self, **changes: object) -> Arrangements:
        engine = self._engine
        engine.arrangements = msgspec.structs.replace(engine.arrangements, **changes)
        return engine.arrangements

    @staticmethod
    def _with(things: Iterable[N], thing: N, old_name: str) -> tuple[N, ...]:
        old = (old_name or thing.name).casefold()
        return (*(each for each in things if each.name.casefold() != old), thing)

    @staticmethod
    def _without(things: Iterable[N], name: str) -> tuple[N, ...]:
        kept = tuple(each for each in things if each.name.casefold() != name.casefold())
        if len(kept) == len(tuple(things)):
            raise NotFound(f"nothing is called {name!r}", "")
        return kept

    async def put_layout(self, layout: Layout, *, old_name: str = "") -> Arrangements:
        self._called("put_layout", (layout, old_name))
        return self._keep(layouts=self._with(self._engine.arrangements.layouts, layout, old_name))

    async def remove_layout(self, name: str) -> Arrangements:
        self._called("remove_layout", name)
        return self._keep(layouts=self._without(self._engine.arrangements.layouts, name))

    async def put_view(self, view: WallView, *, old_name: str = "") -> Arrangements:
        self._called("put_view", (view, old_name))
        return self._keep(views=self._with(self._engine.arrangements.views, view, old_name))

    async def remove_view(self, name: str) -> Arrangements:
        self._called("remove_view", name)
        for tour in self._engine.arrangements.tours:
            if any(stop.view == name for stop in tour.stops):
                raise Conflict(
                    f"the view {name!r} is shown by the tour {tour.name!r}", "take it out there first"
                )
        return self._keep(views=self._without(self._engine.arrangements.views, name))

    async def put_tour(self, tour: Tour, *, old_name: str = "") -> Arrangements:
        self._called("put_tour", (tour, old_name))
        return self._keep(tours=self._with(self._engine.arrangements.tours, tour, old_name))

    async def remove_tour(self, name: str) -> Arrangements:
        self._called("remove_tour", name)
        return self._keep(tours=self._without(self._engine.arrangements.tours, name))

    async def put_start_up(self, start_up: StartUp) -> Arrangements:
        self._called("put_start_up", start_up)
        return self._keep(start_up=start_up.rows)

    async def last_wall(self, terminal: str) -> LastWall:
        self._called("last_wall", terminal)
        return self._engine.last_walls.get(terminal, LastWall())

    async def put_last_wall(self, terminal: str, wall: LastWall) -> None:
        self._called("put_last_wall", (terminal, wall))
        check_last_wall(wall)
        self._engine.last_walls[terminal] = wall

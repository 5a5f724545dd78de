"""Layouts, views and tours as they are named on the command line, with completion by the shell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from engine.client import EngineClient, NotFound
from engine.wire_wall import Layout
from tui.cli.values import Ref
from tui.wall_layouts import STANDARD, standard_layout


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


def named(things: Iterable[N], name: str, kind: str) -> N:
    """In any case. Raises NotFound."""
    for each in things:
        if each.name.casefold() == name.casefold():
            return each
    raise NotFound(f"no {kind} is called {name!r}", f"`watchdeck {kind} list` shows them")


async def find_layout(engine: EngineClient, name: str) -> Layout:
    """A saved one, else one that is always there. Raises NotFound."""
    found = standard_layout(name)
    saved = (await engine.arrangements()).layouts
    if found is not None and all(each.name.casefold() != name.casefold() for each in saved):
        return found
    return named(saved, name, "layout")


async def _layout_names(engine: EngineClient) -> list[str]:
    saved = [each.name for each in (await engine.arrangements()).layouts]
    return saved + [each.name for several in STANDARD.values() for each in several]


async def _view_names(engine: EngineClient) -> list[str]:
    return [each.name for each in (await engine.arrangements()).views]


async def _tour_names(engine: EngineClient) -> list[str]:
    return [each.name for each in (await engine.arrangements()).tours]


LAYOUT = Ref("layout", _layout_names)
VIEW = Ref("view", _view_names)
TOUR = Ref("tour", _tour_names)

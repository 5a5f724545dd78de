"""The eight scenes of the demo by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from engine.demo.scene import Painting, Scene
from engine.demo.scenes_indoor import corridor, loading_dock, reception, server_room, warehouse
from engine.demo.scenes_outdoor import car_park, gate, roof

PAINTERS: dict[str, Callable[[], Painting]] = {
    "car-park": car_park,
    "gate": gate,
    "loading-dock": loading_dock,
    "corridor": corridor,
    "warehouse": warehouse,
    "reception": reception,
    "roof": roof,
    "server-room": server_room,
}


@cache
def scene(name: str) -> Scene:
    """Drawn once a process (some 30 ms). KeyError for an unknown name."""
    number = list(PAINTERS).index(name)
    return Scene(name, PAINTERS[name](), night_shift_s=number * 97.0)

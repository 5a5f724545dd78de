"""Who the door lets in and whom it hangs up on, without sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from engine.links import door as door_module
from engine.links.door import Door, DoorLimits, Visitor
from engine.links.link import Link
from tests.fakes.clock import FakeClock

S = 1_000_000


@dataclass
class Wire:
    """A transport, and what the kernel says of it."""

    address: str = "192.0.2.9"
    pending_bytes: int = 0
    acked_bytes: int = 0
    is_open: bool = True

    def get_extra_info(self, name: str) -> Any:
        return (self.address, 1) if name == "peername" else self

    def setsockopt(self, *_: object) -> None: ...

    def abort(self) -> None:
        self.is_open = False


def live_link(token: str = "x") -> Link:
    return Link("a", token, UUID(int=1), "Gate", None, None, 1 << 60, "ann", "localhost")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def door(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(door_module, "_on_its_way", lambda wire: (wire.pending_bytes, wire.acked_bytes))
    return Door(lambda token: live_link(), clock, DoorLimits())


def player(door: Door, wire: Wire) -> Visitor:
    visitor = door.enter(wire)  # type: ignore[arg-type]
    assert visitor is not None
    visitor.names("x")
    visitor.is_playing = True
    return visitor


def test_a_thin_stream_over_a_long_line_is_no_stall(door: Door, clock: FakeClock) -> None:
    """Some of it is always on its way: 16 kbit/s, and two seconds until it is acknowledged."""
    wire = Wire()
    player(door, wire)
    for second in range(120):
        clock.advance(S)
        wire.acked_bytes, wire.pending_bytes = max(0, second - 2) * 2_000, min(second, 2) * 2_000
        door.look()
    assert wire.is_open


def test_who_takes_a_byte_now_and_then_is_stalled(door: Door, clock: FakeClock) -> None:
    wire = Wire(pending_bytes=4 << 20)
    player(door, wire)
    for _ in range(25):
        clock.advance(S)
        wire.acked_bytes += 1
        door.look()
    assert not wire.is_open


def test_behind_a_tunnel_many_players_may_come_at_once_and_others_still_can(door: Door) -> None:
    """They are strangers for as long as their first words take through it."""
    tunnel = [Wire("127.0.0.1") for _ in range(door.limits.strangers)]
    for wire in tunnel:
        door.enter(wire)  # type: ignore[arg-type]
    assert sum(wire.is_open for wire in tunnel) == door.limits.strangers_this_machine >= 16
    assert door.enter(Wire("192.0.2.1")) is not None  # type: ignore[arg-type]
    far = [Wire("192.0.2.2") for _ in range(door.limits.strangers_an_address + 1)]
    let_in = [wire for wire in far if door.enter(wire) is not None]  # type: ignore[arg-type]
    assert len(let_in) <= door.limits.strangers_an_address

"""Makes Textual's pilot quick: it goes on when the event loop has nothing left to do.

Textual asks after each key whether the process used less than a millisecond of CPU in 20 ms, twice: 40 ms at best, and
up to two seconds on a machine that others use. Here idle means that no callback is ready and none becomes ready;
what comes later (timers, threads, other processes) is for the test to wait for by name, as before.
"""

from __future__ import annotations

import asyncio

import pytest

QUIET_TURNS = 5
"""So many turns of the loop in which nothing but the waiting itself ran."""


async def until_nothing_is_ready(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """In place of `textual._wait.wait_for_idle`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + max_sleep
    quiet = 0
    while quiet < QUIET_TURNS and loop.time() < end:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1  # type: ignore[attr-defined]
    await asyncio.sleep(max(min_sleep, 0.001))  # a turn with real time: sockets and threads are heard


@pytest.fixture(autouse=True)
def quick_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every test that imports it."""
    monkeypatch.setattr("textual.app.wait_for_idle", until_nothing_is_ready)
    monkeypatch.setattr("textual.pilot.wait_for_idle", until_nothing_is_ready)

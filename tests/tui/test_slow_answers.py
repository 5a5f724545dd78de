"""What is asked for again and again waits for its answer: an engine slower than the tick is not asked anew for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from storage.units import US_PER_SECOND
from tests.fakes.engine import FakeEngine, FakeEngineClient
from tests.tui.desk_for import app_for, shows, until
from tui.mirror import Change
from tui.screens.evidence import EvidenceView
from tui.screens.playback import PlaybackView


def slow(monkeypatch: pytest.MonkeyPatch, name: str, gate: asyncio.Event) -> list[object]:
    call = getattr(FakeEngineClient, name)
    calls: list[object] = []

    async def wait(self: FakeEngineClient, *args: Any, **named: Any) -> Any:
        calls.append(args)
        await gate.wait()
        return await call(self, *args, **named)

    monkeypatch.setattr(FakeEngineClient, name, wait)
    return calls


@pytest.mark.parametrize("name", ["timeline", "activity"])
async def test_the_timeline_near_the_present_is_asked_for_once_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("8")
        view = app.base.query_one(PlaybackView)
        await until(pilot, lambda: view.footage() is not None and bool(view.marks.types_in_view()))
        gate = asyncio.Event()
        calls = slow(monkeypatch, name, gate)
        for _ in range(6):
            engine.clock.advance(20 * US_PER_SECOND)
            engine.tick()
            await asyncio.sleep(0.25)  # longer than a wish is waited with
            view.refresh_from(Change.STATION)
        await until(pilot, lambda: len(calls) == 1)
        gate.set()
        await pilot.pause(0.1)
        assert len(calls) == 1
        engine.clock.advance(20 * US_PER_SECOND)
        engine.tick()
        await pilot.pause()
        view.refresh_from(Change.STATION)
        await until(pilot, lambda: len(calls) == 2)


async def test_evidence_waits_for_the_list_before_it_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    calls = slow(monkeypatch, "export_jobs", gate)
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("9")
        view = app.base.query_one(EvidenceView)
        await until(pilot, lambda: len(calls) == 1)
        for _ in range(12):
            view._poll()
            await pilot.pause()
        assert len(calls) == 1
        gate.set()
        await shows(pilot, "no exports")

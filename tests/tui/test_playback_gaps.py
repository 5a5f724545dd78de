"""Playing over what is not recorded: gaps with their cause, and the next footage wherever it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import wire
from storage.units import US_PER_HOUR, US_PER_SECOND
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine, FakeEngineClient
from tests.tui.desk_for import shows, until
from tests.tui.playback_steps import GAP_START_US, HOUR_US, Played, playback


async def test_a_gap_is_jumped_over_with_words_and_its_cause(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        played.view.go_to(GAP_START_US - 5 * US_PER_SECOND)
        await played.press("p")
        await played.pass_s(6)
        await shows(played.pilot, "jumped over 19 min", "without recordings", "camera unreachable")
        assert played.playhead_us == GAP_START_US + 1200 * US_PER_SECOND
        await played.press("r")
        await played.pass_s(2)
        assert played.playhead_us == GAP_START_US - 1


async def test_standing_in_a_gap_says_why_and_asks_for_no_picture(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await until(played.pilot, lambda: bool(played.requests()))
        played.view.go_to(GAP_START_US + 60 * US_PER_SECOND)
        await shows(played.pilot, "C gap of 20 min", "no picture: camera unreachable")
        assert all(request.at_us == HOUR_US for request in played.requests())


OLD_US, YOUNG_US = SCRIPT_NOW_US - 40 * 24 * US_PER_HOUR, SCRIPT_NOW_US - 2 * 24 * US_PER_HOUR


def sparse_engine(gate: asyncio.Event | None = None) -> tuple[FakeEngine, list[int]]:
    """Its cameras recorded an hour 40 days ago and an hour two days ago. The spans of wide questions, which wait for the gate."""
    engine = FakeEngine()
    wide: list[int] = []

    class Sparse(FakeEngineClient):
        async def timeline(self, cameras: Any, start_us: int, end_us: int) -> wire.Timeline:
            if end_us - start_us > 6 * 24 * US_PER_HOUR:
                wide.append(end_us - start_us)
                if gate is not None:
                    await gate.wait()
            stretches = [(OLD_US, OLD_US + US_PER_HOUR), (YOUNG_US, YOUNG_US + US_PER_HOUR)]
            recorded = tuple(
                (max(a, start_us), min(b, end_us)) for a, b in stretches if a < end_us and b > start_us
            )
            rows = tuple(
                wire.TimelineRow(camera=name, recorded=recorded, gaps=(), oldest_us=OLD_US)
                for name in cameras
            )
            return wire.Timeline(start_us=start_us, end_us=end_us, now_us=SCRIPT_NOW_US, rows=rows)

    engine.client = lambda: Sparse(engine)  # type: ignore[method-assign]
    cameras = tuple(msgspec.structs.replace(camera, oldest_us=OLD_US) for camera in engine.snapshot.cameras)
    engine.snapshot = msgspec.structs.replace(engine.snapshot, cameras=cameras)
    return engine, wide


async def test_the_next_footage_is_looked_for_beyond_what_is_loaded(tmp_path: Path) -> None:
    """A camera that recorded nothing for weeks: play goes to where it begins again, backwards to where it ended."""
    engine, _ = sparse_engine()
    async with playback(tmp_path, engine) as played:
        played.view.go_to(OLD_US + US_PER_HOUR - US_PER_SECOND)
        await played.loaded()
        await played.press("p")
        await until(played.pilot, lambda: played.view.footage() is not None)
        await played.pass_s(2)
        await until(played.pilot, lambda: played.playhead_us >= YOUNG_US)
        await shows(played.pilot, "jumped over 37 d")
        assert played.playhead_us == YOUNG_US
        await until(
            played.pilot, lambda: (known := played.view.footage()) is not None and known.end_us > YOUNG_US
        )
        await played.press("r")
        await played.pass_s(1)
        await until(played.pilot, lambda: played.playhead_us < YOUNG_US - US_PER_HOUR)
        assert played.playhead_us == OLD_US + US_PER_HOUR - 1


async def at_the_gap(played: Played, wide: list[int]) -> int:
    """Play to where nothing is recorded for weeks; where it waits."""
    played.view.go_to(OLD_US + US_PER_HOUR - US_PER_SECOND)
    await played.loaded()
    await played.press("p")
    await until(played.pilot, lambda: played.view.footage() is not None)
    await played.pass_s(2)
    await until(played.pilot, lambda: len(wide) == 1)
    return played.playhead_us


async def test_a_slow_engine_is_asked_once_for_the_next_footage_and_the_playhead_waits(
    tmp_path: Path,
) -> None:
    gate = asyncio.Event()
    engine, wide = sparse_engine(gate)
    async with playback(tmp_path, engine) as played:
        here_us = await at_the_gap(played, wide)
        for _ in range(5):
            await played.pass_s(3)
        assert (played.playhead_us, len(wide)) == (here_us, 1)
        gate.set()
        await until(played.pilot, lambda: played.playhead_us >= YOUNG_US)


@pytest.mark.parametrize("keys", [("space",), ("r",), ("end",)])
async def test_whoever_goes_elsewhere_is_not_fetched_back_by_the_next_footage(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    gate = asyncio.Event()
    engine, wide = sparse_engine(gate)
    async with playback(tmp_path, engine) as played:
        await at_the_gap(played, wide)
        await played.press(*keys)
        there_us, is_live = played.playhead_us, played.view.clock.is_live
        gate.set()
        for _ in range(20):
            await played.pilot.pause(0.01)
        assert played.playhead_us == there_us
        assert played.view.clock.is_live == is_live

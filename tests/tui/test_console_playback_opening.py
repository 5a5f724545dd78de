"""Where playback opens: at the start of the hour, or where the recordings begin."""

from __future__ import annotations

from pathlib import Path

import msgspec

from storage.units import US_PER_SECOND
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import shows, until
from tests.tui.playback_steps import HOUR_US, playback


async def test_it_opens_paused_at_the_start_of_the_hour_with_six_hours(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await shows(played.pilot, "PLAYBACK  2026-03-04 14:00:00.000 UTC  paused  driveway", "span 6 h")
        assert played.playhead_us == HOUR_US
        await until(played.pilot, lambda: bool(played.requests()))
        request = played.requests()[0]
        assert (request.at_us, request.exact) == (HOUR_US, True)


async def test_at_exactly_the_full_hour_it_opens_there(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.clock.step(-(3 * 60 + 20) * US_PER_SECOND)
    engine = FakeEngine(clock=engine.clock)
    assert engine.snapshot.station.now_us == HOUR_US
    async with playback(tmp_path, engine) as played:
        assert HOUR_US - US_PER_SECOND < played.playhead_us <= HOUR_US


async def test_a_camera_that_began_within_the_hour_opens_at_its_first_picture(tmp_path: Path) -> None:
    engine = FakeEngine()
    began_us = HOUR_US + 90 * US_PER_SECOND
    cameras = tuple(msgspec.structs.replace(camera, oldest_us=began_us) for camera in engine.snapshot.cameras)
    engine.snapshot = msgspec.structs.replace(engine.snapshot, cameras=cameras)
    async with playback(tmp_path, engine) as played:
        await shows(played.pilot, "PLAYBACK  2026-03-04 14:01:30.000 UTC  paused  driveway")
        assert played.playhead_us == began_us


async def test_where_recordings_begin_may_be_told_later(tmp_path: Path) -> None:
    """Of a station that has just started; whoever has gone elsewhere meanwhile is not fetched back."""
    engine = FakeEngine()
    began_us = HOUR_US + 90 * US_PER_SECOND
    cameras = tuple(msgspec.structs.replace(camera, oldest_us=None) for camera in engine.snapshot.cameras)
    engine.snapshot = msgspec.structs.replace(engine.snapshot, cameras=cameras)
    async with playback(tmp_path, engine) as played:
        camera = played.view.camera_name
        assert played.playhead_us == HOUR_US
        engine.change_camera(camera, oldest_us=began_us)
        await until(played.pilot, lambda: played.playhead_us == began_us)
        engine.change_camera(camera, oldest_us=None)
        await until(played.pilot, lambda: not played.view.clock.oldest_us)
        await played.press("end")
        there_us = played.playhead_us
        assert there_us != began_us
        engine.change_camera(camera, oldest_us=began_us)
        await until(played.pilot, lambda: bool(played.view.clock.oldest_us))
        assert played.playhead_us == there_us

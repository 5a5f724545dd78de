"""Somebody sets the machine's clock under recording: nothing is lost, nothing overlaps inside a run, the event says so."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from engine import wire
from engine.client import EngineClient
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.e2e.fake_clock import FakeClock
from tests.e2e.neighbours import picture_count
from tests.e2e.recorded_pictures import decodes_without_error
from tests.rtsp.live_camera import good_cameras

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CAMERAS = 3
FPS = 25
FAR_FUTURE_US = 1 << 57
HOUR_S = 3600
HOUR_US = HOUR_S * 1_000_000


async def stepped(client: EngineClient, times: int) -> list[str]:
    """The words of the events, once there are so many."""
    events = await eventually(
        lambda: client.events(limit=100, kinds=["clock.stepped"]),
        lambda found: len(found) >= times,
        f"{times} clock.stepped",
    )
    return [event.text for event in events]


async def runs_of(client: EngineClient, name: str) -> dict[str, list[wire.RecordingView]]:
    """Recordings by run, each in order; the run is in the name, also of a file that is only just to be made."""
    found = sorted(await client.recordings(name, 0, FAR_FUTURE_US), key=lambda r: r.start_us)
    runs: dict[str, list[wire.RecordingView]] = {}
    for recording in found:
        runs.setdefault(Path(recording.path).name.split("-")[1], []).append(recording)
    return runs


async def test_a_step_of_the_clock_is_a_new_run_and_loses_nothing(tmp_path: Path) -> None:
    clock = FakeClock(tmp_path)
    engine = EngineProcess(
        tmp_path / "state", config="[recording]\nsegment_s = 10\n", environment=clock.environment
    )
    volume = tmp_path / "volume"
    volume.mkdir()
    names = [f"camera {number}" for number in range(CAMERAS)]
    with good_cameras(CAMERAS) as urls:
        try:
            client = await engine.start()
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
            )
            for name, url in zip(names, urls, strict=True):
                await client.add_camera(wire.CameraAdd(name=name, url=url))
            await until(client, lambda now: now.station.cameras_recording == CAMERAS, "all recording")
            for times, step_s in enumerate((-HOUR_S, HOUR_S), 1):
                before_us = (await client.status()).now_us
                clock.step(step_s)
                words = await stepped(client, times)
                assert any(("forward" if step_s > 0 else "back") in text for text in words)
                expected_us = before_us + step_s * 1_000_000
                await until(
                    client,
                    lambda now, expected_us=expected_us: (
                        all(
                            camera.state == "recording"
                            and abs((camera.last_picture_us or 0) - now.station.now_us) < 3_000_000
                            for camera in now.cameras
                        )
                        and abs(now.station.now_us - expected_us) < HOUR_US // 2
                    ),
                    "all record by the new time",
                )
                for name in names:
                    await eventually(
                        lambda name=name: runs_of(client, name),
                        lambda found, times=times: len(found) == times + 1,
                        f"a new run of {name}",
                    )
            gaps = {name: await client.gaps(name, 0, FAR_FUTURE_US) for name in names}
            assert engine.stop() == 0, engine.tail()
            client = await engine.start()
            runs = {name: await runs_of(client, name) for name in names}
            timeline = await client.timeline(names, 0, FAR_FUTURE_US)
            await client.close()
        finally:
            await engine.end()

    log = engine.log.read_text()
    assert "Traceback" not in log
    assert [row.camera for row in timeline.rows] == names
    for row in timeline.rows:
        for one, following in itertools.pairwise(row.recorded):
            assert one[0] < one[1] < following[0]
    for name in names:
        [gap] = gaps[name]  # a step forward leaves an hour that never was; a step back leaves none
        assert gap.cause == "clock_stepped"
        assert abs((gap.end_us or 0) - gap.start_us - HOUR_US) < 60_000_000
        recorded_s, pictures = 0.0, 0
        for run, found in enumerate(list(runs[name].values())[:3]):
            for one, following in itertools.pairwise(found):
                assert one.end_us == following.start_us, "no hole and no overlap inside a run"
            recorded_s += (found[-1].end_us - found[0].start_us) / 1e6
            for recording in found:
                assert not decodes_without_error(Path(recording.path))
                pictures += picture_count(Path(recording.path))
            if run < 2:
                assert pictures % FPS == 0, "the next run begins with the very next keyframe: whole GOPs"
        assert abs(recorded_s * FPS - pictures) < 0.02 * pictures, "each picture has its time"

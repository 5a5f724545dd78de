"""The catalog is lost, damaged or killed under a write: the volumes alone bring it back, and recording goes on."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import wire
from engine.state_folder import CATALOG_NAME
from storage.catalog.db import Catalog
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.rtsp.live_camera import LiveCamera, good_cameras

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

FAR_FUTURE_US = 1 << 57
SLEW_US = 20_000
"""A segment of ten seconds may be bent by 500 ppm, and its catalog row rounded."""
CONFIG = "[recording]\nsegment_s = 10\n"


@dataclass(frozen=True)
class Footage:
    """What a catalog says of what was recorded and what was not."""

    cameras: dict[str, str]
    recordings: dict[str, list[tuple[int, int, str]]]
    gaps: dict[str, list[tuple[int, int, str]]]
    """Those that are over: one that goes on is written into the segment that ends it, not before."""


def footage(engine: EngineProcess) -> Footage:
    with Catalog.open(engine.state / CATALOG_NAME, read_only=True) as catalog:
        cameras = {camera.name: camera for camera in catalog.cameras()}
        return Footage(
            {name: str(camera.uuid) for name, camera in cameras.items()},
            {
                name: sorted(
                    (s.start_us, s.end_us, s.path) for s in catalog.segments([c.id], 0, FAR_FUTURE_US)
                )
                for name, c in cameras.items()
            },
            {
                name: sorted(
                    (gap.start_us, gap.end_us, str(gap.cause))
                    for gap in catalog.gaps([c.id], 0, FAR_FUTURE_US)
                    if gap.end_us is not None
                )
                for name, c in cameras.items()
            },
        )


def assert_same(found: Footage, before: Footage) -> None:
    """Equal, but for the ends of runs: the catalog knows them by the wall, a file by its media time."""
    assert found.cameras == before.cameras
    assert found.gaps == before.gaps
    for name, recordings in before.recordings.items():
        assert [(start, path) for start, _, path in found.recordings[name]] == [
            (start, path) for start, _, path in recordings
        ]
        for (_, end_us, path), (_, before_us, _) in zip(found.recordings[name], recordings, strict=True):
            assert abs(end_us - before_us) <= SLEW_US, path


def fsck(engine: EngineProcess, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", "fsck", "--state", str(engine.state), "--json", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))


async def with_history(engine: EngineProcess, volume: Path, urls: list[str], mortal: LiveCamera) -> None:
    """Two good cameras and one with a gap, all with some closed segments."""
    volume.mkdir()
    client = await engine.start()
    await client.add_volume(
        wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
    )
    for number, url in enumerate(urls):
        await client.add_camera(wire.CameraAdd(name=f"good {number}", url=url))
    await client.add_camera(wire.CameraAdd(name="mortal", url=mortal.url))
    await until(client, lambda now: now.station.cameras_recording == len(urls) + 1, "all recording")
    good_answer, mortal.on["OPTIONS"] = mortal.on["OPTIONS"], lambda _: b"RTSP/1.0 nonsense\r\n\r\n"
    mortal.hang_up()
    await until(client, lambda now: any(c.reconnects > 1 for c in now.cameras), "tried again")
    mortal.on["OPTIONS"] = good_answer
    await until(client, lambda now: now.station.cameras_recording == len(urls) + 1, "all back")
    for name in ("good 0", "mortal"):
        await eventually(
            lambda name=name: client.recordings(name, 0, FAR_FUTURE_US),
            lambda found: len(found) >= 2,
            "two segments",
        )


async def records_on(engine: EngineProcess, before: Footage) -> None:
    """It starts on what is there, records all cameras, and says what is missing in between."""
    client = await engine.start()
    await until(client, lambda now: now.station.cameras_recording == len(before.cameras), "recording on")
    for name, recordings in before.recordings.items():
        last_us = max(end for _, end, _ in recordings)
        await eventually(
            lambda name=name: client.gaps(name, 0, FAR_FUTURE_US),
            lambda found, last_us=last_us: any(
                abs(gap.start_us - last_us) <= SLEW_US and gap.end_us is not None for gap in found
            ),
            f"{name}: the time without an engine is a gap",
        )
    assert engine.stop() == 0, engine.tail()
    assert "Traceback" not in engine.log.read_text()


@pytest.fixture
async def mortal() -> AsyncIterator[LiveCamera]:
    async with LiveCamera() as camera:
        yield camera


async def test_a_deleted_catalog_is_rebuilt_with_cameras_times_and_gaps(
    tmp_path: Path, mortal: LiveCamera
) -> None:
    engine = EngineProcess(tmp_path / "state", config=CONFIG)
    with good_cameras(2) as urls:
        try:
            await with_history(engine, tmp_path / "volume", urls, mortal)
            assert engine.stop() == 0
            before = footage(engine)
            assert [cause for _, _, cause in before.gaps["mortal"]] == ["camera_unreachable"]
            assert all(recordings for recordings in before.recordings.values())
            for path in engine.state.glob("catalog*"):
                path.unlink()
            done = fsck(engine, "--repair", "--volume", str(tmp_path / "volume"))
            assert done.returncode == 0, done.stdout + done.stderr
            assert_same(footage(engine), before)
            assert fsck(engine).returncode == 0
            await records_on(engine, before)
        finally:
            await engine.end()


async def test_a_damaged_catalog_is_refused_with_the_remedy_and_the_remedy_works(
    tmp_path: Path, mortal: LiveCamera
) -> None:
    engine = EngineProcess(tmp_path / "state", config=CONFIG)
    catalog = engine.state / CATALOG_NAME
    with good_cameras(1) as urls:
        try:
            await with_history(engine, tmp_path / "volume", urls, mortal)
            assert engine.stop() == 0
            before = footage(engine)
            with catalog.open("r+b") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(size // 4)
                file.write(random.Random(1).randbytes(size // 2))
            checked = fsck(engine)
            assert checked.returncode != 0
            report = json.loads(checked.stdout or checked.stderr)
            said = json.dumps(report)
            assert "move that file away" in said, said
            with pytest.raises(AssertionError, match="engine ended with 14"):
                await engine.start()
            assert "fsck" in engine.tail(5)
            assert "Traceback" not in engine.log.read_text()
            for path in engine.state.glob("catalog.sqlite*"):  # as the remedy says
                if not path.name.endswith(".volumes"):
                    path.rename(path.with_name(f"damaged-{path.name}"))
            done = fsck(engine, "--repair")
            assert done.returncode == 0, done.stdout + done.stderr
            assert_same(footage(engine), before)
            await records_on(engine, before)
        finally:
            await engine.end()


async def test_a_kill_while_the_catalog_is_written_needs_no_repair(tmp_path: Path) -> None:
    """Settings and recordings change as fast as they can when the engine is killed, six times."""
    engine = EngineProcess(tmp_path / "state", config="[recording]\nsegment_s = 10\nsync_interval_s = 0.1\n")
    dice = random.Random()
    volume = tmp_path / "volume"
    volume.mkdir()
    with good_cameras(3) as urls:
        try:
            client = await engine.start()
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
            )
            for number, url in enumerate(urls):
                await client.add_camera(wire.CameraAdd(name=f"good {number}", url=url))
            for _ in range(6):
                await until(client, lambda now: now.station.cameras_recording == len(urls), "recording")
                edits = dice.randrange(1, 60)
                for number in range(edits):
                    await client.edit_group("main", wire.GroupEdit(retention_days=number + 1))
                engine.kill()
                client = await engine.start()
                [group] = await client.groups()
                assert group.retention_days == edits, "what was answered was kept"
            await until(client, lambda now: now.station.cameras_recording == len(urls), "recording")
            assert engine.stop() == 0
            done = fsck(engine)
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            await engine.end()

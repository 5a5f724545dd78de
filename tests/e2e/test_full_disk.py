"""A volume that fills up, goes read-only or disappears costs no more than its gap says, and comes back by itself."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine import wire
from engine.client import EngineClient
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.e2e.loop_disk import mounted, new_image
from tests.e2e.recorded_pictures import decodes_without_error
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

BUSY = RtspStream(path="/busy", pattern="snow", kbps=6000, width=640, height=480, fps=15, gop=15)
FAR_FUTURE_US = 1 << 57


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(tmp_path / "state")
    yield process
    await process.end()


def camera_of(snapshot: wire.Snapshot) -> wire.CameraView:
    return snapshot.cameras[0]


def state_of(snapshot: wire.Snapshot, volume: str) -> wire.VolumeState:
    return next(view.state for view in snapshot.volumes if view.name == volume)


async def playable(client: EngineClient, root: Path) -> int:
    """Every recording on the volume decodes; returns how many there are."""
    files = [r for r in await client.recordings(None, 0, FAR_FUTURE_US) if r.path.startswith(str(root))]
    for recording in files:
        assert not decodes_without_error(Path(recording.path)), recording.path
    return len(files)


async def test_a_full_disk_recycles_the_oldest_and_recording_goes_on(
    engine: EngineProcess, tmp_path: Path
) -> None:
    engine.config.write_text("[recording]\nsegment_s = 10\n")
    image = new_image(tmp_path / "disk.img", 64)
    with mounted(image, tmp_path / "disk") as disk, RtspServer([BUSY]) as server:
        client = await engine.start()
        await client.add_volume(wire.VolumeAdd(name="disk", path=str(disk), floor_bytes=8 << 20))
        await client.add_camera(wire.CameraAdd(name="busy", url=server.url()))
        await until(client, lambda now: camera_of(now).state == "recording", "recording")
        [first] = await eventually(
            lambda: client.recordings("busy", 0, FAR_FUTURE_US),
            lambda found: len(found) > 0,
            "a first segment",
        )
        await until(
            client,
            lambda now: (now.groups[0].oldest_us or 0) > first.end_us and camera_of(now).state == "recording",
            "the first segment recycled and recording going on",
            timeout_s=180,
        )
        assert not Path(first.path).exists()
        assert await playable(client, disk) >= 2
        assert not [g for g in await client.gaps("busy", 0, FAR_FUTURE_US) if g.cause.startswith("volume")]
        assert engine.stop() == 0


async def test_a_disk_full_of_locked_footage_is_a_gap_with_its_cause_and_ends_when_there_is_room(
    engine: EngineProcess, tmp_path: Path
) -> None:
    engine.config.write_text("[recording]\nsegment_s = 10\n")
    image = new_image(tmp_path / "disk.img", 48)
    with mounted(image, tmp_path / "disk") as disk, RtspServer([BUSY]) as server:
        client = await engine.start()
        # No floor to speak of: the file system itself says ENOSPC.
        await client.add_volume(wire.VolumeAdd(name="disk", path=str(disk), floor_bytes=1))
        await client.add_camera(wire.CameraAdd(name="busy", url=server.url()))
        lock = await client.add_lock(
            wire.LockAdd(camera="busy", start_us=1, end_us=FAR_FUTURE_US, reason="case 7")
        )
        full = await until(
            client, lambda now: state_of(now, "disk") == "full", "the volume full", timeout_s=180
        )
        full = await until(client, lambda now: camera_of(now).state == "streaming", "not shown as recording")
        assert camera_of(full).cause, "the console must be able to say why"
        gaps = await client.gaps("busy", 0, FAR_FUTURE_US)
        assert [gap.cause for gap in gaps if gap.end_us is None] == ["volume_full"]
        assert await playable(client, disk) >= 1
        await client.remove_lock(lock.id)
        await until(client, lambda now: camera_of(now).state == "recording", "recording again", timeout_s=60)
        await eventually(
            lambda: client.gaps("busy", 0, FAR_FUTURE_US),
            lambda found: all(gap.end_us is not None for gap in found),
            "the gap ended",
        )
        assert engine.stop() == 0


async def test_when_a_volume_goes_read_only_the_other_one_of_the_group_takes_over(
    engine: EngineProcess, tmp_path: Path
) -> None:
    first, second = new_image(tmp_path / "1.img", 64), new_image(tmp_path / "2.img", 64)
    with (
        mounted(first, tmp_path / "one") as one,
        mounted(second, tmp_path / "two") as two,
        RtspServer([RtspStream(gop=15)]) as server,
    ):
        client = await engine.start()
        for name, disk in (("one", one), ("two", two)):
            await client.add_volume(wire.VolumeAdd(name=name, path=str(disk), floor_bytes=4 << 20))
        await client.add_camera(wire.CameraAdd(name="cam", url=server.url()))
        before = camera_of(
            await until(client, lambda now: camera_of(now).state == "recording", "recording")
        ).volume
        failing = {"one": one, "two": two}[before]
        subprocess.run(["mount", "-o", "remount,ro", str(failing)], check=False)
        if not (failing / ".watchdeck").exists():
            pytest.fail("the volume has no identity folder")
        subprocess.run(["umount", "--lazy", str(failing)], check=True)  # and now it is gone altogether
        after = await until(
            client,
            lambda now: camera_of(now).state == "recording" and camera_of(now).volume not in ("", before),
            "recording on the other volume",
        )
        assert state_of(after, before) != "ok"
        assert not any(failing.iterdir()), "nothing may be written underneath a mount that is gone"
        assert engine.stop() == 0

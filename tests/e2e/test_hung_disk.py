"""A drive that stops answering: the other volume takes over, everything else stays responsive, the stop is bounded."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import wire
from engine.client import EngineClient
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.e2e.loop_disk import mounted, new_image
from tests.e2e.recorded_pictures import decodes_without_error
from tests.rtsp.live_camera import good_cameras

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

FAR_FUTURE_US = 1 << 57
CONFIG = "[recording]\nsegment_s = 10\n"
STOPPED_TOO_LATE = 75
CAMERAS = 4


class Freezer:
    """Freezes and thaws a mounted file system: every write to it hangs, as on a dead drive."""

    def __init__(self) -> None:
        self._frozen: Path | None = None

    def freeze(self, folder: Path) -> None:
        done = subprocess.run(["fsfreeze", "-f", str(folder)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"this machine does not freeze file systems: {done.stderr.strip()}")
        self._frozen = folder

    def thaw(self) -> None:
        folder, self._frozen = self._frozen, None
        if folder is not None:
            subprocess.run(["fsfreeze", "-u", str(folder)], check=True)


@contextmanager
def freezer() -> Iterator[Freezer]:
    """Thawed whatever happens: nothing frozen can be unmounted."""
    found = Freezer()
    try:
        yield found
    finally:
        found.thaw()


def log_of(engine: EngineProcess) -> Callable[[], Awaitable[str]]:
    async def read() -> str:
        return engine.log.read_text()

    return read


def volume_of(snapshot: wire.Snapshot, name: str) -> wire.VolumeView:
    return next(view for view in snapshot.volumes if view.name == name)


async def recording_on(client: EngineClient, volume: Path, name: str, urls: list[str]) -> None:
    await client.add_group(wire.GroupAdd(name=name))
    await client.add_volume(wire.VolumeAdd(name=name, path=str(volume), floor_bytes=4 << 20, group=name))
    for number, url in enumerate(urls):
        await client.add_camera(wire.CameraAdd(name=f"{name} {number}", url=url, group=name))


async def test_a_hung_volume_hands_over_to_the_other_and_comes_back(tmp_path: Path) -> None:
    one_image, two_image, far_image = (
        new_image(tmp_path / f"{name}.img", 64) for name in ("one", "two", "far")
    )
    engine = EngineProcess(tmp_path / "state", config=CONFIG)
    with (
        mounted(one_image, tmp_path / "one") as one,
        mounted(two_image, tmp_path / "two") as two,
        mounted(far_image, tmp_path / "far") as far,
        good_cameras(CAMERAS) as urls,
        freezer() as ice,
    ):
        disks = {"one": one, "two": two}
        try:
            client = await engine.start()
            await recording_on(client, one, "one", urls[:2])
            await client.add_volume(
                wire.VolumeAdd(name="two", path=str(two), floor_bytes=4 << 20, group="one")
            )
            await recording_on(client, far, "far", urls[2:])
            seen = await until(
                client,
                lambda now: all(c.state == "recording" and c.volume for c in now.cameras),
                "all recording",
            )
            hung = next(camera.volume for camera in seen.cameras if camera.group == "one")
            other = "two" if hung == "one" else "one"
            ice.freeze(disks[hung])
            await until(
                client, lambda now: volume_of(now, hung).state == "stalled", "called stalled", timeout_s=40
            )
            seen = await until(
                client,
                lambda now: all(
                    camera.state == "recording" and camera.volume == other
                    for camera in now.cameras
                    if camera.group == "one"
                ),
                "the other volume took over",
                timeout_s=20,
            )
            assert volume_of(seen, hung).cause, "in words"
            assert volume_of(seen, other).state == "ok"
            # Everything else answers meanwhile, and its cameras miss nothing.
            await client.status()
            await client.recordings("far 0", 0, FAR_FUTURE_US)
            await client.edit_group("far", wire.GroupEdit(retention_days=3))
            assert (await client.picture(wire.PictureRequest(camera="far 0"))).data
            ice.thaw()
            await until(client, lambda now: volume_of(now, hung).state == "ok", "back", timeout_s=40)
            await eventually(
                lambda: client.gaps(None, 0, FAR_FUTURE_US),
                lambda found: all(gap.end_us is not None for gap in found),
                "no gap goes on",
            )
            gaps = await client.gaps(None, 0, FAR_FUTURE_US)
            assert not [gap for gap in gaps if gap.camera.startswith("far")]
            assert engine.stop() == 0, engine.tail()
            for path in [*one.rglob("*.mp4"), *two.rglob("*.mp4"), *far.rglob("*.mp4")]:
                assert not decodes_without_error(path), path
        finally:
            ice.thaw()
            await engine.end()
    assert "Traceback" not in engine.log.read_text()


async def test_the_ordered_stop_is_bounded_while_a_volume_hangs(tmp_path: Path) -> None:
    image, far_image = new_image(tmp_path / "one.img", 64), new_image(tmp_path / "far.img", 64)
    engine = EngineProcess(tmp_path / "state", config=CONFIG)
    with (
        mounted(image, tmp_path / "one") as one,
        mounted(far_image, tmp_path / "far") as far,
        good_cameras(2) as urls,
        freezer() as ice,
    ):
        try:
            client = await engine.start()
            await recording_on(client, one, "one", urls[:1])
            await recording_on(client, far, "far", urls[1:])
            await until(client, lambda now: now.station.cameras_recording == 2, "both recording")
            ice.freeze(one)
            await until(
                client, lambda now: volume_of(now, "one").state == "stalled", "called stalled", timeout_s=40
            )
            seen = await until(
                client,
                lambda now: (
                    {c.name: c.state for c in now.cameras} == {"one 0": "streaming", "far 0": "recording"}
                ),
                "not shown as recording",
            )
            camera = next(c for c in seen.cameras if c.name == "one 0")
            assert camera.cause
            [gap] = await client.gaps("one 0", 0, FAR_FUTURE_US)
            assert (gap.cause, gap.end_us) == ("volume_stalled", None)
            # The kernel keeps what is left of the process until its thread in the drive comes back; all else is over.
            hung = engine.process
            assert hung is not None
            hung.send_signal(signal.SIGTERM)
            await eventually(
                log_of(engine), lambda log: hung.poll() is not None or "ending hard" in log, "the end", 25
            )
            client = await engine.start()
            await until(client, lambda now: now.station.cameras_recording >= 1, "the other volume records")
            ice.thaw()
            assert hung.wait(10) in (0, STOPPED_TOO_LATE)
            await until(client, lambda now: now.station.cameras_recording == 2, "both recording again")
            await eventually(
                lambda: client.gaps("one 0", 0, FAR_FUTURE_US),
                lambda found: bool(found) and all(gap.end_us is not None for gap in found),
                "the gap ended",
            )
            assert engine.stop() == 0
            for path in [*one.rglob("*.mp4"), *far.rglob("*.mp4")]:
                assert not decodes_without_error(path), path
        finally:
            ice.thaw()
            await engine.end()
    assert "Traceback" not in engine.log.read_text()

"""`python -m engine.demo` as a whole: eight cameras record by the real path, and nothing stays behind."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from engine import wire
from engine.client import EngineClient
from engine.demo.alarms import RULES
from engine.demo.time_code import read_time_code
from engine.wire_alarms import AlarmQuery

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@asynccontextmanager
async def demo(scratch: Path, *options: str) -> AsyncIterator[tuple[subprocess.Popen[str], Path]]:
    """A running demo without console, and its socket."""
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.demo", "--no-console", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("The engine answers on "):
                yield process, Path(line.removeprefix("The engine answers on ").strip())
                break
        else:
            raise AssertionError("the demo did not start:\n" + "".join(said))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def all_recording(client: EngineClient) -> tuple[wire.CameraView, ...]:
    async with asyncio.timeout(60):
        while True:
            cameras = await client.cameras()
            if len(cameras) == 8 and all(camera.state is wire.CameraState.RECORDING for camera in cameras):
                return cameras
            await asyncio.sleep(0.1)


async def the_clock_in_the_picture_agrees(client: EngineClient, camera: str) -> None:
    """Live and recorded pictures are dated by what they show, to half a second."""
    async with asyncio.timeout(30):
        while not (recordings := await client.recordings(camera, 0, 2**57)) or not recordings[0].bytes:
            await asyncio.sleep(0.1)
    for at_us in (None, recordings[0].end_us - 1):
        picture = await client.picture(wire.PictureRequest(camera=camera, at_us=at_us))
        shown_ms = read_time_code(np.asarray(Image.open(io.BytesIO(picture.data))))
        assert shown_ms is not None
        assert abs(picture.time_us // 1000 - shown_ms) < 500


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=30)[1]


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short: the path of a unix socket has 107 bytes, and tests side by side have folders of their own."""
    return tmp_path_factory.mktemp("d")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_eight_cameras_record_and_a_signal_leaves_nothing_behind(
    scratch: Path, number: signal.Signals
) -> None:
    async with demo(scratch) as (process, socket):
        async with EngineClient(socket) as client:
            cameras = await all_recording(client)
            assert {camera.tracks[0].codec for camera in cameras} == {"h264"}
            assert sum(len(camera.tracks) > 1 for camera in cameras) == 2
            assert (await client.status()).is_demo
            for kind in wire.PictureFormat:
                picture = await client.picture(
                    wire.PictureRequest(camera="warehouse", format=kind, colors=32)
                )
                assert (picture.width_px, picture.height_px) == (640, 360)
            await the_clock_in_the_picture_agrees(client, "roof")
        children = family(process)
        assert len(children) >= 2
        process.send_signal(number)
        assert process.wait(40) == 128 + number
        assert gone(children)
        assert not list(scratch.iterdir())


async def test_a_killed_demo_takes_its_processes_with_it(scratch: Path) -> None:
    async with demo(scratch) as (process, _):
        children = family(process)
        process.kill()
        process.wait()
        assert gone(children)


async def test_the_alarms_of_the_demo_are_alive(scratch: Path) -> None:
    async with demo(scratch) as (_, socket), EngineClient(socket) as client:
        await all_recording(client)
        assert {rule.name for rule in await client.alarm_rules()} == {rule.name for rule in RULES}
        await client.fire_trigger("help")
        raised: dict[str, str] = {}
        async with asyncio.timeout(60):
            while not {"Help at the desk", "Motion at the gate"} <= raised.keys():
                raised = {alarm.rule: alarm.camera for alarm in (await client.alarms(AlarmQuery())).alarms}
                await asyncio.sleep(0.2)
        assert (raised["Help at the desk"], raised["Motion at the gate"]) == ("reception", "gate")


async def test_a_kept_folder_can_be_used_again(scratch: Path) -> None:
    state = scratch / "kept"
    for _ in range(2):
        async with demo(scratch, "--state", str(state)) as (process, socket):
            async with EngineClient(socket) as client:
                await all_recording(client)
                assert len(await client.alarm_rules()) == len(RULES)
            process.send_signal(signal.SIGINT)
            assert process.wait(40) == 130
    assert list((state / "state" / "chassis").rglob("*.mp4"))

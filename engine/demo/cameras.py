"""The process that plays the demo's eight cameras: `python -m engine.demo.cameras`, started by engine.demo.

Reads the login of the protected cameras as one JSON line on stdin, writes its port as one line on stdout, serves until
SIGTERM or until its parent is gone. One camera drops out now and then, so that gaps, events and the reconnection
can be seen.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections.abc import Iterable
from dataclasses import replace

from engine.demo.access import Login
from engine.demo.faults import Faults
from engine.demo.feed import DemoCamera
from engine.demo.rtsp_server import DemoServer
from storage.clock import SystemClock

FLAKY_CAMERA = "gate"
LIVE_SIZE_PX = (320, 180)
"""Of the second streams."""
_FIRST_DROP_S = 40.0
_DROP_EVERY_S = (150.0, 300.0)
_DROP_FOR_S = (8.0, 25.0)


def demo_cameras(login: Login) -> tuple[DemoCamera, ...]:
    """The eight; two listen as well, two want the password."""
    return (
        DemoCamera("car-park", "car-park"),
        DemoCamera(FLAKY_CAMERA, "gate"),
        DemoCamera("loading-dock", "loading-dock", has_audio=True),
        DemoCamera("corridor", "corridor"),
        DemoCamera("warehouse", "warehouse", login=login),
        DemoCamera("reception", "reception", has_audio=True),
        DemoCamera("roof", "roof"),
        DemoCamera("server-room", "server-room", login=login),
    )


def live_name(camera: str) -> str:
    """Of the camera's second stream."""
    return f"{camera}-live"


def live_streams(cameras: Iterable[DemoCamera]) -> tuple[DemoCamera, ...]:
    """The cameras' smaller second streams: the same scenes, without sound."""
    return tuple(replace(camera, name=live_name(camera.name), has_audio=False) for camera in cameras)


async def drop_out(server: DemoServer, camera: str, rng: random.Random) -> None:
    """Cut one camera off for a few seconds, every few minutes."""
    wait_s = _FIRST_DROP_S
    while True:
        await asyncio.sleep(wait_s)
        for name in (camera, live_name(camera)):
            server.faults[name].hangs_up = True
            server.drop(name)
        await asyncio.sleep(rng.uniform(*_DROP_FOR_S))
        for name in (camera, live_name(camera)):
            server.faults[name].hangs_up = False
        wait_s = rng.uniform(*_DROP_EVERY_S)


async def serve(login: Login) -> None:
    cameras = demo_cameras(login)
    small = live_streams(cameras)
    faults = {stream.name: Faults(size_px=LIVE_SIZE_PX) for stream in small}
    server = DemoServer(cameras + small, SystemClock(), faults=faults)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.run(), name="demo cameras")
        flaky = group.create_task(drop_out(server, FLAKY_CAMERA, random.Random()), name="drop-outs")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _cancel, (serving, flaky))
        await server.url(FLAKY_CAMERA)
        print(server.port, flush=True)


def _cancel(tasks: tuple[asyncio.Task[None], ...]) -> None:
    for task in tasks:
        task.cancel()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = json.loads(sys.stdin.readline())
    asyncio.run(serve(Login(settings["user"], settings["password"])))


if __name__ == "__main__":
    main()

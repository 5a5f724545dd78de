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

from engine.demo.access import Login
from engine.demo.feed import DemoCamera
from engine.demo.rtsp_server import DemoServer
from storage.clock import SystemClock

FLAKY_CAMERA = "gate"
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


async def drop_out(server: DemoServer, camera: str, rng: random.Random) -> None:
    """Cut one camera off for a few seconds, every few minutes."""
    wait_s = _FIRST_DROP_S
    while True:
        await asyncio.sleep(wait_s)
        server.faults[camera].hangs_up = True
        server.drop(camera)
        await asyncio.sleep(rng.uniform(*_DROP_FOR_S))
        server.faults[camera].hangs_up = False
        wait_s = rng.uniform(*_DROP_EVERY_S)


async def serve(login: Login) -> None:
    server = DemoServer(demo_cameras(login), SystemClock())
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

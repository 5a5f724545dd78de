"""Gives a fresh engine the demo's volume and cameras, through its public API like any other client."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine import wire
from engine.client import EngineClient
from engine.deadline import Deadline
from engine.demo.access import Login
from engine.demo.cameras import demo_cameras
from engine.demo.child import Child, DemoFailed
from storage.errors import EngineUnreachable

GROUP = "main"
VOLUME = "demo"
RETENTION_BYTES = 2 << 30
FLOOR_BYTES = 512 << 20
_POLL_S = 0.1


async def wait_until_ready(client: EngineClient, engine: Child, limit_s: float) -> None:
    """Until the engine answers. Raises DemoFailed when it ends or takes too long."""
    try:
        async with Deadline(limit_s):
            while True:
                if not engine.is_alive:
                    raise DemoFailed("the engine did not start", engine.log_end())
                try:
                    await client.status()
                except EngineUnreachable:
                    await asyncio.sleep(_POLL_S)
                else:
                    return
    except TimeoutError:
        raise DemoFailed(f"the engine did not answer within {limit_s:g} s", engine.log_end()) from None


async def furnish(client: EngineClient, folder: Path, server_port: int, login: Login) -> None:
    """Group, volume and the eight cameras; on a folder that was used before only their addresses change."""
    await client.edit_group(GROUP, wire.GroupEdit(retention_bytes=RETENTION_BYTES))
    if VOLUME not in {volume.name for volume in await client.volumes()}:
        await client.add_volume(
            wire.VolumeAdd(
                name=VOLUME, path=str(folder), group=GROUP, floor_bytes=FLOOR_BYTES, allow_system_disk=True
            )
        )
    known = {camera.name for camera in await client.cameras()}
    for camera in demo_cameras(login):
        url = f"rtsp://127.0.0.1:{server_port}/{camera.name}"
        user, password = (login.user, login.password) if camera.login else ("", "")
        if camera.name in known:
            await client.edit_camera(camera.name, wire.CameraEdit(url=url, user=user, password=password))
        else:
            await client.add_camera(
                wire.CameraAdd(name=camera.name, url=url, user=user, password=password, group=GROUP)
            )

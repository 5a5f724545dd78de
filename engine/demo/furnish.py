"""Gives a fresh engine the demo's volumes and cameras, through its public API like any other client."""

from __future__ import annotations

import asyncio

from engine import wire
from engine.client import EngineClient
from engine.deadline import Deadline
from engine.demo.access import Login
from engine.demo.cameras import demo_cameras, live_name
from engine.demo.child import Child, DemoFailed
from engine.wire_chassis import ChassisView
from storage.errors import EngineUnreachable

RETENTION_BYTES = 2 << 30
"""Of all groups together."""
FLOOR_BYTES = 512 << 20
_POLL_S = 0.1
_CHASSIS_LIMIT_S = 20.0


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


async def furnish(client: EngineClient, server_port: int, login: Login) -> None:
    """A volume and a recording group on each virtual drive, half of the cameras on each; on a folder that was used
    before only the cameras' addresses change."""
    groups = await _volumes(client)
    known = {camera.name for camera in await client.cameras()}
    cameras = demo_cameras(login)
    for number, camera in enumerate(cameras):
        url = f"rtsp://127.0.0.1:{server_port}/{camera.name}"
        live_url = f"rtsp://127.0.0.1:{server_port}/{live_name(camera.name)}"
        user, password = (login.user, login.password) if camera.login else ("", "")
        if camera.name in known:
            await client.edit_camera(
                camera.name, wire.CameraEdit(url=url, live_url=live_url, user=user, password=password)
            )
        else:
            group = groups[number * len(groups) // len(cameras)] if groups else ""
            await client.add_camera(
                wire.CameraAdd(
                    name=camera.name, url=url, live_url=live_url, user=user, password=password, group=group
                )
            )


async def _volumes(client: EngineClient) -> list[str]:
    """Names of the groups, one for each virtual drive that is mounted."""
    virtual_drives = (await _chassis(client)).inventory.virtual_drives
    known_groups = {group.name for group in await client.groups()}
    known_volumes = {volume.name for volume in await client.volumes()}
    names: list[str] = []
    for vd in virtual_drives:
        if not vd.mounts:
            continue
        if vd.name not in known_groups:
            await client.add_group(
                wire.GroupAdd(name=vd.name, retention_bytes=RETENTION_BYTES // len(virtual_drives))
            )
        if vd.name not in known_volumes:
            await client.add_volume(
                wire.VolumeAdd(
                    name=vd.name,
                    path=vd.mounts[0].path,
                    group=vd.name,
                    floor_bytes=FLOOR_BYTES,
                    allow_system_disk=True,
                )
            )
        names.append(vd.name)
    return names


async def _chassis(client: EngineClient) -> ChassisView:
    """As soon as the engine has looked at it for the first time. Raises DemoFailed."""
    try:
        async with Deadline(_CHASSIS_LIMIT_S):
            while True:
                view = await client.chassis()
                if view.read_us:
                    return view
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise DemoFailed(f"the engine did not find its chassis within {_CHASSIS_LIMIT_S:g} s") from None

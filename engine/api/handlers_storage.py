"""Calls about volumes and recording groups."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from engine import wire, wire_calls
from engine.api.new_volume import PreparedVolume, prepare_volume
from engine.api.services import Call, Services
from engine.api.validation import checked_limit, checked_path
from engine.deadline import Deadline
from storage.catalog.names import checked_name
from storage.catalog.records import Group, Volume
from storage.errors import NotFound, VolumeStalled

PREPARE_TIMEOUT_S = 20.0
FIRST_LOOKS = 100
FIRST_LOOK_STEP_S = 0.02


# -- volumes ---------------------------------------------------------------------------------------------


async def list_volumes(services: Services, call: Call[None, None]) -> wire_calls.VolumeList:
    return wire_calls.VolumeList(volumes=tuple(services.recording.volume_views()))


async def get_volume(services: Services, call: Call[None, None]) -> wire.VolumeView:
    volume: Volume = await services.catalog.read("volume", call.path["ref"])
    return _volume_view(services, volume.uuid)


def _volume_view(services: Services, uuid: UUID) -> wire.VolumeView:
    view = next((view for view in services.recording.volume_views() if view.uuid == str(uuid)), None)
    if view is None:
        raise NotFound(f"the engine does not run volume {uuid}", "restart the engine")
    return view


async def add_volume(services: Services, call: Call[None, wire.VolumeAdd]) -> wire.VolumeView:
    asked = call.body
    name, path = checked_name(asked.name, "volume"), checked_path(asked.path)
    floor_bytes = checked_limit(asked.floor_bytes, "floor_bytes", 0)
    group: Group = await services.catalog.read("group", asked.group)
    known: list[Volume] = await services.catalog.read("volumes")
    station = await services.catalog.read("station")
    try:
        async with Deadline(PREPARE_TIMEOUT_S):
            prepared: PreparedVolume = await asyncio.get_running_loop().run_in_executor(
                services.files,
                lambda: prepare_volume(
                    name=name,
                    path=path,
                    floor_bytes=floor_bytes,
                    may_be_system_disk=asked.allow_system_disk,
                    known=known,
                    station=station.uuid,
                ),
            )
    except TimeoutError as error:
        raise VolumeStalled(
            f"{path} does not answer within {PREPARE_TIMEOUT_S:.0f} s", "check the drive or the network share"
        ) from error
    volume: Volume = await services.catalog.write(
        "add_volume",
        uuid=prepared.uuid,
        name=name,
        path=path,
        group=group.name,
        floor_bytes=prepared.floor_bytes,
    )
    await services.recording.add_volume(volume)
    services.events.publish(
        "volume.added",
        f"Volume {volume.name} added: {volume.path}, group {volume.group}",
        source=volume.name,
        actor=call.caller.name,
    )
    return await _first_look(services, volume.uuid)


async def _first_look(services: Services, uuid: UUID) -> wire.VolumeView:
    """Its view once its own thread has seen it; a volume just added would otherwise be shown as missing."""
    for _ in range(FIRST_LOOKS):
        if _volume_view(services, uuid).total_bytes:
            break
        await asyncio.sleep(FIRST_LOOK_STEP_S)
    return _volume_view(services, uuid)


async def remove_volume(services: Services, call: Call[None, None]) -> None:
    volume: Volume = await services.catalog.read("volume", call.path["ref"])
    await services.recording.remove_volume(volume.uuid)
    await services.catalog.write("remove_volume", volume.uuid)
    services.events.publish(
        "volume.removed",
        f"Volume {volume.name} removed; the files in {volume.path} stay",
        source=volume.name,
        actor=call.caller.name,
    )


# -- recording groups ------------------------------------------------------------------------------------


async def list_groups(services: Services, call: Call[None, None]) -> wire_calls.GroupList:
    return wire_calls.GroupList(groups=tuple(services.recording.group_views()))


async def get_group(services: Services, call: Call[None, None]) -> wire.GroupView:
    group: Group = await services.catalog.read("group", call.path["ref"])
    return _group_view(services, group)


def _group_view(services: Services, group: Group) -> wire.GroupView:
    view = next((view for view in services.recording.group_views() if view.id == group.id), None)
    return view or wire.GroupView(
        id=group.id,
        name=group.name,
        retention_days=group.retention_days,
        retention_bytes=group.retention_bytes,
    )


async def add_group(services: Services, call: Call[None, wire.GroupAdd]) -> wire.GroupView:
    group: Group = await services.catalog.write(
        "add_group",
        name=call.body.name,
        retention_days=checked_limit(call.body.retention_days, "retention_days"),
        retention_bytes=checked_limit(call.body.retention_bytes, "retention_bytes"),
    )
    await services.recording.reload_groups()
    services.events.publish(
        "group.added", f"Recording group {group.name} added", source=group.name, actor=call.caller.name
    )
    return _group_view(services, group)


async def edit_group(services: Services, call: Call[None, wire.GroupEdit]) -> wire.GroupView:
    before: Group = await services.catalog.read("group", call.path["ref"])
    changes = group_changes(call.body, before)
    if not changes:
        return _group_view(services, before)
    group: Group = await services.catalog.write("update_group", before.id, **changes)
    await services.recording.reload_groups()
    shown = ", ".join(f"{key} = {'no limit' if value is None else value}" for key, value in changes.items())
    services.events.publish(
        "group.edited",
        f"Recording group {before.name} edited: {shown}",
        source=group.name,
        actor=call.caller.name,
    )
    return _group_view(services, group)


def group_changes(asked: wire.GroupEdit, before: Group) -> dict[str, Any]:
    """What differs from `before`, checked; -1 takes a limit away."""
    wanted: dict[str, Any] = {}
    if asked.name is not None:
        wanted["name"] = asked.name
    for key in ("retention_days", "retention_bytes"):
        value: int | None = getattr(asked, key)
        if value is not None:
            wanted[key] = None if value == -1 else checked_limit(value, key)
    return {key: value for key, value in wanted.items() if value != getattr(before, key)}


async def remove_group(services: Services, call: Call[None, None]) -> None:
    group: Group = await services.catalog.read("group", call.path["ref"])
    await services.catalog.write("remove_group", group.id)
    await services.recording.reload_groups()
    services.events.publish(
        "group.removed", f"Recording group {group.name} removed", source=group.name, actor=call.caller.name
    )

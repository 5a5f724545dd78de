"""Volumes come and go with their virtual drives: registered with the catalog and recording, and taken out again.

Used by the jobs that set storage up and take it down. Every step may be repeated: what is done already stays done.
"""

from __future__ import annotations

from uuid import UUID

from engine.api.new_volume import PreparedVolume, prepare_volume
from engine.chassis.job_work import JobWork
from storage.catalog.records import Camera, Group
from storage.catalog.records import Volume as VolumeRecord
from storage.errors import AlreadyExists, NotFound


async def ensure_group(work: JobWork, name: str, actor: str) -> None:
    groups: list[Group] = await work.catalog.read("groups")
    if any(group.name.casefold() == name.casefold() for group in groups):
        return
    await work.catalog.write("add_group", name=name)
    await work.recording.reload_groups()
    work.events.publish("group.added", f"Recording group {name} added", source=name, actor=actor)


async def register_volume(work: JobWork, *, name: str, path: str, group: str, actor: str) -> VolumeRecord:
    """The folder becomes a volume and is recorded to from now on."""
    known: list[VolumeRecord] = await work.catalog.read("volumes")
    there = next((volume for volume in known if volume.path == path), None)
    if there is not None:
        return await _in_use(work, there)
    station = await work.catalog.read("station")
    may_be_system_disk = work.chassis.view().is_simulated
    prepared: PreparedVolume = await work.chassis.call(
        lambda: prepare_volume(
            name=name,
            path=path,
            floor_bytes=None,
            may_be_system_disk=may_be_system_disk,
            known=known,
            station=station.uuid,
        )
    )
    volume: VolumeRecord = await work.catalog.write(
        "add_volume",
        uuid=prepared.uuid,
        name=name,
        path=path,
        group=group,
        floor_bytes=prepared.floor_bytes,
    )
    await work.recording.add_volume(volume)
    work.events.publish(
        "volume.added",
        f"Volume {volume.name} added: {volume.path}, group {volume.group}",
        source=volume.name,
        actor=actor,
    )
    return volume


async def _in_use(work: JobWork, volume: VolumeRecord) -> VolumeRecord:
    """Registered before a crash: recording may not know it yet."""
    if not any(view.uuid == str(volume.uuid) for view in work.recording.volume_views()):
        await work.recording.add_volume(volume)
    return volume


async def withdraw_volume(work: JobWork, uuid: UUID, actor: str) -> VolumeRecord | None:
    """Recording leaves it, the catalog hides it; its files stay. None when it was not registered any more."""
    try:
        volume: VolumeRecord = await work.catalog.read("volume", uuid)
    except NotFound:
        return None
    if any(view.uuid == str(uuid) for view in work.recording.volume_views()):
        await work.recording.remove_volume(uuid)
    await work.catalog.write("remove_volume", uuid)
    work.events.publish(
        "volume.removed",
        f"Volume {volume.name} removed; the files in {volume.path} stay",
        source=volume.name,
        actor=actor,
    )
    return volume


async def restore_volume(work: JobWork, volume: VolumeRecord, actor: str) -> None:
    """Back in use with its footage."""
    try:
        again: VolumeRecord = await work.catalog.write(
            "add_volume",
            uuid=volume.uuid,
            name=volume.name,
            path=volume.path,
            group=volume.group,
            floor_bytes=volume.floor_bytes,
        )
    except AlreadyExists:
        again = await work.catalog.read("volume", volume.uuid)
    await _in_use(work, again)
    work.events.publish(
        "volume.added",
        f"Volume {again.name} is back in use: {again.path}, group {again.group}",
        source=again.name,
        actor=actor,
    )


async def move_camera(work: JobWork, uuid: UUID, group: str, actor: str) -> None:
    """To another recording group; nothing when it is there, or gone."""
    try:
        camera: Camera = await work.catalog.read("camera", uuid)
    except NotFound:
        return
    if camera.group == group:
        return
    camera = await work.catalog.write("update_camera", uuid, group=group)
    await work.recording.update_camera(camera, await work.catalog.read("camera_password", uuid))
    work.events.publish(
        "camera.edited", f"Camera {camera.name} edited: group = {group}", source=camera.name, actor=actor
    )

"""Calls about cameras: list, add, edit, remove, test. An edit is first in the catalog, then in the running engine."""

from __future__ import annotations

from typing import Any

from engine import wire, wire_calls
from engine.api.camera_test import measure
from engine.api.services import Call, Services
from engine.api.validation import (
    CameraAddress,
    checked_choice,
    checked_mode,
    checked_schedule,
    checked_secret,
    checked_url,
)
from engine.api.views import removed_camera_view
from engine.cameras.source import SourceSettings
from storage.catalog.records import Camera, Transport
from storage.errors import InvalidInput


async def list_cameras(services: Services, call: Call[wire_calls.CameraQuery, None]) -> wire_calls.CameraList:
    if call.query.removed:
        known: list[Camera] = await services.catalog.read("cameras", with_removed=True)
        removed = [camera for camera in known if camera.is_removed]
        oldest: dict[int, int] = await services.catalog.read("oldest_us", [camera.id for camera in removed])
        return wire_calls.CameraList(
            cameras=tuple(
                removed_camera_view(camera, oldest[camera.id]) for camera in removed if camera.id in oldest
            )
        )
    return wire_calls.CameraList(cameras=tuple(services.recording.camera_views()))


async def get_camera(services: Services, call: Call[None, None]) -> wire.CameraView:
    camera: Camera = await services.catalog.read("camera", call.path["ref"], with_removed=True)
    if camera.is_removed:
        oldest: dict[int, int] = await services.catalog.read("oldest_us", [camera.id])
        return removed_camera_view(camera, oldest.get(camera.id))
    return services.recording.camera_view(camera.uuid)


async def add_camera(services: Services, call: Call[None, wire.CameraAdd]) -> wire.CameraView:
    asked = call.body
    address = checked_url(asked.url)
    schedule = checked_schedule(asked.schedule)
    live = checked_url(asked.live_url) if asked.live_url.strip() else None
    password = (
        checked_secret(asked.password, "password") or address.password or (live.password if live else "")
    )
    if live is not None:
        _check_live(live, password)
    services.recording.check_camera_limit()
    camera: Camera = await services.catalog.write(
        "add_camera",
        name=asked.name,
        url=address.url,
        user=checked_secret(asked.user, "user name") or address.user or (live.user if live else ""),
        password=password,
        live_url=live.url if live is not None else "",
        transport=checked_choice(Transport, asked.transport, "transport"),
        group=asked.group,
        mode=checked_mode(asked.mode, schedule),
        schedule=schedule,
        record_audio=asked.record_audio,
        verify_tls=asked.verify_tls,
        pre_event_s=asked.pre_event_s,
        post_event_s=asked.post_event_s,
    )
    await services.recording.add_camera(camera, password)
    services.events.publish(
        "camera.added",
        f"Camera {camera.name} added: {camera.url}, group {camera.group}",
        source=camera.name,
        actor=call.caller.name,
    )
    return services.recording.camera_view(camera.uuid)


async def edit_camera(services: Services, call: Call[None, wire.CameraEdit]) -> wire.CameraView:
    before: Camera = await services.catalog.read("camera", call.path["ref"])
    changes = camera_changes(call.body, before)
    await _check_new_live(services, call.body, before, changes)
    if not changes:
        return services.recording.camera_view(before.uuid)
    camera: Camera = await services.catalog.write("update_camera", before.uuid, **changes)
    password: str = await services.catalog.read("camera_password", camera.uuid)
    if camera.name != before.name:
        # First: what the new session says, it says under the new name.
        await services.rules.camera_renamed(before.name, camera.name)
    await services.recording.update_camera(camera, password)
    services.events.publish(
        "camera.edited",
        f"Camera {before.name} edited: {', '.join(_described(changes))}",
        source=camera.name,
        actor=call.caller.name,
    )
    return services.recording.camera_view(camera.uuid)


def camera_changes(asked: wire.CameraEdit, before: Camera) -> dict[str, Any]:
    """What differs from `before`, checked. A URL with credentials inside changes these too."""
    wanted: dict[str, Any] = {
        "group": asked.group,
        "record_audio": asked.record_audio,
        "verify_tls": asked.verify_tls,
        "is_enabled": asked.is_enabled,
        "pre_event_s": asked.pre_event_s,
        "post_event_s": asked.post_event_s,
    }
    if asked.name is not None:
        wanted["name"] = asked.name
    if asked.url is not None:
        address = checked_url(asked.url)
        wanted["url"] = address.url
        if address.user:
            wanted |= {"user": address.user, "password": address.password}
        elif address.password:
            wanted["password"] = address.password
    if asked.live_url is not None:
        live_url = asked.live_url.strip()
        wanted["live_url"] = checked_url(live_url).url if live_url else ""
    if asked.user is not None:
        wanted["user"] = checked_secret(asked.user, "user name")
    if asked.password is not None:
        wanted["password"] = checked_secret(asked.password, "password")
    if asked.transport is not None:
        wanted["transport"] = checked_choice(Transport, asked.transport, "transport")
    if asked.schedule is not None:
        wanted["schedule"] = checked_schedule(asked.schedule)
    if asked.mode is not None:
        wanted["mode"] = checked_mode(asked.mode, wanted.get("schedule", before.schedule))
    return {
        key: value
        for key, value in wanted.items()
        if value is not None and (key == "password" or value != getattr(before, key))
    }


def _check_live(live: CameraAddress, password: str) -> None:
    """Both streams are fetched with one password."""
    if live.password and live.password != password:
        raise InvalidInput(
            "the live address holds another password than the camera's",
            "a camera has one: leave it out there",
        )


async def _check_new_live(
    services: Services, asked: wire.CameraEdit, before: Camera, changes: dict[str, Any]
) -> None:
    if not asked.live_url or not (live := checked_url(asked.live_url.strip())).password:
        return
    password = changes.get("password")
    if password is None:
        password = await services.catalog.read("camera_password", before.uuid)
    if password:
        _check_live(live, password)
    else:
        changes |= {"user": live.user or changes.get("user", before.user), "password": live.password}


def _described(changes: dict[str, Any]) -> list[str]:
    """For the event: values that can be shown, else the name of what changed."""
    return [
        f"{key} = {value}" if key not in ("password", "schedule") else key for key, value in changes.items()
    ]


async def remove_camera(services: Services, call: Call[None, None]) -> None:
    camera: Camera = await services.catalog.read("camera", call.path["ref"])
    services.links.forget_camera(camera)
    await services.recording.remove_camera(camera.uuid)
    await services.catalog.write("remove_camera", camera.uuid)
    services.events.publish(
        "camera.removed",
        f"Camera {camera.name} removed; its recordings stay until they are recycled",
        source=camera.name,
        actor=call.caller.name,
    )


async def test_camera(services: Services, call: Call[None, wire.CameraTest]) -> wire.CameraTestReply:
    settings = await _test_settings(services, call.body)
    return await measure(services.open_source(settings), services.clock)


async def _test_settings(services: Services, asked: wire.CameraTest) -> SourceSettings:
    if not asked.camera:
        address = checked_url(asked.url)
        return SourceSettings(
            url=address.url,
            user=checked_secret(asked.user, "user name") or address.user,
            password=checked_secret(asked.password, "password") or address.password,
            transport=checked_choice(Transport, asked.transport, "transport"),
            verify_tls=asked.verify_tls,
        )
    if asked.url or asked.user or asked.password:
        raise InvalidInput("a test names either a known camera or a URL, not both", "leave one of them out")
    camera: Camera = await services.catalog.read("camera", asked.camera)
    return SourceSettings(
        url=camera.url,
        user=camera.user,
        password=await services.catalog.read("camera_password", camera.uuid),
        wants_audio=camera.record_audio,
        transport=camera.transport,
        verify_tls=camera.verify_tls,
    )

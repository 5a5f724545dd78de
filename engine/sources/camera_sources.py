"""A camera's own events and pictures: which cameras are asked by ONVIF, in whose pictures motion is looked for.

Keeps the settings, and tells those who do it (engine/onvif, engine/motion.py) of every camera that comes, goes or changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from engine.catalog_access import CatalogAccess
from engine.events import EventBus
from engine.motion import MotionService
from engine.pictures.motion import COLUMNS, ROWS
from engine.supervise import Sleep
from engine.wire_sources import AnalyticsView, CameraAnalytics, CameraIo
from storage.catalog.records import Camera
from storage.errors import InvalidInput

FOLLOW_S = 1.0


class Onvif(Protocol):
    """engine.onvif.service.OnvifService. It asks for a camera's password itself, at the moment of connecting."""

    def follow(self, camera: Camera, settings: CameraAnalytics) -> None:
        """Added or edited."""

    def forget(self, camera: UUID) -> None: ...

    def state(self, camera: UUID) -> tuple[str, str, tuple[str, ...]]:
        """State, trouble in words, kinds seen or announced."""

    async def io(self, camera: Camera, settings: CameraAnalytics) -> CameraIo: ...


class CameraSources:
    """`load`, then `run` for ever. Loop only."""

    def __init__(
        self,
        catalog: CatalogAccess,
        events: EventBus,
        motion: MotionService,
        onvif: Onvif,
        cameras: Callable[[], Sequence[Camera]],
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._catalog = catalog
        self._events = events
        self._motion = motion
        self._onvif = onvif
        self._cameras = cameras
        """Those in use, as edited."""
        self._sleep = sleep
        self._settings: dict[UUID, CameraAnalytics] = {}
        self._followed: dict[UUID, tuple[Camera, CameraAnalytics]] = {}

    async def load(self) -> None:
        kept: dict[UUID, str] = await self._catalog.read("all_camera_analytics")
        self._settings = {
            uuid: msgspec.json.decode(body, type=CameraAnalytics) for uuid, body in kept.items()
        }
        self._follow()

    async def run(self) -> None:
        """Cameras are edited in many places: compared once a second, which costs nothing while nothing changed."""
        while True:
            await self._sleep(FOLLOW_S)
            self._follow()

    def _follow(self) -> None:
        now = {
            camera.uuid: (camera, self.settings(camera.uuid))
            for camera in self._cameras()
            if camera.is_enabled
        }
        if now == self._followed:
            return
        before, self._followed = self._followed, now
        for gone in before.keys() - now.keys():
            self._motion.forget(gone)
            self._onvif.forget(gone)
        for uuid, (camera, settings) in now.items():
            if before.get(uuid) != (camera, settings):
                self._motion.watch(uuid, camera.name, settings)
                self._onvif.follow(camera, settings)

    def settings(self, camera: UUID) -> CameraAnalytics:
        return self._settings.get(camera, CameraAnalytics())

    def view(self, camera: Camera) -> AnalyticsView:
        onvif_state, trouble, topics = self._onvif.state(camera.uuid)
        motion_state, last_motion_us = self._motion.state(camera.uuid)
        index_state, look_every_s = self._motion.index_state(camera.uuid)
        return AnalyticsView(
            camera=camera.name,
            settings=self.settings(camera.uuid),
            onvif_state=onvif_state,
            onvif_trouble=trouble,
            topics=topics,
            motion_state=motion_state,
            last_motion_us=last_motion_us,
            index_state=index_state,
            look_every_s=look_every_s,
        )

    async def edit(self, camera: Camera, settings: CameraAnalytics, actor: str) -> AnalyticsView:
        """Raises InvalidInput."""
        check(settings)
        await self._catalog.write("put_camera_analytics", camera.uuid, msgspec.json.encode(settings).decode())
        self._settings[camera.uuid] = settings
        self._follow()
        words = [
            f"ONVIF events {'on' if settings.onvif else 'off'}",
            f"motion {f'at sensitivity {settings.sensitivity}' if settings.motion else 'off'}",
            f"motion for searches {'kept' if settings.motion_index else 'not kept'}",
        ]
        self._events.publish(
            "camera.analytics_edited",
            ", ".join(words),
            source=camera.name,
            actor=actor,
        )
        return self.view(camera)

    async def io(self, camera: Camera) -> CameraIo:
        """Asked of the camera now. Raises CameraError."""
        return await self._onvif.io(camera, self.settings(camera.uuid))


def check(settings: CameraAnalytics) -> None:
    """Raises InvalidInput."""
    url = settings.onvif_url
    if url and (not url.startswith(("http://", "https://")) or "@" in url.split("/", 3)[2]):
        raise InvalidInput(
            "$.onvif_url: not an http:// or https:// address, or with a user in it",
            "such as http://192.168.1.20/onvif/device_service; the camera's own user and password are used",
        )
    rows = settings.mask
    if rows and (len(rows) != ROWS or any(len(row) != COLUMNS or set(row) - {"x", "."} for row in rows)):
        raise InvalidInput(
            f"$.mask: not {ROWS} rows of {COLUMNS} `x` or `.`", "x = looked at; leave it out to look at all"
        )

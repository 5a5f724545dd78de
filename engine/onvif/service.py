"""Cameras' own events, and what cameras can be told to do: one watch a camera, all on one HTTP client and one SOAP thread.

Called by engine/sources/camera_sources.py (who is followed), by the API and by alarm actions (presets, outputs). Without a camera
to follow it holds no thread, no library and no socket. Recording is never touched. Loop only.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from engine.catalog_access import CatalogAccess
from engine.onvif.address import device_url
from engine.onvif.camera_ports import CameraPorts
from engine.onvif.camera_watch import CameraWatch, EventPublisher, OnvifState
from engine.onvif.dialogue import CameraDialogue, OnvifAccess
from engine.onvif.exchange import Exchange
from engine.onvif.notification import Notification
from engine.onvif.rising_edges import RisingEdges
from engine.onvif.session import OnvifSession
from engine.onvif.workshop import SoapWorkshop
from engine.supervise import Sleep, keep_running
from engine.wire_sources import CameraAnalytics, CameraIo
from storage.catalog.records import Camera
from storage.clock import Clock
from storage.errors import Conflict

log = logging.getLogger(__name__)

CONNECTING_LIMIT = 16
"""Cameras met at the same time; the others wait their turn. Listening needs none."""
SPREAD_S = 0.05
"""Between the beginnings of two watches: 128 cameras begin within seven seconds."""


@dataclass(slots=True)
class _Followed:
    camera: Camera
    settings: CameraAnalytics
    edges: RisingEdges = field(default_factory=RisingEdges)
    watch: CameraWatch | None = None
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Ports:
    access: OnvifAccess
    ports: CameraPorts


class OnvifService:
    """`run` for ever; cancel to stop, which gives every subscription back."""

    def __init__(
        self,
        catalog: CatalogAccess,
        events: EventPublisher,
        clock: Clock,
        *,
        on_change: Callable[[], None] = lambda: None,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.on_change = on_change
        self._catalog = catalog
        self._events = events
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._followed: dict[UUID, _Followed] = {}
        self._ports: dict[UUID, _Ports] = {}
        self._workshop = SoapWorkshop()
        self._exchange: Exchange | None = None
        self._gate = asyncio.Semaphore(CONNECTING_LIMIT)
        self._tasks: asyncio.TaskGroup | None = None
        self._begun = 0

    async def run(self) -> None:
        """Watches are tasks of this one. Those asked for before are begun now."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                try:
                    for place in self._followed.values():
                        self._begin(place)
                    await asyncio.Event().wait()
                finally:
                    self._tasks = None
        finally:
            if self._exchange is not None:
                await self._exchange.close()
                self._exchange = None
            self._workshop.close()

    # -- who is followed -----------------------------------------------------------------------------------

    def follow(self, camera: Camera, settings: CameraAnalytics) -> None:
        """Added or edited. A new name alone interrupts nothing; the password is read at each connection."""
        if not settings.onvif:
            self.forget(camera.uuid)
            return
        place = self._followed.get(camera.uuid)
        if place is None:
            place = self._followed[camera.uuid] = _Followed(camera, settings)
            self._begin(place)
            return
        before = (
            place.camera.url,
            place.camera.user,
            place.camera.has_password,
            *_address_of(place.settings),
        )
        after = (camera.url, camera.user, camera.has_password, *_address_of(settings))
        is_other = place.camera.url != camera.url
        place.camera, place.settings = camera, settings
        if place.watch is not None:
            place.watch.name = camera.name
        if before != after:
            if is_other:
                place.edges = RisingEdges()
            if place.task is not None:
                place.task.cancel()
            self._begin(place)

    def forget(self, camera: UUID) -> None:
        """Removed, switched off, or not to be followed any more. What actions ask of it is asked anew."""
        self._ports.pop(camera, None)
        place = self._followed.pop(camera, None)
        if place is not None and place.task is not None:
            place.task.cancel()

    def state(self, camera: UUID) -> tuple[str, str, tuple[str, ...]]:
        """State, trouble in words, kinds announced or seen."""
        place = self._followed.get(camera)
        if place is None or place.watch is None:
            return OnvifState.OFF.value, "", ()
        return place.watch.state.value, place.watch.trouble, tuple(sorted(place.edges.kinds))

    def _begin(self, place: _Followed) -> None:
        if self._tasks is None:
            return
        watch = CameraWatch(
            place.camera.name,
            lambda began, heard: _PasswordFirst(self, place, began, heard),
            place.edges,
            events=self._events,
            clock=self._clock,
            on_change=lambda: self.on_change(),
            sleep=self._sleep,
            chance=self._chance,
        )
        place.watch = watch
        delay_s = SPREAD_S * (self._begun % 128)
        self._begun += 1

        async def watched() -> None:
            await self._sleep(delay_s)
            await keep_running(f"onvif {place.camera.name}", watch.run, sleep=self._sleep)

        place.task = self._tasks.create_task(watched(), name=f"onvif:{place.camera.id}")

    async def session(
        self,
        place: _Followed,
        on_listening: Callable[[], None],
        on_messages: Callable[[tuple[Notification, ...]], None],
    ) -> OnvifSession:
        """For a watch: with the password as it is now. Raises InvalidInput when the camera has no ONVIF address."""
        dialogue = self._dialogue(await self._access(place.camera, place.settings))
        return OnvifSession(
            dialogue,
            self._clock,
            gate=self._gate,
            on_listening=on_listening,
            on_messages=on_messages,
            on_announced=place.edges.announce,
            sleep=self._sleep,
        )

    # -- what cameras can be told --------------------------------------------------------------------------

    async def io(self, camera: Camera, settings: CameraAnalytics) -> CameraIo:
        """Presets, outputs and inputs, asked now. Raises CameraError."""
        return await (await self._ports_of(camera, settings)).all()

    async def go_to_preset(self, camera: str, preset: str) -> None:
        """By names. Raises NotFound (camera, preset) and CameraError."""
        found: Camera = await self._catalog.read("camera", camera)
        await (await self._ports_of(found, await self._settings_of(found))).go_to_preset(preset)

    async def set_output(self, camera: str, output: str, is_on: bool) -> None:
        """By name and token. Raises NotFound (camera, output) and CameraError."""
        found: Camera = await self._catalog.read("camera", camera)
        await (await self._ports_of(found, await self._settings_of(found))).set_output(output, is_on)

    async def _ports_of(self, camera: Camera, settings: CameraAnalytics) -> CameraPorts:
        """Kept while the camera is asked in the same way: an alarm's second step then takes one request."""
        access = await self._access(camera, settings)
        kept = self._ports.get(camera.uuid)
        if kept is None or kept.access != access:
            kept = self._ports[camera.uuid] = _Ports(access, CameraPorts(self._dialogue(access)))
        return kept.ports

    async def _settings_of(self, camera: Camera) -> CameraAnalytics:
        place = self._followed.get(camera.uuid)
        if place is not None:
            return place.settings
        body: str | None = await self._catalog.read("camera_analytics", camera.uuid)
        return msgspec.json.decode(body, type=CameraAnalytics) if body else CameraAnalytics()

    async def _access(self, camera: Camera, settings: CameraAnalytics) -> OnvifAccess:
        password: str = await self._catalog.read("camera_password", camera.uuid)
        return OnvifAccess(
            device_url(camera.url, settings.onvif_url), camera.user, password, settings.onvif_verify_tls
        )

    def _dialogue(self, access: OnvifAccess) -> CameraDialogue:
        if self._tasks is None:
            raise Conflict("the engine is starting or stopping", "ask again")
        if self._exchange is None:
            self._exchange = Exchange()
        return CameraDialogue(access, self._exchange, self._workshop, self._clock)


class _PasswordFirst:
    """A session that reads its camera's password when it begins, not before."""

    def __init__(
        self,
        service: OnvifService,
        place: _Followed,
        on_listening: Callable[[], None],
        on_messages: Callable[[tuple[Notification, ...]], None],
    ) -> None:
        self._service = service
        self._place = place
        self._on_listening = on_listening
        self._on_messages = on_messages

    async def run(self) -> None:
        session = await self._service.session(self._place, self._on_listening, self._on_messages)
        await session.run()


def _address_of(settings: CameraAnalytics) -> tuple[str, bool]:
    return settings.onvif_url, settings.onvif_verify_tls

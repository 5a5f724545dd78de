"""What each camera can do for alarm rules: events it reports, presets, outputs. Asked once for an editor, some at a time.

A camera that does not answer has no abilities; why is kept. Manual rows AT-05, AA-05, AA-06.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from engine.client import WatchdeckError
from engine.wire_sources import AnalyticsView, CameraIo
from tui.connection import Client

AT_ONCE = 8
"""Calls under way; the others wait. A camera that is slow delays only itself."""
NO_ONVIF = "ONVIF is off"


class CameraAbilities:
    """One console's, event-loop thread only."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.analytics: dict[str, AnalyticsView] = {}
        self.io: dict[str, CameraIo] = {}
        self.troubles: dict[str, str] = {}
        """Why a camera's presets and outputs are not known."""

    async def ask_analytics(self, cameras: Iterable[str]) -> None:
        """What the engine knows already; cheap."""

        async def ask(camera: str) -> None:
            self.analytics[camera] = await self._client.analytics(camera)

        await self._each([camera for camera in cameras if camera not in self.analytics], ask)

    async def ask_io(self, cameras: Iterable[str]) -> None:
        """Asks the cameras themselves: seconds. Those without ONVIF are not asked."""
        names = list(cameras)
        await self.ask_analytics(names)

        async def ask(camera: str) -> None:
            self.io[camera] = await self._client.camera_io(camera)

        wanted = [name for name in names if self._has_onvif(name)]
        self.troubles |= {name: NO_ONVIF for name in names if name not in wanted}
        await self._each([name for name in wanted if name not in self.io], ask)

    def _has_onvif(self, camera: str) -> bool:
        view = self.analytics.get(camera)
        return view is not None and view.settings.onvif

    async def _each(self, cameras: list[str], ask: Callable[[str], Awaitable[None]]) -> None:
        free = asyncio.Semaphore(AT_ONCE)

        async def one(camera: str) -> None:
            async with free:
                try:
                    await ask(camera)
                except WatchdeckError as error:
                    self.troubles[camera] = error.what

        async with asyncio.TaskGroup() as group:
            for camera in cameras:
                group.create_task(one(camera), name=f"abilities:{camera}")

    # -- what came of it -------------------------------------------------------------------------------

    def reporting(self, kind: str) -> int:
        """Cameras that announce events of this kind."""
        return sum(
            any(topic == kind or topic.startswith(f"{kind}.") for topic in view.topics)
            or (kind == "detection.motion" and view.settings.motion)
            for view in self.analytics.values()
        )

    def with_outputs(self) -> dict[str, tuple[str, ...]]:
        return {camera: io.outputs for camera, io in self.io.items() if io.outputs}

    def with_presets(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Token and name of each preset."""
        return {camera: io.presets for camera, io in self.io.items() if io.presets}

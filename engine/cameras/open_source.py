"""Chooses the source for a camera's settings: the native client wherever it can, libav for the rest."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.cameras.libav import LibavSource
from engine.cameras.rtsp import RtspSource
from engine.cameras.source import PacketSink, PacketSource, SourceSettings
from storage.camera_url import with_secret
from storage.clock import Clock
from storage.errors import CameraUnreachable, CameraUnsupported

SECOND_TRY_S = 1.0


def open_source(settings: SourceSettings, clock: Clock | None = None) -> PacketSource:
    """A source for one session; nothing is connected before `run`."""
    settings = replace(settings, url=with_secret(settings.url, settings.password))
    scheme = settings.url.strip().partition("://")[0].lower()
    if scheme in ("rtsp", "rtsps") and settings.transport != "udp":
        return (
            RtspSource(settings, clock)
            if settings.transport == "tcp"
            else AnyTransportSource(settings, clock)
        )
    return LibavSource(settings, clock)


class AnyTransportSource:
    """Transport "auto": TCP, and UDP for the few cameras that refuse it."""

    def __init__(self, settings: SourceSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock

    async def run(self, sink: PacketSink) -> None:
        """As PacketSource.run."""
        source = RtspSource(self._settings, self._clock)
        try:
            await source.run(sink)
        except CameraUnsupported:
            if not source.wants_udp:
                raise
        settings = replace(self._settings, transport="udp")
        over_udp = LibavSource(settings, self._clock)
        try:
            await over_udp.run(sink)
        except CameraUnreachable:
            if over_udp.has_delivered:
                raise
            # Some servers are still busy ending the first conversation.
            await asyncio.sleep(SECOND_TRY_S)
            await LibavSource(settings, self._clock).run(sink)

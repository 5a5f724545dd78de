"""Chooses the source for a camera's settings."""

from __future__ import annotations

from engine.cameras.rtsp import RtspSource
from engine.cameras.source import PacketSource, SourceSettings
from storage.clock import Clock


def open_source(settings: SourceSettings, clock: Clock | None = None) -> PacketSource:
    return RtspSource(settings, clock)

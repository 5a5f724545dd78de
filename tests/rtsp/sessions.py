"""Sessions of the RTSP client against a scripted camera: to play in, or to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.cameras.rtsp import RtspSource
from engine.cameras.source import SourceSettings
from storage.errors import WatchdeckError
from tests.rtsp.recording_sink import RecordingSink
from tests.rtsp.rtp_packets import fragment, frames_of
from tests.rtsp.scripted import ScriptedCamera

IDR = b"\x65\x88" + b"\x11" * 3000
P = b"\x41\x9a" + b"\x22" * 300
MEDIA = b"".join(frames_of([(90_000, fragment(IDR)), (93_600, fragment(P)), (97_200, fragment(P))]))
PASSWORD = "geh€im/:@pass"


def settings_for(camera: ScriptedCamera, **changes: object) -> SourceSettings:
    values: dict[str, object] = {"url": camera.url, "stall_timeout_ms": 5000, "connect_timeout_ms": 3000}
    return SourceSettings(**{**values, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def playing(camera: ScriptedCamera, **changes: object) -> AsyncIterator[RecordingSink]:
    """A session that runs while the block does, and is cancelled after it."""
    sink = RecordingSink()
    source = RtspSource(settings_for(camera, **changes))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(source.run(sink))
        async with asyncio.timeout(10):
            yield sink
        task.cancel()


async def failure(camera: ScriptedCamera, **changes: object) -> WatchdeckError:
    """What a session that must fail raises."""
    async with asyncio.timeout(10):
        with pytest.raises(WatchdeckError) as caught:
            await RtspSource(settings_for(camera, **changes)).run(RecordingSink())
    assert PASSWORD not in repr(caught.value) + str(caught.value)
    return caught.value

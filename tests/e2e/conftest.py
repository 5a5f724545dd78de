"""What several of these tests begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine import wire
from tests.e2e.engine_process import EngineProcess, until
from tests.rtsp.server import RtspServer, RtspStream


@pytest.fixture
async def test_card(tmp_path: Path) -> AsyncIterator[EngineProcess]:
    """An engine that records one camera, `test-card`, which shows the SMPTE picture."""
    volume = tmp_path / "volume"
    volume.mkdir()
    process = EngineProcess(tmp_path / "state")
    with RtspServer([RtspStream(pattern="smpte", width=640, height=360, kbps=2000)]) as server:
        try:
            client = await process.start()
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
            )
            await client.add_camera(wire.CameraAdd(name="test-card", url=server.url()))
            await until(client, lambda now: now.station.cameras_recording == 1, "recording")
            yield process
        finally:
            await process.end()

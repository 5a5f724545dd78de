"""A served station with real footage of two cameras, and what reads exports."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from engine.exports.folder import ExportFolder, Space
from engine.wire_evidence import ExportJobView, ExportState
from storage.units import US_PER_SECOND
from tests.fakes.encoded_video import encoded
from tests.fakes.recorded_footage import add_volume, record
from tests.fakes.segment_files import START_US
from tests.fakes.station import FakeStation, fake_station

GIB = 1 << 30


def at(seconds: float) -> int:
    return START_US + round(seconds * US_PER_SECOND)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Unix socket paths hold 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> list[Space]:
    """The space that the folder of exports has from now on: the first entry."""
    spaces = [Space(100 * GIB, GIB)]
    monkeypatch.setattr(ExportFolder, "space", lambda self: spaces[0])
    return spaces


@pytest.fixture
async def station(short_folder: Path, room: list[Space]) -> AsyncIterator[FakeStation]:
    """gate: 4 s of H.264 with AAC, a hole of 6 s, 4 s more; yard: 4 s of H.265."""
    ready: asyncio.Future[FakeStation] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def live() -> None:
        async with fake_station(short_folder) as served:
            ready.set_result(served)
            await done.wait()

    life = asyncio.create_task(live())
    await asyncio.wait([life, ready], return_when=asyncio.FIRST_COMPLETED)
    if life.done():
        await life
    served = ready.result()
    served.clock.step(at(3600) - served.clock.now_us())
    root = short_folder / "disk"
    volume_id = await add_volume(served, root)
    await record(served, root, volume_id, "gate", encoded("h264"), encoded("aac"))
    await record(served, root, volume_id, "gate", encoded("h264", seed=1), encoded("aac"), start_us=at(10))
    await record(served, root, volume_id, "yard", encoded("h265"))
    yield served
    done.set()
    await life


async def ended(station: FakeStation, id: str, limit_s: float = 60) -> ExportJobView:
    """The job when it is over."""
    async with asyncio.timeout(limit_s):
        while True:
            job = await station.client.export_job(id)
            if job.state not in (ExportState.WAITING, ExportState.RUNNING):
                return job
            await asyncio.sleep(0.02)


async def until(is_so: Callable[[], bool] | Callable[[], Awaitable[bool]], limit_s: float = 20) -> None:
    async with asyncio.timeout(limit_s):
        while True:
            found = is_so()
            if isinstance(found, bool) and found:
                return
            if not isinstance(found, bool) and await found:
                return
            await asyncio.sleep(0.005)


def demuxed(path: Path) -> dict[str, list[bytes]]:
    """Packets by kind of stream."""
    with av.open(str(path)) as container:
        found: dict[str, list[bytes]] = {stream.type: [] for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                found[packet.stream.type].append(bytes(packet))
        return found


def frames(path: Path) -> list[tuple[float, Any]]:
    """(seconds, RGB pixels)."""
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]

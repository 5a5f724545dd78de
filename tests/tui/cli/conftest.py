"""A served fake station in a thread of its own, and the command line called as a shell would."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.catalog.db import Catalog
from storage.volumes.volume import Volume
from tests.fakes.station import FakeStation, fake_station
from tests.storage.catalog.volume_footage import Recording, add_volume
from tui.cli.main import run

NOW_US = 1_767_225_600_000_000
SECOND = 1_000_000


@dataclass
class Result:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def error(self) -> dict[str, str]:
        (line,) = self.err.splitlines()
        found: dict[str, str] = json.loads(line)
        assert set(found) == {"code", "what", "remedy"}
        return found


class Shell:
    """Calls `watchdeck --socket ... ` and catches what it prints."""

    def __init__(self, socket_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.socket_path = socket_path
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Result:
        self._capsys.readouterr()
        code = run(["--socket", str(self.socket_path), *arguments])
        out, err = self._capsys.readouterr()
        return Result(code, out, err)

    def json(self, *arguments: str) -> Any:
        """The document of a command that must succeed."""
        result = self(*arguments, "--json")
        assert (result.code, result.err) == (0, "")
        return result.document


@pytest.fixture
def station_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop the station lives on, in another thread than the test."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def station(station_loop: asyncio.AbstractEventLoop) -> Iterator[FakeStation]:
    """Runs until the test is over."""
    ready = threading.Event()
    served: list[FakeStation] = []
    done = asyncio.Event()

    async def live() -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="wd-", dir="/tmp") as folder:
                async with fake_station(Path(folder)) as station:
                    served.append(station)
                    ready.set()
                    await done.wait()
        finally:
            ready.set()

    thread = threading.Thread(target=station_loop.run_until_complete, args=(live(),))
    thread.start()
    assert ready.wait(20)
    yield served[0]
    station_loop.call_soon_threadsafe(done.set)
    thread.join()


@pytest.fixture
def publish(station: FakeStation, station_loop: asyncio.AbstractEventLoop) -> Callable[[str, str], None]:
    """An event of the engine: kind and text."""

    def on_the_loop(kind: str, text: str) -> None:
        station_loop.call_soon_threadsafe(lambda: station.events.publish(kind, text))

    return on_the_loop


@pytest.fixture
def shell(station: FakeStation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    return Shell(station.socket_path, capsys)


@pytest.fixture
def footage(station: FakeStation, shell: Shell, tmp_path: Path) -> Recording:
    """Camera `gate` with two closed segments of 4 s up to 2 s ago."""
    shell.json("camera", "add", "gate", "rtsp://192.0.2.1/a")
    with Catalog.open(station.socket_path.with_name("catalog.sqlite")) as catalog:
        volume: Volume = add_volume(catalog, tmp_path / "array")
        recording = Recording(catalog, volume, catalog.camera("gate"), NOW_US - 10 * SECOND)
        recording.segment()
        recording.segment()
        recording.end()
        volume.close()
    return recording

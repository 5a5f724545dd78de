"""Searching recorded footage of a moving scene through the command line: motion is found where something moves and not where
nothing does, pictures come out as files, a bookmark is kept."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from engine import wire
from engine.demo.feed import DemoCamera
from engine.demo.rtsp_server import DemoServer
from storage.clock import SystemClock
from tests.e2e.engine_process import EngineProcess, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

AISLE = "0,62 100,62 100,92 0,92"
"""Where somebody paces up and down. (This scene has no night: a change of all the light is motion, too.)"""
CEILING = "2,7 98,7 98,14 2,14"
"""Where nothing ever moves."""
RECORDED_S = 24


async def watchdeck(socket: Path, *arguments: str) -> tuple[int, Any]:
    """Exit code and the JSON document of a command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui", "--socket", str(socket), *arguments, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, json.loads(out or err)


async def test_motion_is_found_where_something_moves_and_nowhere_else(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    engine = EngineProcess(tmp_path / "state")
    server = DemoServer((DemoCamera("server-room", "server-room"),), SystemClock())
    serving = asyncio.create_task(server.run())
    try:
        url = await server.url("server-room")
        client = await engine.start()
        await client.add_volume(
            wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
        )
        await client.add_camera(wire.CameraAdd(name="server-room", url=url))
        await until(client, lambda now: now.station.cameras_recording == 1, "recording")
        await asyncio.sleep(RECORDED_S)

        stretch = ("server-room", "--from", f"-{RECORDED_S}s", "--to", "-2s")
        for decode in ("auto", "always"):  # stored while recording; looked at anew
            code, found = await watchdeck(
                engine.socket, "search", "motion", *stretch, "--polygon", AISLE, "--decode", decode
            )
            assert (code, found["state"]) == (0, "done"), found
            assert found["hits"], decode
            code, found = await watchdeck(
                engine.socket, "search", "motion", *stretch, "--polygon", CEILING, "--decode", decode
            )
            assert (code, found["hits"]) == (1, []), found
            assert found["stored_looks"] + found["decoded_looks"] > 5

        code, saved = await watchdeck(
            engine.socket, "search", "thumbnails", *stretch, "--every", "5s", "-o", str(tmp_path / "pictures")
        )
        assert code == 0
        assert len(saved["pictures"]) >= 4
        for each in saved["pictures"]:
            assert Path(each["path"]).read_bytes().startswith(b"\xff\xd8")
        assert (tmp_path / "pictures" / "index.html").exists()

        code, shown = await watchdeck(engine.socket, "activity", *stretch, "--bins", "6")
        assert code == 0
        assert max(shown["bins"]) > 0
        assert any(shown["seen"])

        code, made = await watchdeck(
            engine.socket, "bookmark", "add", "server-room", "--from", "-15s", "--name", "white coat"
        )
        assert code == 0
        code, listed = await watchdeck(engine.socket, "bookmark", "list", "--text", "coat")
        assert [each["id"] for each in listed["bookmarks"]] == [made["id"]]
        assert listed["bookmarks"][0]["is_valid"] is True
    finally:
        await engine.end()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

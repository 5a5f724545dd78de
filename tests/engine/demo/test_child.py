"""A part of the demo that cannot be started is said in words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.demo.child import Child, DemoFailed


async def test_without_room_for_a_process_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    with pytest.raises(DemoFailed, match="the engine cannot be started: Resource temporarily unavailable"):
        await Child.start("the engine", tmp_path / "log", "engine")

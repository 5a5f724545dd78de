"""Files on the operator's machine: whole or not at all."""

from __future__ import annotations

import asyncio
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tui.export_job import SaveFailed, export_to_file, file_name, free_bytes, safe_name, save_bytes


def test_the_file_is_named_after_camera_and_time() -> None:
    name = file_name("Front door/2", SCRIPT_NOW_US, UTC, ".mp4")
    assert name == "Front-door-2-2026-03-04-140320.mp4"


@given(st.text(max_size=120))
def test_any_camera_name_makes_a_plain_file_name(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not safe.startswith(".")
    assert "/" not in safe
    assert "\0" not in safe
    assert len(safe) <= 80


async def test_an_export_arrives_whole_and_under_a_free_name(tmp_path: Path) -> None:
    engine = FakeEngine()
    seen: list[tuple[int, int]] = []
    path = tmp_path / "new" / "driveway.mp4"
    first = await export_to_file(engine.client(), "driveway", 0, 1, path, lambda *at: seen.append(at))
    second = await export_to_file(engine.client(), "driveway", 0, 1, path, lambda *at: None)
    assert first == path
    assert second == path.with_name("driveway-2.mp4")
    assert first.stat().st_size == 4_000_000
    assert seen[-1] == (4_000_000, 4_000_000)
    assert sorted(each.name for each in path.parent.iterdir()) == ["driveway-2.mp4", "driveway.mp4"]


async def test_a_cancelled_export_leaves_nothing(tmp_path: Path) -> None:
    engine = FakeEngine(export_gate=asyncio.Event())
    began = asyncio.Event()
    path = tmp_path / "driveway.mp4"
    async with asyncio.TaskGroup() as group:
        job = group.create_task(
            export_to_file(engine.client(), "driveway", 0, 1, path, lambda *at: began.set())
        )
        await began.wait()
        assert len(list(tmp_path.iterdir())) == 1
        job.cancel()
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(SaveFailed, match="file"):
        await save_bytes(b"jpeg", blocked / "picture.jpg")


async def test_too_little_space_is_said_before_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.export_job.free_bytes", lambda folder: 10_000_000)
    with pytest.raises(SaveFailed, match="free"):
        await save_bytes(b"jpeg", tmp_path / "picture.jpg")
    assert list(tmp_path.iterdir()) == []


def test_free_space_is_that_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    assert abs(free_bytes(tmp_path / "a" / "b") - free_bytes(tmp_path)) < 1_000_000_000

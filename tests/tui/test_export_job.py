"""Files on the operator's machine: whole or not at all."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tui.export_job import (
    SaveFailed,
    export_to_file,
    fetch_export,
    file_name,
    free_bytes,
    safe_name,
    save_bytes,
)


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
    assert len(safe.encode()) <= 160


async def test_a_name_in_letters_of_many_bytes_is_no_file_name_too_long(tmp_path: Path) -> None:
    name = file_name("駐車場" * 40, SCRIPT_NOW_US, UTC, ".jpg")
    assert (await save_bytes(b"jpeg", tmp_path / name)).read_bytes() == b"jpeg"


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


async def test_two_of_one_name_at_once_are_two_files(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    saved = await asyncio.gather(*(save_bytes(bytes([number]), path) for number in range(5)))
    assert sorted(each.read_bytes() for each in saved) == [bytes([number]) for number in range(5)]
    assert len(list(tmp_path.iterdir())) == 5


async def test_a_disk_without_second_names_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "picture.jpg"
    assert await save_bytes(b"first", path) == path
    assert await save_bytes(b"second", path) == tmp_path / "picture-2.jpg"
    assert path.read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 2


async def test_what_is_cancelled_while_its_file_is_opened_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked, may_go = threading.Event(), threading.Event()

    def slow_disk(_: Path) -> int:
        is_asked.set()
        may_go.wait()
        return 10**12

    monkeypatch.setattr("tui.export_job.free_bytes", slow_disk)
    job = asyncio.create_task(save_bytes(b"jpeg", tmp_path / "picture.jpg"))
    await asyncio.to_thread(is_asked.wait)
    job.cancel()
    asyncio.get_running_loop().call_later(0.01, may_go.set)  # only a loop that goes on comes to this
    with pytest.raises(asyncio.CancelledError):
        await job
    assert list(tmp_path.iterdir()) == []


async def test_a_cancelled_fetch_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_asked, may_go = threading.Event(), threading.Event()

    def slow_folder(path: Path) -> Path:
        is_asked.set()
        may_go.wait()
        path.mkdir()
        return path

    monkeypatch.setattr("tui.export_job._new_folder", slow_folder)
    files = [("a.mp4", 10, ""), ("b.mp4", 10, "")]
    job = asyncio.create_task(
        fetch_export(FakeEngine().client(), "e1", "gate", files, tmp_path, lambda *_: None)
    )
    await asyncio.to_thread(is_asked.wait)
    job.cancel()
    asyncio.get_running_loop().call_later(0.01, may_go.set)
    with pytest.raises(asyncio.CancelledError):
        await job
    assert list(tmp_path.iterdir()) == []


def test_the_room_of_a_folder_that_may_not_be_looked_at_is_that_of_the_one_above(tmp_path: Path) -> None:
    """Root may look everywhere: a name that no file system takes fails in the same call."""
    assert free_bytes(tmp_path / ("x" * 300) / "exports") > 0

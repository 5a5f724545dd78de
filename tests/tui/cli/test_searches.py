"""`watchdeck search` and `watchdeck activity`: what is asked of the engine, what is printed, and how it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import msgspec
import pytest

from engine.client import EngineClient
from engine.wire_search import MotionHit, MotionSearch, MotionSearchView, SearchState
from storage.errors import PictureUnavailable
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine, FakeEngineClient
from tests.storage.catalog.volume_footage import Recording
from tests.tui.cli.conftest import NOW_US, SECOND, Shell
from tui.cli.output import iso_time
from tui.cli.searches import _watched
from tui.cli.thumbnail_files import SavedThumbnails, index_page, save_thumbnails


@contextmanager
def answering(*views: MotionSearchView) -> Iterator[list[Any]]:
    """The engine's answers, one after the other; what was asked."""
    asked: list[Any] = []
    left = list(views)

    async def search(self: EngineClient, wanted: MotionSearch) -> MotionSearchView:
        asked.append(wanted)
        return left.pop(0)

    async def again(self: EngineClient, id: str, *, wait_ms: int = 0) -> MotionSearchView:
        asked.append(id)
        return left.pop(0)

    with mock.patch.multiple(EngineClient, search_motion=search, motion_search=again):
        yield asked


def view(state: SearchState, hits: int = 0, **more: Any) -> MotionSearchView:
    found = tuple(
        MotionHit(
            start_us=NOW_US - (9 - index) * SECOND,
            end_us=NOW_US - (8 - index) * SECOND,
            peak_us=NOW_US - (9 - index) * SECOND,
            peak_cells=4,
        )
        for index in range(hits)
    )
    return MotionSearchView(
        id="s1",
        camera="gate",
        start_us=0,
        end_us=1,
        state=state,
        progress=1.0,
        hits=found,
        stored_looks=7,
        **more,
    )


def test_motion_is_found_and_leaves_with_0(footage: Recording, shell: Shell) -> None:
    with answering(
        view(SearchState.RUNNING), view(SearchState.RUNNING, 1), view(SearchState.DONE, 2)
    ) as asked:
        result = shell(
            "search", "motion", "gate", "--from", "-1h", "--polygon", "10,10 90,10 50,90.5",
            "--min-cells", "3", "--min-length", "2s", "--join", "30s", "--decode", "never", "--json",
        )  # fmt: skip
    assert result.code == 0
    assert [hit["start"] for hit in result.document["hits"]] == [
        iso_time(NOW_US - 9 * SECOND),
        iso_time(NOW_US - 8 * SECOND),
    ]
    wanted = asked[0]
    assert wanted.polygon == ((1_000, 1_000), (9_000, 1_000), (5_000, 9_050))
    assert (wanted.end_us - wanted.start_us, wanted.min_cells, wanted.join_s) == (3_600 * SECOND, 3, 30)
    assert (wanted.min_length_s, wanted.decoding.value) == (2, "never")
    assert asked[1:] == ["s1", "s1"]


def test_nothing_found_leaves_with_1(footage: Recording, shell: Shell) -> None:
    with answering(view(SearchState.DONE, unseen_us=90 * SECOND)):
        result = shell("search", "motion", "gate")
    assert result.code == 1
    assert "0 found in 7 moments, 1 min 30 s of recordings not looked at" in result.err
    with answering(view(SearchState.DONE, unseen_us=90 * SECOND)):
        assert shell("search", "motion", "gate", "--json").document["unseen_s"] == 90.0


def test_a_search_that_fails_is_an_error(footage: Recording, shell: Shell) -> None:
    with answering(view(SearchState.FAILED, trouble="volume bay-1 is missing")):
        result = shell("search", "motion", "gate", "--json")
    assert result.code == 1
    assert "volume bay-1 is missing" in result.error["what"]


async def test_ctrl_c_ends_the_search_in_the_engine() -> None:
    engine = FakeEngine()
    engine.footage.search_gate = asyncio.Event()
    client: Any = engine.client()
    task = asyncio.create_task(
        _watched(client, MotionSearch(camera="driveway", start_us=0, end_us=1), is_quiet=True)
    )
    while ("motion_search", "search-1") not in engine.calls:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ("cancel_motion_search", "search-1") in engine.calls


@pytest.mark.parametrize(
    "polygon",
    [
        "10,10 90,10",
        "10,10 20,20 30,30",
        "10 20 30",
        "10,10 110,10 50,50",
        "a,b c,d e,f",
        "",
        "nan,1 2,3 4,5",
    ],
)
def test_regions_that_are_none_are_refused(shell: Shell, polygon: str) -> None:
    result = shell("search", "motion", "gate", "--polygon", polygon, "--json")
    assert (result.code, result.error["code"]) == (2, "invalid_input")


# -- thumbnails ------------------------------------------------------------------------------------------


def test_pictures_are_saved_with_an_index(footage: Recording, shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "gate"
    document = shell.json(
        "search", "thumbnails", "gate", "--from", "-14s", "--to", "now", "--every", "2s", "-o", str(folder)
    )
    assert [each["asked"] for each in document["pictures"]] == [
        iso_time(NOW_US - seconds * SECOND) for seconds in (10, 8, 6, 4)
    ]
    assert [each["time"] for each in document["missing"]] == [
        iso_time(NOW_US - seconds * SECOND) for seconds in (14, 12, 2)
    ]
    files = sorted(path.name for path in folder.iterdir())
    assert files == [
        "gate-2026-01-01-005950.jpg",
        "gate-2026-01-01-005952.jpg",
        "gate-2026-01-01-005954.jpg",
        "gate-2026-01-01-005956.jpg",
        "index.html",
    ]
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert page.count("<img") == 4
    assert page.index("00:59:48 CET") < page.index("00:59:50 CET")
    assert "nothing recorded" in page


def test_nothing_recorded_leaves_with_1(footage: Recording, shell: Shell, tmp_path: Path) -> None:
    result = shell("search", "thumbnails", "gate", "--from", "-2h", "--to", "-1h", "-o", str(tmp_path / "x"))
    assert result.code == 1
    assert "nothing recorded" in result.err


def test_a_file_in_the_place_of_the_folder_is_refused(
    footage: Recording, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "x").write_text("")
    result = shell(
        "search", "thumbnails", "gate", "--from", "-10s", "--to", "now", "-o", str(tmp_path / "x"), "--json"
    )
    assert (result.code, result.error["code"]) == (8, "file_error")


def test_too_many_pictures_are_refused(footage: Recording, shell: Shell, tmp_path: Path) -> None:
    result = shell(
        "search",
        "thumbnails",
        "gate",
        "--from",
        "-30d",
        "--to",
        "now",
        "--every",
        "1s",
        "-o",
        str(tmp_path),
        "--json",
    )
    assert (result.code, result.error["code"]) == (2, "invalid_input")


async def test_several_pictures_are_under_way_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    engine = FakeEngine()
    client: Any = engine.client()
    under_way, most = 0, 0
    picture = client.picture

    async def slow(request: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        if request.at_us == SCRIPT_NOW_US - 300 * SECOND:
            raise PictureUnavailable("its keyframe is damaged", "look at the one beside it")
        return await picture(request)

    client.picture = slow
    stretch = (SCRIPT_NOW_US - 600 * SECOND, SCRIPT_NOW_US)
    saved = await save_thumbnails(
        client, "driveway", stretch, 60 * SECOND, 640, tmp_path, UTC, on_progress=lambda done, total: None
    )
    assert most == 4
    assert [each.asked_us for each in saved.pictures] == [
        SCRIPT_NOW_US - minutes * 60 * SECOND for minutes in (10, 9, 8, 7, 6, 4, 3, 2, 1)
    ]
    assert [each.reason for each in saved.missing] == ["its keyframe is damaged"]


async def test_names_of_an_hour_that_comes_twice_do_not_collide(tmp_path: Path) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first_us = 1_792_888_200_000_000  # 2026-10-25 02:30 CEST; an hour later it is 02:30 CET
    engine = FakeEngine()
    engine.change_camera("driveway", oldest_us=first_us - 86_400 * SECOND)
    engine.clock.advance(300 * 86_400 * SECOND)
    client = _Recorded(engine)
    saved = await save_thumbnails(
        client,  # type: ignore[arg-type]
        "driveway",
        (first_us, first_us + 7_200 * SECOND),
        3_600 * SECOND,
        640,
        tmp_path,
        berlin,
        on_progress=lambda done, total: None,
    )
    assert sorted(each.path.name for each in saved.pictures) == [
        "driveway-2026-10-25-023000-2.jpg",
        "driveway-2026-10-25-023000.jpg",
    ]


class _Recorded(FakeEngineClient):
    """Everything is recorded."""

    async def timeline(self, cameras: Any, start_us: int, end_us: int) -> Any:
        timeline = await super().timeline(cameras, start_us, end_us)
        row = msgspec.structs.replace(timeline.rows[0], recorded=((start_us, end_us),), gaps=())
        return msgspec.structs.replace(timeline, rows=(row,))


def test_names_from_outside_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    saved = SavedThumbnails('<script>"x"</script>', tmp_path / "index.html")
    assert "<script>" not in index_page(saved, UTC)


# -- activity --------------------------------------------------------------------------------------------


def test_activity_is_drawn_as_bars(footage: Recording, shell: Shell) -> None:
    document = shell.json("activity", "gate", "--from", "-20s", "--to", "now", "--bins", "5")
    assert len(document["bins"]) == len(document["seen"]) == 5
    assert document["bins"][0] == -1
    text = shell("activity", "gate", "--from", "-20s", "--to", "now", "--bins", "5").out
    assert text.count("\n") == 6
    assert "00:59:40    -  nothing recorded" in text

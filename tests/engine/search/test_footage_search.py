"""Motion searches over real footage: an object that walks through a known region, at night, past a light switch; stored and decoded."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from engine.motion import packed_mask
from engine.pictures.process import WorkerLost, WorkerProcess
from engine.search import footage_search
from engine.search.footage_search import FORGET_US, SEARCHES_LIMIT
from engine.wire_search import (
    MotionDecoding,
    MotionHit,
    MotionSearch,
    SearchState,
)
from storage.catalog.motion_looks import MotionLook
from storage.errors import Conflict, InvalidInput, NotFound
from tests.engine.search.yard import ANNA, BEN, ROOT, T0, Yard, activity, looked
from tests.fakes.recorded_scene import (
    LEFT_S,
    LEFT_THIRD,
    LENGTH_S,
    LIGHT_S,
    MIDDLE,
    RIGHT_S,
    RIGHT_THIRD,
    SECOND,
    SEGMENT_S,
    by_day,
    by_night,
    filmed,
)
from tests.storage.catalog.footage import add_segment, begin_run


def during(hit: MotionHit, seconds: range) -> bool:
    """It is that walk: who appears is seen at once; where they stood becomes background again within some looks."""
    start_s, end_s = (hit.start_us - T0) / SECOND, (hit.end_us - T0) / SECOND
    return (
        seconds.start <= start_s <= seconds.start + 1
        and seconds.stop - 1 <= end_s <= seconds.stop + 8
        and start_s <= (hit.peak_us - T0) / SECOND < end_s
    )


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize(
    ("polygon", "walks"),
    [(LEFT_THIRD, [LEFT_S]), (RIGHT_THIRD, [RIGHT_S]), (MIDDLE, []), ((), [LEFT_S, RIGHT_S])],
)
async def test_somebody_is_found_where_they_walked_and_nowhere_else(
    yard: Yard, polygon: tuple[tuple[int, int], ...], walks: list[range], is_stored: bool
) -> None:
    yard.record()
    if is_stored:
        yard.look()
    view = await yard.find(polygon=polygon)
    assert (view.state, view.progress, view.unseen_us, view.trouble) == (SearchState.DONE, 1.0, 0, "")
    assert (view.stored_looks, view.decoded_looks) == ((LENGTH_S, 0) if is_stored else (0, LENGTH_S))
    assert len(view.hits) == len(walks), "the light that was switched on is none"
    for hit, seconds in zip(view.hits, walks, strict=True):
        assert during(hit, seconds)
        assert hit.peak_cells > 1


@pytest.mark.parametrize("kind", ["h265", "mjpeg"])
async def test_whatever_the_codec(yard: Yard, kind: str) -> None:
    yard.record(kind=kind)
    (hit,) = (await yard.find(polygon=LEFT_THIRD)).hits
    assert during(hit, LEFT_S)


async def test_the_noise_of_the_night_is_no_motion(yard: Yard) -> None:
    yard.record(by_night)
    assert (await yard.find()).hits == ()


async def test_what_was_not_looked_at_is_decoded_and_joins_what_was(yard: Yard) -> None:
    """Nobody looked in the first forty seconds and the last."""
    yard.record()
    yard.record(by_day, T0 + LENGTH_S * SECOND)
    whole = {"end_us": T0 + 2 * LENGTH_S * SECOND}
    yard.look(seconds=range(LEFT_S.start + 5, LENGTH_S - 5))
    for decoding, decoded, hits in ((MotionDecoding.NEVER, 0, 2), (MotionDecoding.AUTO, 125, 4)):
        view = await yard.find(decoding=decoding, **whole)
        assert view.stored_looks == LENGTH_S - LEFT_S.start - 10
        assert abs(view.decoded_looks - decoded) <= 1
        assert len(view.hits) == hits
    assert view.unseen_us == 0
    never = await yard.find(decoding=MotionDecoding.NEVER, **whole)
    assert never.unseen_us == (LENGTH_S + 6) * SECOND
    always = await yard.find(decoding=MotionDecoding.ALWAYS, **whole)
    assert (always.stored_looks, always.decoded_looks) == (0, 2 * LENGTH_S)
    assert len(always.hits) == 4


async def test_looks_still_in_memory_are_searched_as_well(yard: Yard) -> None:
    yard.record()
    yard.look(seconds=range(30))
    yard.recent = [MotionLook(T0 + second * SECOND, cells) for second, cells in looked(by_day)[30:]]
    view = await yard.find()
    assert (view.stored_looks, view.decoded_looks, len(view.hits)) == (LENGTH_S, 0, 2)


async def test_filters_hold(yard: Yard) -> None:
    yard.record()
    yard.look()
    hits = (await yard.find()).hits
    assert (await yard.find(min_length_s=30)).hits == ()
    assert (await yard.find(min_cells=576)).hits == ()
    joined = (await yard.find(join_s=60)).hits
    assert [(hit.start_us, hit.end_us) for hit in joined] == [(hits[0].start_us, hits[1].end_us)]
    first = await yard.find(limit=1)
    assert (first.hits, first.is_cut) == (hits[:1], True)
    later = await yard.find(start_us=T0 + LIGHT_S * SECOND)
    assert later.hits == hits[1:]


async def test_a_limit_ends_decoding_early(yard: Yard) -> None:
    yard.record()
    view = await yard.find(limit=1)
    assert (len(view.hits), view.is_cut, view.state) == (1, True, SearchState.DONE)
    assert view.decoded_looks < LENGTH_S


async def test_damaged_and_missing_footage_is_stepped_over_and_counted(yard: Yard) -> None:
    files = yard.record()
    files[0].unlink()
    spoilt = bytearray(files[2].read_bytes())
    middle = len(spoilt) // 2
    spoilt[middle : middle + 3_000] = bytes(3_000)
    files[2].write_bytes(spoilt)
    view = await yard.find()
    assert view.state is SearchState.DONE
    assert view.unseen_us >= SEGMENT_S * SECOND
    assert SEGMENT_S <= view.decoded_looks < 2 * SEGMENT_S
    assert view.decoded_looks * SECOND + view.unseen_us == LENGTH_S * SECOND


async def test_results_grow_and_a_search_can_be_ended_in_the_middle(yard: Yard) -> None:
    yard.record()
    asked = MotionSearch(camera="yard", start_us=T0, end_us=T0 + LENGTH_S * SECOND, join_s=0)
    view = await yard.search.begin(yard.camera, asked, ANNA)
    assert view.state is SearchState.RUNNING
    while not view.hits:
        view = await yard.search.view(view.id, ANNA, wait_ms=20_000)
    assert 0 < view.progress < 1
    assert view.state is SearchState.RUNNING
    yard.search.cancel(view.id, ANNA)
    ended = await yard.search.view(view.id, ANNA, wait_ms=20_000)
    assert ended.state is SearchState.CANCELLED
    assert ended.hits[0].start_us == view.hits[0].start_us
    assert len((await yard.find()).hits) == 2, "the next one has a worker again"


async def test_a_worker_that_dies_costs_a_picture_and_a_second_is_counted_for_it(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.record()
    start, pids = WorkerProcess.start, []

    async def started() -> WorkerProcess:
        worker = await start()
        pids.append(worker.pid)
        if len(pids) == 1:
            os.kill(worker.pid, signal.SIGKILL)
        return worker

    monkeypatch.setattr(WorkerProcess, "start", started)
    view = await yard.find()
    assert (view.state, view.unseen_us, view.decoded_looks) == (SearchState.DONE, SECOND, LENGTH_S - 1)
    assert len(pids) == 2
    assert len(view.hits) == 2


async def test_workers_that_do_not_come_up_fail_the_search_with_the_reason(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.record()

    async def refused() -> WorkerProcess:
        raise WorkerLost("no memory for a worker")

    monkeypatch.setattr(WorkerProcess, "start", refused)
    view = await yard.find()
    assert view.state is SearchState.FAILED
    assert "no memory for a worker" in view.trouble


async def test_searches_are_decoded_side_by_side(yard: Yard) -> None:
    yard.record()
    views = await asyncio.gather(yard.find(), yard.find(BEN), yard.find(polygon=LEFT_THIRD))
    assert [len(view.hits) for view in views] == [2, 2, 1]
    assert [view.decoded_looks for view in views] == [LENGTH_S] * 3


async def test_others_searches_are_nobodys_business_but_the_administrators(yard: Yard) -> None:
    yard.record()
    yard.look()
    view = await yard.find()
    assert await yard.search.view(view.id, ROOT) == view
    for call in (yard.search.view(view.id, BEN), yard.search.view("nonsense", ANNA)):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(NotFound):
        yard.search.cancel(view.id, BEN)


async def test_searches_are_forgotten_ten_minutes_after_somebody_asked(yard: Yard) -> None:
    yard.record()
    yard.look()
    old, asked_after = await yard.find(), await yard.find()
    await yard.timer.advance(FORGET_US / SECOND - 10)
    await yard.search.view(asked_after.id, ANNA)
    await yard.timer.advance(30)
    await yard.search.view(asked_after.id, ANNA)
    with pytest.raises(NotFound, match="forgotten"):
        await yard.search.view(old.id, ANNA)


async def test_sixteen_are_kept_and_the_oldest_ended_makes_room(yard: Yard) -> None:
    yard.record()
    yard.look()
    views = []
    for _ in range(SEARCHES_LIMIT + 1):
        yard.clock.advance(1)
        views.append(await yard.find())
    with pytest.raises(NotFound):
        await yard.search.view(views[0].id, ANNA)
    await yard.search.view(views[1].id, ANNA)


async def test_while_sixteen_run_another_is_refused(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage_search, "SEARCHES_LIMIT", 2)
    yard.record()
    asked = MotionSearch(camera="yard", start_us=T0, end_us=T0 + LENGTH_S * SECOND)
    for _ in range(2):
        assert (await yard.search.begin(yard.camera, asked, ANNA)).state is SearchState.RUNNING
    with pytest.raises(Conflict):
        await yard.search.begin(yard.camera, asked, ANNA)


async def test_nonsense_is_refused(yard: Yard) -> None:
    for asked in (
        {"end_us": T0},
        {"end_us": T0 + 400 * 86_400 * SECOND},
        {"polygon": ((0, 0), (1, 1))},
        {"polygon": LEFT_THIRD, "min_cells": 576},
    ):
        with pytest.raises(InvalidInput):
            await yard.find(**asked)


# -- activity --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bins", [12, 120])
async def test_the_histogram_stands_where_somebody_walked(yard: Yard, bins: int) -> None:
    yard.record()
    yard.look()
    bars, seen = await activity(yard, bins)
    scale = bins // 12
    assert all(seen)
    busy = {number // scale for number, bar in enumerate(bars) if bar}
    # What leaves is seen to move once more where it stood.
    assert {LEFT_S.start // 10, RIGHT_S.start // 10} <= busy
    assert busy <= {each + later for each in (LEFT_S.start // 10, RIGHT_S.start // 10) for later in (0, 1)}
    assert max(bars) > 5


async def test_without_looks_the_sizes_speak_and_nothing_where_nothing_is_recorded(yard: Yard) -> None:
    yard.record(by_day, T0 + LENGTH_S * SECOND)
    bars, seen = await activity(yard, 24, 0, 2 * LENGTH_S)
    assert bars[:12] == [-1] * 12
    assert min(bars[12:]) >= 0
    assert not any(seen)


async def test_a_busier_stretch_has_more_bytes_and_a_higher_bar(yard: Yard) -> None:
    """Noise costs bytes: night beside day."""
    yard.record(by_day)
    yard.record(by_night, T0 + LENGTH_S * SECOND)
    day, night = filmed(by_day), filmed(by_night)
    busier = sum(len(each.data) for each in night.packets) > 1.5 * sum(len(each.data) for each in day.packets)
    assert busier, "or this test shows nothing"
    bars, _ = await activity(yard, 24, 0, 2 * LENGTH_S)
    assert min(bars[12:]) > max(bars[:12])


async def test_a_histogram_has_bounds(yard: Yard) -> None:
    with pytest.raises(InvalidInput, match="32 days"):
        await activity(yard, 10, 0, 33 * 86_400)
    with pytest.raises(InvalidInput):
        await activity(yard, 10, 5, 5)


def test_a_mask_of_rows_and_cells_of_a_look_count_the_same_way() -> None:
    first_cell = packed_mask(("x" + "." * 31, *["." * 32] * 17))
    assert int.from_bytes(first_cell, "big") == 1 << 575


@pytest.mark.parametrize("bins", [6, 60])
async def test_a_month_is_read_day_by_day_and_counts_each_block_once(
    yard: Yard, bins: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two stretches of looks over midnight of the asked days, as one query and as many."""
    opened = yard.catalog._catalog
    run = begin_run(opened, yard.camera.id)
    for number in range(60):
        start_us = T0 + number * 60 * SECOND
        add_segment(opened, run, number, yard.volume_id, start_us, start_us + 60 * SECOND, 1_000 + number)
    for minute in range(1, 59, 2):
        looks = [MotionLook(T0 + (minute * 60 + each) * SECOND, (1 << minute) - 1) for each in range(100)]
        yard.store(looks)
    whole = await activity(yard, bins, 30, 3_500)
    asked: list[int] = []
    read = yard.catalog.read

    async def measured(call: str, *args: Any, **kwargs: Any) -> Any:
        found = await read(call, *args, **kwargs)
        asked.append(len(found) if call in {"segments", "motion_blocks"} else 0)
        return found

    monkeypatch.setattr(yard.catalog, "read", measured)
    monkeypatch.setattr(footage_search, "US_PER_DAY", 130 * SECOND)
    assert await activity(yard, bins, 30, 3_500) == whole
    assert max(asked) <= 5

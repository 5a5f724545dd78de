"""Searches beside each other, callers that leave, workers that do not come, motion that makes no sense any more."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from engine.pictures.process import WorkerNotStarted, WorkerProcess
from engine.search import footage_search, motion_search
from engine.wire_search import (
    MotionDecoding,
    MotionSearch,
    SearchState,
)
from storage.catalog.motion_blocks import MotionBlock
from storage.errors import Conflict
from tests.engine.search.yard import ANNA, BEN, T0, Yard, activity
from tests.fakes.recorded_scene import (
    LENGTH_S,
    SECOND,
)
from tests.fakes.timer import settle

# -- shares ------------------------------------------------------------------------------------------------


async def test_a_short_search_ends_beside_long_ones_that_came_first(yard: Yard) -> None:
    for number in range(4):
        yard.record(start_us=T0 + number * LENGTH_S * SECOND)
    whole = MotionSearch(camera="yard", start_us=T0, end_us=T0 + 4 * LENGTH_S * SECOND)
    long = [await yard.search.begin(yard.camera, whole, ANNA) for _ in range(3)]
    short = await yard.find(BEN, end_us=T0 + 10 * SECOND)
    assert (short.state, short.decoded_looks) == (SearchState.DONE, 10)
    for each in long:
        view = await yard.search.view(each.id, ANNA)
        assert view.state is SearchState.RUNNING
        assert view.decoded_looks >= 5, "they share alike"


async def test_a_caller_has_eight_and_leaves_the_others_theirs(yard: Yard) -> None:
    yard.record()
    asked = MotionSearch(camera="yard", start_us=T0, end_us=T0 + LENGTH_S * SECOND)
    views = [
        await yard.search.begin(yard.camera, asked, ANNA) for _ in range(footage_search.RUNNING_A_CALLER)
    ]
    with pytest.raises(Conflict, match="8 motion searches of anna are running"):
        await yard.search.begin(yard.camera, asked, ANNA)
    assert (await yard.search.begin(yard.camera, asked, BEN)).state is SearchState.RUNNING
    yard.search.cancel(views[3].id, ANNA)
    assert (await yard.search.begin(yard.camera, asked, ANNA)).state is SearchState.RUNNING


async def test_a_caller_that_leaves_before_the_answer_leaves_nothing_behind(yard: Yard) -> None:
    yard.record()
    asked = MotionSearch(camera="yard", start_us=T0, end_us=T0 + LENGTH_S * SECOND)
    opened = yard.catalog.read
    is_asked, is_held = asyncio.Event(), asyncio.Event()

    async def held(*args: Any, **kwargs: Any) -> Any:
        is_asked.set()
        await is_held.wait()
        return await opened(*args, **kwargs)

    yard.catalog.read = held  # type: ignore[method-assign]
    calls = [
        asyncio.create_task(yard.search.begin(yard.camera, asked, ANNA))
        for _ in range(footage_search.RUNNING_A_CALLER)
    ]
    await is_asked.wait()
    await settle()
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    is_held.set()
    assert yard.search._searches == {}
    assert (await yard.find()).state is SearchState.DONE


async def test_a_search_whose_caller_is_gone_is_ended_and_keeps_what_it_found(yard: Yard) -> None:
    yard.record()
    asked = MotionSearch(camera="yard", start_us=T0, end_us=T0 + LENGTH_S * SECOND, join_s=0)
    gone = await yard.search.begin(yard.camera, asked, ANNA)
    while not gone.hits:
        gone = await yard.search.view(gone.id, ANNA, wait_ms=20_000)
    (process,) = [yard.search._worker._process]
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    await yard.timer.advance(60)
    assert (await yard.search.view(gone.id, ANNA)).state is SearchState.RUNNING, "somebody asks"
    await yard.timer.advance(60)
    assert (await yard.search.view(gone.id, ANNA)).state is SearchState.RUNNING
    await yard.timer.advance(110)
    view = await yard.search.view(gone.id, ANNA)
    assert (view.state, len(view.hits)) == (SearchState.CANCELLED, len(gone.hits))
    assert "nobody asked" in view.trouble
    assert len((await yard.find()).hits) == 2, "the next one has a worker again"


async def test_a_worker_that_cannot_be_started_is_tried_again_and_costs_no_second(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.record()
    start, refusals = WorkerProcess.start, [WorkerNotStarted("no room for a worker")] * 3

    async def started() -> WorkerProcess:
        if refusals:
            raise refusals.pop()
        return await start()

    monkeypatch.setattr(WorkerProcess, "start", started)
    looking = asyncio.create_task(yard.find())
    for _ in range(30):
        await yard.timer.advance(1)
    view = await looking
    assert (view.state, view.unseen_us, view.decoded_looks) == (SearchState.DONE, 0, LENGTH_S)


async def test_no_worker_at_all_fails_the_search_with_the_reason(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.record()

    async def refused() -> WorkerProcess:
        raise WorkerNotStarted("no room for a worker")

    monkeypatch.setattr(WorkerProcess, "start", refused)
    looking = asyncio.create_task(yard.find())
    for _ in range(30):
        await yard.timer.advance(1)
    view = await looking
    assert view.state is SearchState.FAILED
    assert "no room for a worker" in view.trouble


# -- damage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoilt", [b"", b"\x09", b"\x01\xff", b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00"]
)
async def test_a_damaged_block_of_motion_is_decoded_or_said_and_ends_no_search(
    yard: Yard, spoilt: bytes
) -> None:
    """Three blocks of forty seconds, the middle one of which makes no sense."""
    yard.record()
    for first in (0, 40, 80):
        yard.look(seconds=range(first, first + 40))
    block = MotionBlock(yard.camera.id, T0 + 40 * SECOND, T0 + 79 * SECOND, 1, spoilt)
    yard.catalog._catalog.put_motion_blocks([block])
    never = await yard.find(decoding=MotionDecoding.NEVER)
    assert (never.state, never.stored_looks) == (SearchState.DONE, 80)
    assert never.unseen_us == 40 * SECOND, "nobody knows what happened there"
    view = await yard.find()
    assert (view.state, view.unseen_us, len(view.hits)) == (SearchState.DONE, 0, 2)
    assert 39 <= view.decoded_looks <= 41


async def test_a_defect_over_one_search_ends_that_one(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.record()
    other = await yard.search.begin(
        yard.camera, MotionSearch(camera="yard", start_us=T0, end_us=T0 + LENGTH_S * SECOND), BEN
    )
    yard.look(seconds=range(30))

    def defect(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(motion_search, "search_blocks", defect)
    view = await yard.find()
    assert view.state is SearchState.FAILED
    assert "unexpected ZeroDivisionError" in view.trouble
    while other.state is SearchState.RUNNING:
        other = await yard.search.view(other.id, BEN, wait_ms=20_000)
    assert (other.state, len(other.hits)) == (SearchState.DONE, 2)


async def test_a_few_months_of_activity_are_read_at_a_time(yard: Yard) -> None:
    yard.record()
    read, is_held, reading = yard.catalog.read, asyncio.Event(), []

    async def held(call: str, *args: Any, **kwargs: Any) -> Any:
        reading.append(asyncio.current_task())
        await is_held.wait()
        return await read(call, *args, **kwargs)

    yard.catalog.read = held  # type: ignore[method-assign]
    asked = [asyncio.create_task(activity(yard, 10)) for _ in range(6)]
    await settle()
    assert set(reading) == set(asked[: footage_search.ACTIVITIES_AT_ONCE])
    asked[0].cancel()
    await asyncio.wait(asked[:1])
    is_held.set()
    views = [await each for each in asked[1:]]
    assert views == views[:1] * 5

"""A time limit holds in a task that was cancelled before, on every Python this runs on."""

from __future__ import annotations

import asyncio

import pytest

from engine.deadline import Deadline


async def test_a_block_that_takes_too_long_ends_with_timeout_error() -> None:
    with pytest.raises(TimeoutError):
        async with Deadline(0):
            await asyncio.Event().wait()


async def test_a_block_that_is_done_in_time_leaves_no_trace() -> None:
    async with Deadline(60):
        await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_cleaning_up_after_a_cancellation_is_bounded_too() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            try:
                async with Deadline(0):
                    await asyncio.Event().wait()
            except TimeoutError:
                seen.append("bounded")
            raise

    task = asyncio.get_running_loop().create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["bounded"]


async def test_a_cancellation_by_somebody_else_is_passed_on() -> None:
    async def work() -> None:
        async with Deadline(60):
            await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_block_is_its_own() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with Deadline(60):
            raise ValueError("mine")

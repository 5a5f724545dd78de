"""Waiting for a child process that ends, and for one that does not."""

from __future__ import annotations

import asyncio
import sys

from engine.child_end import has_ended


async def child(code: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=pipe, stdout=pipe)


async def test_one_that_ended_has_no_pipes_left_whatever_it_still_said() -> None:
    process = await child("print('x' * 1_000_000)")
    assert process.stdin is not None
    process.stdin.close()
    assert await has_ended(process, 30)
    assert process.stdout is not None
    assert process.stdout.at_eof()
    assert process.returncode == 0


async def test_one_that_does_not_end_is_given_up() -> None:
    process = await child("import sys; sys.stdin.read()")
    assert not await has_ended(process, 0.01)
    process.kill()
    assert process.stdin is not None
    process.stdin.close()
    assert await has_ended(process, 30)

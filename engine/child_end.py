"""Waiting for the end of a child process, and of its pipes: they would else be found open when the loop that owns them is gone."""

from __future__ import annotations

import asyncio

from engine.deadline import Deadline

_READ_BYTES = 64 * 1024


async def has_ended(process: asyncio.subprocess.Process, limit_s: float) -> bool:
    """False: not within `limit_s` (in a dead drive's read or write: it is left to the kernel). Its standard input has been closed by the
    caller, or stays open; what it still says is thrown away. Loop only."""
    try:
        async with Deadline(limit_s):
            # First what it still says: it cannot end while nobody takes it.
            if process.stdout is not None:
                while await process.stdout.read(_READ_BYTES):
                    pass
            await process.wait()
            if process.stdin is not None and process.stdin.is_closing():
                # Shielded: it is the transport's own future, which a time limit must not take from it.
                await asyncio.shield(process.stdin.wait_closed())
    except (TimeoutError, OSError):
        pass
    return process.returncode is not None

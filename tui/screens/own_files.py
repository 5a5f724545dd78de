"""Keeps an operator's own file while the console goes on: on a thread, with words when it cannot be written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tui.screens.view import View


async def keep_file(view: View, path: Path, write: Callable[[], None]) -> None:
    """`write` may block and raise OSError."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="own-file") as thread:
        try:
            await loop.run_in_executor(thread, write)
        except OSError as error:
            view.say(f"kept for this session only: {path}: {error.strerror}", is_error=True)

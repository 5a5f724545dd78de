"""The end of patience: an ordered stop that takes longer than its budget is ended, and the log says what was left.

A thread stuck in a dead drive cannot be stopped and would keep the process alive for ever; nothing that was recorded
is harmed by the hard end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

STOP_BUDGET_S = 20.0
EXIT_CODE = 75


def start_stop_budget(
    loop: asyncio.AbstractEventLoop,
    budget_s: float = STOP_BUDGET_S,
    leave: Callable[[int], object] = os._exit,
) -> threading.Timer:
    """From now on the process has `budget_s` to end by itself. A thread of its own: the loop may be what is stuck."""

    def end() -> None:
        log.critical(
            "stop took longer than %.0f s, ending hard; left: %s", budget_s, ", ".join(left_over(loop))
        )
        sys.stderr.flush()
        leave(EXIT_CODE)

    timer = threading.Timer(budget_s, end)
    timer.name = "stop budget"
    timer.daemon = True
    timer.start()
    return timer


def left_over(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Names of the tasks and threads that still run."""
    tasks = [] if loop.is_closed() else [f"task {task.get_name()}" for task in asyncio.all_tasks(loop)]
    own = {threading.main_thread(), threading.current_thread()}
    threads = [f"thread {thread.name}" for thread in threading.enumerate() if thread not in own]
    return sorted(tasks) + sorted(threads) or ["nothing that has a name"]

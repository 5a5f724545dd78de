"""Keeps work alive that may fail at any time: back-off, and the one place of the engine that catches everything.

A camera source that raises what nobody expected (a bug of ours, of a library, or of a camera nobody has seen)
ends its own session and is tried again; it never reaches another camera. Called by the cameras and by the
recording service for its background rounds; it decides nothing about states or events.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from storage.errors import InternalError, WatchdeckError

log = logging.getLogger(__name__)

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
"""Seconds, like asyncio.sleep; injected so that tests wait for nothing."""


@dataclass(slots=True)
class Backoff:
    """Delays of 1, 2, 4 … 30 s with jitter, for ever; `reset` after a time of stability."""

    first_s: float = 1.0
    last_s: float = 30.0
    jitter: float = 0.2
    """Each delay is scaled by a factor from [1 - jitter, 1 + jitter], so that cameras behind one switch spread."""
    random: Callable[[], float] = random.random
    _next_s: float = field(default=0.0, init=False)

    def next_delay_s(self) -> float:
        delay_s = self._next_s or self.first_s
        self._next_s = min(delay_s * 2, self.last_s)
        return self.scattered(delay_s)

    def scattered(self, delay_s: float) -> float:
        return delay_s * (1 + self.jitter * (2 * self.random() - 1))

    def reset(self) -> None:
        self._next_s = 0.0


def flattened(exc: BaseException) -> list[BaseException]:
    """The leaves of nested ExceptionGroups: a source built on a TaskGroup raises its error wrapped."""
    if isinstance(exc, BaseExceptionGroup):
        return [leaf for inner in exc.exceptions for leaf in flattened(inner)]
    return [exc]


def as_error(exc: Exception, name: str) -> WatchdeckError:
    """The known error inside `exc`; a bug (anything else) wins over it, is logged and becomes InternalError."""
    leaves = flattened(exc)
    known = [leaf for leaf in leaves if isinstance(leaf, WatchdeckError)]
    if len(known) == len(leaves):
        return known[0]
    bug = next(leaf for leaf in leaves if not isinstance(leaf, WatchdeckError))
    log.error("%s: unexpected %s", name, type(bug).__name__, exc_info=exc)
    return InternalError(f"{name}: unexpected {type(bug).__name__}", "see the engine's log and report it")


async def attempt(name: str, work: Callable[[], Awaitable[None]]) -> WatchdeckError | None:
    """Run `work` once; None when it returned, else what went wrong. Cancellation passes through."""
    try:
        await work()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled this task: the work lost one of its own, and would end for ever without a word.
        log.error("%s: ended by a cancellation of its own", name)
        return InternalError(
            f"{name}: ended by a cancellation of its own", "see the engine's log and report it"
        )
    except Exception as exc:  # noqa: BLE001 - the one blind except: a bug in one task must not end the others
        return as_error(exc, name)
    return None


def attempt_blocking(name: str, work: Callable[[], T]) -> T | WatchdeckError:
    """Like `attempt` for the thread of a volume: what `work` returned, or what went wrong."""
    try:
        return work()
    except Exception as exc:  # noqa: BLE001 - as above: a bug in one segment must not end the volume's thread
        return as_error(exc, name)


async def keep_running(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    backoff: Backoff | None = None,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Run `work` again and again: a background round that fails is logged and tried again after a back-off.

    `work` returning normally ends it.
    """
    backoff = backoff or Backoff()
    while (error := await attempt(name, work)) is not None:
        delay_s = backoff.next_delay_s()
        if not isinstance(error, InternalError):
            log.warning("%s: %s; again in %.0f s", name, error, delay_s)
        await sleep(delay_s)

"""The thread that writes and reads SOAP for all cameras, begun with the first one: without ONVIF cameras there is neither thread
nor library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from engine.onvif.soap import Soap

T = TypeVar("T")


class SoapWorkshop:
    """Runs work on Soap's thread, one after the other. `close` at the end; used again, it begins another thread."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._soap: Soap | None = None

    @property
    def is_open(self) -> bool:
        """The library is loaded."""
        return self._soap is not None

    async def run(self, work: Callable[[Soap], T]) -> T:
        """A caller that is cancelled leaves the work to itself; it is short."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "onvif")
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._opened()))

    def _opened(self) -> Soap:
        """On the thread: the import alone takes about a second on a small machine."""
        if self._soap is None:
            from engine.onvif.soap import Soap

            self._soap = Soap()
        return self._soap

    def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)

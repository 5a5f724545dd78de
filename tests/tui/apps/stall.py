"""Paints without end and measures how long its own event loop stood still. Run as `python -m tests.tui.apps.stall`."""

from __future__ import annotations

import asyncio

from textual.app import ComposeResult
from textual.widgets import Static

from tui.celldiff import CellDiffMixin


class Stall(CellDiffMixin):
    """g: paint for two seconds, then say the longest pause of the loop in milliseconds."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Static("ready", id="line")
        yield Static("", id="flood")

    async def on_key(self) -> None:
        self.run_worker(self.flood())

    async def flood(self) -> None:
        loop = asyncio.get_running_loop()
        flood = self.query_one("#flood", Static)
        longest = 0.0
        start = loop.time()
        number = 0
        while loop.time() - start < 2:
            before = loop.time()
            number += 1
            flood.update("\n".join(chr(33 + (number + row * 7) % 90) * 78 for row in range(20)))
            await asyncio.sleep(0.02)
            longest = max(longest, loop.time() - before)
        self.query_one("#line", Static).update(f"longest pause {longest * 1000:.0f} ms")


if __name__ == "__main__":
    Stall().run(mouse=False)

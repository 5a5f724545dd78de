"""Starting workers of the console: always by function, so that one that is replaced before it ran leaves nothing behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.dom import DOMNode
from textual.worker import Worker


def start(node: DOMNode, work: Callable[[], Awaitable[object]], group: str) -> Worker[None]:
    """Run `work` on the loop; one still running of the same node and group is cancelled: the newest wish wins."""

    async def run() -> None:
        await work()

    return node.run_worker(run, group=group, exclusive=True)

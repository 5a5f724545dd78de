"""Starting workers of the console: always by function, so that one that is replaced before it ran leaves nothing behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.dom import DOMNode
from textual.worker import Worker

BESIDE_MOST = 8
"""Small works of one kind that run at once: more keys than this within one answer of the engine are somebody's elbow."""


def start(node: DOMNode, work: Callable[[], Awaitable[object]], group: str) -> Worker[None]:
    """Run `work` on the loop; one still running of the same node and group is cancelled: the newest wish wins."""

    async def run() -> None:
        await work()

    return node.run_worker(run, group=group, exclusive=True)


def is_under_way(node: DOMNode, group: str) -> bool:
    """Whether work of this node and group has not ended. What a timer asks for must not end its own question."""
    return _count(node, group) > 0


def start_beside(node: DOMNode, work: Callable[[], Awaitable[object]], group: str) -> bool:
    """Run `work` beside what runs of the same node and group already, in the order of the calls; nothing is cancelled.

    False, and nothing begun, while `BESIDE_MOST` of them are under way.
    """
    if _count(node, group) >= BESIDE_MOST:
        return False

    async def run() -> None:
        await work()

    _: Worker[None] = node.run_worker(run, group=group)
    return True


def _count(node: DOMNode, group: str) -> int:
    """Works of this node and group that have not ended."""
    return sum(
        worker.node is node and worker.group == group and not worker.is_finished for worker in node.workers
    )

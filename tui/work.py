"""Starting workers of the console: always by function, so that one that is replaced before it ran leaves nothing behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.dom import DOMNode
from textual.worker import Worker


def start(node: DOMNode, work: Callable[[], Awaitable[object]], group: str) -> Worker[Any]:
    """Run `work` on the loop; one still running of the same node and group is cancelled: the newest wish wins."""
    return node.run_worker(work, group=group, exclusive=True)

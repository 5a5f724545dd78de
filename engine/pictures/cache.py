"""Recently made pictures, bounded in bytes; the least recently asked for go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from engine.wire import PictureReply

_REPLY_BYTES = 400
_RUN_BYTES = 180
"""A CellRun with a short string, measured with sys.getsizeof and rounded up."""
_CHARACTER_BYTES = 2
"""Of its string: block elements are no Latin-1."""
_LINE_BYTES = 72


def reply_bytes(reply: PictureReply) -> int:
    """Roughly what a reply holds in memory."""
    cells_bytes = 0
    if reply.cells is not None:
        for line in reply.cells.lines:
            characters = sum(len(run.text) for run in line)
            cells_bytes += _LINE_BYTES + len(line) * _RUN_BYTES + characters * _CHARACTER_BYTES
    strips_bytes = sum(len(strip.data) + _RUN_BYTES for strip in reply.strips)
    return _REPLY_BYTES + len(reply.data) + strips_bytes + cells_bytes


class PictureCache:
    """LRU by bytes. Invariant: `bytes` is the sum over entries and at most `limit_bytes`."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._entries: OrderedDict[Hashable, tuple[PictureReply, int]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> PictureReply | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, reply: PictureReply) -> None:
        """Replies larger than the whole cache are not kept."""
        self._drop(key)
        size_bytes = reply_bytes(reply)
        if size_bytes > self._limit_bytes:
            return
        self._entries[key] = (reply, size_bytes)
        self.bytes += size_bytes
        while self.bytes > self._limit_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry[1]

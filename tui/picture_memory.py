"""Pictures of moments that were shown lately, so that going back and forth asks for nothing twice. Bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from engine import wire
from widgets.picture import Picture, TerminalPicture

KEPT_BYTES = 16 << 20
RUN_BYTES = 200
"""About what a run of cells takes in memory."""


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture, and the answer it came with, without its data."""

    picture: Picture
    reply: wire.PictureReply
    size_bytes: int


class PictureMemory:
    """The least recently shown go first."""

    def __init__(self, limit_bytes: int = KEPT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[Hashable, KeptPicture] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> KeptPicture | None:
        """What was kept under a key; it counts as shown now."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, picture: Picture, reply: wire.PictureReply) -> None:
        """Remember a picture, forgetting old ones for it."""
        if (before := self._kept.pop(key, None)) is not None:
            self._bytes -= before.size_bytes
        size_bytes = size_of(picture)
        self._kept[key] = KeptPicture(picture, reply, size_bytes)
        self._bytes += size_bytes
        while self._bytes > self._limit_bytes and self._kept:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.size_bytes


def size_of(picture: Picture) -> int:
    """About its bytes in memory."""
    if isinstance(picture, TerminalPicture):
        return len(picture.payload) + sum(len(strip.payload) for strip in picture.strips)
    return sum(len(line) for line in picture.lines) * RUN_BYTES

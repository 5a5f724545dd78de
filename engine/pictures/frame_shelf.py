"""Pictures of the GOP that is played backwards, scaled as they are wanted: each step back would else decode all before it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from engine.pictures.picture import ScaledPicture


class FrameShelf:
    """Bounded in bytes; those put first go first, which of a GOP are the earliest."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._pictures: OrderedDict[Hashable, ScaledPicture] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._pictures)

    def get(self, key: Hashable) -> ScaledPicture | None:
        return self._pictures.get(key)

    def put(self, key: Hashable, picture: ScaledPicture) -> None:
        old = self._pictures.pop(key, None)
        if old is not None:
            self.bytes -= old.pixels.nbytes
        self._pictures[key] = picture
        self.bytes += picture.pixels.nbytes
        while self.bytes > self._limit_bytes:
            self.bytes -= self._pictures.popitem(last=False)[1].pixels.nbytes

    def clear(self) -> None:
        self._pictures.clear()
        self.bytes = 0

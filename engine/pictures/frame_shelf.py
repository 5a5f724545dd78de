"""Pictures of the GOP that is played backwards, scaled as they are wanted: each step back would else decode all before it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import replace

from engine.pictures.picture import ScaledPicture

ENTRY_BYTES = 1_000
"""Of a picture beside its pixels: its key, its sizes, the array, its place. Pictures of a few cells are little else."""


def _held_bytes(picture: ScaledPicture) -> int:
    return ENTRY_BYTES + picture.pixels.nbytes


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
            self.bytes -= _held_bytes(old)
        # libav's pixels are a window on a buffer of its own, with padding and a frame around it: not what is counted here.
        own = replace(picture, pixels=picture.pixels.copy())
        self._pictures[key] = own
        self.bytes += _held_bytes(own)
        while self.bytes > self._limit_bytes:
            self.bytes -= _held_bytes(self._pictures.popitem(last=False)[1])

    def clear(self) -> None:
        self._pictures.clear()
        self.bytes = 0

"""Bytes on their way from the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol


class ByteStream(Protocol):
    """An MP4 as it is made, or a file."""

    total_bytes: int

    def __aiter__(self) -> AsyncIterator[bytes]: ...

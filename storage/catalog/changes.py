"""What the recorder tells the catalog: small values, applied in batches and in order by `Catalog.apply`.

A change names things as the recorder knows them (run UUID and sequence), never by row id, so that the recorder
waits for no answer. Applying one twice, or one about a row that is gone, changes nothing: a batch can be retried.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from uuid import UUID

from storage.catalog.records import GapCause
from storage.segments.packet import Track


@dataclass(frozen=True, slots=True)
class BeginRun:
    uuid: UUID
    camera_id: int
    start_us: int
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class EndRun:
    uuid: UUID
    end_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """Its file was just created on the volume; it grows from `start_us`."""

    run: UUID
    sequence: int
    volume_id: int
    path: str
    start_us: int


@dataclass(frozen=True, slots=True)
class GrowSegment:
    """Up to here it is on disk."""

    run: UUID
    sequence: int
    end_us: int
    media_duration_ticks: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CloseSegment:
    """It will not change any more. Without one whole part there is nothing to keep: use DropSegment."""

    run: UUID
    sequence: int
    end_us: int
    media_duration_ticks: int
    bytes: int
    keyframes: builtins.bytes = b""
    is_recovered: bool = False


@dataclass(frozen=True, slots=True)
class DropSegment:
    """An open segment whose file holds nothing and was removed."""

    run: UUID
    sequence: int


@dataclass(frozen=True, slots=True)
class OpenGap:
    """Nothing is on disk from here. While a gap of the camera goes on, another is not begun: the first cause counts."""

    camera_id: int
    start_us: int
    cause: GapCause
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CloseGap:
    """The camera's gap ends here; one without length vanishes."""

    camera_id: int
    end_us: int


Change = BeginRun | EndRun | OpenSegment | GrowSegment | CloseSegment | DropSegment | OpenGap | CloseGap

"""Who a segment is, written into the file itself, so that the catalog can be rebuilt from volumes alone.

The identity travels in a top-level `uuid` box behind `moov` (ISO/IEC 14496-12, 11.1); players skip it.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

IDENTITY_BOX_UUID = UUID("6f0a4d0e-3a5c-4b9e-9a51-77617463686b")


class PastGap(msgspec.Struct, frozen=True, array_like=True):
    """A gap of this camera that ended when this segment began or since its previous segment began."""

    start_us: int
    end_us: int
    cause: str
    """A `GapCause` value of the catalog."""
    detail: str = ""


class SegmentIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Station, camera, run, place in the run and wall time of a segment. Unknown fields are tolerated on reading."""

    version: int = 1
    station: UUID
    camera: UUID
    camera_name: str
    """The name when it was recorded; only for a rebuild, never trusted as a file name."""
    volume: UUID
    run: UUID
    sequence: int
    """0 for the first segment of a run, then +1."""
    start_us: int
    """Wall time of the first video sample."""
    gaps: tuple[PastGap, ...] = ()

"""API messages about searching in footage: activity along the timeline, motion in a region. Part of `engine.wire`'s API. Manual rows PB, SS."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from engine.wire_message import Reply, Request

SHARE = 10_000
"""Places in a picture are in 1/10,000 of its width and height, from its upper left corner."""
Share = Annotated[int, msgspec.Meta(ge=0, le=SHARE)]


class ActivityQuery(Request, frozen=True, kw_only=True):
    camera: str
    start_us: Annotated[int, msgspec.Meta(ge=0)]
    end_us: Annotated[int, msgspec.Meta(ge=0)]
    bins: Annotated[int, msgspec.Meta(ge=1, le=2_000)] = 100


class ActivityView(Reply, frozen=True, kw_only=True):
    """How much went on, bin by bin. Where motion was looked for it counts cells, elsewhere the size of the pictures."""

    camera: str
    start_us: int
    end_us: int
    bins: tuple[int, ...]
    """0 to 100; -1 = nothing is recorded there."""
    seen: tuple[bool, ...]
    """Per bin: from stored motion (true) or from sizes alone."""


class MotionDecoding(StrEnum):
    """Where no motion was stored."""

    AUTO = "auto"
    """Decode keyframes there."""
    NEVER = "never"
    """Leave these stretches out."""
    ALWAYS = "always"
    """Decode everywhere, whatever is stored."""


class MotionSearch(Request, frozen=True, kw_only=True):
    """Look for motion in a part of one camera's picture. SS-11, SS-18, SS-20."""

    camera: str
    start_us: int
    end_us: int
    polygon: tuple[tuple[Share, Share], ...] = ()
    """Corners; () = the whole picture, else at least 3, at most 64."""
    sensitivity: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    """Of decoding; stored motion has that of the time it was recorded."""
    min_cells: Annotated[int, msgspec.Meta(ge=1, le=576)] = 1
    """Of the 32 x 18 cells, inside the polygon."""
    min_length_s: Annotated[float, msgspec.Meta(ge=0, le=3_600)] = 0.0
    """SS-08, the time filter: shorter motion is left out."""
    join_s: Annotated[float, msgspec.Meta(ge=0, le=3_600)] = 10.0
    """Motion that begins again within this is one result."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=5_000)] = 1_000
    decoding: MotionDecoding = MotionDecoding.AUTO


class MotionHit(Reply, frozen=True, kw_only=True):
    """One stretch of motion."""

    start_us: int
    end_us: int
    """At least a moment after the start."""
    peak_us: int
    """When most moved: the picture to show."""
    peak_cells: int


class SearchState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class MotionSearchView(Reply, frozen=True, kw_only=True):
    """A search and what it found so far, in the order of time."""

    id: str
    camera: str
    start_us: int
    end_us: int
    state: SearchState
    progress: float
    """0 to 1."""
    hits: tuple[MotionHit, ...] = ()
    is_cut: bool = False
    """There were more than the limit."""
    stored_looks: int = 0
    decoded_looks: int = 0
    unseen_us: int = 0
    """Recorded, but neither stored nor decoded (`never`), or not decodable."""
    trouble: str = ""


class SearchWait(Request, frozen=True, kw_only=True):
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=20_000)] = 0
    """Answer when it has ended or something new was found, at the latest after so long."""

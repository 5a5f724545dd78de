"""API messages about bookmarks: moments kept from recycling. Part of `engine.wire`'s API. Manual rows BM, rule 1."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.wire_message import Reply, Request

BOOKMARK_S = 10
"""BM-01."""
Name = Annotated[str, msgspec.Meta(max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=4_000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=36_500)]


class BookmarkAdd(Request, frozen=True, kw_only=True):
    camera: str
    start_us: int
    end_us: int | None = None
    """None = 10 s."""
    name: Name = ""
    note: Note = ""
    keep_days: Days | None = None
    """None = as the preservation setting says (BM-08), which may be for ever."""


class BookmarkEdit(Request, frozen=True, kw_only=True):
    """Only the fields given change."""

    name: Name | None = None
    note: Note | None = None
    start_us: int | None = None
    end_us: int | None = None
    keep_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] | None = None
    """From now on; 0 = for ever."""


class BookmarkQuery(Request, frozen=True, kw_only=True):
    """Newest footage first. All conditions hold."""

    camera: str = ""
    """BM-06: part of the camera's name, whatever the case."""
    text: str = ""
    """Words, all of which must be in name, note or who made it."""
    start_us: int | None = None
    end_us: int | None = None
    """BM-03: of the recording."""
    made_start_us: int | None = None
    made_end_us: int | None = None
    """BM-03: of the bookmarking."""
    before: str = ""
    """`resume` of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 200


class BookmarkView(Reply, frozen=True, kw_only=True):
    id: int
    camera: str
    start_us: int
    end_us: int
    name: str = ""
    note: str = ""
    created_us: int = 0
    created_by: str = ""
    is_valid: bool = True
    """False: its video is gone (BM-05, "Invalid")."""
    is_protected: bool = True
    """False: its time is over, recycling may take the video."""
    expires_us: int | None = None
    """None with `is_protected`: kept for ever."""


class BookmarkPage(Reply, frozen=True, kw_only=True):
    bookmarks: tuple[BookmarkView, ...]
    resume: str = ""
    """Empty = that was all."""

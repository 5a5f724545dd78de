"""Bookmarks in words: rows of the list, captions of the pictures, the lines about the one in hand. Manual rows BM-03, BM-05."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from textual.content import Content

from engine.wire_bookmarks import BookmarkView
from tui.bookmark_search import kept_words
from tui.wording import Wording
from widgets import format
from widgets.line_source import Column, Line, Tone

VALID = Wording("Valid", "$text-success", "+")
INVALID = Wording("Invalid", "bold $text-error", "x")
NOT_KEPT = Wording("Not kept", "bold $text-warning", "!")
_TONES: dict[str, Tone] = {"Valid": "ok", "Invalid": "error", "Not kept": "warning"}
CAMERA_CELLS_MAX = 20


def status_of(bookmark: BookmarkView) -> Wording:
    """Valid, Invalid (BM-05), or past its days."""
    if not bookmark.is_valid:
        return INVALID
    return VALID if bookmark.is_protected else NOT_KEPT


def columns_for(bookmarks: Sequence[BookmarkView]) -> tuple[Column, ...]:
    """Cameras as wide as the longest of them, the rest is the name's."""
    cameras = max((len(each.camera) for each in bookmarks), default=0)
    return (
        Column("status", "Status", 10, is_sortable=False),
        Column("camera", "Camera", min(max(cameras, 6), CAMERA_CELLS_MAX), is_sortable=False),
        Column("time", "Recorded", 11, is_sortable=False),
        Column("length", "Length", 6, priority=1, is_right=True, is_sortable=False),
        Column("name", "Name", 16, grow=8, is_sortable=False),
        Column("kept", "Kept", 8, priority=2, is_sortable=False),
        Column("made", "Made", 11, priority=4, is_sortable=False),
        Column("by", "By", 10, priority=3, is_sortable=False),
    )


def line_of(bookmark: BookmarkView, now_us: int, zone: tzinfo) -> Line:
    """One row."""
    status = status_of(bookmark)
    return Line(
        key=bookmark.id,
        cells=(
            (f"{status.sign} {status.word}", _TONES[status.word]),
            bookmark.camera,
            format.recent_time(bookmark.start_us, now_us, zone),
            format.clock_length(bookmark.end_us - bookmark.start_us),
            bookmark.name or format.NOTHING,
            kept_words(bookmark, now_us),
            format.recent_time(bookmark.created_us or None, now_us, zone),
            bookmark.created_by,
        ),
        value=bookmark,
    )


def detail_lines(bookmark: BookmarkView, now_us: int, zone: tzinfo) -> list[Content]:
    """Two lines: what and whether it is kept; the note."""
    status = status_of(bookmark)
    if not bookmark.is_valid:
        words = "its video is gone"
    elif not bookmark.is_protected:
        words = "its time is over: may be recycled"
    elif bookmark.expires_us is None:
        words = "kept for ever"
    else:
        words = f"kept until {format.local_date(bookmark.expires_us, zone)}"
    made = f" made {format.recent_time(bookmark.created_us, now_us, zone)}" if bookmark.created_us else ""
    by = f" by {bookmark.created_by}" if bookmark.created_by else ""
    return [
        Content.assemble(
            (f" {status.sign} {status.word}", status.style),
            (f"  {bookmark.camera}", "bold"),
            f"  {format.local_time_with_zone(bookmark.start_us, zone)}  {words}",
        ),
        Content.assemble(
            (made + by, "dim"), ("  Note  " if bookmark.note else "", "bold $text-accent"), bookmark.note
        ),
    ]

"""Which bookmarks are looked for, and how one is edited: what the forms of the bookmarks screen fill in. Pure. Manual rows BM-03, BM-06, BM-08."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from engine.wire_bookmarks import BookmarkEdit, BookmarkQuery, BookmarkView
from tui.event_search import range_words, typed_time
from tui.thumbnail_form import length_words
from tui.when import HINT, parse_when, typed_length_us
from widgets import format
from widgets.dialog import Field

LONGEST_US = format.DAY_US
KEEP_DAYS_MAX = 36_500


@dataclass(frozen=True, slots=True)
class BookmarkSearch:
    """All conditions hold."""

    camera: str = ""
    """Part of its name, and nothing else (BM-06)."""
    text: str = ""
    """Words of name, note and author: not in the manual."""
    start_us: int | None = None
    end_us: int | None = None
    """Of the recording."""
    made_start_us: int | None = None
    made_end_us: int | None = None
    """Of the bookmarking."""

    @property
    def is_narrow(self) -> bool:
        return self != BookmarkSearch()

    def query(self, before: str, limit: int) -> BookmarkQuery:
        """For the engine."""
        return BookmarkQuery(
            camera=self.camera,
            text=self.text,
            start_us=self.start_us,
            end_us=self.end_us,
            made_start_us=self.made_start_us,
            made_end_us=self.made_end_us,
            before=before,
            limit=limit,
        )

    def chips(self, now_us: int, zone: tzinfo) -> list[str]:
        """What narrows the list, for the title."""
        chips = [f"camera {self.camera}"] if self.camera else []
        chips += range_words(self.start_us, self.end_us, now_us, zone)
        chips += [
            f"made {words}" for words in range_words(self.made_start_us, self.made_end_us, now_us, zone)
        ]
        return chips + ([f"words {self.text}"] if self.text else [])


def search_fields(search: BookmarkSearch, now_us: int, zone: tzinfo) -> list[Field]:
    """BM-03, BM-06."""

    def check(text: str) -> str:
        is_read = not text.strip() or parse_when(text, now_us, now_us, zone) is not None
        return "" if is_read else f"a time like {HINT}"

    def field(key: str, label: str, time_us: int | None) -> Field:
        written = "" if time_us is None else format.local_time(time_us, zone)
        return Field(key, label, written, hint=HINT, check=check)

    return [
        Field("camera", "Camera's name", search.camera, hint="or part of it"),
        field("start", "Recorded from", search.start_us),
        field("end", "Recorded to", search.end_us),
        field("made_start", "Bookmarked from", search.made_start_us),
        field("made_end", "Bookmarked to", search.made_end_us),
        Field("text", "Words (extra)", search.text, hint="in name, note, author: all of them"),
    ]


def search_complaint(values: Mapping[str, str], now_us: int, zone: tzinfo) -> tuple[str, str] | None:
    """Ends lie after beginnings."""
    for start, end in (("start", "end"), ("made_start", "made_end")):
        start_us, end_us = (typed_time(values[key], now_us, zone) for key in (start, end))
        if start_us is not None and end_us is not None and end_us <= start_us:
            return end, "the end lies before the beginning"
    return None


def search_of(values: Mapping[str, str], now_us: int, zone: tzinfo) -> BookmarkSearch:
    """Of values that are right."""
    return BookmarkSearch(
        camera=values["camera"].strip(),
        text=values["text"].strip(),
        start_us=typed_time(values["start"], now_us, zone),
        end_us=typed_time(values["end"], now_us, zone),
        made_start_us=typed_time(values["made_start"], now_us, zone),
        made_end_us=typed_time(values["made_end"], now_us, zone),
    )


def edit_fields(bookmark: BookmarkView, now_us: int, zone: tzinfo) -> list[Field]:
    """Name, note, what is kept and for how long."""

    def check_time(text: str) -> str:
        return "" if parse_when(text, now_us, now_us, zone) is not None else f"a time like {HINT}"

    def check_length(text: str) -> str:
        length_us = typed_length_us(text)
        is_right = length_us is not None and 0 < length_us <= LONGEST_US
        return "" if is_right else "a length like 10s or 2m, at most a day"

    def check_days(text: str) -> str:
        is_right = not text.strip() or (text.strip().isdecimal() and int(text) <= KEEP_DAYS_MAX)
        return "" if is_right else f"days from now, 0 = for ever, at most {KEEP_DAYS_MAX}"

    length_us = bookmark.end_us - bookmark.start_us
    return [
        Field("name", "Name", bookmark.name),
        Field("note", "Note", bookmark.note),
        Field(
            "start", "From", format.local_time(bookmark.start_us, zone), is_required=True, check=check_time
        ),
        Field("length", "Length", length_words(length_us), is_required=True, check=check_length),
        Field(
            "days",
            "Keep for days",
            "",
            hint=f"empty: {kept_words(bookmark, now_us)}; 0 = ever",
            check=check_days,
        ),
    ]


def edit_of(
    values: Mapping[str, str], bookmark: BookmarkView, now_us: int, zone: tzinfo
) -> BookmarkEdit | None:
    """Only what is different; None = nothing is."""
    start_us = bookmark.start_us
    if values["start"].strip() != format.local_time(start_us, zone):
        start_us = typed_time(values["start"], now_us, zone) or start_us
    length_us = bookmark.end_us - bookmark.start_us
    if values["length"].strip() != length_words(length_us):
        length_us = typed_length_us(values["length"]) or length_us
    is_moved = (start_us, start_us + length_us) != (bookmark.start_us, bookmark.end_us)
    edit = BookmarkEdit(
        name=values["name"].strip() if values["name"].strip() != bookmark.name else None,
        note=values["note"].strip() if values["note"].strip() != bookmark.note else None,
        start_us=start_us if is_moved else None,
        end_us=start_us + length_us if is_moved else None,
        keep_days=int(values["days"]) if values["days"].strip() else None,
    )
    return edit if edit != BookmarkEdit() else None


def kept_words(bookmark: BookmarkView, now_us: int) -> str:
    """How long it is kept from recycling: `for ever`, `19 d`, `over`."""
    if not bookmark.is_protected:
        return "over"
    if bookmark.expires_us is None:
        return "for ever"
    left_us = max(bookmark.expires_us - now_us, format.MINUTE_US)
    return f"{left_us // format.DAY_US} d" if left_us >= format.DAY_US else format.duration(left_us)

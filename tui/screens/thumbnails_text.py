"""Thumbnail search in words: times as fine as the interval, why a slot has no picture, the stretch in the title."""

from __future__ import annotations

from datetime import tzinfo

from engine import wire
from tui.gap_words import gap_words
from tui.thumbnail_plan import ThumbnailPlan, cause_of
from widgets import format


def when_words(time_us: int, plan: ThumbnailPlan, zone: tzinfo) -> str:
    """Local time of a picture."""
    local = format.local_datetime(time_us, zone)
    if plan.is_by_frame:
        return f"{local:%H:%M:%S}.{local.microsecond // 1000:03}"
    if plan.interval_us % format.SECOND_US:
        return f"{local:%H:%M:%S}.{local.microsecond // 100_000}"
    return f"{local:%H:%M:%S}"


def day_words(time_us: int, now_us: int, zone: tzinfo) -> str:
    """`03-03`; empty today."""
    day = format.local_date(time_us, zone)
    return "" if day == format.local_date(now_us, zone) else day[5:]


def why_words(row: wire.TimelineRow, start_us: int, end_us: int) -> str:
    """Why nothing of [start, end) is recorded."""
    cause = cause_of(row.gaps, start_us, end_us)
    if cause:
        return gap_words(cause)
    if row.oldest_us is None or end_us <= row.oldest_us:
        return "recording began later"
    return "nothing recorded"


def plan_words(plan: ThumbnailPlan, now_us: int, zone: tzinfo) -> str:
    """`13:03:20 to 14:03:20, every 5 min`, with the day unless it is today."""
    day = format.local_date(plan.start_us, zone)
    date = "" if day == format.local_date(now_us, zone) else f"{day} "
    stretch = f"{format.local_clock(plan.start_us, zone)} to {format.local_clock(plan.end_us, zone)}"
    every = "every frame" if plan.is_by_frame else f"every {format.duration(plan.interval_us)}"
    return f"{date}{stretch}, {every}"

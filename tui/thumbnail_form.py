"""The fields of a thumbnail search, as an operator types them: span, interval and length of clips. Pure. Manual rows TH-02, TH-07."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from tui.event_search import time_complaint, time_fields, typed_time
from tui.thumbnail_plan import ThumbnailPlan, fitting_interval_us
from tui.when import typed_length_us
from widgets import format
from widgets.dialog import Field

LONGEST_US = 31 * format.DAY_US
CLIP_MAX_US = format.HOUR_US


def length_words(length_us: int) -> str:
    """As it is typed: `8m20s`, `0.5s`."""
    if length_us < format.SECOND_US or length_us % format.SECOND_US:
        return f"{length_us / format.SECOND_US:g}s"
    return format.duration(length_us).replace(" min", "m").replace(" ", "")


def form_fields(plan: ThumbnailPlan, now_us: int, zone: tzinfo) -> list[Field]:
    """From, to, interval, clip."""

    def check(text: str) -> str:
        return "" if not text.strip() or typed_length_us(text) else "a length like 10s, 5m or 1m30s"

    interval = "" if plan.is_by_frame else length_words(plan.interval_us)
    return [
        *time_fields(plan.start_us, plan.end_us, now_us, zone),
        Field("interval", "A picture every", interval, hint="empty = all on one page", check=check),
        Field("clip", "Length of a clip", length_words(plan.clip_us), hint="10s", check=check),
    ]


def form_complaint(
    values: Mapping[str, str], plan: ThumbnailPlan, now_us: int, zone: tzinfo
) -> tuple[str, str] | None:
    """What is wrong with them together."""
    if (wrong := time_complaint(values, now_us, zone)) is not None:
        return wrong
    start_us, end_us = _stretch(values, plan, now_us, zone)
    if start_us >= min(end_us, now_us):
        return "from", "that lies in the future"
    if end_us - start_us > LONGEST_US:
        return "from", "at most 31 days at once"
    clip_us = typed_length_us(values["clip"])
    if clip_us is not None and not format.SECOND_US <= clip_us <= CLIP_MAX_US:
        return "clip", "from 1s to 1h"
    return None


def plan_of_form(
    values: Mapping[str, str], plan: ThumbnailPlan, cells: int, now_us: int, zone: tzinfo
) -> ThumbnailPlan:
    """Of values that `form_complaint` has nothing against."""
    start_us, end_us = _stretch(values, plan, now_us, zone)
    end_us = min(end_us, now_us)
    clip_us = typed_length_us(values["clip"]) or plan.clip_us
    is_untouched = (start_us, end_us) == (plan.start_us, plan.end_us)
    typed_us = typed_length_us(values["interval"])
    if typed_us is None and plan.is_by_frame and is_untouched:
        return ThumbnailPlan(start_us, end_us, plan.interval_us, clip_us, is_by_frame=True)
    # An interval that was left as it stood belongs to the span it was worked out for.
    if typed_us is None or (typed_us == plan.interval_us and not is_untouched):
        typed_us = fitting_interval_us(end_us - start_us, cells)
    return ThumbnailPlan(start_us, end_us, typed_us, clip_us).with_interval(typed_us)


def _stretch(values: Mapping[str, str], plan: ThumbnailPlan, now_us: int, zone: tzinfo) -> tuple[int, int]:
    """What was left as it stood means the same moment to the microsecond."""
    found = []
    for key, before_us in (("from", plan.start_us), ("to", plan.end_us)):
        text = values[key].strip()
        if text == format.local_time(before_us, zone):
            found.append(before_us)
        elif not text:
            found.append(now_us if key == "to" else plan.start_us)
        else:
            found.append(typed_time(text, now_us, zone) or before_us)
    return found[0], found[1]

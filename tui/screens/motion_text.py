"""A motion search in words: title, what came of it, and what the keys do while a region is drawn."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content

from engine.wire_search import MotionHit
from tui.motion_form import MotionSettings
from tui.screens.motion_run import MotionRun
from tui.screens.text_pane import hints
from widgets import format
from widgets.polygon_cell import PolygonCell

DRAW_KEYS = "arrows move, shift or HJKL faster  enter corner  c close  backspace last  esc delete  r search"
SHORT_DRAW_KEYS = "arrows HJKL move  enter corner  c close  backspace last  esc delete  r search"
FIRST_KEYS = "arrows move, shift or HJKL faster  enter corner  r search  esc back"
"""With nothing drawn."""
HIT_KEYS = "enter plays on and on  p playback  e export  b bookmark  C case  v drawing"
CLOSED_KEYS = "enter or r search  f form  backspace opens it  esc deletes it"


def region_words(cell: PolygonCell) -> str:
    """`whole picture`, `3 corners, open`, `region of 5 corners`."""
    corners = format.plural(len(cell.points), "corner")
    if not cell.points:
        return "whole picture"
    return f"region of {corners}" if cell.is_closed else f"{corners}, open"


def stretch_words(settings: MotionSettings, now_us: int, zone: tzinfo) -> str:
    """`03-03 14:03 to 14:03:20`, `14:03:20 to now`."""
    start, end = (
        format.recent_time(time_us, now_us, zone) for time_us in (settings.start_us, settings.end_us)
    )
    return f"{start} to {'now' if settings.is_until_now else end}"


def outcome_words(run: MotionRun) -> str:
    """What was found, and what could not be looked at."""
    found = run.found
    if found is None:
        return run.trouble
    parts = [f"{len(found.hits):,}{'+' if found.is_cut else ''} found" if found.hits else "no motion found"]
    if not run.is_running and found.state.value in ("cancelled", "running"):
        parts.append("stopped before the end")
    if run.trouble:
        parts.append(run.trouble)
    if found.is_cut:
        parts.append("there are more: search a shorter time")
    if found.stored_looks:
        parts.append(f"{format.plural(found.stored_looks, 'moment')} of stored motion")
    if found.decoded_looks:
        parts.append(f"{format.plural(found.decoded_looks, 'picture')} decoded")
    if found.unseen_us:
        parts.append(f"{format.duration(found.unseen_us)} of it not looked at")
    return ", ".join(parts)


def hit_caption(hit: MotionHit, now_us: int, zone: tzinfo) -> tuple[str, str]:
    """Time on the left, length on the right."""
    length_us = max(hit.end_us - hit.start_us, format.SECOND_US)
    return format.recent_time(hit.start_us, now_us, zone), format.duration(length_us)


def words_lines(
    cell: PolygonCell, settings: MotionSettings, run: MotionRun, width: int, *, has_hits: bool
) -> list[Content]:
    """Below the picture or the hits: what came of it or what is looked for, and what can be done."""
    if has_hits:
        keys = HIT_KEYS
    elif cell.is_closed:
        keys = CLOSED_KEYS
    elif not cell.points:
        keys = FIRST_KEYS
    else:
        keys = DRAW_KEYS if len(DRAW_KEYS) < width else SHORT_DRAW_KEYS
    outcome = outcome_words(run)
    first = Content.assemble((f" {outcome}", "bold")) if outcome else Content(f" {settings.words()}")
    return [first, Content.styled(f" {hints(keys, width - 2)}", "dim")]

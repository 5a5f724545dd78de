"""What playback says in words: title and legend. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from textual.content import Content

from engine import wire
from tui.event_signs import EventType, event_type
from tui.playback_clock import AtOldest, CaughtUp, Happening, PlaybackClock, Skipped, speed_words
from widgets import format

TONE_STYLES = {
    "motion": "bold $text-success",
    "analytics": "bold $text-warning",
    "device": "bold $text-accent",
    "trouble": "bold $text-error",
    "other": "bold",
}
MORE_CELLS = len("  +99 types")
WORTH_SAYING_US = 2 * format.SECOND_US
"""Shorter gaps are jumped over without a word."""


def local_millis(time_us: int, zone: tzinfo) -> str:
    """`14:03:07.040`."""
    return f"{format.local_clock(time_us, zone)}.{time_us // 1_000 % 1_000:03}"


def local_moment(time_us: int, zone: tzinfo) -> str:
    """`2026-07-12 14:03:07.040 CEST`."""
    zone_word = format.local_time_with_zone(time_us, zone).rpartition(" ")[2]
    return f"{format.local_date(time_us, zone)} {local_millis(time_us, zone)} {zone_word}"


def motion_words(clock: PlaybackClock) -> str:
    """`paused`, `play 1x`, `reverse 1/4x`; a speed that waits is named too."""
    if clock.is_live:
        return ""
    if not clock.is_playing:
        return "paused" if clock.speed == 1 else f"paused ({speed_words(clock.speed)})"
    return f"{'play' if clock.direction > 0 else 'reverse'} {speed_words(clock.speed)}"


def title(
    clock: PlaybackClock,
    shown_us: int,
    zone: tzinfo,
    *,
    camera: str,
    cameras: int,
    state: Content,
    is_narrow: bool,
) -> Content:
    """Mode, the time of the frame shown, motion, camera, and what is there."""
    label = Content.styled(" LIVE ", "bold reverse $text-success")
    if not clock.is_live:
        label = Content.styled(" PLAYBACK ", "bold reverse")
    when = local_millis(shown_us, zone) if is_narrow else local_moment(shown_us, zone)
    parts = [label, Content.styled(f" {when}", "bold")]
    if words := motion_words(clock):
        parts.append(Content.styled(f"  {words}", "bold $text-accent"))
    parts.append(Content(f"  {camera or 'no camera'}"))
    if cameras > 1:
        parts.append(Content.styled(f" of {cameras}", "dim"))
    if not clock.is_live:
        parts.append(Content("  ") + state)
    return Content("").join(parts)


def events_legend(
    types: Sequence[tuple[EventType, int]],
    *,
    span_us: int,
    is_filtered: bool,
    bookmark_sign: str,
    trouble: str,
    width: int,
) -> Content:
    """Span, then which sign is which, with how many are in sight; of what has no room only the number of types is said."""
    content = Content.styled(f" span {format.duration(span_us)}", "bold")
    if bookmark_sign:
        content += Content.assemble("  ", (bookmark_sign, "bold $text-accent"), " bookmark")
    tail = Content("")
    if is_filtered:
        tail += Content.styled("  some types hidden (f)", "bold $text-warning")
    if trouble:
        tail += Content.styled(f"  {trouble}", "dim")
    room = width - len(content) - len(tail)
    words = [
        Content.assemble("  ", (kind.sign, TONE_STYLES[kind.tone]), f" {kind.word} {count:,}")
        for kind, count in types
    ]
    shown = len(words)
    while shown and sum(map(len, words[:shown])) + (MORE_CELLS if shown < len(words) else 0) > room:
        shown -= 1
    more = Content.styled(f"  +{len(words) - shown} types", "dim") if shown < len(words) else Content("")
    return Content("").join([content, *words[:shown], more, tail])


def event_words(event: wire.EventView, zone: tzinfo) -> Content:
    """The event under the playhead."""
    kind = event_type(event.kind)
    return Content.assemble(
        (f" {kind.sign} ", TONE_STYLES[kind.tone]),
        (format.local_clock(event.time_us, zone), "bold"),
        f" {kind.word}: {format.harmless(event.text)}" if event.text else f" {kind.word}",
    )


def range_words(start_us: int, end_us: int, zone: tzinfo) -> Content:
    """The range chosen, and what can be done with it."""
    times = f"[ {format.local_time(start_us, zone)}  ] {format.local_clock(end_us, zone)}"
    return Content.assemble(
        (f" {times}  {format.clock_length(end_us - start_us)}", "bold"), ("  e exports, L locks", "dim")
    )


def happening_words(happening: Happening, why: str) -> str:
    """What the footer says; empty = nothing."""
    match happening:
        case Skipped(from_us=from_us, to_us=to_us):
            length_us = abs(to_us - from_us)
            if length_us < WORTH_SAYING_US:
                return ""
            because = f" ({why})" if why else ""
            return f"jumped over {format.duration(length_us)} without recordings{because}"
        case CaughtUp():
            return "the end of the recordings: live"
        case AtOldest():
            return "the oldest recording"
    return ""

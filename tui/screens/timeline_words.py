"""What a timeline says in words: the state under the playhead, and the legend of its bars. Pure."""

from __future__ import annotations

from textual.content import Content

from engine import wire
from widgets import format
from widgets.glyphs import Glyphs
from widgets.timeline import Timeline
from widgets.timeline_cells import GapKind

EDGE_US = 5_000_000
"""So close to the present nothing may be on disk yet."""
KIND_WORDS = {
    GapKind.CAMERA: "camera",
    GapKind.LOSS: "loss",
    GapKind.STORAGE: "storage",
    GapKind.ENGINE: "engine",
    GapKind.CLOCK: "clock",
    GapKind.PLANNED: "planned",
    GapKind.UNKNOWN: "unknown",
}
KIND_STYLES = {
    GapKind.CAMERA: "$text-error",
    GapKind.LOSS: "$text-error",
    GapKind.STORAGE: "$text-warning",
    GapKind.PLANNED: "$text-muted",
}


def state_words(timeline: Timeline, row: wire.TimelineRow | None) -> Content:
    """What is under the playhead of the row in hand, and why nothing is."""
    if timeline.is_following:
        return Content.styled("LIVE", "bold $text-success")
    if timeline.is_recorded_at_playhead():
        return Content.styled("recorded", "$text-success")
    gap = timeline.gap_at_playhead()
    if gap is not None:
        length = format.duration(gap.end_us - gap.start_us)
        return Content.styled(f"{gap.kind.value} gap of {length}: {gap.label}", "bold $text-error")
    if timeline.playhead_us >= timeline.now_us - EDGE_US:
        return Content.styled("now", "dim")
    if row is None:
        return Content.styled("...", "dim")
    if row.oldest_us is None or timeline.playhead_us < row.oldest_us:
        return Content.styled("before the oldest recording", "dim")
    return Content.styled("not recorded", "dim")


def legend(timeline: Timeline, glyphs: Glyphs) -> Content:
    """Of the bars, with the causes of the gaps that are in them."""
    kinds = {gap.kind for track in timeline.tracks for gap in track.gaps}
    content = Content.assemble(
        (f" {glyphs.full}", "$primary"), " recorded  ", (glyphs.lock, "$text-warning"), " locked"
    )
    for kind in GapKind:
        if kind in kinds:
            content += Content.assemble(
                "  ", (kind.value, KIND_STYLES.get(kind, "$text-accent")), f" {KIND_WORDS[kind]}"
            )
    if kinds:
        letter = next(kind.value for kind in GapKind if kind in kinds)
        content += Content.assemble("  ", (letter, "$primary reverse"), " with a short gap")
    return content

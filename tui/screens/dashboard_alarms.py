"""The dashboard's lines about alarms: how many wait for whom, and the newest of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.wire_alarms import AlarmCounts, AlarmView
from tui.screens.alarms_text import title_of
from tui.screens.paper import Paper, heading
from tui.wording import severity_wording
from widgets import format

NEWEST = 3


def alarm_lines(counts: AlarmCounts, newest: Sequence[AlarmView], now_us: int, paper: Paper) -> list[Content]:
    """Nothing while nobody has to look at anything."""
    if not counts.new and not counts.in_progress:
        return []
    lines = [heading("Alarms", counts_words(counts))]
    sources = min(20, max((len(alarm.source or "station") for alarm in newest), default=0))
    for alarm in newest[:NEWEST]:
        wording = severity_wording(alarm.severity)
        when = format.recent_time(alarm.last_us, now_us, paper.zone)
        line = Content.assemble(
            f" {when:<11} " if paper.columns >= 60 else f" {when:<8} ",
            (f"{wording.sign} {wording.word:<8} ", wording.style),
            (format.fit(alarm.source or "station", sources, paper.glyphs.ellipsis), "bold"),
            " ",
        )
        room = max(0, paper.columns - len(line))
        text = f"{title_of(alarm)}: {alarm.text}" if alarm.text else title_of(alarm)
        lines.append(line + Content(format.fit(text, room, paper.glyphs.ellipsis).rstrip()))
    return lines


def counts_words(counts: AlarmCounts) -> str:
    """`12 new, 2 of them critical, 3 in progress, 1 muted`."""
    parts = [f"{format.count(counts.new)} new"]
    if counts.critical:
        parts.append(f"{format.count(counts.critical)} of them critical")
    if counts.in_progress:
        parts.append(f"{format.count(counts.in_progress)} in progress")
    if counts.muted:
        parts.append(f"{format.count(counts.muted)} muted")
    return ", ".join(parts)

"""Exports and cases in words: rows of the lists and the lines about the one in hand. Manual rows EX-02, RS-04."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content

from engine.wire_evidence import CaseItemView, CaseView, ExportJobView, ExportState
from widgets import format
from widgets.glyphs import Glyphs
from widgets.line_source import Column, Line, Tone

EXPORT_COLUMNS = (
    Column("state", "State", 11, is_sortable=False),
    Column("name", "Export", 18, grow=8, is_sortable=False),
    Column("size", "Size", 8, is_right=True, is_sortable=False),
    Column("ranges", "Ranges", 6, priority=3, is_right=True, is_sortable=False),
    Column("made", "Asked for", 11, is_sortable=False),
    Column("kept", "Kept until", 10, priority=2, is_sortable=False),
    Column("by", "By", 9, priority=4, is_sortable=False),
)
CASE_COLUMNS = (
    Column("name", "Case", 20, grow=4, is_sortable=False),
    Column("items", "Clips", 5, is_right=True, is_sortable=False),
    Column("length", "Length", 8, is_right=True, is_sortable=False),
    Column("gone", "Video", 9, is_sortable=False),
    Column("made", "Begun", 11, priority=1, is_sortable=False),
    Column("by", "By", 9, priority=3, is_sortable=False),
    Column("comment", "Comment", 10, priority=2, grow=8, is_sortable=False),
)
ITEM_COLUMNS = (
    Column("place", "#", 3, is_right=True, is_sortable=False),
    Column("camera", "Camera", 14, grow=1, max_width=20, is_sortable=False),
    Column("start", "From", 19, is_sortable=False),
    Column("length", "Length", 8, is_right=True, is_sortable=False),
    Column("status", "Video", 9, is_sortable=False),
    Column("comment", "Comment", 10, priority=1, grow=8, is_sortable=False),
)
_STATES: dict[ExportState, tuple[str, Tone]] = {
    ExportState.WAITING: (". waiting", "muted"),
    ExportState.RUNNING: ("> running", "accent"),
    ExportState.DONE: ("+ done", "ok"),
    ExportState.FAILED: ("x failed", "error"),
    ExportState.CANCELLED: ("- cancelled", "muted"),
}
NOTES_SHOWN = 2


def is_active(job: ExportJobView) -> bool:
    return job.state in (ExportState.WAITING, ExportState.RUNNING)


def export_line(job: ExportJobView, now_us: int, zone: tzinfo) -> Line:
    if job.is_expired:
        state: tuple[str, Tone] = ("- expired", "muted")
    elif job.state is ExportState.RUNNING:
        state = (f"> {job.progress * 100:.0f} %", "accent")
    else:
        state = _STATES[job.state]
    kept = format.NOTHING
    if job.state is ExportState.DONE and not job.is_expired:
        kept = format.local_date(job.expires_us, zone) if job.expires_us else format.NOTHING
    return Line(
        key=job.id,
        cells=(
            state,
            job.name,
            format.decimal_bytes(job.bytes if job.state is ExportState.DONE else job.total_bytes),
            str(len(job.ranges)),
            format.recent_time(job.created_us, now_us, zone),
            kept,
            job.created_by,
        ),
        value=job,
    )


def case_line(case: CaseView, now_us: int, zone: tzinfo) -> Line:
    gone = sum(not item.is_valid for item in case.items)
    video: tuple[str, Tone] = (f"x {gone} gone", "error") if gone else ("+ there", "ok")
    if not case.items:
        video = (format.NOTHING, "muted")
    length_us = sum(item.end_us - item.start_us for item in case.items)
    return Line(
        key=case.id,
        cells=(
            case.name,
            str(len(case.items)),
            format.clock_length(length_us),
            video,
            format.recent_time(case.created_us or None, now_us, zone),
            case.created_by,
            case.comment,
        ),
        value=case,
    )


def item_line(place: int, item: CaseItemView, zone: tzinfo) -> Line:
    return Line(
        key=item.id,
        cells=(
            str(place),
            item.camera,
            format.local_time(item.start_us, zone),
            format.clock_length(item.end_us - item.start_us),
            ("+ there", "ok") if item.is_valid else ("x gone", "error"),
            item.comment,
        ),
        value=item,
    )


def progress_bar(share: float, cells: int, glyphs: Glyphs) -> Content:
    filled = round(min(1.0, max(0.0, share)) * cells)
    return Content.assemble((glyphs.full * filled, "$primary"), (glyphs.bar_empty * (cells - filled), "dim"))


def export_detail(job: ExportJobView, columns: int, glyphs: Glyphs, zone: tzinfo) -> list[Content]:
    """Four lines: how far or where, what is in it, what should be known."""
    first: Content
    if is_active(job):
        words = job.doing or job.state.value
        size = f"{format.decimal_bytes(job.bytes)} of {format.decimal_bytes(job.total_bytes)}"
        bar = progress_bar(job.progress, max(10, min(30, columns - 50)), glyphs)
        first = Content(" ") + bar + Content(f" {job.progress * 100:3.0f} %  {words}  {size}")
    elif job.state is ExportState.DONE:
        first = Content(f" in {job.folder}" if job.folder else " its files were removed; export again")
    elif job.state is ExportState.FAILED:
        first = Content.styled(f" {job.trouble}", "$text-error")
    else:
        first = Content.styled(" nothing of it is left", "dim")
    what = []
    if job.case:
        what.append(f"case {job.case}")
    else:
        what.append(", ".join(dict.fromkeys(each.camera for each in job.ranges)))
    if job.files:
        what.append(format.plural(len(job.files), "file"))
    if job.is_encrypted:
        what.append("with a password")
    if any(each.masks for each in job.ranges):
        what.append("masked")
    if job.comment:
        what.append(f'"{job.comment}"')
    notes = [Content.styled(f" {note}", "$text-warning") for note in job.notes[:NOTES_SHOWN]]
    if len(job.notes) > NOTES_SHOWN:
        more = format.plural(len(job.notes) - NOTES_SHOWN + 1, "more note")
        notes[-1] = Content.styled(f" {more}: enter shows all", "$text-warning")
    if job.state is ExportState.FAILED and job.remedy:
        notes = [Content.styled(f" {job.remedy}", "dim")]
    return [first, Content(" " + "   ".join(what)), *notes]


def export_text(job: ExportJobView, zone: tzinfo) -> str:
    """All of it, for a dialog."""
    lines = [f"{job.name}: {job.state}{', expired' if job.is_expired else ''}"]
    lines.append(f"asked for {format.local_time(job.created_us, zone)} by {job.created_by}")
    if job.folder:
        lines.append(f"in {job.folder}")
    lines += [f"  {file.name}  {format.decimal_bytes(file.bytes)}" for file in job.files]
    lines += [f"note: {note}" for note in job.notes]
    if job.trouble:
        lines.append(f"{job.trouble} ({job.remedy})" if job.remedy else job.trouble)
    return "\n".join(lines)


def case_detail(case: CaseView) -> list[Content]:
    return [
        Content(f" {case.comment}" if case.comment else ""),
        Content.styled(" what is in a case is kept from recycling; x exports all of it with a report", "dim"),
    ]


def item_detail(item: CaseItemView, zone: tzinfo) -> list[Content]:
    span = f"{format.local_time_with_zone(item.start_us, zone)} to {format.local_time(item.end_us, zone)}"
    words = Content(f" {item.camera}  {span}")
    if not item.is_valid:
        words += Content.styled("  its video is gone", "bold $text-error")
    return [words, Content(f" {item.comment}")]

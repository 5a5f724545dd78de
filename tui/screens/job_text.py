"""The words of a job: which bay, big; what to do now; what went wrong, bigger; and the steps. Pure."""

from __future__ import annotations

from textual.content import Content

from engine.wire_chassis import JobState, JobView
from tui.bay_wording import JOB_STATES, STEPS, action_words
from tui.screens.help import hanging
from tui.screens.paper import BLOCK_DIGITS, Paper
from widgets import format
from widgets.drive_bay import progress_parts

OVER = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def job_lines(job: JobView, paper: Paper) -> list[Content]:
    """At most what `paper` has room for in width; an alarm stands above everything."""
    width = paper.columns
    lines = alarm_lines(job.alarm, width) if job.alarm else []
    lines += _bay_lines(job, paper)
    if job.needs and job.state not in OVER:
        lines += [Content(""), *hanging(Content.styled(job.needs, "bold $text-warning"), width, 0)]
    if job.progress is not None and job.state not in OVER:
        lines += _progress_lines(job, paper)
    lines.append(Content(""))
    for step in job.steps:
        wording = STEPS[step.state]
        detail = f": {step.detail}" if step.detail else ""
        text = Content.assemble((f"[{wording.sign}] ", wording.style), (step.title + detail, wording.style))
        lines += hanging(text, width, 4)
    if job.result:
        style = JOB_STATES[job.state].style
        lines += [Content(""), *hanging(Content.styled(job.result, style), width, 0)]
    return lines


def alarm_lines(alarm: str, width: int) -> list[Content]:
    """A block that cannot be overlooked, in colour or without."""
    inner = max(10, width - 4)
    rows = hanging(Content(format.harmless(alarm)), inner, 0)
    blank = Content.styled(" " * width, "bold reverse $text-error")
    block = [Content.styled("  " + row.plain.ljust(width - 2), "bold reverse $text-error") for row in rows]
    return [blank, *block, blank, Content("")]


def _bay_lines(job: JobView, paper: Paper) -> list[Content]:
    wording = JOB_STATES[job.state]
    words = [
        Content.styled(job.title, "bold"),
        Content.assemble("serial ", (job.serial, "bold")) if job.serial else Content(""),
        Content.styled(wording.word, wording.style),
    ]
    if job.bay is None:
        return [word for word in words if word.plain]
    if paper.glyphs.name == "ascii":
        return [Content.styled(f" BAY {job.bay} ", "bold reverse $text-accent"), *words]
    digits = [BLOCK_DIGITS[character] for character in str(job.bay)]
    lines = []
    for row in range(3):
        big = " ".join(digit[row] for digit in digits)
        name = "bay" if row == 1 else "   "
        lines.append(Content.assemble(f" {name} ", (big, "bold $text-accent"), "   ", words[row]))
    return lines


def _progress_lines(job: JobView, paper: Paper) -> list[Content]:
    bar = "".join(
        text for text, _ in progress_parts(job.progress or 0.0, min(40, paper.columns), paper.glyphs)
    )
    left = f"  {format.duration(job.eta_s * format.SECOND_US)} left" if job.eta_s is not None else ""
    return [Content(""), Content.assemble((bar, "$text-warning"), left)]


def answer_lines(job: JobView) -> list[Content]:
    """`1  It is pulled already`: a digit for each answer the job takes now."""
    return [
        Content.assemble((f" {number}  ", "bold $text-accent"), action_words(action))
        for number, action in enumerate(job.actions, 1)
    ]

"""The lines of the rule editor's four steps, and what its keys are called. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.wire_alarm_rules import ScheduleTemplateView, TriggerKind
from tui.alarm_wording import ACTIONS, action_kind, action_words, kind_title, names_words, trigger_words
from tui.rule_draft import RuleDraft, ScheduleMode, Step
from tui.schedule_wording import schedule_words
from widgets.glyphs import Glyphs
from widgets.line_source import Column, Line

COLUMNS = (
    Column("mark", "", 3, is_sortable=False),
    Column("what", "", 20, is_sortable=False),
    Column("words", "", 30, grow=1, is_sortable=False),
)

STEP_TITLES = {
    Step.TRIGGERS: "Triggers",
    Step.ACTIONS: "Actions",
    Step.SCHEDULE: "Schedule",
    Step.NAME: "Name",
}

HINTS: dict[Step, tuple[str, str]] = {
    Step.TRIGGERS: ("What raises the alarm. Any one of these is enough.", ""),
    Step.ACTIONS: (
        "What is done by itself when the alarm is raised.",
        "Without any it is in the list of alarms all the same.",
    ),
    Step.SCHEDULE: (
        "When the rule works. Events outside its times raise nothing.",
        "A change of a template counts for everything that uses it.",
    ),
    Step.NAME: ("What the alarm is called, how serious it is, and what to do then.", ""),
}

_END = "n/b steps  f10 save  esc leave"
KEYS: dict[Step, str] = {
    Step.TRIGGERS: f"a add  enter change  d remove  {_END}",
    Step.ACTIONS: f"space on/off  enter change  a more  m mail  {_END}",
    Step.SCHEDULE: f"space choose  enter paint  a new template  {_END}",
    Step.NAME: f"enter change  {_END}",
}
"""Each fits 80 columns."""


def action_rows(draft: RuleDraft) -> list[tuple[str, int | None]]:
    """Kind and place of each line of the second step: those of the rule, and one for each kind it does not have."""
    rows: list[tuple[str, int | None]] = []
    for kind in ACTIONS:
        own = [at for at, action in enumerate(draft.actions) if action_kind(action) == kind]
        rows += [(kind, at) for at in own] or [(kind, None)]
    return rows


def step_lines(
    step: Step,
    draft: RuleDraft,
    kinds: Mapping[str, TriggerKind],
    templates: Sequence[ScheduleTemplateView],
    refusal: Callable[[str], str],
    glyphs: Glyphs,
) -> list[Line]:
    """What stands in the list."""
    match step:
        case Step.TRIGGERS:
            return _trigger_lines(draft, kinds)
        case Step.ACTIONS:
            return _action_lines(draft, refusal)
        case Step.SCHEDULE:
            return _schedule_lines(draft, templates)
        case Step.NAME:
            return _name_lines(draft)


def _trigger_lines(draft: RuleDraft, kinds: Mapping[str, TriggerKind]) -> list[Line]:
    lines = []
    for number, trigger in enumerate(draft.triggers):
        words = trigger_words(trigger, kinds).removeprefix(kind_title(trigger.kind, kinds)).removeprefix(": ")
        known = kinds.get(trigger.kind)
        if not words.strip():
            words = "" if known is None or not known.source else "any"
        lines.append(Line((Step.TRIGGERS, number), ("", kind_title(trigger.kind, kinds), words.strip())))
    if not lines:
        lines.append(Line((Step.TRIGGERS, -1), ("", "none yet", "enter or a adds the first"), tone="muted"))
    return lines


def _action_lines(draft: RuleDraft, refusal: Callable[[str], str]) -> list[Line]:
    lines = []
    for number, (kind, at) in enumerate(action_rows(draft)):
        title, what = ACTIONS[kind]
        reason = refusal(kind)
        if at is None:
            mark = " - " if reason else "[ ]"
            lines.append(Line((Step.ACTIONS, number), (mark, title, reason or what), tone="muted"))
        else:
            words = f"{f'! {reason}: ' if reason else ''}{action_words(draft.actions[at])}"
            lines.append(
                Line(
                    (Step.ACTIONS, number),
                    (("[x]", "ok"), title, (words, "warning") if reason else words),
                )
            )
    return lines


def _schedule_lines(draft: RuleDraft, templates: Sequence[ScheduleTemplateView]) -> list[Line]:
    def mark(is_chosen: bool) -> str:
        return "(x)" if is_chosen else "( )"

    own = schedule_words(draft.schedule) if draft.schedule is not None else "enter paints them"
    lines = [
        Line(0, (mark(draft.mode is ScheduleMode.ALWAYS), "Always", "at any time")),
        Line(1, (mark(draft.mode is ScheduleMode.OWN), "Its own times", own)),
    ]
    is_template = draft.mode is ScheduleMode.TEMPLATE
    for template in templates:
        is_chosen = is_template and draft.schedule_name == template.name
        words = schedule_words(template.schedule)
        if template.used_by:
            words += f"  (also {names_words(template.used_by, 2)})"
        lines.append(Line(("template", template.name), (mark(is_chosen), template.name, words)))
    if is_template and not any(template.name == draft.schedule_name for template in templates):
        lines.append(Line("gone", ("(x)", draft.schedule_name, ("this template is gone", "error"))))
    return lines


def _name_lines(draft: RuleDraft) -> list[Line]:
    again = "each event raises one" if not draft.retrigger_s else f"{draft.retrigger_s} s of quiet"
    rows = (
        ("Name", draft.name or "none yet"),
        ("Severity", draft.severity),
        ("Another alarm after", again),
        ("Switched on", "yes" if draft.is_enabled else "no"),
        ("Instructions", " / ".join(draft.instructions.splitlines()) or "none"),
    )
    return [Line((Step.NAME, title), ("", title, words)) for title, words in rows]

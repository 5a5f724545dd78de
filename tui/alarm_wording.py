"""Alarm rules in words: triggers, actions, schedules, results. Pure; all screens that speak of rules take them from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.client import PLACEHOLDER
from engine.wire_alarm_rules import (
    ActionState,
    AlarmAction,
    AlarmRuleView,
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    OutputAction,
    PresetAction,
    PushAction,
    RecordAction,
    SoundAction,
    TextMatch,
    Trigger,
    TriggerFamily,
    TriggerKind,
)
from tui.schedule_wording import schedule_words
from tui.wording import Wording

FAMILIES: dict[TriggerFamily, str] = {
    TriggerFamily.CAMERA: "Camera",
    TriggerFamily.ANALYTICS: "Video content analysis",
    TriggerFamily.STATION: "Station",
    TriggerFamily.STORAGE: "Storage",
    TriggerFamily.EXTERNAL: "I/O and external",
}
"""AT-18, in the order of the picker."""

SOURCES: dict[str, tuple[str, str]] = {
    "camera": ("camera", "cameras"),
    "volume": ("volume", "volumes"),
    "virtual_drive": ("virtual drive", "virtual drives"),
    "bay": ("bay", "bays"),
    "link": ("network link", "network links"),
    "button": ("button", "buttons"),
    "group": ("recording group", "recording groups"),
    "sensor": ("sensor", "sensors"),
    "peer": ("sender", "senders"),
    "sender": ("sender", "senders"),
}
"""What the sources of a trigger are, one and many."""

ACTIONS: dict[str, tuple[str, str]] = {
    "record": ("Record", "footage around the event"),
    "bookmark": ("Bookmark", "a clip that is never recycled"),
    "mail": ("E-mail", "with a snapshot"),
    "http": ("HTTP request", "to something else"),
    "push": ("Push notification", "to a phone or a chat, by Apprise"),
    "live": ("Live picture", "in the alarm tab of consoles"),
    "sound": ("Sound", "in consoles, or by the box"),
    "preset": ("Camera preset", "a PTZ camera turns there"),
    "output": ("Digital output", "of a camera, for some seconds"),
}
"""Title and explanation of each action, in the order of the list."""

RESULT_STATES: dict[ActionState, Wording] = {
    ActionState.WAITING: Wording("waiting", "dim", "~"),
    ActionState.RUNNING: Wording("running", "$text-accent", "~"),
    ActionState.DONE: Wording("done", "$text-success"),
    ActionState.FAILED: Wording("failed", "$text-error bold", "x"),
    ActionState.SKIPPED: Wording("skipped", "$text-warning", "-"),
}


def names_words(names: Iterable[str], most: int = 3) -> str:
    """`driveway, garden and 4 more`."""
    found = list(names)
    if len(found) <= most + 1:
        return ", ".join(found)
    return f"{', '.join(found[:most])} and {len(found) - most} more"


def kind_title(kind: str, kinds: Mapping[str, TriggerKind]) -> str:
    """As in the picker; a kind that this engine does not offer is shown as it is written."""
    known = kinds.get(kind)
    return known.title if known is not None else kind


def trigger_words(trigger: Trigger, kinds: Mapping[str, TriggerKind]) -> str:
    """`Motion: driveway, garden`, `TCP message contains "door"`."""
    words = kind_title(trigger.kind, kinds)
    if trigger.text:
        how = "is exactly" if trigger.match is TextMatch.MATCHES else "contains"
        case = " (case counts)" if trigger.is_case_sensitive else ""
        words += f' {how} "{trigger.text}"{case}'
    return f"{words}: {names_words(trigger.sources)}" if trigger.sources else words


def triggers_words(triggers: Iterable[Trigger], kinds: Mapping[str, TriggerKind]) -> str:
    """All of a rule, any of which raises it."""
    return " or ".join(trigger_words(trigger, kinds) for trigger in triggers)


def action_kind(action: AlarmAction) -> str:
    """Its name on the wire: `record`."""
    return str(action.__struct_config__.tag)


def action_title(action: AlarmAction) -> str:
    return ACTIONS[action_kind(action)][0]


def action_words(action: AlarmAction) -> str:
    """What it does, without secrets: `5 s before to 10 s after, of garden`."""
    match action:
        case RecordAction():
            return f"{action.pre_event_s} s before to {action.post_event_s} s after, {_of(action.cameras)}"
        case BookmarkAction():
            kept = "" if action.preserve_days is None else f", for {action.preserve_days} days"
            return f"{action.length_s} s, {_of(action.cameras)}{kept}"
        case MailAction():
            snapshot = ", with a snapshot" if action.has_snapshot else ""
            return f"to {names_words(action.to)}{snapshot}"
        case HttpAction():
            return f"{action.method} {action.url}"
        case PushAction():
            return f"{action.url.partition(':')[0]}: {action.title}"
        case LiveAction():
            return _of(action.cameras)
        case SoundAction():
            where = {"console": "consoles", "box": "the box", "both": "consoles and the box"}
            return f"pattern {action.pattern}, {where.get(action.where, action.where)}"
        case PresetAction():
            return f"{action.camera} to {action.preset}"
        case OutputAction():
            length = "stays" if action.duration_s is None else f"for {action.duration_s} s"
            return f"{action.camera} {action.output} {'on' if action.is_on else 'off'}, {length}"


def _of(cameras: tuple[str, ...]) -> str:
    return f"of {names_words(cameras)}" if cameras else "of the camera it is about"


def actions_words(actions: Iterable[AlarmAction]) -> str:
    """`Record, E-mail`."""
    return ", ".join(action_title(action) for action in actions) or "none"


def rule_schedule_words(rule: AlarmRuleView) -> str:
    """`always`, the name of a template, or the times."""
    if rule.schedule_name:
        return rule.schedule_name
    return "always" if rule.schedule is None else schedule_words(rule.schedule)


def is_secret(value: str) -> bool:
    """Whether something in it is hidden by the engine."""
    return PLACEHOLDER in value


# -- several lines in a field of one ------------------------------------------------------------------------


def to_one_line(text: str) -> str:
    r"""Line ends as `\n`, so that a field of one line loses none; a backslash as two."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def from_one_line(text: str) -> str:
    r"""What `to_one_line` made; a backslash before anything else stays as typed."""
    parts: list[str] = []
    rest = text
    while rest:
        before, mark, after = rest.partition("\\")
        parts.append(before)
        if not mark:
            break
        if after[:1] == "n":
            parts.append("\n")
            rest = after[1:]
        elif after[:1] == "\\":
            parts.append("\\")
            rest = after[1:]
        else:
            parts.append("\\")
            rest = after
    return "".join(parts)

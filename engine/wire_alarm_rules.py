"""API messages about alarm rules: triggers, schedule, actions and what came of them. Part of `engine.wire`'s API. Manual rows AT, AA, AS."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from engine.wire_message import Reply, Request
from engine.wire_schedule import ScheduleMessage

EVENT_SECONDS_MAX = 300
"""Of a pre- or post-event time: what the ring in memory may be asked for."""


class TextMatch(StrEnum):
    """TM-03."""

    CONTAINS = "contains"
    MATCHES = "matches"


# -- triggers --------------------------------------------------------------------------------------------


class TriggerFamily(StrEnum):
    """AT-18 and AT-01 … AT-13: how the picker is ordered."""

    CAMERA = "camera"
    ANALYTICS = "analytics"
    STATION = "station"
    STORAGE = "storage"
    EXTERNAL = "external"


class TriggerKind(Reply, frozen=True, kw_only=True):
    """One entry of the picker."""

    kind: str
    """Event kind, as in docs/events.md; a kind stands for all below it too."""
    family: TriggerFamily
    title: str
    source: str
    """What its sources are: `camera`, `volume`, `virtual_drive`, `bay`, `link`, `button`, or `` = the station."""
    takes_text: bool = False
    hint: str = ""
    """What has to be set up first (AT-05), in words; empty = nothing."""
    can_record: bool = True
    """AA-02: false for `recording.stopped`."""


class Trigger(Request, frozen=True, kw_only=True):
    """Any event of this kind, from one of these sources, whose text fits."""

    kind: str
    sources: tuple[str, ...] = ()
    """Names of cameras, volumes …; of a virtual trigger, its button; () = any."""
    text: str = ""
    """Looked for in the event's text; '' = any. For `external.tcp_message`: what to listen for."""
    match: TextMatch = TextMatch.CONTAINS
    is_case_sensitive: bool = False


# -- actions ---------------------------------------------------------------------------------------------
# `cameras` () = the camera the event is about. Texts are templates: {alarm} {kind} {source} {text} {time} {severity} {count} {station} {id}.


Seconds = Annotated[int, msgspec.Meta(ge=0, le=EVENT_SECONDS_MAX)]


class RecordAction(Request, frozen=True, kw_only=True, tag="record"):
    """Keep footage around the event of cameras that do not record anyway (AA-02: a clip of 10 s unless told otherwise)."""

    cameras: tuple[str, ...] = ()
    pre_event_s: Seconds = 5
    post_event_s: Seconds = 5


class BookmarkAction(Request, frozen=True, kw_only=True, tag="bookmark"):
    """Lock a clip from recycling (AA-09, rule 1)."""

    cameras: tuple[str, ...] = ()
    length_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 10
    preserve_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    """None = as the preferences say."""


class MailAction(Request, frozen=True, kw_only=True, tag="mail"):
    """AA-07. Needs a mail server in the settings."""

    to: tuple[str, ...]
    subject: str = "{station}: {alarm}, {source}"
    body: str = "{time}  {alarm}\n{text}\n"
    has_snapshot: bool = True


class HttpAction(Request, frozen=True, kw_only=True, tag="http"):
    """HR-01, HR-02. Values of headers and credentials in the URL are secrets: shown as PLACEHOLDER."""

    url: str
    method: str = "POST"
    """GET or POST."""
    content: str = (
        '{{"alarm": {alarm:json}, "source": {source:json}, "text": {text:json}, "time_us": {time_us}}}'
    )
    """Of a POST. `{name:json}` is the value as JSON, `{name:url}` percent-encoded; `{{` and `}}` are braces."""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class PushAction(Request, frozen=True, kw_only=True, tag="push"):
    """A notification through Apprise. The URL is a secret: shown as its scheme and PLACEHOLDER."""

    url: str
    title: str = "{alarm}: {source}"
    body: str = "{text}"


class LiveAction(Request, frozen=True, kw_only=True, tag="live"):
    """Show the camera in consoles' alarm tab (AA-04, rule 19)."""

    cameras: tuple[str, ...] = ()


class SoundAction(Request, frozen=True, kw_only=True, tag="sound"):
    """AA-10: one of five patterns, rung by consoles, by the box itself, or both."""

    pattern: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    where: str = "console"
    """`console`, `box` or `both`."""


class PresetAction(Request, frozen=True, kw_only=True, tag="preset"):
    """AA-05: a PTZ camera goes to one of its presets (ONVIF)."""

    camera: str
    preset: str
    """Token or name."""


class OutputAction(Request, frozen=True, kw_only=True, tag="output"):
    """AA-03: a camera's digital output (ONVIF)."""

    camera: str
    output: str
    """Token."""
    is_on: bool = True
    duration_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] | None = 15
    """Then back; None = stays."""


AlarmAction = (
    RecordAction
    | BookmarkAction
    | MailAction
    | HttpAction
    | PushAction
    | LiveAction
    | SoundAction
    | PresetAction
    | OutputAction
)


class ActionState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class ActionResult(Reply, frozen=True, kw_only=True):
    """What came of one action of an alarm."""

    action: str
    """In words, without secrets: `mail to guard@example.org`."""
    state: ActionState
    tries: int = 0
    text: str = ""
    """Answer or error, in plain words."""
    time_us: int = 0
    """Of the last try."""


# -- rules -----------------------------------------------------------------------------------------------


class AlarmRuleAdd(Request, frozen=True, kw_only=True):
    """AT-04. Neither schedule given = Always."""

    name: str
    triggers: tuple[Trigger, ...]
    actions: tuple[AlarmAction, ...] = ()
    instructions: str = ""
    severity: str = "warning"
    """info, warning or critical."""
    schedule: ScheduleMessage | None = None
    schedule_name: str = ""
    """A template of `/v1/schedules`."""
    retrigger_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 30
    """Events of one kind and source within this time of the alarm's last one join it instead of raising another; 0 = each raises one."""
    is_enabled: bool = True


class AlarmRuleEdit(Request, frozen=True, kw_only=True):
    """Only the fields given change. A secret given as PLACEHOLDER stays as it is. `is_always` takes any schedule off."""

    name: str | None = None
    triggers: tuple[Trigger, ...] | None = None
    actions: tuple[AlarmAction, ...] | None = None
    instructions: str | None = None
    severity: str | None = None
    schedule: ScheduleMessage | None = None
    schedule_name: str | None = None
    is_always: bool = False
    retrigger_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None
    is_enabled: bool | None = None


class AlarmRuleView(Reply, frozen=True, kw_only=True):
    id: int
    name: str
    triggers: tuple[Trigger, ...]
    actions: tuple[AlarmAction, ...]
    instructions: str
    severity: str
    schedule: ScheduleMessage | None
    schedule_name: str
    retrigger_s: int
    is_enabled: bool
    is_active: bool
    """Its schedule says now."""
    last_raised_us: int | None = None
    raised: int = 0
    """Alarms it has raised that are still kept."""


class AlarmTestReply(Reply, frozen=True, kw_only=True):
    """What a test of a rule's chain did: a real alarm, marked as a test in its text, and each action's result."""

    alarm_id: int
    results: tuple[ActionResult, ...]


class ScheduleTemplate(Request, frozen=True, kw_only=True):
    """AS-02, AS-03: a named week, for alarms and recording alike."""

    name: str
    schedule: ScheduleMessage


class ScheduleTemplateView(Reply, frozen=True, kw_only=True):
    name: str
    schedule: ScheduleMessage
    used_by: tuple[str, ...] = ()

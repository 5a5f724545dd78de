"""What the scripted station has raised, and by which rules: all of it follows from an alarm's number alone."""

from __future__ import annotations

from engine.wire_alarm_rules import (
    ActionResult,
    ActionState,
    AlarmRuleView,
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    RecordAction,
    SoundAction,
    Trigger,
    TriggerFamily,
    TriggerKind,
)
from engine.wire_alarms import AlarmStatus, AlarmView
from engine.wire_log import LogCategory, LogEntry
from engine.wire_schedule import ScheduleMessage
from storage.units import US_PER_HOUR, US_PER_SECOND
from tests.fakes.scripted_station import NAMES

NIGHT = ScheduleMessage(zone="UTC", days=("x" * 12 + "." * 28 + "x" * 8,) * 7)
OFFICE = ScheduleMessage(zone="UTC", days=(*("." * 16 + "x" * 20 + "." * 12,) * 5, "." * 48, "." * 48))

TRIGGER_KINDS = (
    TriggerKind(kind="camera.lost", family=TriggerFamily.CAMERA, title="Camera lost", source="camera"),
    TriggerKind(kind="camera.refused", family=TriggerFamily.CAMERA, title="Camera refuses", source="camera"),
    TriggerKind(
        kind="recording.stopped",
        family=TriggerFamily.CAMERA,
        title="Recording stopped",
        source="camera",
        can_record=False,
    ),
    TriggerKind(
        kind="detection.motion",
        family=TriggerFamily.ANALYTICS,
        title="Motion",
        source="camera",
        hint="switch motion detection or ONVIF events on for the camera",
    ),
    TriggerKind(
        kind="detection.line_crossing",
        family=TriggerFamily.ANALYTICS,
        title="Line crossed",
        source="camera",
        hint="switch ONVIF events on for the camera",
    ),
    TriggerKind(kind="station.cpu_high", family=TriggerFamily.STATION, title="CPU over 90 %", source=""),
    TriggerKind(kind="network.link_down", family=TriggerFamily.STATION, title="Link down", source="link"),
    TriggerKind(kind="volume.full", family=TriggerFamily.STORAGE, title="Volume full", source="volume"),
    TriggerKind(kind="drive.failed", family=TriggerFamily.STORAGE, title="Drive failed", source="bay"),
    TriggerKind(
        kind="external.tcp_message",
        family=TriggerFamily.EXTERNAL,
        title="TCP message",
        source="",
        takes_text=True,
        hint="give a TCP port in the settings",
    ),
    TriggerKind(
        kind="external.virtual", family=TriggerFamily.EXTERNAL, title="Virtual trigger", source="button"
    ),
)

_SCRIPT = (
    ("Motion at night", "detection.motion", "front-door", "warning", "motion in 23 cells"),
    ("Motion at night", "detection.motion", "garden", "warning", "motion in 9 cells"),
    ("Camera trouble", "camera.lost", "garage", "warning", "no route to host 192.0.2.14"),
    ("Storage", "volume.full", "bay-2", "critical", "no space above the floor of 50 GiB"),
    ("Motion at night", "detection.line_crossing", "driveway", "warning", "line 1 crossed, left to right"),
    ("Panic button", "external.virtual", "panic", "critical", "pressed at the front desk"),
    ("Motion at night", "detection.motion", "front-door", "warning", "motion in 41 cells"),
    ("Camera trouble", "camera.refused", "loading-dock", "warning", "wrong user or password (401)"),
    ("Station", "station.cpu_high", "", "info", "CPU at 94 % for a minute"),
)
_COMMENTS = {2: "cat again", 6: "guard is on the way"}


def scripted_alarms(count: int, now_us: int) -> tuple[AlarmView, ...]:
    """Ids 1 … count, the newest has the highest; the newest happened half a minute ago, each one before 97 s earlier."""
    return tuple(
        _alarm(number, now_us - 30 * US_PER_SECOND - (count - number) * 97 * US_PER_SECOND)
        for number in range(1, count + 1)
    )


def _alarm(number: int, last_us: int) -> AlarmView:
    turn = number % len(_SCRIPT)
    rule, kind, source, severity, text = _SCRIPT[turn]
    is_taken = number % 11 == 6
    return AlarmView(
        id=number,
        rule=rule,
        kind=kind,
        source=source,
        camera=source if source in NAMES else "",
        severity=severity,
        status=AlarmStatus.IN_PROGRESS if is_taken else AlarmStatus.NEW,
        first_us=last_us - turn * 7 * US_PER_SECOND,
        last_us=last_us,
        count=1 + turn * 3,
        text=text,
        comment=_COMMENTS.get(number % 11, "") if is_taken else "",
        handler="anna" if is_taken else "",
        sound=2 if severity == "critical" else 0,
        is_live=kind.startswith("detection."),
    )


def scripted_rules(now_us: int) -> tuple[AlarmRuleView, ...]:
    """By name."""
    return (
        AlarmRuleView(
            id=2,
            name="Camera trouble",
            triggers=(Trigger(kind="camera.lost"), Trigger(kind="camera.refused")),
            actions=(MailAction(to=("guard@example.org",)),),
            instructions="Power and cable first; then `watchdeck camera test`.",
            severity="warning",
            schedule=None,
            schedule_name="",
            retrigger_s=300,
            is_enabled=True,
            is_active=True,
            last_raised_us=now_us - 3 * US_PER_HOUR,
            raised=17,
        ),
        AlarmRuleView(
            id=1,
            name="Motion at night",
            triggers=(
                Trigger(kind="detection.motion", sources=("front-door", "garden")),
                Trigger(kind="detection.line_crossing", sources=("driveway",)),
            ),
            actions=(
                RecordAction(),
                BookmarkAction(),
                LiveAction(),
                SoundAction(pattern=2),
                MailAction(to=("guard@example.org",)),
            ),
            instructions="Look at the live picture; call the guard when somebody is there.",
            severity="warning",
            schedule=None,
            schedule_name="night",
            retrigger_s=30,
            is_enabled=True,
            is_active=False,
            last_raised_us=now_us - 7 * US_PER_HOUR,
            raised=212,
        ),
        AlarmRuleView(
            id=3,
            name="Panic button",
            triggers=(Trigger(kind="external.virtual", sources=("panic",)),),
            actions=(
                SoundAction(pattern=5, where="both"),
                HttpAction(url="https://gate.example.org/lock", headers=(("Authorization", "{password}"),)),
            ),
            instructions="",
            severity="critical",
            schedule=None,
            schedule_name="",
            retrigger_s=0,
            is_enabled=True,
            is_active=True,
        ),
        AlarmRuleView(
            id=4,
            name="Storage",
            triggers=(Trigger(kind="volume"), Trigger(kind="drive")),
            actions=(),
            instructions="",
            severity="critical",
            schedule=None,
            schedule_name="",
            retrigger_s=3600,
            is_enabled=False,
            is_active=True,
        ),
    )


def scripted_results(now_us: int) -> tuple[ActionResult, ...]:
    return (
        ActionResult(
            action="mail to guard@example.org",
            state=ActionState.DONE,
            tries=1,
            text="250 queued",
            time_us=now_us,
        ),
        ActionResult(
            action="POST to gate.example.org",
            state=ActionState.FAILED,
            tries=3,
            text="no connection within 5 s",
            time_us=now_us,
        ),
    )


def scripted_log(count: int, now_us: int) -> tuple[LogEntry, ...]:
    """Newest first."""
    script = (
        ("alarm.triage", "anna", "", "312 alarms: false alarm", "normal", True),
        ("camera.edit", "root", "garage", "", "major", True),
        ("camera.add", "anna", "", "anna (operator) may not use POST /v1/cameras", "major", False),
        ("lock.add", "anna", "front-door", "", "normal", True),
        ("trigger.fire", "anna", "panic", "", "minor", True),
    )
    entries = []
    for number in range(count, 0, -1):
        type, actor, source, text, severity, is_success = script[(count - number) % len(script)]
        entries.append(
            LogEntry(
                id=number,
                time_us=now_us - (count - number) * 211 * US_PER_SECOND,
                category=LogCategory.OPERATION,
                type=type,
                actor=actor,
                source=source,
                text=text,
                severity=severity,
                is_success=is_success,
                digest=f"{number:064x}",
            )
        )
    return tuple(entries)

"""Whether an action can be kept in a rule: what is wrong with it is said when it is saved, not at three in the morning. Pure."""

from __future__ import annotations

from engine.alarms.actions.http import check_http
from engine.alarms.actions.mail import check_mail
from engine.alarms.actions.output import check_output
from engine.alarms.actions.preset import check_preset
from engine.alarms.actions.push import check_push
from engine.alarms.actions.sound import check_sound
from engine.wire_alarm_rules import (
    AlarmAction,
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    OutputAction,
    PresetAction,
    PushAction,
    RecordAction,
    SoundAction,
)


def check_action(action: AlarmAction) -> None:
    """Raises InvalidInput. Secrets are in their places; whether cameras exist is the caller's to look."""
    match action:
        case MailAction():
            check_mail(action)
        case HttpAction():
            check_http(action)
        case PushAction():
            check_push(action)
        case SoundAction():
            check_sound(action)
        case PresetAction():
            check_preset(action)
        case OutputAction():
            check_output(action)
        case RecordAction() | BookmarkAction() | LiveAction():
            pass

"""Actions in words, without secrets: what results, lists and logs call them. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

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

ADDRESSES_NAMED = 3
WORDS_LIMIT = 200


def action_words(action: AlarmAction, cameras: tuple[str, ...]) -> str:
    """`mail to guard@example.org`. `cameras`: those it is for, after () was replaced by the event's own."""
    match action:
        case RecordAction():
            words = f"record {_several(cameras)}"
        case BookmarkAction():
            words = f"bookmark {_several(cameras)}"
        case MailAction():
            words = f"mail to {_several(action.to)}"
        case HttpAction():
            words = f"{action.method} to {host_words(action.url)}"
        case PushAction():
            words = f"push by {scheme_words(action.url)}"
        case LiveAction():
            words = f"live {_several(cameras)}"
        case SoundAction():
            where = {"console": "consoles", "box": "the box", "both": "consoles and the box"}
            words = f"sound {action.pattern} on {where.get(action.where, action.where)}"
        case PresetAction():
            words = f"{action.camera} to preset {action.preset}"
        case OutputAction():
            words = f"output {action.output} of {action.camera} {'on' if action.is_on else 'off'}"
    return words[:WORDS_LIMIT]


def _several(names: tuple[str, ...]) -> str:
    if not names:
        return "no camera"
    more = len(names) - ADDRESSES_NAMED
    return ", ".join(names[:ADDRESSES_NAMED]) + (f" and {more} more" if more > 0 else "")


def host_words(url: str) -> str:
    """Host and port of an address: user, password, path and query may be secrets."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "an address that cannot be read"
    host = parts.hostname or "an address without a host"
    return f"{host}:{port}" if port else host


def scheme_words(url: str) -> str:
    scheme, mark, _ = url.partition("://")
    return scheme if mark and scheme.isalnum() else "an unknown service"

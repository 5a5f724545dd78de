"""Secrets in actions: taken out before anybody sees them, and put back where an edit gives PLACEHOLDER.

A secret goes back only to where it came from: to the same address, never to another host. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from engine.wire_alarm_rules import AlarmAction, HttpAction, PushAction
from storage.camera_url import PLACEHOLDER, masked
from storage.errors import InvalidInput


def masked_actions(actions: Sequence[AlarmAction]) -> tuple[AlarmAction, ...]:
    """Fit to be shown."""
    return tuple(masked_action(action) for action in actions)


def masked_action(action: AlarmAction) -> AlarmAction:
    if isinstance(action, HttpAction):
        return msgspec.structs.replace(
            action,
            url=masked_url(action.url),
            headers=tuple((name, PLACEHOLDER) for name, _ in action.headers),
        )
    if isinstance(action, PushAction):
        return msgspec.structs.replace(action, url=masked_push_url(action.url))
    return action


def masked_url(url: str) -> str:
    """Credentials before the host and in the query are hidden."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return masked(url)
    end = min((rest.find(each) for each in "/?#" if each in rest), default=len(rest))
    host, path = rest[:end], rest[end:]
    user_info, at, address = host.rpartition("@")
    if at:
        user, colon, _ = user_info.partition(":")
        user_info = f"{user}:{PLACEHOLDER}" if colon else PLACEHOLDER
    return f"{scheme}://{user_info}{at}{address}{masked(path)}"


def masked_push_url(url: str) -> str:
    """Its scheme only: everything behind it may be a key."""
    scheme, mark, _ = url.partition("://")
    return f"{scheme}://{PLACEHOLDER}" if mark else PLACEHOLDER


def has_placeholder(action: AlarmAction) -> bool:
    """Some secret of it is given as PLACEHOLDER."""
    if isinstance(action, HttpAction):
        return PLACEHOLDER in action.url or any(value == PLACEHOLDER for _, value in action.headers)
    return isinstance(action, PushAction) and PLACEHOLDER in action.url


def restored_actions(
    actions: Sequence[AlarmAction], before: Sequence[AlarmAction]
) -> tuple[AlarmAction, ...]:
    """Each PLACEHOLDER replaced by what stood there before. Raises InvalidInput when that cannot be known."""
    left = list(enumerate(before))
    restored: list[AlarmAction] = []
    for place, action in enumerate(actions):
        if not has_placeholder(action):
            restored.append(action)
            continue
        found = _origin(place, action, actions, left)
        if found is None:
            raise InvalidInput(
                f"$.actions[{place}]: {PLACEHOLDER} stands for a secret that is not known",
                "give the address with its credentials, or the header's value, again",
            )
        left.remove(found)
        restored.append(_restored(place, action, found[1]))
    return tuple(restored)


def _origin(
    place: int, action: AlarmAction, actions: Sequence[AlarmAction], left: list[tuple[int, AlarmAction]]
) -> tuple[int, AlarmAction] | None:
    """What the action was before: one that looks the same, else one of the same address."""
    same = [old for old in left if masked_action(old[1]) == action]
    if same:
        wanted = sum(1 for other in actions[place:] if other == action)
        if len({_secrets(old) for _, old in same}) > 1 and wanted != len(same):
            return None
        return same[0]
    near = [old for old in left if _is_same_address(action, old[1])]
    if len({_secrets(old) for _, old in near}) > 1:
        return next((old for old in near if old[0] == place), None)
    return near[0] if near else None


def _secrets(action: AlarmAction) -> bytes:
    return msgspec.json.encode(action)


def _is_same_address(action: AlarmAction, old: AlarmAction) -> bool:
    if isinstance(action, HttpAction) and isinstance(old, HttpAction):
        return _origin_of(action.url) == _origin_of(old.url)
    if isinstance(action, PushAction) and isinstance(old, PushAction):
        return action.url == masked_push_url(old.url)
    return False


def _origin_of(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return (parts.scheme.lower(), (parts.hostname or "").lower(), parts.port)
    except ValueError:
        return ("", url, None)


def _restored(place: int, action: AlarmAction, old: AlarmAction) -> AlarmAction:
    if isinstance(action, PushAction) and isinstance(old, PushAction):
        return msgspec.structs.replace(action, url=old.url)
    if not (isinstance(action, HttpAction) and isinstance(old, HttpAction)):
        return action
    url = action.url
    if PLACEHOLDER in url:
        if url != masked_url(old.url):
            raise InvalidInput(
                f"$.actions[{place}].url was changed and holds {PLACEHOLDER}",
                "give the address with its credentials again",
            )
        url = old.url
    values = {name.lower(): value for name, value in old.headers}
    headers: list[tuple[str, str]] = []
    for name, value in action.headers:
        if value == PLACEHOLDER:
            if name.lower() not in values:
                raise InvalidInput(
                    f"$.actions[{place}].headers: no value of {name} is known", "give the value"
                )
            value = values[name.lower()]
        headers.append((name, value))
    return msgspec.structs.replace(action, url=url, headers=tuple(headers))

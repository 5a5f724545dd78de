"""A camera got another name: rules that name it go on naming it. Pure."""

from __future__ import annotations

import msgspec

from engine.alarms.kinds import source_kind
from engine.wire_alarm_rules import (
    AlarmAction,
    BookmarkAction,
    LiveAction,
    OutputAction,
    PresetAction,
    RecordAction,
    Trigger,
)


def renamed_source(trigger: Trigger, old: str, new: str) -> Trigger:
    """Sources that are no cameras stay, even when one has that name."""
    if old not in trigger.sources or source_kind(trigger.kind) != "camera":
        return trigger
    return msgspec.structs.replace(trigger, sources=_renamed(trigger.sources, old, new))


def renamed_camera(action: AlarmAction, old: str, new: str) -> AlarmAction:
    if isinstance(action, RecordAction | BookmarkAction | LiveAction):
        return msgspec.structs.replace(action, cameras=_renamed(action.cameras, old, new))
    if isinstance(action, PresetAction | OutputAction) and action.camera == old:
        return msgspec.structs.replace(action, camera=new)
    return action


def _renamed(names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name == old else name for name in names)

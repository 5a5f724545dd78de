"""Alarm rules of the demo, made through the public API: what they answer to are real events of its cameras and its chassis."""

from __future__ import annotations

from engine.client import EngineClient
from engine.wire_alarm_rules import AlarmRuleAdd, BookmarkAction, LiveAction, SoundAction, Trigger
from engine.wire_sources import CameraAnalytics

MOTION_CAMERAS = ("gate", "car-park", "corridor")
"""Motion is looked for in their pictures; the others would only cost."""

_DRIVE_KINDS = (
    "drive.failed",
    "drive.missing",
    "drive.predicted_failure",
    "virtual_drive.degraded",
    "virtual_drive.failed",
    "fan.failed",
)

RULES = (
    AlarmRuleAdd(
        name="Camera lost",
        triggers=(Trigger(kind="camera.lost"), Trigger(kind="camera.refused")),
        actions=(LiveAction(), SoundAction(pattern=1)),
        instructions="Is it back by itself? Else look at power and cable, then call the electrician.",
        severity="warning",
        retrigger_s=60,
    ),
    AlarmRuleAdd(
        name="Motion at the gate",
        triggers=(Trigger(kind="detection.motion", sources=("gate",)),),
        actions=(LiveAction(), BookmarkAction()),
        instructions="Somebody we know? False alarm. Else call the gate, extension 12.",
        severity="warning",
        retrigger_s=45,
    ),
    AlarmRuleAdd(
        name="Drive trouble",
        triggers=tuple(Trigger(kind=kind) for kind in _DRIVE_KINDS),
        actions=(SoundAction(pattern=3),),
        instructions="Pull nothing. Read what the event says, then `watchdeck drive replace BAY`.",
        severity="critical",
        retrigger_s=0,
    ),
    AlarmRuleAdd(
        name="Help at the desk",
        triggers=(Trigger(kind="external.virtual", sources=("Help",)),),
        actions=(
            LiveAction(cameras=("reception",)),
            BookmarkAction(cameras=("reception",)),
            SoundAction(pattern=5),
        ),
        instructions="Somebody at the reception pressed the button: go there.",
        severity="critical",
    ),
)


async def furnish_alarms(client: EngineClient) -> None:
    """On a folder that was used before, what is there stays as it was edited."""
    known = {rule.name.casefold() for rule in await client.alarm_rules()}
    for rule in RULES:
        if rule.name.casefold() not in known:
            await client.add_alarm_rule(rule)
    if not known:
        for camera in MOTION_CAMERAS:
            await client.edit_analytics(camera, CameraAnalytics(motion=True))

"""What a rule must be before it is kept: known triggers, cameras that there are, actions that may follow. Pure.

Raises InvalidInput that names the place; names of cameras come back as the cameras are spelled. Manual rows AT-04, AA-02, VR-01.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from engine.alarms.actions.check import check_action
from engine.alarms.kinds import VIRTUAL, can_record, is_known, source_kind
from engine.recording.schedule import check_schedule
from engine.wire_alarm_rules import (
    AlarmAction,
    BookmarkAction,
    LiveAction,
    OutputAction,
    PresetAction,
    RecordAction,
    Trigger,
)
from engine.wire_schedule import ScheduleMessage
from storage.catalog.names import checked_name
from storage.catalog.records import Schedule, Severity
from storage.errors import InvalidInput

TRIGGER_LIMIT = 100
ACTION_LIMIT = 32
NAME_LIMIT = 256
"""Sources or cameras of one trigger or action."""
TEXT_LENGTH = 500
INSTRUCTIONS_LENGTH = 4_000


class Names:
    """What a rule may name, whatever the case."""

    def __init__(self, cameras: Iterable[str], templates: Iterable[str]) -> None:
        self._cameras = {name.casefold(): name for name in cameras}
        self._templates = {name.casefold(): name for name in templates}

    def camera(self, name: str, where: str) -> str:
        """As it is spelled. Raises InvalidInput."""
        return _found(self._cameras, name, where, "camera", "see `watchdeck camera list`")

    def template(self, name: str, where: str) -> str:
        """As it is spelled. Raises InvalidInput."""
        return _found(self._templates, name, where, "schedule", "see `watchdeck schedule list`")


def _found(known: Mapping[str, str], name: str, where: str, thing: str, remedy: str) -> str:
    found = known.get(name.strip().casefold())
    if found is None:
        raise InvalidInput(f"{where}: there is no {thing} {name!r}", remedy)
    return found


def checked_severity(severity: str) -> Severity:
    try:
        return Severity(severity)
    except ValueError:
        raise InvalidInput(f"$.severity: {severity!r} is none of {', '.join(Severity)}") from None


def checked_instructions(text: str) -> str:
    if len(text) > INSTRUCTIONS_LENGTH:
        raise InvalidInput(f"$.instructions is longer than {INSTRUCTIONS_LENGTH} characters", "shorten it")
    return text


def checked_week(message: ScheduleMessage, where: str = "$.schedule") -> ScheduleMessage:
    """Reads the zone's file: blocking, for a moment, the first time a zone is named."""
    try:
        check_schedule(Schedule(zone=message.zone, days=message.days))
    except InvalidInput as exc:
        raise InvalidInput(f"{where}: {exc.what}", exc.remedy) from None
    return message


# -- triggers --------------------------------------------------------------------------------------------


def checked_triggers(triggers: Sequence[Trigger], names: Names) -> tuple[Trigger, ...]:
    if not triggers:
        raise InvalidInput(
            "$.triggers is empty", "a rule needs at least one; see `watchdeck alarm rule kinds`"
        )
    if len(triggers) > TRIGGER_LIMIT:
        raise InvalidInput(f"$.triggers has more than {TRIGGER_LIMIT}", "make two rules of it")
    return tuple(
        _checked_trigger(trigger, names, f"$.triggers[{place}]") for place, trigger in enumerate(triggers)
    )


def _checked_trigger(trigger: Trigger, names: Names, where: str) -> Trigger:
    if not is_known(trigger.kind):
        raise InvalidInput(
            f"{where}.kind: nothing is triggered by {trigger.kind!r}", "see `watchdeck alarm rule kinds`"
        )
    if len(trigger.text) > TEXT_LENGTH:
        raise InvalidInput(f"{where}.text is longer than {TEXT_LENGTH} characters", "shorten it")
    if len(trigger.sources) > NAME_LIMIT:
        raise InvalidInput(f"{where}.sources has more than {NAME_LIMIT}", "leave it out: any")
    sources = trigger.sources
    if trigger.kind == VIRTUAL:
        if not sources:
            raise InvalidInput(f"{where}.sources: a virtual trigger needs the name of its button")
        sources = tuple(checked_name(source, "virtual trigger") for source in sources)
    elif source_kind(trigger.kind) == "camera":
        sources = tuple(names.camera(source, f"{where}.sources") for source in sources)
    return msgspec.structs.replace(trigger, sources=tuple(dict.fromkeys(sources)))


# -- actions ---------------------------------------------------------------------------------------------


def checked_actions(
    actions: Sequence[AlarmAction], triggers: Sequence[Trigger], names: Names
) -> tuple[AlarmAction, ...]:
    if len(actions) > ACTION_LIMIT:
        raise InvalidInput(f"$.actions has more than {ACTION_LIMIT}", "make two rules of it")
    has_camera = any(source_kind(trigger.kind) == "camera" for trigger in triggers)
    checked: list[AlarmAction] = []
    for place, action in enumerate(actions):
        where = f"$.actions[{place}]"
        if isinstance(action, RecordAction):
            _check_may_record(triggers, where)
        if isinstance(action, RecordAction | BookmarkAction | LiveAction):
            if not action.cameras and not has_camera:
                raise InvalidInput(
                    f"{where}.cameras is empty, and no trigger is about a camera", "name at least one camera"
                )
            action = _with_cameras(action, names, where)
        else:
            action = _checked_action(action, names, where)
        checked.append(action)
    return tuple(checked)


def _check_may_record(triggers: Sequence[Trigger], where: str) -> None:
    for trigger in triggers:
        if not can_record(trigger.kind):
            raise InvalidInput(
                f"{where}: `{trigger.kind}` cannot start a recording",
                "leave one of the two out: what stopped cannot record",
            )


def _with_cameras(
    action: RecordAction | BookmarkAction | LiveAction, names: Names, where: str
) -> AlarmAction:
    if len(action.cameras) > NAME_LIMIT:
        raise InvalidInput(f"{where}.cameras has more than {NAME_LIMIT}")
    cameras = tuple(dict.fromkeys(names.camera(name, f"{where}.cameras") for name in action.cameras))
    return msgspec.structs.replace(action, cameras=cameras)


def _checked_action(action: AlarmAction, names: Names, where: str) -> AlarmAction:
    try:
        check_action(action)
    except InvalidInput as exc:
        raise InvalidInput(exc.what.replace("$", where, 1), exc.remedy) from None
    if isinstance(action, PresetAction | OutputAction):
        return msgspec.structs.replace(action, camera=names.camera(action.camera, f"{where}.camera"))
    return action

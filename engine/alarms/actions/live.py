"""Live pictures of alarms (AA-04, rule 19): consoles show them by the alarm's own mark; the engine has nothing to do."""

from __future__ import annotations

from engine.alarms.actions.occasion import Occasion
from engine.wire_alarm_rules import LiveAction
from storage.errors import ActionFailed


async def perform_live(action: LiveAction, occasion: Occasion) -> str:
    """Raises ActionFailed when there is no camera to be shown."""
    if not occasion.cameras(action.cameras):
        raise ActionFailed("the event is about no camera", "name the cameras in the rule", is_final=True)
    return "in the alarm tab of the consoles"

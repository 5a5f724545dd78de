"""Recording because of an event (AA-02): footage from before to after it, of cameras that do not record anyway."""

from __future__ import annotations

from typing import Protocol

from engine.alarms.actions.occasion import Occasion
from engine.wire_alarm_rules import RecordAction
from storage.errors import ActionFailed, WatchdeckError
from storage.units import US_PER_SECOND


class Recording(Protocol):
    """engine.recording.recording.RecordingService."""

    def keep(self, camera_name: str, start_us: int, end_us: int) -> str:
        """Bring this stretch to disk, as far as the camera is not recorded anyway: what of it is in memory, and what comes
        until its end. A stretch that goes on is prolonged. Never waits; says in words what will come of it.
        Raises NotFound and Conflict.
        """
        ...


class ClipRecorder:
    """Asks the recording service; the footage comes by itself."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    async def perform(self, action: RecordAction, occasion: Occasion) -> str:
        """Raises ActionFailed when it does not work for all cameras; the others are recorded all the same."""
        names = occasion.cameras(action.cameras)
        if not names:
            raise ActionFailed("the event is about no camera", "name the cameras in the rule", is_final=True)
        start_us = occasion.at_us - action.pre_event_s * US_PER_SECOND
        end_us = max(occasion.at_us + action.post_event_s * US_PER_SECOND, start_us + US_PER_SECOND)
        answers: list[str] = []
        errors: list[str] = []
        for name in names:
            try:
                answers.append(f"{name}: {self._recording.keep(name, start_us, end_us)}")
            except WatchdeckError as error:
                errors.append(f"{name}: {error}")
        if errors:
            raise ActionFailed("; ".join((*errors, *answers)), is_final=True)
        return "; ".join(answers)

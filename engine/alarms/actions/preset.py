"""A PTZ camera goes to one of its presets (AA-05), through ONVIF."""

from __future__ import annotations

from typing import Protocol

from engine.alarms.actions.occasion import Occasion
from engine.wire_alarm_rules import PresetAction
from storage.errors import InvalidInput


class PresetCameras(Protocol):
    """engine.onvif.service.OnvifService."""

    async def go_to_preset(self, camera: str, preset: str) -> None:
        """By the camera's name and the preset's token or name. Raises WatchdeckError."""
        ...


def check_preset(action: PresetAction) -> None:
    """Raises InvalidInput."""
    if not action.camera:
        raise InvalidInput("$.camera is empty", "name a camera")
    if not action.preset:
        raise InvalidInput("$.preset is empty", "see what the camera offers")


class PresetCaller:
    def __init__(self, cameras: PresetCameras) -> None:
        self._cameras = cameras

    async def perform(self, action: PresetAction, occasion: Occasion) -> str:
        """Raises WatchdeckError."""
        check_preset(action)
        await self._cameras.go_to_preset(action.camera, action.preset)
        return f"{action.camera} goes to {action.preset}"

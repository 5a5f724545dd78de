"""Digital outputs of cameras (AA-03), through ONVIF: switched, and switched back after their time.

What is to be switched back is in the catalog, so that a restart or crash of the engine in between delays it and nothing more. An
output that is switched again meanwhile goes back when the last one's time is over. Loop only.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

import msgspec

from engine.alarms.actions.occasion import Occasion
from engine.catalog_access import CatalogAccess
from engine.deadline import Deadline
from engine.supervise import Sleep, attempt
from engine.wire_alarm_rules import OutputAction
from storage.clock import Clock
from storage.errors import ActionFailed, InvalidInput
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

SETTING = "outputs_to_switch_back"
PENDING_LIMIT = 1_000
"""Outputs switched at a time; one more is refused, for it could not be switched back."""
SWITCH_S = 10.0
RETRY_S = 15.0
RETRIES = 40
"""Some ten minutes: a camera that is gone longer comes back with its outputs at rest."""


class OutputCameras(Protocol):
    """engine.onvif.service.OnvifService."""

    async def set_output(self, camera: str, token: str, is_on: bool) -> None:
        """By the camera's name. Raises WatchdeckError."""
        ...


class SwitchBack(msgspec.Struct, frozen=True, kw_only=True):
    """One output that waits for its time."""

    camera: str
    output: str
    is_on: bool
    """The state it goes back to."""
    due_us: int
    """Wall time, for after a restart."""
    tries: int = 0


def check_output(action: OutputAction) -> None:
    """Raises InvalidInput."""
    if not action.camera:
        raise InvalidInput("$.camera is empty", "name a camera")
    if not action.output:
        raise InvalidInput("$.output is empty", "see what the camera offers")


class OutputSwitch:
    """Switches, and in `run` switches back."""

    def __init__(
        self, cameras: OutputCameras, catalog: CatalogAccess, clock: Clock, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._cameras = cameras
        self._catalog = catalog
        self._clock = clock
        self._sleep = sleep
        self._pending: dict[tuple[str, str], SwitchBack] = {}
        self._is_loaded = False
        self._changed = asyncio.Event()
        self._keeping = asyncio.Lock()

    async def perform(self, action: OutputAction, occasion: Occasion) -> str:
        """Raises WatchdeckError when it was not switched."""
        check_output(action)
        await self._load()
        key = action.camera, action.output
        if action.duration_s is not None:
            if key not in self._pending and len(self._pending) >= PENDING_LIMIT:
                raise ActionFailed(f"{PENDING_LIMIT} outputs wait to be switched back already")
            # Known before it is switched: whatever happens in between, it goes back.
            due_us = self._clock.now_us() + action.duration_s * US_PER_SECOND
            self._pending[key] = SwitchBack(
                camera=action.camera, output=action.output, is_on=not action.is_on, due_us=due_us
            )
            await self._keep()
        elif self._pending.pop(key, None) is not None:
            await self._keep()
        await self._cameras.set_output(action.camera, action.output, action.is_on)
        self._changed.set()
        state = "on" if action.is_on else "off"
        back = f", back in {action.duration_s} s" if action.duration_s is not None else ""
        return f"output {action.output} of {action.camera} is {state}{back}"

    async def run(self) -> None:
        """For ever: outputs whose time is over go back, those of before a restart at once."""
        await self._load()
        while True:
            self._changed.clear()
            now_us = self._clock.now_us()
            due = [each for each in self._pending.values() if each.due_us <= now_us]
            for each in due:
                await self._switch_back(each)
            if due:
                await self._keep()
                continue
            next_us = min((each.due_us for each in self._pending.values()), default=None)
            await self._until(next_us)

    async def _until(self, time_us: int | None) -> None:
        """Wake at that moment, or when something changed."""
        if time_us is None:
            await self._changed.wait()
            return
        async with asyncio.TaskGroup() as group:
            timer = group.create_task(self._ring(time_us), name="outputs timer")
            await self._changed.wait()
            timer.cancel()

    async def _ring(self, time_us: int) -> None:
        # A second at most: the clock may be set meanwhile.
        await self._sleep(min(1.0, max(0.0, (time_us - self._clock.now_us()) / US_PER_SECOND)))
        self._changed.set()

    async def _switch_back(self, each: SwitchBack) -> None:
        key = each.camera, each.output

        async def once() -> None:
            try:
                async with Deadline(SWITCH_S):
                    await self._cameras.set_output(each.camera, each.output, each.is_on)
            except TimeoutError as error:
                raise ActionFailed("the camera does not answer") from error

        error = await attempt("switching an output back", once)
        if self._pending.get(key) is not each:
            return  # switched again meanwhile: that one's time counts
        if error is None:
            del self._pending[key]
        elif each.tries >= RETRIES:
            log.error("output %s of camera %s is not switched back: %s", each.output, each.camera, error)
            del self._pending[key]
        else:
            due_us = self._clock.now_us() + round(RETRY_S * US_PER_SECOND)
            self._pending[key] = msgspec.structs.replace(each, due_us=due_us, tries=each.tries + 1)

    async def _load(self) -> None:
        async with self._keeping:
            if self._is_loaded:
                return
            kept: str | None = await self._catalog.read("station_setting", SETTING)
            if kept is not None:
                for each in msgspec.json.decode(kept, type=list[SwitchBack]):
                    self._pending.setdefault((each.camera, each.output), each)
            self._is_loaded = True

    async def _keep(self) -> None:
        async with self._keeping:
            kept = msgspec.json.encode(list(self._pending.values())).decode()
            await self._catalog.write("put_station_setting", SETTING, kept)

"""What a camera can be told to do: presets of a PTZ head, relay outputs; and which inputs it has. Asked when somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from engine.onvif.dialogue import DEVICE_IO_NS, MEDIA_NS, PTZ_NS, CameraDialogue, mapped
from engine.onvif.fault import SoapFault
from engine.wire_sources import CameraIo
from storage.errors import CameraProtocolError, CameraUnsupported, NotFound

T = TypeVar("T")

LISTED = 8
"""Names in an error's remedy."""


class CameraPorts:
    """One camera's presets, outputs and inputs. Met at the first question; asked one thing at a time. Loop only.

    Raises CameraError subclasses, and NotFound for a preset or output the camera does not have.
    """

    def __init__(self, dialogue: CameraDialogue) -> None:
        self._dialogue = dialogue
        self._turn = asyncio.Lock()
        self._has_met = False

    async def all(self) -> CameraIo:
        """What is not offered is empty; only a camera that cannot be asked at all is an error."""
        async with self._turn:
            return CameraIo(
                presets=await self._if_offered(self._presets),
                outputs=tuple(token for token, _ in await self._if_offered(self._outputs)),
                inputs=tuple(token for token, _ in await self._if_offered(self._inputs)),
            )

    async def go_to_preset(self, wanted: str) -> None:
        """By token or name."""
        async with self._turn:
            profile = await self._asked(self._profile, "presets")
            presets = await self._asked(lambda: self._presets_of(profile), "presets")
            token = _chosen(presets, wanted, "preset", self._dialogue.device.place)
            await self._asked(
                lambda: self._dialogue.call(
                    "ptz", "GotoPreset", self._ptz(), {"ProfileToken": profile, "PresetToken": token}
                ),
                f"to go to preset {wanted}",
            )

    async def set_output(self, wanted: str, is_on: bool) -> None:
        """By token."""
        async with self._turn:
            outputs = await self._asked(self._outputs, "outputs")
            token = _chosen(outputs, wanted, "output", self._dialogue.device.place)
            params = {"RelayOutputToken": token, "LogicalState": "active" if is_on else "inactive"}
            await self._asked(
                lambda: self._either("SetRelayOutputState", params), f"to switch output {wanted}"
            )

    # -- questions -----------------------------------------------------------------------------------------

    async def _if_offered(
        self, question: Callable[[], Awaitable[tuple[tuple[str, str], ...]]]
    ) -> tuple[tuple[str, str], ...]:
        try:
            return await self._asked(question, "inputs and outputs")
        except (CameraUnsupported, CameraProtocolError):
            if not self._has_met:
                raise
            return ()

    async def _asked(self, question: Callable[[], Awaitable[T]], asked: str) -> T:
        """A refused token may be of a time that the camera's clock has left: it is met once more."""
        if not self._has_met:
            await self._dialogue.meet()
            self._has_met = True
        try:
            return await question()
        except SoapFault as fault:
            if not fault.is_not_authorised:
                raise mapped(fault, self._dialogue.device.place, asked) from fault
        await self._dialogue.meet()
        try:
            return await question()
        except SoapFault as fault:
            raise mapped(fault, self._dialogue.device.place, asked) from fault

    def _ptz(self) -> Any:
        return self._dialogue.service(PTZ_NS, "PTZ")

    async def _profile(self) -> str:
        """The first media profile with a PTZ configuration."""
        self._ptz()
        url = self._dialogue.service(MEDIA_NS, "media profiles")
        for profile in await self._dialogue.call("media", "GetProfiles", url) or ():
            if getattr(profile, "PTZConfiguration", None) is not None:
                return str(profile.token)
        raise CameraUnsupported(
            f"{self._dialogue.device.place} has no media profile with PTZ", "make one in the camera"
        )

    async def _presets(self) -> tuple[tuple[str, str], ...]:
        return await self._presets_of(await self._profile())

    async def _presets_of(self, profile: str) -> tuple[tuple[str, str], ...]:
        found = await self._dialogue.call("ptz", "GetPresets", self._ptz(), {"ProfileToken": profile})
        return tuple(
            (str(preset.token), str(preset.Name or preset.token))
            for preset in found or ()
            if getattr(preset, "token", None)
        )

    async def _outputs(self) -> tuple[tuple[str, str], ...]:
        return _tokens(await self._either("GetRelayOutputs", {}))

    async def _inputs(self) -> tuple[tuple[str, str], ...]:
        url = self._dialogue.service(DEVICE_IO_NS, "digital inputs")
        return _tokens(await self._dialogue.call("deviceio", "GetDigitalInputs", url))

    async def _either(self, operation: str, params: dict[str, str]) -> Any:
        """Of the device service, where every camera with relays has it, else of the DeviceIO service."""
        try:
            return await self._dialogue.call("devicemgmt", operation, self._dialogue.device, params)
        except SoapFault as fault:
            if not fault.is_not_offered:
                raise
        url = self._dialogue.service(DEVICE_IO_NS, "outputs")
        return await self._dialogue.call("deviceio", operation, url, params)


def _tokens(found: Any) -> tuple[tuple[str, str], ...]:
    items = found if isinstance(found, list | tuple) else [found] if found is not None else []
    return tuple((str(item.token), str(item.token)) for item in items if getattr(item, "token", None))


def _chosen(offered: tuple[tuple[str, str], ...], wanted: str, what: str, place: str) -> str:
    """The token of the one meant: by token, else by name as written, else by name in any case. Raises NotFound."""
    for matches in (
        [token for token, _ in offered if token == wanted],
        [token for token, name in offered if name == wanted],
        [token for token, name in offered if name.lower() == wanted.lower()],
    ):
        if matches:
            return matches[0]
    names = ", ".join(name for _, name in offered[:LISTED])
    raise NotFound(
        f"{place} has no {what} {wanted}", f"it has {names}" if names else f"it has no {what} at all"
    )

"""Values as they are typed: times, sizes, names of cameras; and where shell completion finds them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo

import click
from click.shell_completion import CompletionItem

from engine.client import EngineClient, InvalidInput, WatchdeckError
from tui.when import HINT, length_us, parse_when

COMPLETION_TIMEOUT_MS = 1_500
_AHEAD = re.compile(r"\+\s*((?:\d+(?:\.\d+)?\s*(?:s|min|m|h|d|w)\s*)+)", re.IGNORECASE)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?", re.IGNORECASE)
_ANY_DAY_US = 1_767_225_600_000_000


@dataclass(frozen=True, slots=True)
class When:
    """A time that was typed; what it means is known once the engine's clock is."""

    text: str

    def time_us(self, now_us: int, zone: tzinfo) -> int:
        if ahead := _AHEAD.fullmatch(self.text.strip()):
            return now_us + length_us(ahead[1].lower())
        found = parse_when(self.text, now_us, now_us, zone)
        if found is None or found <= 0:
            raise InvalidInput(f"no time: {self.text!r}", f"for example {HINT}")
        return found


class WhenType(click.ParamType[When]):
    """ISO 8601 (with a zone, or local), `-15m`, `-2h30m`, `+7d`, `14:30`, `now`."""

    name = "time"

    def convert(self, value: str | When, param: click.Parameter | None, ctx: click.Context | None) -> When:
        from datetime import UTC

        if isinstance(value, When):
            return value
        try:
            When(value).time_us(_ANY_DAY_US * 2, UTC)
        except InvalidInput as error:
            self.fail(f"{value!r} is no time; for example {HINT}", param, ctx)
            raise AssertionError from error
        return When(value)


class SizeType(click.ParamType[int]):
    """Bytes: `500G`, `2TB` (decimal, as on a drive's label), `50GiB`, `0`."""

    name = "size"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            self.fail(f"{value!r} is no size; for example 500G, 2TB or 50GiB", param, ctx)
        number, unit, binary = match.groups()
        step = 1024 if binary else 1000
        power = "kmgtp".index(unit.lower()) + 1 if unit else 0
        return round(float(number) * float(step**power))


class LimitType(click.ParamType[int]):
    """A value of another type, or `none` for no limit (-1 in the API); or another word for another number."""

    def __init__(self, inner: click.ParamType[int], *, none: str = "none", stands_for: int = -1) -> None:
        self.inner = inner
        self.name = inner.name
        self._none = none
        self._stands_for = stands_for

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == self._none:
            return self._stands_for
        return self.inner.convert(value, param, ctx)


WHEN = WhenType()
SIZE = SizeType()

_Names = Callable[[EngineClient], Awaitable[list[str]]]


async def _camera_names(engine: EngineClient) -> list[str]:
    return [camera.name for camera in await engine.cameras()]


async def _volume_names(engine: EngineClient) -> list[str]:
    return [volume.name for volume in await engine.volumes()]


async def _group_names(engine: EngineClient) -> list[str]:
    return [group.name for group in await engine.groups()]


async def _rule_names(engine: EngineClient) -> list[str]:
    return [rule.name for rule in await engine.alarm_rules()]


async def _schedule_names(engine: EngineClient) -> list[str]:
    return [template.name for template in await engine.schedules()]


async def _button_names(engine: EngineClient) -> list[str]:
    return [button.name for button in await engine.virtual_triggers()]


class Ref(click.ParamType[str]):
    """Name, UUID or number of a thing of the engine; the shell completes names."""

    def __init__(self, name: str, names: _Names) -> None:
        self.name = name
        self._names = names

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        socket = ctx.find_root().params.get("socket")

        async def names() -> list[str]:
            async with EngineClient(socket, call_timeout_ms=COMPLETION_TIMEOUT_MS) as engine:
                return await self._names(engine)

        try:
            found = asyncio.run(names())
        except WatchdeckError:
            return []
        return [CompletionItem(name) for name in found if name.casefold().startswith(incomplete.casefold())]


CAMERA = Ref("camera", _camera_names)
VOLUME = Ref("volume", _volume_names)
GROUP = Ref("group", _group_names)
RULE = Ref("rule", _rule_names)
SCHEDULE = Ref("schedule", _schedule_names)
BUTTON = Ref("button", _button_names)


async def now_us(engine: EngineClient) -> int:
    """The engine's clock: recordings are found by it, wherever this command runs."""
    return (await engine.status()).now_us


async def stretch(engine: EngineClient, start: When, end: When, zone: tzinfo) -> tuple[int, int]:
    """[start, end) as typed. Raises InvalidInput when nothing lies between."""
    now = await now_us(engine)
    start_us, end_us = start.time_us(now, zone), end.time_us(now, zone)
    if start_us >= end_us:
        raise InvalidInput(f"--from {start.text} is not before --to {end.text}", "give an earlier --from")
    return start_us, end_us

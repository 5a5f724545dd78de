"""Lengths of time as they are typed: `30s`, `5m`, `2h30m`; a bare number is seconds."""

from __future__ import annotations

import re

import click

from engine.wire_alarm_rules import EVENT_SECONDS_MAX
from tui.when import length_us

US_PER_SECOND = 1_000_000
_LENGTH = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:s|min|m|h|d|w)\s*)+", re.IGNORECASE)


class SecondsType(click.ParamType[int]):
    """Whole seconds from `least` to `most`."""

    name = "length"

    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = value.strip()
        if text.isdecimal():
            seconds = int(text)
        elif _LENGTH.fullmatch(text):
            seconds = round(length_us(text.lower()) / US_PER_SECOND)
        else:
            self.fail(f"{value!r} is no length of time; for example 30s or 5m", param, ctx)
        if not self._least <= seconds <= self._most:
            self.fail(f"{value!r} is not from {self._least} s to {self._most} s", param, ctx)
        return seconds


AROUND_EVENT = SecondsType(0, EVENT_SECONDS_MAX)
"""Before or after an event."""

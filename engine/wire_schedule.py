"""A weekly schedule as it crosses the API: of recording and of alarms alike."""

from __future__ import annotations

from engine.wire_message import Request


class ScheduleMessage(Request, frozen=True, kw_only=True):
    """Weekly half-hour cells: seven strings of 48 `x` or `.`, Monday first, in an IANA zone."""

    zone: str
    days: tuple[str, ...]

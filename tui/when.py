"""Times as an operator types them: `-15m`, `14:30`, `2026-03-01 14:30`, `now`. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)\s*")
_AGO = re.compile(rf"-\s*((?:{_LENGTH.pattern})+)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")

HINT = "-15m, 14:30, yesterday 14:30, 2026-03-01 14:30"


def local_us(day: date, clock: time, zone: tzinfo) -> int:
    """Microseconds UTC of a local wall time; of an hour that comes twice the first one."""
    delta = datetime.combine(day, clock, zone).astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def floor_to_hour_us(time_us: int, zone: tzinfo) -> int:
    """The start of the local hour; a full hour is its own start."""
    local = (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone)
    return time_us - ((local.minute * 60 + local.second) * 1_000_000 + local.microsecond)


def length_us(text: str) -> int:
    """Of numbers with units: `2h30m`."""
    return sum(round(float(number) * _UNITS_S[unit] * 1_000_000) for number, unit in _LENGTH.findall(text))


def typed_length_us(text: str) -> int | None:
    """A length as it is typed: `10s`, `1m30s`, a bare number is seconds; None = not one, or 0."""
    text = text.strip().lower()
    try:
        seconds = float(text)
    except ValueError:
        is_length = re.fullmatch(rf"(?:{_LENGTH.pattern})+", text) is not None
        return length_us(text) or None if is_length else None
    return round(seconds * 1_000_000) or None if 0 < seconds < 1e9 else None


def parse_when(text: str, now_us: int, shown_us: int, zone: tzinfo) -> int | None:
    """The time meant, or None. A bare clock time is on the day shown; `-15m` is before now."""
    text = text.strip().lower()
    if text == "now":
        return now_us
    if match := _AGO.fullmatch(text):
        return now_us - length_us(match[1])
    day = (_EPOCH + timedelta(microseconds=shown_us)).astimezone(zone).date()
    today = (_EPOCH + timedelta(microseconds=now_us)).astimezone(zone).date()
    for word, named in (("yesterday", today - timedelta(days=1)), ("today", today)):
        if text.startswith(word):
            text, day = text.removeprefix(word).strip() or "0:00", named
    if match := _CLOCK.fullmatch(text):
        return _on_day(day, match, zone)
    return _iso_us(text, zone)


def _on_day(day: date, match: re.Match[str], zone: tzinfo) -> int | None:
    try:
        return local_us(day, time(int(match[1]), int(match[2]), int(match[3] or 0)), zone)
    except ValueError:
        return None


def _iso_us(text: str, zone: tzinfo) -> int | None:
    try:
        parsed = datetime.fromisoformat(text.upper())
        aware = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=zone)
        delta = aware.astimezone(UTC) - _EPOCH
    except (ValueError, OverflowError):
        return None
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds

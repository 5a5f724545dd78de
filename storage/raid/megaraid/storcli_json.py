"""What storcli64 answers with `J`, as values. It says numbers as integers, padded text, "N/A", "-" or "Unknown", and fails one
controller while others succeed; every such habit is met here, once.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from storage.errors import CommandFailed
from storage.plain_text import LARGEST, plain_number, plain_text

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|TB|PB)", re.IGNORECASE)
_UNITS = {"b": 0, "kb": 1, "mb": 2, "gb": 3, "tb": 4, "pb": 5}
_SECTORS = re.compile(r"\[(0x[0-9a-f]+)\s+Sectors\]", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+")
_TEMPERATURE = re.compile(r"(-?\d+)\s*C\b")
_LEFT = re.compile(r"(\d+)\s*(Day|Hour|Minute|Second)", re.IGNORECASE)
_SECONDS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_NOTHING = frozenset({"", "-", "n/a", "na", "unknown", "none"})


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One controller's part of an answer."""

    controller: int | None
    is_success: bool
    description: str
    complaints: tuple[str, ...] = ()
    """`Detailed Status` of what failed: `/c0/e252/s7: Operation not allowed. (255)`."""
    data: Any = None
    """`Response Data`: an object, or a list of rows."""

    @property
    def fields(self) -> dict[str, Any]:
        return self.data if isinstance(self.data, dict) else {}

    @property
    def rows(self) -> list[dict[str, Any]]:
        return as_rows(self.data)

    def checked(self) -> Answer:
        """Itself. Raises CommandFailed with the controller's words."""
        if not self.is_success:
            raise CommandFailed(
                f"controller {'' if self.controller is None else self.controller}: "
                f"{'; '.join(self.complaints) or self.description}".replace("  ", " "),
                "the controller's own log may say more: storcli64 /call show events",
            )
        return self


def parse_answers(output: bytes) -> tuple[Answer, ...]:
    """All controllers' answers. Raises CommandFailed for what is not storcli's JSON (old builds answer in text)."""
    try:
        document = msgspec.json.decode(output)
        controllers = document["Controllers"]
        return tuple(_answer(part) for part in controllers)
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        said = output[:80].decode("utf-8", "replace").strip().replace("\n", " ")
        raise CommandFailed(
            f"storcli64 did not answer in the JSON that is known: {said!r}",
            "install storcli 007.x for this controller",
        ) from error


def _answer(part: dict[str, Any]) -> Answer:
    status = part["Command Status"]
    number = status.get("Controller")
    return Answer(
        controller=number if isinstance(number, int) else whole(number),
        is_success=str(status.get("Status", "")).strip().casefold() == "success",
        description=plain_text(str(status.get("Description", "")).strip()),
        complaints=tuple(
            f"{row.get('Drive') or row.get('VD') or row.get('Ctrl') or '?'}: "
            f"{plain_text(str(row.get('ErrMsg', '')).strip())} ({row.get('ErrCd', '?')})"
            for row in as_rows(status.get("Detailed Status"))
            if str(row.get("Status", "")).casefold() not in ("success", "")
        ),
        data=part.get("Response Data"),
    )


def as_rows(value: Any) -> list[dict[str, Any]]:
    """A table; one row alone comes as an object in some builds."""
    if isinstance(value, dict):
        return [value]
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Without padding; empty for what says nothing."""
    found = "" if value is None else plain_text(str(value).strip())
    return "" if found.casefold() in _NOTHING else found


def whole(value: Any) -> int | None:
    """The leading integer of a number or of padded text; None for what says nothing."""
    if isinstance(value, bool):
        return None
    match = _NUMBER.match(text(value))
    return plain_number(match[0]) if match else None


def size_bytes(value: Any) -> int:
    """`2.728 TB` (binary units in spite of their names), or exact where sectors are given; 0 for what says nothing."""
    said = text(value)
    if sectors := _SECTORS.search(said):
        exact = int(sectors[1], 16) * 512
        return exact if exact <= LARGEST else 0
    match = _SIZE.search(said)
    size = float(match[1]) * float(1024 ** _UNITS[match[2].casefold()]) if match else 0.0
    return int(size) if size <= LARGEST else 0


def temperature_c(value: Any) -> int | None:
    """Of ` 28C (82.40 F)`; None for N/A and for 0 C, which means "no sensor"."""
    match = _TEMPERATURE.search(text(value))
    return (plain_number(match[1]) or None) if match else None


def seconds_left(value: Any) -> int | None:
    """Of `1 Hours 5 Minutes`."""
    parts = _LEFT.findall(text(value))
    seconds = sum(int(number) * _SECONDS[unit.casefold()] for number, unit in parts)
    return seconds if parts and seconds <= LARGEST else None


def yes(value: Any) -> bool:
    return text(value).casefold() in ("yes", "on", "y", "enabled", "active")


def section(fields: dict[str, Any], start: str) -> Any:
    """The value whose key begins so: keys carry addresses (`Drive /c0/e252/s0 - Detailed Information`)."""
    return next((value for key, value in fields.items() if key.startswith(start)), None)

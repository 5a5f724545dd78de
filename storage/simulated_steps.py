"""The lines of a scenario: what can be done to a simulated chassis, as words and as values. Parsing only.

wait 5                    let so many seconds pass
say TEXT                  a remark for whoever watches
pull 3                    take the drive out of bay 3
insert 3                  the drive that was pulled from bay 3 goes back
insert 3 blank [SIZE]     a new drive, for example of 8TB
insert 3 foreign          a drive of another box
fail 2                    the drive in bay 2 stops working
heal 2                    and works again
errors 1 24               24 more sectors of the drive in bay 1 cannot be read
mismatches A 8            the next check of virtual drive A finds 8 sectors that do not match
fan 3 fail|ok             fans 1 to 6
psu 1 fail|ok             power supplies 1 and 2
temperature cpu 92        cpu, board, inlet, exhaust, or the drive in a bay; `ok` = as it was
intrusion on|off          the lid
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from storage.errors import InvalidInput

FANS: Final = range(1, 7)
POWER_SUPPLIES: Final = range(1, 3)
PLACES: Final = ("cpu", "board", "inlet", "exhaust")
BAYS: Final = range(16)
_UNITS: Final = {"": 1, "GB": 10**9, "TB": 10**12}
_SIZE: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(GB|TB)", re.IGNORECASE)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line, understood."""

    verb: str
    bay: int = -1
    """Or the number of a fan or a power supply."""
    what: str = ""
    """blank, foreign, fail, ok, on, off, a place, a virtual drive, a text."""
    amount: float | None = None
    """Seconds, sectors, degrees, or bytes of a blank drive."""


def parse_step(line: str) -> Step:
    """Raises InvalidInput that says what was expected."""
    words = line.split()
    if not words:
        raise InvalidInput("an empty step", "write one, for example `pull 3`")
    verb, rest = words[0].lower(), words[1:]
    match verb:
        case "say":
            return Step(verb=verb, what=" ".join(rest))
        case "wait":
            _count(line, rest, 1)
            return Step(verb=verb, amount=_number(line, rest[0], 0, 86400))
        case "pull" | "fail" | "heal":
            _count(line, rest, 1)
            return Step(verb=verb, bay=_index(line, rest[0], BAYS, "bay"))
        case "insert":
            return _insert(line, rest)
        case "errors":
            _count(line, rest, 2)
            sectors = _number(line, rest[1], 1, 1_000_000)
            return Step(verb=verb, bay=_index(line, rest[0], BAYS, "bay"), amount=sectors)
        case "mismatches":
            _count(line, rest, 2)
            return Step(verb=verb, what=rest[0], amount=_number(line, rest[1], 0, 1_000_000))
        case "fan" | "psu":
            _count(line, rest, 2)
            which = FANS if verb == "fan" else POWER_SUPPLIES
            return Step(
                verb=verb, bay=_index(line, rest[0], which, verb), what=_one_of(line, rest[1], ("fail", "ok"))
            )
        case "temperature":
            return _temperature(line, rest)
        case "intrusion":
            _count(line, rest, 1)
            return Step(verb=verb, what=_one_of(line, rest[0], ("on", "off")))
        case _:
            raise InvalidInput(
                f"`{verb}` is no step",
                "steps are wait, say, pull, insert, fail, heal, errors, mismatches, fan, psu, temperature, intrusion",
            )


def _insert(line: str, rest: list[str]) -> Step:
    _count(line, rest, 1, 3)
    bay = _index(line, rest[0], BAYS, "bay")
    what = _one_of(line, rest[1], ("blank", "foreign")) if len(rest) > 1 else ""
    if len(rest) < 3:
        return Step(verb="insert", bay=bay, what=what)
    size = _SIZE.fullmatch(rest[2])
    if size is None or what != "blank":
        raise InvalidInput(f"`{line}`: {rest[2]} is no size of a blank drive", "write it as 8TB or 500GB")
    return Step(verb="insert", bay=bay, what=what, amount=float(size[1]) * _UNITS[size[2].upper()])


def _temperature(line: str, rest: list[str]) -> Step:
    _count(line, rest, 2)
    amount = None if rest[1].lower() == "ok" else _number(line, rest[1], -20, 150)
    if rest[0].isdecimal():
        return Step(verb="temperature", bay=_index(line, rest[0], BAYS, "bay"), amount=amount)
    return Step(verb="temperature", what=_one_of(line, rest[0], PLACES), amount=amount)


def _count(line: str, rest: list[str], least: int, most: int = 0) -> None:
    if not least <= len(rest) <= max(least, most):
        raise InvalidInput(f"`{line}` has {len(rest)} words after the first", "look at the list of steps")


def _index(line: str, word: str, allowed: range, name: str) -> int:
    if not word.isdecimal() or int(word) not in allowed:
        raise InvalidInput(f"`{line}`: there is no {name} {word}", f"use {allowed[0]} to {allowed[-1]}")
    return int(word)


def _number(line: str, word: str, least: float, most: float) -> float:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise InvalidInput(f"`{line}`: {word} is no number from {least:g} to {most:g}", "write one")
    return value


def _one_of(line: str, word: str, allowed: tuple[str, ...]) -> str:
    if word.lower() not in allowed:
        raise InvalidInput(f"`{line}`: {word} is not understood", f"use {' or '.join(allowed)}")
    return word.lower()

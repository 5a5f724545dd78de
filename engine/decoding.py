"""Where in a document a wrong value stands: msgspec's validation errors as a key path and a reason; and numbers beyond all bounds.

Used for station.toml and for the bodies and query parameters of API calls, so that both name `$.recording.segmnt_s`
in the same way.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from storage.errors import InvalidInput

_AT = re.compile(r"^(?P<reason>.*?) - at `(?P<path>\$.*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>.*)`$", re.DOTALL)
_LENGTH = re.compile(r"^Expected `(?P<kind>\w+)` of length (?P<bound>[<>]=) (?P<length>\d+)$")


def path_and_reason(error: msgspec.ValidationError) -> tuple[str, str]:
    """`$.recording.segmnt_s` and "unknown key" for the error that means it."""
    text, path = str(error), "$"
    if placed := _AT.match(text):
        text, path = placed["reason"], placed["path"]
    if unknown := _UNKNOWN.match(text):
        return f"{path}.{unknown['field']}", "unknown key"
    if missing := _MISSING.match(text):
        return f"{path}.{missing['field']}", "is missing"
    if length := _LENGTH.match(text):
        return path, _length_in_words(length["kind"], length["bound"], int(length["length"]))
    return path, text[:1].lower() + text[1:]


def _length_in_words(kind: str, bound: str, length: int) -> str:
    """For people who typed it: "is empty", "is longer than 128 characters"."""
    if bound == ">=" and length == 1:
        return "is empty"
    if kind == "str":
        return f"is {'shorter' if bound == '>=' else 'longer'} than {length} characters"
    return f"has {'fewer' if bound == '>=' else 'more'} than {length} items"


TIME_LIMIT_US = 253_402_300_800_000_000
"""The year 10000: no calendar goes further."""
_TIME_FLOOR_US = -62_135_596_800_000_000
"""The year 1."""
_NUMBER_LIMIT = 1 << 63


def check_numbers(message: object, path: str = "$", name: str = "") -> None:
    """Every number a caller gave is one that the catalog, a pipe and a calendar can hold. Raises InvalidInput.

    JSON's numbers have no end; msgspec's `ge` and `le` know 64 bits at the most. Fields named `_us` are moments or lengths of time.
    """
    if isinstance(message, msgspec.Struct):
        defaults = _defaults(type(message))
        for field in message.__struct_fields__:
            value = getattr(message, field)
            # What was not given is ours: "without end" is a number, too.
            if value is not defaults.get(field, msgspec.NODEFAULT):
                check_numbers(value, f"{path}.{field}", field)
    elif isinstance(message, tuple | list):
        for index, value in enumerate(message):
            check_numbers(value, f"{path}[{index}]", name)
    elif isinstance(message, dict):
        for key, value in message.items():
            check_numbers(value, f"{path}.{key}", name)
    elif isinstance(message, int) and not isinstance(message, bool):
        if name.endswith("_us") and not _TIME_FLOOR_US <= message < TIME_LIMIT_US:
            raise InvalidInput(
                f"{path}: {_short(message)} is no moment that a calendar knows",
                "give microseconds since 1970 (UTC), before the year 10000",
            )
        if not -_NUMBER_LIMIT <= message < _NUMBER_LIMIT:
            raise InvalidInput(f"{path}: {_short(message)} does not fit 64 bits", "give a smaller number")


@cache
def _defaults(kind: type[msgspec.Struct]) -> dict[str, object]:
    return {field.name: field.default for field in msgspec.structs.fields(kind)}


def _short(number: int) -> str:
    """Of some hundred digits the first; `str` refuses thousands."""
    return str(number) if abs(number) < 1 << 80 else f"a number of {number.bit_length()} bits"

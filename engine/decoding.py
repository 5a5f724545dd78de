"""Where in a document a wrong value stands: msgspec's validation errors as a key path and a reason.

Used for station.toml and for the bodies and query parameters of API calls, so that both name `$.recording.segmnt_s`
in the same way.
"""

from __future__ import annotations

import re

import msgspec

_AT = re.compile(r"^(?P<reason>.*?) - at `(?P<path>\$.*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>.*)`$", re.DOTALL)


def path_and_reason(error: msgspec.ValidationError) -> tuple[str, str]:
    """`$.recording.segmnt_s` and "unknown key" for the error that means it."""
    text, path = str(error), "$"
    if placed := _AT.match(text):
        text, path = placed["reason"], placed["path"]
    if unknown := _UNKNOWN.match(text):
        return f"{path}.{unknown['field']}", "unknown key"
    if missing := _MISSING.match(text):
        return f"{path}.{missing['field']}", "is missing"
    return path, text[:1].lower() + text[1:]

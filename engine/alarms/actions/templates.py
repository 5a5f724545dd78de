"""Texts of actions with places for what the alarm is about: `{source}`, `{text:json}`, `{alarm:url}`; `{{` and `}}` are braces.

Parsed once, when a rule is saved or its actions are run, never by str.format: what comes from outside is only ever inserted,
it never decides what is inserted. Pure. Table of the names: docs/alarms.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from storage.errors import InvalidInput

NAMES = frozenset(
    {"alarm", "kind", "source", "text", "time", "time_us", "severity", "count", "station", "id"}
)
VALUE_LIMIT = 4_000
"""Characters of one inserted value: texts come from outside, and every rule may repeat them."""
TEMPLATE_LIMIT = 20_000

Value = str | int

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def _plain(value: Value) -> str:
    return str(value)


def _json(value: Value) -> str:
    """A whole JSON value, quotes and all; only ASCII, so that nothing in it can be mistaken."""
    return json.dumps(value)


def _url(value: Value) -> str:
    """Percent-encoded, `/` and `&` too: fit for one segment of a path or one value of a query."""
    return quote(str(value), safe="", errors="replace")


_FILTERS: Mapping[str, Callable[[Value], str]] = {"": _plain, "json": _json, "url": _url}


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text: literals, and (name, filter) pairs in between."""

    pieces: tuple[str | tuple[str, str], ...]

    def render(self, values: Mapping[str, Value], *, plain: str = "") -> str:
        """The text. `plain`: the filter of places that name none (`url` inside of addresses)."""
        return "".join(
            piece if isinstance(piece, str) else _FILTERS[piece[1] or plain](_bounded(values[piece[0]]))
            for piece in self.pieces
        )

    @property
    def has_places(self) -> bool:
        return any(not isinstance(piece, str) for piece in self.pieces)


def _bounded(value: Value) -> Value:
    return value[:VALUE_LIMIT] if isinstance(value, str) else value


def parse(text: str) -> Template:
    """Raises InvalidInput, naming what is wrong, on unknown names and filters and on braces that stand alone."""
    if len(text) > TEMPLATE_LIMIT:
        raise InvalidInput(f"a text is longer than {TEMPLATE_LIMIT} characters", "shorten it")
    pieces: list[str | tuple[str, str]] = []
    end = 0
    for match in _TOKEN.finditer(text):
        pieces.append(text[end : match.start()])
        end = match.end()
        token = match[0]
        if token in ("{{", "}}"):
            pieces.append(token[0])
        elif match[1] is None:
            raise InvalidInput(f"a `{token}` stands alone in a text", f"write `{token * 2}` for a brace")
        else:
            pieces.append(_place(match[1]))
    pieces.append(text[end:])
    return Template(tuple(piece for piece in pieces if piece))


def check(text: str, where: str) -> None:
    """Raises InvalidInput that names the field: `$.subject`."""
    try:
        parse(text)
    except InvalidInput as exc:
        raise InvalidInput(f"{where}: {exc.what}", exc.remedy) from None


def _place(said: str) -> tuple[str, str]:
    name, colon, filter = said.partition(":")
    if name not in NAMES:
        known = ", ".join(sorted(NAMES))
        raise InvalidInput(
            f"`{{{said[:40]}}}` is nothing a text can hold", f"known are {known}; write `{{{{` for a brace"
        )
    if colon and (not filter or filter not in _FILTERS):
        raise InvalidInput(f"`{{{said[:40]}}}`: no form `{filter[:20]}`", "write `:json`, `:url`, or nothing")
    return name, filter

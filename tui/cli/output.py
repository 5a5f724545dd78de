"""What is printed: JSON for scripts, aligned columns for people. Nothing else of the command line writes to stdout.

JSON has the fields of the API's values; times are ISO 8601 strings in UTC, and lose the `_us` of their names.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from engine.client import WatchdeckError
from widgets.format import fit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GAP = "  "


def iso_time(time_us: int) -> str:
    """`2026-03-01T14:30:00.250000Z`."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def as_document(value: Any) -> Any:
    """A wire value as plain JSON types with readable times."""
    return _with_times(msgspec.to_builtins(value))


def _with_times(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(_field(key, item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return [_with_times(item) for item in value]
    return value


def _field(key: str, value: Any) -> tuple[str, Any]:
    if not key.endswith("_us"):
        return key, _with_times(value)
    # 0 is the API's "not yet" where a field has no null
    return key.removesuffix("_us"), iso_time(value) if value else None


def print_json(document: Any) -> None:
    """One document, one line; at once, because a reader may follow."""
    click.echo(msgspec.json.encode(as_document(document)).decode())


def print_line(text: str = "") -> None:
    click.echo(plain(text))


def plain(text: str) -> str:
    """Without what a camera's or an event's text could do to a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> None:
    """Aligned columns. On a terminal the widest columns give way until a row fits; in a pipe nothing is cut."""
    table = [[plain(cell) or "-" for cell in row] for row in rows]
    widths = [
        max([cell_width(head), *(cell_width(row[column]) for row in table)])
        for column, head in enumerate(heads)
    ]
    if sys.stdout.isatty():
        _shrink(widths, shutil.get_terminal_size().columns - len(_GAP) * (len(heads) - 1))
    is_right = [head in set(right) for head in heads]
    for row in [list(heads), *table]:
        cells = [
            fit(cell, width, is_right=right_hand)
            for cell, width, right_hand in zip(row, widths, is_right, strict=True)
        ]
        click.echo(_GAP.join(cells).rstrip())


def cell_width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _shrink(widths: list[int], room: int) -> None:
    while sum(widths) > room and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """`name   value` lines; fields without a value are left out."""
    shown = [(name, plain(value)) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name:<{width}}  {value}")


def print_error(error: WatchdeckError, *, is_json: bool) -> None:
    """On stderr: what and remedy, or a JSON object with the stable code."""
    if is_json:
        body = {"code": error.code, "what": error.what, "remedy": error.remedy}
        click.echo(msgspec.json.encode(body).decode(), err=True)
        return
    click.echo(f"watchdeck: {plain(error.what)}", err=True)
    if error.remedy:
        click.echo(f"  {plain(error.remedy)}", err=True)


def silence_stdout() -> None:
    """After the reader of a pipe has gone: nothing more to say, not even at exit."""
    with open(os.devnull, "wb") as null:
        os.dup2(null.fileno(), sys.stdout.fileno())

"""A line on stderr that says how far something is; silent where nobody looks."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import click


class ProgressLine:
    """Use as a context manager: at its end the line is gone."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_shown = sys.stderr.isatty() and not is_quiet
        self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_shown and self._text:
            click.echo(f"\r{'':{len(self._text)}}\r", nl=False, err=True)

    def say(self, share: float, words: str) -> None:
        """`share` from 0 to 1."""
        text = f"{share * 100:3.0f} %  {words}"
        if self._is_shown and text != self._text:
            click.echo(f"\r{text:<{len(self._text)}}", nl=False, err=True)
            self._text = text

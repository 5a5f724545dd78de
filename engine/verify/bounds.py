"""Reports on many files are kept until all are made: together they stay within bounds, whoever made the files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from storage.evidence.findings import FileReport

STRETCHES = 50_000
"""Of all files that are told apart; every file is counted, and its first altered part named, all the same."""
WORDS = 4 * 1024 * 1024
"""Characters of notes, and as many of troubles, of all files."""


def bounded(reports: Iterable[FileReport]) -> Iterator[FileReport]:
    """The same reports; where the bounds are reached without what is behind them, which is said."""
    stretches_left, notes_left, troubles_left = STRETCHES, WORDS, WORDS
    for report in reports:
        notes, notes_left = _as_far_as(report.notes, notes_left)
        troubles, troubles_left = _as_far_as(report.troubles, troubles_left)
        stretches = report.stretches[:stretches_left]
        stretches_left -= len(stretches)
        yield msgspec.structs.replace(report, notes=notes, troubles=troubles, stretches=stretches)


def _as_far_as(words: tuple[str, ...], left: int) -> tuple[tuple[str, ...], int]:
    """At least one word of what there is: a file with trouble stays one."""
    shown: list[str] = []
    for each in words:
        if len(each) > left:
            shown.append(f"{len(words) - len(shown)} more: this was said of too many files")
            break
        shown.append(each)
        left -= len(each)
    return tuple(shown), left

"""What a verification says, part by part and in sum: the manual's three counts. Manual rows WM-05, WM-06."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from storage.evidence.public_key import PublicKey

STRETCH_LIMIT = 10_000
"""Of one file that are told apart; what follows is only counted."""


TEXT_LIMIT = 4_000
"""Characters of anything that a file says about itself; no export says more."""
NOTE_LIMIT = 1_000
"""Of one file, and of the troubles as many."""


class Verdict(StrEnum):
    """Of one part: a stretch of at most 1.5 s of a video, or a file of a package that is none."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    """It is not what was signed, or was not what was recorded when it was signed."""
    UNSIGNED = "without_signature"
    """Nothing proves it, or disproves it."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Parts that follow each other and have the same verdict for the same reason."""

    verdict: Verdict
    why: str = ""
    parts: int
    start_us: int | None = None
    """Wall time of its first picture; None where it shows none."""
    end_us: int | None = None
    offset_bytes: int
    end_bytes: int


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    name: str
    kind: str
    """`export`, `recording` (a segment file), `package`, `file` (one of a package that is no video), `unknown`."""
    bytes: int
    matched: int = 0
    not_matched: int = 0
    without_signature: int = 0
    troubles: tuple[str, ...] = ()
    """What is wrong besides: each alone makes it not authentic."""
    notes: tuple[str, ...] = ()
    """What a reader should know; nothing of it is wrong."""
    first_altered: Stretch | None = None
    """Where the first part that is not matched begins."""
    stretches: tuple[Stretch, ...] = ()
    camera: str = ""
    station: str = ""
    start_us: int | None = None
    end_us: int | None = None
    exported_us: int | None = None
    exported_by: str = ""
    comment: str = ""
    software: str = ""
    is_encoded_anew: bool = False
    key: str = ""
    """Fingerprint of the key that signed, hexadecimal; empty: none did."""
    is_key_given: bool = False
    """It is the key that the caller named: nobody needs to compare it any more."""

    @property
    def is_authentic(self) -> bool:
        """Every part matched and nothing else is wrong - if the key is the station's."""
        is_proof = self.matched > 0 or self.kind == "package"  # whose parts are the files in it
        return is_proof and not (self.not_matched or self.without_signature or self.troubles)


KeyCheck = Callable[[PublicKey], bool]
"""It is the key that was named."""


@dataclass(slots=True)
class Findings:
    """Gathers verdicts in the file's order; memory is bounded by STRETCH_LIMIT."""

    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    troubles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _stretches: list[Stretch] = field(default_factory=list)
    _first_altered: Stretch | None = None
    _is_full: bool = False

    def part(
        self,
        verdict: Verdict,
        offset_bytes: int,
        size_bytes: int,
        why: str = "",
        times_us: tuple[int, int] | None = None,
        parts: int = 1,
    ) -> None:
        """The next part."""
        self.counts[verdict] += parts
        start_us, end_us = times_us or (None, None)
        this = Stretch(
            verdict=verdict,
            why=why,
            parts=parts,
            start_us=start_us,
            end_us=end_us,
            offset_bytes=offset_bytes,
            end_bytes=offset_bytes + size_bytes,
        )
        if verdict is Verdict.NOT_MATCHED and self._first_altered is None:
            self._first_altered = this
        if self._is_full:
            return  # what follows does not belong to the last one
        last = self._stretches[-1] if self._stretches else None
        if last is not None and (last.verdict, last.why) == (verdict, why):
            self._stretches[-1] = msgspec.structs.replace(
                last,
                parts=last.parts + parts,
                end_us=last.end_us if end_us is None else max(end_us, last.end_us or end_us),
                end_bytes=this.end_bytes,
            )
        elif len(self._stretches) < STRETCH_LIMIT:
            self._stretches.append(this)
        else:
            self._is_full = True

    def report(self, name: str, kind: str, size_bytes: int, **about: object) -> FileReport:
        """What was found, with what the file says about itself."""
        return msgspec.structs.replace(
            FileReport(
                name=name,
                kind=kind,
                bytes=size_bytes,
                matched=self.counts[Verdict.MATCHED],
                not_matched=self.counts[Verdict.NOT_MATCHED],
                without_signature=self.counts[Verdict.UNSIGNED],
                troubles=_few(self.troubles),
                notes=_few(self.notes),
                first_altered=self._first_altered,
                stretches=tuple(self._stretches),
            ),
            **{key: value[:TEXT_LIMIT] if isinstance(value, str) else value for key, value in about.items()},
        )


def _few(words: list[str]) -> tuple[str, ...]:
    """Who makes a file may say a million things in it."""
    shown = [each[:TEXT_LIMIT] for each in words[:NOTE_LIMIT]]
    if len(words) > NOTE_LIMIT:
        shown.append(f"and {len(words) - NOTE_LIMIT} more")
    return tuple(shown)


def is_all_authentic(reports: Sequence[FileReport]) -> bool:
    return bool(reports) and all(report.is_authentic for report in reports)

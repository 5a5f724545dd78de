"""What a motion search looks for, and its form. Pure. Manual rows SS-08, SS-10, SS-20."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from engine.wire_search import MotionDecoding, MotionSearch
from tui.event_search import time_complaint, time_fields, typed_time
from tui.motion_cells import CELLS_MAX
from tui.thumbnail_form import length_words
from tui.when import typed_length_us
from widgets import format
from widgets.dialog import Field

LONGEST_S = 3_600
DAY_US = format.DAY_US
DECODING_WORDS = {
    "decode there": MotionDecoding.AUTO,
    "leave out": MotionDecoding.NEVER,
    "decode everywhere": MotionDecoding.ALWAYS,
}
"""Of stretches of which no motion was stored."""


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """Everything but the camera and the region."""

    start_us: int
    end_us: int
    sensitivity: int = 50
    min_cells: int = 1
    min_length_s: float = 0.0
    join_s: float = 10.0
    decoding: MotionDecoding = MotionDecoding.AUTO
    is_until_now: bool = False
    """The end is the present, whenever it is searched."""

    def search(self, camera: str, polygon: tuple[tuple[int, int], ...]) -> MotionSearch:
        """For the engine."""
        return MotionSearch(
            camera=camera,
            start_us=self.start_us,
            end_us=self.end_us,
            polygon=polygon,
            sensitivity=self.sensitivity,
            min_cells=self.min_cells,
            min_length_s=self.min_length_s,
            join_s=self.join_s,
            decoding=self.decoding,
        )

    def words(self) -> str:
        """`sensitivity 50  from 1 cell  any length  joined within 10s`."""
        length = f"longer than {_seconds(self.min_length_s)}" if self.min_length_s else "any length"
        decoding = "" if self.decoding is MotionDecoding.AUTO else f"  {_decoding_words(self.decoding)}"
        return (
            f"sensitivity {self.sensitivity}  from {format.plural(self.min_cells, 'cell')}  {length}  "
            f"joined within {_seconds(self.join_s)}{decoding}"
        )


def opening_settings(now_us: int, at_us: int | None) -> MotionSettings:
    """The last day, or two hours around a time; not beyond now."""
    if at_us is None:
        return MotionSettings(max(0, now_us - DAY_US), now_us, is_until_now=True)
    return MotionSettings(max(0, at_us - format.HOUR_US), min(at_us + format.HOUR_US, now_us))


def _seconds(length_s: float) -> str:
    return length_words(round(length_s * format.SECOND_US)) if length_s else "0s"


def _decoding_words(decoding: MotionDecoding) -> str:
    return next(words for words, each in DECODING_WORDS.items() if each is decoding)


def number_check(least: int, most: int) -> Callable[[str], str]:
    """Says what is wrong with a number that was typed; empty = nothing."""

    def check(text: str) -> str:
        is_right = text.strip().isascii() and text.strip().isdecimal() and least <= int(text) <= most
        return "" if is_right else f"a number from {least} to {most}"

    return check


def motion_fields(settings: MotionSettings, now_us: int, zone: tzinfo) -> list[Field]:
    """SS-20."""

    def check_length(text: str) -> str:
        return "" if _typed_s(text) is not None else "a length like 0s, 2s or 1m, at most an hour"

    return [
        *time_fields(settings.start_us, None if settings.is_until_now else settings.end_us, now_us, zone),
        Field(
            "sensitivity",
            "Sensitivity",
            str(settings.sensitivity),
            hint="1 near to 100 far scenes",
            check=number_check(1, 100),
        ),
        Field(
            "cells", "Least cells", str(settings.min_cells), hint="of 576", check=number_check(1, CELLS_MAX)
        ),
        Field(
            "length",
            "Time filter",
            _seconds(settings.min_length_s),
            hint="shorter is left out",
            check=check_length,
        ),
        Field("join", "Join within", _seconds(settings.join_s), hint="10s", check=check_length),
        Field(
            "decoding",
            "Nothing stored",
            _decoding_words(settings.decoding),
            kind="choice",
            choices=tuple(DECODING_WORDS),
        ),
    ]


def _typed_s(text: str) -> float | None:
    if text.strip() in ("", "0", "0s"):
        return 0.0
    length_us = typed_length_us(text)
    if length_us is None or length_us > LONGEST_S * format.SECOND_US:
        return None
    return length_us / format.SECOND_US


def motion_complaint(values: Mapping[str, str], now_us: int, zone: tzinfo) -> tuple[str, str] | None:
    """What is wrong with the times."""
    start_us = typed_time(values["from"], now_us, zone)
    if start_us is None:
        return "from", "a time is needed"
    return ("from", "that lies in the future") if start_us >= now_us else time_complaint(values, now_us, zone)


def settings_of(
    values: Mapping[str, str], before: MotionSettings, now_us: int, zone: tzinfo
) -> MotionSettings:
    """Of values that are right; a time that was left as it stood is the same to the microsecond."""

    def time_us(key: str, old_us: int) -> int:
        if values[key].strip() == format.local_time(old_us, zone):
            return old_us
        typed_us = typed_time(values[key], now_us, zone)
        return now_us if typed_us is None else min(typed_us, now_us)

    return MotionSettings(
        start_us=time_us("from", before.start_us),
        end_us=time_us("to", before.end_us),
        sensitivity=int(values["sensitivity"]),
        min_cells=int(values["cells"]),
        min_length_s=_typed_s(values["length"]) or 0.0,
        join_s=_typed_s(values["join"]) or 0.0,
        decoding=DECODING_WORDS[values["decoding"]],
        is_until_now=not values["to"].strip(),
    )

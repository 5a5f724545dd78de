"""All text for numbers, sizes, rates and times that a person reads. Nothing else formats them.

Drives and recordings are decimal (as on the drive's label), memory is binary. Times come as integer microseconds
UTC with an injected zone and are the only place where local time exists. No clock is read here: whoever wants an
age hands in `now_us`. Results are short, fixed in shape and free of ambiguous-width characters.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from rich.cells import cell_len, set_cell_size

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

NOTHING: Final = "-"
"""Shown where a value is not known; never 0."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DECIMAL: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_RATES: Final = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")


# -- sizes and rates -------------------------------------------------------------------------------------


def _scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    """Three significant digits in the largest unit that keeps the number at or above 1."""
    sign = "-" if value < 0 else ""
    size = abs(float(value))
    index = 0
    while size >= step and index < len(units) - 1:
        size /= step
        index += 1
    # 999.6 kB would print as "1000 kB": carry it into the next unit.
    if index and round(size) >= step and index < len(units) - 1:
        size /= step
        index += 1
    if index == 0:
        number = f"{size:.0f}"
    elif size < 9.995:
        number = f"{size:.2f}"
    elif size < 99.95:
        number = f"{size:.1f}"
    else:
        number = f"{size:.0f}"
    return f"{sign}{number} {units[index]}"


def decimal_bytes(size_bytes: int | None) -> str:
    """Storage: `1.82 TB`."""
    return NOTHING if size_bytes is None else _scaled(size_bytes, 1000, _DECIMAL)


def binary_bytes(size_bytes: int | None) -> str:
    """Memory: `3.75 GiB`."""
    return NOTHING if size_bytes is None else _scaled(size_bytes, 1024, _BINARY)


def bit_rate(rate_bps: float | None) -> str:
    """Bits a second: `4.21 Mbit/s`."""
    return NOTHING if rate_bps is None else _scaled(rate_bps, 1000, _RATES)


def byte_rate(rate_bytes: float | None) -> str:
    """Bytes a second: `1.20 MB/s`."""
    return NOTHING if rate_bytes is None else _scaled(rate_bytes, 1000, _DECIMAL) + "/s"


def percent(value: float | None) -> str:
    """`7.3 %` below ten, whole numbers above."""
    if value is None:
        return NOTHING
    return f"{value:.1f} %" if abs(value) < 9.95 else f"{value:.0f} %"


def count(number: int | None) -> str:
    """`1,234,567`."""
    return NOTHING if number is None else f"{number:,}"


def plural(number: int, noun: str, many: str = "") -> str:
    """`1 camera`, `3 cameras`, `2 entries` (with `many`)."""
    return f"{count(number)} {noun if number == 1 else many or noun + 's'}"


def frame_rate(fps: float | None) -> str:
    """`25 fps`, `12.5 fps`; unknown (None or 0) is `-`."""
    if not fps:
        return NOTHING
    rounded = round(fps, 1)
    return f"{rounded:.0f} fps" if rounded == int(rounded) else f"{rounded} fps"


def resolution(width_px: int, height_px: int) -> str:
    """`1920x1080`."""
    return f"{width_px}x{height_px}" if width_px and height_px else NOTHING


def days(number: float | None) -> str:
    """`0.4 d`, `12.3 d`, `120 d`."""
    if number is None:
        return NOTHING
    return f"{number:.1f} d" if number < 99.95 else f"{number:.0f} d"


# -- lengths of time -------------------------------------------------------------------------------------


def duration(length_us: int | None) -> str:
    """The two largest units: `3 d 4 h`, `12 min 5 s`, `0.8 s`."""
    if length_us is None:
        return NOTHING
    if length_us < 0:
        return "-" + duration(-length_us)
    if length_us < SECOND_US:
        return f"{length_us / SECOND_US:.1f} s"
    seconds = length_us // SECOND_US
    parts = (
        (seconds // 86_400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    )
    first = next(index for index, (number, _) in enumerate(parts) if number)
    shown = [f"{number} {unit}" for number, unit in parts[first : first + 2] if number]
    return " ".join(shown)


def clock_length(length_us: int) -> str:
    """`1:02:03` or `02:03`: the length of an export or a selection."""
    seconds = max(length_us, 0) // SECOND_US
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def age(then_us: int | None, now_us: int) -> str:
    """`3 s ago`, `12 min ago`, `5 h ago`, `4 d ago`; never in the future (`now`)."""
    if then_us is None:
        return "never"
    seconds = (now_us - then_us) // SECOND_US
    if seconds < 1:
        return "now"
    for limit, divisor, unit in ((60, 1, "s"), (3600, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds // divisor} {unit} ago"
    return f"{seconds // 86_400} d ago"


def until(then_us: int | None, now_us: int) -> str:
    """`in 12 s`, `in 3 min`; `now` when it is due."""
    if then_us is None:
        return NOTHING
    left_us = then_us - now_us
    return "now" if left_us < SECOND_US else f"in {duration(left_us)}"


# -- points in time --------------------------------------------------------------------------------------


def local_datetime(time_us: int, zone: tzinfo) -> datetime:
    """Microseconds UTC as an aware datetime of the zone."""
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone)


def local_clock(time_us: int | None, zone: tzinfo) -> str:
    """`14:03:07`."""
    return NOTHING if time_us is None else f"{local_datetime(time_us, zone):%H:%M:%S}"


def local_minute(time_us: int | None, zone: tzinfo) -> str:
    """`14:03`."""
    return NOTHING if time_us is None else f"{local_datetime(time_us, zone):%H:%M}"


def local_date(time_us: int | None, zone: tzinfo) -> str:
    """`2026-07-12`."""
    return NOTHING if time_us is None else f"{local_datetime(time_us, zone):%Y-%m-%d}"


def local_time(time_us: int | None, zone: tzinfo) -> str:
    """`2026-07-12 14:03:07`: for columns whose head names the zone."""
    return NOTHING if time_us is None else f"{local_datetime(time_us, zone):%Y-%m-%d %H:%M:%S}"


def local_time_with_zone(time_us: int | None, zone: tzinfo) -> str:
    """`2026-07-12 14:03:07 CEST`: tells the two hours of a clock change apart."""
    if time_us is None:
        return NOTHING
    local = local_datetime(time_us, zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or local.strftime('%z')}"


def recent_time(time_us: int | None, now_us: int, zone: tzinfo) -> str:
    """`14:03:07` today, `07-12 14:03` this year, `2025-07-12` before: for narrow columns."""
    if time_us is None:
        return NOTHING
    then, now = local_datetime(time_us, zone), local_datetime(now_us, zone)
    if then.date() == now.date():
        return f"{then:%H:%M:%S}"
    return f"{then:%m-%d %H:%M}" if then.year == now.year else f"{then:%Y-%m-%d}"


def zone_name(time_us: int, zone: tzinfo) -> str:
    """`CEST`, `UTC`: for headings."""
    return local_datetime(time_us, zone).tzname() or ""


# -- text in cells ---------------------------------------------------------------------------------------


_CONTROLS: Final = dict.fromkeys(
    (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), " "
)


def harmless(text: str) -> str:
    """Names and messages come from outside: control characters and reversals of direction become blanks."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def fit(text: str, width: int, ellipsis: str = "…", *, is_right: bool = False) -> str:
    """Text in exactly `width` cells: cut with an ellipsis, padded with blanks, wide characters counted."""
    if width <= 0:
        return ""
    text = harmless(text)
    if (length := cell_len(text)) > width:
        return set_cell_size(text, width - 1) + ellipsis
    blanks = " " * (width - length)
    return blanks + text if is_right else text + blanks


def shorten_middle(text: str, width: int, ellipsis: str = "…") -> str:
    """Paths and addresses: both ends stay, the middle goes; at most `width` cells."""
    text = harmless(text)
    if cell_len(text) <= width:
        return text
    if width < 3:
        return fit(text, width, ellipsis)
    head = (width - 1) // 2
    tail = text[-(width - 1 - head) :]
    while cell_len(tail) > width - 1 - head:
        tail = tail[1:]
    return set_cell_size(text, head) + ellipsis + tail

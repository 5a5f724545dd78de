"""Names of files and folders that are made from what people typed: safe in every file system, in a URL and in a ZIP."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from storage.units import US_PER_SECOND

STEM_BYTES = 80
_OTHERS = re.compile(r"[^\w.-]+")


def safe_stem(text: str, *, otherwise: str) -> str:
    """Letters of any script, digits, `_`, `-` and inner dots; at most 80 bytes of UTF-8; never empty or hidden.

    What Windows forbids as a name (`CON`, a dot at the end) cannot arise: a time is always put behind it.
    """
    stem = _OTHERS.sub("_", unicodedata.normalize("NFC", text))
    stem = stem.encode()[:STEM_BYTES].decode(errors="ignore").strip("._-")
    return re.sub(r"\.{2,}", ".", stem) or otherwise


def local_stamp(time_us: int) -> str:
    """YYYYMMDD-HHMMSS in the zone of this machine."""
    return f"{local_moment(time_us):%Y%m%d-%H%M%S}"


def local_moment(time_us: int) -> datetime:
    """In the zone of this machine; in UTC where the calendar ends before that zone's day does."""
    moment = datetime.fromtimestamp(time_us // US_PER_SECOND, UTC)
    try:
        return moment.astimezone()
    except (OverflowError, ValueError, OSError):
        return moment


def file_name(camera: str, start_us: int, suffix: str, taken: set[str]) -> str:
    """Of one range; added to `taken`, in which none is twice (compared as Windows does)."""
    stem = f"{safe_stem(camera, otherwise='camera')}-{local_stamp(start_us)}"
    name, number = stem + suffix, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name.casefold())
    return name

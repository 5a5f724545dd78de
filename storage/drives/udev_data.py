"""udev's database of a block device (/run/udev/data/bMAJ:MIN): identity, place and signature without touching the drive."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from storage.roots import Roots

_ENCODED = re.compile(r"\\x([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class UdevEntry:
    """Empty properties when udev does not run or does not know the device."""

    properties: dict[str, str] = field(default_factory=dict)
    is_known: bool = False

    def get(self, *keys: str) -> str:
        """The first of these that says something."""
        return next(
            (self.properties[key].strip() for key in keys if self.properties.get(key, "").strip()), ""
        )

    def decoded(self, encoded: str, plain: str) -> str:
        """A name that udev keeps both encoded (exact) and with underscores for what is not a word character."""
        exact = self.get(encoded)
        if exact:
            return " ".join(_ENCODED.sub(lambda match: chr(int(match[1], 16)), exact).split())
        return " ".join(self.get(plain).replace("_", " ").split())


def parse_udev(text: str) -> UdevEntry:
    """Lines are `E:KEY=VALUE`; links, tags and times are of no interest here."""
    properties: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("E:"):
            key, separator, value = line[2:].partition("=")
            if separator:
                properties[key] = value
    return UdevEntry(properties=properties, is_known=bool(text.strip()))


def udev_entry(roots: Roots, device: str) -> UdevEntry:
    """Of the block device `8:16`."""
    try:
        raw = (roots.run / "udev" / "data" / f"b{device}").read_bytes()
    except OSError:
        return UdevEntry()
    return parse_udev(raw.decode("utf-8", "replace"))

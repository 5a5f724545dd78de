"""Where the volumes are mounted, in a small file beside the catalog: a lost catalog is then rebuilt without being told.

Only a hint: what is a volume, and which one, its own identity file says.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from storage.durable import write_atomically

_PLACES = msgspec.json.Decoder(dict[str, list[str]])


def places_file(catalog: Path) -> Path:
    """`catalog.sqlite.volumes` for `catalog.sqlite`."""
    return catalog.with_name(f"{catalog.name}.volumes")


def remember_places(catalog: Path, paths: list[str]) -> None:
    """Replace the file. That it cannot be written is no reason to refuse a volume."""
    with contextlib.suppress(OSError):
        write_atomically(places_file(catalog), msgspec.json.encode({"volumes": paths}))


def remembered_places(catalog: Path) -> list[Path]:
    """The paths as last registered; empty when there is no file, or it says something else."""
    try:
        document = _PLACES.decode(places_file(catalog).read_bytes())
    except (OSError, msgspec.DecodeError):
        return []
    return [Path(path) for path in document.get("volumes", [])]


def mounted_places(mounts: Path = Path("/proc/self/mounts")) -> list[Path]:
    """Roots of mounted file systems on which there is a volume's identity file."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    # man 5 fstab: blank, tab, newline and backslash are written as \040, \011, \012 and \134
    roots = [Path(_unescaped(line.split(" ")[1])) for line in lines if line.count(" ") >= 3]
    return [root for root in dict.fromkeys(roots) if _is_volume(root)]


def _unescaped(word: str) -> str:
    for escaped, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        word = word.replace(escaped, character)
    return word


def _is_volume(root: Path) -> bool:
    try:
        return (root / ".watchdeck" / "volume.json").is_file()
    except OSError:
        return False

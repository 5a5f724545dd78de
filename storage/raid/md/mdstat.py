"""/proc/mdstat as values.

Only a second witness: sysfs says what is true (mdstat prints `resync=DELAYED` for a recovery that waits, and every member
of an inactive array as a spare). Its notifications are the reason to look; its text is compared with sysfs.
"""

from __future__ import annotations

import re

import msgspec

_ARRAY = re.compile(r"^(md\S*) : (active|inactive)(?: \(([a-z-]+)\))?((?: \S+)*) *$")
_MEMBER = re.compile(r"^(\S+)\[(\d+)\]((?:\([A-Z]\))*)$")
_BLOCKS = re.compile(r"^\s+(\d+) blocks(.*)$")
_COUNTS = re.compile(r"\[(\d+)/(\d+)\]")
_MAP = re.compile(r"\[([U_]+)\]")
_SUPER = re.compile(r"super (\S+)")
_CHUNK = re.compile(r"(\d+)[kK] chunks?")
_PROGRESS = re.compile(
    r"^\s*\[[=>.]*\]\s+(\w+) =\s*([\d.]+)% \((\d+)/(\d+)\)(?: finish=([\d.]+)min)?(?: speed=(\d+)K/sec)?\s*$"
)
_WAITING = re.compile(r"^\s*(\w+)=(DELAYED|PENDING|REMOTE)\s*$")
_BITMAP = re.compile(r"^\s+bitmap: (\d+)/(\d+) pages")
_IGNORED = re.compile(r"^\s*$|^Personalities\s*:|^unused devices:|^read_ahead ")


class MdstatMember(msgspec.Struct, frozen=True, kw_only=True):
    """`sdb1[2](F)`."""

    name: str
    number: int
    """Not its slot: a drive that replaced another has a higher number."""
    flags: frozenset[str] = frozenset()
    """F faulty, S spare, J journal, W write-mostly, R replacement."""


class MdstatProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What runs; percent is None while it waits."""

    action: str
    waits: str = ""
    """DELAYED, PENDING or REMOTE."""
    percent: float | None = None
    done_kib: int | None = None
    total_kib: int | None = None
    finish_minutes: float | None = None
    speed_kib_s: int | None = None


class MdstatArray(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    is_active: bool
    mode: str = ""
    """read-only, auto-read-only, broken; empty = read-write."""
    level: str = ""
    """Empty for one that is inactive and not yet told its level."""
    members: tuple[MdstatMember, ...] = ()
    blocks_kib: int = 0
    metadata: str = "0.90"
    chunk_kib: int | None = None
    wanted: int | None = None
    working: int | None = None
    map: str = ""
    progress: MdstatProgress | None = None
    has_bitmap: bool = False


class Mdstat(msgspec.Struct, frozen=True, kw_only=True):
    arrays: tuple[MdstatArray, ...] = ()
    not_understood: tuple[str, ...] = ()
    """Lines of a form nobody has met; shown as a problem, never dropped in silence."""

    def array(self, name: str) -> MdstatArray | None:
        return next((array for array in self.arrays if array.name == name), None)


def parse_mdstat(text: str) -> Mdstat:
    """Never raises: see `Mdstat.not_understood`."""
    arrays: list[MdstatArray] = []
    strange: list[str] = []
    for line in text.splitlines():
        if _IGNORED.match(line):
            continue
        head = _head(line)
        if head is not None:
            arrays.append(head)
            continue
        more = _details(line) if arrays else None
        if more is None:
            strange.append(line)
        else:
            arrays[-1] = msgspec.structs.replace(arrays[-1], **more)
    return Mdstat(arrays=tuple(arrays), not_understood=tuple(strange))


def _head(line: str) -> MdstatArray | None:
    found = _ARRAY.match(line)
    if found is None:
        return None
    words = found[4].split()
    level = words.pop(0) if words and "[" not in words[0] else ""
    members: list[MdstatMember] = []
    for word in words:
        member = _MEMBER.match(word)
        if member is None:
            return None
        flags = frozenset(member[3].replace("(", "").replace(")", ""))
        members.append(MdstatMember(name=member[1], number=int(member[2]), flags=flags))
    return MdstatArray(
        name=found[1],
        is_active=found[2] == "active",
        mode=found[3] or "",
        level=level,
        members=tuple(members),
    )


def _details(line: str) -> dict[str, object] | None:
    """Fields of the array above that this line gives."""
    blocks = _BLOCKS.match(line)
    if blocks is not None:
        return _sizes(int(blocks[1]), blocks[2])
    progress = _PROGRESS.match(line)
    if progress is not None:
        return {
            "progress": MdstatProgress(
                action=progress[1],
                percent=float(progress[2]),
                done_kib=int(progress[3]),
                total_kib=int(progress[4]),
                finish_minutes=float(progress[5]) if progress[5] else None,
                speed_kib_s=int(progress[6]) if progress[6] else None,
            )
        }
    waiting = _WAITING.match(line)
    if waiting is not None:
        return {"progress": MdstatProgress(action=waiting[1], waits=waiting[2])}
    if _BITMAP.match(line):
        return {"has_bitmap": True}
    return None


def _sizes(blocks: int, rest: str) -> dict[str, object]:
    counts, letters = _COUNTS.search(rest), _MAP.search(rest)
    metadata, chunk = _SUPER.search(rest), _CHUNK.search(rest)
    return {
        "blocks_kib": blocks,
        "metadata": metadata[1] if metadata else "0.90",
        "chunk_kib": int(chunk[1]) if chunk else None,
        "wanted": int(counts[1]) if counts else None,
        "working": int(counts[2]) if counts else None,
        "map": letters[1] if letters else "",
    }

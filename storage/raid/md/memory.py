"""What md itself forgets: who sat in which slot, which drives are global spares, what was paused, how checks ended.

One small JSON file, written atomically and only when something changed. Sysfs wins wherever both say something: this only
fills the gaps. Used by one thread at a time (MdBackend holds a lock).
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from storage.durable import write_atomically
from storage.raid.inventory import Rates
from storage.raid.states import DriveKind, RaidLevel, SpareKind, TaskKind


class KnownDrive(msgspec.Struct, frozen=True, kw_only=True):
    """A member as it was last seen."""

    id: str
    bay: int | None = None
    place: str = ""
    side: str = ""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    wwn: str = ""
    size_bytes: int = 0
    coerced_bytes: int = 0
    kind: DriveKind = DriveKind.UNKNOWN
    interface: str = ""


class KnownArray(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual drive as it was last seen whole."""

    name: str
    level: RaidLevel
    legs: tuple[str, ...]
    """UUIDs of the arrays that hold the drives; its own for one that is not nested."""
    slots: tuple[tuple[KnownDrive | None, ...], ...]
    """For each leg, in slot order."""
    size_bytes: int = 0
    stripe_bytes: int = 0


class SpareNote(msgspec.Struct, frozen=True, kw_only=True):
    kind: SpareKind = SpareKind.GLOBAL
    groups: tuple[str, ...] = ()
    has_affinity: bool = False


class Paused(msgspec.Struct, frozen=True, kw_only=True):
    kind: TaskKind
    progress: float | None = None
    drive: str = ""
    action: str = ""
    """check or repair."""
    from_sectors: dict[str, int] = {}
    """For each array, where a check goes on."""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    mismatch_sectors: int
    ended_us: int


class Memory(msgspec.Struct, kw_only=True):
    """Keys: group ids (`md-<uuid>`), array UUIDs, drive ids, task ids."""

    arrays: dict[str, KnownArray] = {}
    """By UUID of the top array."""
    spares: dict[str, SpareNote] = {}
    """Spares that md does not know: global ones, and dedicated ones of nested groups."""
    awaiting_removal: dict[str, str] = {}
    """Drive id -> why."""
    bad: dict[str, str] = {}
    """Drive id -> why it is unconfigured bad."""
    set_offline: dict[str, str] = {}
    """Drive id -> group: members a person took out."""
    replaced: dict[str, str] = {}
    """Member -> replacement of copies that were asked for: the failure md reports at their end is none."""
    paused: dict[str, Paused] = {}
    checks: dict[str, CheckResult] = {}
    """By group id."""
    checking: dict[str, TaskKind] = {}
    """Array UUID -> check or patrol read that was running at the last look."""
    initialising: dict[str, str] = {}
    """Array UUID -> the drive on which a new RAID 5 builds its parity; "" where all members take part."""
    rates: Rates = Rates()

    def forget_drive(self, id: str) -> None:
        """All notes about a drive that begins anew."""
        notes: tuple[dict[str, SpareNote] | dict[str, str], ...] = (
            self.spares,
            self.awaiting_removal,
            self.bad,
            self.set_offline,
            self.replaced,
        )
        for note in notes:
            note.pop(id, None)

    def forget_array(self, group: str, uuids: tuple[str, ...]) -> None:
        """A virtual drive that was deleted."""
        self.checks.pop(group, None)
        for uuid in uuids:
            for kept in (self.arrays, self.checking, self.initialising):
                kept.pop(uuid, None)
        self.paused = {task: how for task, how in self.paused.items() if group not in task.split(":")}
        for id, note in list(self.spares.items()):
            left = tuple(other for other in note.groups if other != group)
            if note.kind is SpareKind.DEDICATED and not left:
                del self.spares[id]
            elif left != note.groups:
                self.spares[id] = msgspec.structs.replace(note, groups=left)


decoded_memory = msgspec.json.Decoder(Memory).decode


class MemoryFile:
    """Loads once, saves what changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = b""
        self.problem = ""
        self.memory = self._load()

    def _load(self) -> Memory:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return Memory()
        try:
            memory = decoded_memory(content)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            aside = self._path.with_name(f"{self._path.name}.damaged")
            self._path.rename(aside)
            self.problem = f"{self._path} cannot be read ({error}); it was set aside as {aside.name}"
            return Memory()
        self._written = msgspec.json.encode(memory)
        return memory

    def save(self) -> None:
        """Raises OSError."""
        content = msgspec.json.encode(self.memory)
        if content != self._written:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, content)
            self._written = content

"""What is on a drive that is in no use: from udev, else from `blkid` by its own probe, never from its cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.command import Runner
from storage.drives.udev_data import UdevEntry
from storage.errors import DriveError

BLKID_TIMEOUT_S = 10.0
LOOKS_BETWEEN_TRIES = 20
"""After blkid failed on a drive: a dying drive is not asked at every look."""
UNREADABLE = "unreadable"
_NOTHING_FOUND = 2
_AMBIVALENT = 8


@dataclass(frozen=True, slots=True)
class Signature:
    """Empty kind = blank."""

    kind: str = ""
    md_uuid: str = ""


@dataclass(slots=True)
class _Remembered:
    state: str
    signature: Signature
    looks_left: int | None
    """None = good as long as the state is the same."""


class SignatureReader:
    """Remembers what blkid said until something is written to the drive."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._remembered: dict[str, _Remembered] = {}

    def read(
        self, name: str, udev: UdevEntry, partitions: Sequence[UdevEntry], *, state: str, is_in_use: bool
    ) -> Signature:
        """`state` changes whenever what is on the drive may have changed."""
        said = signature_of(udev.properties)
        if said.kind:
            inner = (signature_of(partition.properties).md_uuid for partition in partitions)
            return Signature(said.kind, said.md_uuid or next((uuid for uuid in inner if uuid), ""))
        if is_in_use:
            return said
        old = self._remembered.get(name)
        if old is not None and old.state == state:
            if old.looks_left is None:
                return old.signature
            if old.looks_left > 0:
                old.looks_left -= 1
                return old.signature
        found = probe(self._run, f"/dev/{name}")
        is_sure = found.kind != UNREADABLE
        self._remembered[name] = _Remembered(state, found, None if is_sure else LOOKS_BETWEEN_TRIES)
        return found

    def forget_all_but(self, names: set[str]) -> None:
        """Drives that went: a new one may get the same name."""
        self._remembered = {name: kept for name, kept in self._remembered.items() if name in names}


def signature_of(properties: dict[str, str]) -> Signature:
    """From udev's names for it."""
    kind = properties.get("ID_FS_TYPE") or properties.get("ID_PART_TABLE_TYPE") or ""
    is_member = kind == "linux_raid_member"
    return Signature(kind, mdadm_uuid(properties.get("ID_FS_UUID", "")) if is_member else "")


def probe(run: Runner, device: str) -> Signature:
    """Ask blkid. What cannot be read counts as carrying something: see UNREADABLE."""
    try:
        done = run(["blkid", "-p", "-o", "export", device], timeout_s=BLKID_TIMEOUT_S)
    except DriveError:
        return Signature(UNREADABLE)
    if done.status == _NOTHING_FOUND:
        return Signature(UNREADABLE if done.errors.strip() else "")
    if done.status == _AMBIVALENT:
        return Signature("several signatures")
    if done.status != 0:
        return Signature(UNREADABLE)
    said = dict(line.partition("=")[::2] for line in done.text.splitlines())
    return signature_of(
        {
            "ID_FS_TYPE": said.get("TYPE", ""),
            "ID_PART_TABLE_TYPE": said.get("PTTYPE", ""),
            "ID_FS_UUID": said.get("UUID", ""),
        }
    )


def mdadm_uuid(uuid: str) -> str:
    """blkid writes 8-4-4-4-12, mdadm four words of eight with colons."""
    digits = uuid.replace("-", "").replace(":", "").lower()
    if len(digits) != 32:
        return ""
    return ":".join(digits[at : at + 8] for at in range(0, 32, 8))

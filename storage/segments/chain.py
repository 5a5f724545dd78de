"""The hash chain of a recording: what is written behind each part while it is recorded, and what it proves. Rule 24.

    link of a segment's start = SHA-256(previous link || SHA-256(header))     previous link: of the run's segment before, or zeros
    link of a part            = SHA-256(previous link || SHA-256(moof mdat))

Each link is signed with the station's key at once, so that a crash takes no proof away. Start, link and end are top-level
`uuid` boxes (ISO/IEC 14496-12, 11.1), which players skip. Start and link boxes end with link and signature: what proves a
part are the bytes right before and right behind it. Pure; layout by byte in docs/evidence.md.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from storage.segments.boxes import HEADER_BYTES, box

LINK_BOX_UUID = UUID("6f0a4d0e-3a5c-4b9e-9a52-77617463686b")
START_BOX_UUID = UUID("6f0a4d0e-3a5c-4b9e-9a53-77617463686b")
END_BOX_UUID = UUID("6f0a4d0e-3a5c-4b9e-9a54-77617463686b")
HASH_BYTES = 32
SIGNATURE_BYTES = 64
NO_LINK = bytes(HASH_BYTES)
"""Stands for the previous link at the beginning of a run."""
UNSIGNED = bytes(SIGNATURE_BYTES)
NO_KEY = bytes(HASH_BYTES)

_OPENING_BYTES = HEADER_BYTES + 16
LINK_BOX_BYTES = _OPENING_BYTES + HASH_BYTES + SIGNATURE_BYTES
START_BOX_BYTES = _OPENING_BYTES + 4 + 3 * HASH_BYTES + SIGNATURE_BYTES
END_BOX_BYTES = _OPENING_BYTES + 8 + 2 * HASH_BYTES + SIGNATURE_BYTES
_VERSION = 1
_RECOVERED = 1


class Signer(Protocol):
    """storage.evidence.station_key.StationKey."""

    public_key: bytes
    """32 bytes."""
    fingerprint: bytes

    def sign(self, message: bytes) -> bytes: ...


class Recorded(StrEnum):
    """How a part on the volume fits what was written when it was recorded."""

    MATCHED = "matched"
    ALTERED = "altered"
    """Its bytes, or what is before it, are not those that were signed."""
    UNHASHED = "unhashed"
    """There is no proof: recorded without one, the proof was taken away, or it is signed by a key that is not the station's."""


def link_of(previous: bytes, part_hash: bytes) -> bytes:
    """The next link."""
    return hashlib.sha256(previous + part_hash).digest()


def link_message(link: bytes) -> bytes:
    """What is signed of a link."""
    return b"watchdeck link 1\0" + link


def end_message(end: SegmentEnd) -> bytes:
    """What is signed at a segment's end."""
    return b"watchdeck end 1\0" + struct.pack(">II", end.part_count, end.flags) + end.fingerprint + end.link


@dataclass(frozen=True, slots=True)
class ChainStart:
    """What the start box says."""

    public_key: bytes
    """That signs this segment; zeros: none does."""
    previous: bytes
    link: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """What the end box says: so many parts and no more, when the file was closed."""

    part_count: int
    flags: int
    fingerprint: bytes
    link: bytes
    """The last one."""
    signature: bytes = UNSIGNED

    @property
    def is_recovered(self) -> bool:
        """Not closed by who recorded it: found like this after a crash."""
        return bool(self.flags & _RECOVERED)


class RunChain:
    """Carries the last link of a run from one segment to the next, across volumes and their threads.

    A segment that was given up for another one may still be written to: it says nothing here any more.
    """

    def __init__(self, signer: Signer | None = None) -> None:
        self.signer = signer
        self._lock = threading.Lock()
        self._link = NO_LINK
        self._owner: object = None

    def begin(self, owner: object) -> bytes:
        """The link a new segment continues from."""
        with self._lock:
            self._owner = owner
            return self._link

    def advance(self, owner: object, link: bytes) -> None:
        """The segment has this last link now."""
        with self._lock:
            if owner is self._owner:
                self._link = link


class SegmentChain:
    """The chain of one segment that is being written. A link counts only once `keep` says that it is in the file."""

    __slots__ = ("_count", "_link", "_pending", "_run", "_signer")

    def __init__(self, run: RunChain) -> None:
        self._run = run
        self._signer = run.signer
        self._count = 0
        self._link = self._pending = NO_LINK

    def begin(self, header: bytes) -> bytes:
        """The box that stands behind a header of these bytes. Called again, when the header was not written."""
        previous = self._run.begin(self)
        self._link = link_of(previous, hashlib.sha256(header).digest())
        return box(
            b"uuid",
            START_BOX_UUID.bytes,
            struct.pack(">I", _VERSION),
            self._signer.public_key if self._signer else NO_KEY,
            previous,
            self._link,
            self._signature(link_message(self._link)),
        )

    def link_box(self, buffers: Iterable[bytes]) -> bytes:
        """The box that stands behind a part of these bytes."""
        digest = hashlib.sha256()
        for buffer in buffers:
            digest.update(buffer)
        self._pending = link_of(self._link, digest.digest())
        return box(b"uuid", LINK_BOX_UUID.bytes, self._pending, self._signature(link_message(self._pending)))

    def keep(self) -> None:
        """The part of the last `link_box` is in the file."""
        self._link = self._pending
        self._count += 1
        self._run.advance(self, self._link)

    def end_box(self) -> bytes:
        """Closes the segment; nothing without a key."""
        return end_box(self._link, self._count, self._signer, is_recovered=False)

    def _signature(self, message: bytes) -> bytes:
        return self._signer.sign(message) if self._signer else UNSIGNED


def end_box(link: bytes, part_count: int, signer: Signer | None, *, is_recovered: bool) -> bytes:
    """The box between the last link and the index; empty where nobody signs."""
    if signer is None:
        return b""
    end = SegmentEnd(part_count, _RECOVERED if is_recovered else 0, signer.fingerprint, link)
    return box(
        b"uuid",
        END_BOX_UUID.bytes,
        struct.pack(">II", end.part_count, end.flags),
        end.fingerprint,
        end.link,
        signer.sign(end_message(end)),
    )


# -- reading ---------------------------------------------------------------------------------------------


def _is_box(data: bytes | memoryview, uuid: UUID, size_bytes: int) -> bool:
    opening = struct.pack(">I4s16s", size_bytes, b"uuid", uuid.bytes)
    return len(data) >= size_bytes and data[:_OPENING_BYTES] == opening


def parse_start(data: bytes) -> ChainStart | None:
    """The start box at the beginning of the bytes; None when there is none that this version knows."""
    if not _is_box(data, START_BOX_UUID, START_BOX_BYTES):
        return None
    version, public_key, previous, link, signature = struct.unpack_from(
        ">I32s32s32s64s", data, _OPENING_BYTES
    )
    return ChainStart(public_key, previous, link, signature) if version == _VERSION else None


def parse_link(data: bytes) -> tuple[bytes, bytes] | None:
    """(link, signature) of the link box at the beginning of the bytes."""
    if not _is_box(data, LINK_BOX_UUID, LINK_BOX_BYTES):
        return None
    link, signature = struct.unpack_from(">32s64s", data, _OPENING_BYTES)
    return link, signature


def parse_end(data: bytes) -> SegmentEnd | None:
    """The end box at the beginning of the bytes."""
    if not _is_box(data, END_BOX_UUID, END_BOX_BYTES):
        return None
    return SegmentEnd(*struct.unpack_from(">II32s32s64s", data, _OPENING_BYTES))


def link_before(data: bytes) -> bytes | None:
    """The link of the start or link box with which these bytes end: what the part behind them continues from."""
    link = parse_link(data[-LINK_BOX_BYTES:])
    if link is not None:
        return link[0]
    start = parse_start(data[-START_BOX_BYTES:])
    return None if start is None else start.link

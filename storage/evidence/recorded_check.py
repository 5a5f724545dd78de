"""Is a part on a volume still what the station recorded? Recomputes its hash and follows its link. Rule 24. Blocking."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from storage.evidence.public_key import PublicKey
from storage.segments.boxes import BoxError
from storage.segments.chain import (
    LINK_BOX_BYTES,
    START_BOX_BYTES,
    Recorded,
    link_before,
    link_message,
    link_of,
    parse_link,
)
from storage.segments.fmp4 import MEHD_BYTES, unknown_duration
from storage.segments.stored_header import SegmentHeader, read_exactly

_CHUNK_BYTES = 256 * 1024


def header_hash(fd: int, header: SegmentHeader) -> bytes:
    """Of everything before the start box, as it stood while the segment was open. Raises BoxError, OSError."""
    opening = bytearray(read_exactly(fd, header.size_bytes - START_BOX_BYTES, 0))
    opening[header.mehd_offset_bytes : header.mehd_offset_bytes + MEHD_BYTES] = unknown_duration()
    return hashlib.sha256(opening).digest()


def stretch_hash(fd: int, offset_bytes: int, size_bytes: int) -> bytes:
    """Of bytes of the file, whatever their number: memory stays at one chunk. Raises BoxError, OSError."""
    digest = hashlib.sha256()
    while size_bytes:
        data = os.pread(fd, min(_CHUNK_BYTES, size_bytes), offset_bytes)
        if not data:
            raise BoxError("file ends", offset_bytes)
        digest.update(data)
        offset_bytes += len(data)
        size_bytes -= len(data)
    return digest.digest()


class RecordedCheck:
    """One opened segment against the station's keys. Parts in any order; what a part proves does not hang on others."""

    def __init__(self, fd: int, header: SegmentHeader, known: Mapping[bytes, PublicKey]) -> None:
        """`known`: public keys by fingerprint. Raises OSError, BoxError when the file was cut."""
        self._fd = fd
        self.start = header.start
        self.key = known.get(hashlib.sha256(header.start.public_key).digest()) if header.start else None
        """Of the station's keys the one that signs this segment; None: unsigned, or signed by a foreign one."""
        self.is_header_right = True
        """Identity, times and tracks are those that were signed; of a segment without proof nothing is known."""
        if header.start is not None:
            self.is_header_right = header.start.link == link_of(
                header.start.previous, header_hash(fd, header)
            ) and (
                self.key is None or self.key.verifies(link_message(header.start.link), header.start.signature)
            )

    def part(self, offset_bytes: int, size_bytes: int) -> Recorded:
        """`moof` and `mdat` at that place. Raises BoxError when the file ends before, OSError."""
        if self.start is None:
            return Recorded.UNHASHED
        behind = os.pread(self._fd, LINK_BOX_BYTES, offset_bytes + size_bytes)
        found = parse_link(behind)
        if found is None:
            # Of the last part: torn off by a crash, not written yet - or taken away. Either way nothing proves it.
            # Of another one: part and link are one write, and nothing is written behind a torn one.
            is_last = behind[4:8] != b"moof"
            return Recorded.UNHASHED if is_last and self.is_header_right else Recorded.ALTERED
        link, signature = found
        start_bytes = max(offset_bytes - START_BOX_BYTES, 0)
        before = link_before(os.pread(self._fd, offset_bytes - start_bytes, start_bytes))
        if before is None or link != link_of(before, stretch_hash(self._fd, offset_bytes, size_bytes)):
            return Recorded.ALTERED
        if not self.is_header_right:
            return Recorded.ALTERED
        if self.key is None:
            return Recorded.UNHASHED
        return Recorded.MATCHED if self.key.verifies(link_message(link), signature) else Recorded.ALTERED

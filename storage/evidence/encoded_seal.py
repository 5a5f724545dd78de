"""The manifest of a file whose pictures were encoded anew, with masks: hashed while it is written, second by second. Rule 24, EX-04."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import msgspec

from storage.evidence.manifest import (
    NO_SHA256,
    ExportStatement,
    Manifest,
    MaskedArea,
    NamedUuid,
    ProvedPart,
    manifest_key,
    room_bytes,
    signed_box,
    unproved,
)
from storage.evidence.station_key import StationKey
from storage.segments.chain import Recorded

_ORDER = (Recorded.MATCHED, Recorded.UNHASHED, Recorded.ALTERED)


def worst(findings: Iterable[Recorded]) -> Recorded:
    """Of the recorded parts from which something was made: altered before unhashed before matched."""
    return max(findings, key=_ORDER.index, default=Recorded.UNHASHED)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the file, up to the next piece or its end, and the wall time that they show."""

    offset_bytes: int
    start_us: int
    end_us: int


def recorded_of(pieces: Sequence[Piece], sources: Sequence[ProvedPart]) -> list[Recorded]:
    """Of each piece the worst of what it was made from: the recorded parts of its time, and their neighbours that touch it."""
    everything = worst(part.recorded for part in sources)
    found = []
    first = 0
    for piece in pieces:
        while first < len(sources) and sources[first].end_us < piece.start_us:
            first += 1
        touched = []
        for part in islice(sources, first, None):
            if part.start_us > piece.end_us:
                break
            touched.append(part.recorded)
        found.append(worst(touched) if touched else everything)
    return found


class EncodedSeal:
    """Give it all bytes of the file in order, then append `box`. The file must be a whole MP4 of `data_bytes` bytes."""

    def __init__(
        self,
        statement: ExportStatement,
        camera: NamedUuid,
        key: StationKey,
        *,
        asked_us: tuple[int, int],
        shown_us: tuple[int, int],
        stretches: Sequence[tuple[int, int]],
        masks: Sequence[MaskedArea],
        data_bytes: int,
        pieces: Sequence[Piece],
        notes: Sequence[str] = (),
    ) -> None:
        """`pieces` in the file's order; what is before the first is its head. Raises ValueError when they do not fit the file."""
        self._key = key
        self._hash = hashlib.sha256()
        self._hashes: list[str] = []
        start_us, end_us = shown_us
        offsets = [piece.offset_bytes for piece in pieces]
        self._ends = [*offsets, data_bytes]
        """Where the head and each piece end."""
        if not pieces or any(one >= other for one, other in pairwise((-1, *self._ends))):
            raise ValueError("the pieces do not fit the file")
        self._at_bytes = 0
        parts = [
            unproved(piece.start_us, piece.end_us, piece.offset_bytes, stop - piece.offset_bytes)
            for piece, stop in zip(pieces, self._ends[1:], strict=True)
        ]
        self._manifest = Manifest(
            statement=statement,
            key=manifest_key(key.public),
            camera=camera,
            asked_start_us=asked_us[0],
            asked_end_us=asked_us[1],
            start_us=start_us,
            end_us=end_us,
            stretches=tuple(stretches),
            notes=tuple(notes),
            is_encoded_anew=True,
            masks=tuple(masks),
            head_bytes=offsets[0],
            head_sha256=NO_SHA256,
            parts=tuple(parts),
        )
        self.box_bytes = room_bytes(self._manifest)
        """The file grows by so many."""

    def update(self, data: bytes | memoryview) -> None:
        """The next bytes of the file."""
        rest = memoryview(data)
        self._end_pieces()
        while rest and len(self._hashes) < len(self._ends):
            taken = rest[: self._ends[len(self._hashes)] - self._at_bytes]
            self._hash.update(taken)
            self._at_bytes += len(taken)
            rest = rest[len(taken) :]
            self._end_pieces()
        self._at_bytes += len(rest)

    def _end_pieces(self) -> None:
        """The head may be empty."""
        while len(self._hashes) < len(self._ends) and self._at_bytes == self._ends[len(self._hashes)]:
            self._hashes.append(self._hash.hexdigest())
            self._hash = hashlib.sha256()

    def box(self, recorded: Sequence[Recorded]) -> bytes:
        """The manifest's box, of `box_bytes`; `recorded`: of each piece, see `recorded_of`.

        Raises ValueError when it was not given as many bytes as it was told of.
        """
        if self._at_bytes != self._ends[-1]:
            raise ValueError("the file is not as long as was said")
        head, *hashes = self._hashes
        parts = tuple(
            ProvedPart(part.start_us, part.end_us, part.offset_bytes, part.size_bytes, digest, how)
            for part, digest, how in zip(self._manifest.parts, hashes, recorded, strict=True)
        )
        whole = msgspec.structs.replace(self._manifest, parts=parts, head_sha256=head)
        return signed_box(whole, self._key, self.box_bytes)

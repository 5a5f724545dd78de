"""The manifest of a file whose pictures were encoded anew, with masks: hashed while it is written, block by block. Rule 24, EX-04."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from storage.evidence.manifest import (
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

BLOCK_BYTES = 1024 * 1024
_ORDER = (Recorded.MATCHED, Recorded.UNHASHED, Recorded.ALTERED)


def worst(findings: Iterable[Recorded]) -> Recorded:
    """Of the recorded parts from which something was made: altered before unhashed before matched."""
    return max(findings, key=_ORDER.index, default=Recorded.UNHASHED)


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
        notes: Sequence[str] = (),
    ) -> None:
        self._key = key
        self._hash = hashlib.sha256()
        self._filled_bytes = 0
        self._hashes: list[str] = []
        start_us, end_us = shown_us
        self._sizes = [min(BLOCK_BYTES, data_bytes - offset) for offset in range(0, data_bytes, BLOCK_BYTES)]
        # Which of the new bytes show which second only the encoder knew: every block shows all of it.
        parts = [
            unproved(start_us, end_us, index * BLOCK_BYTES, size_bytes)
            for index, size_bytes in enumerate(self._sizes)
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
            head_bytes=0,
            head_sha256=hashlib.sha256().hexdigest(),
            parts=tuple(parts),
        )
        self.box_bytes = room_bytes(self._manifest)
        """The file grows by so many."""

    def update(self, data: bytes | memoryview) -> None:
        """The next bytes of the file."""
        rest = memoryview(data)
        while rest:
            piece = rest[: BLOCK_BYTES - self._filled_bytes]
            self._hash.update(piece)
            self._filled_bytes += len(piece)
            rest = rest[len(piece) :]
            if self._filled_bytes == BLOCK_BYTES:
                self._end_block()

    def _end_block(self) -> None:
        self._hashes.append(self._hash.hexdigest())
        self._hash, self._filled_bytes = hashlib.sha256(), 0

    def box(self, recorded: Recorded) -> bytes:
        """The manifest's box, of `box_bytes`; `recorded`: of what it was made from, see `worst`.

        Raises ValueError when it was not given as many bytes as it was told of.
        """
        if self._filled_bytes:
            self._end_block()
        if len(self._hashes) != len(self._sizes):
            raise ValueError("the file is not as long as was said")
        parts = tuple(
            ProvedPart(part.start_us, part.end_us, part.offset_bytes, part.size_bytes, digest, recorded)
            for part, digest in zip(self._manifest.parts, self._hashes, strict=True)
        )
        return signed_box(msgspec.structs.replace(self._manifest, parts=parts), self._key, self.box_bytes)

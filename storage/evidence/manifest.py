"""The manifest of one exported MP4: what it shows, who made it, and a hash of everything in it, signed. Rule 24, EX-05.

It is the last box of the file, so that a single file and the station's public key are all a proof needs:

    uuid(manifest) = size 'uuid' UUID | manifest bytes (u32) | manifest (JSON, UTF-8) | signature (64) | zeros | box size (u32)

The signature is Ed25519 over the manifest's bytes as they stand there. The room is reserved before the data is hashed, hence
the zeros. Layout by byte, and how to verify it with openssl: docs/evidence.md.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from storage.evidence.public_key import ALGORITHM, SIGNATURE_BYTES, PublicKey
from storage.evidence.station_key import StationKey
from storage.segments.boxes import HEADER_BYTES
from storage.segments.chain import Recorded

MANIFEST_BOX_UUID = UUID("6f0a4d0e-3a5c-4b9e-9a55-77617463686b")
MANIFEST_LIMIT_BYTES = 32 * 1024 * 1024
"""A day has some ten megabytes; more than this is nobody's manifest."""
KIND = "watchdeck-export"
NO_SHA256 = "0" * 64
_LONGEST_RECORDED = Recorded.UNHASHED
FRAME_BYTES = HEADER_BYTES + 16 + 4 + SIGNATURE_BYTES + 4
"""Of the box, besides the manifest and the zeros."""


Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class NamedUuid(msgspec.Struct, frozen=True, kw_only=True):
    """A station or a camera."""

    uuid: str
    name: str


class ManifestKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key that signs. It stands in the manifest so that the file can be checked at all; who owns it, a person must know."""

    algorithm: str
    public_key: str
    """Base64 of the 32 bytes."""
    fingerprint: str
    """SHA-256 of these, hexadecimal."""


class ExportStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Who exports, when and why: what all files of an export have in common."""

    software: str
    """`watchdeck 1.2.3`."""
    station: NamedUuid
    exported_us: int
    exported_by: str
    """The user's name."""
    comment: str = ""


class ProvedPart(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of the file with its hash; for a plain export what one recorded part (at most 1.5 s) gave."""

    start_us: int
    """Wall time of its first picture."""
    end_us: int
    offset_bytes: int
    """In the file."""
    size_bytes: int
    sha256: Sha256
    """Of these bytes, hexadecimal."""
    recorded: Recorded
    """Whether the part on the volume was, when it was exported, what the station had recorded."""


class MaskStyle(StrEnum):
    BLACK = "black"
    PIXELATE = "pixelate"


class MaskedArea(msgspec.Struct, frozen=True, kw_only=True):
    """What was made invisible, in shares of the picture (0 to 1)."""

    left: float
    top: float
    width: float
    height: float
    start_us: int
    end_us: int
    style: MaskStyle


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Unknown fields are tolerated on reading: the signature covers them."""

    kind: str = KIND
    version: int = 1
    statement: ExportStatement
    key: ManifestKey
    camera: NamedUuid
    asked_start_us: int
    asked_end_us: int
    start_us: int
    """Of the first picture: the keyframe at or before the asked start."""
    end_us: int
    stretches: tuple[tuple[int, int], ...]
    """[start_us, end_us) that it shows; what is between them was not recorded."""
    notes: tuple[str, ...] = ()
    """What was left out, and why."""
    is_encoded_anew: bool = False
    """Its pictures were made from the recorded ones, with the masks below: the parts' hashes are of the new ones."""
    masks: tuple[MaskedArea, ...] = ()
    head_bytes: int
    """Everything before the first part: names, times and the index of the pictures."""
    head_sha256: str
    tail_bytes: int = 0
    """Between the last part and the manifest's box."""
    tail_sha256: str = ""
    parts: tuple[ProvedPart, ...]
    """Without a hole between them, in the file's order."""


def manifest_key(key: PublicKey) -> ManifestKey:
    return ManifestKey(algorithm=ALGORITHM, public_key=key.base64, fingerprint=key.fingerprint.hex())


def software_name(version: str) -> str:
    """For `ExportStatement.software`."""
    return f"watchdeck {version}"


def unproved(start_us: int, end_us: int, offset_bytes: int, size_bytes: int) -> ProvedPart:
    """A part whose hash is not known yet; takes as much room as any."""
    return ProvedPart(start_us, end_us, offset_bytes, size_bytes, NO_SHA256, _LONGEST_RECORDED)


def room_bytes(manifest: Manifest) -> int:
    """Size of the box in which this manifest fits once its hashes (NO_SHA256 now) and findings are known."""
    return FRAME_BYTES + len(msgspec.json.encode(manifest))


def signed_box(manifest: Manifest, key: StationKey, box_bytes: int | None = None) -> bytes:
    """The box, padded to `box_bytes`, or as small as it can be. Raises ValueError when it does not fit."""
    body = msgspec.json.encode(manifest)
    least_bytes = FRAME_BYTES + len(body)
    size_bytes = least_bytes if box_bytes is None else box_bytes
    if size_bytes < least_bytes or len(body) > MANIFEST_LIMIT_BYTES:
        raise ValueError(f"a manifest of {len(body)} bytes does not fit into a box of {size_bytes}")
    return b"".join(
        (
            struct.pack(">I4s16sI", size_bytes, b"uuid", MANIFEST_BOX_UUID.bytes, len(body)),
            body,
            key.sign(body),
            bytes(size_bytes - least_bytes),
            struct.pack(">I", size_bytes),
        )
    )


@dataclass(frozen=True, slots=True)
class FoundBox:
    """The manifest's box of a file, taken apart; whether what it says is true is not asked here."""

    body: bytes
    signature: bytes
    is_padded_right: bool
    """What is left of the room are zeros."""


def is_manifest_header(data: bytes) -> bool:
    """These bytes begin a manifest's box."""
    return len(data) >= HEADER_BYTES + 16 and data[4:24] == b"uuid" + MANIFEST_BOX_UUID.bytes


def parse_box(data: bytes) -> FoundBox | None:
    """All bytes of a manifest's box; None when they are none."""
    if len(data) < FRAME_BYTES or not is_manifest_header(data):
        return None
    size_bytes, body_bytes = struct.unpack_from(">I20xI", data)
    if size_bytes != len(data) or FRAME_BYTES + body_bytes > size_bytes:
        return None
    signature_at = HEADER_BYTES + 20 + body_bytes
    padding = data[signature_at + SIGNATURE_BYTES : -4]
    return FoundBox(
        data[HEADER_BYTES + 20 : signature_at],
        data[signature_at : signature_at + SIGNATURE_BYTES],
        not any(padding) and data[-4:] == data[:4],
    )


_MANIFEST = msgspec.json.Decoder(Manifest)


def read_manifest(body: bytes) -> Manifest | None:
    """None when it is none that this version understands."""
    try:
        manifest = _MANIFEST.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError):
        return None
    return manifest if manifest.kind == KIND and manifest.version == 1 else None


def read_key(key: ManifestKey) -> PublicKey | None:
    """The key in a manifest; None when it is not what it says."""
    try:
        public = PublicKey(base64.b64decode(key.public_key, validate=True))
    except ValueError:
        return None
    return public if public.fingerprint.hex() == key.fingerprint and key.algorithm == ALGORITHM else None

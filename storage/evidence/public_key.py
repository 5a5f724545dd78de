"""An Ed25519 public key (RFC 8032) as people and files carry it: PEM, base64, fingerprint. Blocking only in `from_argument`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from storage.errors import FileError, InvalidInput

KEY_BYTES = 32
SIGNATURE_BYTES = 64
ALGORITHM = "ed25519"
_FILE_LIMIT_BYTES = 8192
_HEX_FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The half of a station's key that everybody may have. Equal when the key is."""

    raw: bytes
    """32 bytes, as RFC 8032 encodes them."""

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise ValueError("an Ed25519 public key has 32 bytes")

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the 32 bytes."""
        return hashlib.sha256(self.raw).digest()

    @property
    def base64(self) -> str:
        return base64.b64encode(self.raw).decode()

    @property
    def pem(self) -> str:
        """SubjectPublicKeyInfo (RFC 8410), which openssl reads."""
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """The signature of this message was made by the private half."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def grouped(fingerprint: bytes) -> str:
    """Hexadecimal in groups of four, to be read out on the telephone."""
    digits = fingerprint.hex()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def public_key_from_pem(pem: bytes, where: str) -> PublicKey:
    """Raises InvalidInput when it is none, or of another kind; `where` names the file in the message."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise InvalidInput(
            f"{where} holds no public key in PEM", "`watchdeck station key --pem` prints one"
        ) from exc
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput(f"{where} holds a public key that is not Ed25519")
    return PublicKey(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


@dataclass(frozen=True, slots=True)
class KeyMatch:
    """What a person said the key must be: the key, or only its fingerprint."""

    fingerprint: bytes

    def fits(self, key: PublicKey) -> bool:
        return key.fingerprint == self.fingerprint


def key_from_argument(text: str) -> KeyMatch:
    """A PEM file's path, a fingerprint (hexadecimal, in groups or not) or 32 bytes in base64.

    Raises InvalidInput for anything else, FileError for a file that cannot be read.
    """
    digits = re.sub(r"[\s:-]", "", text).lower()
    if _HEX_FINGERPRINT.match(digits):
        return KeyMatch(bytes.fromhex(digits))
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) == KEY_BYTES:
        return KeyMatch(PublicKey(raw).fingerprint)
    try:
        with open(text, "rb") as file:
            pem = file.read(_FILE_LIMIT_BYTES)
    except FileNotFoundError as exc:
        raise InvalidInput(
            f"{text!r} is no fingerprint, no public key in base64 and no file",
            "give what `watchdeck station key` prints",
        ) from exc
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no path"
        raise FileError(f"the key file {text!r} cannot be read: {reason}", "check its path") from exc
    return KeyMatch(public_key_from_pem(pem, os.path.basename(text)).fingerprint)

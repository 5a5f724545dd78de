"""The station's Ed25519 key: made at the first start, kept in the state folder, signs recordings and exports. Rule 24.

    station.key            private key, PKCS #8 PEM, mode 0600
    station.pub            its public half: the key that was in use last
    keys/<fingerprint>.pem the public halves of all keys there ever were

The private key leaves its file into this process's memory and nowhere else: no method, reply, log line or `repr` shows it.
Blocking; read once, before the engine's loop has much to do.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from storage.durable import fsync_folder, write_atomically
from storage.errors import InvalidInput, KeyUnusable
from storage.evidence.public_key import PublicKey, grouped, public_key_from_pem

KEY_NAME = "station.key"
PUBLIC_NAME = "station.pub"
OLD_FOLDER = "keys"
_FILE_LIMIT_BYTES = 8192
_KEPT_NAME = re.compile(r"[0-9a-f]{64}\.pem\Z")
_KEPT_LIMIT = 1000


class StationKey:
    """The key in use. Threads may share it. Does not show its private half, and cannot be pickled or copied."""

    __slots__ = ("_private", "created_us", "fingerprint", "public", "public_key")

    def __init__(self, private: Ed25519PrivateKey, created_us: int = 0) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        self.public_key = self.public.raw
        self.fingerprint = self.public.fingerprint
        self.created_us = created_us
        """When its file was written."""

    @classmethod
    def generate(cls, created_us: int = 0) -> StationKey:
        """A new one, in memory only."""
        return cls(Ed25519PrivateKey.generate(), created_us)

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032); about 50 us."""
        return self._private.sign(message)

    def pkcs8(self) -> bytes:
        """For its file, and for nothing else."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def __repr__(self) -> str:
        return f"<StationKey {self.fingerprint.hex()[:16]}>"

    def __reduce__(self) -> str:
        raise TypeError("a station's key stays where it is")


@dataclass(frozen=True, slots=True)
class StationKeys:
    """The key in use, or why there is none, and the public halves of all keys of this station."""

    current: StationKey | None
    trouble: KeyUnusable | None = None
    known: dict[bytes, PublicKey] = field(default_factory=dict)
    """By fingerprint; with that of the key in use."""

    def signer(self) -> StationKey:
        """Raises KeyUnusable, which says what is wrong with the file."""
        if self.current is None:
            raise self.trouble or KeyUnusable("the station has no key", "start the engine again")
        return self.current

    @classmethod
    def of(cls, key: StationKey) -> StationKeys:
        """Only this one."""
        return cls(key, None, {key.fingerprint: key.public})


def open_station_keys(state: Path) -> StationKeys:
    """The key in the state folder, made when there was never one. Never raises KeyUnusable: an engine records all the same."""
    try:
        current: StationKey | None = _current(state)
        trouble = None
    except KeyUnusable as exc:
        current, trouble = None, exc
    known = _kept(state / OLD_FOLDER)
    if current is not None:
        known[current.fingerprint] = current.public
    return StationKeys(current, trouble, known)


def known_public_keys(state: Path) -> dict[bytes, PublicKey]:
    """By fingerprint, all that the station ever had; nothing is made or changed."""
    return _kept(state / OLD_FOLDER)


def _current(state: Path) -> StationKey:
    path, public_path = state / KEY_NAME, state / PUBLIC_NAME
    try:
        key, expected = _read_key(path), _read_public(public_path)
        if key is None and expected is not None:
            raise KeyUnusable(
                f"the station's key is gone: {path} is not there, but {public_path} is",
                f"put the file back from a backup, or remove {public_path} and start the engine again: it makes a new key",
            )
        if key is not None and expected is not None and key.public != expected:
            raise KeyUnusable(
                f"the station's key was replaced: {path} is {grouped(key.fingerprint)},"
                f" and not {grouped(expected.fingerprint)} as before",
                f"put the right file back; if the new one is meant, remove {public_path} and start the engine again",
            )
        if key is None:
            key = StationKey.generate()
            write_atomically(path, key.pkcs8(), 0o600)
        if expected is None:
            _keep(state / OLD_FOLDER, key.public)
            write_atomically(public_path, key.public.pem.encode(), 0o644)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return StationKey(key._private, path.stat().st_mtime_ns // 1000)
    except OSError as exc:
        raise KeyUnusable(
            f"the station's key cannot be used: {exc.filename or path}: {exc.strerror}",
            "the file belongs to the engine's user and has mode 0600; then start the engine again",
        ) from exc


def _read_key(path: Path) -> StationKey | None:
    content = _content(path)
    if content is None:
        return None
    try:
        private = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        # The library's own words could quote what it read: they go no further.
        raise KeyUnusable(
            f"the station's key cannot be read: {path} is no unencrypted PKCS #8 key",
            "put it back from a backup",
        ) from exc
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnusable(
            f"the station's key cannot be used: {path} is not Ed25519", "put it back from a backup"
        )
    return StationKey(private)


def _read_public(path: Path) -> PublicKey | None:
    content = _content(path)
    if content is None:
        return None
    try:
        return public_key_from_pem(content, str(path))
    except InvalidInput as exc:
        raise KeyUnusable(
            f"which key the station had cannot be told: {exc.what}",
            f"if {KEY_NAME} is the right one, remove {path} and start the engine again",
        ) from exc


def _content(path: Path) -> bytes | None:
    """Of the file, never through a link; None when it is not there. Raises OSError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        return os.read(fd, _FILE_LIMIT_BYTES)
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, str(path)) from exc
    finally:
        os.close(fd)


def _keep(folder: Path, key: PublicKey) -> None:
    """Remember a public key for ever: what it signed is looked at years later."""
    if not folder.is_dir():
        folder.mkdir(0o700)
        fsync_folder(folder.parent)
    write_atomically(folder / f"{key.fingerprint.hex()}.pem", key.pem.encode(), 0o644)


def _kept(folder: Path) -> dict[bytes, PublicKey]:
    """Those that can be read and are what their names say."""
    found: dict[bytes, PublicKey] = {}
    try:
        names = sorted(name for name in os.listdir(folder) if _KEPT_NAME.match(name))
    except OSError:
        return found
    for name in names[:_KEPT_LIMIT]:
        try:
            content = _content(folder / name)
            key = public_key_from_pem(content or b"", name)
        except (OSError, InvalidInput):
            continue
        if key.fingerprint.hex() == name.removesuffix(".pem"):
            found[key.fingerprint] = key
    return found

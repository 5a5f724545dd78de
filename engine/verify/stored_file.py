"""Bytes of a file that lies in a ZIP unpacked, encrypted or not, from any place on: a video's manifest is at its end. Blocking.

WinZip's AES is a stream (counter mode): what is in the middle can be opened without what is before it. Nothing is proved by that;
the check over the whole (HMAC) is done when the whole is read.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyzipper
from Cryptodome.Cipher import AES
from Cryptodome.Util import Counter

_LOCAL_BYTES = 30
_BLOCK_BYTES = 16
_SALT_BYTES = {1: 8, 2: 12, 3: 16}
"""By strength: AES of 128, 192 and 256 bits."""
_CHECK_BYTES = 2
_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Of an archive that stays open."""

    archive: Any
    entry: Any

    def read(self, offset_bytes: int, size_bytes: int) -> bytes:
        """Inside the file. Raises OSError, struct.error; EOFError when it is not all there."""
        at_bytes = self._data_at()
        strength = self.entry.wz_aes_strength if self.entry.flag_bits & 1 else None
        if strength is None:
            return self._raw(at_bytes + offset_bytes, size_bytes)
        salt = self._raw(at_bytes, _SALT_BYTES[strength])
        key_bytes = 2 * len(salt)
        key = hashlib.pbkdf2_hmac("sha1", self.archive.pwd, salt, _ROUNDS, 2 * key_bytes + _CHECK_BYTES)
        skipped_bytes = offset_bytes % _BLOCK_BYTES
        counter = Counter.new(128, initial_value=1 + offset_bytes // _BLOCK_BYTES, little_endian=True)
        first = at_bytes + len(salt) + _CHECK_BYTES + offset_bytes - skipped_bytes
        cipher = AES.new(key[:key_bytes], AES.MODE_CTR, counter=counter)
        return bytes(cipher.decrypt(self._raw(first, skipped_bytes + size_bytes))[skipped_bytes:])

    def _data_at(self) -> int:
        """Behind its local header, whose extra fields may be others than in the list."""
        head = self._raw(self.entry.header_offset, _LOCAL_BYTES)
        signature, name_bytes, extra_bytes = struct.unpack("<4s22xHH", head)
        if signature != b"PK\3\4":
            raise pyzipper.BadZipFile("its header is not where the list says")
        return int(self.entry.header_offset) + _LOCAL_BYTES + int(name_bytes) + int(extra_bytes)

    def _raw(self, at_bytes: int, size_bytes: int) -> bytes:
        file: BinaryIO = self.archive.fp
        file.seek(at_bytes)
        data = file.read(size_bytes)
        if len(data) != size_bytes:
            raise EOFError("the ZIP ends in the middle of it")
        return data


def stored_file(archive: Any, entry: Any) -> StoredFile | None:
    """None for one that is packed, or encrypted in another way than AES."""
    if entry.compress_type != pyzipper.ZIP_STORED:
        return None
    if entry.flag_bits & 1 and (entry.wz_aes_version is None or entry.wz_aes_strength not in _SALT_BYTES):
        return None
    return StoredFile(archive, entry)

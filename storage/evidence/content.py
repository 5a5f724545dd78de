"""A file to verify: on disk, or inside a ZIP. Read forwards, in bounded pieces; never written anywhere. Blocking."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from storage.errors import FileError, NotFound

CHUNK_BYTES = 1024 * 1024
REST_LIMIT_BYTES = 64 * CHUNK_BYTES
"""Read at the end of a file only to know its hash. Who breaks off (Ctrl-C) waits for no more than that."""


class Content(Protocol):
    """Something with a name and bytes."""

    name: str
    size_bytes: int

    def open(self) -> BinaryIO:
        """From its beginning. Raises FileError."""

    def tail(self, size_bytes: int) -> bytes:
        """Its last bytes, or all. Raises FileError."""


class FileContent:
    """A regular file, never reached through a link as its last step."""

    def __init__(self, path: Path, name: str = "") -> None:
        """Raises NotFound, FileError."""
        self.path = path
        self.name = name or str(path)
        with self.open() as file:
            found = os.fstat(file.fileno())
        self.size_bytes = found.st_size

    def open(self) -> BinaryIO:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError as exc:
            raise NotFound(f"{self.name} does not exist", "check its path") from exc
        except OSError as exc:
            raise FileError(f"{self.name} cannot be read: {exc.strerror}", "check its path") from exc
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise FileError(f"{self.name} is no plain file", "name a file, a folder or a ZIP")
        return os.fdopen(fd, "rb")

    def tail(self, size_bytes: int) -> bytes:
        with self.open() as file:
            file.seek(max(self.size_bytes - size_bytes, 0))
            return read_up_to(file, size_bytes, self.name)


class HashedContent:
    """A content whose hash is known without another reading, once it was read from its beginning to its end."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self.name = content.name
        self.size_bytes = content.size_bytes
        self._sha256 = ""

    def open(self) -> BinaryIO:
        return cast("BinaryIO", _HashedReader(self._content.open(), self))

    def tail(self, size_bytes: int) -> bytes:
        return self._content.tail(size_bytes)

    def sha256(self) -> str:
        """Hexadecimal. Raises FileError."""
        if not self._sha256:
            with self._content.open() as file:
                self._sha256, _ = hash_of_next(file, self.size_bytes, self.name)
        return self._sha256

    def was_read(self, digest: str) -> None:
        self._sha256 = digest


class _HashedReader(io.RawIOBase):
    """Reads forwards only: what was skipped would not be hashed."""

    def __init__(self, file: BinaryIO, content: HashedContent) -> None:
        self._file = file
        self._content = content
        self._digest = hashlib.sha256()
        self._read_bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        self._read_bytes += len(data)
        return data

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """What nobody wanted to see is hashed as well, when it is little: most often the manifest at the end."""
        if not self.closed and self._content.size_bytes - self._read_bytes <= REST_LIMIT_BYTES:
            with contextlib.suppress(OSError):  # whoever asks for the hash reads anew, and is told
                while self._read_bytes < self._content.size_bytes and self.read(CHUNK_BYTES):
                    pass
            if self._read_bytes == self._content.size_bytes:
                self._content.was_read(self._digest.hexdigest())
        self._file.close()
        super().close()


def read_up_to(file: BinaryIO, size_bytes: int, name: str) -> bytes:
    """So many bytes, or as many as there are. Raises FileError."""
    pieces = []
    for piece in pieces_of(file, size_bytes, name):
        pieces.append(piece)
    return b"".join(pieces)


def pieces_of(file: BinaryIO, size_bytes: int, name: str) -> Iterator[bytes]:
    """The next bytes, at most so many, piece by piece. Raises FileError."""
    while size_bytes > 0:
        try:
            piece = file.read(min(CHUNK_BYTES, size_bytes))
        except OSError as exc:
            raise FileError(f"{name} cannot be read: {exc.strerror or exc}", "copy it again") from exc
        if not piece:
            return
        size_bytes -= len(piece)
        yield piece


def hash_of_next(file: BinaryIO, size_bytes: int, name: str) -> tuple[str, int]:
    """(SHA-256 in hexadecimal, how many there were) of the next bytes."""
    digest, found_bytes = hashlib.sha256(), 0
    for piece in pieces_of(file, size_bytes, name):
        digest.update(piece)
        found_bytes += len(piece)
    return digest.hexdigest(), found_bytes

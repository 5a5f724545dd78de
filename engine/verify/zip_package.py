"""A ZIP as a package to verify, encrypted (WinZip AE-1 and AE-2) or not. Nothing of it is written to a disk. Blocking.

The ZIP is hostile until proven otherwise: names that lead elsewhere, links, doubles, bombs and directories without end are
refused before anything is unpacked, and unpacking stops where a file grows beyond what was announced.
"""

from __future__ import annotations

import io
import stat
import struct
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

import pyzipper

from engine.verify.stored_file import stored_file
from storage.errors import FileError, InvalidInput, WatchdeckError
from storage.evidence.content import CHUNK_BYTES, Content, FileContent, pieces_of
from storage.evidence.manifest import FRAME_BYTES, MANIFEST_LIMIT_BYTES
from storage.evidence.package import MANIFEST_NAME

ENTRY_LIMIT = 10_000
DIRECTORY_LIMIT_BYTES = 8 * 1024 * 1024
"""Of the list of its files, which is read into memory."""
BOMB_RATIO = 200
"""Unpacked to packed: video stays below 2, text below 30."""
BOMB_FREE_BYTES = 16 * 1024 * 1024
"""A file below this may be as repetitive as it likes."""
_TAIL_LIMIT_BYTES = FRAME_BYTES + MANIFEST_LIMIT_BYTES
_KEPT_TAIL_BYTES = 1024 * 1024
_END_BYTES = 22
_LOCATOR_BYTES = 20
_END64_BYTES = 56
_ENDING_BYTES = 65_535 + _END_BYTES + _LOCATOR_BYTES + _END64_BYTES
_LARGE = (b"PK\x06\x06", b"PK\x06\x07")
_METHODS = (pyzipper.ZIP_STORED, pyzipper.ZIP_DEFLATED)
"""Others take as much memory as the file asks for."""
_NOT_OURS = "no export of Watchdeck is made like this; do not unpack it"
_BROKEN = (pyzipper.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError, KeyError)


def is_zip(path: Path) -> bool:
    """It is a plain file and begins as a ZIP does: a pipe that nobody writes to is not waited for."""
    try:
        with FileContent(path).open() as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except (OSError, WatchdeckError):
        return False


class ZipPackage:
    """An opened ZIP. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Raises FileError, InvalidInput for one that is refused."""
        self.path = path
        content = FileContent(path)
        _check_directory(content)
        self._raw = content.open()
        try:
            self._zip = pyzipper.AESZipFile(self._raw)
            self._entries = self._checked()
        except _BROKEN as exc:
            self._raw.close()
            raise InvalidInput(f"{path} is no ZIP that can be read: {exc}", "copy it again") from exc
        except BaseException:
            self._raw.close()
            raise

    def __enter__(self) -> ZipPackage:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._raw.close()

    @property
    def is_encrypted(self) -> bool:
        return any(entry.flag_bits & 1 for entry in self._entries)

    def open_with(self, password: str) -> None:
        """Use this password. Raises InvalidInput when it is the wrong one."""
        self._zip.setpassword(password.encode())
        entry = min((e for e in self._entries if e.flag_bits & 1), key=lambda each: each.file_size)
        try:
            with self._zip.open(entry) as file:
                # Two bytes tell nearly all wrong passwords; its end tells the others.
                file.read(min(entry.file_size, CHUNK_BYTES) + 1)
        except RuntimeError as exc:  # what pyzipper raises for nothing else
            raise InvalidInput(f"the password does not open {self.path}", "check its spelling") from exc
        except pyzipper.BadZipFile as exc:
            raise InvalidInput(
                f"the password does not open {self.path}, or {entry.filename} in it was changed",
                "check its spelling",
            ) from exc
        except (OSError, *_BROKEN) as exc:
            raise FileError(f"{self.path} cannot be read: {exc}", "copy it again") from exc

    def contents(self) -> dict[str, Content]:
        """All files by name, as seen from the folder in which the manifest is."""
        root = ""
        names = [entry.filename for entry in self._entries]
        if MANIFEST_NAME not in names:
            roots = {name.partition("/")[0] for name in names}
            (only, *others) = roots or {""}
            if not others and f"{only}/{MANIFEST_NAME}" in names:
                root = f"{only}/"
        kept = _KeptTail()
        return {
            entry.filename.removeprefix(root): ZipContent(
                self._zip, entry, f"{self.path}/{entry.filename}", kept
            )
            for entry in self._entries
        }

    def _checked(self) -> list[Any]:
        """The entries that are files. Raises InvalidInput for what no export holds."""
        entries = self._zip.infolist()
        if len(entries) > ENTRY_LIMIT:  # more than was said
            raise InvalidInput(_too_much(str(self.path), len(entries)), _NOT_OURS)
        seen: set[str] = set()
        for entry in entries:
            trouble = _trouble(entry, seen)
            if trouble:
                raise InvalidInput(
                    f"{self.path} is refused: {ascii(entry.filename[:100])} {trouble}",
                    _NOT_OURS,
                )
            seen.add(entry.filename)
        return [entry for entry in entries if not entry.filename.endswith("/")]


def _trouble(entry: Any, seen: set[str]) -> str:
    name: str = entry.filename
    path = PurePosixPath(name)
    if (
        not name
        or path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or "\0" in name
        or ":" in name[:2]
    ):
        return "leads out of the ZIP"
    if name in seen:
        return "is there twice"
    mode = entry.external_attr >> 16
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
        return "is a link or a device"
    if entry.compress_type not in _METHODS:
        return f"is packed by method {entry.compress_type}"
    if entry.file_size > BOMB_FREE_BYTES and entry.file_size > BOMB_RATIO * max(entry.compress_size, 1):
        return f"would unpack to {entry.file_size} bytes from {entry.compress_size}"
    return ""


def _check_directory(content: FileContent) -> None:
    """Before the library reads the list of files into memory: it must be of a sane size. Raises InvalidInput."""
    ending = content.tail(_ENDING_BYTES)
    at = ending.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_BYTES > len(ending):
        raise InvalidInput(f"{content.name} is no whole ZIP: its list of files is not there", "copy it again")
    entries, directory_bytes = struct.unpack_from("<HI", ending, at + 10)
    large = at - _LOCATOR_BYTES - _END64_BYTES
    # Whatever the end says: with a locator before it, the library goes by the record in front of that.
    if large >= 0 and (ending[large : large + 4], ending[at - _LOCATOR_BYTES :][:4]) == _LARGE:
        entries, directory_bytes = struct.unpack_from("<QQ", ending, large + 32)
    if entries > ENTRY_LIMIT or directory_bytes > DIRECTORY_LIMIT_BYTES:
        raise InvalidInput(_too_much(content.name, entries), _NOT_OURS)


def _too_much(name: str, entries: int) -> str:
    return f"{name} is refused: it lists {entries} files, or its list is too long"


@dataclass(slots=True)
class _KeptTail:
    """The end of the packed file that was unpacked last: who asks for four bytes of it asks for more."""

    entry: Any = None
    tail: bytes = b""


class ZipContent:
    """A file of the ZIP."""

    def __init__(self, archive: Any, entry: Any, name: str, kept: _KeptTail) -> None:
        self._zip = archive
        self._entry = entry
        self.name = name
        self.size_bytes: int = entry.file_size
        self._stored = stored_file(archive, entry)
        self._kept = kept

    def open(self) -> BinaryIO:
        try:
            file = self._zip.open(self._entry)
        except RuntimeError as exc:
            raise InvalidInput(f"the password does not open {self.name}", "check its spelling") from exc
        except (OSError, *_BROKEN) as exc:
            raise FileError(f"{self.name} cannot be read: {exc}", "copy the ZIP again") from exc
        return cast("BinaryIO", _Forwards(file, self.size_bytes))

    def tail(self, size_bytes: int) -> bytes:
        """What is stored is read where it lies; what is packed is unpacked up to its end, which is kept.

        What the encryption's own check says of these bytes is known only when the whole was read.
        """
        wanted_bytes = min(size_bytes, _TAIL_LIMIT_BYTES, self.size_bytes)
        if self._kept.entry is self._entry and len(self._kept.tail) >= wanted_bytes:
            return self._kept.tail[-wanted_bytes:] if wanted_bytes else b""
        if self._stored is not None:
            try:
                return self._stored.read(self.size_bytes - wanted_bytes, wanted_bytes)
            except (OSError, *_BROKEN) as exc:
                raise FileError(f"{self.name} cannot be read: {exc}", "copy the ZIP again") from exc
        kept_wanted_bytes = max(wanted_bytes, min(_KEPT_TAIL_BYTES, self.size_bytes))
        kept: deque[bytes] = deque()
        kept_bytes = 0
        with self.open() as file:
            for piece in pieces_of(file, self.size_bytes, self.name):
                kept.append(piece)
                kept_bytes += len(piece)
                while kept_bytes - len(kept[0]) >= kept_wanted_bytes:
                    kept_bytes -= len(kept.popleft())
        tail = b"".join(kept)[-kept_wanted_bytes:]
        self._kept.entry, self._kept.tail = self._entry, tail[-_KEPT_TAIL_BYTES:]
        return tail[-wanted_bytes:] if wanted_bytes else b""


class _Forwards(io.RawIOBase):
    """Reads a packed file once, and never more than was announced; what is broken in it is an OSError."""

    def __init__(self, file: IO[bytes], size_bytes: int) -> None:
        self._file = file
        self._left_bytes = size_bytes

    def read(self, size: int = -1, /) -> bytes:
        wanted_bytes = min(self._left_bytes, CHUNK_BYTES if size < 0 else size)
        if wanted_bytes == 0:
            return b""
        try:
            data = self._file.read(wanted_bytes)
        except _BROKEN as exc:
            raise OSError(f"it was changed in the ZIP ({exc})") from exc
        self._left_bytes -= len(data)
        return data

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self._file.close()
        super().close()

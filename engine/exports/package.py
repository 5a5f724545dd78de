"""What an export is written into: plain files in a folder, or one ZIP with AES-256. Blocking: file threads, one step at a time.

The ZIP is WinZip's AE-2 (https://www.winzip.com/en/support/aes-encryption/): PBKDF2-HMAC-SHA1, AES-256 in counter mode,
HMAC-SHA1 over the ciphertext; 7-Zip, WinZip, bsdtar and others open it. Videos are stored, not compressed; beyond 4 GiB it
is ZIP64. What goes into it never lies on the disk in plain (a masked video does, nameless, while it is made). Names, sizes and times stay readable in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol, cast

import pyzipper

from engine.exports.folder import Space, folder_error
from engine.exports.names import local_moment
from engine.wire_evidence import ExportedFile
from storage.errors import VolumeFull

SYNC_BYTES = 32 << 20
"""Written and then forced to the disk: the recorder's flushes must not wait for gigabytes of ours."""
HASH_BYTES = 1 << 20
_ZIP64_BYTES = 1 << 31
_FILE_MODE = 0o600


class Package(Protocol):
    """Files one after another; after `finish` they are on disk. `discard` is safe at any time, and again."""

    def begin(self, name: str, *, size_bytes: int, is_text: bool, time_us: int) -> None: ...

    def write(self, data: bytes) -> None: ...

    def end(self) -> ExportedFile: ...

    def drop(self) -> None:
        """Take the file that was begun back, as if it had never been; nothing happens when none was. Raises VolumeError."""

    def finish(self) -> Iterator[int]:
        """Steps, each done when the next is asked for: bytes looked at again so far."""

    @property
    def files(self) -> tuple[ExportedFile, ...]: ...

    def discard(self) -> None: ...


class GuardedFile:
    """A new file that stops before the disk is full, and does not fill the page cache. Raises VolumeError."""

    def __init__(self, path: Path, space: Callable[[], Space]) -> None:
        self.path = path
        self._space = space
        self._unsynced_bytes = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self.raw: IO[bytes] = os.fdopen(os.open(path, flags, _FILE_MODE), "w+b", buffering=0)
        except OSError as exc:
            raise folder_error(exc, path.parent) from exc

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        try:
            while view:
                view = view[self.raw.write(view) :]
            self._unsynced_bytes += len(data)
            if self._unsynced_bytes >= SYNC_BYTES:
                self._check_room()
                os.fdatasync(self.raw.fileno())
                self._unsynced_bytes = 0
        except OSError as exc:
            raise folder_error(exc, self.path.parent) from exc
        return len(data)

    def _check_room(self) -> None:
        space = self._space()
        if space.free_bytes < space.spare_bytes // 2:
            raise VolumeFull(
                f"exports in {self.path.parent}: only {space.free_bytes >> 20} MiB are left on the disk",
                "free space there, or export less at once",
            )

    # What zipfile needs besides.

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.raw.seek(offset, whence)

    def tell(self) -> int:
        return self.raw.tell()

    def seekable(self) -> bool:
        return True

    def flush(self) -> None:
        """Unbuffered."""

    def cut(self, size_bytes: int) -> None:
        """What is behind that goes. Raises VolumeError."""
        try:
            self.raw.truncate(size_bytes)
            self.raw.seek(size_bytes)
        except OSError as exc:
            raise folder_error(exc, self.path.parent) from exc

    def close(self) -> None:
        """Whole on disk. Raises VolumeError."""
        if self.raw.closed:
            return
        try:
            os.fsync(self.raw.fileno())
            self.raw.close()
        except OSError as exc:
            raise folder_error(exc, self.path.parent) from exc

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self.raw.close()
        self.path.unlink(missing_ok=True)


class PlainPackage:
    """A file each, in a folder."""

    def __init__(self, folder: Path, space: Callable[[], Space]) -> None:
        self._folder = folder
        self._space = space
        self._file: GuardedFile | None = None
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._files: list[ExportedFile] = []

    @property
    def files(self) -> tuple[ExportedFile, ...]:
        return tuple(self._files)

    def begin(self, name: str, *, size_bytes: int, is_text: bool, time_us: int) -> None:
        self._file = GuardedFile(self._folder / name, self._space)
        self._hash, self._bytes = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        assert self._file is not None
        self._file.write(data)
        self._hash.update(data)
        self._bytes += len(data)

    def end(self) -> ExportedFile:
        assert self._file is not None
        self._file.close()
        made = ExportedFile(name=self._file.path.name, bytes=self._bytes, sha256=self._hash.hexdigest())
        self._file = None
        self._files.append(made)
        return made

    def drop(self) -> None:
        if self._file is not None:
            self._file.discard()
            self._file = None

    def finish(self) -> Iterator[int]:
        yield from ()

    def discard(self) -> None:
        self.drop()


class ZipPackage:
    """All of them in one encrypted ZIP."""

    def __init__(self, path: Path, password: str, space: Callable[[], Space]) -> None:
        self._file = GuardedFile(path, space)
        self._zip: Any = pyzipper.AESZipFile(
            self._file,
            "w",
            compression=pyzipper.ZIP_STORED,
            allowZip64=True,
            encryption=pyzipper.WZ_AES,
            encryption_kwargs={"nbits": 256, "force_wz_aes_version": pyzipper.zipfile_aes.WZ_AES_V2},
        )
        self._zip.setpassword(password.encode())
        self._entry: IO[bytes] | None = None
        self._name = ""
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._files: list[ExportedFile] = []

    @property
    def files(self) -> tuple[ExportedFile, ...]:
        """The ZIP itself, when it is whole."""
        return tuple(self._files)

    def begin(self, name: str, *, size_bytes: int, is_text: bool, time_us: int) -> None:
        info = self._zip.zipinfo_cls(name, local_moment(time_us).timetuple()[:6])
        info.compress_type = pyzipper.ZIP_DEFLATED if is_text else pyzipper.ZIP_STORED
        info.external_attr = _FILE_MODE << 16
        self._entry = self._zip.open(info, "w", force_zip64=size_bytes >= _ZIP64_BYTES)
        self._name, self._hash, self._bytes = name, hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        assert self._entry is not None
        self._entry.write(data)
        self._hash.update(data)
        self._bytes += len(data)

    def end(self) -> ExportedFile:
        """Of the plain file: what somebody finds after taking it out."""
        assert self._entry is not None
        self._entry.close()
        self._entry = None
        return ExportedFile(name=self._name, bytes=self._bytes, sha256=self._hash.hexdigest())

    def drop(self) -> None:
        if self._entry is None:
            return
        self._forget_entry()
        # An entry is in the ZIP's list only when it was closed: the next one begins where this one did.
        self._zip._writing = False
        self._file.cut(self._zip.start_dir)

    def finish(self) -> Iterator[int]:
        """Its headers were filled in after their data: only the whole file has a hash."""
        self._zip.close()
        self._file.close()
        whole = hashlib.sha256()
        looked_bytes = 0
        try:
            with self._file.path.open("rb", buffering=0) as file:
                while data := file.read(HASH_BYTES):
                    whole.update(data)
                    looked_bytes += len(data)
                    yield looked_bytes
        except OSError as exc:
            raise folder_error(exc, self._file.path.parent) from exc
        self._files.append(
            ExportedFile(name=self._file.path.name, bytes=looked_bytes, sha256=whole.hexdigest())
        )

    def discard(self) -> None:
        # Its finaliser would else write the end of the archive into a file that is gone.
        self._zip.fp = None
        self._forget_entry()
        self._file.discard()

    def _forget_entry(self) -> None:
        """Closed without what its own closing would write."""
        entry, self._entry = self._entry, None
        if entry is not None:
            io.BufferedIOBase.close(cast(io.BufferedIOBase, entry))

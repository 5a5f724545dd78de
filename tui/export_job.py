"""Saving an export or a snapshot on the operator's machine: temporary file, then a new name; nothing is left of a failure.

File work runs on a thread of the job's own, so that a slow home directory never stops the console.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO, TypeVar

from tui.byte_stream import ByteStream
from tui.connection import Client
from widgets.format import local_datetime

T = TypeVar("T")

SPARE_BYTES = 64 * 1024 * 1024
"""Left free on the disk of the exports."""
NAME_BYTES = 160
"""Of a camera's name in a file's, which has 255."""


class SaveFailed(Exception):
    """The file could not be written; the text says why."""


def safe_name(text: str) -> str:
    """A camera's name as part of a file name: letters, digits, `-`, `_` and `.`; never empty or hidden."""
    cleaned = re.sub(r"[^\w.-]+", "-", text, flags=re.UNICODE).strip("-._")
    return cleaned.encode()[:NAME_BYTES].decode(errors="ignore") or "camera"


def file_name(camera: str, start_us: int, zone: tzinfo, suffix: str) -> str:
    """`driveway-2026-03-04-140320.mp4`."""
    return f"{safe_name(camera)}-{local_datetime(start_us, zone):%Y-%m-%d-%H%M%S}{suffix}"


def free_bytes(folder: Path) -> int:
    """Of the file system the folder is or will be on."""
    while not os.path.exists(folder):  # `Path` raises for one that may not be looked at
        folder = folder.parent
    return shutil.disk_usage(folder).free


async def export_to_file(
    client: Client,
    camera: str,
    start_us: int,
    end_us: int,
    path: Path,
    on_progress: Callable[[int, int], None],
) -> Path:
    """Fetch an export into `path` (or `path-2` ...). Cancelled or failed: the temporary file is removed.

    Raises SaveFailed for the operator's disk, WatchdeckError for the engine.
    """
    async with client.export(camera, start_us, end_us) as export:
        return await save_stream(export, path, on_progress)


async def save_stream(
    stream: ByteStream, path: Path, on_progress: Callable[[int, int], None], *, sha256: str = ""
) -> Path:
    """What arrives into `path` (or `path-2` ...), checked against the hash if one is given. Raises as `export_to_file`."""
    digest = hashlib.sha256()
    total_bytes, done_bytes = stream.total_bytes, 0
    async with _saving(path, total_bytes) as file:
        async for piece in stream:
            await file.run(file.write, piece)
            if sha256:
                await file.run(digest.update, piece)
            done_bytes += len(piece)
            on_progress(done_bytes, total_bytes)
        if sha256 and digest.hexdigest() != sha256:
            raise SaveFailed(f"{path.name} is not what the engine wrote: fetch it again")
        saved = await file.run(file.finish)
    return saved


async def fetch_export(
    client: Client,
    id: str,
    name: str,
    files: Sequence[tuple[str, int, str]],
    folder: Path,
    on_progress: Callable[[int, int], None],
) -> Path:
    """All files (name, bytes, SHA-256) of an export into a new folder of its name; one file alone goes without a folder.

    Cancelled or failed, nothing is left. Raises SaveFailed, WatchdeckError.
    """
    total_bytes = sum(size_bytes for _, size_bytes, _ in files)
    for file_name_, _, _ in files:
        if "/" in file_name_ or file_name_ in ("", ".", ".."):
            raise SaveFailed(f"no name for a file: {file_name_!r}")
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, thread_name_prefix="fetch")
    made: list[Path] = []

    def make_folder() -> None:
        made.append(_new_folder(folder / safe_name(name)))

    def forget_folder() -> None:
        for each in made:
            shutil.rmtree(each, ignore_errors=True)

    try:
        if len(files) > 1:
            await loop.run_in_executor(thread, make_folder)
        target = made[0] if made else folder
        saved, done_bytes = target, 0
        for file_name_, size_bytes, sha256 in files:
            before_bytes = done_bytes

            def progress(arrived_bytes: int, _: int, before_bytes: int = before_bytes) -> None:
                on_progress(before_bytes + arrived_bytes, total_bytes)

            async with client.export_file(id, file_name_) as stream:
                saved = await save_stream(stream, target / file_name_, progress, sha256=sha256)
            done_bytes += size_bytes
    except BaseException:
        await _to_the_end(thread, forget_folder)
        raise
    finally:
        thread.shutdown(wait=False)
    return saved if len(files) == 1 else target


async def _to_the_end(thread: ThreadPoolExecutor, step: Callable[[], object]) -> None:
    """A last step behind those under way: it is done even when nobody can wait for it any more."""
    await asyncio.shield(asyncio.wrap_future(thread.submit(step)))


def _new_folder(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            target = path if number == 1 else path.with_name(f"{path.name}-{number}")
            try:
                target.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return target
    except OSError as error:
        raise SaveFailed(f"{path}: {error.strerror}") from error
    raise SaveFailed(f"{path}: a thousand folders of that name exist")


class _PartFile:
    """A file under a name of its own until it is whole. Its methods that wait for nothing are steps of its thread, one after the
    other: what is cancelled while it runs has ended when the file is discarded."""

    def __init__(self, path: Path, total_bytes: int) -> None:
        self._path = path
        self._total_bytes = total_bytes
        self._file: BinaryIO | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="save")

    async def run(self, step: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step, *args)

    async def give_up(self) -> None:
        await _to_the_end(self._thread, self._discard)

    def end(self) -> None:
        """No more steps; those under way still end."""
        self._thread.shutdown(wait=False)

    def open(self) -> None:
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            free = free_bytes(folder)
            if free < self._total_bytes + SPARE_BYTES:
                raise SaveFailed(
                    f"{folder} has {free / 1e9:.2f} GB free, the export needs {self._total_bytes / 1e9:.2f} GB"
                )
            # Not after the file: two of the same second are written at once, and a name may be as long as a name can be.
            self._file = open(folder / f".watchdeck-{os.getpid()}-{secrets.token_hex(6)}.part", "xb")
        except OSError as error:
            raise SaveFailed(f"{folder}: {error.strerror}") from error

    def write(self, piece: bytes) -> None:
        assert self._file is not None
        try:
            self._file.write(piece)
        except OSError as error:
            raise SaveFailed(f"{self._path}: {error.strerror}") from error

    def finish(self) -> Path:
        """Flush to the disk, then take the first free name."""
        assert self._file is not None
        path, part = self._path, Path(self._file.name)
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            for number in range(1, 1000):
                target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
                try:
                    _name(part, target)
                except FileExistsError:
                    continue
                return target
        except OSError as error:
            raise SaveFailed(f"{path}: {error.strerror}") from error
        raise SaveFailed(f"{path}: a thousand files of that name exist")

    def _discard(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what it still held may find no room
                self._file.close()
            with suppress(OSError):
                os.unlink(self._file.name)


def _name(part: Path, target: Path) -> None:
    """Give a file the name it keeps; FileExistsError when that is taken."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a USB stick, a share: no second names there
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        os.replace(part, target)
    else:
        os.unlink(part)


@asynccontextmanager
async def _saving(path: Path, total_bytes: int) -> AsyncIterator[_PartFile]:
    """The file to write what becomes `path`, opened; discarded unless it was finished."""
    file = _PartFile(path, total_bytes)
    try:
        await file.run(file.open)
        yield file
    except BaseException:
        await file.give_up()
        raise
    finally:
        file.end()


async def save_bytes(data: bytes, path: Path) -> Path:
    """A small file (a snapshot), in the same careful way."""
    async with _saving(path, len(data)) as file:
        await file.run(file.write, data)
        saved = await file.run(file.finish)
    return saved

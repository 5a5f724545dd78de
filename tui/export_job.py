"""Saving an export or a snapshot on the operator's machine: temporary file, then a new name; nothing is left of a failure.

File work runs on a thread of the job's own, so that a slow home directory never stops the console.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

from tui.byte_stream import ByteStream
from tui.connection import Client
from widgets.format import local_datetime

SPARE_BYTES = 64 * 1024 * 1024
"""Left free on the disk of the exports."""


class SaveFailed(Exception):
    """The file could not be written; the text says why."""


def safe_name(text: str) -> str:
    """A camera's name as part of a file name: letters, digits, `-`, `_` and `.`; never empty or hidden."""
    cleaned = re.sub(r"[^\w.-]+", "-", text, flags=re.UNICODE).strip("-._")
    return cleaned[:80] or "camera"


def file_name(camera: str, start_us: int, zone: tzinfo, suffix: str) -> str:
    """`driveway-2026-03-04-140320.mp4`."""
    return f"{safe_name(camera)}-{local_datetime(start_us, zone):%Y-%m-%d-%H%M%S}{suffix}"


def free_bytes(folder: Path) -> int:
    """Of the file system the folder is or will be on."""
    while not folder.exists():
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
    loop = asyncio.get_running_loop()
    digest = hashlib.sha256()
    with ThreadPoolExecutor(1, thread_name_prefix="export") as thread:
        total_bytes, done_bytes = stream.total_bytes, 0
        file = await loop.run_in_executor(thread, _open_part, path, total_bytes)
        try:
            async for piece in stream:
                await loop.run_in_executor(thread, _write, file, piece)
                if sha256:
                    await loop.run_in_executor(thread, digest.update, piece)
                done_bytes += len(piece)
                on_progress(done_bytes, total_bytes)
            if sha256 and digest.hexdigest() != sha256:
                raise SaveFailed(f"{path.name} is not what the engine wrote: fetch it again")
            return await loop.run_in_executor(thread, _finish, file, path)
        except BaseException:
            thread.submit(_discard, file)
            raise


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
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as thread:
        target = folder
        if len(files) > 1:
            target = await loop.run_in_executor(thread, _new_folder, folder / safe_name(name))
        saved, done_bytes = target, 0
        try:
            for file_name_, size_bytes, sha256 in files:
                before_bytes = done_bytes

                def progress(arrived_bytes: int, _: int, before_bytes: int = before_bytes) -> None:
                    on_progress(before_bytes + arrived_bytes, total_bytes)

                async with client.export_file(id, file_name_) as stream:
                    saved = await save_stream(stream, target / file_name_, progress, sha256=sha256)
                done_bytes += size_bytes
        except BaseException:
            if target != folder:
                thread.submit(shutil.rmtree, target, True)
            raise
    return saved if len(files) == 1 else target


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


def _open_part(path: Path, total_bytes: int) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        free = free_bytes(path.parent)
        if free < total_bytes + SPARE_BYTES:
            raise SaveFailed(
                f"{path.parent} has {free / 1e9:.2f} GB free, the export needs {total_bytes / 1e9:.2f} GB"
            )
        return open(path.with_name(f".{path.name}.{os.getpid()}.part"), "xb")
    except OSError as error:
        raise SaveFailed(f"{path.parent}: {error.strerror}") from error


def _write(file: BinaryIO, piece: bytes) -> None:
    try:
        file.write(piece)
    except OSError as error:
        raise SaveFailed(f"{file.name}: {error.strerror}") from error


def _finish(file: BinaryIO, path: Path) -> Path:
    """Flush to the disk, then take the first free name."""
    try:
        file.flush()
        os.fsync(file.fileno())
        file.close()
        for number in range(1, 1000):
            target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            try:
                os.link(file.name, target)
            except FileExistsError:
                continue
            os.unlink(file.name)
            return target
    except OSError as error:
        raise SaveFailed(f"{path}: {error.strerror}") from error
    raise SaveFailed(f"{path}: a thousand files of that name exist")


def _discard(file: BinaryIO) -> None:
    file.close()
    Path(file.name).unlink(missing_ok=True)


async def save_bytes(data: bytes, path: Path) -> Path:
    """A small file (a snapshot), in the same careful way."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="save") as thread:
        file = await loop.run_in_executor(thread, _open_part, path, len(data))
        try:
            await loop.run_in_executor(thread, _write, file, data)
            return await loop.run_in_executor(thread, _finish, file, path)
        except BaseException:
            thread.submit(_discard, file)
            raise

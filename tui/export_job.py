"""Saving an export or a snapshot on the operator's machine: temporary file, then a new name; nothing is left of a failure.

File work runs on a thread of the job's own, so that a slow home directory never stops the console.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

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
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="export") as thread:
        async with client.export(camera, start_us, end_us) as export:
            total_bytes, done_bytes = export.total_bytes, 0
            file = await loop.run_in_executor(thread, _open_part, path, total_bytes)
            try:
                async for piece in export:
                    await loop.run_in_executor(thread, _write, file, piece)
                    done_bytes += len(piece)
                    on_progress(done_bytes, total_bytes)
                return await loop.run_in_executor(thread, _finish, file, path)
            except BaseException:
                thread.submit(_discard, file)
                raise


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

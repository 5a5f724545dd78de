"""A file as it is fetched: a temporary file beside it, then one rename. A failure or Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import click

from engine.client import EngineClient, FileError
from widgets.format import decimal_bytes

SPARE_BYTES = 64 * 1024 * 1024
"""Left free on the file system."""


class FileBeingSaved:
    """Use as a context manager: `keep()` makes it the file, leaving without it removes every trace. Raises FileError."""

    def __init__(self, path: Path, total_bytes: int) -> None:
        """Checks the room and makes the temporary file. An existing `path` is replaced, but only by `keep`."""
        self.path = path
        self._temporary = path.parent / f".{path.name}.{os.getpid()}.part"
        self._is_kept = False
        try:
            if path.is_dir():
                raise FileError(f"{path} is a folder", "name a file with -o")
            free_bytes = shutil.disk_usage(path.parent).free
            if free_bytes < total_bytes + SPARE_BYTES:
                raise FileError(
                    f"{path.parent} has {decimal_bytes(free_bytes)} free, {decimal_bytes(total_bytes)} are needed",
                    "name a file on another disk, or ask for less",
                )
            self._file: BinaryIO = self._temporary.open("xb")
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_kept:
            self._file.close()
            self._temporary.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        try:
            self._file.write(piece)
        except OSError as error:
            raise self._failed(error) from error

    def keep(self) -> None:
        """Durable under its own name."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.rename(self.path)
            self._is_kept = True
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> FileError:
        return FileError(f"{self.path} cannot be written: {error.strerror}", "name another file with -o")


class Progress:
    """A line on stderr that says how far it is; silent where nobody looks."""

    def __init__(self, total_bytes: int, *, is_quiet: bool) -> None:
        self._total_bytes = total_bytes
        self._is_shown = sys.stderr.isatty() and not is_quiet
        self._percent = -1

    def at(self, done_bytes: int) -> None:
        percent = 100 * done_bytes // max(self._total_bytes, 1)
        if self._is_shown and percent != self._percent:
            self._percent = percent
            text = f"{percent:3} %  {decimal_bytes(done_bytes)} of {decimal_bytes(self._total_bytes)}"
            click.echo(f"\r{text:<40}", nl=False, err=True)

    def done(self) -> None:
        if self._is_shown:
            click.echo(f"\r{'':40}\r", nl=False, err=True)


async def save_export(
    engine: EngineClient, camera: str, start_us: int, end_us: int, output: Path, *, is_quiet: bool
) -> dict[str, Any]:
    """One MP4; says what is in it. Raises FileError and what the engine raises."""
    plan = await engine.plan_export(camera, start_us, end_us)
    async with engine.export(camera, start_us, end_us) as stream:
        progress = Progress(stream.total_bytes, is_quiet=is_quiet)
        done_bytes = 0
        try:
            with FileBeingSaved(output, stream.total_bytes) as file:
                async for piece in stream:
                    file.write(piece)
                    done_bytes += len(piece)
                    progress.at(done_bytes)
                file.keep()
        finally:
            progress.done()
    return {
        "camera": plan.camera,
        "start_us": stream.start_us,
        "end_us": stream.end_us,
        "bytes": done_bytes,
        "path": os.path.join(os.getcwd(), output),
        "parts": [{"start_us": begin, "end_us": finish} for begin, finish in plan.parts],
    }

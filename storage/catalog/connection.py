"""One SQLite connection to the catalog: pragmas, transactions, and the only place that knows SQLite's errors.

One thread only (SQLite refuses others). The parts of the catalog (cameras, recordings ...) build on this class;
`db.py` puts them together and opens files.

Why these settings:
- WAL: queries on their own read-only connection never wait for the recorder's commits, nor the other way round.
- synchronous=FULL: with NORMAL, WAL is only synced at checkpoints, so that a power cut may take back minutes of
  rows, and start-up recovery finds the open segments by their rows. FULL costs one fdatasync a commit; the
  recorder's rows come in one commit a second, on the catalog's own thread. A power cut therefore takes back at
  most the last batch, less than the volumes' own sync interval.
- page size 4096 (SQLite's default): the once-a-second commit touches about one page a camera, and each goes whole
  into the WAL; larger pages would only multiply that.
- no mmap: an I/O error would be SIGBUS and end the engine, instead of an exception that is handled.
- no ANALYZE: plans stay the ones the tests have read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.errors import (
    AlreadyExists,
    CatalogDamaged,
    Conflict,
    InvalidInput,
    VolumeFailed,
    VolumeFull,
    VolumeReadOnly,
    WatchdeckError,
)

BUSY_TIMEOUT_MS = 5_000
CACHE_KIB = 16_384
"""Page cache of one connection: the upper levels of all indexes at 2.8 million segments."""
WAL_LIMIT_BYTES = 64 * 1024 * 1024

_REPAIR = "stop the engine, move that file away, and run `watchdeck fsck --repair`: it rebuilds the catalog from the volumes"


def catalog_error(error: sqlite3.Error, path: Path) -> WatchdeckError:
    """The one map from SQLite's result codes to what a caller can do about them."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    where = f"the catalog {path}"
    if primary == sqlite3.SQLITE_FULL:
        return VolumeFull(f"no space left for {where}", "free some space on the file system that holds it")
    if primary == sqlite3.SQLITE_IOERR:
        return VolumeFailed(f"input/output error on {where}: {error}", "check the drive that holds it")
    if primary == sqlite3.SQLITE_READONLY:
        return VolumeReadOnly(f"{where} cannot be written: {error}", "check the permissions and the mount")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Conflict(f"{where} is in use by another program", "end the other program, then try again")
    if primary == sqlite3.SQLITE_CONSTRAINT:
        if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
            return AlreadyExists(f"{where} already holds that ({error})", "choose another name")
        return Conflict(f"{where} refuses that: {error}")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CatalogDamaged(f"{where} is damaged: {error}", _REPAIR)
    return CatalogDamaged(f"{where} does not work: {error}", _REPAIR)


def _too_large() -> InvalidInput:
    """SQLite's numbers have 64 bits; Python finds that out while it hands them over."""
    return InvalidInput("a number does not fit the 64 bits that the catalog has for it", "give a smaller one")


class CatalogConnection:
    """A connection and its file. Invariant: outside of `transaction()` no transaction is open."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, is_read_only: bool) -> None:
        self._connection = connection
        self.path = path
        self.is_read_only = is_read_only

    def close(self) -> None:
        """Checkpoints the WAL when this is the last connection."""
        self._connection.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Blocks for the commit's fdatasync. Raises mapped errors. Not nestable."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise catalog_error(error, self.path) from error

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """All queries inside see the catalog as of one moment. Not nestable, not inside a transaction."""
        try:
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise catalog_error(error, self.path) from error

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise catalog_error(error, self.path) from error
        except OverflowError as error:
            raise _too_large() from error

    def _row(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query."""
        try:
            row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise catalog_error(error, self.path) from error
        except OverflowError as error:
            raise _too_large() from error
        return row

    def _run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """A statement that changes rows: how many. Outside of a transaction it is one of its own."""
        try:
            return self._connection.execute(sql, values).rowcount
        except sqlite3.Error as error:
            raise catalog_error(error, self.path) from error
        except OverflowError as error:
            raise _too_large() from error

"""Opening the catalog: `Catalog.open` makes, checks, upgrades and hands out one connection with all its methods.

The engine opens one for writing on its catalog thread and read-only ones for queries; `fsck` opens it alone.
Never used from two threads: SQLite itself refuses.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlite_utils import Database

from storage.catalog.alarm_rules import AlarmRuleRows
from storage.catalog.arrangements import ArrangementRows
from storage.catalog.bookmarks import BookmarkRows
from storage.catalog.cases import CaseRows
from storage.catalog.chassis import ChassisRows
from storage.catalog.connection import BUSY_TIMEOUT_MS, CACHE_KIB, WAL_LIMIT_BYTES, catalog_error
from storage.catalog.drives import DriveRows
from storage.catalog.export_jobs import ExportJobRows
from storage.catalog.footage import FootageRows
from storage.catalog.log import LogRows
from storage.catalog.migrations import LATEST, catalog_migrations
from storage.catalog.motion_blocks import MotionRows
from storage.catalog.names import NAME_LIMIT
from storage.catalog.picture_footage import PictureFootageRows
from storage.catalog.station import StationRow
from storage.catalog.station_settings import StationSettingRows
from storage.catalog.triage import TriageRows
from storage.catalog.upkeep import UpkeepRows
from storage.clock import Clock, SystemClock
from storage.durable import fsync_folder
from storage.errors import CatalogDamaged, Conflict

APPLICATION_ID = 0x57445543
"""First bytes of a Watchdeck catalog as `file` shows them: "WDUC"."""


class Catalog(
    StationRow,
    UpkeepRows,
    CaseRows,
    ExportJobRows,
    BookmarkRows,
    MotionRows,
    LogRows,
    FootageRows,
    PictureFootageRows,
    DriveRows,
    ChassisRows,
    TriageRows,
    AlarmRuleRows,
    StationSettingRows,
    ArrangementRows,
):
    """Everything the station knows: see schema.sql for what, and the base classes for how."""

    @classmethod
    def open(cls, path: Path | str, *, read_only: bool = False, clock: Clock | None = None) -> Catalog:
        """Open the catalog; for writing, make it when it is absent and upgrade it when it is older.

        Before an upgrade a copy is left beside it (`<name>.schema-<number>`). Blocks; up to some seconds for an
        upgrade. Raises CatalogDamaged when the file is not a catalog, is damaged, newer, or in use.
        """
        path = Path(path)
        _require_file(path, read_only=read_only)
        connection = _connect(path, read_only=read_only)
        try:
            found = _schema_number(connection, path)
            if not read_only:
                _prepare(connection, path, found, clock or SystemClock())
            elif found != LATEST:
                raise CatalogDamaged(
                    f"the catalog {path} has schema {found}, this software reads {LATEST}",
                    "start the engine once: it upgrades the catalog",
                )
        except sqlite3.Error as error:
            connection.close()
            raise _opening_error(error, path) from error
        except BaseException:
            connection.close()
            raise
        return cls(connection, path, is_read_only=read_only)


def _require_file(path: Path, *, read_only: bool) -> None:
    """Made empty with mode 0600 before SQLite sees it: passwords are inside, and -wal and -shm inherit the mode."""
    if path.is_file():
        return
    if read_only:
        raise CatalogDamaged(f"there is no catalog {path}", "start the engine once: it makes the catalog")
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CatalogDamaged(
            f"the catalog {path} cannot be made: {error.strerror}", "check the folder and its owner"
        ) from error
    os.close(fd)
    fsync_folder(path.parent)


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    except sqlite3.Error as error:
        raise _opening_error(error, path) from error
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA mmap_size = 0")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        connection.close()
        raise _opening_error(error, path) from error
    return connection


def _schema_number(connection: sqlite3.Connection, path: Path) -> int:
    """0 for an empty file. Raises CatalogDamaged for anything that is not ours or newer."""

    def pragma(name: str) -> Any:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application_id, number = pragma("application_id"), int(pragma("user_version"))
    if tables and application_id != APPLICATION_ID:
        raise CatalogDamaged(
            f"{path} is a database of another program (application id {application_id:#x})",
            "choose another state directory, or move that file away",
        )
    if number > LATEST:
        raise CatalogDamaged(
            f"the catalog {path} has schema {number}, this software knows up to {LATEST}",
            f"install the newer Watchdeck again, or put back the copy {path.name}.schema-{LATEST}",
        )
    return number


def _prepare(connection: sqlite3.Connection, path: Path, found: int, clock: Clock) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    if 0 < found < LATEST:
        _copy_beside(connection, path.with_name(f"{path.name}.schema-{found}"))
    # The outer transaction makes "all steps and the station's row" one; sqlite-utils nests savepoints inside.
    connection.execute("BEGIN IMMEDIATE")
    try:
        catalog_migrations().apply(Database(connection, recursive_triggers=False, execute_plugins=False))
        name = socket.gethostname()[:NAME_LIMIT] or "watchdeck"
        connection.execute(
            "INSERT INTO station (id, uuid, name, created_us) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING",
            (uuid4().bytes, name, clock.now_us()),
        )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _copy_beside(connection: sqlite3.Connection, target: Path) -> None:
    """A whole copy, durable before the upgrade begins; an older copy of the same schema is replaced."""
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    copy = sqlite3.connect(temporary)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    fd = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.rename(target)
    fsync_folder(target.parent)


def _opening_error(error: sqlite3.Error, path: Path) -> CatalogDamaged:
    """At opening nothing works yet, so that every failure is a reason to stop."""
    known = catalog_error(error, path)
    if isinstance(known, Conflict):
        return CatalogDamaged(
            f"the catalog {path} is locked by another program", "end it (`fuser` names it), then start again"
        )
    return CatalogDamaged(known.what, known.remedy)

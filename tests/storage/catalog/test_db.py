from __future__ import annotations

import hashlib
import re
import sqlite3
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from storage.catalog import db, migrations
from storage.catalog.db import Catalog
from storage.catalog.migrations import LATEST, STEPS, catalog_migrations, statements
from storage.errors import CatalogDamaged
from tests.fakes.clock import FakeClock

FROZEN = {
    "0001_foundation": "ab5e000569cc40f2",
    "0002_drives": "11404c3bafc29e08",
    "0003_alarms": "6c1fb330f68887d0",
    "0004_pictures": "cf9f397687ad7259",
}


def script(name: str) -> str:
    return resources.files("storage.catalog").joinpath(name).read_text(encoding="utf-8")


def schema_of(connection: sqlite3.Connection) -> dict[str, str]:
    """Every object's SQL without comments and spacing."""
    found = {}
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"):
        if not name.startswith(("_sqlite", "sqlite_", "idx__sqlite")):
            found[name] = re.sub(r"\s+", "", re.sub(r"--[^\n]*", "", sql))
    return found


def test_a_fresh_catalog_is_what_schema_sql_says(catalog: Catalog) -> None:
    documented = sqlite3.connect(":memory:")
    for statement in statements(script("schema.sql")):
        documented.execute(statement)
    assert schema_of(catalog._connection) == schema_of(documented)
    documented.close()


@pytest.mark.parametrize("number", range(1, LATEST + 1))
def test_every_released_schema_upgrades_to_todays(tmp_path: Path, catalog: Catalog, number: int) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    stop = STEPS[number] if number < LATEST else None
    catalog_migrations().apply(Database(connection, execute_plugins=False), stop_before=stop)
    connection.close()
    with Catalog.open(path) as upgraded:
        assert schema_of(upgraded._connection) == schema_of(catalog._connection)
        assert upgraded._row("PRAGMA user_version") == (LATEST,)


@pytest.mark.parametrize("number", range(1, LATEST))
def test_an_upgrade_keeps_what_was_there_and_takes_what_is_new(tmp_path: Path, number: int) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    catalog_migrations().apply(Database(connection, execute_plugins=False), stop_before=STEPS[number])
    connection.execute(f"PRAGMA application_id = {db.APPLICATION_ID}")
    connection.execute("INSERT OR IGNORE INTO recording_group (id, name) VALUES (1, 'main')")
    connection.execute(
        "INSERT INTO camera (uuid, name, url, transport, group_id, mode)"
        " VALUES (randomblob(16), 'gate', 'rtsp://192.0.2.1/', 'auto', 1, 'continuous')"
    )
    connection.execute("INSERT INTO camera_password VALUES (1, 'hidden-word')")
    connection.execute(
        "INSERT INTO event (time_us, kind, severity, text) VALUES (1, 'camera.lost', 1, 'no answer')"
    )
    connection.close()
    with Catalog.open(path) as upgraded:
        gate = upgraded.camera("gate")
        assert upgraded.camera_password(gate.uuid) == "hidden-word"
        (event,) = upgraded.events(limit=9, text="ANSW")
        assert (event.text, event.count) == ("no answer", 1)
        assert upgraded.update_camera(gate.uuid, mode="events").mode == "events"
        assert upgraded._rows("SELECT pre_event_s, post_event_s FROM camera") == [(5, 5)]
        with pytest.raises(sqlite3.IntegrityError):
            upgraded._connection.execute("UPDATE camera SET mode = 'sometimes'")
        assert upgraded.alarm_totals(1).revision == 0
        assert upgraded.verify_operations().is_whole
        assert upgraded.database_faults() == upgraded.rebuild_words() == []
        assert not upgraded.has_miscounted_alarms()


def test_released_steps_are_frozen() -> None:
    hashes = {
        name: hashlib.sha256(script(f"migrations/{name}.sql").encode()).hexdigest()[:16] for name in STEPS
    }
    assert hashes == FROZEN


def test_an_upgrade_leaves_a_copy_of_the_old_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "catalog.db"
    with Catalog.open(path) as old:
        old.add_camera(name="gate", url="rtsp://192.0.2.1/")

    def with_another_step() -> Any:
        steps = catalog_migrations()

        @steps(name="9999_note")
        def _(database: Any) -> None:
            database.conn.execute("CREATE TABLE note (id INTEGER PRIMARY KEY) STRICT")
            database.conn.execute(f"PRAGMA user_version = {LATEST + 1}")

        return steps

    monkeypatch.setattr(db, "LATEST", LATEST + 1)
    monkeypatch.setattr(db, "catalog_migrations", with_another_step)
    with Catalog.open(path) as upgraded:
        assert upgraded._row("SELECT count(*) FROM note") == (0,)
        assert upgraded.camera("gate").name == "gate"
    copy = tmp_path / f"catalog.db.schema-{LATEST}"
    assert copy.stat().st_mode & 0o777 == 0o600
    monkeypatch.undo()
    with Catalog.open(copy) as kept:
        assert kept.camera("gate").name == "gate"
        assert kept._row("SELECT 1 FROM sqlite_master WHERE name = 'note'") is None


def test_a_failing_upgrade_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "catalog.db"
    Catalog.open(path).close()

    def with_a_broken_step() -> Any:
        steps = catalog_migrations()

        @steps(name="9999_broken")
        def _(database: Any) -> None:
            database.conn.execute("CREATE TABLE half (id INTEGER) STRICT")
            database.conn.execute("no SQL at all")

        return steps

    monkeypatch.setattr(db, "catalog_migrations", with_a_broken_step)
    with pytest.raises(CatalogDamaged):
        Catalog.open(path)
    monkeypatch.undo()
    with Catalog.open(path) as opened:
        assert opened._row("SELECT 1 FROM sqlite_master WHERE name = 'half'") is None


def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "catalog.db") as opened:
        opened.rename_station("north")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"catalog.db": 0o600, "catalog.db-wal": 0o600, "catalog.db-shm": 0o600}


def test_the_station_keeps_its_identity(tmp_path: Path) -> None:
    clock = FakeClock()
    with Catalog.open(tmp_path / "catalog.db", clock=clock) as first:
        station = first.station()
    clock.advance(1_000_000)
    with Catalog.open(tmp_path / "catalog.db", clock=clock) as second:
        assert second.station() == station


def test_a_foreign_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE bookmarks (url TEXT)")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(CatalogDamaged, match="another program") as raised:
        Catalog.open(path)
    assert raised.value.remedy
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(CatalogDamaged) as raised:
        Catalog.open(path, read_only=read_only)
    assert "fsck" in raised.value.remedy


def test_a_newer_catalog_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with Catalog.open(path) as opened:
        opened._connection.execute(f"PRAGMA user_version = {LATEST + 1}")
    for read_only in (False, True):
        with pytest.raises(CatalogDamaged, match="knows up to"):
            Catalog.open(path, read_only=read_only)


def test_a_locked_catalog_is_refused_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "catalog.db"
    Catalog.open(path).close()
    monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(CatalogDamaged, match="locked by another program"):
            Catalog.open(path)
    finally:
        other.close()


def test_a_damaged_page_is_reported_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with Catalog.open(path) as opened:
        for number in range(200):
            opened.add_camera(name=f"camera {number}", url="rtsp://192.0.2.1/")
    content = bytearray(path.read_bytes())
    content[4096 : len(content)] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(CatalogDamaged), Catalog.open(path) as opened:
        opened.cameras()


def test_a_missing_catalog_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CatalogDamaged, match="there is no catalog"):
        Catalog.open(tmp_path / "absent.db", read_only=True)
    with pytest.raises(CatalogDamaged, match="cannot be made"):
        Catalog.open(tmp_path / "no" / "folder.db")


def test_a_reader_sees_commits_and_cannot_write(tmp_path: Path, catalog: Catalog) -> None:
    with Catalog.open(catalog.path, read_only=True) as reader:
        catalog.add_camera(name="gate", url="rtsp://192.0.2.1/")
        assert [camera.name for camera in reader.cameras()] == ["gate"]
        with pytest.raises(Exception, match="readonly|cannot be written"):
            reader.rename_station("south")


def test_times_are_strict_numbers_and_never_zero(catalog: Catalog) -> None:
    for value in ("soon", 1.5, 0, -1):
        with pytest.raises(sqlite3.IntegrityError):
            catalog._connection.execute(
                "INSERT INTO event (time_us, kind, severity, text) VALUES (?, 'a', 0, '')", (value,)
            )


def test_commits_are_synced(catalog: Catalog) -> None:
    assert catalog._row("PRAGMA journal_mode") == ("wal",)
    assert catalog._row("PRAGMA synchronous") == (2,)
    assert catalog._row("PRAGMA foreign_keys") == (1,)


def test_an_unfinished_statement_in_a_step_is_refused() -> None:
    assert list(statements("-- note\nSELECT 1;\n\nSELECT 2;\n")) == ["SELECT 1;", "SELECT 2;"]
    with pytest.raises(ValueError, match="unfinished"):
        list(statements("CREATE TABLE half ("))
    assert migrations.LATEST == len(STEPS)

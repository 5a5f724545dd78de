"""The steps from an empty file to today's schema: forward only, one transaction each, never importing live types.

A step is a frozen `NNNN_name.sql` beside this file. To change the schema: add a file, list it in `STEPS`, and
write the result into schema.sql. Every released schema stays reachable, and tests upgrade each to today's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

from sqlite_utils.migrations import Migrations

STEPS = ("0001_foundation", "0002_drives", "0003_alarms", "0004_pictures")
LATEST = len(STEPS)
"""Schema number of this software, kept in `PRAGMA user_version`."""


def statements(script: str) -> Iterator[str]:
    """Single statements of a script (sqlite3's executescript would commit the surrounding transaction)."""
    waiting = ""
    for line in script.splitlines(keepends=True):
        if not waiting and (not line.strip() or line.lstrip().startswith("--")):
            continue
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting.strip()
            waiting = ""
    if waiting.strip():
        raise ValueError(f"unfinished statement: {waiting.strip()[:80]}")


def _step(number: int, name: str) -> Callable[[Any], None]:
    def run(db: Any) -> None:
        script = resources.files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
        for statement in statements(script):
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA user_version = {number}")

    return run


def catalog_migrations() -> Migrations:
    """All steps, for sqlite-utils to apply those that are pending."""
    migrations = Migrations("watchdeck")
    for number, name in enumerate(STEPS, start=1):
        migrations(name=name)(_step(number, name))
    return migrations

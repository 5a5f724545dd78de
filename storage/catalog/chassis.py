"""What the chassis was told (schedules, locate timers, learned bays ...) and its long jobs, so that a restart changes nothing.

Meaning and shape of the values belong to the engine: here they are JSON with a key, or a job with a body.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from storage.catalog.connection import CatalogConnection
from storage.errors import NotFound


class ChassisJobKind(StrEnum):
    SET_UP = "set_up"
    REPLACE = "replace"
    TAKE_DOWN = "take_down"


class ChassisJobState(StrEnum):
    RUNNING = "running"
    WAITING = "waiting"
    """For a person, or for a drive."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ChassisJobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it is kept."""

    uuid: UUID
    kind: ChassisJobKind
    state: ChassisJobState
    body: msgspec.Raw
    """JSON: the job's own state, for the one who runs it."""
    actor: str = ""
    started_us: int
    ended_us: int | None = None
    """None = open: taken up again after a restart."""


def _job(row: tuple[Any, ...]) -> ChassisJobRow:
    return ChassisJobRow(
        uuid=UUID(bytes=row[0]),
        kind=ChassisJobKind(row[1]),
        state=ChassisJobState(row[2]),
        body=msgspec.Raw(row[3].encode()),
        actor=row[4],
        started_us=row[5],
        ended_us=row[6],
    )


_JOB = "uuid, kind, state, body, actor, started_us, ended_us"


class ChassisRows(CatalogConnection):
    """Tables `chassis_setting` and `chassis_job`."""

    def chassis_setting(self, key: str) -> Any:
        """The value as plain JSON types; None when it was never set. `msgspec.convert` makes it the caller's own."""
        row = self._row("SELECT value FROM chassis_setting WHERE key = ?", (key,))
        return None if row is None else msgspec.json.decode(row[0])

    def set_chassis_setting(self, key: str, value: Any) -> None:
        """None takes it away."""
        if value is None:
            self._run("DELETE FROM chassis_setting WHERE key = ?", (key,))
            return
        self._run(
            "INSERT INTO chassis_setting (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, msgspec.json.encode(value).decode()),
        )

    def chassis_jobs(self, open_only: bool = False, limit: int = 100) -> list[ChassisJobRow]:
        """The newest first; open ones all, whatever the limit."""
        if open_only:
            rows = self._rows(
                f"SELECT {_JOB} FROM chassis_job WHERE ended_us IS NULL ORDER BY started_us DESC"
            )
        else:
            rows = self._rows(
                f"SELECT {_JOB} FROM chassis_job WHERE ended_us IS NULL OR uuid IN"
                " (SELECT uuid FROM chassis_job ORDER BY started_us DESC LIMIT ?) ORDER BY started_us DESC",
                (limit,),
            )
        return [_job(row) for row in rows]

    def chassis_job(self, uuid: UUID) -> ChassisJobRow:
        """Raises NotFound."""
        row = self._row(f"SELECT {_JOB} FROM chassis_job WHERE uuid = ?", (uuid.bytes,))
        if row is None:
            raise NotFound(f"no job {uuid} is known")
        return _job(row)

    def save_chassis_job(self, row: ChassisJobRow) -> None:
        """Add it, or replace what is kept of it."""
        self._run(
            f"INSERT INTO chassis_job ({_JOB}) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (uuid) DO UPDATE SET state = excluded.state, body = excluded.body,"
            " ended_us = excluded.ended_us",
            (
                row.uuid.bytes,
                row.kind,
                row.state,
                bytes(row.body).decode(),
                row.actor,
                row.started_us,
                row.ended_us,
            ),
        )

    def forget_chassis_jobs(self, before_us: int) -> int:
        """Drop jobs that ended before then; returns how many."""
        return self._run("DELETE FROM chassis_job WHERE ended_us < ?", (before_us,))

"""Exports made by the engine, as rows: what was asked for and what came of it, through restarts. Manual rows EX."""

from __future__ import annotations

import msgspec

from storage.catalog.connection import CatalogConnection


class ExportJobRow(msgspec.Struct, frozen=True, kw_only=True):
    """An export made by the engine. The body is the engine's JSON; never a password."""

    uuid: bytes
    state: str
    body: str
    created_us: int
    created_by: str = ""
    ended_us: int | None = None


_JOB = "uuid, state, body, created_us, created_by, ended_us"


class ExportJobRows(CatalogConnection):
    """Table `export_job`."""

    def export_jobs(self) -> list[ExportJobRow]:
        """Newest first."""
        rows = self._rows(f"SELECT {_JOB} FROM export_job ORDER BY created_us DESC, uuid")
        return [ExportJobRow(**dict(zip(ExportJobRow.__struct_fields__, row, strict=True))) for row in rows]

    def put_export_job(self, job: ExportJobRow) -> None:
        """As it is now."""
        self._run(
            f"INSERT INTO export_job ({_JOB}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (uuid) DO UPDATE"
            " SET state = excluded.state, body = excluded.body, ended_us = excluded.ended_us",
            (job.uuid, job.state, job.body, job.created_us, job.created_by, job.ended_us),
        )

    def remove_export_job(self, uuid: bytes) -> None:
        """Whether its files are gone is the caller's to know."""
        self._run("DELETE FROM export_job WHERE uuid = ?", (uuid,))

"""Drives as the catalog remembers them: by identity, with their last bay, membership, report and history.

A drive that is pulled keeps its row and its history, and finds both again when it comes back, in whatever bay.
Only `forget_drive` ends that. Kernel names are not kept: they identify nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from storage.catalog.connection import CatalogConnection
from storage.drives.health import DriveHealth, HealthSample, Verdict
from storage.drives.smart_report import SmartReport
from storage.errors import NotFound
from storage.raid.inventory import Drive
from storage.raid.states import DriveState
from storage.units import US_PER_DAY, US_PER_HOUR

Kept = TypeVar("Kept")
_REPORT = msgspec.json.Decoder(SmartReport)
_HEALTH = msgspec.json.Decoder(DriveHealth)

KEEP_ALL_US = 48 * US_PER_HOUR
"""Every sample for two days, then the last of each hour, then the last of each day."""
KEEP_HOURLY_US = 30 * US_PER_DAY
KEEP_SAMPLES = 10_000
"""Of a drive: some 25 years. By number, not by age: a clock set years ahead must not cost the history."""
SEEN_STEP_US = 600_000_000
"""`last_seen_us` is brought up to date this often: the inventory comes every few seconds, a commit is a sync."""

_SAMPLE = (
    "time_us, temperature_c, hours, reallocated, pending, uncorrectable, interface_errors, media_errors,"
    " wear_percent, verdict"
)
_KNOWN = "identity, model, serial, wwn, size_bytes, bay, place, membership, first_seen_us, last_seen_us"


class KnownDrive(msgspec.Struct, frozen=True, kw_only=True):
    """A drive that is or was in this box."""

    identity: str
    """`Drive.id`."""
    model: str
    serial: str
    wwn: str
    size_bytes: int
    bay: int | None
    """The last one it was seen in."""
    place: str
    membership: str
    """Id of the drive group it is, or was last, a member of; empty when it was last seen free."""
    first_seen_us: int
    last_seen_us: int


def _known(row: tuple[Any, ...]) -> KnownDrive:
    return KnownDrive(**dict(zip(KnownDrive.__struct_fields__, row, strict=True)))


def _sample(row: tuple[Any, ...]) -> HealthSample:
    values = dict(zip(HealthSample.__struct_fields__, row, strict=True))
    return HealthSample(**{**values, "verdict": Verdict(values["verdict"])})


def _remembered(before: KnownDrive | None, drive: Drive, now_us: int) -> KnownDrive:
    """What is known after this sight of it; of a missing one nothing new is."""
    fresh = KnownDrive(
        identity=drive.id,
        model=drive.model,
        serial=drive.serial,
        wwn=drive.wwn,
        size_bytes=drive.size_bytes,
        bay=drive.bay,
        place=drive.place,
        membership=drive.group or drive.foreign_group,
        first_seen_us=now_us,
        last_seen_us=now_us,
    )
    if before is None:
        return fresh
    if drive.state is DriveState.MISSING:
        return msgspec.structs.replace(before, membership=drive.group or before.membership)
    return msgspec.structs.replace(
        fresh,
        model=fresh.model or before.model,
        serial=fresh.serial or before.serial,
        wwn=fresh.wwn or before.wwn,
        size_bytes=fresh.size_bytes or before.size_bytes,
        bay=before.bay if fresh.bay is None else fresh.bay,
        place=fresh.place or before.place,
        first_seen_us=before.first_seen_us,
        last_seen_us=max(before.last_seen_us, now_us),
    )


def _is_news(before: KnownDrive, after: KnownDrive) -> bool:
    if after.last_seen_us - before.last_seen_us >= SEEN_STEP_US:
        return True
    return msgspec.structs.replace(after, last_seen_us=before.last_seen_us) != before


class DriveRows(CatalogConnection):
    """Tables `drive` and `drive_sample`."""

    def remember_drives(self, drives: Sequence[Drive], now_us: int) -> None:
        """Note which drives are here, where, and in which group; writes only what is new.

        Places of members nobody knows any more (`missing-...`) are not drives and are left out.
        """
        known = {drive.identity: drive for drive in self.known_drives()}
        news = []
        for drive in drives:
            if drive.id.startswith("missing-"):
                continue
            before = known.get(drive.id)
            after = _remembered(before, drive, now_us)
            if before is None or _is_news(before, after):
                news.append(after)
        if not news:
            return
        fields = KnownDrive.__struct_fields__
        changed = ", ".join(f"{field} = excluded.{field}" for field in fields if field != "identity")
        with self.transaction():
            for each in news:
                self._run(
                    f"INSERT INTO drive ({_KNOWN}) VALUES ({', '.join('?' * len(fields))})"
                    f" ON CONFLICT (identity) DO UPDATE SET {changed}",
                    tuple(getattr(each, field) for field in fields),
                )

    def known_drives(self) -> list[KnownDrive]:
        """Every drive that was ever here and is not forgotten, the one seen last first."""
        rows = self._rows(f"SELECT {_KNOWN} FROM drive ORDER BY last_seen_us DESC, id")
        return [_known(row) for row in rows]

    def known_drive(self, identity: str) -> KnownDrive | None:
        row = self._row(f"SELECT {_KNOWN} FROM drive WHERE identity = ?", (identity,))
        return None if row is None else _known(row)

    def forget_drive(self, identity: str) -> None:
        """Drop it with its history: for one that left for good. Raises NotFound."""
        if not self._run("DELETE FROM drive WHERE identity = ?", (identity,)):
            raise NotFound(f"no drive {identity} is known")

    # -- readings ------------------------------------------------------------------------------------------

    def save_report(self, identity: str, report: SmartReport, health: DriveHealth | None = None) -> None:
        """Keep the newest report, and with it the judgement. Raises NotFound for a drive not yet remembered."""
        with self.transaction():
            self._save_report(identity, report, health)

    def add_sample(self, identity: str, sample: HealthSample) -> None:
        """Append to the drive's history and thin what has grown old. Raises NotFound."""
        with self.transaction():
            self._add_sample(identity, sample)

    def save_reading(
        self, identity: str, report: SmartReport, health: DriveHealth, sample: HealthSample
    ) -> None:
        """`save_report` and `add_sample` in one transaction."""
        with self.transaction():
            self._save_report(identity, report, health)
            self._add_sample(identity, sample)

    def drive_report(self, identity: str) -> SmartReport | None:
        """The newest one kept; None also when another version wrote what cannot be read any more."""
        row = self._row("SELECT report FROM drive WHERE identity = ?", (identity,))
        return None if row is None else _decoded(row[0], _REPORT)

    def drive_health(self, identity: str) -> DriveHealth | None:
        """The judgement kept with the newest report."""
        row = self._row("SELECT health FROM drive WHERE identity = ?", (identity,))
        return None if row is None else _decoded(row[0], _HEALTH)

    def drive_history(self, identity: str, since_us: int = 0, limit: int = 10_000) -> list[HealthSample]:
        """The newest `limit` samples from `since_us` on, oldest first; none for a drive that is not known."""
        rows = self._rows(
            f"SELECT {_SAMPLE} FROM drive_sample"
            " WHERE drive_id = (SELECT id FROM drive WHERE identity = ?) AND time_us >= ?"
            " ORDER BY time_us DESC LIMIT ?",
            (identity, since_us, limit),
        )
        return [_sample(row) for row in reversed(rows)]

    def _save_report(self, identity: str, report: SmartReport, health: DriveHealth | None) -> None:
        found = self._run(
            "UPDATE drive SET report = ?, health = coalesce(?, health) WHERE identity = ?",
            (_encoded(report), None if health is None else _encoded(health), identity),
        )
        if not found:
            raise NotFound(f"no drive {identity} is known")

    def _add_sample(self, identity: str, sample: HealthSample) -> None:
        row = self._row("SELECT id FROM drive WHERE identity = ?", (identity,))
        if row is None:
            raise NotFound(f"no drive {identity} is known")
        fields = HealthSample.__struct_fields__
        self._run(
            f"INSERT OR REPLACE INTO drive_sample (drive_id, {_SAMPLE}) VALUES ({', '.join('?' * (len(fields) + 1))})",
            (row[0], *(getattr(sample, field) for field in fields)),
        )
        self._thin(row[0], sample.time_us)

    def _thin(self, drive_id: int, now_us: int) -> None:
        """Of every whole hour (day) that is old enough the last sample stays."""
        for age_us, bucket_us in ((KEEP_ALL_US, US_PER_HOUR), (KEEP_HOURLY_US, US_PER_DAY)):
            before_us = (now_us - age_us) // bucket_us * bucket_us
            self._run(
                "DELETE FROM drive_sample WHERE drive_id = ?1 AND time_us < ?2 AND time_us NOT IN"
                " (SELECT max(time_us) FROM drive_sample WHERE drive_id = ?1 AND time_us < ?2 GROUP BY time_us / ?3)",
                (drive_id, before_us, bucket_us),
            )
        self._run(
            "DELETE FROM drive_sample WHERE drive_id = ?1 AND time_us <="
            " (SELECT time_us FROM drive_sample WHERE drive_id = ?1 ORDER BY time_us DESC LIMIT 1 OFFSET ?2)",
            (drive_id, KEEP_SAMPLES),
        )


def _encoded(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(text: str | None, decoder: msgspec.json.Decoder[Kept]) -> Kept | None:
    if text is None:
        return None
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:
        return None

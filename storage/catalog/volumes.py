"""Registered volumes as the operator edits them, and how many bytes of footage each holds."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from storage.catalog.groups import GroupRows
from storage.catalog.names import as_number, as_uuid, checked_name
from storage.catalog.places import remember_places
from storage.catalog.records import Volume
from storage.errors import AlreadyExists, InvalidInput, NotFound

_SELECT = """
SELECT v.id, v.uuid, v.name, v.path, coalesce(g.name, ''), v.floor_bytes
  FROM volume AS v LEFT JOIN recording_group AS g ON g.id = v.group_id
"""


def _volume(row: tuple[Any, ...]) -> Volume:
    return Volume(
        id=row[0], uuid=UUID(bytes=row[1]), name=row[2], path=row[3], group=row[4], floor_bytes=row[5]
    )


class VolumeRows(GroupRows):
    """Table `volume`. A removed volume's footage is hidden until the same volume is registered again."""

    def volumes(self, *, with_removed: bool = False) -> list[Volume]:
        where = "" if with_removed else " WHERE v.is_removed = 0"
        return [_volume(row) for row in self._rows(f"{_SELECT}{where} ORDER BY v.id")]

    def volume(self, ref: str | int | UUID) -> Volume:
        """By name, else UUID, else number. Raises NotFound."""
        text = str(ref)
        row = self._row(f"{_SELECT} WHERE v.name = ? AND v.is_removed = 0", (text,))
        if row is None and (uuid := as_uuid(text)) is not None:
            row = self._row(f"{_SELECT} WHERE v.uuid = ? AND v.is_removed = 0", (uuid.bytes,))
        if row is None and (number := as_number(text)) is not None:
            row = self._row(f"{_SELECT} WHERE v.id = ? AND v.is_removed = 0", (number,))
        if row is None:
            raise NotFound(f"no volume {text!r}", "`watchdeck volume list` shows all")
        return _volume(row)

    def add_volume(self, *, uuid: UUID, name: str, path: str, group: str, floor_bytes: int) -> Volume:
        """Register a volume; one that was removed comes back with its footage. Raises AlreadyExists, InvalidInput."""
        checked = checked_name(name, "volume")
        place = PurePosixPath(path)
        if not place.is_absolute() or ".." in place.parts:
            raise InvalidInput(f"the path of a volume is absolute, not {path!r}")
        if floor_bytes < 0:
            raise InvalidInput(f"the floor of a volume is a number of bytes, not {floor_bytes}")
        group_id = self.group(group).id
        with self.transaction():
            for condition, value, what in (
                ("uuid = ?", uuid.bytes, f"the volume {uuid} is registered already"),
                ("name = ?", checked, f"a volume is called {checked!r} already"),
                ("path = ?", str(place), f"a volume is registered at {place} already"),
            ):
                if self._row(f"SELECT 1 FROM volume WHERE is_removed = 0 AND {condition}", (value,)):
                    raise AlreadyExists(what, "`watchdeck volume list` shows all")
            self._run(
                "INSERT INTO volume (uuid, name, path, group_id, floor_bytes) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, path = excluded.path,"
                " group_id = excluded.group_id, floor_bytes = excluded.floor_bytes, is_removed = 0",
                (uuid.bytes, checked, str(place), group_id, floor_bytes),
            )
        self._remember_places()
        return self.volume(uuid)

    def remove_volume(self, uuid: UUID) -> None:
        """Out of use and out of sight; its files and their rows stay for the day it is registered again."""
        volume = self.volume(uuid)
        with self.transaction():
            self._run("UPDATE volume SET is_removed = 1, group_id = NULL WHERE id = ?", (volume.id,))
        self._remember_places()

    def _remember_places(self) -> None:
        remember_places(self.path, [volume.path for volume in self.volumes()])

    def volume_usage(self, volume_id: int) -> int:
        """Bytes of its open and closed segments, from the running sum."""
        row = self._row("SELECT used_bytes FROM volume WHERE id = ?", (volume_id,))
        if row is None:
            raise NotFound(f"no volume {volume_id}", "`watchdeck volume list` shows all")
        return int(row[0])

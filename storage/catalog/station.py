"""The catalog's one row about the station itself."""

from __future__ import annotations

from uuid import UUID

from storage.catalog.connection import CatalogConnection
from storage.catalog.names import checked_name
from storage.catalog.records import StationIdentity
from storage.errors import CatalogDamaged


class StationRow(CatalogConnection):
    """Who this station is."""

    def station(self) -> StationIdentity:
        row = self._row("SELECT uuid, name, created_us FROM station")
        if row is None:
            raise CatalogDamaged(f"the catalog {self.path} names no station", "restore it from a copy")
        return StationIdentity(uuid=UUID(bytes=row[0]), name=row[1], created_us=row[2])

    def rename_station(self, name: str) -> StationIdentity:
        with self.transaction():
            self._run("UPDATE station SET name = ?", (checked_name(name, "station"),))
        return self.station()

"""What the operator set for the station and for cameras' own events, as JSON of the engine's; and secrets, apart from all of it."""

from __future__ import annotations

from uuid import UUID

from storage.catalog.connection import CatalogConnection
from storage.errors import NotFound


class StationSettingRows(CatalogConnection):
    """Tables `station_setting`, `camera_analytics` and `secret`."""

    def station_setting(self, key: str) -> str | None:
        """JSON; None when it was never set."""
        row = self._row("SELECT value FROM station_setting WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def put_station_setting(self, key: str, value: str | bytes) -> None:
        """Raises Conflict for what is not JSON."""
        self._run("INSERT OR REPLACE INTO station_setting VALUES (?, ?)", (key, _text(value)))

    # -- cameras' own events ---------------------------------------------------------------------------------

    def camera_analytics(self, camera_uuid: UUID) -> str | None:
        """JSON; None when it was never set."""
        row = self._row(
            "SELECT settings FROM camera_analytics WHERE camera_id = (SELECT id FROM camera WHERE uuid = ?)",
            (camera_uuid.bytes,),
        )
        return None if row is None else str(row[0])

    def all_camera_analytics(self) -> dict[UUID, str]:
        """Of all cameras in use that have any, in their order."""
        rows = self._rows(
            "SELECT c.uuid, a.settings FROM camera_analytics AS a JOIN camera AS c ON c.id = a.camera_id"
            " WHERE c.is_removed = 0 ORDER BY c.id"
        )
        return {UUID(bytes=row[0]): row[1] for row in rows}

    def put_camera_analytics(self, camera_uuid: UUID, settings: str | bytes) -> None:
        """Raises NotFound for a camera that is not in use, Conflict for what is not JSON."""
        done = self._run(
            "INSERT OR REPLACE INTO camera_analytics SELECT id, ? FROM camera WHERE uuid = ? AND is_removed = 0",
            (_text(settings), camera_uuid.bytes),
        )
        if not done:
            raise NotFound(f"no camera {str(camera_uuid)!r}", "`watchdeck camera list` shows all")

    # -- secrets ---------------------------------------------------------------------------------------------

    def secret(self, key: str) -> str | None:
        """None when there is none. For what connects with it, for nobody else."""
        row = self._row("SELECT value FROM secret WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def put_secret(self, key: str, value: str) -> None:
        """An empty one is removed."""
        if value:
            self._run("INSERT OR REPLACE INTO secret VALUES (?, ?)", (key, value))
        else:
            self._run("DELETE FROM secret WHERE key = ?", (key,))

    def remove_secrets(self, prefix: str) -> int:
        """All whose key begins so; how many there were."""
        return self._run("DELETE FROM secret WHERE substr(key, 1, length(?1)) = ?1", (prefix,))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()

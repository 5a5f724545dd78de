"""Recording groups as the operator edits them, and how much footage each holds."""

from __future__ import annotations

from typing import Any

from storage.catalog.connection import CatalogConnection
from storage.catalog.names import as_number, checked_name
from storage.catalog.records import Group, GroupUsage
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound

MAIN_GROUP = "main"
MAIN_GROUP_ID = 1
RETENTION_DAYS_LIMIT = 36_500

_COLUMNS = "id, name, retention_days, retention_bytes"


def _group(row: tuple[Any, ...]) -> Group:
    return Group(id=row[0], name=row[1], retention_days=row[2], retention_bytes=row[3])


def _checked_days(days: int | None) -> int | None:
    if days is not None and not 1 <= days <= RETENTION_DAYS_LIMIT:
        raise InvalidInput(f"retention is 1 to {RETENTION_DAYS_LIMIT} days, not {days}")
    return days


def _checked_bytes(size_bytes: int | None) -> int | None:
    if size_bytes is not None and size_bytes <= 0:
        raise InvalidInput(f"retention is a positive number of bytes, not {size_bytes}")
    return size_bytes


class GroupRows(CatalogConnection):
    """Table `recording_group`. `main` cannot be removed or renamed: it is where things go unless told otherwise."""

    def groups(self) -> list[Group]:
        return [_group(row) for row in self._rows(f"SELECT {_COLUMNS} FROM recording_group ORDER BY id")]

    def group(self, ref: str | int) -> Group:
        """By name, else number. Raises NotFound."""
        text = str(ref)
        row = self._row(f"SELECT {_COLUMNS} FROM recording_group WHERE name = ?", (text,))
        if row is None and (number := as_number(text)) is not None:
            row = self._row(f"SELECT {_COLUMNS} FROM recording_group WHERE id = ?", (number,))
        if row is None:
            raise NotFound(f"no recording group {text!r}", "`watchdeck group list` shows all")
        return _group(row)

    def add_group(
        self, *, name: str, retention_days: int | None = None, retention_bytes: int | None = None
    ) -> Group:
        values = (
            self._free_group_name(name, except_id=0),
            _checked_days(retention_days),
            _checked_bytes(retention_bytes),
        )
        with self.transaction():
            self._run(
                "INSERT INTO recording_group (name, retention_days, retention_bytes) VALUES (?, ?, ?)", values
            )
        return self.group(values[0])

    def update_group(self, group_id: int, **changes: Any) -> Group:
        """Change name, retention_days, retention_bytes (None = no limit)."""
        group = self._group_by_id(group_id)
        columns: dict[str, Any] = {}
        for field, value in changes.items():
            match field:
                case "name":
                    columns[field] = self._free_group_name(value, except_id=group.id)
                    if group.id == MAIN_GROUP_ID and columns[field] != group.name:
                        raise Conflict(f"the group {group.name!r} keeps its name", "add another group")
                case "retention_days":
                    columns[field] = _checked_days(value)
                case "retention_bytes":
                    columns[field] = _checked_bytes(value)
                case _:
                    raise InvalidInput(f"a recording group has no {field}")
        if columns:
            assignments = ", ".join(f"{column} = ?" for column in columns)
            with self.transaction():
                self._run(
                    f"UPDATE recording_group SET {assignments} WHERE id = ?", (*columns.values(), group.id)
                )
        return self._group_by_id(group.id)

    def remove_group(self, group_id: int) -> None:
        """Raises Conflict while cameras or volumes belong to it."""
        group = self._group_by_id(group_id)
        if group.id == MAIN_GROUP_ID:
            raise Conflict(f"the group {group.name!r} cannot be removed", "remove its cameras and volumes")
        with self.transaction():
            for table in ("camera", "volume"):
                names = [
                    row[0] for row in self._rows(f"SELECT name FROM {table} WHERE group_id = ?", (group.id,))
                ]
                if names:
                    raise Conflict(
                        f"the group {group.name!r} has {len(names)} {table}(s): {', '.join(names[:5])}",
                        "move or remove them first",
                    )
            self._run("DELETE FROM recording_group WHERE id = ?", (group.id,))

    def group_usage(self, group_id: int) -> GroupUsage:
        """From the volumes' running sums and the ends of their age index: no scan, at any size."""
        used_bytes = locked_bytes = 0
        edges: list[int] = []
        for volume_id, used, locked in self._rows(
            "SELECT id, used_bytes, locked_bytes FROM volume WHERE group_id = ?", (group_id,)
        ):
            used_bytes += used
            locked_bytes += locked
            for is_locked in (0, 1):
                for order in ("ASC", "DESC"):
                    row = self._row(
                        "SELECT start_us FROM segment"
                        " WHERE volume_id = ? AND (lock_count > 0) = ? AND state = 1"
                        f" ORDER BY start_us {order} LIMIT 1",
                        (volume_id, is_locked),
                    )
                    edges.extend(row or ())
        return GroupUsage(
            bytes=used_bytes,
            locked_bytes=locked_bytes,
            oldest_us=min(edges, default=None),
            newest_us=max(edges, default=None),
        )

    def _group_by_id(self, group_id: int) -> Group:
        row = self._row(f"SELECT {_COLUMNS} FROM recording_group WHERE id = ?", (group_id,))
        if row is None:
            raise NotFound(f"no recording group {group_id}", "`watchdeck group list` shows all")
        return _group(row)

    def _free_group_name(self, name: str, *, except_id: int) -> str:
        checked = checked_name(name, "recording group")
        if self._row("SELECT 1 FROM recording_group WHERE name = ? AND id <> ?", (checked, except_id)):
            raise AlreadyExists(f"a recording group is called {checked!r} already", "choose another name")
        return checked

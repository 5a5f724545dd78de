"""Alarm rules and named weeks, as the operator edits them. What is inside is the engine's: here it is JSON."""

from __future__ import annotations

from typing import Any

from storage.catalog.alarm_records import RuleRow, ScheduleRow
from storage.catalog.connection import CatalogConnection
from storage.catalog.names import as_number, checked_name
from storage.errors import AlreadyExists, InvalidInput, NotFound

_COLUMNS = "id, name, body, is_enabled, created_us, created_by, raised, last_raised_us"


def _rule(row: tuple[Any, ...]) -> RuleRow:
    values = dict(zip(RuleRow.__struct_fields__, row, strict=True))
    return RuleRow(**{**values, "is_enabled": bool(values["is_enabled"])})


class AlarmRuleRows(CatalogConnection):
    """Tables `alarm_rule` and `schedule_template`."""

    def alarm_rules(self) -> list[RuleRow]:
        """In order of addition."""
        return [_rule(row) for row in self._rows(f"SELECT {_COLUMNS} FROM alarm_rule ORDER BY id")]

    def alarm_rule(self, ref: str | int) -> RuleRow:
        """By name, else number. Raises NotFound."""
        row = None
        if isinstance(ref, str):
            row = self._row(f"SELECT {_COLUMNS} FROM alarm_rule WHERE name = ?", (ref,))
        number = as_number(ref) if isinstance(ref, str) else ref
        if row is None and number is not None:
            row = self._row(f"SELECT {_COLUMNS} FROM alarm_rule WHERE id = ?", (number,))
        if row is None:
            raise NotFound(f"no alarm rule {ref!r}", "`watchdeck alarm rule list` shows all")
        return _rule(row)

    def add_alarm_rule(
        self,
        *,
        name: str,
        body: str | bytes,
        is_enabled: bool = True,
        created_us: int,
        created_by: str = "",
    ) -> RuleRow:
        """Raises AlreadyExists, InvalidInput."""
        checked = self._free_rule_name(name, except_id=0)
        with self.transaction():
            row = self._row(
                "INSERT INTO alarm_rule (name, body, is_enabled, created_us, created_by) VALUES (?, ?, ?, ?, ?)"
                f" RETURNING {_COLUMNS}",
                (checked, _text(body), int(is_enabled), created_us, created_by),
            )
        assert row is not None
        return _rule(row)

    def update_alarm_rule(
        self,
        id: int,
        *,
        name: str | None = None,
        body: str | bytes | None = None,
        is_enabled: bool | None = None,
    ) -> RuleRow:
        """Change what is given; alarms keep the name they were raised under. Raises NotFound, AlreadyExists, InvalidInput."""
        checked = None if name is None else self._free_rule_name(name, except_id=id)
        with self.transaction():
            row = self._row(
                "UPDATE alarm_rule SET name = coalesce(?, name), body = coalesce(?, body),"
                f" is_enabled = coalesce(?, is_enabled) WHERE id = ? RETURNING {_COLUMNS}",
                (
                    checked,
                    None if body is None else _text(body),
                    None if is_enabled is None else int(is_enabled),
                    id,
                ),
            )
        if row is None:
            raise NotFound(f"no alarm rule {id}", "`watchdeck alarm rule list` shows all")
        return _rule(row)

    def remove_alarm_rule(self, id: int) -> None:
        """Alarms it raised stay. Raises NotFound."""
        if not self._run("DELETE FROM alarm_rule WHERE id = ?", (id,)):
            raise NotFound(f"no alarm rule {id}", "`watchdeck alarm rule list` shows all")

    def _free_rule_name(self, name: str, *, except_id: int) -> str:
        checked = checked_name(name, "alarm rule")
        if self._row("SELECT 1 FROM alarm_rule WHERE name = ? AND id <> ?", (checked, except_id)):
            raise AlreadyExists(f"an alarm rule is called {checked!r} already", "choose another name")
        return checked

    # -- named weeks -----------------------------------------------------------------------------------------

    def schedule_templates(self) -> list[ScheduleRow]:
        """By name."""
        return [
            ScheduleRow(*row)
            for row in self._rows("SELECT name, schedule FROM schedule_template ORDER BY name")
        ]

    def put_schedule_template(self, name: str, schedule: str | bytes) -> ScheduleRow:
        """Make it, or give it other cells. Raises InvalidInput."""
        checked, text = checked_name(name, "schedule"), _text(schedule)
        with self.transaction():
            row = self._row(
                "INSERT INTO schedule_template VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET schedule = excluded.schedule"
                " RETURNING name, schedule",
                (checked, text),
            )
        assert row is not None
        return ScheduleRow(*row)

    def remove_schedule_template(self, name: str) -> None:
        """Whether something uses it is the caller's to know. Raises NotFound."""
        if not self._run("DELETE FROM schedule_template WHERE name = ?", (name,)):
            raise NotFound(f"no schedule {name!r}", "`watchdeck schedule list` shows all")


def _text(body: str | bytes) -> str:
    try:
        return body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"not JSON: {error}") from error

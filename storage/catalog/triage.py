"""Triage: one step on one alarm or ten thousand, in one transaction; its history; taking it back.

A step keeps, for each alarm it changed, exactly what the alarm was before. `alarm.step_id` names the last step that was not taken back,
so that undo finds the alarms nobody has touched since, and a second undo finds the step before. History only grows: an undo is a step.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from storage.catalog.alarm_filter import status_number
from storage.catalog.alarm_records import STATUSES, AlarmRowFilter, StepRow
from storage.catalog.alarms import AlarmRows
from storage.errors import Conflict, InvalidInput, NotFound


class TriageRows(AlarmRows):
    """Tables `alarm_step` and `alarm_step_alarm`."""

    def triage(
        self,
        *,
        ids: Iterable[int] = (),
        filter: AlarmRowFilter | None = None,
        with_groups: bool = False,
        status: str | None = None,
        muted_until_us: int | None = None,
        comment: str | None = None,
        actor: str,
        time_us: int,
    ) -> tuple[int, int]:
        """(step, alarms changed). The alarms are these ids, or without any all that fit the filter at `time_us`.

        `with_groups`: each id stands for all open alarms of its kind and source up to it (rule 20). `muted_until_us` 0 ends a mute;
        None leaves things as they are. Ids that are gone are passed over. Raises NotFound when no alarm is left, InvalidInput.
        """
        wanted = list(ids)
        if bool(wanted) == (filter is not None):
            raise InvalidInput("a step is for some alarms, or for all of a filter")
        if status is None and muted_until_us is None and comment is None:
            raise InvalidInput("a step changes the status, mutes or comments")
        what = "status" if status is not None else "mute" if muted_until_us is not None else "comment"
        number = None if status is None else status_number(status)
        with self.transaction():
            self._begin_choice()
            if filter is not None:
                self._choose_by_filter(filter, time_us)
            else:
                self._choose_by_id(wanted, with_groups)
            self._require_a_choice(is_by_filter=filter is not None)
            step_id = self._add_step(time_us, actor, what, comment, None)
            self._run(
                "INSERT INTO alarm_step_alarm (alarm_id, step_id, old_status, old_muted_until_us, old_comment,"
                " old_handler, old_step_id, new_status, new_muted_until_us)"
                " SELECT a.id, ?1, status, muted_until_us, comment, handler, step_id, coalesce(?2, status),"
                " CASE WHEN ?3 IS NULL THEN muted_until_us ELSE nullif(?3, 0) END"
                " FROM temp.chosen_alarm AS c CROSS JOIN alarm AS a ON a.id = c.id",
                (step_id, number, muted_until_us),
            )
            changed = self._run(
                "UPDATE alarm SET status = coalesce(?2, status),"
                " muted_until_us = CASE WHEN ?3 IS NULL THEN muted_until_us ELSE nullif(?3, 0) END,"
                " comment = coalesce(?4, comment), handler = ?5, step_id = ?1"
                " WHERE id IN (SELECT id FROM temp.chosen_alarm)",
                (step_id, number, muted_until_us, comment, actor),
            )
        return step_id, changed

    def undo_triage(self, actor: str, time_us: int) -> tuple[int, int]:
        """Take back the last step of this person that is not undone yet: (step of the undo, alarms restored).

        Alarms that another step has touched since are left as they are. Raises NotFound when there is nothing to take back,
        Conflict when every alarm of it was touched since.
        """
        with self.transaction():
            row = self._row(
                "SELECT id FROM alarm_step WHERE actor = ? AND is_undone = 0 AND what <> 'undo' ORDER BY id DESC LIMIT 1",
                (actor,),
            )
            if row is None:
                raise NotFound(f"{actor} has no step to take back")
            undone_id = row[0]
            self._begin_choice()
            chosen = self._run(
                "INSERT INTO temp.chosen_alarm SELECT a.id FROM alarm_step_alarm AS s CROSS JOIN alarm AS a ON a.id = s.alarm_id"
                " WHERE s.step_id = ?1 AND a.step_id = ?1",
                (undone_id,),
            )
            if not chosen:
                raise Conflict(
                    "somebody has handled all of these alarms since", "look at them, then take another step"
                )
            step_id = self._add_step(time_us, actor, "undo", None, undone_id)
            self._run(
                "INSERT INTO alarm_step_alarm (alarm_id, step_id, old_status, old_muted_until_us, old_comment,"
                " old_handler, old_step_id, new_status, new_muted_until_us)"
                " SELECT a.id, ?1, a.status, a.muted_until_us, a.comment, a.handler, a.step_id, s.old_status, s.old_muted_until_us"
                " FROM temp.chosen_alarm AS c CROSS JOIN alarm AS a ON a.id = c.id"
                " CROSS JOIN alarm_step_alarm AS s ON s.alarm_id = a.id AND s.step_id = ?2",
                (step_id, undone_id),
            )
            restored = self._run(
                "UPDATE alarm SET (status, muted_until_us, comment, handler, step_id) ="
                " (SELECT old_status, old_muted_until_us, old_comment, old_handler, old_step_id FROM alarm_step_alarm"
                " WHERE alarm_id = alarm.id AND step_id = ?) WHERE id IN (SELECT id FROM temp.chosen_alarm)",
                (undone_id,),
            )
            self._run(
                "UPDATE alarm_step_alarm SET is_undone = 1 WHERE step_id = ? AND alarm_id IN (SELECT id FROM temp.chosen_alarm)",
                (undone_id,),
            )
            self._run("UPDATE alarm_step SET is_undone = 1 WHERE id = ?", (undone_id,))
        return step_id, restored

    def alarm_steps(self, id: int) -> list[StepRow]:
        """All that was done to an alarm, oldest first. Raises NotFound."""
        self.alarm(id)
        rows = self._rows(
            "SELECT s.id, s.time_us, s.actor, s.what, a.old_status, a.new_status, a.new_muted_until_us,"
            " coalesce(s.comment, ''), a.is_undone"
            " FROM alarm_step_alarm AS a CROSS JOIN alarm_step AS s ON s.id = a.step_id"
            " WHERE a.alarm_id = ? ORDER BY a.step_id",
            (id,),
        )
        return [
            StepRow(
                id=row[0],
                time_us=row[1],
                actor=row[2],
                what=row[3],
                old_status=STATUSES[row[4]],
                new_status=STATUSES[row[5]],
                muted_until_us=row[6],
                comment=row[7],
                is_undone=bool(row[8]),
            )
            for row in rows
        ]

    # -- inside a transaction --------------------------------------------------------------------------------

    def _begin_choice(self) -> None:
        self._run("CREATE TEMP TABLE IF NOT EXISTS chosen_alarm (id INTEGER PRIMARY KEY)")
        self._run("DELETE FROM temp.chosen_alarm")

    def _choose_by_filter(self, filter: AlarmRowFilter, now_us: int) -> None:
        where = self._alarm_where(filter, now_us)
        self._run(
            f"INSERT INTO temp.chosen_alarm SELECT id FROM {where.table} WHERE {where.sql}", where.values
        )

    def _choose_by_id(self, ids: list[int], with_groups: bool) -> None:
        given = msgspec.json.encode(ids).decode()
        if with_groups:
            self._run(
                "INSERT OR IGNORE INTO temp.chosen_alarm SELECT a.id FROM"
                " (SELECT kind, source, max(id) AS newest FROM alarm NOT INDEXED"
                " WHERE id IN (SELECT value FROM json_each(?)) GROUP BY kind, source) AS g"
                " CROSS JOIN alarm AS a INDEXED BY alarm_open_group"
                " ON a.kind = g.kind AND a.source = g.source AND a.id <= g.newest AND a.status < 2",
                (given,),
            )
        else:
            self._run(
                "INSERT INTO temp.chosen_alarm SELECT id FROM alarm NOT INDEXED WHERE id IN (SELECT value FROM json_each(?))",
                (given,),
            )

    def _require_a_choice(self, *, is_by_filter: bool) -> None:
        if self._row("SELECT 1 FROM temp.chosen_alarm") is None:
            what = "no alarm is like that" if is_by_filter else "none of these alarms is there any more"
            raise NotFound(what, "look at the list again")

    def _add_step(self, time_us: int, actor: str, what: str, comment: str | None, undoes: int | None) -> int:
        row = self._row(
            "INSERT INTO alarm_step (time_us, actor, what, comment, undoes) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (time_us, actor, what, comment, undoes),
        )
        assert row is not None
        return int(row[0])

"""Alarms as they come in: raised by a hit or joined by it, thousands in one transaction; what came of their actions; their end."""

from __future__ import annotations

from collections.abc import Sequence

from storage.catalog.alarm_filter import COLUMNS, SEVERITIES, alarm_row
from storage.catalog.alarm_list import AlarmListRows
from storage.catalog.alarm_records import OPEN_STATUSES, AlarmHit, AlarmOutcome, AlarmRow, ResultRow

_Key = tuple[int | None, str, str]
_RESULT = "alarm_id, position, action, state, tries, text, time_us"


def _joins(hit: AlarmHit, row: AlarmRow) -> bool:
    """Near enough in time, before or after: an alarm of before the clock was set back does not swallow what happens now."""
    return (
        hit.retrigger_us > 0
        and row.status in OPEN_STATUSES
        and hit.first_us - row.last_us <= hit.retrigger_us
        and row.first_us - hit.last_us <= hit.retrigger_us
    )


class AlarmRows(AlarmListRows):
    """Tables `alarm` and `alarm_result`."""

    def add_hits(self, hits: Sequence[AlarmHit]) -> list[AlarmOutcome]:
        """All in one transaction; what each did, in the same order.

        A hit joins the newest alarm of its (rule, kind, source) when that one is open and near enough in time; counts add up.
        """
        outcomes: list[AlarmOutcome] = []
        newest: dict[_Key, AlarmRow] = {}
        with self.transaction():
            for hit in hits:
                key = (hit.rule_id, hit.kind, hit.source)
                there = None
                if hit.retrigger_us and not hit.is_test:
                    there = newest.get(key) or self._alarm_to_join(key)
                if there is not None and _joins(hit, there):
                    outcome = AlarmOutcome(self._join(there.id, hit), False)
                else:
                    outcome = AlarmOutcome(self._raise(hit), True)
                if not hit.is_test:
                    newest[key] = outcome.row
                outcomes.append(outcome)
        return outcomes

    def _alarm_to_join(self, key: _Key) -> AlarmRow | None:
        row = self._row(
            f"SELECT {COLUMNS} FROM alarm INDEXED BY alarm_to_join"
            " WHERE rule_id IS ? AND kind = ? AND source = ? AND is_test = 0 ORDER BY id DESC LIMIT 1",
            key,
        )
        return None if row is None else alarm_row(row)

    def _join(self, id: int, hit: AlarmHit) -> AlarmRow:
        row = self._row(
            "UPDATE alarm SET count = count + ?, text = ?, last_us = max(last_us, ?), first_us = min(first_us, ?)"
            f" WHERE id = ? RETURNING {COLUMNS}",
            (hit.count, hit.text, hit.last_us, hit.first_us, id),
        )
        assert row is not None
        return alarm_row(row)

    def _raise(self, hit: AlarmHit) -> AlarmRow:
        row = self._row(
            "INSERT INTO alarm (rule_id, rule, kind, source, camera, severity, first_us, last_us, count, text, sound,"
            f" is_live, is_test) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {COLUMNS}",
            (
                hit.rule_id,
                hit.rule,
                hit.kind,
                hit.source,
                hit.camera,
                SEVERITIES.index(hit.severity),
                hit.first_us,
                hit.last_us,
                hit.count,
                hit.text,
                hit.sound,
                int(hit.is_live),
                int(hit.is_test),
            ),
        )
        assert row is not None
        return alarm_row(row)

    def prune_alarms(self, before_us: int, step: int = 5_000, *, keep_at_least: int = 0) -> int:
        """Drop at most `step` alarms whose last event is from before `before_us`, whatever their status, with their history.

        The newest `keep_at_least` stay whatever the clock says. Returns how many went.
        """
        with self.transaction():
            self._run("CREATE TEMP TABLE IF NOT EXISTS old_alarm (id INTEGER PRIMARY KEY)")
            self._run("CREATE TEMP TABLE IF NOT EXISTS old_step (id INTEGER PRIMARY KEY)")
            self._run("DELETE FROM temp.old_alarm")
            self._run("DELETE FROM temp.old_step")
            self._run(
                "INSERT INTO temp.old_alarm SELECT id FROM alarm INDEXED BY alarm_history"
                " WHERE last_us < ? AND id <= (SELECT max(id) FROM alarm) - ? ORDER BY last_us, id LIMIT ?",
                (before_us, keep_at_least, step),
            )
            self._run(
                "INSERT OR IGNORE INTO temp.old_step SELECT s.step_id FROM temp.old_alarm AS o"
                " CROSS JOIN alarm_step_alarm AS s ON s.alarm_id = o.id"
            )
            gone = self._run("DELETE FROM alarm WHERE id IN (SELECT id FROM temp.old_alarm)")
            self._run(
                "DELETE FROM alarm_step WHERE id IN (SELECT id FROM temp.old_step)"
                " AND NOT EXISTS (SELECT 1 FROM alarm_step_alarm WHERE step_id = alarm_step.id)"
            )
        return gone

    # -- what came of the actions ----------------------------------------------------------------------------

    def action_results(self, id: int) -> list[ResultRow]:
        """Of an alarm, in the order of its rule's actions. Raises NotFound."""
        self.alarm(id)
        rows = self._rows(f"SELECT {_RESULT} FROM alarm_result WHERE alarm_id = ? ORDER BY position", (id,))
        return [ResultRow(**dict(zip(ResultRow.__struct_fields__, row, strict=True))) for row in rows]

    def put_action_result(self, result: ResultRow) -> None:
        """In place of what was known of that action; of an alarm that is gone by now it is dropped."""
        self.put_action_results([result])

    def put_action_results(self, results: Sequence[ResultRow]) -> None:
        """As `put_action_result`, all in one transaction."""
        with self.transaction():
            for result in results:
                self._run(
                    f"INSERT OR REPLACE INTO alarm_result ({_RESULT}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
                    " WHERE EXISTS (SELECT 1 FROM alarm WHERE id = ?1)",
                    tuple(getattr(result, field) for field in ResultRow.__struct_fields__),
                )

    def end_action_results(self, text: str) -> int:
        """At the engine's start: what waited or ran when it stopped has failed, for this reason. Returns how many."""
        return self._run(
            "UPDATE alarm_result SET state = 'failed', text = ? WHERE state IN ('waiting', 'running')",
            (text,),
        )

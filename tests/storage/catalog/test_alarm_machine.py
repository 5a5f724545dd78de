"""No sequence of hits, steps, undos and prunes loses an alarm or its history: the catalog against a model in plain Python."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from storage.catalog.alarm_filter import SEVERITIES
from storage.catalog.alarm_records import OPEN_STATUSES, STATUSES, AlarmRow, AlarmRowFilter, StepRow
from storage.catalog.db import Catalog
from storage.catalog.records import Severity
from storage.errors import Conflict, NotFound
from tests.storage.catalog.alarms import RETRIGGER_US, hit, listed
from tests.storage.catalog.footage import SECOND, T0

ACTORS = ("ann", "ben")
SOURCES = ("gate", "yard")


class Step(msgspec.Struct):
    """What the model remembers of a step: each alarm before and after."""

    id: int
    actor: str
    what: str
    before: dict[int, AlarmRow]
    previous: dict[int, int | None]
    is_undone: bool = False


class AlarmMachine(RuleBasedStateMachine):
    """Time only goes on, a few seconds at a time."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.catalog = Catalog.open(Path(self.folder.name) / "catalog.db")
        self.catalog._connection.execute("PRAGMA synchronous = OFF")
        self.rule_id = self.catalog.add_alarm_rule(name="night watch", body="{}", created_us=T0).id
        self.now_us = T0
        self.rows: dict[int, AlarmRow] = {}
        self.history: dict[int, list[StepRow]] = {}
        self.last_step: dict[int, int | None] = {}
        self.steps: list[Step] = []
        self.hits = self.pruned = 0

    def teardown(self) -> None:
        self.catalog.close()
        self.folder.cleanup()

    # -- what happens ------------------------------------------------------------------------------------

    @rule(
        hits=st.lists(
            st.tuples(
                st.sampled_from(SOURCES),
                st.integers(0, 40),
                st.integers(1, 500),
                st.sampled_from(SEVERITIES),
                st.sampled_from((0, RETRIGGER_US)),
                st.booleans(),
            ),
            min_size=1,
            max_size=6,
        )
    )
    def hits_come(self, hits: list[tuple[str, int, int, Severity, int, bool]]) -> None:
        made = []
        for source, later_s, count, severity, retrigger_us, is_test in hits:
            self.now_us += later_s * SECOND
            made.append(
                hit(
                    (self.now_us - T0) / SECOND,
                    rule_id=self.rule_id,
                    source=source,
                    count=count,
                    severity=severity,
                    retrigger_us=retrigger_us,
                    is_test=is_test,
                )
            )
            self.hits += count
        for each, outcome in zip(made, self.catalog.add_hits(made), strict=True):
            same = [row for row in self.rows.values() if row.source == each.source and not row.is_test]
            newest = max(same, key=lambda row: row.id, default=None)
            joins = (
                newest is not None
                and not each.is_test
                and each.retrigger_us > 0
                and newest.status in OPEN_STATUSES
                and each.first_us - newest.last_us <= each.retrigger_us
            )
            assert outcome.is_new is not joins
            id = outcome.row.id
            if joins and newest is not None:
                assert id == newest.id
                self.rows[id] = msgspec.structs.replace(
                    newest, count=newest.count + each.count, last_us=each.last_us
                )
            else:
                assert id not in self.history
                self.rows[id], self.history[id], self.last_step[id] = outcome.row, [], None
            assert outcome.row == self.rows[id]

    @precondition(lambda self: self.rows)
    @rule(
        data=st.data(),
        actor=st.sampled_from(ACTORS),
        status=st.sampled_from((None, *STATUSES)),
        mute_s=st.sampled_from((None, 0, 60)),
        comment=st.sampled_from((None, "", "a fox", "leaves")),
        with_groups=st.booleans(),
    )
    def somebody_handles(
        self,
        data: st.DataObject,
        actor: str,
        status: str | None,
        mute_s: int | None,
        comment: str | None,
        with_groups: bool,
    ) -> None:
        ids = data.draw(st.sets(st.sampled_from(sorted(self.rows)), min_size=1, max_size=8))
        if status is None and mute_s is None and comment is None:
            status = "in_progress"
        chosen = ids
        if with_groups:
            chosen = {
                row.id
                for row in self.rows.values()
                if row.status in OPEN_STATUSES
                and any(row.id <= id and self.rows[id].source == row.source for id in ids)
            }
        if not chosen:
            return
        until_us = None if mute_s is None else mute_s and self.now_us + mute_s * SECOND
        step_id, changed = self.catalog.triage(
            ids=ids,
            with_groups=with_groups,
            status=status,
            muted_until_us=until_us,
            comment=comment,
            actor=actor,
            time_us=self.now_us,
        )
        assert changed == len(chosen)
        what = "status" if status else "mute" if until_us is not None else "comment"
        self._step(step_id, actor, what, status, until_us, comment, chosen)

    @rule(
        actor=st.sampled_from(ACTORS),
        status=st.sampled_from(STATUSES),
        word=st.sampled_from(("", "gate", "fox")),
    )
    def somebody_handles_a_whole_list(self, actor: str, status: str, word: str) -> None:
        filter = AlarmRowFilter(text=word, up_to_id=max(self.rows, default=1))
        chosen = {
            row.id
            for row in self.rows.values()
            if row.status in OPEN_STATUSES
            and (row.muted_until_us or 0) <= self.now_us
            and word in f"{row.source} {row.comment}"
        }
        if not chosen:
            try:
                self.catalog.triage(filter=filter, status=status, actor=actor, time_us=self.now_us)
            except NotFound:
                return
            raise AssertionError("a step on nothing")
        step_id, changed = self.catalog.triage(filter=filter, status=status, actor=actor, time_us=self.now_us)
        assert changed == len(chosen)
        self._step(step_id, actor, "status", status, None, None, chosen)

    def _step(
        self,
        step_id: int,
        actor: str,
        what: str,
        status: str | None,
        until_us: int | None,
        comment: str | None,
        chosen: set[int],
    ) -> None:
        before = {id: self.rows[id] for id in chosen}
        self.steps.append(Step(step_id, actor, what, before, {id: self.last_step[id] for id in chosen}))
        for id, old in before.items():
            self.rows[id] = msgspec.structs.replace(
                old,
                status=status or old.status,
                muted_until_us=old.muted_until_us if until_us is None else until_us or None,
                comment=old.comment if comment is None else comment,
                handler=actor,
            )
            self.last_step[id] = step_id
            self._note(id, step_id, actor, what, old, comment or "")

    def _note(self, id: int, step_id: int, actor: str, what: str, old: AlarmRow, comment: str) -> None:
        self.history[id].append(
            StepRow(
                id=step_id,
                time_us=self.now_us,
                actor=actor,
                what=what,
                old_status=old.status,
                new_status=self.rows[id].status,
                muted_until_us=self.rows[id].muted_until_us,
                comment=comment,
            )
        )

    @precondition(lambda self: any(not step.is_undone for step in self.steps))
    @rule(actor=st.sampled_from(ACTORS))
    def somebody_takes_a_step_back(self, actor: str) -> None:
        mine = [
            step
            for step in self.steps
            if step.actor == actor and not step.is_undone and step.before.keys() & self.rows.keys()
        ]
        expected: type[Exception] | None = None
        restored: set[int] = set()
        if not mine:
            expected = NotFound
        else:
            restored = {id for id in mine[-1].before if id in self.rows and self.last_step[id] == mine[-1].id}
            expected = None if restored else Conflict
        if expected is not None:
            try:
                self.catalog.undo_triage(actor, self.now_us)
            except expected:
                return
            raise AssertionError("nothing was taken back")
        step = mine[-1]
        undo_id, count = self.catalog.undo_triage(actor, self.now_us)
        assert count == len(restored)
        step.is_undone = True
        for id in restored:
            old, was = self.rows[id], step.before[id]
            self.rows[id] = msgspec.structs.replace(
                old,
                status=was.status,
                muted_until_us=was.muted_until_us,
                comment=was.comment,
                handler=was.handler,
            )
            self.last_step[id] = step.previous[id]
            self.history[id] = [
                msgspec.structs.replace(each, is_undone=True) if each.id == step.id else each
                for each in self.history[id]
            ]
            self._note(id, undo_id, actor, "undo", old, "")

    @rule(back_s=st.integers(20, 400), limit=st.integers(1, 4))
    def the_old_ones_go(self, back_s: int, limit: int) -> None:
        before_us = self.now_us - back_s * SECOND
        old = sorted((row.last_us, row.id) for row in self.rows.values() if row.last_us < before_us)[:limit]
        assert self.catalog.prune_alarms(before_us, limit) == len(old)
        for _, id in old:
            self.pruned += self.rows.pop(id).count
            del self.history[id]

    @rule(seconds=st.integers(1, 90))
    def time_goes_on(self, seconds: int) -> None:
        self.now_us += seconds * SECOND

    # -- what always holds -------------------------------------------------------------------------------

    @invariant()
    def every_alarm_is_there_as_it_should_be(self) -> None:
        assert {row.id: row for row in listed(self.catalog)} == self.rows

    @invariant()
    def every_hit_is_counted(self) -> None:
        assert sum(row.count for row in self.rows.values()) + self.pruned == self.hits

    @invariant()
    def every_step_is_in_the_history(self) -> None:
        for id, steps in self.history.items():
            assert self.catalog.alarm_steps(id) == steps

    @invariant()
    def no_step_is_left_of_alarms_that_are_gone(self) -> None:
        kept = {step.id for steps in self.history.values() for step in steps}
        assert {row[0] for row in self.catalog._rows("SELECT id FROM alarm_step")} == kept

    @invariant()
    def totals_equal_a_recount(self) -> None:
        def count(fits: Callable[[AlarmRow], bool]) -> int:
            return sum(fits(row) for row in self.rows.values())

        def is_muted(row: AlarmRow) -> bool:
            return row.muted_until_us is not None and row.muted_until_us > self.now_us

        totals = self.catalog.alarm_totals(self.now_us)
        assert totals.new == count(lambda row: row.status == "new" and not is_muted(row))
        assert totals.in_progress == count(lambda row: row.status == "in_progress" and not is_muted(row))
        assert totals.muted == count(lambda row: row.status in OPEN_STATUSES and is_muted(row))
        assert totals.critical == count(
            lambda row: row.status == "new" and row.severity == Severity.CRITICAL and not is_muted(row)
        )
        assert self.catalog.alarm_rule(self.rule_id).raised == len(self.rows)
        assert not self.catalog.has_miscounted_alarms()

    @invariant()
    def nothing_is_broken_underneath(self) -> None:
        assert self.catalog.database_faults() == []
        assert self.catalog.rebuild_words() == []


TestAlarmMachine = AlarmMachine.TestCase
TestAlarmMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

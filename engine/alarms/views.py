"""Rows of alarms as the API shows them."""

from __future__ import annotations

from engine.wire_alarm_rules import ActionResult, ActionState
from engine.wire_alarms import AlarmCounts, AlarmStatus, AlarmStep, AlarmView
from storage.catalog.alarm_records import AlarmRow, AlarmTotals, ResultRow, StepRow


def alarm_view(row: AlarmRow) -> AlarmView:
    return AlarmView(
        id=row.id,
        rule=row.rule,
        kind=row.kind,
        source=row.source,
        camera=row.camera,
        severity=str(row.severity),
        status=AlarmStatus(row.status),
        first_us=row.first_us,
        last_us=row.last_us,
        count=row.count,
        text=row.text,
        comment=row.comment,
        handler=row.handler,
        muted_until_us=row.muted_until_us,
        sound=row.sound,
        is_live=row.is_live,
        is_test=row.is_test,
        members=row.members,
    )


def counts_view(totals: AlarmTotals) -> AlarmCounts:
    return AlarmCounts(
        new=totals.new,
        in_progress=totals.in_progress,
        muted=totals.muted,
        critical=totals.critical,
        newest_id=totals.newest_id,
        newest_us=totals.newest_us,
        revision=totals.revision,
    )


def step_view(row: StepRow) -> AlarmStep:
    return AlarmStep(
        id=row.id,
        time_us=row.time_us,
        actor=row.actor,
        what=row.what,
        old_status=AlarmStatus(row.old_status),
        new_status=AlarmStatus(row.new_status),
        muted_until_us=row.muted_until_us,
        comment=row.comment,
        is_undone=row.is_undone,
    )


def result_view(row: ResultRow) -> ActionResult:
    return ActionResult(
        action=row.action,
        state=ActionState(row.state),
        tries=row.tries,
        text=row.text,
        time_us=row.time_us,
    )

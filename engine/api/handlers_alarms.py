"""Calls about alarms: the list in windows, one with its history, triage and its undo, the list as a file.

The list is the catalog's business from filter to page: consoles never hold it. Manual rows AL, AG.
"""

from __future__ import annotations

import asyncio

import msgspec

from engine.alarms.views import alarm_view, result_view, step_view
from engine.api.alarm_views import clip_us, row_filter
from engine.api.csv_file import ROW_LIMIT, alarm_table
from engine.api.services import Call, Services
from engine.wire_alarm_rules import AlarmRuleView
from engine.wire_alarms import (
    COMMENT_LENGTH,
    AlarmCounts,
    AlarmDetail,
    AlarmFilter,
    AlarmPage,
    AlarmPlace,
    AlarmPlaceQuery,
    AlarmQuery,
    AlarmStatus,
    AlarmTriage,
    TriageDone,
)
from engine.wire_calls import CsvReply
from storage.catalog.alarm_records import AlarmRow, AlarmRowFilter, ResultRow, StepRow
from storage.errors import InvalidInput, NotFound
from storage.units import US_PER_SECOND

PAGE = 2_000
"""Rows of one read for a file."""
US_PER_MINUTE = 60 * US_PER_SECOND
STATUS_WORDS = {
    AlarmStatus.NEW: "new",
    AlarmStatus.IN_PROGRESS: "in progress",
    AlarmStatus.FALSE_ALARM: "false alarm",
    AlarmStatus.CLOSED: "closed",
}


async def query_alarms(services: Services, call: Call[None, AlarmQuery]) -> AlarmPage:
    asked = call.body
    revision = services.alarms.counts.revision
    rows: list[AlarmRow]
    rows, total = await services.catalog.read(
        "alarms",
        row_filter(asked),
        now_us=services.clock.now_us(),
        grouped=asked.grouped,
        offset=asked.offset,
        limit=asked.limit,
    )
    # The revision is looked at first: what changed in between is announced with a higher one, and asked for once more.
    return AlarmPage(total=total, revision=revision, alarms=tuple(map(alarm_view, rows)))


async def place_of_alarm(services: Services, call: Call[None, AlarmPlaceQuery]) -> AlarmPlace:
    asked = call.body
    index: int | None = await services.catalog.read(
        "alarm_index", row_filter(asked), asked.id, now_us=services.clock.now_us(), grouped=asked.grouped
    )
    return AlarmPlace(index=index)


async def count_alarms(services: Services, call: Call[None, None]) -> AlarmCounts:
    return services.alarms.counts


async def get_alarm(services: Services, call: Call[None, None]) -> AlarmDetail:
    try:
        id = int(call.path["id"])
    except ValueError:
        raise InvalidInput(f"{call.path['id']!r} is no alarm's number", "see POST /v1/alarms/query") from None
    row: AlarmRow = await services.catalog.read("alarm", id)
    steps: list[StepRow] = await services.catalog.read("alarm_steps", id)
    results: list[ResultRow] = await services.catalog.read("action_results", id)
    rule = _rule_of(services, row)
    clip_start_us, clip_end_us = clip_us(row, () if rule is None else rule.actions)
    return AlarmDetail(
        alarm=alarm_view(row),
        instructions="" if rule is None else rule.instructions,
        steps=tuple(map(step_view, steps)),
        results=tuple(map(result_view, results)),
        clip_start_us=clip_start_us,
        clip_end_us=clip_end_us,
    )


def _rule_of(services: Services, row: AlarmRow) -> AlarmRuleView | None:
    """None: it was removed since."""
    if row.rule_id is None:
        return None
    try:
        return services.rules.view(str(row.rule_id))
    except NotFound:
        return None


# -- triage ----------------------------------------------------------------------------------------------


async def triage_alarms(services: Services, call: Call[None, AlarmTriage]) -> TriageDone:
    step, now_us = call.body, services.clock.now_us()
    chosen = _checked(step)
    muted_until_us = step.mute_minutes
    if step.mute_minutes:
        muted_until_us = now_us + step.mute_minutes * US_PER_MINUTE
    step_id, changed = await services.catalog.write(
        "triage",
        ids=step.selection.ids,
        filter=chosen,
        with_groups=step.selection.with_groups,
        status=None if step.status is None else step.status.value,
        muted_until_us=muted_until_us,
        comment=step.comment,
        actor=call.caller.name,
        time_us=now_us,
    )
    await services.alarms.changed()
    return TriageDone(step_id=step_id, changed=changed, what=f"{_alarms(changed)}: {_in_words(step)}")


def _checked(step: AlarmTriage) -> AlarmRowFilter | None:
    """The filter of a step that makes sense. Raises InvalidInput."""
    selection = step.selection
    if bool(selection.ids) == (selection.filter is not None):
        raise InvalidInput("$.selection names neither alarms nor a filter, or both", "give one of them")
    if step.status is None and step.mute_minutes is None and step.comment is None:
        raise InvalidInput(
            "the step changes nothing", "give a status, minutes for which to mute, or a comment"
        )
    if step.comment is not None and len(step.comment) > COMMENT_LENGTH:
        raise InvalidInput(f"$.comment is longer than {COMMENT_LENGTH} characters", "shorten it")
    return None if selection.filter is None else row_filter(selection.filter)


async def undo_triage(services: Services, call: Call[None, None]) -> TriageDone:
    step_id, changed = await services.catalog.write("undo_triage", call.caller.name, services.clock.now_us())
    await services.alarms.changed()
    return TriageDone(step_id=step_id, changed=changed, what=f"{_alarms(changed)}: last step undone")


def _in_words(step: AlarmTriage) -> str:
    words = []
    if step.status is not None:
        words.append(STATUS_WORDS[step.status])
    if step.mute_minutes is not None:
        words.append(f"muted for {step.mute_minutes} min" if step.mute_minutes else "no longer muted")
    if step.comment is not None:
        words.append("commented")
    return ", ".join(words)


def _alarms(count: int) -> str:
    return f"{count} alarm{'' if count == 1 else 's'}"


# -- as a file -------------------------------------------------------------------------------------------


async def export_alarms(services: Services, call: Call[None, AlarmFilter]) -> CsvReply:
    """AL-15, newest first."""
    rows = await _all_rows(services, row_filter(call.body))
    station = services.station.station_view().name
    kept = rows[:ROW_LIMIT]
    data = await asyncio.get_running_loop().run_in_executor(services.files, alarm_table, kept, station)
    return CsvReply(data=data, rows=len(kept), is_cut=len(rows) > ROW_LIMIT)


async def _all_rows(services: Services, chosen: AlarmRowFilter) -> list[AlarmRow]:
    """One row more than a file takes at most. Read in pages, so that lists in consoles are answered in between."""
    begun_us = services.clock.now_us()
    found: dict[int, AlarmRow] = {}
    page = chosen
    offset = 0
    while len(found) <= ROW_LIMIT:
        rows = await _page(services, page, offset)
        found.update((row.id, row) for row in rows)
        if len(rows) < PAGE:
            break
        # Pages go on by time: what is raised meanwhile moves nothing. Rows of the same microsecond are counted off.
        last_us = rows[-1].last_us
        same = sum(row.last_us == last_us for row in rows)
        offset = same + (offset if same == len(rows) and page.end_us == last_us + 1 else 0)
        page = msgspec.structs.replace(chosen, end_us=last_us + 1)
    # Whatever another event met meanwhile has left the pages still to come.
    since = msgspec.structs.replace(chosen, start_us=max(begun_us, chosen.start_us or 0))
    found.update((row.id, row) for row in await _page(services, since, 0))
    return sorted(found.values(), key=lambda row: (row.last_us, row.id), reverse=True)


async def _page(services: Services, chosen: AlarmRowFilter, offset: int) -> list[AlarmRow]:
    rows: list[AlarmRow]
    rows, _ = await services.catalog.read(
        "alarms", chosen, now_us=services.clock.now_us(), offset=offset, limit=PAGE
    )
    return rows

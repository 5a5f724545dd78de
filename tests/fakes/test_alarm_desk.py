"""The made-up alarm desk follows the rules of docs/alarms.md: screens are tested against it."""

from __future__ import annotations

import pytest

from engine.wire_alarms import (
    AlarmFilter,
    AlarmPlaceQuery,
    AlarmQuery,
    AlarmRaised,
    AlarmSelection,
    AlarmsMessage,
    AlarmStatus,
    AlarmTriage,
)
from storage.errors import Conflict, InvalidInput
from tests.fakes.engine import FakeEngine


async def test_closed_alarms_leave_the_list_and_undo_brings_them_back() -> None:
    engine = FakeEngine(alarms=30)
    client = engine.client()
    before = await client.alarms(AlarmQuery())
    assert before.total == 30
    ids = tuple(alarm.id for alarm in before.alarms[:3])
    done = await client.triage(
        AlarmTriage(selection=AlarmSelection(ids=ids), status=AlarmStatus.FALSE_ALARM, comment="cat")
    )
    assert (done.changed, done.what) == (3, "3 alarms: false alarm, commented")
    assert (await client.alarms(AlarmQuery())).total == 27
    assert (await client.undo_triage()).changed == 3
    assert (await client.alarms(AlarmQuery())).alarms == before.alarms
    assert [step.is_undone for step in (await client.alarm(ids[0])).steps] == [True, False]
    with pytest.raises(Conflict):
        await client.undo_triage()


async def test_muting_a_group_mutes_all_of_it_and_time_brings_it_back() -> None:
    engine = FakeEngine(alarms=30)
    client = engine.client()
    grouped = await client.alarms(AlarmQuery(grouped=True))
    assert sum(row.members for row in grouped.alarms) == 30
    row = next(row for row in grouped.alarms if row.members > 1)
    selection = AlarmSelection(ids=(row.id,), with_groups=True)
    assert (await client.triage(AlarmTriage(selection=selection, mute_minutes=5))).changed == row.members
    assert (await client.alarm_counts()).muted == row.members
    assert (await client.alarms(AlarmQuery())).total == 30 - row.members
    engine.clock.advance(5 * 60 * 1_000_000 + 1)
    assert (await client.alarms(AlarmQuery())).total == 30


async def test_consoles_are_told_of_new_alarms_and_find_their_place() -> None:
    engine = FakeEngine(alarms=5)
    client = engine.client()
    stream = client.stream()
    await anext(stream)
    alarm = engine.raise_alarm(source="garden")
    raised, counts = await anext(stream), await anext(stream)
    assert isinstance(raised, AlarmRaised)
    assert raised.alarm == alarm
    assert isinstance(counts, AlarmsMessage)
    assert (counts.counts.newest_id, counts.counts.new + counts.counts.in_progress) == (alarm.id, 6)
    assert (await client.alarm_place(AlarmPlaceQuery(id=alarm.id))).index == 0
    assert (await client.alarm_place(AlarmPlaceQuery(id=alarm.id, sources=("garage",)))).index is None
    await stream.aclose()


async def test_a_selection_is_by_ids_or_by_filter() -> None:
    client = FakeEngine(alarms=30).client()
    chosen = AlarmFilter(kinds=("detection",), up_to_id=20)
    done = await client.triage(
        AlarmTriage(selection=AlarmSelection(filter=chosen), status=AlarmStatus.CLOSED)
    )
    assert 0 < done.changed < 20
    with pytest.raises(InvalidInput):
        await client.triage(AlarmTriage(selection=AlarmSelection(), status=AlarmStatus.CLOSED))

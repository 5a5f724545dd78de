"""From event to alarm: raised once, joined while it goes on, acted on once, whatever the catalog does."""

from __future__ import annotations

import asyncio

import pytest

from engine.alarms.service import RAISED_A_SECOND
from engine.wire_alarm_rules import AlarmRuleEdit, HttpAction, LiveAction, SoundAction
from tests.engine.alarms.conftest import Bench
from tests.engine.alarms.makers import trigger

SECOND_US = 1_000_000


async def test_an_event_raises_an_alarm_and_its_actions_begin(bench: Bench) -> None:
    await bench.rule(actions=(LiveAction(), SoundAction(pattern=2)), severity="critical")
    bench.say(text="someone")
    assert await bench.alarms.flush()
    (row,) = await bench.rows()
    assert (row.rule, row.kind, row.source, row.camera, row.text) == (
        "Motion",
        "detection.motion",
        "Gate",
        "Gate",
        "someone",
    )
    assert (row.severity, row.sound, row.is_live, row.count) == ("critical", 2, True, 1)
    ((started, actions, rule),) = bench.runner.started
    assert (started, len(actions), rule) == (row, 2, "Motion")
    assert bench.raised == [(row.id, True)]
    assert (bench.alarms.counts.new, bench.alarms.counts.critical) == (1, 1)
    assert bench.changes == 1


async def test_events_within_the_interval_join_and_do_not_act_again(bench: Bench) -> None:
    await bench.rule(retrigger_s=30)
    for _ in range(4):
        bench.say()
        await bench.alarms.flush()
        bench.clock.advance(30 * SECOND_US)
    (row,) = await bench.rows()
    assert row.count == 4
    assert len(bench.runner.started) == 1
    assert bench.raised == [(row.id, True)] + [(row.id, False)] * 3


async def test_an_event_after_the_interval_is_another_alarm(bench: Bench) -> None:
    await bench.rule(retrigger_s=30)
    bench.say()
    await bench.alarms.flush()
    bench.clock.advance(30 * SECOND_US + 1)
    bench.say()
    await bench.alarms.flush()
    assert [row.count for row in await bench.rows()] == [1, 1]
    assert len(bench.runner.started) == 2


async def test_a_rule_says_how_often_and_when_it_raised_last(bench: Bench) -> None:
    view = await bench.rule(retrigger_s=0)
    assert (view.raised, view.last_raised_us) == (0, None)
    for _ in range(2):
        bench.clock.advance(SECOND_US)
        bench.say()
    last_us = bench.clock.now_us()
    await bench.alarms.flush()
    told = bench.desk.view("motion")
    await bench.alarms.reload()
    for view in (told, bench.desk.view("motion")):
        assert (view.raised, view.last_raised_us) == (2, last_us)


async def test_what_was_closed_is_not_joined(bench: Bench) -> None:
    await bench.rule()
    bench.say()
    await bench.alarms.flush()
    (row,) = await bench.rows()
    await bench.catalog.write(
        "triage", ids=(row.id,), status="closed", actor="ada", time_us=bench.clock.now_us()
    )
    await bench.alarms.changed()
    assert bench.alarms.counts.new == 0
    bench.say()
    await bench.alarms.flush()
    assert [row.status for row in await bench.rows()] == ["new", "closed"]
    assert len(bench.runner.started) == 2


async def test_after_a_restart_events_join_the_alarm_that_is_there(bench: Bench) -> None:
    await bench.rule()
    bench.say()
    await bench.alarms.flush()
    bench.start()
    await bench.alarms.load()
    assert bench.alarms.counts.new == 1
    bench.clock.advance(SECOND_US)
    bench.say()
    await bench.alarms.flush()
    (row,) = await bench.rows()
    assert row.count == 2
    assert len(bench.runner.started) == 1


async def test_a_rule_that_is_off_sees_nothing_and_what_came_before_is_not_its_own(bench: Bench) -> None:
    await bench.rule(is_enabled=False)
    bench.say()
    await bench.alarms.flush()
    await bench.desk.edit("motion", AlarmRuleEdit(is_enabled=True), "ada")
    await bench.alarms.flush()
    assert await bench.rows() == []
    bench.say()
    await bench.alarms.flush()
    assert len(await bench.rows()) == 1


async def test_a_rule_that_is_removed_leaves_its_alarms_and_those_that_were_on_their_way(
    bench: Bench,
) -> None:
    await bench.rule()
    bench.say()
    await bench.desk.remove("Motion", "ada")
    bench.say()
    assert await bench.alarms.flush()
    (row,) = await bench.rows()
    assert (row.rule, row.count) == ("Motion", 1)


async def test_a_dead_catalog_does_not_silence_the_actions(bench: Bench) -> None:
    await bench.rule(
        triggers=(trigger("volume"), trigger()), actions=(HttpAction(url="http://a.example.org"),)
    )
    bench.catalog.is_sick = True
    bench.say("volume.failed", "disk1", "input/output errors")
    assert not await bench.alarms.flush()
    ((row, actions, rule),) = bench.runner.started
    assert (row.id, row.text, rule, len(actions)) == (0, "input/output errors", "Motion", 1)
    assert bench.raised == [(0, True)]


async def test_what_a_dead_catalog_did_not_take_is_counted_and_written_later_and_acted_on_once(
    bench: Bench,
) -> None:
    await bench.rule(retrigger_s=30)
    bench.catalog.is_sick = True
    for _ in range(5):
        bench.say()
        assert not await bench.alarms.flush()
        bench.clock.advance(SECOND_US)
    bench.clock.advance(60 * SECOND_US)
    bench.say()
    assert not await bench.alarms.flush()
    assert len(bench.runner.started) == 2
    bench.catalog.is_sick = False
    assert await bench.alarms.flush()
    assert [row.count for row in await bench.rows()] == [1, 5]
    assert len(bench.runner.started) == 2


async def test_while_the_catalog_is_dead_events_join_what_it_took_before(bench: Bench) -> None:
    await bench.rule()
    bench.say()
    await bench.alarms.flush()
    bench.catalog.is_sick = True
    bench.clock.advance(SECOND_US)
    bench.say()
    await bench.alarms.flush()
    assert len(bench.runner.started) == 1
    bench.catalog.is_sick = False
    await bench.alarms.flush()
    assert [row.count for row in await bench.rows()] == [2]
    assert len(bench.runner.started) == 1


async def test_consoles_are_told_of_new_ones_first_and_of_ten_a_second(bench: Bench) -> None:
    await bench.rule(triggers=(trigger("external"),))
    bench.say("external.webhook", "old")
    await bench.alarms.flush()
    bench.clock.advance(SECOND_US)
    bench.raised.clear()
    for number in range(30):
        bench.say("external.webhook", "old")
        bench.say("external.webhook", f"sender {number}")
    await bench.alarms.flush()
    assert [is_new for _, is_new in bench.raised] == [True] * RAISED_A_SECOND
    bench.clock.advance(SECOND_US)
    bench.say("external.webhook", "one more")
    await bench.alarms.flush()
    assert len(bench.raised) == RAISED_A_SECOND + 1
    assert bench.alarms.counts.new == 32


async def test_a_test_runs_the_whole_chain_whatever_the_rule_says(bench: Bench) -> None:
    actions = (LiveAction(), HttpAction(url="http://ada:hush@a.example.org"))
    await bench.rule(actions=actions, is_enabled=False)
    reply = await bench.desk.test("motion", "ada")
    (row,) = await bench.rows()
    assert (reply.alarm_id, row.is_test, row.camera) == (row.id, True, "Gate")
    assert row.text == "Test of the rule Motion by ada"
    assert [result.action for result in reply.results] == ["LiveAction", "HttpAction"]
    ((_, tested, _),) = bench.runner.tested
    assert tested == actions
    assert bench.runner.started == []


async def test_a_mute_that_ends_is_counted_without_anybody_asking(bench: Bench) -> None:
    await bench.rule()
    bench.say()
    await bench.alarms.flush()
    (row,) = await bench.rows()
    now_us = bench.clock.now_us()
    await bench.catalog.write(
        "triage", ids=(row.id,), muted_until_us=now_us + SECOND_US, actor="ada", time_us=now_us
    )
    await bench.alarms.changed()
    assert (bench.alarms.counts.new, bench.alarms.counts.muted) == (0, 1)
    bench.clock.advance(2 * SECOND_US)
    naps = 0

    async def nap(delay_s: float) -> None:
        nonlocal naps
        naps += 1
        if naps > 1:
            await asyncio.Event().wait()

    bench.alarms._sleep = nap
    async with asyncio.TaskGroup() as group:
        run = group.create_task(bench.alarms.run())
        while bench.alarms.counts.muted:
            await asyncio.sleep(0)
        run.cancel()
    assert bench.alarms.counts.new == 1


async def test_hits_are_written_by_itself_while_it_runs(bench: Bench) -> None:
    await bench.rule()
    async with asyncio.TaskGroup() as group:
        run = group.create_task(bench.alarms.run())
        bench.say()
        while not bench.raised:
            await asyncio.sleep(0)
        run.cancel()
    assert len(await bench.rows()) == 1


async def test_a_rule_that_cannot_be_read_leaves_the_others_alone(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.rule("Good")
    await bench.catalog.write(
        "add_alarm_rule", name="Bad", body='{"triggers": 4}', is_enabled=True, created_us=1, created_by="x"
    )
    await bench.alarms.reload()
    assert [rule.name for rule in bench.alarms.rules()] == ["Good"]
    assert "alarm rule Bad cannot be read" in caplog.text
    bench.say()
    await bench.alarms.flush()
    assert len(await bench.rows()) == 1


async def test_who_hears_of_an_alarm_finds_it_counted(bench: Bench) -> None:
    await bench.rule(severity="critical")
    counted: list[tuple[int, int]] = []
    bench.alarms.on_raised = lambda alarm, is_new: counted.append(
        (bench.alarms.counts.new, bench.alarms.counts.critical)
    )
    bench.say()
    await bench.alarms.flush()
    await bench.alarms.raise_test("Motion")
    assert counted == [(1, 1), (2, 2)]

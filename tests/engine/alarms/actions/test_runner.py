"""Lanes: what is slow delays its own kind and nothing else; what cannot be done is a result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from engine.alarms.actions.lanes import LANE_RULES, LaneRules, Perform
from engine.alarms.actions.occasion import Occasion
from engine.alarms.actions.results import PENDING_LIMIT
from engine.alarms.actions.runner import ActionRunner
from engine.wire_alarm_rules import AlarmAction, BookmarkAction, HttpAction, MailAction, SoundAction
from storage.errors import ActionFailed
from tests.engine.alarms.actions.alarm_row import alarm_row
from tests.fakes.action_catalog import ActionCatalog
from tests.fakes.clock import FakeClock
from tests.fakes.timer import FakeTimer, settle

MAIL = MailAction(to=("guard@example.org",))
HTTP = HttpAction(url="http://example.org/")
BOOKMARK = BookmarkAction()
SOUND = SoundAction()


class Deeds:
    """Performers that do what a test says, and remember what they were asked."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.hanging = asyncio.Event()
        self.errors: dict[str, list[Exception]] = {}
        self.hangs: set[str] = set()

    def of(self, name: str) -> Perform:
        async def perform(action: Any, occasion: Occasion) -> str:
            if name in self.hangs:
                await self.hanging.wait()
            if self.errors.get(name):
                raise self.errors[name].pop(0)
            self.done.append((name, occasion.row.id))
            return f"{name} done"

        return perform

    def all(self) -> dict[type[AlarmAction], Perform]:
        return {
            MailAction: self.of("mail"),
            HttpAction: self.of("http"),
            BookmarkAction: self.of("bookmark"),
            SoundAction: self.of("sound"),
        }


class Desk:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.timer = FakeTimer(self.clock)
        self.catalog = ActionCatalog()
        self.deeds = Deeds()
        self.runner = self.make()

    def make(self, change: Callable[[LaneRules], LaneRules] = lambda rules: rules) -> ActionRunner:
        return ActionRunner(
            self.deeds.all(),
            self.catalog,
            self.clock,
            station=lambda: "gate house",
            rules={kind: change(rules) for kind, rules in LANE_RULES.items()},
            sleep=self.timer.sleep,
            chance=lambda: 0.5,
            stop_patience_s=0.01,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.runner.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def wait(self, seconds: float) -> None:
        await self.timer.advance(seconds)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_new_alarm_runs_its_actions_and_keeps_what_came_of_each(desk: Desk) -> None:
    async with desk.running():
        desk.runner.start(alarm_row(), (MAIL, HTTP, BOOKMARK), "door opened")
        await desk.wait(1)
    assert sorted(desk.deeds.done) == [("bookmark", 7), ("http", 7), ("mail", 7)]
    mail, http, bookmark = (desk.catalog.results[7, position] for position in range(3))
    assert (mail.action, mail.state, mail.tries) == ("mail to guard@example.org", "done", 1)
    assert (http.action, http.text) == ("POST to example.org", "http done")
    assert (bookmark.action, bookmark.state) == ("bookmark yard", "done")


async def test_start_waits_for_nothing_also_before_the_runner_runs(desk: Desk) -> None:
    desk.runner.start(alarm_row(), (MAIL,), "door opened")
    assert desk.deeds.done == []
    async with desk.running():
        await desk.wait(1)
    assert desk.deeds.done == [("mail", 7)]


async def test_a_dead_mail_server_delays_mails_and_nothing_else(desk: Desk) -> None:
    desk.deeds.hangs = {"mail"}
    async with desk.running():
        for id in range(1, 101):
            desk.runner.start(alarm_row(id=id), (MAIL, HTTP, BOOKMARK), "door opened")
        await desk.wait(1)
        assert len([deed for deed in desk.deeds.done if deed[0] == "http"]) == 100
        assert len([deed for deed in desk.deeds.done if deed[0] == "bookmark"]) == 100
        assert all(desk.catalog.results[id, 0].state in ("waiting", "running") for id in range(1, 101))
        desk.deeds.hanging.set()
        await desk.wait(1)
    assert len([deed for deed in desk.deeds.done if deed[0] == "mail"]) == 100


async def test_a_flood_does_not_grow_memory_and_every_action_left_out_says_so(desk: Desk) -> None:
    desk.deeds.hangs = {"mail"}
    limit = LANE_RULES[MailAction].queue_limit
    async with desk.running():
        for id in range(1, 1001):
            desk.runner.start(alarm_row(id=id), (MAIL,), "door opened")
        await desk.wait(1)
        lane = desk.runner._lanes[MailAction]
        assert lane._waiting.qsize() <= limit
        skipped = [row for row in desk.catalog.results.values() if row.state == "skipped"]
        assert len(skipped) == desk.runner.skipped == 1000 - limit
        assert {row.text for row in skipped} == {"too many at once"}
        assert len(desk.catalog.results) == 1000
        desk.deeds.hanging.set()


async def test_what_fails_is_tried_three_times_with_growing_pauses(desk: Desk) -> None:
    desk.deeds.errors["http"] = [ActionFailed("503"), ActionFailed("503")]
    async with desk.running():
        desk.runner.start(alarm_row(), (HTTP,), "door opened")
        await desk.wait(1)
        row = desk.catalog.results[7, 0]
        assert (row.state, row.tries, row.text) == ("waiting", 1, "tried again after: 503")
        await desk.wait(2)
        assert desk.catalog.results[7, 0].tries == 2
        await desk.wait(4)
        await desk.wait(1)
    row = desk.catalog.results[7, 0]
    assert (row.state, row.tries, row.text) == ("done", 3, "http done")


async def test_three_failures_are_a_failure_with_the_last_reason(desk: Desk) -> None:
    desk.deeds.errors["mail"] = [
        ActionFailed("no"),
        ActionFailed("still no"),
        ActionFailed("never", "buy one"),
    ]
    async with desk.running():
        desk.runner.start(alarm_row(), (MAIL,), "door opened")
        await desk.wait(60)
    row = desk.catalog.results[7, 0]
    assert (row.state, row.tries, row.text) == ("failed", 3, "never (buy one)")


async def test_what_needs_a_person_is_not_tried_again(desk: Desk) -> None:
    desk.deeds.errors["mail"] = [ActionFailed("wrong password", is_final=True)]
    async with desk.running():
        desk.runner.start(alarm_row(), (MAIL,), "door opened")
        await desk.wait(60)
    assert (desk.catalog.results[7, 0].state, desk.catalog.results[7, 0].tries) == ("failed", 1)


async def test_a_defect_in_an_action_is_its_result_and_ends_nothing(desk: Desk) -> None:
    desk.deeds.errors["bookmark"] = [ZeroDivisionError("a bug")] * 3
    async with desk.running():
        desk.runner.start(alarm_row(id=1), (BOOKMARK,), "door opened")
        await desk.wait(60)
        desk.runner.start(alarm_row(id=2), (BOOKMARK,), "door opened")
        await desk.wait(1)
    assert desk.catalog.results[1, 0].state == "failed"
    assert "ZeroDivisionError" in desk.catalog.results[1, 0].text
    assert desk.catalog.results[2, 0].state == "done"


async def test_an_action_that_hangs_ends_at_its_deadline(desk: Desk) -> None:
    desk.runner = desk.make(lambda rules: replace(rules, deadline_s=0.01, tries=1))
    desk.deeds.hangs = {"sound"}
    (result,) = await desk.runner.run_now(alarm_row(), (SOUND,), "door opened")
    assert result.state == "failed"
    assert "no answer within" in result.text


async def test_what_waited_too_long_is_skipped(desk: Desk) -> None:
    desk.deeds.hangs = {"sound"}
    async with desk.running():
        desk.runner.start(alarm_row(id=1), (SOUND,), "door opened")
        desk.runner.start(alarm_row(id=2), (SOUND,), "door opened")
        await desk.wait(100)
        desk.deeds.hanging.set()
        await desk.wait(1)
    assert desk.catalog.states(1) == ["done"]
    assert desk.catalog.states(2) == ["skipped"]
    assert "too late" in desk.catalog.results[2, 0].text


async def test_a_test_of_a_rule_tries_each_action_once_and_returns_what_came_of_it(desk: Desk) -> None:
    desk.deeds.errors["mail"] = [ActionFailed("refused")]
    async with desk.running():
        results = await desk.runner.run_now(alarm_row(), (MAIL, HTTP), "door opened")
    assert [(result.state, result.text) for result in results] == [
        ("failed", "refused"),
        ("done", "http done"),
    ]
    assert desk.catalog.states(7) == ["failed", "done"]


async def test_a_test_does_not_queue_behind_a_flood(desk: Desk) -> None:
    async with desk.running():
        desk.deeds.hangs = {"mail"}
        for id in range(100, 500):
            desk.runner.start(alarm_row(id=id), (MAIL,), "door opened")
        await desk.wait(1)
        desk.deeds.hangs = set()
        (result,) = await desk.runner.run_now(alarm_row(id=1), (MAIL,), "door opened")
        assert result.state == "done"
        desk.deeds.hanging.set()


async def test_an_ordered_stop_records_what_was_pending_as_skipped(desk: Desk) -> None:
    desk.deeds.hangs = {"mail"}
    async with desk.running():
        for id in range(1, 11):
            desk.runner.start(alarm_row(id=id), (MAIL, HTTP), "door opened")
        await settle()
    assert [desk.catalog.results[id, 0].state for id in range(1, 11)] == ["skipped"] * 10
    assert {desk.catalog.results[id, 0].text for id in range(1, 11)} == {
        "the engine stopped before it was done"
    }
    assert [desk.catalog.results[id, 1].state for id in range(1, 11)] == ["done"] * 10


async def test_results_wait_while_the_catalog_takes_nothing_and_are_bounded(desk: Desk) -> None:
    async with desk.running():
        desk.catalog.is_broken = True
        for id in range(1, PENDING_LIMIT + 101):
            desk.runner.start(alarm_row(id=id), (SOUND,), "door opened")
        await desk.wait(1)
        assert desk.catalog.history == []
        assert len(desk.runner._book._pending) == PENDING_LIMIT
        assert desk.runner._book.lost >= 100
        desk.catalog.is_broken = False
        await desk.wait(60)
    assert len(desk.catalog.results) >= PENDING_LIMIT

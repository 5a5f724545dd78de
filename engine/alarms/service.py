"""Alarms: events in, alarms in the catalog, actions begun, consoles told. The one owner of the rules while the engine runs.

Put between the events and the API by engine/station.py. Rules are edited through engine/alarms/rule_desk.py, which calls `reload`.
Nothing here waits for an action, and the publisher of an event waits for nothing. Loop only.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

import msgspec

from engine.alarms.access import Runner
from engine.alarms.intake import Gathered, Intake, Key
from engine.alarms.kinds import source_kind
from engine.alarms.rule_body import LoadedRule
from engine.alarms.rule_book import RuleBook
from engine.alarms.views import alarm_view, counts_view
from engine.catalog_access import CatalogAccess
from engine.supervise import Sleep
from engine.wire_alarm_rules import AlarmRuleView, AlarmTestReply, ScheduleTemplateView
from engine.wire_alarms import AlarmCounts, AlarmView
from storage.catalog.alarm_records import NEW, AlarmHit, AlarmOutcome, AlarmRow, AlarmTotals
from storage.catalog.records import EventRecord
from storage.clock import Clock
from storage.errors import WatchdeckError
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

FLUSH_S = 0.25
"""Between two writes of hits; the first after a pause is written at once."""
RETRY_S = 1.0
"""When the catalog did not take them."""
MUTE_CHECK_S = 10.0
RAISED_A_SECOND = 10
"""What consoles are told one by one; their lists are complete all the same."""
REMEMBERED_LIMIT = 2_000
"""Keys whose last event is known without the catalog."""


class AlarmService:
    """Rules, intake and counts.

    When the catalog cannot be written, hits wait (bounded, counted) and their actions run all the same, once, for an alarm of id 0: mail
    about a dead system drive must still go out.
    """

    def __init__(
        self,
        catalog: CatalogAccess,
        clock: Clock,
        runner: Runner | None = None,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self.runner = runner
        """Set before `run`: it needs parts of the station that begin after events are taken."""
        self._sleep = sleep
        self._book = RuleBook(catalog)
        self._intake = Intake(lambda: self.camera_names())
        self._writing = asyncio.Lock()
        self._is_refused = False
        self._last_us: OrderedDict[Key, int] = OrderedDict()
        self._second_us = 0
        self._told = 0
        self.counts = AlarmCounts()
        self.camera_names: Callable[[], Collection[str]] = frozenset
        """Names of the cameras there are."""
        self.on_change: Callable[[], None] = lambda: None
        """The counts changed."""
        self.on_raised: Callable[[AlarmView, bool], None] = lambda alarm, is_new: None
        """An alarm was raised, or joined by another event (`is_new` false). At most RAISED_A_SECOND; id 0: the catalog did not take it."""

    # -- events in -------------------------------------------------------------------------------------

    def take(self, event: EventRecord) -> None:
        """For EventBus.watch: at once, never waits."""
        self._intake.take(event)

    def matching(self, event: EventRecord) -> tuple[str, ...]:
        """Names of the rules it meets, counting nothing."""
        return tuple(rule.name for rule in self._intake.index.matching(event))

    # -- rules -----------------------------------------------------------------------------------------

    @property
    def book(self) -> RuleBook:
        return self._book

    async def reload(self) -> None:
        """Read rules and schedule templates anew. Raises what the catalog raises; the old ones hold then."""
        await self._book.load(self._clock.now_us())
        self._intake.index = self._book.index()

    async def load(self) -> None:
        """Before the first event."""
        await self.reload()
        await self._refresh()

    def rules(self) -> tuple[AlarmRuleView, ...]:
        """By name, without secrets."""
        return tuple(self._view(rule) for rule in self._book)

    def rule_view(self, ref: str) -> AlarmRuleView:
        """By name or id. Raises NotFound."""
        return self._view(self._book.rule(ref))

    def _view(self, rule: LoadedRule) -> AlarmRuleView:
        return rule.view(self._book.gate(rule), self._clock.now_us())

    def schedules(self) -> tuple[ScheduleTemplateView, ...]:
        """By name, with the rules that use them."""
        return tuple(
            ScheduleTemplateView(
                name=name,
                schedule=schedule,
                used_by=tuple(rule.row.name for rule in self._book if rule.body.schedule_name == name),
            )
            for name, schedule in sorted(self._book.templates.items(), key=lambda item: item[0].casefold())
        )

    def forget_rule(self, id: int) -> None:
        """From now on no event meets it: before it is removed, so that no hit names a rule that is gone."""
        self._intake.index = self._book.index(without=id)

    # -- alarms out ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever. What waits when this is cancelled is written by `close`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._flush_rounds(), name="alarms: hits")
            group.create_task(self._mute_rounds(), name="alarms: mutes")

    async def _flush_rounds(self) -> None:
        while True:
            await self._intake.arrived.wait()
            await self._sleep(FLUSH_S if await self.flush() else RETRY_S)

    async def _mute_rounds(self) -> None:
        """A mute that ends is a change nobody made."""
        while True:
            await self._sleep(MUTE_CHECK_S)
            if self.counts.muted:
                await self._refresh()

    async def close(self) -> None:
        """Write what waits: for the ordered stop, before `run` is cancelled."""
        await self.flush()

    async def flush(self) -> bool:
        """Write what waits and begin the actions of new alarms; false when the catalog did not take it."""
        async with self._writing:
            gathered = self._intake.take_all()
            if not gathered:
                return True
            try:
                outcomes: Sequence[AlarmOutcome] = await self._catalog.write(
                    "add_hits", [hit.as_hit() for hit in gathered]
                )
            except WatchdeckError as exc:
                self._refused(gathered, exc)
                return False
            except Exception:
                self._intake.put_back(gathered)
                raise
            if self._is_refused:
                self._is_refused = False
                log.warning("the catalog takes alarms again")
            for hit, outcome in zip(gathered, outcomes, strict=True):
                self._remember(hit.key, outcome.row.last_us)
                if outcome.is_new:
                    self._book.note_raised(hit.rule.id, outcome.row.first_us)
                    if not hit.is_acted_on:
                        self._start(outcome.row, hit)
        # In this order: who is told of an alarm and asks how many there are gets it counted.
        await self._refresh()
        self._tell(outcomes)
        return True

    def _refused(self, gathered: list[Gathered], error: WatchdeckError) -> None:
        if not self._is_refused:
            self._is_refused = True
            log.error("alarms wait, the catalog does not take them: %s", error)
        for hit in gathered:
            if not hit.is_acted_on and not self._joins(hit):
                row = _row_of(hit.as_hit())
                self._start(row, hit)
                hit.is_acted_on = True
                self._tell([AlarmOutcome(row, is_new=True)])
            self._remember(hit.key, hit.last_us)
        self._intake.put_back(gathered)

    def _start(self, row: AlarmRow, hit: Gathered) -> None:
        assert self.runner is not None, "the actions' runner is not there yet"
        if hit.rule.actions:
            self.runner.start(row, hit.rule.actions, hit.rule.name)

    def _joins(self, hit: Gathered) -> bool:
        """As far as can be known without the catalog."""
        last_us = self._last_us.get(hit.key)
        retrigger_us = hit.rule.retrigger_us
        return last_us is not None and 0 < retrigger_us and hit.first_us - last_us <= retrigger_us

    def _remember(self, key: Key, last_us: int) -> None:
        self._last_us[key] = last_us
        self._last_us.move_to_end(key)
        if len(self._last_us) > REMEMBERED_LIMIT:
            self._last_us.popitem(last=False)

    def _tell(self, outcomes: Sequence[AlarmOutcome]) -> None:
        """New ones first: of what is too much, the others are left out."""
        second_us = self._clock.monotonic_us()
        if second_us - self._second_us >= US_PER_SECOND:
            self._second_us, self._told = second_us, 0
        for outcome in sorted(outcomes, key=lambda outcome: not outcome.is_new):
            if self._told >= RAISED_A_SECOND:
                return
            self._told += 1
            self.on_raised(alarm_view(outcome.row), outcome.is_new)

    # -- counts ----------------------------------------------------------------------------------------

    async def changed(self) -> None:
        """Alarms were triaged or removed."""
        await self._refresh()

    async def _refresh(self) -> None:
        try:
            totals: AlarmTotals = await self._catalog.read("alarm_totals", self._clock.now_us())
        except WatchdeckError as exc:
            log.warning("alarms cannot be counted: %s", exc)
            return
        counts = counts_view(totals)
        if counts != self.counts:
            self.counts = counts
            self.on_change()

    # -- tests -----------------------------------------------------------------------------------------

    async def raise_test(self, ref: str, actor: str = "") -> AlarmTestReply:
        """The chain of a rule, whatever its schedule says and even when it is disabled; returns when every action has ended.

        Raises NotFound, and what the catalog raises.
        """
        rule = self._book.rule(ref)
        compiled = rule.compiled(self._book.gate(rule), 0)
        trigger = rule.body.triggers[0]
        source = trigger.sources[0] if trigger.sources else ""
        if not source and source_kind(trigger.kind) == "camera":
            source = compiled.camera or min(self.camera_names(), default="")
        now_us = self._clock.now_us()
        words = f"Test of the rule {rule.row.name}" + (f" by {actor}" if actor else "")
        hit = Gathered(compiled, trigger.kind, source, "", now_us, now_us, 1, words)
        hit.camera = source if source in self.camera_names() else compiled.camera
        outcomes: Sequence[AlarmOutcome] = await self._catalog.write(
            "add_hits", [msgspec.structs.replace(hit.as_hit(), is_test=True)]
        )
        self._book.note_raised(rule.row.id, now_us)
        await self._refresh()
        self._tell(outcomes)
        assert self.runner is not None, "the actions' runner is not there yet"
        results = await self.runner.run_now(outcomes[0].row, rule.actions, rule.row.name)
        return AlarmTestReply(alarm_id=outcomes[0].row.id, results=results)


def _row_of(hit: AlarmHit) -> AlarmRow:
    """An alarm that is in no catalog."""
    return AlarmRow(
        id=0,
        rule_id=hit.rule_id,
        rule=hit.rule,
        kind=hit.kind,
        source=hit.source,
        camera=hit.camera,
        severity=hit.severity,
        status=NEW,
        first_us=hit.first_us,
        last_us=hit.last_us,
        count=hit.count,
        text=hit.text,
        comment="",
        handler="",
        muted_until_us=None,
        sound=hit.sound,
        is_live=hit.is_live,
        is_test=hit.is_test,
    )

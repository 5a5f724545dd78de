"""The desk of the long jobs: set-up, replacement, take-down. They live in the engine, not in a console: kept in the catalog after
every step, taken up again after a restart or a crash, shown to every client, answered by any.

Loop only. `run` owns one task a job.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import msgspec

from engine.chassis.job_shown import Job, Shown
from engine.chassis.job_work import JobWork
from engine.chassis.replace_job import Kept, ReplaceJob
from engine.chassis.set_up import SetUpJob, SetUpState
from engine.chassis.take_down import TakeDownJob, TakeDownState
from engine.deadline import Deadline
from engine.supervise import keep_running
from engine.wire_chassis import JobAct, JobKind, JobState, JobView
from storage.catalog.chassis import ChassisJobKind, ChassisJobRow, ChassisJobState
from storage.catalog.records import Severity
from storage.errors import Conflict, NotFound
from storage.raid.inventory import Inventory

log = logging.getLogger(__name__)

OPEN_LIMIT = 16
"""Jobs at a time: one a bay of the largest chassis. The next one is refused."""
ENDED_SHOWN = 5
"""Ended ones that stay in the views."""
CLEAR_S = 5.0


@dataclass(slots=True)
class _Desk:
    """One job with what the desk knows of it."""

    id: UUID
    job: Job
    actor: str
    started_us: int
    ended_us: int | None = None
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    saved: bytes = b""
    said: Shown | None = None
    task: asyncio.Task[None] | None = None


class JobDesk:
    """Start, answer, show; `run` drives them."""

    def __init__(self, work: JobWork, *, on_change: Callable[[], None] = lambda: None) -> None:
        self.on_change = on_change
        """Called after a job changed: the view of the chassis is another one."""
        self.is_running = asyncio.Event()
        """Jobs of before the start are taken up, new ones can begin."""
        self._work = work
        self._open: dict[UUID, _Desk] = {}
        self._ended: list[_Desk] = []
        self._tasks: asyncio.TaskGroup | None = None

    # -- running ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled: jobs stay open in the catalog and go on with the next start."""
        await self._take_up()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                for desk in self._open.values():
                    self._drive(desk)
                self.is_running.set()
                await asyncio.Event().wait()
            finally:
                self.is_running.clear()
                self._tasks = None

    async def _take_up(self) -> None:
        """Those in the catalog: open ones go on, the newest ended ones are shown."""
        rows: list[ChassisJobRow] = await self._work.catalog.read("chassis_jobs")
        for row in reversed(rows):
            if row.uuid in self._open:
                continue
            try:
                job = self._made(row)
            except (msgspec.MsgspecError, ValueError) as error:
                log.error("job %s cannot be read: %s", row.uuid, error)
                continue
            desk = _Desk(row.uuid, job, row.actor, row.started_us, row.ended_us, saved=bytes(row.body))
            if row.ended_us is None:
                desk.said = job.shown(self._work.chassis.inventory())
                self._open[row.uuid] = desk
            else:
                self._ended.insert(0, desk)
        del self._ended[ENDED_SHOWN:]
        self.on_change()

    def _made(self, row: ChassisJobRow) -> Job:
        match row.kind:
            case ChassisJobKind.REPLACE:
                return ReplaceJob(self._work, msgspec.json.decode(row.body, type=Kept))
            case ChassisJobKind.SET_UP:
                return SetUpJob(self._work, msgspec.json.decode(row.body, type=SetUpState), row.actor)
            case ChassisJobKind.TAKE_DOWN:
                return TakeDownJob(self._work, msgspec.json.decode(row.body, type=TakeDownState), row.actor)

    def _drive(self, desk: _Desk) -> None:
        assert self._tasks is not None, "the desk does not run"
        name = f"job {desk.job.kind} {desk.id}"
        desk.task = self._tasks.create_task(
            keep_running(name, lambda: self._go_on(desk), sleep=self._work.sleep), name=name
        )

    async def _go_on(self, desk: _Desk) -> None:
        while not desk.job.is_ended:
            # Before anything is done, and after: what a crash interrupts is known by the state it began in.
            await self._save(desk)
            desk.woken.clear()
            wait_s = await desk.job.advance()
            await self._save(desk)
            if wait_s and not desk.job.is_ended:
                await _woken_within(desk.woken, wait_s)
        await self._end(desk)

    async def _save(self, desk: _Desk) -> None:
        body = desk.job.encoded()
        shown = desk.job.shown(self._work.chassis.inventory())
        self._say(desk, shown)
        if body == desk.saved:
            return
        if desk.job.is_ended and desk.ended_us is None:
            desk.ended_us = max(self._work.clock.now_us(), desk.started_us)
        await self._work.catalog.write("save_chassis_job", self._row(desk, shown, body))
        desk.saved = body
        self.on_change()

    def _row(self, desk: _Desk, shown: Shown, body: bytes) -> ChassisJobRow:
        return ChassisJobRow(
            uuid=desk.id,
            kind=ChassisJobKind(desk.job.kind),
            state=ChassisJobState(shown.state),
            body=msgspec.Raw(body),
            actor=desk.actor,
            started_us=desk.started_us,
            ended_us=desk.ended_us,
        )

    async def _end(self, desk: _Desk) -> None:
        await self._save(desk)
        self._open.pop(desk.id, None)
        self._ended.insert(0, desk)
        del self._ended[ENDED_SHOWN:]
        self.on_change()
        try:
            async with Deadline(CLEAR_S):
                await desk.job.clear_away()
        except TimeoutError:
            log.warning("job %s: the lamp does not answer", desk.id)

    def _say(self, desk: _Desk, shown: Shown) -> None:
        """An alarm, a need and the end are said once each."""
        before, desk.said = desk.said, shown
        source = f"bay {shown.bay}" if shown.bay is not None else ""
        if shown.alarm and (before is None or before.alarm != shown.alarm):
            self._work.events.publish("job.alarm", shown.alarm, severity=Severity.CRITICAL, source=source)
        if before is not None and before.state is shown.state and before.needs == shown.needs:
            return
        text = f"{shown.title}: {shown.result or shown.needs}"
        match shown.state:
            case JobState.WAITING:
                self._work.events.publish("job.waiting", text, severity=Severity.WARNING, source=source)
            case JobState.DONE:
                self._work.events.publish("job.done", text, source=source, actor=desk.actor)
            case JobState.FAILED:
                self._work.events.publish("job.failed", text, severity=Severity.WARNING, source=source)
            case JobState.CANCELLED:
                self._work.events.publish("job.cancelled", text, source=source, actor=desk.actor)
            case _:
                pass

    def changed(self) -> None:
        """The inventory is another one: every job looks at once."""
        for desk in self._open.values():
            desk.woken.set()

    # -- asking ----------------------------------------------------------------------------------------------

    async def start(self, job: Job, actor: str) -> str:
        """Returns its id. Raises Conflict when another job has one of its drives in hand, or too many are open."""
        if self._tasks is None:
            raise Conflict("jobs cannot be started now", "the engine is starting or stopping: try again")
        self.check_free(job.subjects())
        now_us = self._work.clock.now_us()
        desk = _Desk(uuid4(), job, actor, now_us)
        # In the list before the catalog is asked, so that two at the same moment meet.
        self._open[desk.id] = desk
        title = job.shown(self._work.chassis.inventory()).title
        try:
            await self._work.catalog.write(
                "save_chassis_job",
                self._row(desk, job.shown(self._work.chassis.inventory()), job.encoded()),
            )
        except BaseException:
            del self._open[desk.id]
            raise
        desk.saved = job.encoded()
        self._work.events.publish("job.started", title, actor=actor)
        self._drive(desk)
        self.on_change()
        return str(desk.id)

    def check_free(self, subjects: frozenset[str]) -> None:
        """Raises Conflict, naming the job in the way."""
        if len(self._open) >= OPEN_LIMIT:
            raise Conflict(f"{OPEN_LIMIT} jobs are open already", "end or cancel one")
        for desk in self._open.values():
            if desk.job.subjects() & subjects:
                title = desk.job.shown(self._work.chassis.inventory()).title
                raise Conflict(f"a job has this in hand: {title}", f"answer or cancel job {desk.id}")

    def bays_in_hand(self) -> frozenset[int]:
        """Bays in which a job decides what happens: nothing is started there by itself."""
        return frozenset(bay for desk in self._open.values() for bay in desk.job.bays())

    def views(self) -> tuple[JobView, ...]:
        """Those not ended, then the last few that are; newest first."""
        inventory = self._work.chassis.inventory()
        newest = sorted(self._open.values(), key=lambda desk: desk.started_us, reverse=True)
        return tuple(_view(desk, inventory) for desk in (*newest, *self._ended))

    def view(self, id: str) -> JobView:
        """Raises NotFound."""
        return _view(self._find(id), self._work.chassis.inventory())

    async def act(self, id: str, asked: JobAct, actor: str) -> JobView:
        """Raises NotFound; Conflict when that cannot be answered now, with the reason."""
        desk = self._find(id)
        if desk.job.is_ended:
            raise Conflict("this job has ended", "start another one")
        desk.job.answer(asked.action, asked.value, self._work.chassis.inventory())
        title = desk.job.shown(self._work.chassis.inventory()).title
        self._work.events.publish("job.answered", f"{title}: {asked.action}", actor=actor)
        await self._save(desk)
        desk.woken.set()
        return self.view(id)

    def _find(self, id: str) -> _Desk:
        """By id or its beginning."""
        found = [desk for desk in (*self._open.values(), *self._ended) if str(desk.id).startswith(id) and id]
        if len(found) != 1:
            raise NotFound(f"no job {id!r}", "`watchdeck jobs` shows all")
        return found[0]


async def _woken_within(woken: asyncio.Event, seconds: float) -> None:
    try:
        async with Deadline(seconds):
            await woken.wait()
    except TimeoutError:
        pass


def _view(desk: _Desk, inventory: Inventory) -> JobView:
    shown = desk.job.shown(inventory)
    return JobView(
        id=str(desk.id),
        kind=JobKind(desk.job.kind),
        state=shown.state,
        title=shown.title,
        steps=shown.steps,
        needs=shown.needs,
        actions=shown.actions,
        alarm=shown.alarm,
        bay=shown.bay,
        serial=shown.serial,
        progress=shown.progress,
        eta_s=shown.eta_s,
        actor=desk.actor,
        started_us=desk.started_us,
        ended_us=desk.ended_us,
        result=shown.result,
    )

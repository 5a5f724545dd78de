"""Exports as jobs of the engine: a queue, one at a time, kept in the catalog, whatever becomes of the console. Manual rows EX.

After a restart of the engine those that waited go on, except encrypted ones (their password is nowhere); the one that ran has
failed, and what it had written is gone. Loop only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from engine.catalog_access import CatalogAccess
from engine.deadline import Deadline
from engine.events import EventBus
from engine.exports.file_lane import FileLane
from engine.exports.folder import expires_us
from engine.exports.making import Making, Workshop
from engine.exports.names import local_moment, local_stamp, safe_stem
from engine.exports.planning import check_ranges, plan_view
from engine.exports.record import ExportJob, JobBody, WantedRange
from engine.supervise import attempt, keep_running
from engine.wire_evidence import ExportAsk, ExportJobView, ExportPlanView, ExportRange, ExportState
from storage.catalog.cases import CaseRow
from storage.catalog.records import Camera, Lock, Severity
from storage.errors import Conflict, InvalidInput, NotFound, VolumeFull, WatchdeckError
from storage.plain_text import printable
from storage.units import US_PER_DAY

log = logging.getLogger(__name__)

QUEUE_LIMIT = 32
"""Jobs that wait or run; one more is refused."""
KEPT_ROWS = 500
"""Ended jobs in the list; beyond it, those without files go, oldest first."""
EXPIRY_PAUSE_S = 300.0
PASSWORD_LENGTH = 8
LOCK_US = 2 * US_PER_DAY
"""A lock of a job's footage ends by itself should nobody end it."""
CANCEL_LIMIT_S = 2.0
STOPPED = "the engine stopped"


class ExportService:
    """Invariants: at most one job runs; `_jobs` holds every row of the catalog's table."""

    def __init__(
        self,
        workshop: Workshop,
        catalog: CatalogAccess,
        events: EventBus,
        files: Executor,
        *,
        keep_days: int,
    ) -> None:
        self._shop = workshop
        self._catalog = catalog
        self._events = events
        self._files = files
        self._keep_days = keep_days
        self._jobs: dict[UUID, ExportJob] = {}
        self._wake = asyncio.Event()
        self._running: tuple[ExportJob, asyncio.Task[WatchdeckError | None]] | None = None
        self._ended: dict[UUID, asyncio.Event] = {}
        """Of jobs that are being cancelled: set when they have ended."""

    # -- the desk ----------------------------------------------------------------------------------------

    async def plan(self, ask: ExportAsk) -> ExportPlanView:
        """Raises InvalidInput, NotFound (camera, case)."""
        wanted, _ = await self._wanted(ask)
        return await self._plan(ask, wanted, "")

    async def _plan(self, ask: ExportAsk, wanted: tuple[WantedRange, ...], actor: str) -> ExportPlanView:
        return await plan_view(
            self._shop.sources,
            self._files,
            self._shop.folder,
            wanted,
            self._shop.signing(actor, ask.comment),
            with_audio=ask.with_audio,
        )

    async def start(self, ask: ExportAsk, actor: str) -> ExportJobView:
        """Raises InvalidInput, NotFound, Conflict (too many wait), VolumeFull, KeyUnusable."""
        if ask.password and len(ask.password) < PASSWORD_LENGTH:
            raise InvalidInput(
                f"the password has fewer than {PASSWORD_LENGTH} characters",
                "whoever has the file can try them all",
            )
        self._check_queue()
        wanted, case = await self._wanted(ask)
        self._shop.keys.signer()
        plan = await self._plan(ask, wanted, actor)
        if not plan.is_possible:
            kind = NotFound if all(each.trouble for each in plan.ranges) else VolumeFull
            raise kind(
                plan.trouble, "`watchdeck recording list` and `watchdeck recording gaps` show what is there"
            )
        self._check_queue()  # planning took its time
        job = self._new_job(ask, wanted, case, plan, actor)
        self._jobs[job.id] = job
        try:
            await self._lock_footage(job)
            await self._keep(job)
        except BaseException:
            del self._jobs[job.id]
            await self._release_footage(job)
            raise
        self._wake.set()
        return self.view(job)

    def jobs(self) -> tuple[ExportJobView, ...]:
        """Newest first."""
        known = sorted(self._jobs.values(), key=lambda job: (job.created_us, job.id.bytes), reverse=True)
        return tuple(map(self.view, known))

    def job(self, ref: str) -> ExportJobView:
        return self.view(self._job(ref))

    async def cancel(self, ref: str, actor: str) -> ExportJobView:
        """Returns when it has ended, or after a moment. Raises NotFound, Conflict (it has ended)."""
        job = self._job(ref)
        if job.has_ended:
            raise Conflict(f"the export {job.body.name} is {job.state} already", "nothing is left to stop")
        ended = self._ended.setdefault(job.id, asyncio.Event())
        if self._running is not None and self._running[0] is job:
            job.doing = "being cancelled"
            self._running[1].cancel()
        if job.state is ExportState.WAITING:
            await self._end(job, ExportState.CANCELLED)
        else:
            with contextlib.suppress(TimeoutError):
                async with Deadline(CANCEL_LIMIT_S):
                    await ended.wait()
        if _is_over_otherwise(job):
            raise Conflict(f"the export {job.body.name} is {job.state} already", "nothing is left to stop")
        self._events.publish(
            "export.cancelled", f"Export {job.body.name} cancelled", source=job.body.name, actor=actor
        )
        return self.view(job)

    async def remove(self, ref: str) -> None:
        """With its files. Raises NotFound, Conflict (it has not ended), VolumeError."""
        job = self._job(ref)
        if not job.has_ended:
            raise Conflict(f"the export {job.body.name} is {job.state}", "cancel it first")
        await FileLane(self._files).do(self._shop.folder.discard, job.body.folder)
        await self._catalog.write("remove_export_job", job.id.bytes)
        self._jobs.pop(job.id, None)

    def file_path(self, ref: str, name: str) -> Path:
        """Of a file in the job's own list, and of nothing else. Raises NotFound, Conflict."""
        job = self._job(ref)
        if job.state is not ExportState.DONE:
            raise Conflict(
                f"the export {job.body.name} is {job.state}", "its files are there when it is done"
            )
        if job.body.is_expired:
            raise NotFound(
                f"the files of export {job.body.name} were removed: it has expired", "export again"
            )
        if name not in {file.name for file in job.body.files}:
            raise NotFound(
                f"the export {job.body.name} has no file {name!r}", "`watchdeck export show` lists them"
            )
        return self._shop.folder.path / job.body.folder / name

    def view(self, job: ExportJob) -> ExportJobView:
        return job.view(str(self._shop.folder.path))

    def _job(self, ref: str) -> ExportJob:
        """By UUID, else folder, else name (of several the newest), else the beginning of its UUID."""
        known = sorted(self._jobs.values(), key=lambda job: job.created_us, reverse=True)
        ways: tuple[Callable[[ExportJob], tuple[str, ...]], ...] = (
            lambda job: (str(job.id), job.id.hex),
            lambda job: (job.body.folder,),
            lambda job: (job.body.name,),
        )
        for way in ways:  # a name that somebody chose never hides the id of another
            for job in known:
                if ref in way(job):
                    return job
        begun = [job for job in known if len(ref) >= 4 and str(job.id).startswith(ref)]
        if len(begun) == 1:
            return begun[0]
        raise NotFound(f"no export {ref!r}", "`watchdeck export list` shows all")

    def _check_queue(self) -> None:
        if sum(not job.has_ended for job in self._jobs.values()) >= QUEUE_LIMIT:
            raise Conflict(f"{QUEUE_LIMIT} exports wait already", "try again when some are done")

    async def _wanted(self, ask: ExportAsk) -> tuple[tuple[WantedRange, ...], CaseRow | None]:
        """The ranges by the cameras' UUIDs, and the case they are of."""
        if ask.case and ask.ranges:
            raise InvalidInput("an export is of ranges or of a case", "leave one of them out")
        if ask.case:
            case: CaseRow = await self._catalog.read("case", ask.case)
            if not case.items:
                raise InvalidInput(f"the case {case.name} is empty", "add stretches to it first")
            wanted = tuple(
                WantedRange(
                    asked=ExportRange(
                        camera=item.camera, start_us=item.start_us, end_us=item.end_us, comment=item.comment
                    ),
                    camera=str(item.camera_uuid),
                )
                for item in case.items
            )
            check_ranges([each.asked for each in wanted])
            return wanted, case
        check_ranges(ask.ranges)
        found = []
        for each in ask.ranges:
            camera: Camera = await self._catalog.read("camera", each.camera, with_removed=True)
            found.append(
                WantedRange(asked=msgspec.structs.replace(each, camera=camera.name), camera=str(camera.uuid))
            )
        return tuple(found), None

    def _new_job(
        self,
        ask: ExportAsk,
        wanted: tuple[WantedRange, ...],
        case: CaseRow | None,
        plan: ExportPlanView,
        actor: str,
    ) -> ExportJob:
        now_us = self._shop.clock.now_us()
        id = uuid4()
        first = wanted[0].asked
        made_up = f"{first.camera} {local_moment(first.start_us):%Y-%m-%d %H:%M:%S}"
        name = printable(" ".join(ask.name.split())) or (case.name if case else made_up)
        stem = safe_stem(ask.name or (case.name if case else first.camera), otherwise="export")
        body = JobBody(
            name=name,
            ranges=wanted,
            case=case.name if case else "",
            case_comment=case.comment if case else "",
            comment=ask.comment,
            with_audio=ask.with_audio,
            with_report=ask.with_report or len(wanted) > 1 or case is not None,
            is_encrypted=bool(ask.password),
            folder=f"{stem}-{local_stamp(now_us)}-{id.hex[:4]}",
            total_bytes=plan.bytes,
        )
        return ExportJob(id, body, now_us, actor, password=ask.password)

    # -- the work ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled: the job in work then counts as failed at the next start."""
        await self._recover()
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_running("exports", self._work), name="exports")
            group.create_task(keep_running("old exports", self._expire_rounds), name="old exports")

    async def _work(self) -> None:
        while True:
            job = self._next()
            if job is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._carry_out(job)

    def _next(self) -> ExportJob | None:
        waiting = [job for job in self._jobs.values() if job.state is ExportState.WAITING]
        return min(waiting, key=lambda job: (job.created_us, job.id.bytes), default=None)

    async def _carry_out(self, job: ExportJob) -> None:
        job.state = ExportState.RUNNING
        try:
            await self._keep(job)
        except BaseException:
            job.state = ExportState.WAITING
            raise
        if job.id in self._ended:  # somebody waits for its cancellation already
            await self._end(job, ExportState.CANCELLED)
            return
        size_mib = job.body.total_bytes >> 20
        self._events.publish(
            "export.started",
            f"Export {job.body.name} begun: {_ranges(len(job.body.ranges))}, {size_mib} MiB",
            source=job.body.name,
            actor=job.created_by,
        )
        async with asyncio.TaskGroup() as group:
            # Only the making is cancelled by a person, never the noting of how it ended.
            task = group.create_task(self._make(job), name=f"export {job.id}")
            self._running = (job, task)
            try:
                await asyncio.wait([task])
            finally:
                self._running = None
        if task.cancelled():
            await self._end(job, ExportState.CANCELLED)
        elif (error := task.result()) is None:
            await self._end(job, ExportState.DONE)
            self._tell_done(job)
        else:
            job.change(trouble=error.what, remedy=error.remedy)
            await self._end(job, ExportState.FAILED)
            self._tell_failed(job)

    async def _make(self, job: ExportJob) -> WatchdeckError | None:
        async def make() -> None:
            files, notes = await Making(job, self._shop, FileLane(self._files)).run()
            job.change(files=files, notes=notes)

        return await attempt(f"export {job.id}", make)

    def _tell_done(self, job: ExportJob) -> None:
        size_bytes = sum(file.bytes for file in job.body.files)
        self._events.publish(
            "export.done",
            f"Export {job.body.name} done: {size_bytes} bytes in {job.body.folder}",
            source=job.body.name,
            actor=job.created_by,
        )

    def _tell_failed(self, job: ExportJob) -> None:
        self._events.publish(
            "export.failed",
            f"Export {job.body.name} failed: {job.body.trouble}",
            severity=Severity.WARNING,
            source=job.body.name,
            actor=job.created_by,
        )

    async def _end(self, job: ExportJob, state: ExportState) -> None:
        await self._release_footage(job)
        job.state = state
        job.password = ""
        job.doing = ""
        job.ended_us = max(job.created_us, self._shop.clock.now_us())
        if state is ExportState.DONE:
            job.change(expires_us=expires_us(job.ended_us, self._keep_days))
        try:
            await self._keep(job)
        except WatchdeckError as error:
            log.error("export %s has ended (%s), but that is not kept: %s", job.body.folder, state, error)
        ended = self._ended.pop(job.id, None)
        if ended is not None:
            ended.set()

    async def _keep(self, job: ExportJob) -> None:
        await self._catalog.write("put_export_job", job.row())

    # -- its footage -------------------------------------------------------------------------------------

    async def _lock_footage(self, job: ExportJob) -> None:
        """Nothing of it is recycled before it is exported."""
        locks = []
        for wanted in job.body.ranges:
            camera: Camera = await self._catalog.read("camera", UUID(wanted.camera), with_removed=True)
            lock: Lock = await self._catalog.write(
                "add_lock",
                camera_id=camera.id,
                start_us=wanted.asked.start_us,
                end_us=wanted.asked.end_us,
                created_us=job.created_us,
                reason=f"export {job.body.name}",
                created_by=job.created_by,
                expires_us=job.created_us + LOCK_US,
            )
            locks.append(lock.id)
            job.change(locks=tuple(locks))

    async def _release_footage(self, job: ExportJob) -> None:
        for lock_id in job.body.locks:
            try:
                await self._catalog.write("remove_lock", lock_id)
            except NotFound:
                continue  # released by hand
            except WatchdeckError as error:
                log.warning("lock %d of export %s ends by itself: %s", lock_id, job.body.folder, error)
        job.change(locks=())

    # -- starts and expiry -------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """What the last engine left. A folder that cannot be used is said; the list is there all the same."""
        for row in await self._catalog.read("export_jobs"):
            try:
                job = ExportJob.from_row(row)
            except (msgspec.ValidationError, ValueError):
                log.error("export %s: its row cannot be read", UUID(bytes=row.uuid))
                continue
            self._jobs[job.id] = job
        lane = FileLane(self._files)
        try:
            for name in await lane.do(self._shop.folder.prepare):
                log.info("half-written export %s removed", name)
        except WatchdeckError as error:
            log.warning("%s", error)
        for job in self._jobs.values():
            if job.state is ExportState.RUNNING or (
                job.state is ExportState.WAITING and job.body.is_encrypted
            ):
                await self._fail_stopped(job, lane)
        self._wake.set()

    async def _fail_stopped(self, job: ExportJob, lane: FileLane) -> None:
        is_waiting = job.state is ExportState.WAITING
        remedy = "export again" + (": its password was not kept" if is_waiting else "")
        job.change(trouble=STOPPED, remedy=remedy)
        try:
            await lane.do(self._shop.folder.discard, job.body.folder)
        except WatchdeckError as error:
            log.warning("%s", error)
        await self._end(job, ExportState.FAILED)
        self._tell_failed(job)

    async def _expire_rounds(self) -> None:
        while True:
            await self.expire()
            await asyncio.sleep(EXPIRY_PAUSE_S)

    async def expire(self) -> None:
        """Files whose days are over go, their rows stay; of rows without files the newest stay."""
        now_us = self._shop.clock.now_us()
        for job in list(self._jobs.values()):
            over_us = job.body.expires_us
            if over_us is None or job.body.is_expired or over_us > now_us:
                continue
            try:
                await FileLane(self._files).do(self._shop.folder.discard, job.body.folder)
            except WatchdeckError as error:  # the others expire all the same; this one is tried again
                log.warning("export %s has expired and cannot be removed: %s", job.body.folder, error)
                continue
            job.change(is_expired=True)
            await self._keep(job)
            log.info("export %s expired", job.body.folder)
        bare = [job for job in self._jobs.values() if job.has_ended and _is_bare(job)]
        bare.sort(key=lambda job: job.created_us, reverse=True)
        for job in bare[KEPT_ROWS:]:
            await self._catalog.write("remove_export_job", job.id.bytes)
            self._jobs.pop(job.id, None)


def _is_over_otherwise(job: ExportJob) -> bool:
    return job.has_ended and job.state is not ExportState.CANCELLED


def _is_bare(job: ExportJob) -> bool:
    return job.state is not ExportState.DONE or job.body.is_expired


def _ranges(count: int) -> str:
    return "one range" if count == 1 else f"{count} ranges"

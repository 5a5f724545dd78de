"""The job that makes storage: create, wait for the device, GPT and file system, identity file, catalog, recording group, record.

Each virtual drive goes through its stages one after the other; what is done is written down after every step, and looked for
before it, so that the job goes on where a crash left it. When a step fails the job waits: retry, undo what this job made, or
leave it as it is. Undo never touches a volume that footage was recorded to. Rows VD-03..07, VO-01..07.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec.structs import replace

from engine.chassis.drive_words import bays_words, named
from engine.chassis.job_shown import Shown
from engine.chassis.job_work import JobWork
from engine.chassis.set_up_layout import PlannedVolume, SetUpLayout
from engine.chassis.volume_steps import ensure_group, move_camera, register_volume, withdraw_volume
from engine.supervise import attempt
from engine.wire_chassis import JobKind, JobState, JobStep, StepState
from storage.errors import CommandFailed, CommandTimeout, Conflict, OperationRefused
from storage.hardware import MadeVolume
from storage.raid.inventory import Inventory, VirtualDrive
from storage.raid.operations import AssignSpare, DeleteVirtualDrive
from storage.raid.states import DriveState

DEVICE_LOOKS = 60
LOOK_S = 1.0
RETRY, STOP, UNDO, LEAVE = "retry", "stop", "undo", "leave"


class Stage(StrEnum):
    CREATE = "create"
    DEVICE = "device"
    FORMAT = "format"
    VOLUME = "volume"
    DONE = "done"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one virtual drive is."""

    stage: Stage = Stage.CREATE
    virtual_drive: str = ""
    """Its id, once it is made."""
    path: str = ""
    """Where it is mounted."""
    volume: UUID | None = None


class SetUpState(msgspec.Struct, frozen=True, kw_only=True):
    layout: SetUpLayout
    progress: tuple[Progress, ...] = ()
    """One for each volume of the layout."""
    moves: tuple[tuple[UUID, str], ...] = ()
    """Cameras and the groups they go to."""
    is_undoing: bool = False
    is_stopped: bool = False
    trouble: str = ""
    ended: JobState | None = None
    result: str = ""


class SetUpJob:
    """Loop only."""

    kind = JobKind.SET_UP

    def __init__(self, work: JobWork, state: SetUpState, actor: str) -> None:
        if not state.progress:
            state = replace(state, progress=tuple(Progress() for _ in state.layout.volumes))
        self.state = state
        self._work = work
        self._actor = actor

    @property
    def is_ended(self) -> bool:
        return self.state.ended is not None

    def encoded(self) -> bytes:
        return msgspec.json.encode(self.state)

    def bays(self) -> frozenset[int]:
        return frozenset()

    def subjects(self) -> frozenset[str]:
        layout = self.state.layout
        return frozenset(
            id for volume in layout.volumes for id in (*volume.drives, *volume.spares)
        ) | frozenset(layout.spares)

    async def clear_away(self) -> None:
        """No lamp was on."""

    # -- going on --------------------------------------------------------------------------------------------

    async def advance(self) -> float:
        """One step."""
        state = self.state
        if state.trouble or self.is_ended:
            return 3600.0
        if state.is_stopped:
            self.state = replace(state, trouble="stopped as asked for")
            return 0.0
        error = await attempt("set-up of storage", self._undo_step if state.is_undoing else self._step)
        if error is not None:
            remedy = f" ({error.remedy})" if error.remedy else ""
            self.state = replace(self.state, trouble=f"{error.what}{remedy}")
        return 0.0

    async def _step(self) -> None:
        for number, volume in enumerate(self.state.layout.volumes):
            progress = self.state.progress[number]
            if progress.stage is not Stage.DONE:
                self._note(number, await self._go_on(volume, progress))
                return
        await self._finish()

    def _note(self, number: int, progress: Progress) -> None:
        before = self.state.progress
        self.state = replace(self.state, progress=(*before[:number], progress, *before[number + 1 :]))

    async def _go_on(self, volume: PlannedVolume, progress: Progress) -> Progress:
        match progress.stage:
            case Stage.CREATE:
                made = self._made(volume, await self._work.chassis.refresh())
                if made is None:
                    made = self._made(volume, await self._work.perform(volume.creation()))
                if made is None:
                    raise CommandFailed(
                        f"virtual drive {volume.name} is not there after it was created", "see the log"
                    )
                return replace(progress, stage=Stage.DEVICE, virtual_drive=made.id)
            case Stage.DEVICE:
                await self._wait_for_device(volume, progress)
                return replace(progress, stage=Stage.FORMAT)
            case Stage.FORMAT:
                path = await self._make_file_system(volume, self._virtual_drive(volume, progress))
                return replace(progress, stage=Stage.VOLUME, path=path)
            case _:
                await ensure_group(self._work, volume.group, self._actor)
                record = await register_volume(
                    self._work,
                    name=volume.name,
                    path=progress.path,
                    group=volume.group,
                    actor=self._actor,
                )
                return replace(progress, stage=Stage.DONE, volume=record.uuid)

    def _made(self, volume: PlannedVolume, inventory: Inventory) -> VirtualDrive | None:
        """The one of this name on exactly these drives: nobody else's, because they were free when this began."""
        vd = next((vd for vd in inventory.virtual_drives if vd.name == volume.name), None)
        group = inventory.group(vd.group) if vd is not None else None
        if vd is None or group is None:
            return None
        drives = {id for span in group.spans for id in span.drives}
        if drives != volume.drives:
            raise Conflict(
                f"a virtual drive {volume.name} is there already, on {bays_words(named(inventory, drives))}",
                "take it down, or set up under another name",
            )
        return vd

    def _virtual_drive(self, volume: PlannedVolume, progress: Progress) -> VirtualDrive:
        vd = self._work.chassis.inventory().virtual_drive(progress.virtual_drive)
        if vd is None:
            raise Conflict(f"virtual drive {volume.name} has gone", "set up again")
        return vd

    async def _wait_for_device(self, volume: PlannedVolume, progress: Progress) -> None:
        for _ in range(DEVICE_LOOKS):
            vd = (await self._work.chassis.refresh()).virtual_drive(progress.virtual_drive)
            if vd is not None and (vd.device or self._work.chassis.view().is_simulated):
                return
            await self._work.sleep(LOOK_S)
        raise CommandTimeout(
            f"virtual drive {volume.name} has no device after {DEVICE_LOOKS} s", "look at the kernel's log"
        )

    async def _make_file_system(self, volume: PlannedVolume, vd: VirtualDrive) -> str:
        """Returns where it is mounted (a simulated chassis has folders of its own)."""
        if vd.mounts:
            return vd.mounts[0].path  # this job made it: the virtual drive is its own
        label = f"wd-{volume.name}"[:12]  # what xfs takes
        made: MadeVolume = await self._work.chassis.call(
            self._work.chassis.hardware.make_volume,
            vd,
            label,
            volume.mount_point,
            self.state.layout.file_system,
        )
        await self._work.chassis.refresh()
        return made.path

    async def _finish(self) -> None:
        for id in self.state.layout.spares:
            drive = (await self._work.chassis.refresh()).drive(id)
            if drive is not None and drive.state is not DriveState.HOT_SPARE:
                await self._work.perform(AssignSpare(drive=id))
        for uuid, group in self.state.moves:
            await move_camera(self._work, uuid, group, self._actor)
        names = ", ".join(volume.name for volume in self.state.layout.volumes)
        spares = f", {len(self.state.layout.spares)} hot spares" if self.state.layout.spares else ""
        self.state = replace(
            self.state, ended=JobState.DONE, result=f"ready to record: volumes {names}{spares}"
        )

    # -- going back ------------------------------------------------------------------------------------------

    async def _undo_step(self) -> None:
        """The newest first; one a call."""
        for number in reversed(range(len(self.state.progress))):
            progress = self.state.progress[number]
            volume = self.state.layout.volumes[number]
            vd = self._ours(volume, progress, await self._work.chassis.refresh())
            if vd is not None:
                await self._unmake(volume, progress, vd)
                self._note(number, Progress())
                return
            self._note(number, Progress())
        self.state = replace(
            self.state,
            ended=JobState.CANCELLED,
            result="undone: the drives are free again",
        )

    def _ours(self, volume: PlannedVolume, progress: Progress, inventory: Inventory) -> VirtualDrive | None:
        """Made by this job: by its id, or made just before a crash. One of another's on the same name is not."""
        if progress.virtual_drive:
            return inventory.virtual_drive(progress.virtual_drive)
        try:
            return self._made(volume, inventory)
        except Conflict:
            return None

    async def _unmake(self, volume: PlannedVolume, progress: Progress, vd: VirtualDrive) -> None:
        uuid = progress.volume or await self._registered(vd)
        if uuid is not None:
            record = await self._work.catalog.read("volume", uuid)
            if await self._work.catalog.read("volume_usage", record.id):
                raise OperationRefused(
                    f"volume {volume.name} has been recorded to", "take it down on its own if that is meant"
                )
            await withdraw_volume(self._work, uuid, self._actor)
        if vd.mounts:
            await self._work.chassis.call(self._work.chassis.hardware.unmake_volume, vd)
        await self._work.perform(DeleteVirtualDrive(virtual_drive=vd.id), takes_down=True)

    async def _registered(self, vd: VirtualDrive) -> UUID | None:
        paths = {mount.path for mount in vd.mounts}
        records = await self._work.catalog.read("volumes")
        return next((record.uuid for record in records if record.path in paths), None)

    # -- answers and views -----------------------------------------------------------------------------------

    def _actions(self) -> tuple[str, ...]:
        if self.is_ended:
            return ()
        if self.state.trouble:
            return (RETRY, LEAVE) if self.state.is_undoing else (RETRY, UNDO, LEAVE)
        return () if self.state.is_undoing or self.state.is_stopped else (STOP,)

    def answer(self, action: str, value: str, inventory: Inventory) -> None:
        if action not in self._actions():
            if action == "cancel":
                raise Conflict("a step that is under way is not cut short", "stop; then undo or leave")
            options = ", ".join(self._actions()) or "nothing: wait for it"
            raise Conflict(f"{action!r} cannot be answered now", f"what can: {options}")
        match action:
            case "retry":
                self.state = replace(self.state, trouble="", is_stopped=False)
            case "stop":
                self.state = replace(self.state, is_stopped=True)
            case "undo":
                self.state = replace(self.state, trouble="", is_stopped=False, is_undoing=True)
            case _:
                self.state = replace(self.state, ended=JobState.FAILED, result=self._left())

    def _left(self) -> str:
        parts = [
            f"{volume.name}: {_FAR[progress.stage]}"
            for volume, progress in zip(self.state.layout.volumes, self.state.progress, strict=True)
        ]
        return f"{self.state.trouble}. Left as it is: {'; '.join(parts)}"

    def shown(self, inventory: Inventory) -> Shown:
        state = self.state
        job_state = state.ended or (JobState.WAITING if state.trouble else JobState.RUNNING)
        needs = ""
        if state.trouble and not self.is_ended:
            undo = "" if state.is_undoing else ", undo what this job made"
            needs = f"{state.trouble}. Done so far: {self._so_far()}. Retry{undo}, or leave it as it is."
        level = state.layout.volumes[0].level
        return Shown(
            state=job_state,
            title=f"Set up storage: RAID {level}, volumes {', '.join(v.name for v in state.layout.volumes)}",
            steps=tuple(self._steps(inventory)),
            needs=needs,
            actions=self._actions(),
            alarm="",
            progress=self._share(),
            result=state.result,
        )

    def _so_far(self) -> str:
        made = [
            f"{volume.name} {_FAR[progress.stage]}"
            for volume, progress in zip(self.state.layout.volumes, self.state.progress, strict=True)
            if progress.stage is not Stage.CREATE
        ]
        return ", ".join(made) or "nothing"

    def _share(self) -> float:
        order = list(Stage)
        done = sum(order.index(progress.stage) for progress in self.state.progress)
        return done / (len(self.state.progress) * (len(order) - 1))

    def _steps(self, inventory: Inventory) -> Iterable[JobStep]:
        order = list(Stage)
        is_first = True
        for volume, progress in zip(self.state.layout.volumes, self.state.progress, strict=True):
            bays = bays_words(named(inventory, volume.drives))
            titles = {
                Stage.CREATE: f"Create virtual drive {volume.name}: RAID {volume.level} of {bays}",
                Stage.DEVICE: f"Wait for the device of {volume.name}",
                Stage.FORMAT: f"Make a {self.state.layout.file_system} file system, mount it at {volume.mount_point}",
                Stage.VOLUME: f"Volume {volume.name} in recording group {volume.group}",
            }
            for stage, title in titles.items():
                is_done = order.index(stage) < order.index(progress.stage)
                yield JobStep(title=title, state=self._step_state(is_done, is_first and not is_done))
                is_first = is_first and is_done
        is_done = self.state.ended is JobState.DONE
        if self.state.layout.spares:
            bays = bays_words(named(inventory, self.state.layout.spares))
            yield JobStep(title=f"Hot spares: {bays}", state=self._step_state(is_done, is_first))
        if self.state.moves:
            yield JobStep(
                title=f"Spread the cameras: {len(self.state.moves)} move to another group",
                state=self._step_state(is_done, is_first),
            )

    def _step_state(self, is_done: bool, is_next: bool) -> StepState:
        if is_done:
            return StepState.DONE
        if not is_next:
            return StepState.TO_DO
        if self.is_ended:
            return StepState.SKIPPED if self.state.ended is JobState.CANCELLED else StepState.FAILED
        return StepState.FAILED if self.state.trouble else StepState.NOW


_FAR = {
    Stage.CREATE: "not begun",
    Stage.DEVICE: "created",
    Stage.FORMAT: "created, no file system",
    Stage.VOLUME: "created and formatted, no volume",
    Stage.DONE: "recording",
}

"""The job that takes a volume down: recording off it, out of the catalog, unmounted, and its virtual drive deleted.

Until the virtual drive is deleted nothing is lost: the job can be cancelled, and the volume comes back with its footage.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec.structs import replace

from engine.chassis.facts import VolumeUse
from engine.chassis.job_shown import Shown
from engine.chassis.job_work import JobWork
from engine.chassis.volume_steps import restore_volume, withdraw_volume
from engine.supervise import attempt
from engine.wire_chassis import JobKind, JobState, JobStep, StepState
from storage.catalog.records import Volume as VolumeRecord
from storage.errors import Conflict, StateChanged
from storage.raid.inventory import Inventory
from storage.raid.operations import DeleteVirtualDrive

RETRY, CANCEL = "retry", "cancel"


class Stage(StrEnum):
    RECORDING = "recording"
    UNMOUNT = "unmount"
    DELETE = "delete"
    DONE = "done"


_TITLES = {
    Stage.RECORDING: "Take recording off the volume",
    Stage.UNMOUNT: "Unmount",
    Stage.DELETE: "Delete the virtual drive",
}


class TakeDownState(msgspec.Struct, frozen=True, kw_only=True):
    virtual_drive: str
    """Id."""
    name: str
    drives: tuple[str, ...]
    """Its members when the person confirmed."""
    volumes: tuple[UUID, ...] = ()
    mounts: tuple[str, ...] | None = None
    """Where it was mounted when the person confirmed; None = not written down by an older version."""
    stage: Stage = Stage.RECORDING
    withdrawn: tuple[VolumeRecord, ...] = ()
    is_cancelling: bool = False
    trouble: str = ""
    ended: JobState | None = None
    result: str = ""


def begin(name: str, inventory: Inventory, volumes: list[VolumeUse]) -> TakeDownState:
    vd = inventory.virtual_drive(name)
    assert vd is not None, "it was judged a moment ago"
    return TakeDownState(
        virtual_drive=vd.id,
        name=vd.name,
        drives=_members(vd.group, inventory),
        volumes=tuple(volume.uuid for volume in volumes),
        mounts=tuple(mount.path for mount in vd.mounts),
    )


def _members(group_id: str, inventory: Inventory) -> tuple[str, ...]:
    group = inventory.group(group_id)
    return tuple(id for span in group.spans for id in span.drives) if group is not None else ()


class TakeDownJob:
    """Loop only."""

    kind = JobKind.TAKE_DOWN

    def __init__(self, work: JobWork, state: TakeDownState, actor: str) -> None:
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
        return frozenset({self.state.virtual_drive, *self.state.drives})

    async def clear_away(self) -> None:
        """No lamp was on."""

    async def advance(self) -> float:
        state = self.state
        if state.trouble or self.is_ended:
            return 3600.0
        step = self._go_back if state.is_cancelling else self._step
        if (error := await attempt(f"taking down {state.name}", step)) is not None:
            remedy = f" ({error.remedy})" if error.remedy else ""
            self.state = replace(self.state, trouble=f"{error.what}{remedy}")
        return 0.0

    async def _step(self) -> None:
        state = self.state
        match state.stage:
            case Stage.RECORDING:
                # Written down before it is withdrawn: cancelling after a crash needs to know its name and group.
                records: list[VolumeRecord] = await self._work.catalog.read("volumes")
                known = {record.uuid for record in state.withdrawn}
                next_ones = [r for r in records if r.uuid in state.volumes and r.uuid not in known]
                if next_ones:
                    self.state = replace(state, withdrawn=(*state.withdrawn, *next_ones))
                    return
                for record in state.withdrawn:
                    await withdraw_volume(self._work, record.uuid, self._actor)
                self.state = replace(state, stage=Stage.UNMOUNT)
            case Stage.UNMOUNT:
                vd = (await self._work.chassis.refresh()).virtual_drive(state.virtual_drive)
                if vd is not None and vd.mounts:
                    paths = {mount.path for mount in vd.mounts}
                    if state.mounts is not None and (strangers := paths - set(state.mounts)):
                        raise StateChanged(
                            f"virtual drive {vd.name} is mounted at {', '.join(sorted(strangers))} since this was confirmed",
                            "unmount it yourself if nobody needs what is on it, then retry",
                        )
                    await self._work.chassis.call(self._work.chassis.hardware.unmake_volume, vd)
                self.state = replace(state, stage=Stage.DELETE)
            case _:
                await self._delete()

    async def _delete(self) -> None:
        state = self.state
        inventory = await self._work.chassis.refresh()
        vd = inventory.virtual_drive(state.virtual_drive)
        if vd is not None:
            now = _members(vd.group, inventory)
            if strangers := set(now) - set(state.drives):
                raise StateChanged(
                    f"virtual drive {vd.name} has other members than when this was confirmed: {', '.join(strangers)}",
                    "cancel, and take it down anew",
                )
            await self._work.perform(DeleteVirtualDrive(virtual_drive=vd.id), takes_down=True)
        self.state = replace(
            self.state,
            stage=Stage.DONE,
            ended=JobState.DONE,
            result=f"virtual drive {state.name} is deleted; its drives are free",
        )

    async def _go_back(self) -> None:
        for record in self.state.withdrawn:
            await restore_volume(self._work, record, self._actor)
        names = ", ".join(record.name for record in self.state.withdrawn)
        back = f"volume {names} is in use again" if names else "nothing was changed"
        self.state = replace(self.state, ended=JobState.CANCELLED, result=back)

    # -- answers and views -----------------------------------------------------------------------------------

    def _can_cancel(self) -> bool:
        """Recording is off and the file system is mounted still, or nothing has happened."""
        return self.state.stage in (Stage.RECORDING, Stage.UNMOUNT) and not self.state.is_cancelling

    def _actions(self) -> tuple[str, ...]:
        if self.is_ended or not self.state.trouble:
            return ()
        return (RETRY, CANCEL) if self._can_cancel() else (RETRY, "leave")

    def answer(self, action: str, value: str, inventory: Inventory) -> None:
        if action not in self._actions():
            if action == CANCEL and not self.is_ended:
                raise Conflict(
                    "this cannot be cancelled now",
                    "it takes a few seconds"
                    if self._can_cancel()
                    else "the file system is unmounted for good: retry, or leave",
                )
            options = ", ".join(self._actions()) or "nothing: wait for it"
            raise Conflict(f"{action!r} cannot be answered now", f"what can: {options}")
        if action == "leave":
            far = "unmounted and not deleted" if self.state.stage is Stage.DELETE else "not in use"
            self.state = replace(
                self.state,
                ended=JobState.FAILED,
                result=f"{self.state.trouble}. Left as it is: virtual drive {self.state.name} is {far}",
            )
        else:
            self.state = replace(
                self.state, trouble="", is_cancelling=action == CANCEL or self.state.is_cancelling
            )

    def shown(self, inventory: Inventory) -> Shown:
        state = self.state
        order = list(Stage)
        steps = []
        for stage, title in _TITLES.items():
            distance = order.index(stage) - order.index(state.stage)
            step = StepState.DONE if distance < 0 else StepState.TO_DO
            if distance == 0:
                step = StepState.FAILED if state.trouble else StepState.NOW
            if state.ended is JobState.CANCELLED and distance >= 0:
                step = StepState.SKIPPED
            steps.append(JobStep(title=title, state=step, detail=state.trouble if distance == 0 else ""))
        waits = bool(state.trouble) and not self.is_ended
        return Shown(
            state=state.ended or (JobState.WAITING if waits else JobState.RUNNING),
            title=f"Take down virtual drive {state.name}",
            steps=tuple(steps),
            needs=f"{state.trouble}. Answer {' or '.join(self._actions())}." if waits else "",
            actions=self._actions(),
            result=state.result,
        )

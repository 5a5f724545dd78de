"""The simulated chassis as an inventory: what a real back-end would read from the kernel or the controller."""

from __future__ import annotations

from storage.raid import levels
from storage.raid.inventory import Controller, Drive, DriveGroup, Inventory, Span, Task, VirtualDrive
from storage.raid.simulated_layout import SimulatedLayout
from storage.raid.simulated_state import SimDrive, SimGroup, SimState, SimTask
from storage.raid.simulated_tasks import can_pause, can_stop, duration_s, task_state, waits_for
from storage.raid.states import Capability, DriveState, TaskState, VirtualDriveState

CONTROLLER = "sim"


def inventory_of(state: SimState, layout: SimulatedLayout) -> Inventory:
    controller = Controller(
        id=CONTROLLER,
        backend="simulated",
        model="simulated chassis",
        firmware="1",
        has_write_cache=True,
        rates=state.rates,
        refusals={Capability.SILENCE: "the simulated controller has no beeper of its own"},
    )
    shown = [drive for drive in state.drives.values() if drive.is_present or state.group_of(drive.id)]
    shown.sort(key=lambda drive: (not drive.is_present, drive.bay is None, drive.bay or 0))
    drives = [_drive(state, layout, drive) for drive in shown]
    drives += [lost for group in state.groups.values() for lost in _forgotten(state, group)]
    return Inventory(
        controllers=(controller,),
        drives=tuple(drives),
        groups=tuple(_group(state, group) for group in state.groups.values()),
        virtual_drives=tuple(_virtual_drive(state, group) for group in state.groups.values()),
        tasks=tuple(_task(state, layout, task) for task in state.tasks.values()),
    )


def _drive(state: SimState, layout: SimulatedLayout, drive: SimDrive) -> Drive:
    group = state.group_of(drive.id)
    place = group.place_of(drive.id) if group else None
    is_back = drive.state is DriveState.FOREIGN
    is_spare = drive.state is DriveState.HOT_SPARE and drive.spare is not None
    home = state.groups.get(drive.member_of) if drive.member_of else group
    foreign = drive.foreign.name if drive.foreign else home.name if is_back and home else ""
    spec = drive.spec
    return Drive(
        id=drive.id,
        bay=drive.bay,
        place=f"sim-slot-{drive.bay}" if drive.bay is not None else "sim-inner",
        controller=CONTROLLER,
        side=layout.side_of(drive.bay) if drive.bay is not None else "",
        kind=spec.kind,
        interface=spec.interface,
        vendor=spec.vendor,
        model=spec.model,
        serial=drive.serial,
        wwn=drive.wwn,
        firmware=spec.firmware,
        size_bytes=spec.size_bytes,
        coerced_bytes=drive.coerced_bytes,
        rotation_rpm=spec.rotation_rpm,
        state=drive.state,
        cause=drive.cause,
        group=group.id if group and not is_back else "",
        span=place[0] if place and not is_back else None,
        slot=place[1] if place and not is_back else None,
        spare=drive.spare.kind if is_spare and drive.spare else None,
        spare_groups=drive.spare.groups if is_spare and drive.spare else (),
        has_affinity=bool(is_spare and drive.spare and drive.spare.has_affinity),
        foreign=foreign,
        foreign_group=home.id if is_back and home else "",
        is_awaiting_removal=drive.is_awaiting_removal,
        media_errors=drive.media_errors,
        is_predicted_to_fail=drive.is_predicted_to_fail and drive.is_present,
    )


def _forgotten(state: SimState, group: SimGroup) -> list[Drive]:
    """Places whose drive nobody knows any more."""
    return [
        Drive(
            id=id,
            controller=CONTROLLER,
            state=DriveState.MISSING,
            cause="the drive of this place is gone",
            group=group.id,
            span=number,
            slot=slot,
        )
        for number, span in enumerate(group.spans)
        for slot, id in enumerate(span)
        if id not in state.drives
    ]


def _group(state: SimState, group: SimGroup) -> DriveGroup:
    lost = state.lost(group)
    spans = tuple(
        Span(
            drives=tuple(span),
            state=levels.state_of_span(group.level, lost[number]),
            can_lose=levels.span_can_lose(group.level, lost[number]),
        )
        for number, span in enumerate(group.spans)
    )
    return DriveGroup(id=group.id, name=group.name, level=group.level, spans=spans, controller=CONTROLLER)


def _virtual_drive(state: SimState, group: SimGroup) -> VirtualDrive:
    vd_state = state.vd_state(group)
    is_readable = vd_state is not VirtualDriveState.FAILED
    return VirtualDrive(
        id=group.vd_id,
        name=group.name,
        group=group.id,
        level=group.level,
        state=vd_state,
        cause=_cause(state, group),
        size_bytes=group.size_bytes,
        stripe_bytes=group.stripe_bytes,
        mounts=(group.volume.mount,) if group.volume and is_readable else (),
        file_system_uuid=group.volume.mount.uuid if group.volume else "",
        has_bitmap=group.has_bitmap,
        cache="write back",
        mismatches=group.mismatches,
        checked_us=group.checked_us,
        is_initialised=group.is_initialised,
    )


def _cause(state: SimState, group: SimGroup) -> str:
    lost: list[str] = []
    for span in group.spans:
        for id in span:
            drive = state.drives.get(id)
            if drive is None:
                lost.append("a drive that is gone")
            elif drive.state is not DriveState.ONLINE:
                lost.append(
                    f"{drive.label}: {'back, not re-added' if drive.state is DriveState.FOREIGN else drive.state}"
                )
    return ", ".join(lost)


def _task(state: SimState, layout: SimulatedLayout, task: SimTask) -> Task:
    now = task_state(state, task)
    seconds = duration_s(layout, task)
    group = state.groups.get(task.group)
    is_running = now is TaskState.RUNNING
    size = (
        state.drives[task.drive].coerced_bytes if task.drive in state.drives else _member_bytes(state, group)
    )
    return Task(
        id=task.id,
        kind=task.kind,
        state=now,
        controller=CONTROLLER,
        virtual_drive=group.vd_id if group else "",
        drive=task.drive,
        progress=round(task.progress, 6),
        rate_bps=round(size / seconds) if is_running else None,
        eta_s=round((1.0 - task.progress) * seconds) if is_running else None,
        detail=waits_for(state, task) if now is TaskState.WAITING else _detail(state, task),
        can_pause=can_pause(task),
        can_stop=can_stop(task),
    )


def _member_bytes(state: SimState, group: SimGroup | None) -> int:
    """Bytes a member has to read: its own size."""
    drives = state.members(group) if group else iter(state.drives.values())
    return min((drive.coerced_bytes for drive in drives), default=0)


def _detail(state: SimState, task: SimTask) -> str:
    if task.source:
        return f"copies {state.drives[task.source].label}"
    if task.new_level is not None:
        return f"to RAID {task.new_level}"
    return "repairs what does not match" if task.is_repair else ""

"""Whether an operation has reached what was asked: read from the state after it, because mdadm's exit status is not trusted."""

from __future__ import annotations

from storage.raid.md.look import Look
from storage.raid.md.stack import Stack, group_id
from storage.raid.md.sysfs import MdArray
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    ImportForeign,
    Migrate,
    PauseTask,
    PrepareRemoval,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    ResumeTask,
    SetGood,
    SetOffline,
    StartCheck,
    StartRebuild,
    StopTask,
)
from storage.raid.states import VirtualDriveState


def lacking(op: RaidOperation, before: Look, after: Look) -> str:
    """What is not as it should be, in words; empty = reached."""
    if isinstance(op, CreateVirtualDrive):
        stack = _stack(op.name, after)
        return "" if stack is not None and stack.is_active else f"{op.name} is not active"
    if isinstance(op, DeleteVirtualDrive):
        old = _stack(op.virtual_drive, before)
        uuids = set(old.uuids) if old is not None else set()
        left = [array for array in after.arrays if array.uuid in uuids]
        marked = [drive for drive in after.drives if drive.md_uuid in uuids and not drive.partitions]
        return f"{op.virtual_drive} is still there" if left or marked else ""
    if isinstance(op, Migrate):
        old, new = _stack(op.virtual_drive, before), _stack(op.virtual_drive, after)
        wanted = (old.top.wanted if old and old.top else 0) + len(op.add)
        return "" if new and new.top and new.top.wanted == wanted else "the reshape has not begun"
    if isinstance(op, ImportForeign):
        return "" if _is_imported(op, after) else "the array is not active"
    if isinstance(op, ClearForeign):
        left_ids = [id for id in op.drives if id in after.by_id and after.by_id[id].md_uuid]
        return "a superblock is still there" if left_ids else ""
    return _lacking_of_drive(op, before, after) or _lacking_of_task(op, before, after)


def _stack(ref: str, look: Look) -> Stack | None:
    return next((stack for stack in look.stacks if ref in (stack.id, stack.name)), None)


def _is_imported(op: ImportForeign, after: Look) -> bool:
    stack = after.stack(op.foreign)
    if stack is not None:
        return stack.is_active
    legs = [uuid for stack in after.stacks if stack.is_active for uuid in stack.leg_uuids]
    return op.foreign in [group_id(uuid) for uuid in legs]


def _lacking_of_drive(op: RaidOperation, before: Look, after: Look) -> str:
    if isinstance(op, SetOffline):
        held = after.members.get(op.drive)
        return "" if held is None or held.member.is_faulty else "it is still in service"
    if isinstance(op, StartRebuild):
        held = after.members.get(op.drive)
        is_in = held is not None and held.stack.id == op.group and not held.member.is_faulty
        return "" if is_in else "the drive is not in the array"
    if isinstance(op, ReplaceMember):
        held = after.members.get(op.replacement)
        is_in = held is not None and (held.member.is_filling or held.member.is_in_sync)
        return "" if is_in else "the copy has not begun"
    if isinstance(op, ReAddMember):
        held = after.members.get(op.drive)
        is_back = held is not None and (held.member.is_filling or held.member.is_in_sync)
        if held is not None and held.stack.state({}) is VirtualDriveState.FAILED:
            return f"{held.stack.name} has still failed"
        return "" if is_back else "the array did not take it back"
    if isinstance(op, ReleaseSpare | SetGood):
        drive = after.by_id.get(op.drive)
        return "an array still has it" if op.drive in after.members or (drive and drive.md_uuid) else ""
    if isinstance(op, AssignSpare):
        drive = after.by_id.get(op.drive)
        return (
            ""
            if drive is not None and (op.drive in after.members or not drive.md_uuid)
            else "it carries an array"
        )
    if isinstance(op, PrepareRemoval):
        return "an array still has it" if op.drive in after.members else ""
    return ""


def _lacking_of_task(op: RaidOperation, before: Look, after: Look) -> str:
    if isinstance(op, StartCheck):
        stack = _stack(op.virtual_drive, after)
        legs = stack.present_legs if stack is not None else ()
        # A small array may have been checked before anybody could look.
        return "" if legs and all(_has_checked(leg) for leg in legs) else "the check has not begun"
    if isinstance(op, PauseTask | StopTask):
        stack = after.stack(op.task.split(":")[1])
        kind = op.task.split(":")[0]
        if stack is None or kind == "copyback":
            return ""
        running = [leg for leg in stack.present_legs if leg.action not in ("idle", "frozen")]
        return "it still runs" if running else ""
    if isinstance(op, ResumeTask):
        stack = after.stack(op.task.split(":")[1])
        frozen = stack is not None and any(leg.action == "frozen" for leg in stack.present_legs)
        return "it is still held" if frozen else ""
    return ""


def _has_checked(leg: MdArray) -> bool:
    return leg.action in ("check", "repair") or leg.last_action in ("check", "repair")

"""Commands about single drives: spares, rebuilds, copies, taking out and putting back."""

from __future__ import annotations

from pathlib import Path

from storage.command import Runner
from storage.errors import Conflict, InvalidInput, OperationRefused, Unsupported
from storage.raid.backend import Command
from storage.raid.inventory import Inventory
from storage.raid.md import checks
from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.last_members import last_members
from storage.raid.md.look import Look
from storage.raid.md.memory import Memory
from storage.raid.md.plans_arrays import zeroed, zeroed_if_marked
from storage.raid.md.stack import Stack
from storage.raid.md.sysfs import MdArray
from storage.raid.md.view import is_redundant
from storage.raid.operations import (
    AssignSpare,
    PrepareRemoval,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    SetGood,
    SetOffline,
    StartRebuild,
)
from storage.raid.states import DriveKind, DriveState, SpareKind, VirtualDriveState
from storage.roots import Roots


def node(array: MdArray) -> str:
    return f"/dev/{array.device}"


def _manage(array: MdArray, action: str, drive: ScannedDrive, note: str = "") -> Command:
    return Command(argv=("mdadm", node(array), action, drive.device), note=note or checks.label(drive))


def _woken(array: MdArray) -> tuple[Command, ...]:
    """An array that waits for its first write does not rebuild."""
    if not array.is_waiting_for_a_write:
        return ()
    return (Command(argv=("mdadm", "--readwrite", node(array)), note="it waits for a first write"),)


# -- spares ----------------------------------------------------------------------------------------------


def assign_spare(op: AssignSpare, look: Look, inventory: Inventory, run: Runner) -> tuple[Command, ...]:
    """A dedicated spare of one plain array is md's own; all others are only remembered and must carry nothing."""
    drive = checks.blank(op.drive, look, inventory, run)
    if op.kind is SpareKind.GLOBAL:
        return zeroed_if_marked((drive,))
    if not op.groups:
        raise InvalidInput("a dedicated spare needs a drive group", "name the groups it serves")
    stacks = [checks.stack_named(group, look) for group in op.groups]
    for stack in stacks:
        checks.active(stack)
        if not is_redundant(stack):
            raise OperationRefused(
                f"{stack.name} is RAID {stack.level}: nothing to rebuild from",
                "spares serve redundant levels",
            )
        for leg in stack.present_legs:
            checks.large_enough(drive, leg)
    only = md_spare_array(stacks)
    if only is None:
        return zeroed_if_marked((drive,))
    return (*zeroed_if_marked((drive,)), _manage(only, "--add-spare", drive), *_woken(only))


def md_spare_array(stacks: list[Stack]) -> MdArray | None:
    """The array md itself keeps the spare in; None when the engine's policy has to bring it."""
    return stacks[0].top if len(stacks) == 1 and not stacks[0].is_nested else None


def release_spare(op: ReleaseSpare, look: Look, inventory: Inventory) -> tuple[Command, ...]:
    drive, scanned = checks.present(op.drive, look, inventory)
    if drive.state is not DriveState.HOT_SPARE:
        raise Conflict(f"{checks.label(drive)} is not a hot spare", "nothing to release")
    held = look.members.get(drive.id)
    if held is None:
        return ()
    return (_manage(held.array, "--remove", scanned), zeroed(scanned, "no longer a spare"))


# -- rebuild, copy, re-add ---------------------------------------------------------------------------------


def start_rebuild(op: StartRebuild, look: Look, inventory: Inventory, run: Runner) -> tuple[Command, ...]:
    stack = checks.stack_named(op.group, look)
    checks.active(stack)
    if not is_redundant(stack):
        raise OperationRefused(f"{stack.name} is RAID {stack.level}: nothing to rebuild from")
    checks.rebuildable(stack)
    leg = _leg_to_rebuild(op, stack)
    if leg.action == "reshape":
        raise Conflict(f"{stack.name} is changing its level", "start the rebuild when that is done")
    drive, scanned = checks.present(op.drive, look, inventory)
    held = look.members.get(drive.id)
    if held is not None and held.array.device == leg.device and held.member.is_spare:
        return _woken(leg) or (
            Command(write_path=sync_path(leg), write_text="idle", note="look for work again"),
        )
    commands: tuple[Command, ...] = ()
    if held is not None and held.member.is_spare:
        # A spare of another leg or group: it moves.
        checks.large_enough(scanned, leg)
        commands = (_manage(held.array, "--remove", scanned), zeroed(scanned, "moves to the other array"))
    elif held is not None and held.member.is_faulty and held.array.device == leg.device:
        commands = (_manage(leg, "--remove", scanned), zeroed(scanned, "begins anew"))
    elif drive.state is DriveState.FOREIGN and drive.foreign_group == stack.id:
        checks.large_enough(scanned, leg)
        commands = (zeroed(scanned, "its old content is not used"),)
    else:
        scanned = checks.blank(op.drive, look, inventory, run)
        checks.large_enough(scanned, leg)
        commands = zeroed_if_marked((scanned,))
    return (*commands, _manage(leg, "--add", scanned), *_woken(leg))


def _leg_to_rebuild(op: StartRebuild, stack: Stack) -> MdArray:
    places = stack.spans()
    if op.span is not None and not 0 <= op.span < len(places):
        raise InvalidInput(f"{stack.name} has no span {op.span}", f"it has {len(places)}")
    wanted = places if op.span is None else (places[op.span],)
    for place in wanted:
        leg = stack.legs[place.leg]
        filling = sum(m.is_filling and not m.is_replacement for m in leg.members) if leg is not None else 0
        if leg is not None and leg.lost() > filling:
            return leg
    raise OperationRefused(f"{stack.name} has no empty place there", "nothing to rebuild")


def replace_member(op: ReplaceMember, look: Look, inventory: Inventory, run: Runner) -> tuple[Command, ...]:
    member, old = checks.present(op.member, look, inventory)
    held = checks.member_of(member, look)
    leg = held.array
    if not is_redundant(held.stack):
        raise Unsupported(f"{held.stack.name} is RAID {held.stack.level}: md cannot copy a member of it")
    if not held.member.is_in_sync or held.member.slot is None:
        raise Conflict(f"{checks.label(member)} does not work any more", "rebuild onto another drive")
    if leg.lost():
        raise Conflict(
            f"{held.stack.name} is degraded: the new drive would be used for that", "rebuild first"
        )
    if len(leg.in_slot(held.member.slot)) > 1:
        raise Conflict(f"{checks.label(member)} is being copied already", "wait until it has ended")
    spare = look.members.get(op.replacement)
    adds: tuple[Command, ...] = ()
    if spare is not None and spare.member.is_spare and spare.array.device == leg.device:
        new = look.by_id[op.replacement]
    else:
        new = checks.blank(op.replacement, look, inventory, run)
        checks.large_enough(new, leg)
        adds = (*zeroed_if_marked((new,)), _manage(leg, "--add-spare", new))
    copy = ("mdadm", node(leg), "--replace", old.device, "--with", new.device)
    note = f"copy {checks.label(member)} to {checks.label(new)}"
    return (*adds, *_woken(leg), Command(argv=copy, note=note))


def re_add(op: ReAddMember, look: Look, inventory: Inventory, run: Runner) -> tuple[Command, ...]:
    drive, scanned = checks.present(op.drive, look, inventory)
    held = look.members.get(drive.id)
    if held is not None and held.member.is_faulty:
        leg = held.array
        if held.stack.state({}) is VirtualDriveState.FAILED:
            return reassembly(held.stack, leg, scanned, look, run)
        return (_manage(leg, "--remove", scanned), _manage(leg, "--re-add", scanned), *_woken(leg))
    stack = look.stack(drive.foreign_group) if drive.foreign_group else None
    found = next((leg for leg in stack.present_legs if leg.uuid == scanned.md_uuid), None) if stack else None
    if held is not None or found is None:
        raise Conflict(f"{checks.label(drive)} was not a member of an array that is active here")
    if stack is not None and stack.state({}) is VirtualDriveState.FAILED:
        return reassembly(stack, found, scanned, look, run)
    if not found.lost():
        raise Conflict(f"{found.name} has no empty place", "set it good to use it for something else")
    return (_manage(found, "--re-add", scanned), *_woken(found))


def reassembly(
    stack: Stack, array: MdArray, returned: ScannedDrive, look: Look, run: Runner
) -> tuple[Command, ...]:
    """One that has failed is put together again from the drives it was last made of, as it was; nothing is rebuilt or written but
    their superblocks. What was mounted of it is unmounted before (LocalHardware)."""
    checks.put_together_again(stack)
    drives = last_members(returned, array, stack, look, run)
    argv = ("mdadm", "--assemble", "--force", "--run", "--config=none", f"/dev/md/{stack.name}")
    note = f"from {' and '.join(checks.label(drive) for drive in drives)}, as it was last"
    return (
        Command(argv=("mdadm", "--stop", node(array)), note=f"{stack.name} has failed"),
        Command(argv=(*argv, *(drive.device for drive in drives)), note=note),
    )


# -- out of service --------------------------------------------------------------------------------------


def set_offline(op: SetOffline, look: Look, inventory: Inventory) -> tuple[Command, ...]:
    drive, scanned = checks.present(op.drive, look, inventory)
    held = checks.member_of(drive, look)
    if held.member.is_faulty:
        raise Conflict(f"{checks.label(drive)} is out of service already")
    if held.member.is_spare:
        raise Conflict(f"{checks.label(drive)} is a hot spare", "release it instead")
    others = held.array.in_slot(held.member.slot) if held.member.slot is not None else []
    is_spared = any(other.is_in_sync and other.name != held.member.name for other in others)
    if held.member.is_in_sync and not is_spared and held.stack.span_can_lose(checks.span_of(held)) < 1:
        raise OperationRefused(
            f"{checks.label(drive)} cannot be missed: {held.stack.name} would lose its data",
            "replace a member that is failing by a copy, or rebuild first",
        )
    return (_manage(held.array, "--fail", scanned, f"take {checks.label(drive)} out of service"),)


def set_good(op: SetGood, look: Look, inventory: Inventory) -> tuple[Command, ...]:
    drive, scanned = checks.present(op.drive, look, inventory)
    if drive.state is DriveState.UNCONFIGURED_GOOD and not drive.is_awaiting_removal:
        raise Conflict(f"{checks.label(drive)} is unconfigured good already")
    allowed = (
        DriveState.UNCONFIGURED_GOOD,
        DriveState.UNCONFIGURED_BAD,
        DriveState.FAILED,
        DriveState.OFFLINE,
        DriveState.FOREIGN,
    )
    if drive.state not in allowed:
        raise OperationRefused(
            f"{checks.label(drive)} is {drive.state.replace('_', ' ')}{': ' + drive.cause if drive.cause else ''}"
        )
    held, begun = look.members.get(drive.id), look.in_inactive.get(drive.id)
    if held is not None or checks.is_marked(scanned):
        checks.not_awaited(scanned, look)
    commands: list[Command] = []
    if held is not None:
        commands.append(_manage(held.array, "--remove", scanned))
    if begun is not None:
        commands.append(Command(argv=("mdadm", "--stop", node(begun)), note="begun and not started"))
    if held is not None or checks.is_marked(scanned):
        commands.append(zeroed(scanned, "forget its old array"))
    return tuple(commands)


def prepare_removal(
    op: PrepareRemoval, look: Look, inventory: Inventory, memory: Memory, roots: Roots
) -> tuple[Command, ...]:
    drive, scanned = checks.present(op.drive, look, inventory)
    if drive.state in (DriveState.ONLINE, DriveState.REBUILD, DriveState.COPYBACK):
        raise OperationRefused(
            f"{checks.label(drive)} is in use by {inventory_name(drive.group, inventory)}",
            "take it out of service or replace it first",
        )
    if drive.state is DriveState.PROTECTED and (scanned.is_system or scanned.mounts or scanned.holders):
        raise OperationRefused(f"{checks.label(drive)} {drive.cause}", "unmount it first")
    commands: list[Command] = []
    held, begun = look.members.get(drive.id), look.in_inactive.get(drive.id)
    if held is not None:
        commands.append(_manage(held.array, "--remove", scanned))
    if begun is not None:
        commands.append(Command(argv=("mdadm", "--stop", node(begun)), note="begun and not started"))
    if scanned.kind is DriveKind.HDD and scanned.interface == "SATA":
        commands.append(Command(argv=("hdparm", "-y", scanned.device), note="park its heads"))
    off = off_switch(scanned, roots)
    if off is not None:
        commands.append(Command(write_path=str(off), write_text="1", note="the kernel lets go of it"))
    return tuple(commands)


def off_switch(drive: ScannedDrive, roots: Roots) -> Path | None:
    """SCSI and SATA: the device's `delete`. NVMe: `remove` of its PCI function. None where the kernel has neither."""
    device = roots.sys / "block" / drive.name / "device"
    for path in (device / "delete", device / "device" / "remove"):
        if path.exists():
            return path
    return None


def inventory_name(group: str, inventory: Inventory) -> str:
    found = inventory.group(group)
    return found.name if found is not None else "an array"


def sync_path(array: MdArray) -> str:
    """Of its sync_action, below the sys root."""
    return f"/sys/block/{array.device}/md/sync_action"

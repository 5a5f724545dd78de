"""Small steps arrays need to go on by themselves; safe to take at every look."""

from __future__ import annotations

from storage.command import Runner
from storage.raid.backend import Command
from storage.raid.md.checks import label
from storage.raid.md.conf import keep_conf
from storage.raid.md.dirty_start import dirty_starts
from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.look import Look, Membership
from storage.raid.md.memory import Memory
from storage.raid.md.performing import Steps
from storage.raid.md.plans_tasks import limits
from storage.roots import Roots


def tend(look: Look, memory: Memory, steps: Steps, roots: Roots, run: Runner) -> tuple[str, ...]:
    """Says what was done, and what was tried without success."""
    return (
        *_start_dirty(look, memory, steps, run),
        *_wake_waiting(look, steps),
        *_let_go_of_replaced(look, memory, steps),
        *_pace(look, memory, steps, roots),
        *kept_conf(look, roots),
    )


def _start_dirty(look: Look, memory: Memory, steps: Steps, run: Runner) -> list[str]:
    said: list[str] = []
    for start in dirty_starts(look, memory, run):
        complaint = steps.carry_out(start.commands)
        missing = f"{start.lost} of its drives missing or being rebuilt"
        if complaint:
            said.append(
                f"{start.name} was written to when it ended, {missing}, and cannot start: {complaint}"
            )
        else:
            said.append(
                f"{start.name} was written to when it ended, {missing}: it was started all the same; check it after its rebuild"
            )
    return said


def _wake_waiting(look: Look, steps: Steps) -> list[str]:
    """udev's removal leaves an array that nobody writes to in auto-read-only: its hot spare would stay idle."""
    said: list[str] = []
    for stack in look.stacks:
        for leg in stack.present_legs:
            has_work = leg.lost() and any(member.is_spare or member.is_filling for member in leg.members)
            if not (leg.is_waiting_for_a_write and has_work and leg.action == "idle"):
                continue
            complaint = steps.carry_out([Command(argv=("mdadm", "--readwrite", f"/dev/{leg.device}"))])
            if complaint:
                said.append(f"{stack.name} waits for a write and could not be woken: {complaint}")
            else:
                said.append(f"{stack.name} was waiting for a write: it now uses its hot spare")
    return said


def _let_go_of_replaced(look: Look, memory: Memory, steps: Steps) -> list[str]:
    """A failed member whose place another drive has taken is ready for removal (rows RB-05, HS-03)."""
    said: list[str] = []
    for id, held in look.members.items():
        drive = look.by_id[id]
        if not held.member.is_faulty or not _is_replaced(id, held, memory):
            continue
        command = Command(argv=("mdadm", f"/dev/{held.array.device}", "--remove", drive.device))
        if steps.carry_out([command]):
            continue  # still busy with its last requests: again at the next look
        said.append(_released(drive, held, memory))
    return said


def _released(drive: ScannedDrive, held: Membership, memory: Memory) -> str:
    memory.forget_drive(drive.id)
    memory.awaiting_removal[drive.id] = (
        f"another drive has taken its place in {held.stack.name}: it may be pulled"
    )
    return f"{label(drive)} is out of {held.stack.name}: another drive has taken its place"


def _is_replaced(id: str, held: Membership, memory: Memory) -> bool:
    if held.array.lost() == 0:
        return True
    known = held.stack.known
    slots = known.slots[held.leg] if known is not None and held.leg < len(known.slots) else ()
    own = [slot for slot, drive in enumerate(slots) if drive is not None and drive.id == id]
    return any(member.is_filling for slot in own for member in held.array.in_slot(slot))


def _pace(look: Look, memory: Memory, steps: Steps, roots: Roots) -> list[str]:
    commands = limits(look, memory, roots)
    complaint = steps.carry_out(commands)
    return [f"a rate could not be set: {complaint}"] if complaint else []


def kept_conf(look: Look, roots: Roots) -> list[str]:
    """A configuration that cannot be written is said, not raised: the arrays are as they were asked for."""
    try:
        said = keep_conf(look, roots)
    except OSError as error:
        return [f"mdadm's configuration could not be written: {error.strerror}"]
    return [said] if said else []

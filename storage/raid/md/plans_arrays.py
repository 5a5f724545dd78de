"""Commands that make, end, import and change virtual drives."""

from __future__ import annotations

from pathlib import Path

from storage.command import Runner
from storage.errors import InvalidInput, NotFound, OperationRefused, Unsupported
from storage.raid.backend import Command
from storage.raid.inventory import Inventory
from storage.raid.levels import LEVELS, check_layout
from storage.raid.md import checks
from storage.raid.md.drive_source import ScannedDrive
from storage.raid.md.look import Look, coerced_bytes
from storage.raid.md.stack import Stack
from storage.raid.operations import (
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    ImportForeign,
    Migrate,
)
from storage.raid.states import DriveState, RaidLevel
from storage.roots import Roots

NESTED = {RaidLevel.RAID00: "0", RaidLevel.RAID50: "5", RaidLevel.RAID60: "6"}
_MIB = 1024**2
_LARGE_BYTES = 64 * 1024**3
_HEAD_ROOM_BYTES = 256 * _MIB
"""For md's superblock, bitmap and data offset (128 MiB on large drives), with as much again for a later reshape."""
_MIGRATIONS: dict[tuple[RaidLevel, RaidLevel], int] = {
    (RaidLevel.RAID1, RaidLevel.RAID5): 1,
    (RaidLevel.RAID5, RaidLevel.RAID5): 1,
    (RaidLevel.RAID5, RaidLevel.RAID6): 1,
    (RaidLevel.RAID6, RaidLevel.RAID6): 1,
    (RaidLevel.RAID10, RaidLevel.RAID10): 2,
    (RaidLevel.RAID0, RaidLevel.RAID5): 1,
}
"""From, to -> drives that must at least be added."""


def zeroed(drive: ScannedDrive, note: str) -> Command:
    return Command(argv=("mdadm", "--zero-superblock", drive.device), note=f"{note}: {checks.label(drive)}")


def zeroed_if_marked(drives: tuple[ScannedDrive, ...]) -> tuple[Command, ...]:
    return tuple(zeroed(drive, "forget its old array") for drive in drives if checks.is_marked(drive))


def blanked(drive: ScannedDrive) -> Command:
    """udev looks into a new array at once, and would assemble what an older array had inside (a RAID 50 its top) before anybody can wipe
    it. mdadm 4.2 leaves a 1024th of a drive before its data, at most 128 MiB, and a few for superblock and bitmap (super1.c)."""
    head_bytes = min(drive.size_bytes // 1024, 128 * _MIB) + 4 * _MIB
    length_bytes = min(head_bytes, drive.size_bytes) // _MIB * _MIB
    argv = ("blkdiscard", "--zeroout", f"--length={length_bytes}", drive.device)
    return Command(argv=argv, note=f"remains of an older array would be found: {checks.label(drive)}")


# -- create ----------------------------------------------------------------------------------------------


def create(op: CreateVirtualDrive, look: Look, inventory: Inventory, run: Runner) -> tuple[Command, ...]:
    checks.good_name(op.name, look)
    spans = tuple(tuple(checks.blank(id, look, inventory, run) for id in span) for span in op.spans)
    spares = tuple(checks.blank(id, look, inventory, run) for id in op.spares)
    members = tuple(drive for span in spans for drive in span)
    sizes = {drive.id: coerced_bytes(drive.size_bytes) for drive in (*members, *spares)}
    check_layout(op.level, op.spans, sizes, op.stripe_bytes)
    if op.level is RaidLevel.RAID1 and len(members) > 2:
        raise Unsupported("RAID 1 has two drives on Linux md", "use RAID 10 for more")
    if op.level in (RaidLevel.RAID6, RaidLevel.RAID60) and any(len(span) < 4 for span in spans):
        raise Unsupported(f"RAID {op.level} needs four drives a span on Linux md", "add one, or use RAID 5")
    if set(op.spares) & {drive.id for drive in members} or len(set(op.spares)) != len(op.spares):
        raise InvalidInput("a drive is named twice", "name each drive once")
    if op.spares and not LEVELS[op.level].is_redundant:
        raise InvalidInput(f"RAID {op.level} has nothing to rebuild from", "leave the spares out")
    smallest = min(sizes[drive.id] for drive in members)
    for spare in spares:
        if sizes[spare.id] < smallest:
            raise OperationRefused(f"{checks.label(spare)} is too small to be a spare", "use a larger one")
    marks = (*zeroed_if_marked((*members, *spares)), *(blanked(drive) for drive in members))
    wipe = Command(
        argv=("wipefs", "--all", f"/dev/md/{op.name}"),
        note="remains of an older file system would show through",
    )
    if op.level in NESTED:
        legs = tuple(f"{op.name}-{number}" for number in range(len(spans)))
        made = tuple(
            _made(leg, NESTED[op.level], span, (), op.stripe_bytes, op.has_bitmap, smallest)
            for leg, span in zip(legs, spans, strict=True)
        )
        top = _argv(op.name, "0", len(legs), op.stripe_bytes, has_bitmap=False)
        nodes = tuple(f"/dev/md/{leg}" for leg in legs)
        return (*marks, *made, _SETTLE, Command(argv=(*top, *nodes), note="join the spans"), _SETTLE, wipe)
    return (
        *marks,
        _made(op.name, op.level.value, members, spares, op.stripe_bytes, op.has_bitmap, smallest),
        _SETTLE,
        wipe,
    )


_SETTLE = Command(argv=("udevadm", "settle", "--timeout=60"), note="until it has its name below /dev/md")


def _made(
    name: str,
    level: str,
    members: tuple[ScannedDrive, ...],
    spares: tuple[ScannedDrive, ...],
    stripe_bytes: int,
    has_bitmap: bool,
    smallest_bytes: int,
) -> Command:
    argv = _argv(name, level, len(members), stripe_bytes, has_bitmap=has_bitmap and level != "0")
    if level != "0" and smallest_bytes >= _LARGE_BYTES:
        # Below what the drives have, so that the next one of the same nominal size fits whoever made it.
        argv = (*argv, f"--size={(smallest_bytes - _HEAD_ROOM_BYTES) // 1024}")
    if spares:
        argv = (*argv, f"--spare-devices={len(spares)}")
    if len(members) == 1:
        argv = (*argv, "--force")
    nodes = tuple(drive.device for drive in (*members, *spares))
    return Command(argv=(*argv, *nodes), note=", ".join(checks.label(drive) for drive in members))


def _argv(name: str, level: str, count: int, stripe_bytes: int, *, has_bitmap: bool) -> tuple[str, ...]:
    argv: tuple[str, ...] = (
        "mdadm",
        "--create",
        f"/dev/md/{name}",
        f"--name={name}",
        "--homehost=any",
        "--metadata=1.2",
        f"--level={level}",
        f"--raid-devices={count}",
    )
    if level != "1":
        argv = (*argv, f"--chunk={stripe_bytes // 1024}")
    if level == "10":
        argv = (*argv, "--layout=n2")
    if level != "0":
        argv = (*argv, f"--bitmap={'internal' if has_bitmap else 'none'}")
    return (*argv, "--run")


# -- delete ----------------------------------------------------------------------------------------------


def delete(op: DeleteVirtualDrive, look: Look, inventory: Inventory) -> tuple[Command, ...]:
    stack = checks.stack_named(op.virtual_drive, look)
    checks.not_in_use(stack, inventory)
    return (*stopped(stack), *(zeroed(drive, "erase its part") for drive in drives_of(stack, look)))


def stopped(stack: Stack) -> tuple[Command, ...]:
    arrays = [stack.top] if stack.top is not None else []
    arrays += [leg for leg in stack.present_legs if leg is not stack.top]
    return tuple(
        Command(argv=("mdadm", "--stop", f"/dev/{array.device}"), note=f"stop {array.name or stack.name}")
        for array in arrays
    )


def drives_of(stack: Stack, look: Look) -> tuple[ScannedDrive, ...]:
    """Its members, failed ones and spares too, and members that are back without being re-added."""
    held = {id for id, member in look.members.items() if member.stack.id == stack.id}
    back = {
        drive.id
        for drive in look.drives
        if drive.md_uuid
        and drive.md_uuid in stack.leg_uuids
        and drive.id not in look.members
        and not drive.partitions
    }
    return tuple(drive for drive in look.drives if drive.id in held | back)


# -- foreign ---------------------------------------------------------------------------------------------


def import_foreign(op: ImportForeign, look: Look, inventory: Inventory, run: Runner) -> tuple[Command, ...]:
    """Legs first. What stands on the legs is only known when they run: MdBackend assembles it after them."""
    wanted = [drive for drive in inventory.drives if drive.foreign and drive.foreign == op.foreign]
    stack = look.stack(op.foreign)
    if not wanted:
        raise NotFound(
            f"no drives of a foreign array {op.foreign}", "see Drive.foreign of the foreign drives"
        )
    if stack is not None and stack.is_active:
        raise OperationRefused(f"{stack.name} is active", "re-add the drive to it instead")
    uuids = {look.by_id[drive.id].md_uuid for drive in wanted if drive.id in look.by_id}
    uuids |= _siblings(uuids, look, inventory, run)
    begun = {
        array.device: array
        for drive in look.drives
        if drive.md_uuid in uuids and (array := look.in_inactive.get(drive.id)) is not None
    }
    stops = tuple(
        Command(argv=("mdadm", "--stop", f"/dev/{device}"), note="begun without some of its members")
        for device in sorted(begun)
    )
    return (*stops, *(assembled(uuid, look) for uuid in sorted(uuids)))


def _siblings(uuids: set[str], look: Look, inventory: Inventory, run: Runner) -> set[str]:
    """Legs of the same nested array: made as NAME-0, NAME-1."""
    foreign = {drive.id for drive in inventory.drives if drive.state is DriveState.FOREIGN}
    names = {
        drive.md_uuid: array_name(drive, run)
        for drive in look.drives
        if drive.id in foreign and drive.md_uuid
    }
    wanted = {base for uuid in uuids if (base := _leg_base(names.get(uuid, "")))}
    return {uuid for uuid, name in names.items() if _leg_base(name) in wanted}


def _leg_base(name: str) -> str:
    base, _, number = name.rpartition("-")
    return base if number.isdecimal() else ""


def array_name(drive: ScannedDrive, run: Runner) -> str:
    """By its superblock, without the host."""
    said = run(["mdadm", "--examine", "--export", drive.device], timeout_s=30).text
    fields = dict(line.partition("=")[::2] for line in said.splitlines())
    return fields.get("MD_NAME", "").rpartition(":")[2]


def assembled(uuid: str, look: Look) -> Command:
    nodes = tuple(drive.device for drive in look.drives if drive.md_uuid == uuid and not drive.partitions)
    return Command(
        argv=(
            "mdadm",
            "--assemble",
            "--run",
            f"--uuid={uuid}",
            "--config=none",
            "/dev/md/" + _node(uuid),
            *nodes,
        ),
        note=f"{len(nodes)} drives; starts it with members missing when the level bears it",
    )


def _node(uuid: str) -> str:
    """A name for the device until udev gives it the array's own."""
    return f"imported-{uuid[:8]}"


def clear_foreign(op: ClearForeign, look: Look, inventory: Inventory) -> tuple[Command, ...]:
    if not op.drives:
        raise InvalidInput("no drives are named", "name the foreign drives")
    commands: list[Command] = []
    for id in op.drives:
        drive, scanned = checks.present(id, look, inventory)
        if drive.state is not DriveState.FOREIGN:
            raise OperationRefused(f"{checks.label(drive)} is not foreign", "choose foreign drives only")
        checks.not_awaited(scanned, look)
        begun = look.in_inactive.get(id)
        stop = ("mdadm", "--stop", f"/dev/{begun.device}") if begun is not None else ()
        if stop and all(command.argv != stop for command in commands):
            commands.append(Command(argv=stop, note="begun and not started"))
        commands.append(zeroed(scanned, "forget the foreign array"))
    return tuple(commands)


# -- migrate ---------------------------------------------------------------------------------------------


def migrate(
    op: Migrate, look: Look, inventory: Inventory, run: Runner, roots: Roots, folder: Path
) -> tuple[Command, ...]:
    stack = checks.stack_named(op.virtual_drive, look)
    top = checks.active(stack)
    needed = None if stack.is_nested else _MIGRATIONS.get((stack.level, op.level))
    if needed is None:
        raise Unsupported(
            f"{stack.name} cannot be changed from RAID {stack.level} to RAID {op.level}",
            "make a second virtual drive and move the recordings",
        )
    if not (roots.run / "systemd" / "system").is_dir():
        # mdadm hands the reshape to a unit of its own; else a child of ours would carry it, and end with us.
        raise Unsupported("md's reshape needs systemd to go on by itself", "boot with systemd")
    checks.quiet(stack)
    if top.lost():
        raise OperationRefused(f"{stack.name} is degraded", "rebuild it first")
    if len(op.add) < needed or (needed == 2 and len(op.add) % 2):
        even = " and an even number" if needed == 2 else ""
        raise InvalidInput(f"at least {needed} drive(s){even} must be added", "name the drives to add")
    drives = tuple(checks.blank(id, look, inventory, run) for id in op.add)
    if len({drive.id for drive in drives}) != len(drives):
        raise InvalidInput("a drive is named twice", "name each drive once")
    for drive in drives:
        checks.large_enough(drive, top)
    total = top.wanted + len(drives)
    check_layout(
        op.level,
        (tuple(str(number) for number in range(total)),)
        if op.level is not RaidLevel.RAID10
        else _pairs(total),
        {str(number): 0 for number in range(total)},
    )
    device = f"/dev/{top.device}"
    backup = folder / f"reshape-{top.uuid.replace(':', '')}.backup"
    grow: tuple[str, ...] = ("mdadm", "--grow", device, f"--raid-devices={total}")
    if op.level is not stack.level:
        grow = (*grow, f"--level={op.level.value}")
    if stack.level is RaidLevel.RAID0:
        grow = (*grow, "--add", *(drive.device for drive in drives))
        return (*zeroed_if_marked(drives), Command(argv=grow, note=_MIGRATION_NOTE))
    adds = tuple(
        Command(argv=("mdadm", device, "--add-spare", drive.device), note=checks.label(drive))
        for drive in drives
    )
    if stack.level is not RaidLevel.RAID10:
        grow = (*grow, f"--backup-file={backup}")
    return (*zeroed_if_marked(drives), *adds, Command(argv=grow, note=_MIGRATION_NOTE))


_MIGRATION_NOTE = (
    "a drive that is replaced meanwhile is not rebuilt by itself: start its rebuild by hand afterwards"
)
"""Row RB-07."""


def _pairs(total: int) -> tuple[tuple[str, ...], ...]:
    return tuple((str(first), str(first + 1)) for first in range(0, total, 2))

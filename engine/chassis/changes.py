"""Two inventories -> what happened to drives and virtual drives, each change once, in plain words, with bay and serial. Pure.

Tasks are task_changes.py, health is health_changes.py, sensors are sensor_changes.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from engine.chassis.drive_words import bays_words, drive_line, drive_words, named
from engine.chassis.happenings import Happening, happening
from engine.wire_chassis import ChainView
from storage.catalog.records import Severity
from storage.raid.inventory import Drive, Inventory, VirtualDrive
from storage.raid.states import DriveState, SpareKind, VirtualDriveState

_HURT = frozenset({DriveState.FAILED, DriveState.MISSING, DriveState.OFFLINE})
_REBUILDING = frozenset({DriveState.REBUILD, DriveState.COPYBACK})


def inventory_changes(
    before: Inventory | None,
    now: Inventory,
    chains: Sequence[ChainView] = (),
    planned: Collection[str] = (),
) -> list[Happening]:
    """`before` None: the first look, where only trouble is said, one event a virtual drive. `planned` are the ids of drives that
    are taken out on purpose: said, but nobody is called for it."""
    by_virtual_drive = {chain.virtual_drive: chain for chain in chains}
    if before is None:
        return [
            _state_of(vd, now, by_virtual_drive, planned)
            for vd in now.virtual_drives
            if vd.state is not VirtualDriveState.ONLINE
        ]
    drives = [said for drive in now.drives for said in _drive(before, now, drive, by_virtual_drive, planned)]
    gone = [said for drive in before.drives for said in _gone(now, drive)]
    return gone + drives + _virtual_drives(before, now, by_virtual_drive, planned)


def source_of(drive: Drive) -> str:
    return f"bay {drive.bay}" if drive.bay is not None else drive.serial or drive.id


def the_drive(drive: Drive) -> str:
    """`Drive in bay 3 (serial ZL2A1B2C)`."""
    words = drive_words(drive)
    return f"Drive in {words}" if drive.bay is not None else words[:1].upper() + words[1:]


# -- drives ----------------------------------------------------------------------------------------------


def _is_present(drive: Drive) -> bool:
    return drive.state is not DriveState.MISSING


def _gone(now: Inventory, drive: Drive) -> list[Happening]:
    """Not listed any more, not even as missing: it was in no array."""
    if not _is_present(drive) or now.drive(drive.id) is not None:
        return []
    if any(other.state is DriveState.MISSING and _is_same_label(other, drive) for other in now.drives):
        return []  # the same drive under the name of the place it left
    if drive.state is DriveState.HOT_SPARE:
        text = f"{the_drive(drive)} was pulled: it was a {_spare_word(drive)}"
        return [happening("spare.removed", text, source_of(drive))]
    return [happening("drive.removed", f"{the_drive(drive)} was pulled", source_of(drive))]


def _is_same_label(one: Drive, other: Drive) -> bool:
    return bool(one.serial) and one.serial == other.serial


def _drive(
    before: Inventory,
    now: Inventory,
    drive: Drive,
    chains: Mapping[str, ChainView],
    planned: Collection[str],
) -> list[Happening]:
    old = before.drive(drive.id)
    if old is None:
        old = next((other for other in before.drives if _is_same_label(other, drive)), None)
    was_present = old is not None and _is_present(old)
    if not _is_present(drive):
        return [_missing(now, drive, chains, planned)] if was_present else []
    if old is None or not was_present:
        return [_arrived(now, drive, old)]
    said = []
    if old.bay != drive.bay and drive.bay is not None:
        where = f"bay {old.bay}" if old.bay is not None else "no known bay"
        said.append(happening("drive.moved", f"{the_drive(drive)} was in {where} before", source_of(drive)))
    if drive.state is DriveState.ONLINE and drive.group and before.group(drive.group) is None:
        return said  # a virtual drive was made of it: that is said
    return said + _new_state(now, old, drive, chains, planned)


def _missing(
    now: Inventory, drive: Drive, chains: Mapping[str, ChainView], planned: Collection[str]
) -> Happening:
    if drive.id in planned:
        return happening(
            "drive.missing", f"{the_drive(drive)} was taken out as planned", source_of(drive), Severity.INFO
        )
    text = f"{the_drive(drive)} is missing{consequence(now, drive, chains)}"
    return happening("drive.missing", text, source_of(drive))


def _arrived(now: Inventory, drive: Drive, old: Drive | None) -> Happening:
    if old is not None or drive.foreign_group:
        group = now.group(drive.foreign_group or drive.group)
        home = f": it belongs to drive group {group.name}" if group is not None else ""
        return happening("drive.returned", f"{the_drive(drive)} is back{home}", source_of(drive))
    text = f"Drive inserted: {drive_line(drive)}"
    if drive.state is DriveState.FOREIGN:
        text += ": it carries the configuration of another array; import or clear it before it can be used"
    elif drive.state is DriveState.PROTECTED and drive.cause:
        text += f": not used, {drive.cause}"
    return happening("drive.inserted", text, source_of(drive))


def _new_state(
    now: Inventory, old: Drive, drive: Drive, chains: Mapping[str, ChainView], planned: Collection[str]
) -> list[Happening]:
    source, name = source_of(drive), the_drive(drive)
    why = f": {drive.cause}" if drive.cause else ""
    if drive.state is old.state:
        if drive.is_awaiting_removal and not old.is_awaiting_removal:
            return [happening("drive.ready", f"{name} may be pulled: a spare has taken its place", source)]
        return []
    if old.state is DriveState.HOT_SPARE and drive.state in _HURT:
        return [
            happening("spare.failed", f"{name}, a {_spare_word(old)}, {has_become(drive.state)}{why}", source)
        ]
    match drive.state:
        case DriveState.FAILED | DriveState.OFFLINE if drive.id in planned:
            kind = "drive.failed" if drive.state is DriveState.FAILED else "drive.offline"
            return [happening(kind, f"{name} was taken out of service as planned", source, Severity.INFO)]
        case DriveState.FAILED:
            text = f"{name} has failed{why}{consequence(now, drive, chains)}"
            return [happening("drive.failed", text, source)]
        case DriveState.OFFLINE:
            text = f"{name} is offline{why}{consequence(now, drive, chains)}"
            return [happening("drive.offline", text, source)]
        case DriveState.UNCONFIGURED_BAD:
            return [happening("drive.bad", f"{name} cannot be used{why}", source)]
        case DriveState.FOREIGN:
            return [happening("drive.foreign", f"{name} carries a configuration that is not active", source)]
        case DriveState.SHIELD:
            return [happening("drive.shield", f"{name} is set aside for diagnosis", source)]
        case DriveState.HOT_SPARE:
            return [happening("spare.assigned", f"{name} is a {_spare_word(drive)}", source)]
        case DriveState.ONLINE:
            return [happening("drive.online", f"{name} is online", source)]
        case DriveState.REBUILD | DriveState.COPYBACK if old.state is DriveState.HOT_SPARE:
            return [happening("spare.took_over", f"{name} takes the place of a lost drive", source)]
        case DriveState.UNCONFIGURED_GOOD:
            return _usable(now, old, drive, planned)
    return []


def _usable(now: Inventory, old: Drive, drive: Drive, planned: Collection[str]) -> list[Happening]:
    source, name = source_of(drive), the_drive(drive)
    if old.state is DriveState.HOT_SPARE:
        return [happening("spare.released", f"{name} is no longer a {_spare_word(old)}", source)]
    if not drive.is_awaiting_removal:
        is_deleted = bool(old.group) and now.group(old.group) is None
        return [] if is_deleted else [happening("drive.ready", f"{name} can be used again", source)]
    ready = happening("drive.ready", f"{name} may be pulled: another has taken its place", source)
    if old.state in _HURT or drive.id in planned:
        return [ready]
    # The log of a controller may never show the failure (row RB-04): ours does.
    why = f": {drive.cause}" if drive.cause else ""
    return [happening("drive.failed", f"{name} has failed{why}; a spare takes its place", source), ready]


def _spare_word(drive: Drive) -> str:
    return "dedicated hot spare" if drive.spare is SpareKind.DEDICATED else "global hot spare"


def consequence(now: Inventory, drive: Drive, chains: Mapping[str, ChainView]) -> str:
    """`: virtual drive A is degraded, one more failure in bays 0 1 2 loses volume A`; empty without any."""
    said = []
    for vd in now.virtual_drives_of(drive.group) if drive.group else ():
        if vd.state is VirtualDriveState.ONLINE:
            continue
        said.append(f"virtual drive {vd.name} {has_become(vd.state)}")
        if (chain := chains.get(vd.id)) is not None and chain.exposure:
            said.append(chain.exposure)
    return f": {', '.join(said)}" if said else ""


# -- virtual drives --------------------------------------------------------------------------------------


def has_become(state: VirtualDriveState | DriveState) -> str:
    """`is partially degraded`, `has failed`."""
    return "has failed" if state == "failed" else f"is {state.replace('_', ' ')}"


def _virtual_drives(
    before: Inventory, now: Inventory, chains: Mapping[str, ChainView], planned: Collection[str]
) -> list[Happening]:
    said = []
    for vd in now.virtual_drives:
        old = next((other for other in before.virtual_drives if other.id == vd.id), None)
        if old is None:
            said.append(_created(now, vd))
        if vd.state is not (old.state if old is not None else VirtualDriveState.ONLINE):
            said.append(_state_of(vd, now, chains, planned))
        if vd.mismatches and (
            old is None or (vd.mismatches, vd.checked_us) != (old.mismatches, old.checked_us)
        ):
            text = f"Virtual drive {vd.name}: the check found {vd.mismatches} sectors that do not match"
            said.append(happening("virtual_drive.mismatch", text, vd.name))
    known = {vd.id for vd in now.virtual_drives}
    for vd in before.virtual_drives:
        if vd.id not in known:
            said.append(
                happening("virtual_drive.deleted", f"Virtual drive {vd.name} is no longer there", vd.name)
            )
    return said


def _created(now: Inventory, vd: VirtualDrive) -> Happening:
    group = now.group(vd.group)
    drives = named(now, (id for span in group.spans for id in span.drives)) if group is not None else []
    text = f"Virtual drive {vd.name} is there: RAID {vd.level} of {bays_words(drives)}"
    return happening("virtual_drive.created", text, vd.name)


def _state_of(
    vd: VirtualDrive, now: Inventory, chains: Mapping[str, ChainView], planned: Collection[str]
) -> Happening:
    if vd.state is VirtualDriveState.ONLINE:
        return happening("virtual_drive.online", f"Virtual drive {vd.name} is in order", vd.name)
    group = now.group(vd.group)
    members = named(now, (id for span in group.spans for id in span.drives)) if group is not None else []
    lost = [drive for drive in members if drive.state in _HURT]
    rebuilding = [drive for drive in members if drive.state in _REBUILDING]
    causes = [f"{drive_words(drive)} {has_become(drive.state)}" for drive in lost]
    causes += [f"{drive_words(drive)} is being rebuilt" for drive in rebuilding]
    if not causes and vd.cause:
        causes = [vd.cause]
    chain = chains.get(vd.id)
    if chain is not None and chain.exposure:
        causes.append(chain.exposure)
    text = f"Virtual drive {vd.name} {has_become(vd.state)}: {'; '.join(causes) or 'no cause is known'}"
    severity = None
    if vd.state is VirtualDriveState.DEGRADED:
        is_planned = bool(lost) and all(drive.id in planned for drive in lost)
        is_bare = chain is not None and chain.can_lose == 0
        severity = Severity.CRITICAL if is_bare and not is_planned else Severity.WARNING
    return happening(_VIRTUAL_DRIVE_KINDS[vd.state], text, vd.name, severity)


_VIRTUAL_DRIVE_KINDS = {
    VirtualDriveState.PARTIALLY_DEGRADED: "virtual_drive.partially_degraded",
    VirtualDriveState.DEGRADED: "virtual_drive.degraded",
    VirtualDriveState.FAILED: "virtual_drive.failed",
    VirtualDriveState.OFFLINE: "virtual_drive.offline",
}

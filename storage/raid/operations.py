"""What can be asked of a RAID back-end, as values: planned, shown, confirmed and carried out in this one form.

Drives are named by their id (`Drive.id`), virtual drives and groups by theirs. Used on the wire too: unknown fields are errors.
"""

from __future__ import annotations

import msgspec

from storage.raid.inventory import Rates
from storage.raid.states import RaidLevel, SpareKind


class Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="operation"):
    """Base of all."""


class CreateVirtualDrive(Operation, frozen=True, kw_only=True, tag="create"):
    """A drive group of `spans` with one virtual drive of all its room. Erases the drives."""

    name: str
    level: RaidLevel
    spans: tuple[tuple[str, ...], ...]
    """Drive ids, one tuple a span; levels 0, 1, 5 and 6 have one. RAID 10: each span an even number of drives."""
    stripe_bytes: int = 256 * 1024
    spares: tuple[str, ...] = ()
    """Dedicated to it."""
    has_bitmap: bool = True


class DeleteVirtualDrive(Operation, frozen=True, kw_only=True, tag="delete"):
    """Erases it; its drives become unconfigured good."""

    virtual_drive: str


class AssignSpare(Operation, frozen=True, kw_only=True, tag="assign_spare"):
    drive: str
    kind: SpareKind = SpareKind.GLOBAL
    groups: tuple[str, ...] = ()
    """Of a dedicated one."""
    has_affinity: bool = False


class ReleaseSpare(Operation, frozen=True, kw_only=True, tag="release_spare"):
    drive: str


class StartRebuild(Operation, frozen=True, kw_only=True, tag="rebuild"):
    """Put an unconfigured good drive (or a spare) in the place of a failed or missing member. Erases the drive."""

    group: str
    drive: str
    span: int | None = None
    slot: int | None = None
    """None = the first place that is empty."""


class ReplaceMember(Operation, frozen=True, kw_only=True, tag="replace_member"):
    """Copy a member that still works onto another drive, then take it out; redundancy is kept meanwhile."""

    member: str
    replacement: str


class ReAddMember(Operation, frozen=True, kw_only=True, tag="re_add"):
    """A member that was pulled by mistake and is back: bring it up to date by the bitmap where there is one."""

    drive: str


class StartCheck(Operation, frozen=True, kw_only=True, tag="check"):
    """Consistency check (row BG-01); `repair` rewrites what does not match."""

    virtual_drive: str
    repair: bool = False


class StartInitialisation(Operation, frozen=True, kw_only=True, tag="initialise"):
    """Background initialisation by hand (row BG-04)."""

    virtual_drive: str


class StartPatrolRead(Operation, frozen=True, kw_only=True, tag="patrol_read"):
    """Read every drive once at low priority, looking for bad sectors (our definition: row BG-07 has none)."""

    controller: str


class StopTask(Operation, frozen=True, kw_only=True, tag="stop_task"):
    task: str


class PauseTask(Operation, frozen=True, kw_only=True, tag="pause_task"):
    task: str


class ResumeTask(Operation, frozen=True, kw_only=True, tag="resume_task"):
    task: str


class SetRates(Operation, frozen=True, kw_only=True, tag="set_rates"):
    controller: str
    rates: Rates


class SetOffline(Operation, frozen=True, kw_only=True, tag="set_offline"):
    """Take a member out of service: the group loses its redundancy by one."""

    drive: str


class SetGood(Operation, frozen=True, kw_only=True, tag="set_good"):
    """An unconfigured bad, failed or foreign drive becomes usable again; what was on it is forgotten."""

    drive: str


class PrepareRemoval(Operation, frozen=True, kw_only=True, tag="prepare_removal"):
    """Make a drive that is in no use safe to pull: out of its array's list, heads parked."""

    drive: str


class ImportForeign(Operation, frozen=True, kw_only=True, tag="import_foreign"):
    """Take over the array that foreign drives carry (`Drive.foreign`)."""

    foreign: str


class ClearForeign(Operation, frozen=True, kw_only=True, tag="clear_foreign"):
    """Forget it. Erases the configuration, and so the data, of these drives."""

    drives: tuple[str, ...]


class Migrate(Operation, frozen=True, kw_only=True, tag="migrate"):
    """Change the level, or add drives, or both (row VD-02)."""

    virtual_drive: str
    level: RaidLevel
    add: tuple[str, ...] = ()


class Silence(Operation, frozen=True, kw_only=True, tag="silence"):
    """The controller's beeper."""

    controller: str


RaidOperation = (
    CreateVirtualDrive
    | DeleteVirtualDrive
    | AssignSpare
    | ReleaseSpare
    | StartRebuild
    | ReplaceMember
    | ReAddMember
    | StartCheck
    | StartInitialisation
    | StartPatrolRead
    | StopTask
    | PauseTask
    | ResumeTask
    | SetRates
    | SetOffline
    | SetGood
    | PrepareRemoval
    | ImportForeign
    | ClearForeign
    | Migrate
    | Silence
)

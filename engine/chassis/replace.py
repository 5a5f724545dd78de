"""How the guided replacement goes on: a pure step from a state and what is seen to the next state and one thing to do.

Everything is derived anew from the inventory, so that a restart in the middle, a drive pulled too early and an operation that
did not work are ordinary cases. It never asks for an operation that erases a drive unless that drive is empty or a hot spare
(replace_checks.why_not_erase), and never takes out a member that its group cannot do without. Recording is not touched.
The driver is engine/chassis/replace_job.py. Rows SW-01..03, SF-04, BY-12, RB-06..08, HS-10; rules 3..8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from engine.chassis.drive_words import drive_words
from engine.chassis.facts import has_valid_data
from engine.chassis.replace_checks import may_leave, newcomer, why_not_erase, why_not_use
from engine.chassis.replace_state import (
    KnownSpare,
    Phase,
    ReplaceState,
    Seat,
    is_here,
    known_spares,
    seats_now,
)
from storage.raid.inventory import Drive, Inventory
from storage.raid.operations import (
    AssignSpare,
    PrepareRemoval,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    SetOffline,
    StartRebuild,
)
from storage.raid.spares import choose_spare, lost_places, may_rebuild_now, why_unfit
from storage.raid.states import DriveState
from storage.units import US_PER_SECOND

SETTLE_US = 10 * US_PER_SECOND
"""Row BY-12."""
TRIES = 3
_WRITTEN = (DriveState.REBUILD, DriveState.COPYBACK)
_BACK_IN_ORDER = (DriveState.ONLINE, DriveState.SHIELD, DriveState.HOT_SPARE, *_WRITTEN)
_HARMLESS_SEATS = (
    DriveState.UNCONFIGURED_GOOD,
    DriveState.UNCONFIGURED_BAD,
    DriveState.FOREIGN,
    DriveState.FAILED,
    DriveState.OFFLINE,
)
"""Pulling one of these loses nothing: said, but no alarm."""


@dataclass(frozen=True, slots=True)
class Step:
    state: ReplaceState
    operation: RaidOperation | None = None
    """To be performed now; then step again with what is seen after it."""
    lamp: str = ""
    """Id of the drive whose bay is to show the locate pattern; empty = none."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a step looks at."""

    inventory: Inventory
    now_us: int
    unfit: Mapping[str, str]
    """Drives that work and are not to be trusted, with the reason (SMART)."""


def step(
    state: ReplaceState, inventory: Inventory, now_us: int, unfit: Mapping[str, str] | None = None
) -> Step:
    """Goes as far as it can without an operation or a change of the inventory."""
    if not inventory.drives:
        return Step(
            state, None, _lamp(state)
        )  # nothing could be read: that is not a box somebody has emptied
    sight = Sight(inventory, now_us, unfit or {})
    state = replace(state, spares=known_spares(state.spares, inventory))
    for _ in range(len(Phase)):
        result = _PHASES[state.phase](state, sight) if state.phase in _PHASES else Step(state)
        if result.operation is not None or result.state.phase is state.phase:
            return Step(result.state, result.operation, _lamp(result.state))
        state = result.state
    return Step(state, None, _lamp(state))


def _lamp(state: ReplaceState) -> str:
    match state.phase:
        case Phase.PULL | Phase.INSERT:
            return state.drive
        case Phase.WRONG_PULLED:
            return state.wrong[0].drive if state.wrong else ""
        case _:
            return ""


def _enter(state: ReplaceState, phase: Phase, **more: object) -> Step:
    return Step(replace(state, phase=phase, tried="", tries=0, trouble="", **more))


def _ask(state: ReplaceState, operation: RaidOperation, key: str) -> Step:
    """Ask for an operation; one that changed nothing again and again becomes trouble."""
    if state.trouble:
        return Step(state)
    tries = state.tries + 1 if state.tried == key else 1
    if tries > TRIES:
        return Step(replace(state, trouble=f"{key}: done {TRIES} times, and nothing changed"))
    return Step(replace(state, tried=key, tries=tries), operation)


def failed(state: ReplaceState, operation: RaidOperation, why: str) -> ReplaceState:
    """The operation asked for was not carried out."""
    if isinstance(operation, PrepareRemoval):
        # Parking the heads is a courtesy: a drive in no use can be pulled all the same.
        return replace(state, is_prepared=True, notice=why)
    if isinstance(operation, StartRebuild) and operation.drive != state.new_drive:
        return replace(state, notice=f"the hot spare does not take over: {why}")
    return replace(state, trouble=why)


def performed(state: ReplaceState, operation: RaidOperation) -> ReplaceState:
    return replace(state, is_prepared=True) if isinstance(operation, PrepareRemoval) else state


# -- until it is out ---------------------------------------------------------------------------------------


def _explain(state: ReplaceState, sight: Sight) -> Step:
    if is_here(sight.inventory, state.drive):
        return Step(state)
    return _to_insert(state, sight)


def _copy(state: ReplaceState, sight: Sight) -> Step:
    old, target = sight.inventory.drive(state.drive), sight.inventory.drive(state.copy_to)
    if old is None or not is_here(sight.inventory, old.id):
        return _to_insert(state, sight)
    if not has_valid_data(sight.inventory, old):
        return _enter(state, Phase.TAKE_OUT)
    if target is None or not is_here(sight.inventory, target.id) or target.state is DriveState.FAILED:
        return _enter(
            state, Phase.EXPLAIN, copy_to="", notice="the drive that was copied to is gone or failed"
        )
    if target.state in _WRITTEN or has_valid_data(sight.inventory, target):
        return Step(state)
    if why_not_erase(target, allow_spare=True):
        return _enter(state, Phase.EXPLAIN, copy_to="", notice=f"{drive_words(target)} is not free any more")
    return _ask(
        state, ReplaceMember(member=old.id, replacement=target.id), f"copying to {drive_words(target)}"
    )


def _take_out(state: ReplaceState, sight: Sight) -> Step:
    old = sight.inventory.drive(state.drive)
    if old is None or not is_here(sight.inventory, old.id):
        return _to_insert(state, sight)
    words = drive_words(old)
    if has_valid_data(sight.inventory, old):
        if why := may_leave(state, sight.inventory):
            return _enter(state, Phase.EXPLAIN, notice=why)
        return _ask(state, SetOffline(drive=old.id), f"taking {words} out of service")
    if old.state in _WRITTEN:
        return _ask(state, SetOffline(drive=old.id), f"taking {words} out of service")
    if old.state is DriveState.HOT_SPARE:
        return _ask(state, ReleaseSpare(drive=old.id), f"releasing the hot spare {words}")
    if old.state is DriveState.PROTECTED:
        return _enter(state, Phase.FAILED, result=f"{words} is in other use: {old.cause}")
    if not state.is_prepared:
        return _ask(state, PrepareRemoval(drive=old.id), f"making {words} ready to be pulled")
    return _enter(state, Phase.PULL, seats=seats_now(sight.inventory, state.drive))


def _pull(state: ReplaceState, sight: Sight) -> Step:
    if wrong := _pulled_by_mistake(state, sight):
        return _enter(state, Phase.WRONG_PULLED, wrong=wrong)
    if not is_here(sight.inventory, state.drive):
        return _to_insert(state, sight)
    if (again := _in_service_again(state, sight)) is not None:
        return again
    return _spare_takes_over(state, sight) or Step(replace(state, notice=_harmless_pull(state, sight)))


def _spare_takes_over(state: ReplaceState, sight: Sight) -> Step | None:
    """Nobody knows when the new drive comes: redundancy is not kept waiting for it (row RB-02). Asked for once."""
    group = sight.inventory.group(state.group)
    if group is None or state.is_spare_called:
        return None
    for place in lost_places(sight.inventory, group):
        spare = choose_spare(sight.inventory, group, place.drive)
        if place.drive.id != state.drive or spare is None or why_not_erase(spare, allow_spare=True):
            continue
        if may_rebuild_now(sight.inventory, group, place.span):
            return None
        operation = StartRebuild(group=group.id, drive=spare.id, span=place.span, slot=place.slot)
        return Step(replace(state, is_spare_called=True), operation)
    return None


def _in_service_again(state: ReplaceState, sight: Sight) -> Step | None:
    """Somebody put the old drive back to work: ask anew, do not fight over it."""
    old = sight.inventory.drive(state.drive)
    if old is None or not (old.state in _WRITTEN or has_valid_data(sight.inventory, old)):
        return None
    notice = f"{drive_words(old)} is in service again"
    return _enter(state, Phase.EXPLAIN, seats=(), new_drive="", is_prepared=False, notice=notice)


def _pulled_by_mistake(state: ReplaceState, sight: Sight) -> tuple[Seat, ...]:
    return tuple(
        seat
        for seat in state.seats
        if seat.state not in _HARMLESS_SEATS and not is_here(sight.inventory, seat.drive)
    )


def _harmless_pull(state: ReplaceState, sight: Sight) -> str:
    gone = [seat for seat in state.seats if not is_here(sight.inventory, seat.drive)]
    if not gone:
        return ""
    return (
        f"bay {gone[0].bay} (serial {gone[0].serial}) was pulled, which is not the one: nothing is lost,"
        f" but it is bay {state.bay} (serial {state.serial}) that has to be replaced"
    )


def _wrong_pulled(state: ReplaceState, sight: Sight) -> Step:
    """Put back: bring it into service again before anything else."""
    more = (seat for seat in _pulled_by_mistake(state, sight) if seat not in state.wrong)
    open_seats = tuple(seat for seat in (*state.wrong, *more) if not _is_in_order(seat, sight))
    state = replace(state, wrong=open_seats)
    for seat in open_seats:
        drive = sight.inventory.drive(seat.drive)
        if drive is None or not is_here(sight.inventory, seat.drive):
            continue
        if seat.state is DriveState.HOT_SPARE and not why_not_erase(drive):
            spare = next((s for s in state.spares if s.drive == drive.id), KnownSpare(drive=drive.id))
            return _ask(state, _spare_again(drive.id, spare), f"making {drive_words(drive)} a spare again")
        if drive.foreign_group or drive.state is DriveState.OFFLINE:
            return _ask(state, ReAddMember(drive=drive.id), f"putting {drive_words(drive)} back in service")
    if open_seats:
        return Step(state)
    return after_wrong_pull(state, sight.inventory)


def _is_in_order(seat: Seat, sight: Sight) -> bool:
    drive = sight.inventory.drive(seat.drive)
    if drive is None or not is_here(sight.inventory, seat.drive):
        return False
    if drive.state in _BACK_IN_ORDER:
        return True
    # A member whose place was taken meanwhile has nowhere to go back to.
    group = sight.inventory.group(drive.foreign_group)
    if group is not None and drive.state is DriveState.UNCONFIGURED_GOOD:
        return not lost_places(sight.inventory, group)
    return seat.state is not DriveState.HOT_SPARE and not why_not_erase(drive)


def after_wrong_pull(state: ReplaceState, inventory: Inventory) -> Step:
    """On with what was asked for; also when the person leaves a wrong drive out."""
    if is_here(inventory, state.drive):
        return _enter(state, Phase.PULL, wrong=(), seats=seats_now(inventory, state.drive))
    seats = tuple(seat for seat in state.seats if is_here(inventory, seat.drive))
    return _enter(state, Phase.INSERT, wrong=(), seats=seats)


# -- from the new one on -----------------------------------------------------------------------------------


def _to_insert(state: ReplaceState, sight: Sight) -> Step:
    """The old one is out; who else is here now is no newcomer."""
    seats = state.seats or tuple(
        seat for seat in seats_now(sight.inventory, state.drive) if state.bay is None or seat.bay != state.bay
    )
    return _enter(state, Phase.INSERT, seats=seats, new_drive="", notice="")


def _insert(state: ReplaceState, sight: Sight) -> Step:
    if wrong := _pulled_by_mistake(state, sight):
        return _enter(state, Phase.WRONG_PULLED, wrong=wrong)
    if state.new_drive and is_here(sight.inventory, state.new_drive):
        drive = sight.inventory.drive(state.new_drive)
        elsewhere = None
    else:
        drive, elsewhere = newcomer(state, sight.inventory)
    if drive is None:
        if (again := _in_service_again(state, sight)) is not None:
            return again
        if is_here(sight.inventory, state.drive):
            old = sight.inventory.drive(state.drive)
            return Step(replace(state, elsewhere="", new_drive="", notice=_same_again(old)))
        if elsewhere is None:
            waiting = replace(state, elsewhere="", new_drive="", notice="")
            return _spare_takes_over(waiting, sight) or Step(waiting)
        notice = (
            f"the new drive is in {drive_words(elsewhere)}, expected in bay {state.bay}: move it,"
            " or use it where it is"
        )
        return Step(replace(state, elsewhere=elsewhere.id, new_drive="", notice=notice))
    if why := why_not_use(state, sight.inventory, drive, sight.unfit):
        return Step(replace(state, elsewhere="", new_drive="", notice=why))
    return _enter(state, Phase.SETTLE, new_drive=drive.id, inserted_us=sight.now_us, elsewhere="", notice="")


def _same_again(old: Drive | None) -> str:
    words = drive_words(old) if old is not None else "this"
    return f"{words} is the drive that was taken out: insert another one"


def _new_drive(state: ReplaceState, sight: Sight) -> tuple[Drive | None, str]:
    """The new drive, or why it cannot be used any more."""
    drive = sight.inventory.drive(state.new_drive)
    if drive is None or not is_here(sight.inventory, drive.id):
        return None, "the new drive was pulled again"
    why = why_not_use(state, sight.inventory, drive, sight.unfit)
    return (None, why) if why else (drive, "")


def _settle(state: ReplaceState, sight: Sight) -> Step:
    drive, why = _new_drive(state, sight)
    if drive is None:
        return _enter(state, Phase.INSERT, new_drive="", notice=why)
    if drive.state in _WRITTEN or drive.state is DriveState.ONLINE:
        return _enter(state, Phase.REBUILD)  # taken up by itself (row SW-01)
    if not 0 <= sight.now_us - state.inserted_us < SETTLE_US:
        return _enter(state, Phase.REBUILD)
    return Step(state)


def _rebuild(state: ReplaceState, sight: Sight) -> Step:
    drive, why = _new_drive(state, sight)
    if drive is None:
        return _enter(state, Phase.INSERT, new_drive="", notice=why)
    group = sight.inventory.group(state.group)
    if drive.state in _WRITTEN:
        return Step(replace(state, notice=""))
    if group is None or drive.state is DriveState.ONLINE:
        return _enter(state, Phase.FINISH)
    places = [
        place
        for place in lost_places(sight.inventory, group)
        if not why_unfit(sight.inventory, group, drive, place.drive)
    ]
    if not places:
        return _enter(state, Phase.FINISH)
    place = next((place for place in places if place.drive.id == state.drive), places[0])
    if waits := may_rebuild_now(sight.inventory, group, place.span):
        return Step(replace(state, notice=waits))
    return _ask(
        replace(state, notice=""),
        StartRebuild(group=group.id, drive=drive.id, span=place.span, slot=place.slot),
        f"rebuilding onto {drive_words(drive)}",
    )


def _finish(state: ReplaceState, sight: Sight) -> Step:
    """A new drive that is not needed in the group takes over the work of the spare that was."""
    drive, why = _new_drive(state, sight)
    if drive is None:
        return _enter(state, Phase.INSERT, new_drive="", notice=why)
    words = drive_words(drive)
    if drive.state in (DriveState.ONLINE, *_WRITTEN):
        return _enter(state, Phase.DONE, result=f"{words} is in service in group {state.group_name}")
    if drive.state is DriveState.HOT_SPARE:
        return _enter(state, Phase.DONE, result=f"{words} is the hot spare now")
    role = state.role or spare_used(state, sight.inventory)
    if role is None:
        return _enter(state, Phase.DONE, result=f"{words} is free: unconfigured good")
    return _ask(state, _spare_again(drive.id, role), f"making {words} the hot spare")


def spare_used(state: ReplaceState, inventory: Inventory) -> KnownSpare | None:
    """The spare that works in the group now."""
    for spare in state.spares:
        drive = inventory.drive(spare.drive)
        if drive is not None and state.group and drive.group == state.group and drive.spare is None:
            return spare
    return None


def _spare_again(drive: str, spare: KnownSpare) -> AssignSpare:
    return AssignSpare(
        drive=drive,
        kind=spare.kind,
        groups=spare.groups,
        has_affinity=spare.has_affinity,
    )


def _put_back(state: ReplaceState, sight: Sight) -> Step:
    old = sight.inventory.drive(state.drive)
    if old is None or not is_here(sight.inventory, state.drive):
        return _enter(state, Phase.INSERT, notice="it was pulled before it was back in service")
    if old.state in _BACK_IN_ORDER:
        return _enter(state, Phase.CANCELLED, result=f"{drive_words(old)} is back in service")
    return _ask(state, ReAddMember(drive=old.id), f"putting {drive_words(old)} back in service")


_PHASES = {
    Phase.EXPLAIN: _explain,
    Phase.COPY: _copy,
    Phase.TAKE_OUT: _take_out,
    Phase.PULL: _pull,
    Phase.WRONG_PULLED: _wrong_pulled,
    Phase.INSERT: _insert,
    Phase.SETTLE: _settle,
    Phase.REBUILD: _rebuild,
    Phase.FINISH: _finish,
    Phase.PUT_BACK: _put_back,
}

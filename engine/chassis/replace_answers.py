"""What a person may answer at each point of a guided replacement, and what follows from it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from engine.chassis.drive_words import drive_words
from engine.chassis.replace import after_wrong_pull
from engine.chassis.replace_checks import copy_target, may_leave, why_not_use
from engine.chassis.replace_state import Phase, ReplaceState, is_here
from storage.errors import Conflict, InvalidInput
from storage.raid.inventory import Inventory
from storage.raid.states import DriveState

RETRY = "retry"
CONTINUE = "continue"
COPY_FIRST = "copy_first"
PUT_BACK = "put_back"
USE_IT = "use_it"
GO_ON = "go_on"
CANCEL = "cancel"

_NOT_CANCELLED = {
    Phase.COPY: "the copy is under way and keeps the redundancy: let it end, or stop its task",
    Phase.WRONG_PULLED: "a drive that is in use was pulled: put it back first",
    Phase.PUT_BACK: "the drive is on its way back into service",
    Phase.TAKE_OUT: "the drive is being taken out of service: cancel when that is done",
}


def actions_of(state: ReplaceState, inventory: Inventory) -> tuple[str, ...]:
    """What may be answered now."""
    found = [RETRY] if state.trouble else []
    match state.phase:
        case Phase.EXPLAIN:
            if copy_target(state, inventory) is not None:
                found.append(COPY_FIRST)
            if not may_leave(state, inventory):
                found.append(CONTINUE)
            found.append(CANCEL)
        case Phase.COPY | Phase.TAKE_OUT:
            if state.trouble:
                found.append(CANCEL)
        case Phase.PULL | Phase.INSERT:
            if state.was_working and is_here(inventory, state.drive) and _is_out(state, inventory):
                found.append(PUT_BACK)
            if state.elsewhere:
                found.append(USE_IT)
            found.append(CANCEL)
        case Phase.WRONG_PULLED:
            found.append(GO_ON)
        case Phase.SETTLE | Phase.REBUILD | Phase.FINISH:
            found.append(CANCEL)
        case Phase.PUT_BACK:
            if state.trouble:
                found.append(CANCEL)
        case _:
            pass
    return tuple(found)


def _is_out(state: ReplaceState, inventory: Inventory) -> bool:
    drive = inventory.drive(state.drive)
    return drive is not None and (
        drive.state in (DriveState.OFFLINE, DriveState.FAILED) or bool(drive.foreign_group)
    )


def answer(state: ReplaceState, inventory: Inventory, action: str, value: str = "") -> ReplaceState:
    """Raises Conflict with the reason when that cannot be answered now, InvalidInput for a wrong word."""
    allowed = actions_of(state, inventory)
    if action not in allowed:
        if action == CANCEL and state.phase in _NOT_CANCELLED:
            raise Conflict("this cannot be cancelled now", _NOT_CANCELLED[state.phase])
        if action == CONTINUE and state.phase is Phase.EXPLAIN:
            raise Conflict(may_leave(state, inventory), "copy it to a spare first, or mend the group")
        options = ", ".join(allowed) or "nothing: wait for it"
        raise Conflict(f"{action!r} cannot be answered now", f"what can: {options}")
    return _ANSWERS[action](state, inventory, value)


def _moved(state: ReplaceState, phase: Phase, **more: object) -> ReplaceState:
    return replace(state, phase=phase, tried="", tries=0, trouble="", notice="", **more)


def _retry(state: ReplaceState, inventory: Inventory, value: str) -> ReplaceState:
    return replace(state, tried="", tries=0, trouble="")


def _continue(state: ReplaceState, inventory: Inventory, value: str) -> ReplaceState:
    return _moved(state, Phase.TAKE_OUT, is_prepared=False)


def _copy_first(state: ReplaceState, inventory: Inventory, value: str) -> ReplaceState:
    target = copy_target(state, inventory)
    if target is None:
        raise Conflict("no spare or free drive is left to copy to", "continue without a copy")
    if target.state is not DriveState.HOT_SPARE and value != target.serial:
        raise InvalidInput(
            f"{drive_words(target)} is a free drive, and would be erased",
            f"give its serial number, {target.serial}, to use it",
        )
    return _moved(state, Phase.COPY, copy_to=target.id, is_prepared=False)


def _put_back(state: ReplaceState, inventory: Inventory, value: str) -> ReplaceState:
    return _moved(state, Phase.PUT_BACK)


def _use_it(state: ReplaceState, inventory: Inventory, value: str) -> ReplaceState:
    drive = inventory.drive(state.elsewhere)
    if drive is None or not is_here(inventory, drive.id):
        raise Conflict("that drive is not here any more", "insert it again")
    if why := why_not_use(state, inventory, drive):
        raise Conflict(why, "insert another drive")
    return _moved(state, Phase.INSERT, new_drive=drive.id, elsewhere="")


def _go_on(state: ReplaceState, inventory: Inventory, value: str) -> ReplaceState:
    return after_wrong_pull(state, inventory).state


def _cancel(state: ReplaceState, inventory: Inventory, value: str) -> ReplaceState:
    return _moved(state, Phase.CANCELLED, result=_left_as(state, inventory))


def _left_as(state: ReplaceState, inventory: Inventory) -> str:
    where = f"bay {state.bay}" if state.bay is not None else f"the drive with serial {state.serial}"
    match state.phase:
        case Phase.SETTLE | Phase.REBUILD | Phase.FINISH:
            return f"the new drive in {where} stays; a rebuild that runs goes on by itself"
        case Phase.PULL | Phase.INSERT:
            group = f"; group {state.group_name} goes on without it" if state.group_name else ""
            return f"{where} (serial {state.serial}) is out of service{group}"
        case _:
            return f"{where} (serial {state.serial}) stays as it is"


_ANSWERS: dict[str, Callable[[ReplaceState, Inventory, str], ReplaceState]] = {
    RETRY: _retry,
    CONTINUE: _continue,
    COPY_FIRST: _copy_first,
    PUT_BACK: _put_back,
    USE_IT: _use_it,
    GO_ON: _go_on,
    CANCEL: _cancel,
}

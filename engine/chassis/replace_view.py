"""A guided replacement in words: its steps, what the person must do now, what is wrong. Pure."""

from __future__ import annotations

from engine.chassis.drive_words import drive_words, size_words, usable_bytes
from engine.chassis.facts import home
from engine.chassis.job_shown import Shown
from engine.chassis.replace_answers import actions_of
from engine.chassis.replace_checks import copy_target, may_leave
from engine.chassis.replace_state import ENDED, Phase, ReplaceState, Seat
from engine.wire_chassis import JobState, JobStep, StepState
from storage.raid.inventory import Inventory, Task
from storage.raid.states import DriveState, TaskKind, VirtualDriveState

_ORDER = (
    (Phase.EXPLAIN, "Read and decide"),
    (Phase.COPY, "Copy it to another drive"),
    (Phase.TAKE_OUT, "Take it out of service"),
    (Phase.PULL, "Pull it"),
    (Phase.INSERT, "Insert the new drive"),
    (Phase.SETTLE, "Wait until it has settled"),
    (Phase.REBUILD, "Rebuild"),
    (Phase.FINISH, "Hot spares as before"),
)
_PLACE_OF = {Phase.WRONG_PULLED: Phase.PULL, Phase.PUT_BACK: Phase.TAKE_OUT}
_SEEN = "It is noticed by itself."
_FOR_A_PERSON = (Phase.EXPLAIN, Phase.PULL, Phase.WRONG_PULLED, Phase.INSERT)


def shown(state: ReplaceState, inventory: Inventory, last: Phase | None = None) -> Shown:
    """`last`: where an ended one stood before it ended."""
    task = _task(state, inventory)
    return Shown(
        state=_job_state(state),
        title=f"Replace the drive in {_where(state)}",
        steps=_steps(state, last, task),
        needs=_needs(state, inventory),
        actions=actions_of(state, inventory),
        alarm=_alarm(state, inventory),
        bay=state.bay,
        serial=state.serial,
        progress=task.progress if task is not None else None,
        eta_s=task.eta_s if task is not None else None,
        result=state.result,
    )


def _where(state: ReplaceState) -> str:
    bay = f"bay {state.bay}" if state.bay is not None else "no known bay"
    return f"{bay} (serial {state.serial or state.drive})"


def _job_state(state: ReplaceState) -> JobState:
    match state.phase:
        case Phase.DONE:
            return JobState.DONE
        case Phase.CANCELLED:
            return JobState.CANCELLED
        case Phase.FAILED:
            return JobState.FAILED
        case _:
            waits = state.trouble or state.phase in _FOR_A_PERSON
            return JobState.WAITING if waits else JobState.RUNNING


def _task(state: ReplaceState, inventory: Inventory) -> Task | None:
    wanted = {Phase.COPY: state.copy_to, Phase.REBUILD: state.new_drive}.get(state.phase)
    if not wanted:
        return None
    return next(
        (
            task
            for task in inventory.tasks
            if task.drive == wanted and task.kind in (TaskKind.COPYBACK, TaskKind.REBUILD)
        ),
        None,
    )


def _steps(state: ReplaceState, last: Phase | None, task: Task | None) -> tuple[JobStep, ...]:
    place = _PLACE_OF.get(state.phase, state.phase)
    if state.phase in ENDED and last is not None:
        place = _PLACE_OF.get(last, last)
    order = [phase for phase, _ in _ORDER]
    now = len(order) if state.phase is Phase.DONE else order.index(place) if place in order else 0
    found = []
    for number, (phase, title) in enumerate(_ORDER):
        if number < now:
            step = StepState.DONE
        elif number == now:
            step = StepState.FAILED if state.phase is Phase.FAILED or state.trouble else StepState.NOW
        else:
            step = StepState.TO_DO
        if phase is Phase.COPY and not state.copy_to:
            step = StepState.SKIPPED
        if state.phase is Phase.CANCELLED and number >= now:
            step = StepState.SKIPPED
        is_now = number == now
        detail = state.trouble or state.notice or (task.detail if task is not None else "") if is_now else ""
        found.append(JobStep(title=title, state=step, detail=detail))
    return tuple(found)


def _needs(state: ReplaceState, inventory: Inventory) -> str:
    if state.trouble:
        return f"{state.trouble}. Answer retry when it is mended."
    where = _where(state)
    match state.phase:
        case Phase.EXPLAIN:
            return _explanation(state, inventory)
        case Phase.PULL:
            hint = f" {state.notice}." if state.notice else ""
            return f"Pull {where} now: its amber lamp blinks fast. {_SEEN}{hint}"
        case Phase.WRONG_PULLED:
            return "Put back: " + ", ".join(_seat(seat) for seat in state.wrong) + f". {_SEEN}"
        case Phase.INSERT:
            need = f"an empty drive of {size_words(state.need_bytes)} or larger"
            hint = f" {state.notice}." if state.notice else ""
            return f"Insert {need} in {'bay ' + str(state.bay) if state.bay is not None else 'a free bay'}. {_SEEN}{hint}"
        case _:
            return ""


def _seat(seat: Seat) -> str:
    bay = f"bay {seat.bay}" if seat.bay is not None else "the drive"
    return f"{bay}, serial {seat.serial or seat.drive}"


def _explanation(state: ReplaceState, inventory: Inventory) -> str:
    """Which drive, what happens to the data meanwhile, and what there is to choose from."""
    drive = inventory.drive(state.drive)
    words = [f"Bay {state.bay}" if state.bay is not None else "The drive"]
    words[0] += f", serial {state.serial} on its label, {state.model or 'unknown model'}"
    if drive is not None:
        words[0] += f", {size_words(usable_bytes(drive))}, {_state_words(drive.state)}"
        words[0] += f": {drive.cause}." if drive.cause else "."
    if state.notice:
        words.append(f"{state.notice[:1].upper()}{state.notice[1:]}.")
    words.append(_meanwhile(state, inventory))
    words.append("Recording goes on all the time.")
    if (target := copy_target(state, inventory)) is not None:
        kind = "the hot spare" if target.state is DriveState.HOT_SPARE else "the free drive"
        typed = (
            "" if target.state is DriveState.HOT_SPARE else f"; its serial number {target.serial} confirms it"
        )
        words.append(
            f"It can be copied first, with full redundancy, to {kind} in {drive_words(target)}{typed}."
        )
    if not may_leave(state, inventory):
        words.append(
            "Or take it out of service now, then pull it."
            if target
            else "It is taken out of service, then you pull it."
        )
    return " ".join(word for word in words if word)


def _state_words(state: DriveState) -> str:
    return "has failed" if state is DriveState.FAILED else f"is {state.replace('_', ' ')}"


def _meanwhile(state: ReplaceState, inventory: Inventory) -> str:
    if why := may_leave(state, inventory):
        return f"{why[:1].upper()}{why[1:]}."
    drive = inventory.drive(state.drive)
    at_home = home(inventory, drive) if drive is not None else None
    if at_home is None:
        return "Nothing on it is needed any more."
    group, span = at_home
    left = span.can_lose - (1 if state.was_working else 0)
    if left > 0:
        return f"Until the new drive is rebuilt, group {group.name} can lose {left} more."
    return f"Until the new drive is rebuilt, one more failure in group {group.name} loses its data."


def _alarm(state: ReplaceState, inventory: Inventory) -> str:
    if state.phase is not Phase.WRONG_PULLED or not state.wrong:
        return ""
    seat = state.wrong[0]
    lost = [
        vd.name
        for group in {seat.group for seat in state.wrong}
        for vd in inventory.virtual_drives_of(group)
        if vd.state in (VirtualDriveState.FAILED, VirtualDriveState.OFFLINE)
    ]
    drive = inventory.drive(seat.drive)
    if drive is not None and drive.state is not DriveState.MISSING:
        return (
            f"{drive_words(drive)} is back, but not in order: {drive.cause or drive.state.replace('_', ' ')}"
        )
    effect = f" Virtual drive {', '.join(lost)} has stopped." if lost else ""
    return (
        f"WRONG DRIVE PULLED: bay {seat.bay}. Put it back: {_seat(seat)}."
        f" The one to pull is bay {state.bay}, serial {state.serial}.{effect}"
    )

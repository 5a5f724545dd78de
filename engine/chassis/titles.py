"""An operation in one line, for plans, questions, events and for naming the one that is under way. Pure."""

from __future__ import annotations

from engine.chassis.drive_words import bays_words, id_words, named
from engine.wire_chassis import ChassisOperation, ReplaceDrive, SetUpStorage, TakeDownVolume
from storage.raid.inventory import Inventory
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    ImportForeign,
    Migrate,
    PauseTask,
    PrepareRemoval,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    ResumeTask,
    SetGood,
    SetOffline,
    SetRates,
    Silence,
    StartCheck,
    StartInitialisation,
    StartPatrolRead,
    StartRebuild,
    StopTask,
)


def title_of(operation: ChassisOperation, inventory: Inventory) -> str:  # noqa: C901 - one line a kind of operation
    """`Create virtual drive A: RAID 5 of bays 0 1 2 3`."""

    def drive(id: str) -> str:
        return id_words(inventory, id)

    def bays(ids: tuple[str, ...]) -> str:
        return bays_words(named(inventory, ids))

    def vd(ref: str) -> str:
        known = inventory.virtual_drive(ref)
        return f"virtual drive {known.name if known is not None else ref}"

    def group(id: str) -> str:
        known = inventory.group(id)
        return f"group {known.name if known is not None else id}"

    def task(id: str) -> str:
        known = next((task for task in inventory.tasks if task.id == id), None)
        if known is None:
            return f"task {id}"
        return f"{known.kind.replace('_', ' ')} of {vd(known.virtual_drive) if known.virtual_drive else drive(known.drive)}"

    match operation:
        case CreateVirtualDrive():
            ids = tuple(id for span in operation.spans for id in span)
            return f"Create virtual drive {operation.name}: RAID {operation.level} of {bays(ids)}"
        case DeleteVirtualDrive():
            return f"Delete {vd(operation.virtual_drive)}"
        case AssignSpare():
            served = f" for {', '.join(map(group, operation.groups))}" if operation.groups else ""
            return f"Make {drive(operation.drive)} a {operation.kind} hot spare{served}"
        case ReleaseSpare():
            return f"Release the hot spare {drive(operation.drive)}"
        case StartRebuild():
            return f"Rebuild {group(operation.group)} onto {drive(operation.drive)}"
        case ReplaceMember():
            return f"Copy {drive(operation.member)} to {drive(operation.replacement)} and take its place"
        case ReAddMember():
            return f"Put {drive(operation.drive)} back in service"
        case StartCheck():
            return f"Check the consistency of {vd(operation.virtual_drive)}" + (
                ", repairing" if operation.repair else ""
            )
        case StartInitialisation():
            return f"Initialise {vd(operation.virtual_drive)} in the background"
        case StartPatrolRead():
            return f"Read all drives of controller {operation.controller} once (patrol read)"
        case StopTask() | PauseTask() | ResumeTask():
            verb = {StopTask: "Stop", PauseTask: "Pause", ResumeTask: "Go on with"}[type(operation)]
            return f"{verb} the {task(operation.task)}"
        case SetRates():
            return f"Set the rates of background work on controller {operation.controller}"
        case SetOffline():
            return f"Take {drive(operation.drive)} out of service"
        case SetGood():
            return f"Make {drive(operation.drive)} usable again, forgetting what is on it"
        case PrepareRemoval():
            return f"Make {drive(operation.drive)} ready to be pulled"
        case ImportForeign():
            return f"Import the foreign configuration {operation.foreign}"
        case ClearForeign():
            return f"Clear the foreign configuration of {bays(operation.drives)}"
        case Migrate():
            added = f" with {bays(operation.add)} added" if operation.add else ""
            return f"Change {vd(operation.virtual_drive)} to RAID {operation.level}{added}"
        case Silence():
            return f"Silence the beeper of controller {operation.controller}"
        case SetUpStorage():
            where = bays(operation.drives) if operation.drives else "all free drives"
            return f"Set up storage: RAID {operation.level} on {where}"
        case ReplaceDrive():
            return f"Replace the drive in {drive(operation.drive)}"
        case TakeDownVolume():
            return f"Take down {vd(operation.virtual_drive)} and the volume on it"

"""The MegaRAID back-end: reads controllers with a few `show` calls, acts through plans.py, believes only what it reads again.

storcli64 has no events: the caller polls. A controller that fails or answers nonsense is a Problem; the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from storage.command import Runner
from storage.drives.chassis import Chassis
from storage.errors import CommandFailed, DriveError, StateChanged, ToolMissing
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import (
    Controller,
    Drive,
    DriveGroup,
    Inventory,
    Mount,
    Problem,
    Rates,
    Task,
    VirtualDrive,
    joined,
)
from storage.raid.megaraid.addresses import SlotAddress, slot_of_place
from storage.raid.megaraid.drives import STATES, drives_of
from storage.raid.megaraid.groups import (
    Member,
    Place,
    active_operation,
    drive_task,
    group_of,
    level_of,
    members_of,
    naa_of,
    virtual_drives_of,
)
from storage.raid.megaraid.places import PlaceMemory
from storage.raid.megaraid.plans import plan, storcli
from storage.raid.megaraid.storcli_json import Answer, as_rows, parse_answers, section, text, whole
from storage.raid.operations import CreateVirtualDrive, DeleteVirtualDrive, RaidOperation
from storage.raid.states import Capability, DriveState, RaidLevel, TaskKind, TaskState
from storage.roots import Roots
from storage.volumes.block_chain import BlockChain, read_text

log = logging.getLogger(__name__)

SHOW_TIMEOUT_S = 30.0
"""`show all` of 16 drives takes some seconds on a busy controller."""
ACT_TIMEOUT_S = 120.0
CONTROLLERS_LIMIT = 64
"""More than fit into a machine: a tool that speaks of more speaks nonsense."""
SETTINGS_EVERY = 30
"""Inventories between two readings of what hardly ever changes (rates, model): `show all` is slow."""
REFUSALS = {
    Capability.INITIALISE: "the controller starts the background initialisation by itself",
}


class _Settings(msgspec.Struct, frozen=True):
    model: str = ""
    firmware: str = ""
    serial: str = ""
    has_write_cache: bool = False
    rates: Rates = Rates()
    status: str = ""


class MegaraidBackend:
    """All controllers that storcli64 finds. One thread at a time."""

    kind = "megaraid"

    def __init__(self, roots: Roots, run: Runner, chassis: Callable[[], Chassis], state_file: Path) -> None:
        self._roots = roots
        self._run = run
        self._chassis = chassis
        self._places = PlaceMemory(state_file)
        self._settings: dict[int, _Settings] = {}
        self._age = 0

    # -- looking -----------------------------------------------------------------------------------------

    def inventory(self) -> Inventory:
        try:
            numbers = self._controllers()
        except DriveError as error:
            return Inventory(problems=(_problem(error),))
        if self._age % SETTINGS_EVERY == 0:
            self._settings.clear()
        self._age += 1
        return joined(tuple(self._controller(number) for number in numbers))

    def _controllers(self) -> list[int]:
        (answer, *_) = self._ask("show")
        if not answer.is_success:
            if "no controller found" in answer.description.casefold():
                return []
            answer.checked()
        rows = as_rows(section(answer.fields, "System Overview")) or as_rows(
            section(answer.fields, "IT System Overview")
        )
        numbers = [number for row in rows if (number := whole(row.get("Ctl"))) is not None]
        count = whole(answer.fields.get("Number of Controllers")) or 0
        if max(count, len(numbers)) > CONTROLLERS_LIMIT:
            raise CommandFailed(
                f"storcli64 speaks of {max(count, len(numbers))} controllers",
                "run it by hand and see what it says",
            )
        return sorted(numbers) or list(range(count))

    def _controller(self, number: int) -> Inventory:
        id = f"c{number}"
        try:
            shown = self._one(f"/c{number} show").checked().fields
            settings = self._settings_of(number)
            drives = self._drives(number)
            volumes = self._volumes(number)
            _require_listed("drives", shown.get("Physical Drives"), drives)
            _require_listed("virtual drives", shown.get("Virtual Drives"), volumes)
        except DriveError as error:
            controller = Controller(id=id, backend=self.kind, problems=(_problem(error),))
            return Inventory(controllers=(controller,), problems=(_problem(error),))
        groups, members = self._groups(number, shown, drives)
        by_id = {group.id: group for group in groups}
        virtual_drives = self._with_devices(virtual_drives_of(number, volumes, by_id), volumes)
        problems: tuple[Problem, ...] = ()
        if settings.status.casefold() not in ("", "optimal", "ok"):
            problems = (
                Problem(
                    code="controller_status",
                    what=f"the RAID controller {id} ({settings.model}) says it is {settings.status}",
                    remedy=f"storcli64 /c{number} show events",
                ),
            )
        return Inventory(
            controllers=(
                Controller(
                    id=id,
                    backend=self.kind,
                    model=settings.model,
                    firmware=settings.firmware,
                    serial=settings.serial,
                    has_write_cache=settings.has_write_cache,
                    refusals=dict(REFUSALS),
                    rates=settings.rates,
                    problems=problems,
                ),
            ),
            drives=tuple(members),
            groups=tuple(groups),
            virtual_drives=tuple(virtual_drives),
            tasks=tuple(self._tasks(number, members, virtual_drives, volumes)),
            problems=problems,
        )

    def _settings_of(self, number: int) -> _Settings:
        if number not in self._settings:
            fields = self._one(f"/c{number} show all").fields
            basics, version = _object(fields, "Basics"), _object(fields, "Version")
            policies = {
                text(row.get("Policy")): whole(row.get("Current"))
                for row in as_rows(_object(fields, "Policies").get("Policies Table"))
            }
            self._settings[number] = _Settings(
                model=text(basics.get("Model")),
                firmware=text(version.get("Firmware Package Build")),
                serial=text(basics.get("Serial Number")),
                has_write_cache=any(
                    text(row.get("State")).casefold() in ("optimal", "optl")
                    for key in ("Cachevault_Info", "BBU_Info")
                    for row in as_rows(fields.get(key))
                ),
                rates=Rates(
                    rebuild=policies.get("Rebuild Rate") or Rates().rebuild,
                    check=policies.get("Check Consistency Rate") or Rates().check,
                    initialisation=policies.get("BGI Rate") or Rates().initialisation,
                    patrol_read=policies.get("PR Rate") or Rates().patrol_read,
                    migration=policies.get("Reconstruction Rate") or Rates().migration,
                ),
                status=text(_object(fields, "Status").get("Controller Status")),
            )
        return self._settings[number]

    def _drives(self, number: int) -> dict[SlotAddress, Drive]:
        """In enclosures and, on controllers without any, directly attached."""
        answer = self._one(f"/c{number}/eall/sall show all")
        found = drives_of(number, answer.fields) if answer.is_success else {}
        if not found:
            direct = self._one(f"/c{number}/sall show all")
            found = drives_of(number, direct.fields) if direct.is_success else {}
        chassis = self._chassis()
        for slot, drive in found.items():
            bay = chassis.bay_of(controller_slot=slot.place)
            found[slot] = msgspec.structs.replace(drive, bay=bay, side=chassis.side_of(bay))
        return found

    def _volumes(self, number: int) -> dict[str, Any]:
        answer = self._one(f"/c{number}/vall show all")
        return answer.fields if answer.is_success else {}

    def _groups(
        self, number: int, shown: dict[str, Any], drives: dict[SlotAddress, Drive]
    ) -> tuple[list[DriveGroup], list[Drive]]:
        """Groups, and all drives with their places; a missing one stands in with what is remembered of it."""
        topology = section(shown, "TOPOLOGY")
        levels = _levels(topology)
        by_group: dict[int, list[tuple[Member, Drive]]] = {}
        rest = dict(drives)
        for member in members_of(number, topology, STATES):
            place = member.place
            known = drives.get(member.slot) if member.slot is not None else None
            drive = known or self._missing(number, member)
            if (
                known is None
                and (back := next((each for each in rest if rest[each].id == drive.id), None)) is not None
            ):
                # The member itself, in some bay again, but not taken back by the controller.
                rest[back] = msgspec.structs.replace(rest[back], foreign_group=f"c{number}-dg{place.group}")
                drive = msgspec.structs.replace(drive, id=_missing_id(number, place))
            drive = msgspec.structs.replace(
                drive, group=f"c{number}-dg{place.group}", span=place.span, slot=place.row
            )
            by_group.setdefault(place.group, []).append((member, drive))
            if member.slot is not None:
                rest.pop(member.slot, None)
        groups = [
            group_of(number, group, levels[group], members)
            for group, members in by_group.items()
            if group in levels
        ]
        placed = [(member.place, drive) for members in by_group.values() for member, drive in members]
        self._places.remember(
            number, {place: drive for place, drive in placed if drive.state is not DriveState.MISSING}
        )
        return groups, [*(drive for _, drive in placed), *rest.values()]

    def _missing(self, number: int, member: Member) -> Drive:
        place = member.place
        last = self._places.last(number, place)
        if last is None:
            return Drive(
                id=_missing_id(number, place),
                controller=f"c{number}",
                state=DriveState.MISSING,
                cause="not in its bay; it was gone before Watchdeck first looked",
            )
        return msgspec.structs.replace(last, state=DriveState.MISSING, cause="not in its bay", spare=None)

    def _with_devices(
        self, virtual_drives: list[VirtualDrive], volumes: dict[str, Any]
    ) -> list[VirtualDrive]:
        """The operating system's name by the array's NAA id, and what is mounted of it."""
        chain = BlockChain(self._roots)
        by_naa = {
            read_text(chain.folder(name) / "device" / "wwid").casefold().removeprefix("naa."): name
            for name in chain.disks
        }
        found = []
        for each in virtual_drives:
            name = by_naa.get(naa_of(volumes, each.id.rpartition("-v")[2]) or "-")
            if name is None:
                found.append(each)
                continue
            mounts = tuple(
                Mount(path=point.path, file_system=point.file_system, uuid="")
                for point in chain.mounts_of(name)
            )
            found.append(msgspec.structs.replace(each, device=f"/dev/{name}", mounts=mounts))
        return found

    def _tasks(
        self,
        number: int,
        drives: Sequence[Drive],
        virtual_drives: Sequence[VirtualDrive],
        volumes: dict[str, Any],
    ) -> list[Task]:
        tasks = [
            task for each in virtual_drives if (task := active_operation(volumes, each, number)) is not None
        ]
        busy = {DriveState.REBUILD: TaskKind.REBUILD, DriveState.COPYBACK: TaskKind.COPYBACK}
        for drive in drives:
            kind = busy.get(drive.state)
            if kind is None or not drive.place:
                continue
            of = next((each.id for each in virtual_drives if each.group == drive.group), "")
            answer = self._one(f"{slot_of_place(drive.place).path} show {kind}")
            tasks += [task for row in answer.rows if (task := drive_task(kind, row, drive, of)) is not None]
        patrol = self._one(f"/c{number} show patrolread")
        states = {
            text(row.get("Ctrl_Prop")): text(row.get("Value"))
            for row in as_rows(section(patrol.fields, "Controller Properties"))
        }
        if (state := states.get("PR Current State", "").casefold()).startswith(("active", "paused")):
            tasks.append(
                Task(
                    id=f"patrol_read:c{number}",
                    kind=TaskKind.PATROL_READ,
                    state=TaskState.PAUSED if state.startswith("paused") else TaskState.RUNNING,
                    controller=f"c{number}",
                    can_pause=True,
                    can_stop=True,
                )
            )
        return tasks

    def wakeups(self) -> Sequence[Wakeup]:
        return ()

    # -- acting ------------------------------------------------------------------------------------------

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        return plan(operation, inventory)

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        """See RaidBackend.perform."""
        before = self.inventory()
        commands = plan(operation, before)
        if commands != plan(operation, inventory):
            raise StateChanged(
                "the drives are no longer as they were when this was planned", "look at the new plan"
            )
        for command in commands:
            log.info("running %s", command)
            for answer in parse_answers(self._run(command.argv, timeout_s=ACT_TIMEOUT_S).output):
                answer.checked()
        self._settings.clear()
        after = self.inventory()
        _verify(operation, after)
        return after

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        pass

    # -- asking ------------------------------------------------------------------------------------------

    def _ask(self, words: str) -> tuple[Answer, ...]:
        return parse_answers(self._run(storcli(words).argv, timeout_s=SHOW_TIMEOUT_S).output)

    def _one(self, words: str) -> Answer:
        answers = self._ask(words)
        if not answers:
            raise CommandFailed(f"storcli64 {words} answered nothing")
        return answers[0]


def _require_listed(what: str, count: object, found: object) -> None:
    """A list that could not be read is no list of nothing: the drives were not all pulled at once. Raises CommandFailed."""
    if (number := whole(count)) and not found:
        raise CommandFailed(
            f"the controller has {number} {what} and lists none of them", "it may be busy; see its events"
        )


def _missing_id(number: int, place: Place) -> str:
    return f"missing-c{number}-dg{place.group}-{place.span}-{place.row}"


def _verify(operation: RaidOperation, after: Inventory) -> None:
    """The controller said yes; is it so? Only where a wrong yes would cost something. Raises CommandFailed."""
    match operation:
        case CreateVirtualDrive(name=name):
            is_done = after.virtual_drive(name) is not None
        case DeleteVirtualDrive(virtual_drive=id):
            is_done = after.virtual_drive(id) is None
        case _:
            return
    if not is_done:
        raise CommandFailed(
            "the controller accepted the command, but the arrays are as before", "see its events"
        )


def _levels(topology: Any) -> dict[int, RaidLevel]:
    found: dict[int, RaidLevel] = {}
    for row in as_rows(topology):
        group, level = whole(row.get("DG")), level_of(text(row.get("Type")))
        if group is not None and level is not None and whole(row.get("Arr")) is None:
            found[group] = level
    return found


def _object(fields: dict[str, Any], key: str) -> dict[str, Any]:
    value = fields.get(key)
    return value if isinstance(value, dict) else {}


def _problem(error: DriveError) -> Problem:
    if isinstance(error, ToolMissing):
        return Problem(
            code=error.code,
            what="the program storcli64 is not installed: RAID controllers cannot be seen",
            remedy="install the controller maker's storcli package",
        )
    return Problem(code=error.code, what=error.what, remedy=error.remedy)

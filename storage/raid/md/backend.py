"""Linux software RAID as a back-end. Knows how, never when.

Thread-safe: one lock; every method looks anew. Nothing is believed that a command says about itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from storage.clock import Clock
from storage.command import Runner
from storage.errors import CommandFailed, DriveError, StateChanged
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import Controller, Drive, Inventory, Problem
from storage.raid.md import plans
from storage.raid.md.checks import label
from storage.raid.md.cross_check import disagreements
from storage.raid.md.drive_source import DriveSource
from storage.raid.md.goals import lacking
from storage.raid.md.kernel_log import KernelLogWatch
from storage.raid.md.look import CONTROLLER, Look, take_look
from storage.raid.md.mdstat import parse_mdstat
from storage.raid.md.memory import Memory, MemoryFile, decoded_memory
from storage.raid.md.notes import note_done, note_intent, observe
from storage.raid.md.performing import Steps, rolled_back
from storage.raid.md.sysfs import read_arrays
from storage.raid.md.tasks import tasks
from storage.raid.md.tending import kept_conf, tend
from storage.raid.md.touched import changed
from storage.raid.md.view import groups_and_drives, virtual_drives
from storage.raid.md.watch import ArrayWatch, BlockDeviceWatch
from storage.raid.operations import CreateVirtualDrive, ImportForeign, PrepareRemoval, RaidOperation
from storage.raid.states import Capability
from storage.roots import Roots
from storage.volumes.block_chain import BlockChain, read_text

_LOOKS = 3
"""Sysfs and mdstat are read one after the other: what changed between them agrees at the next try."""
_GOAL_TRIES = 40
_GOAL_PAUSE_S = 0.1
_REFUSALS = {
    Capability.LOCATE: "Linux md has no lamps: the chassis has",
    Capability.SILENCE: "Linux md has no beeper",
}


class MdBackend:
    """RaidBackend of all md arrays of this machine; `state_file` is its memory."""

    def __init__(
        self,
        roots: Roots,
        run: Runner,
        drives: DriveSource,
        clock: Clock,
        state_file: Path,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._roots = roots
        self._run = run
        self._drives = drives
        self._clock = clock
        self._file = MemoryFile(state_file)
        self._folder = state_file.parent
        self._pause = pause
        self._lock = threading.Lock()
        self._wakeups: list[Wakeup] | None = None
        self._version: str | None = None
        self._problems: tuple[Problem, ...] = ()
        self._labels: dict[str, str] = {}
        self._switched_off: dict[str, Drive] = {}

    @property
    def kind(self) -> str:
        return "md"

    @property
    def memory(self) -> Memory:
        return self._file.memory

    # -- reading -----------------------------------------------------------------------------------------

    def inventory(self) -> Inventory:
        with self._lock:
            return self._inventory(self._look())

    def _look(self) -> Look:
        problems: list[str] = []
        for _ in range(_LOOKS):
            mdstat = parse_mdstat(read_text(self._roots.proc / "mdstat"))
            arrays = read_arrays(self._roots)
            problems = disagreements(arrays, mdstat)
            if not problems:
                break
        look = take_look(arrays, list(self._drives.drives()), self.memory)
        observe(look, self.memory, self._clock)
        # What was just learnt belongs to this look: a slot that is empty now has a name from the memory.
        look = take_look(arrays, look.drives, self.memory)
        self._labels.update({drive.name: label(drive) for drive in look.drives})
        self._problems = tuple(
            Problem(code="md_unclear", what=what, remedy="report it with the file /proc/mdstat")
            for what in problems
        )
        self._save()
        return look

    def _save(self) -> None:
        try:
            self._file.save()
        except OSError as error:
            self._problems = (
                *self._problems,
                Problem(
                    code="state_file",
                    what=f"what Linux md forgets cannot be kept: {error.strerror}",
                    remedy="see that the state folder exists and is writable",
                ),
            )

    def _inventory(self, look: Look) -> Inventory:
        groups, drives = groups_and_drives(look, self.memory)
        for drive in drives:
            self._switched_off.pop(drive.id, None)
        bays = {drive.bay for drive in drives if drive.device and drive.bay is not None}
        self._switched_off = {id: old for id, old in self._switched_off.items() if old.bay not in bays}
        return Inventory(
            controllers=(self._controller(),),
            drives=drives + tuple(self._switched_off.values()),
            groups=groups,
            virtual_drives=virtual_drives(look, self.memory, BlockChain(self._roots)),
            tasks=tasks(look, self.memory),
        )

    def _controller(self) -> Controller:
        problems = list(self._problems)
        if self._file.problem:
            problems.append(Problem(code="state_file", what=self._file.problem))
        try:
            version = self._mdadm_version()
        except DriveError as error:
            version = ""
            problems.append(Problem(code=error.code, what=error.what, remedy=error.remedy))
        kernel = read_text(self._roots.proc / "sys" / "kernel" / "osrelease")
        return Controller(
            id=CONTROLLER,
            backend="md",
            model="Linux software RAID",
            firmware=", ".join(part for part in (version, f"Linux {kernel}" if kernel else "") if part),
            refusals=dict(_REFUSALS),
            rates=self.memory.rates,
            problems=tuple(problems),
        )

    def _mdadm_version(self) -> str:
        if self._version is None:
            said = self._run(["mdadm", "--version"], timeout_s=10)
            text = (said.errors or said.output).decode("utf-8", "replace").strip()
            self._version = " ".join(text.replace(" - ", " ").split()[:2])
        return self._version

    # -- waking ------------------------------------------------------------------------------------------

    def wakeups(self) -> Sequence[Wakeup]:
        with self._lock:
            if self._wakeups is None:
                self._wakeups = [ArrayWatch(self._roots)]
                for make in (BlockDeviceWatch, self._kernel_log):
                    try:
                        self._wakeups.append(make())
                    except OSError:
                        continue  # not permitted here (a container): the poll remains
            return list(self._wakeups)

    def _kernel_log(self) -> KernelLogWatch:
        return KernelLogWatch(self._roots.dev / "kmsg", self._describe)

    def _describe(self, name: str) -> str:
        """Of a kernel name in a message: drives that have just gone are still known."""
        return self._labels.get(name, "a drive that is not known any more")

    # -- doing -------------------------------------------------------------------------------------------

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        with self._lock:
            look = self._look()
            return self._plan(operation, look, self._inventory(look))

    def _plan(self, operation: RaidOperation, look: Look, inventory: Inventory) -> tuple[Command, ...]:
        return plans.plan(
            operation,
            plans.Situation(
                look=look,
                inventory=inventory,
                memory=self.memory,
                run=self._run,
                roots=self._roots,
                folder=self._folder,
            ),
        )

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        with self._lock:
            steps = Steps(self._run, self._roots)
            before = self._look()
            now = self._inventory(before)
            difference = changed(operation, inventory, now)
            if difference:
                raise StateChanged(difference, "look at the drives again and plan anew")
            commands = self._plan(operation, before, now)
            kept = msgspec.json.encode(self.memory)
            note_intent(operation, before, now, self.memory)
            self._save()
            complaint = steps.carry_out(commands)
            if isinstance(operation, ImportForeign) and not complaint:
                complaint = steps.carry_out(plans.upper_arrays(self._look(), self._run))
            after = self._after(operation, before)
            missing = lacking(operation, before, after)
            if missing:
                self._file.memory = decoded_memory(kept)
                if isinstance(operation, CreateVirtualDrive):
                    for uuid in rolled_back(operation, before, self._look(), steps):
                        self.memory.arrays.pop(uuid, None)
                self._look()
                raise CommandFailed(
                    f"{missing}{': ' + complaint if complaint else ''}",
                    "look at the drives again; the kernel log says more",
                )
            note_done(operation, before, after, self.memory)
            result = self._inventory(self._look())
            if isinstance(operation, PrepareRemoval):
                result = self._with_switched_off(operation, now, result)
            kept_conf(self._look(), self._roots)
            return result

    def _after(self, operation: RaidOperation, before: Look) -> Look:
        """udev and md take a moment: look until the goal is there or time is up."""
        look = self._settled()
        for _ in range(_GOAL_TRIES):
            if not lacking(operation, before, look):
                break
            self._pause(_GOAL_PAUSE_S)
            look = self._settled()
        return look

    def _settled(self) -> Look:
        try:
            self._run(["udevadm", "settle", "--timeout=5"], timeout_s=10)
        except DriveError:
            return self._look()  # no udev here, or a drive holds it up: look anyway
        return self._look()

    def _with_switched_off(self, operation: PrepareRemoval, before: Inventory, after: Inventory) -> Inventory:
        old = before.drive(operation.drive)
        if old is None or after.drive(operation.drive) is not None:
            return after
        gone = msgspec.structs.replace(
            old,
            device="",
            group="",
            slot=None,
            span=None,
            is_awaiting_removal=True,
            cause="switched off: it may be pulled",
        )
        self._switched_off[old.id] = gone
        return msgspec.structs.replace(after, drives=(*after.drives, gone))

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        with self._lock:
            steps = Steps(self._run, self._roots)
            look = self._look()
            done = tend(look, self.memory, steps, self._roots, self._run)
            self._save()
            return done

    def close(self) -> None:
        with self._lock:
            for wakeup in self._wakeups or ():
                wakeup.close()
            self._wakeups = []

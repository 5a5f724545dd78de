"""A whole chassis that is not there: the Hardware interface over the simulated controller, for the demo and for tests.

Its volumes are folders below `folder`; its state is one small file there, so that an engine that starts again finds the
same chassis. `do` takes one line of a scenario. Any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from storage.clock import Clock
from storage.drives.detection import DetectedDrive
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.sensors import Sensor
from storage.drives.smart_report import SelfTestKind, SelfTestResult, SelfTestState, SmartReport
from storage.durable import write_atomically
from storage.errors import CommandFailed, Conflict, DriveError, NotFound, Unsupported
from storage.hardware import ChassisLayout, MadeVolume
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import Inventory, VirtualDrive
from storage.raid.operations import RaidOperation
from storage.raid.simulated import SimulatedBackend
from storage.raid.simulated_layout import DEMO_LAYOUT, DriveSpec, SimulatedLayout
from storage.raid.simulated_state import SimState, new_state
from storage.raid.states import TaskKind, TaskState
from storage.simulated_box import BoxState, Chassis, RunningTest, drive_temperature_c, sensors_of
from storage.simulated_smart import (
    detected,
    finish_test,
    hours_of,
    log_result,
    report_of,
    self_test_state,
    test_seconds,
)
from storage.simulated_steps import Step, parse_step
from storage.simulated_volumes import VolumeFolders

STATE_FILE: Final = "chassis.json"
_REQUESTS_PER_S: Final = 120
"""Of a drive that rebuilds or is checked."""

_CHASSIS = msgspec.json.Decoder(Chassis)


class SimulatedHardware:
    """See storage.hardware.Hardware. Lamps are remembered, not lit."""

    def __init__(self, folder: Path, clock: Clock, layout: SimulatedLayout = DEMO_LAYOUT) -> None:
        """Finds the chassis that `folder` keeps, or makes it as `layout` says. Raises DriveError when the file is damaged or cannot be written."""
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as exc:
            raise DriveError(
                f"{folder} cannot be made: {exc.strerror}", "choose another state folder"
            ) from exc
        self._file = folder / STATE_FILE
        self._layout = layout
        self._clock = clock
        self._lock = threading.RLock()
        self._folders = VolumeFolders(folder)
        chassis = self._read()
        is_new = chassis is None
        if chassis is None:
            chassis = Chassis(drives=new_state(layout), box=BoxState())
        self._box = chassis.box
        self.trays: dict[int, TrayPattern] = {}
        self.information = InformationPattern.OFF
        self.is_beeping = False
        self._backend = SimulatedBackend(layout, clock, chassis.drives, self._keep, self._folders.follow)
        if is_new:
            self._make_first_volumes(folder)
        self._folders.follow(chassis.drives)
        self._keep(chassis.drives)

    def _read(self) -> Chassis | None:
        try:
            return _CHASSIS.decode(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise DriveError(
                f"{self._file} cannot be read: {exc.strerror}", "look at its permissions"
            ) from exc
        except msgspec.MsgspecError as exc:
            raise DriveError(
                f"{self._file} does not describe a simulated chassis: {exc}",
                "delete it to begin with a new one",
            ) from exc

    def _keep(self, state: SimState) -> None:
        """What is in memory counts even when it cannot be written down. Raises DriveError."""
        try:
            write_atomically(self._file, msgspec.json.encode(Chassis(drives=state, box=self._box)))
        except OSError as exc:
            raise DriveError(
                f"{self._file} cannot be written: {exc.strerror}", "make room, or choose another state folder"
            ) from exc

    def _save(self) -> None:
        """After a change of the box itself. Wakes whoever watches."""
        self._backend.touch()

    def _make_first_volumes(self, folder: Path) -> None:
        names = {spec.name for spec in self._layout.virtual_drives if spec.has_volume}
        for vd in self._backend.inventory().virtual_drives:
            if vd.name in names:
                self.make_volume(vd, vd.name, str(folder / vd.name), "xfs")

    # -- RAID --------------------------------------------------------------------------------------------

    def layout(self) -> ChassisLayout:
        return self._layout.chassis

    def inventory(self) -> Inventory:
        return self._backend.inventory()

    def wakeups(self) -> Sequence[Wakeup]:
        return self._backend.wakeups()

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        return self._backend.plan(operation, inventory)

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        return self._backend.perform(operation, inventory)

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        return self._backend.tend(inventory)

    # -- drives ------------------------------------------------------------------------------------------

    def smart(self, drive: str) -> SmartReport:
        found, elapsed_us = self._backend.drive_now(drive)
        if found.is_broken:
            raise CommandFailed(f"{found.label} does not answer", "replace it")
        working = self._working_drives()
        with self._lock:
            has_ended = finish_test(found, self._box, elapsed_us)
            temperature_c = drive_temperature_c(found, self._box, found.id in working)
            report = report_of(found, self._box, temperature_c, elapsed_us, self._clock.now_us())
        if has_ended:
            self._save()
        return report

    def temperatures(self) -> Mapping[str, int]:
        working = self._working_drives()
        present = [drive for drive in self._backend.present_drives() if not drive.is_broken]
        with self._lock:
            return {drive.id: drive_temperature_c(drive, self._box, drive.id in working) for drive in present}

    def activity(self) -> Mapping[str, int]:
        """Members count what is written to their volume, and what a rebuild or a check reads."""
        inventory = self._backend.inventory()
        volumes = self._backend.volumes()
        with self._lock:
            written = self._folders.write_requests(volumes)
        seconds = self._clock.monotonic_us() // 1_000_000
        working = self._working_drives()
        return {
            drive.id: written.get(drive.group, 0) + (seconds * _REQUESTS_PER_S if drive.id in working else 0)
            for drive in inventory.drives
            if drive.id in {present.id for present in self._backend.present_drives()}
        }

    def _working_drives(self) -> set[str]:
        """Those that background work keeps busy now."""
        inventory = self._backend.inventory()
        running = [task for task in inventory.tasks if task.state is TaskState.RUNNING]
        groups = {
            vd.group for task in running for vd in inventory.virtual_drives if vd.id == task.virtual_drive
        }
        is_patrolled = any(task.kind is TaskKind.PATROL_READ for task in running)
        targets = {task.drive for task in running}
        return {
            drive.id
            for drive in inventory.drives
            if drive.group in groups or drive.id in targets or is_patrolled
        }

    def detect(self) -> tuple[DetectedDrive, ...]:
        return tuple(detected(drive) for drive in self._backend.present_drives() if not drive.is_broken)

    def self_tests(self, drive: str) -> SelfTestState:
        return self_test_state(self.smart(drive))

    def start_self_test(self, drive: str, kind: SelfTestKind) -> str:
        found, elapsed_us = self._backend.drive_now(drive)
        if found.is_broken:
            raise CommandFailed(f"{found.label} does not answer", "replace it")
        seconds = test_seconds(kind, self._layout.full_pass_s)
        with self._lock:
            finish_test(found, self._box, elapsed_us)
            if found.id in self._box.tests:
                raise Conflict(f"{found.label} is testing itself already", "wait for it, or abort it")
            self._box.tests[found.id] = RunningTest(kind, elapsed_us, round(seconds * 1e6))
        self._save()
        return f"the {kind} self-test of {found.label} takes about {seconds:.0f} s"

    def abort_self_test(self, drive: str) -> None:
        found, elapsed_us = self._backend.drive_now(drive)
        with self._lock:
            finish_test(found, self._box, elapsed_us)
            test = self._box.tests.pop(found.id, None)
            if test is None:
                raise NotFound(f"{found.label} runs no self-test", "nothing is to be done")
            hours = hours_of(found, elapsed_us)
            log_result(
                found,
                self._box,
                SelfTestResult(kind=test.kind, passed=None, text="Aborted by host", at_hours=hours),
            )
        self._save()

    # -- lamps and sensors -------------------------------------------------------------------------------

    def show_trays(self, patterns: Mapping[int, TrayPattern], inventory: Inventory) -> tuple[str, ...]:
        with self._lock:
            self.trays.update(patterns)
        return ()

    def show_information(self, pattern: InformationPattern) -> tuple[str, ...]:
        self.information = pattern
        return ()

    def sensors(self) -> tuple[Sensor, ...]:
        with self._lock:
            return sensors_of(self._box)

    def beep(self, is_on: bool) -> None:
        self.is_beeping = is_on

    # -- volumes -----------------------------------------------------------------------------------------

    def plan_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> tuple[Command, ...]:
        volume = self._folders.new_volume(virtual_drive, label, mount_point, file_system)
        return (
            Command(
                argv=("simulate", f"mkfs.{file_system}", "-L", label, virtual_drive.name),
                note="the file system",
            ),
            Command(argv=("simulate", "mount", volume.mount.path), note="a folder of the demo stands for it"),
        )

    def make_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> MadeVolume:
        now = self._backend.inventory().virtual_drive(virtual_drive.id)
        if now is None:
            raise NotFound(f"there is no virtual drive {virtual_drive.name}", "look at `watchdeck raid list`")
        volume = self._folders.new_volume(now, label, mount_point, file_system)
        self._folders.make(volume)
        self._backend.set_volume(now.id, volume)
        return MadeVolume(path=volume.mount.path, file_system=file_system, uuid=volume.mount.uuid)

    def unmake_volume(self, virtual_drive: VirtualDrive) -> None:
        volume = self._backend.volumes().get(virtual_drive.group)
        if volume is None:
            raise NotFound(f"virtual drive {virtual_drive.name} has no volume", "nothing is to be done")
        self._folders.unmake(virtual_drive.group, volume)
        self._backend.set_volume(virtual_drive.id, None)

    def learn(self, bay: int, drive: str) -> ChassisLayout:
        raise Unsupported("the simulated chassis knows its bays", "there is nothing to learn")

    # -- scenarios -----------------------------------------------------------------------------------------

    def do(self, step: str) -> str:
        """One line of a scenario (storage/simulated_steps.py). `wait` and `say` are for whoever plays it: nothing is done here.

        Returns plain words. Raises InvalidInput, NotFound, Conflict.
        """
        parsed = parse_step(step)
        if parsed.verb in ("fan", "psu", "temperature", "intrusion"):
            with self._lock:
                self._do_box(parsed)
            self._save()
        else:
            self._do_drives(parsed)
        return " ".join(step.split())

    def _do_drives(self, step: Step) -> None:
        backend, amount = self._backend, step.amount or 0
        match step.verb:
            case "pull":
                backend.pull(step.bay)
            case "fail":
                backend.fail(step.bay)
            case "heal":
                backend.heal(step.bay)
            case "errors":
                backend.grow_errors(step.bay, int(amount))
            case "mismatches":
                backend.spoil_parity(step.what, int(amount))
            case "insert" if step.what == "blank":
                new = DriveSpec(hours=0)
                backend.insert_blank(
                    step.bay, msgspec.structs.replace(new, size_bytes=int(amount)) if amount else new
                )
            case "insert" if step.what == "foreign":
                backend.insert_foreign(step.bay)
            case "insert":
                backend.insert(step.bay)

    def _do_box(self, step: Step) -> None:
        box = self._box
        match step.verb:
            case "fan" | "psu":
                failed = box.failed_fans if step.verb == "fan" else box.failed_supplies
                (failed.add if step.what == "fail" else failed.discard)(step.bay)
            case "temperature":
                place = step.what or str(step.bay)
                box.temperatures_c.pop(place, None)
                if step.amount is not None:
                    box.temperatures_c[place] = round(step.amount)
            case "intrusion":
                box.is_open = step.what == "on"

    def close(self) -> None:
        self._backend.close()

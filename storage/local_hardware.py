"""This machine as `Hardware`: the RAID back-ends, SMART, lamps, sensors and file systems joined.

Used by the drive service as root. Any thread may call; what must not run twice at once has its own lock, so that a drive
that hangs holds up only what needs that drive.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from storage.clock import Clock
from storage.command import Runner, is_installed, run
from storage.drives.beeper import Beeper
from storage.drives.box_sensors import BoxSensors
from storage.drives.chassis import BUILTIN, Chassis
from storage.drives.detection import DetectedDrive
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.information_led import InformationLamp
from storage.drives.leds import LampDriver, LedctlLeds, StorcliLeds, SysfsEnclosureLeds, Tray, TrayLamps
from storage.drives.scan import DriveScan
from storage.drives.self_tests import SelfTests
from storage.drives.sensors import Sensor
from storage.drives.smart_addresses import SmartAddresses
from storage.drives.smart_report import SelfTestKind, SelfTestState, SmartReport
from storage.drives.smartctl import read_smart
from storage.errors import CommandTimeout, NotFound, StateChanged, Unsupported
from storage.hardware import ChassisLayout, MadeVolume
from storage.raid.backend import Command, RaidBackend, Wakeup
from storage.raid.inventory import Drive, Inventory, Mount, VirtualDrive, joined
from storage.raid.md.backend import MdBackend
from storage.raid.megaraid.backend import MegaraidBackend
from storage.raid.operations import RaidOperation, ReAddMember
from storage.raid.routing import controller_of
from storage.raid.states import VirtualDriveState
from storage.roots import Roots
from storage.volumes.block_chain import BlockChain
from storage.volumes.provision import Provision
from storage.volumes.remounting import Remounting

ENGINE_USER = "watchdeck"
ENGINE_STATE = Path("/var/lib/watchdeck")
DEFAULT_CHASSIS = "chassis_8"
SMART_AT_ONCE = 2
"""A controller answers pass-through commands beside its real work: few at a time."""
SMART_WAIT_S = 180.0
_LOCKS = ("lamps", "information", "sensors", "beeper", "temperatures", "volumes", "chassis", "smart slots")


class LocalHardware:
    """See Hardware."""

    def __init__(
        self,
        *,
        roots: Roots,
        run: Runner,
        clock: Clock,
        scan: DriveScan,
        backends: Sequence[RaidBackend],
        chassis_file: Path,
        owner: tuple[int, int],
    ) -> None:
        self._roots = roots
        self._run = run
        self._clock = clock
        self._scan = scan
        self._backends = tuple(backends)
        self._chassis_file = chassis_file
        self._sensors = BoxSensors(roots, run)
        drivers: list[LampDriver] = [SysfsEnclosureLeds(roots), LedctlLeds(run)]
        if any(backend.kind == "megaraid" for backend in backends):
            drivers.insert(0, StorcliLeds(run))
        self._lamps = TrayLamps(drivers)
        self._information = InformationLamp(roots, run)
        self._beeper = Beeper(roots)
        self._provision = Provision(roots, run, owner)
        self._remounting = Remounting(roots, run)
        self._addresses = SmartAddresses(run, clock)
        self._self_tests = SelfTests(run)
        self._last = Inventory()
        self._locks = {name: threading.Lock() for name in (*_LOCKS, *(one.kind for one in backends))}
        self._smart_slots: dict[str, threading.BoundedSemaphore] = {}

    # -- looking and changing ----------------------------------------------------------------------------

    def layout(self) -> ChassisLayout:
        return self._scan.chassis.layout

    def inventory(self) -> Inventory:
        parts: list[Inventory] = []
        for backend in self._backends:
            with self._locks[backend.kind]:
                parts.append(backend.inventory())
        whole = _without_doubles(joined(tuple(parts)))
        chain = BlockChain(self._roots)
        self._last = msgspec.structs.replace(
            whole,
            virtual_drives=tuple(_with_mounts(vd, chain) for vd in whole.virtual_drives),
            problems=whole.problems + self._sensors.problems,
        )
        return self._last

    def wakeups(self) -> Sequence[Wakeup]:
        return [wakeup for backend in self._backends for wakeup in backend.wakeups()]

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        backend = self._backend(operation, inventory)
        with self._locks[backend.kind]:
            commands = backend.plan(operation, inventory)
        failed = _failed_array(operation, backend, inventory)
        return commands if failed is None else self._remounting.around(failed, commands)

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        backend = self._backend(operation, inventory)
        failed = _failed_array(operation, backend, inventory)
        if failed is not None:
            self._put_together_again(failed, operation, backend, inventory)
            return self.inventory()
        with self._locks[backend.kind]:
            backend.perform(operation, inventory)
        return self.inventory()

    def _put_together_again(
        self, failed: VirtualDrive, operation: RaidOperation, backend: RaidBackend, inventory: Inventory
    ) -> None:
        """It is stopped meanwhile: nothing of it may be mounted."""
        with self._locks["volumes"], self._locks[backend.kind]:
            backend.plan(operation, inventory)  # what is refused is refused before anything is unmounted
            points = self._remounting.unmount(failed)
            backend.perform(operation, inventory)
            self._remounting.mount(failed, points)

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        said: list[str] = []
        for backend in self._backends:
            with self._locks[backend.kind]:
                said += backend.tend(inventory)
        return tuple(said)

    def _backend(self, operation: RaidOperation, inventory: Inventory) -> RaidBackend:
        id = controller_of(operation, inventory)
        kind = next((one.backend for one in inventory.controllers if one.id == id), "")
        found = next((backend for backend in self._backends if backend.kind == kind), None)
        if found is None:
            raise NotFound(f"there is no controller {id}", "see the list of controllers")
        return found

    # -- drives ------------------------------------------------------------------------------------------

    def smart(self, drive: str) -> SmartReport:
        found = self._drive(drive)
        with self._smart_slot(found):
            address = self._addresses.of(found)
            report = read_smart(self._run, address.device, address.type, clock=self._clock, drive=drive)
        if report.serial and found.serial and report.serial.strip() != found.serial.strip():
            self._addresses.forget(found.serial)
            raise StateChanged(
                f"{address.device} answered with serial {report.serial}, not {found.serial} of bay {found.bay}",
                "a drive was exchanged meanwhile: look again",
            )
        return report

    def temperatures(self) -> Mapping[str, int]:
        with self._locks["temperatures"]:
            return self._scan.temperatures()

    def activity(self) -> Mapping[str, int]:
        return self._scan.activity()

    def detect(self) -> tuple[DetectedDrive, ...]:
        return self._self_tests.detect()

    def self_tests(self, drive: str) -> SelfTestState:
        found = self._drive(drive)
        with self._smart_slot(found):
            address = self._addresses.of(found)
            return self._self_tests.state(address.device, address.type)

    def start_self_test(self, drive: str, kind: SelfTestKind) -> str:
        found = self._drive(drive)
        with self._smart_slot(found):
            address = self._addresses.of(found)
            return self._self_tests.start(address.device, address.type, kind)

    def abort_self_test(self, drive: str) -> None:
        found = self._drive(drive)
        with self._smart_slot(found):
            address = self._addresses.of(found)
            self._self_tests.abort(address.device, address.type)

    def _drive(self, id: str) -> Drive:
        """As it is now: the device of a name may be another drive's by the time it is used."""
        scanned = next((drive for drive in self._scan.drives() if drive.id == id), None)
        known = self._last.drive(id) or self.inventory().drive(id)
        if known is None:
            raise NotFound(f"there is no drive {id}", "it may have been pulled: see the bays")
        if scanned is not None:
            return msgspec.structs.replace(known, device=scanned.device, serial=scanned.serial)
        if known.device:
            raise NotFound(
                f"drive {known.serial or id} is no longer in bay {known.bay}", "see the bays: it was pulled"
            )
        return known

    @contextlib.contextmanager
    def _smart_slot(self, drive: Drive) -> Iterator[None]:
        with self._locks["smart slots"]:
            slots = self._smart_slots.setdefault(drive.controller, threading.BoundedSemaphore(SMART_AT_ONCE))
        if not slots.acquire(timeout=SMART_WAIT_S):
            raise CommandTimeout(
                f"drive {drive.serial or drive.id} could not be asked: {SMART_AT_ONCE} others do not answer",
                "see the kernel log for the drives that hang",
            )
        try:
            yield
        finally:
            slots.release()

    # -- lamps and sensors -------------------------------------------------------------------------------

    def show_trays(self, patterns: Mapping[int, TrayPattern], inventory: Inventory) -> tuple[str, ...]:
        with self._locks["lamps"]:
            return self._lamps.show(patterns, {bay: self._tray(bay, inventory) for bay in patterns})

    def _tray(self, bay: int, inventory: Inventory) -> Tray:
        mapping = self._scan.chassis.mapping_of(bay)
        drive = inventory.drive_in(bay)
        is_behind_controller = drive is not None and not drive.device and drive.place.startswith("c")
        return Tray(
            bay=bay,
            device=drive.device if drive else "",
            enclosure=mapping.enclosure if mapping else "",
            slot=mapping.slot if mapping else None,
            controller_slot=drive.place
            if drive and is_behind_controller
            else (mapping.controller if mapping else ""),
            serial=drive.serial if drive else "",
        )

    def show_information(self, pattern: InformationPattern) -> tuple[str, ...]:
        with self._locks["information"]:
            return self._information.show(pattern)

    def sensors(self) -> tuple[Sensor, ...]:
        with self._locks["sensors"]:
            return self._sensors.read()

    def beep(self, is_on: bool) -> None:
        with self._locks["beeper"]:
            self._beeper.set(is_on)

    # -- file systems ------------------------------------------------------------------------------------

    def plan_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> tuple[Command, ...]:
        return self._provision.plan(virtual_drive, label, mount_point, file_system)

    def make_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> MadeVolume:
        with self._locks["volumes"]:
            return self._provision.make(virtual_drive, label, mount_point, file_system)

    def unmake_volume(self, virtual_drive: VirtualDrive) -> None:
        with self._locks["volumes"]:
            self._provision.unmake(virtual_drive)

    # -- learning the bays -------------------------------------------------------------------------------

    def learn(self, bay: int, drive: str) -> ChassisLayout:
        with self._locks["chassis"]:
            found = self._drive(drive)
            self._scan.chassis = self._scan.chassis.learn(bay, found.place, self._chassis_file)
            return self._scan.chassis.layout

    def close(self) -> None:
        with contextlib.suppress(Unsupported):
            self._beeper.set(False)
        for backend in self._backends:
            backend.close()


def _without_doubles(inventory: Inventory) -> Inventory:
    """A drive that a RAID controller hands through (JBOD) is listed by it and by md: the one that uses it counts."""
    by_id: dict[str, Drive] = {}
    for drive in inventory.drives:
        before = by_id.get(drive.id)
        if before is None:
            by_id[drive.id] = drive
        elif before.controller != drive.controller:
            handed, other = (before, drive) if before.device else (drive, before)
            winner = other if other.group and not handed.group else handed
            by_id[drive.id] = msgspec.structs.replace(
                winner, bay=winner.bay if winner.bay is not None else (handed.bay or other.bay)
            )
    return msgspec.structs.replace(inventory, drives=tuple(by_id.values()))


def _failed_array(
    operation: RaidOperation, backend: RaidBackend, inventory: Inventory
) -> VirtualDrive | None:
    """The one that Linux md puts together again for this; a RAID controller does it under the file system."""
    if backend.kind != "md" or not isinstance(operation, ReAddMember):
        return None
    drive = inventory.drive(operation.drive)
    group = (drive.foreign_group or drive.group) if drive is not None else ""
    found = inventory.virtual_drives_of(group) if group else ()
    return next((vd for vd in found if vd.state is VirtualDriveState.FAILED), None)


def _with_mounts(virtual_drive: VirtualDrive, chain: BlockChain) -> VirtualDrive:
    """Back-ends know arrays; what is mounted of them is read here when they left it out."""
    name = chain.name_of(virtual_drive.device) if virtual_drive.device else None
    if name is None or virtual_drive.mounts:
        return virtual_drive
    mounts = tuple(
        Mount(path=point.path, file_system=point.file_system, uuid=virtual_drive.file_system_uuid)
        for point in chain.mounts_of(name)
    )
    return msgspec.structs.replace(virtual_drive, mounts=mounts)


def open_local_hardware(
    state_folder: Path, chassis_file: Path | str, clock: Clock, owner: tuple[int, int] | None = None
) -> LocalHardware:
    """The machine this runs on. `chassis_file`: empty or `front-8`, `front-16`, or a file; what is learned of a shipped one is
    kept in the state folder. `owner`: who new volumes belong to. Raises ConfigError, FileError."""
    roots = Roots()
    chassis, learned_file = _open_chassis(state_folder, str(chassis_file))
    own_folders = (state_folder, ENGINE_STATE) if ENGINE_STATE.exists() else (state_folder,)
    scan = DriveScan(roots, run, chassis, own_folders)
    backends: list[RaidBackend] = [MdBackend(roots, run, scan, clock, state_folder / "md.json")]
    if is_installed("storcli64"):
        backends.insert(0, MegaraidBackend(roots, run, lambda: scan.chassis, state_folder / "megaraid.json"))
    return LocalHardware(
        roots=roots,
        run=run,
        clock=clock,
        scan=scan,
        backends=backends,
        chassis_file=learned_file,
        owner=owner or _owner(state_folder),
    )


def _open_chassis(state_folder: Path, chassis_file: str) -> tuple[Chassis, Path]:
    """The chassis, and the file that `learn` writes."""
    name = (chassis_file or DEFAULT_CHASSIS).replace("front-", "chassis_").removesuffix(".toml")
    if name not in BUILTIN:
        path = Path(chassis_file)
        return Chassis.load(path), path
    learned = state_folder / f"{name}.toml"
    return Chassis.load(learned if learned.exists() else name), learned


def _owner(state_folder: Path) -> tuple[int, int]:
    """The engine's user; where there is none, whoever the state belongs to."""
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam(ENGINE_USER)
        except KeyError:
            pass
        else:
            return user.pw_uid, user.pw_gid
    status = state_folder.stat()
    return status.st_uid, status.st_gid

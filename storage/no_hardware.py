"""A box of which nothing is driven: Hardware for machines where Watchdeck shall not look after drives (`hardware = "none"`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from storage.drives.detection import DetectedDrive
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.sensors import Sensor
from storage.drives.smart_report import SelfTestKind, SelfTestState, SmartReport
from storage.errors import Unsupported
from storage.hardware import ChassisLayout, MadeVolume
from storage.raid.backend import Command, Wakeup
from storage.raid.inventory import Inventory, Problem, VirtualDrive
from storage.raid.operations import RaidOperation


class NoHardware:
    """Empty; refuses everything."""

    def __init__(self, problem: Problem | None = None) -> None:
        """`problem`: why there is nothing, when something was wanted."""
        self._problem = problem

    def layout(self) -> ChassisLayout:
        return ChassisLayout(name="none", rows=(), has_mapping=False)

    def inventory(self) -> Inventory:
        return Inventory(problems=() if self._problem is None else (self._problem,))

    def wakeups(self) -> Sequence[Wakeup]:
        return ()

    def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        self._refuse()

    def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        self._refuse()

    def tend(self, inventory: Inventory) -> tuple[str, ...]:
        return ()

    def smart(self, drive: str) -> SmartReport:
        self._refuse()

    def temperatures(self) -> Mapping[str, int]:
        return {}

    def activity(self) -> Mapping[str, int]:
        return {}

    def detect(self) -> tuple[DetectedDrive, ...]:
        self._refuse()

    def self_tests(self, drive: str) -> SelfTestState:
        self._refuse()

    def start_self_test(self, drive: str, kind: SelfTestKind) -> str:
        self._refuse()

    def abort_self_test(self, drive: str) -> None:
        self._refuse()

    def show_trays(self, patterns: Mapping[int, TrayPattern], inventory: Inventory) -> tuple[str, ...]:
        return ()

    def show_information(self, pattern: InformationPattern) -> tuple[str, ...]:
        return ()

    def sensors(self) -> tuple[Sensor, ...]:
        return ()

    def beep(self, is_on: bool) -> None:
        if is_on:
            self._refuse()

    def plan_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> tuple[Command, ...]:
        self._refuse()

    def make_volume(
        self, virtual_drive: VirtualDrive, label: str, mount_point: str, file_system: str
    ) -> MadeVolume:
        self._refuse()

    def unmake_volume(self, virtual_drive: VirtualDrive) -> None:
        self._refuse()

    def learn(self, bay: int, drive: str) -> ChassisLayout:
        self._refuse()

    def close(self) -> None:
        return None

    def _refuse(self) -> NoReturn:
        if self._problem is not None:
            raise Unsupported(self._problem.what, self._problem.remedy)
        raise Unsupported(
            "this engine looks after no drives",
            'set `hardware` in the section [chassis] of station.toml to "auto"',
        )

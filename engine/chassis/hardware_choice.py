"""Which hardware the engine works with: this machine's, the drive service's, a simulated chassis, or none. Blocking.

Never fails: an engine that cannot reach the drives records all the same, and shows why it cannot.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.config import ChassisSection
from engine.drive_service.remote_hardware import SOCKET_PATH, RemoteHardware
from storage.clock import Clock
from storage.errors import WatchdeckError
from storage.hardware import Hardware
from storage.local_hardware import open_local_hardware
from storage.no_hardware import NoHardware
from storage.raid.inventory import Problem
from storage.simulated_hardware import SimulatedHardware

SIMULATED_FOLDER = "chassis"
"""In the state folder."""


@dataclass(frozen=True, slots=True)
class OpenedHardware:
    hardware: Hardware
    simulate: Callable[[str], object] | None = None
    """Takes the lines of a scenario."""


def open_hardware(section: ChassisSection, state: Path, clock: Clock, *, is_demo: bool) -> OpenedHardware:
    choice = section.hardware
    service = Path(section.socket) if section.socket else SOCKET_PATH
    if choice == "auto":
        choice = chosen(is_demo=is_demo, is_root=os.geteuid() == 0, has_service=service.parent.is_dir())
    try:
        return _opened(choice, section, state, clock, service)
    except WatchdeckError as error:
        problem = Problem(
            code=error.code, what=f"the drives cannot be reached: {error.what}", remedy=error.remedy
        )
        return OpenedHardware(NoHardware(problem))


def chosen(*, is_demo: bool, is_root: bool, has_service: bool) -> str:
    """What `auto` means here; empty = there is no way to the drives."""
    if is_demo:
        return "simulated"
    if has_service:
        return "service"
    return "local" if is_root else ""


def _opened(choice: str, section: ChassisSection, state: Path, clock: Clock, service: Path) -> OpenedHardware:
    match choice:
        case "local":
            return OpenedHardware(open_local_hardware(state, section.file, clock))
        case "service":
            return OpenedHardware(RemoteHardware(service))
        case "simulated":
            simulated = SimulatedHardware(state / SIMULATED_FOLDER, clock)
            return OpenedHardware(simulated, simulated.do)
        case "none":
            return OpenedHardware(NoHardware())
        case _:
            problem = Problem(
                code="no_drive_service",
                what="drives are not looked after: the engine is not root and there is no drive service",
                remedy="systemctl enable --now watchdeck-drives",
            )
            return OpenedHardware(NoHardware(problem))

"""How smartctl reaches a drive: by its device, or through the controller it is behind. The serial number decides, not a number.

A drive behind a MegaRAID controller has no device; smartctl lists what it reaches there (`megaraid,8` of /dev/bus/0).
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.clock import Clock
from storage.command import Runner
from storage.drives.smartctl import read_smart, scan_types
from storage.errors import DriveError, NotFound
from storage.raid.inventory import Drive


@dataclass(frozen=True, slots=True)
class SmartAddress:
    """For smartctl's command line."""

    device: str
    type: str = ""


class SmartAddresses:
    """Remembers where controllers' drives are; looks again when one is not there. One thread at a time a controller."""

    def __init__(self, run: Runner, clock: Clock) -> None:
        self._run = run
        self._clock = clock
        self._by_serial: dict[str, SmartAddress] = {}

    def of(self, drive: Drive) -> SmartAddress:
        """Raises NotFound, ToolMissing, CommandTimeout, DriveError."""
        if drive.device:
            return SmartAddress(drive.device)
        if drive.serial not in self._by_serial:
            self._look()
        found = self._by_serial.get(drive.serial)
        if found is None or not drive.serial:
            raise NotFound(
                f"smartctl does not reach drive {drive.serial or drive.id} in bay {drive.bay}",
                "see `smartctl --scan-open`",
            )
        return found

    def forget(self, serial: str) -> None:
        """It answered with another serial number: the drive was exchanged."""
        self._by_serial.pop(serial, None)

    def _look(self) -> None:
        known = set(self._by_serial.values())
        for listed in scan_types(self._run):
            address = SmartAddress(listed.device, listed.type)
            if "megaraid," not in listed.type or listed.problem or address in known:
                continue
            try:
                report = read_smart(self._run, address.device, address.type, clock=self._clock)
            except DriveError:
                continue  # one drive that does not answer hides none of the others
            if report.serial:
                self._by_serial[report.serial] = address

"""Runs in the guest: operations on real md through the back-end, one line of JSON in, one out.

In: {"do": {...an operation...}} or {"tend": true} or {}; out: the inventory after it, what `tend` said, or the error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from storage.clock import SystemClock
from storage.command import run
from storage.drives.chassis import Chassis
from storage.drives.scan import DriveScan
from storage.errors import WatchdeckError
from storage.raid.md.backend import MdBackend
from storage.raid.operations import RaidOperation
from storage.roots import Roots


class Order(msgspec.Struct, frozen=True):
    do: RaidOperation | None = None
    tend: bool = False


def main() -> None:
    roots = Roots()
    scan = DriveScan(roots, run, Chassis.load("chassis_16"))
    backend = MdBackend(roots, run, scan, SystemClock(), Path("/var/lib/watchdeck-md/md.json"))
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    inventory, said, error = backend.inventory(), (), ""
    try:
        if order.do is not None:
            inventory = backend.perform(order.do, inventory)
        if order.tend:
            said = backend.tend(inventory)
            inventory = backend.inventory()
    except WatchdeckError as refused:
        error = f"{refused.code}: {refused}"
    sys.stdout.buffer.write(msgspec.json.encode({"inventory": inventory, "said": said, "error": error}))


if __name__ == "__main__":
    main()

"""From a drive that is pulled to its alarm on the API's stream, in the lab's virtual machine: a RAID 5 of the guest's md.

Three ways to notice, with the same pulls: md's events as they are built in; the same services without them, so that only the ten
seconds' poll is left; and `mdadm --monitor`, which calls a program. All times are the host's; mdadm's program notes the guest's,
which is compared. Nothing writes to the array meanwhile: the slow case, because md itself misses a drive at the next write.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from engine import wire
from engine.client import EngineClient
from engine.wire_chassis import ChassisView, DriveState
from storage.errors import EngineUnreachable
from tests.lab.image import require_image
from tests.lab.machine import Machine

BAYS = range(4)
TOOLS = ("qemu-system-x86_64", "qemu-img", "mke2fs", "socat")
ALARMS = ("drive.missing", "virtual_drive.degraded")
UNITS = ("watchdeck-drives.service", "watchdeck.service")
MONITOR = "mdadm --monitor --delay=60 --program=/root/noted /dev/md/a"
"""Its default."""
NOTED = b'#!/bin/sh\necho "$(date +%s.%N) $1" >>/root/noted.log\n'
DEAF = b"""[Service]
ExecStart=
ExecStart=/usr/bin/python3 -c "from storage.raid.md.backend import MdBackend; MdBackend.wakeups = lambda self: (); import sys; \
from engine.drive_service.__main__ import main; sys.exit(main(['--user', 'watchdeck']))"
"""
DROP_IN = "/etc/systemd/system/watchdeck-drives.service.d/deaf.conf"
ALARM_LIMIT_S = 60.0
POLL_S = 10.0


def measure(folder: Path, pulls: int) -> dict[str, Any]:
    """Skips (pytest's exception) where there is no lab."""
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (packaging/install-test-tools)")
    with Machine(folder, require_image()) as machine:
        _set_up(machine)
        figures: dict[str, Any] = {"kvm": machine.patience == 1.0, "pulls": pulls}
        events, monitored = _phase(machine, pulls)
        machine.sh(f"mkdir -p {DROP_IN.rpartition('/')[0]}")
        machine.put(DROP_IN, DEAF)
        machine.sh("systemctl daemon-reload && systemctl restart watchdeck-drives watchdeck", timeout_s=60)
        polled, more = _phase(machine, pulls)
    figures["md_events"] = _summary(events)
    figures["only_polling_10_s"] = _summary(polled)
    figures["mdadm_monitor"] = _summary(monitored + more)
    figures["ratios_to_md_events"] = {
        name: round(found["p50_ms"] / figures["md_events"]["p50_ms"], 1)
        for name, found in figures.items()
        if isinstance(found, dict) and "p50_ms" in found and name != "md_events"
    }
    return figures


def _summary(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"alarms": 0}
    return {
        "alarms": len(seconds),
        "p50_ms": round(statistics.median(seconds) * 1000),
        "min_ms": round(min(seconds) * 1000),
        "max_ms": round(max(seconds) * 1000),
    }


def _set_up(machine: Machine) -> None:
    for bay in BAYS:
        machine.insert(bay, machine.drive(f"BAY{bay}"))
    machine.start()
    members = " ".join(machine.wait_drive(bay) for bay in BAYS)
    create = "--name a --run --assume-clean --bitmap internal --level 5 -n 4"
    machine.sh(f"mdadm --create /dev/md/a {create} {members}", timeout_s=60)
    machine.put("/root/noted", NOTED)
    machine.sh("chmod 755 /root/noted; touch /root/noted.log")
    for unit in UNITS:
        machine.sh(f"cp /opt/watchdeck/packaging/{unit} /etc/systemd/system/")
    machine.sh(f"systemctl daemon-reload && systemctl start {' '.join(UNITS)}", timeout_s=120)


def _phase(machine: Machine, pulls: int) -> tuple[list[float], list[float]]:
    """Seconds from pull to alarm: on the stream, and of mdadm's monitor (of those it told of)."""
    machine.sh("systemctl reset-failed noting 2>/dev/null || true; >/root/noted.log")
    machine.sh(f"systemd-run --unit noting {MONITOR}")
    pulled_s: list[float] = []
    alarms: list[float] = []
    chance = random.Random(3)
    for number in range(pulls):
        machine.until(lambda: _is_watched(machine), bool, "the engine to see a whole array", timeout_s=90)
        time.sleep(POLL_S * (1 + chance.random()))  # anywhere between two polls
        bay = BAYS[number % len(BAYS)]
        at_s, alarm_s = asyncio.run(_pull(machine, bay))
        pulled_s.append(at_s)
        alarms.append(alarm_s)
        _put_back(machine, bay)
    machine.sh("systemctl stop noting")
    noted = _noted(machine, _clock_ahead_s(machine))
    told = [next((at_s - pull_s for at_s in noted if at_s > pull_s), None) for pull_s in pulled_s]
    next_s = [*pulled_s[1:], float("inf")]
    found = [
        late_s
        for pull_s, after_s, late_s in zip(pulled_s, next_s, told, strict=True)
        if late_s is not None and pull_s + late_s < after_s
    ]
    return alarms, found


async def _pull(machine: Machine, bay: int) -> tuple[float, float]:
    """(wall clock at the pull, seconds until the first alarm arrived on the stream)."""
    loop = asyncio.get_running_loop()
    async with (
        EngineClient(machine.engine_socket) as client,
        asyncio.timeout(ALARM_LIMIT_S * machine.patience),
    ):
        messages = client.stream()
        await anext(messages)  # the snapshot: it listens
        at_s, begun_s = time.time(), time.perf_counter()
        pulling = loop.run_in_executor(None, machine.pull, bay)
        async for message in messages:
            if isinstance(message, wire.EventMessage) and message.event.kind in ALARMS:
                taken_s = time.perf_counter() - begun_s
                break
        drive = await pulling
    machine.wait_gone(bay)
    machine.insert(bay, drive)
    return at_s, taken_s


def _put_back(machine: Machine, bay: int) -> None:
    """By hand, whatever the engine makes of it by itself: the next pull needs a whole array."""
    name = machine.wait_drive(bay)
    machine.sh(
        f"mdadm /dev/md/a --remove detached || true; mdadm /dev/md/a --re-add {name} || true", timeout_s=60
    )
    machine.until(lambda: _whole(machine), bool, "the array to be whole again", timeout_s=90)


def _is_watched(machine: Machine) -> bool:
    """The engine sees every member at work and has read each once: it is not busy with its own start."""

    async def look() -> ChassisView:
        async with EngineClient(machine.engine_socket) as client:
            return await client.chassis()

    try:
        view = asyncio.run(look())
    except EngineUnreachable:
        return False
    members = [drive for drive in view.inventory.drives if drive.group]
    read = {health.drive for health in view.health if health.checked_us or health.reasons}
    return (
        len(members) == len(BAYS)
        and all(drive.state is DriveState.ONLINE for drive in members)
        and {drive.id for drive in members} <= read
    )


def _whole(machine: Machine) -> bool:
    return "[UUUU]" in machine.sh("cat /proc/mdstat")


def _clock_ahead_s(machine: Machine) -> float:
    """How far the guest's clock is ahead of ours, by the quickest of some questions; good to half the time that one took."""
    asked = []
    for _ in range(8):
        before_s = time.time()
        guest_s = float(machine.sh("date +%s.%N"))
        after_s = time.time()
        asked.append((after_s - before_s, guest_s - (before_s + after_s) / 2))
    return min(asked)[1]


def _noted(machine: Machine, ahead_s: float) -> list[float]:
    """When mdadm told of a member that failed, by our clock."""
    lines = [line.split() for line in machine.sh("cat /root/noted.log").splitlines()]
    return sorted(float(at_s) - ahead_s for at_s, kind in lines if kind in ("Fail", "DegradedArray"))

"""One SMART sweep of many drives: our one smartctl a drive beside pySMART's `Device()`, each in a process of its own.

A stand-in smartctl on PATH answers both: JSON of a real drive of QEMU for us, text of the same form for pySMART, whose parser
reads nothing else. It notes each call, so that processes are counted and not guessed. Real drives add the time they take to answer,
the same for both a call.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "tests" / "data" / "smartctl" / "qemu-ahci-sata.json"
DRIVES = 16
SWEEPS = 5
LETTERS = "abcdefghijklmnop"

TYPE = """smartctl 7.3 2022-02-28 r5338 [x86_64-linux-6.1.0] (local build)

/dev/sda: Device of type 'scsi' [SCSI] detected
/dev/sda [SAT]: Device open changed type from 'scsi' to 'sat'
/dev/sda [SAT]: Device of type 'sat' [ATA] opened
"""
TEXT = """smartctl 7.3 2022-02-28 r5338 [x86_64-linux-6.1.0] (local build)

=== START OF INFORMATION SECTION ===
Device Model:     QEMU HARDDISK
Serial Number:    SATA0
Firmware Version: 2.5+
User Capacity:    67,108,864 bytes [67.1 MB]
Sector Size:      512 bytes logical/physical
SMART support is: Available - device has SMART capability.
SMART support is: Enabled

=== START OF READ SMART DATA SECTION ===
SMART overall-health self-assessment test result: PASSED

Self-test execution status:      (   0)	The previous self-test routine completed
Short self-test routine
recommended polling time: 	 (   2) minutes.
Extended self-test routine
recommended polling time: 	 (  54) minutes.

SMART Attributes Data Structure revision number: 1
Vendor Specific SMART Attributes with Thresholds:
ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE
  1 Raw_Read_Error_Rate     0x0003   100   100   006    Pre-fail  Always       -       0
  3 Spin_Up_Time            0x0003   100   100   000    Pre-fail  Always       -       16
  4 Start_Stop_Count        0x0002   100   100   020    Old_age   Always       -       100
  5 Reallocated_Sector_Ct   0x0003   100   100   036    Pre-fail  Always       -       0
  9 Power_On_Hours          0x0003   100   100   000    Pre-fail  Always       -       1
 12 Power_Cycle_Count       0x0003   100   100   000    Pre-fail  Always       -       0
190 Airflow_Temperature_Cel 0x0003   069   069   050    Pre-fail  Always       -       31

SMART Error Log Version: 1
No Errors Logged

SMART Self-test log structure revision number 1
No self-tests have been logged.  [To run self-tests, use: smartctl -t]
"""

OURS = """
from storage.clock import SystemClock
from storage.command import run
from storage.drives.smartctl import read_smart

clock = SystemClock()

def read(device):
    assert read_smart(run, device, clock=clock).serial
"""
PYSMART = """
from pySMART import Device

def read(device):
    assert Device(device).serial
"""
LOOP = """
import resource, sys, time

def cpu_s():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)

devices = sys.argv[2].split(",")
read(devices[0])
mark = open(sys.argv[3], "a"); mark.write("begin\\n"); mark.flush()
before_s, begun_s = cpu_s(), time.perf_counter()
for _ in range(int(sys.argv[1])):
    for device in devices:
        read(device)
print(cpu_s() - before_s, time.perf_counter() - begun_s)
"""


def measure(folder: Path) -> dict[str, Any]:
    """Figures of both, and how many times ours fits into pySMART's."""
    log = folder / "calls"
    _stand_in(folder, log)
    ours, theirs = _sweep(OURS, folder, log), _sweep(PYSMART, folder, log)
    return {
        "drives": DRIVES,
        "sweeps": SWEEPS,
        "watchdeck": ours,
        "pysmart": theirs,
        "ratios_pysmart_to_watchdeck": {key: round(theirs[key] / ours[key], 2) for key in ours},
    }


def _stand_in(folder: Path, log: Path) -> None:
    """dash, one process a call: what is left of the difference is not the stand-in's."""
    (folder / "text").write_text(TEXT)
    (folder / "type").write_text(TYPE)
    program = folder / "smartctl"
    program.write_text(
        f'#!/bin/sh\necho "$*" >>{log}\ncase "$*" in\n*--json*) exec cat {REPORT} ;;\n'
        f'"-d test"*) exec cat {folder}/type ;;\n*) exec cat {folder}/text ;;\nesac\n'
    )
    program.chmod(0o755)


def _sweep(reader: str, folder: Path, log: Path) -> dict[str, float]:
    log.write_text("")
    devices = ",".join(f"/dev/sd{letter}" for letter in LETTERS)
    done = subprocess.run(
        [sys.executable, "-c", reader + LOOP, str(SWEEPS), devices, str(log)],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    cpu_s, wall_s = (float(word) for word in done.stdout.split())
    calls = log.read_text().split("begin\n")[1].splitlines()
    return {
        "processes_a_sweep": len(calls) / SWEEPS,
        "cpu_ms_a_sweep": round(cpu_s / SWEEPS * 1000, 1),
        "wall_ms_a_sweep": round(wall_s / SWEEPS * 1000, 1),
    }

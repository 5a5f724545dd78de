"""What a worker claims of the machine: less than the engine it comes from, whatever that was given. Picture and mask workers only.

A child process inherits all of it: as a service the engine is niced below zero, reads before others and is killed last
(packaging/watchdeck.service), and it may be bound to some cores to record on. None of that is meant for decoding pictures.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

NICENESS = 10
OOM_SCORE_ADJUST = 500
"""Killed before the engine and before most others: nothing is missed with it."""
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30}
"""The system call's number; elsewhere its reads go with the niceness."""
_IOPRIO_LAST = (2 << 13) | 7
"""Best effort, the last of it: `idle` would let somebody wait for ever for a picture from a drive that is written to."""


IOPRIO_IDLE = 3 << 13
"""For who nobody waits for."""


def claim_little(niceness: int = NICENESS, ioprio: int = _IOPRIO_LAST) -> None:
    """Of processor, memory and drives. What the system does not allow is left as it is."""
    with suppress(OSError):
        # Out of real time first: there niceness means nothing.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    with suppress(OSError):
        # Absolute, where os.nice would add to what the engine has.
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    with suppress(OSError):
        # All that its control group allows: AllowedCPUs= holds, the engine's own binding is not its.
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(str(OOM_SCORE_ADJUST))
    number = _IOPRIO_SET.get(os.uname().machine)
    if number is not None:
        ctypes.CDLL(None).syscall(number, 1, 0, ioprio)

"""What a worker claims of the machine does not follow what the engine was given."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.pictures.claims import NICENESS, OOM_SCORE_ADJUST

_IOPRIO = {"x86_64": (251, 252), "aarch64": (30, 31)}.get(os.uname().machine)
"""ioprio_set, ioprio_get."""


def bind_like_a_service() -> None:
    """As a service's manager does with the engine, as far as anybody may."""
    os.setpriority(os.PRIO_PROCESS, 0, 3)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    Path("/proc/self/oom_score_adj").write_text("7")
    if _IOPRIO:
        ctypes.CDLL(None).syscall(_IOPRIO[0], 1, 0, (2 << 13) | 2)


def test_a_worker_claims_little_whatever_the_engine_was_given() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "engine.pictures.worker", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=bind_like_a_service,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4), "its first message"
        pid = process.pid
        assert os.getpriority(os.PRIO_PROCESS, pid) == NICENESS
        assert os.sched_getscheduler(pid) == os.SCHED_OTHER
        assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == str(OOM_SCORE_ADJUST)
        assert len(os.sched_getaffinity(pid)) >= len(os.sched_getaffinity(0))
        if _IOPRIO:
            assert ctypes.CDLL(None).syscall(_IOPRIO[1], 1, pid) == (2 << 13) | 7
        process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be niced below zero")
def test_nor_below_zero() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "engine.pictures.worker", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == NICENESS
        process.kill()

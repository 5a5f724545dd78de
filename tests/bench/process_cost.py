"""What a process tree costs: CPU seconds, resident memory, write calls and bytes, read from /proc through psutil."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Cost:
    """Totals of a process and its children at one moment."""

    cpu_s: float
    rss_bytes: int
    write_calls: int
    written_bytes: int


def cost_of(roots: list[psutil.Process]) -> Cost:
    """Sums over the roots and all their descendants; a process that ended counts nothing."""
    cpu_s, rss_bytes, write_calls, written_bytes = 0.0, 0, 0, 0
    for root in roots:
        try:
            family = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        for process in family:
            try:
                times, memory, io = process.cpu_times(), process.memory_info(), process.io_counters()
            except psutil.NoSuchProcess:
                continue
            cpu_s += times.user + times.system
            rss_bytes += memory.rss
            write_calls += io.write_count
            written_bytes += io.write_chars
    return Cost(cpu_s, rss_bytes, write_calls, written_bytes)


def sync_calls(pid: int, seconds: int) -> dict[str, int] | None:
    """fsync, fdatasync and syncfs calls of a process in `seconds`, counted by strace; None when there is no strace."""
    if not shutil.which("strace"):
        return None
    traced = subprocess.run(
        ["timeout", str(seconds), "strace", "-f", "-c", "-e", "trace=fsync,fdatasync,syncfs", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    counts: dict[str, int] = {"fsync": 0, "fdatasync": 0, "syncfs": 0}
    for line in traced.stderr.splitlines():
        words = line.split()
        if words and words[-1] in counts:
            counts[words[-1]] = int(words[3])
    return counts

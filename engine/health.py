"""How the machine and the engine are: CPU, memory, network links, once a second.

Reading /proc is done on a thread of its own, so that the event loop is never held up by a busy machine. Steps of the wall clock are noticed
where they matter, by engine/recording.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from engine import wire
from storage.clock import Clock
from storage.units import US_PER_SECOND

SAMPLE_S = 1.0
LINK_DETAILS_EVERY = 10
"""Samples: names, state and speed of the links cost a system call each and seldom change."""
_NOT_LINKS = ("lo", "veth", "docker", "br-", "virbr", "cni", "flannel")
_DEVICES = "/sys/class/net/{}/device"
"""Exists for real adapters: those are shown also when they are down, because a cable may be out."""
_BONDS = Path("/sys/class/net")
"""<bond>/bonding/active_slave: Documentation/networking/bonding.rst."""


@dataclass(frozen=True, slots=True)
class Health:
    """One sample. Percentages are of the whole machine (100 = all processors), as a person expects them."""

    cpu_percent: float = 0.0
    memory_percent: float = 0.0
    engine_cpu_percent: float = 0.0
    engine_rss_bytes: int = 0
    links: tuple[wire.LinkView, ...] = ()
    active_members: Mapping[str, str] = field(default_factory=dict)
    """Of each bond in active-backup, the adapter that carries it; empty = none."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What only means something as a difference."""

    monotonic_us: int
    cpu_busy_s: float
    cpu_total_s: float
    engine_cpu_s: float
    received_bytes: Mapping[str, int]
    sent_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LinkDetails:
    is_up: bool
    speed_bps: int


class HealthProbe:
    """Takes samples. Blocking; on one thread only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._process = psutil.Process()
        self._before: Counters | None = None
        self._links: Mapping[str, LinkDetails] = {}
        self._active_members: Mapping[str, str] = {}
        self._samples = 0

    def sample(self) -> Health:
        if self._samples % LINK_DETAILS_EVERY == 0:
            self._links = _link_details()
            self._active_members = active_members(_BONDS)
        self._samples += 1
        now = self._counters()
        before, self._before = self._before or now, now
        return health_between(
            before,
            now,
            memory_percent=psutil.virtual_memory().percent,
            engine_rss_bytes=self._process.memory_info().rss,
            links=self._links,
            processors=os.cpu_count() or 1,
            active_members=self._active_members,
        )

    def _counters(self) -> Counters:
        cpu = psutil.cpu_times()
        total_s = sum(cpu[:8])  # guest time is part of user time
        engine = self._process.cpu_times()
        counted = psutil.net_io_counters(pernic=True)
        return Counters(
            monotonic_us=self._clock.monotonic_us(),
            cpu_busy_s=total_s - cpu.idle - cpu.iowait,
            cpu_total_s=total_s,
            engine_cpu_s=engine.user + engine.system,
            received_bytes={name: counted[name].bytes_recv for name in self._links if name in counted},
            sent_bytes={name: counted[name].bytes_sent for name in self._links if name in counted},
        )


def health_between(
    before: Counters,
    now: Counters,
    *,
    memory_percent: float,
    engine_rss_bytes: int,
    links: Mapping[str, LinkDetails],
    processors: int,
    active_members: Mapping[str, str] | None = None,
) -> Health:
    """Rates from two sets of counters; zero where nothing passed, or where a counter began anew."""
    elapsed_s = (now.monotonic_us - before.monotonic_us) / US_PER_SECOND

    def percent(part: float, whole: float) -> float:
        return round(min(100.0, max(0.0, 100.0 * part / whole)), 1) if whole > 0 else 0.0

    def rate_bps(name: str, old: Mapping[str, int], new: Mapping[str, int]) -> int:
        grown = new.get(name, 0) - old.get(name, new.get(name, 0))
        return max(0, round(8 * grown / elapsed_s)) if elapsed_s > 0 else 0

    return Health(
        cpu_percent=percent(now.cpu_busy_s - before.cpu_busy_s, now.cpu_total_s - before.cpu_total_s),
        memory_percent=memory_percent,
        engine_cpu_percent=percent(now.engine_cpu_s - before.engine_cpu_s, elapsed_s * processors),
        engine_rss_bytes=engine_rss_bytes,
        links=tuple(
            wire.LinkView(
                name=name,
                is_up=link.is_up,
                receive_bps=rate_bps(name, before.received_bytes, now.received_bytes),
                send_bps=rate_bps(name, before.sent_bytes, now.sent_bytes),
                speed_bps=link.speed_bps,
            )
            for name, link in sorted(links.items())
        ),
        active_members=active_members or {},
    )


def _link_details() -> dict[str, LinkDetails]:
    return {
        name: LinkDetails(is_up=bool(state.isup), speed_bps=max(0, int(state.speed)) * 1_000_000)
        for name, state in psutil.net_if_stats().items()
        if not name.startswith(_NOT_LINKS) and (state.isup or os.path.exists(_DEVICES.format(name)))
    }


def active_members(net: Path) -> dict[str, str]:
    """Bond -> the adapter that carries it, for bonds of which one carries all. Blocking, of kernel memory."""
    found = {}
    for path in net.glob("*/bonding/active_slave"):
        try:
            mode = (path.parent / "mode").read_text()
            if mode.startswith(("active-backup", "balance-tlb", "balance-alb")):
                found[path.parent.parent.name] = path.read_text().strip()
        except OSError:  # it went this moment
            continue
    return found


class HealthWatch:
    """Keeps the newest sample. Loop only."""

    def __init__(self, clock: Clock) -> None:
        self._probe = HealthProbe(clock)
        self._thread = ThreadPoolExecutor(1, "health")
        self.health = Health()

    async def run(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self.health = await loop.run_in_executor(self._thread, self._probe.sample)
                await asyncio.sleep(SAMPLE_S)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

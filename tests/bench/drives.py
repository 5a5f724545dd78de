"""What looking after drives costs: `python -m tests.bench.drives [--idle-seconds 60] [--pulls 5]`; prints JSON, takes some four minutes.

Three parts, each beside a peer in the same run: a SMART sweep of 16 drives (pySMART), an engine without cameras that watches this
machine's drives (the same engine with `hardware = "none"`), and the time from pulling a drive to its alarm on the API's stream
(the same engine without md's events, and `mdadm --monitor`) in the lab's virtual machine, where there is one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.client import EngineClient
from storage.errors import EngineUnreachable
from tests.bench import pull_to_alarm, smart_sweep

ROOT = Path(__file__).resolve().parents[2]
SETTLE_S = 15
"""After the start: the first look, the first SMART round."""


class IdleEngine:
    """An engine without cameras."""

    def __init__(self, folder: Path, hardware: str) -> None:
        folder.mkdir()
        self._socket = folder / "engine.sock"
        config = folder / "station.toml"
        config.write_text(f'[chassis]\nhardware = "{hardware}"\n')
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "engine", "--state", str(folder / "state")),
                    *("--socket", str(self._socket), "--config", str(config)),
                ],
                stderr=log,
                cwd=ROOT,
            )

    async def drives(self) -> int:
        """How many it sees, once it answers."""
        while True:
            try:
                async with EngineClient(self._socket) as client:
                    return len(await client.drives())
            except EngineUnreachable:
                if self.process.poll() is not None:
                    raise RuntimeError(
                        f"the engine does not start:\n{self._log.read_text()[-2000:]}"
                    ) from None
                await asyncio.sleep(0.1)

    def cpu_s(self) -> float:
        """Its own and that of the programs it ran."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    def wakeups(self) -> int:
        """Times any of its threads waited for something and went on."""
        found = 0
        for status in Path(f"/proc/{self.process.pid}/task").glob("*/status"):
            line = next(each for each in status.read_text().splitlines() if each.startswith("voluntary"))
            found += int(line.split()[1])
        return found


def idle(folder: Path, seconds: int) -> dict[str, Any]:
    """Both engines at the same time, so that they meet the same neighbours. Needs root to read drives."""
    if os.geteuid() != 0:
        return {"skipped": "only root can read drives"}
    engines = {hardware: IdleEngine(folder / hardware, hardware) for hardware in ("local", "none")}
    try:
        for engine in engines.values():
            asyncio.run(engine.drives())
        time.sleep(SETTLE_S)
        drives = asyncio.run(engines["local"].drives())
        before = {name: (engine.cpu_s(), engine.wakeups()) for name, engine in engines.items()}
        begun_s = time.perf_counter()
        time.sleep(seconds)
        minutes = (time.perf_counter() - begun_s) / 60
        figures = {
            name: {
                "cpu_ms_a_minute": round((engine.cpu_s() - before[name][0]) * 1000 / minutes, 1),
                "wakeups_a_minute": round((engine.wakeups() - before[name][1]) / minutes),
            }
            for name, engine in engines.items()
        }
    finally:
        for engine in engines.values():
            engine.process.send_signal(signal.SIGTERM)
        for engine in engines.values():
            engine.process.wait(30)
    watching = {key: round(figures["local"][key] - figures["none"][key], 1) for key in figures["local"]}
    return {
        "seconds": seconds,
        "drives": drives,
        **figures,
        "watching_drives": watching,
        "watching_drives_cpu_percent": round(watching["cpu_ms_a_minute"] / 600, 3),
    }


def alarm(folder: Path, pulls: int) -> dict[str, Any]:
    try:
        return pull_to_alarm.measure(folder, pulls)
    except pytest.skip.Exception as reason:
        return {"skipped": str(reason)}


def main() -> None:
    parser = argparse.ArgumentParser(description="What looking after drives costs.")
    parser.add_argument("--idle-seconds", type=int, default=60)
    parser.add_argument("--pulls", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchdeck-drives-") as name:
        folder = Path(name)
        parts = {part: folder / part for part in ("sweep", "idle", "alarm")}
        for part in parts.values():
            part.mkdir()
        result = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}",
            "smart_sweep": smart_sweep.measure(parts["sweep"]),
            "idle": idle(parts["idle"], options.idle_seconds),
            "pull_to_alarm": alarm(parts["alarm"], options.pulls),
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

"""What the console costs on a terminal: `python -m tests.bench.console [--seconds 20]`.

Prints JSON. A demo engine records eight simulated cameras; the console runs on a pseudo-terminal at 120x40 with 256
colours and compiled files. Each number stands beside the same console with stock Textual output (the cell diff taken
out), in the same run: start to first paint, CPU and bytes on the wire of the dashboard and of other views, and the
time from a key to its effect on the screen while previews refresh.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.pty_console import Answers, PtyConsole

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {
    "first_paint_s": 0.7,
    "dashboard_cpu_percent": 6.0,
    "dashboard_bytes_per_s": 2000,
    "still_cpu_percent": 0.3,
    "key_p95_ms": 50,
}
STOCK = "from tui import celldiff; del celldiff.CellDiffMixin._display; "
"""The same console, written by Textual itself."""


def console(socket: str, *, is_stock: bool, graphics: str = "half") -> PtyConsole:
    arguments = ["--socket", socket, "--graphics", graphics, "--colors", "256"]
    code = f"import sys; sys.argv = ['watchdeck', *{arguments!r}]; {STOCK if is_stock else ''}from tui.__main__ import main; main()"
    return PtyConsole(
        [sys.executable, "-c", code],
        env={"COLORTERM": None, "PYTHONDONTWRITEBYTECODE": None},
        columns=120,
        rows=40,
        answers=Answers(),
        cwd=str(ROOT),
    )


def first_paint(socket: str, *, is_stock: bool, runs: int) -> dict[str, float]:
    walls, cpus = [], []
    for _ in range(runs):
        with console(socket, is_stock=is_stock) as shown:
            walls.append(shown.wait_for("Dashboard"))
            cpus.append(cpu_seconds(shown.pid))
    return {"median_s": round(statistics.median(walls), 3), "cpu_s": round(statistics.median(cpus), 3)}


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def watch(shown: PtyConsole, seconds: float) -> dict[str, float]:
    """CPU and bytes of a view left alone."""
    shown.settle(1.0, 3)
    bytes_before, cpu_before = shown.bytes_out, cpu_seconds(shown.pid)
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        shown.pump(0.1)
    elapsed = time.monotonic() - started
    return {
        "cpu_percent": round((cpu_seconds(shown.pid) - cpu_before) / elapsed * 100, 2),
        "bytes_per_s": round((shown.bytes_out - bytes_before) / elapsed),
        "rss_mb": round(psutil.Process(shown.pid).memory_info().rss / 1e6, 1),
    }


def cursor_row(shown: PtyConsole) -> int:
    return next((row for row, line in enumerate(shown.screen.display) if "►" in line), -1)


def keys(shown: PtyConsole, number: int) -> dict[str, float]:
    """From a key to the cursor's new place, in milliseconds, while previews refresh."""
    times = []
    for index in range(number):
        before = cursor_row(shown)
        started = time.monotonic()
        shown.send("j" if index // 4 % 2 == 0 else "k")
        while cursor_row(shown) == before and time.monotonic() - started < 2:
            shown.pump(0.002)
        times.append((time.monotonic() - started) * 1000)
        end = time.monotonic() + 0.15
        while time.monotonic() < end:
            shown.pump(0.01)
    times.sort()
    return {
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[int(len(times) * 0.95)], 1),
        "max_ms": round(times[-1], 1),
    }


def measure(socket: str, seconds: float, *, is_stock: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"start": first_paint(socket, is_stock=is_stock, runs=7)}
    with console(socket, is_stock=is_stock) as shown:
        shown.wait_for("8 of 8", 60)
        result["first_screens_bytes"] = shown.bytes_out
        result["dashboard"] = watch(shown, seconds)
        shown.send("4")
        result["events_view"] = watch(shown, seconds)
        shown.send("?")
        result["help_page_over_events"] = watch(shown, seconds)
        shown.send("\x1b")
        shown.settle()
        shown.send("2")
        shown.settle(1.0, 5)
        result["keys_on_cameras_with_preview"] = keys(shown, 40)
    return result


def still(seconds: float) -> dict[str, float]:
    """A screen of all widgets on which nothing changes: what waiting costs."""
    with PtyConsole(
        [sys.executable, "-m", "tests.tui.apps.gallery"],
        env={"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_COLOR_SYSTEM": "256", "PYTHONDONTWRITEBYTECODE": None},
        columns=120,
        rows=40,
        cwd=str(ROOT),
    ) as shown:
        shown.wait_for("front door")
        return watch(shown, seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument(
        "--socket", default="", help="an engine that runs already; default: a demo of its own"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        demo = None
        socket = options.socket
        if not socket:
            demo = subprocess.Popen(
                [sys.executable, "-m", "engine.demo", "--no-console", "--state", str(Path(folder) / "demo")],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            socket = find_socket(Path(folder))
        try:
            report = {
                "machine": {
                    "cpus": os.cpu_count(),
                    "load": os.getloadavg()[0],
                    "python": sys.version.split()[0],
                },
                "terminal": "120x40, 256 colours, half-block previews",
                "limits": LIMITS,
                "still_screen": still(options.seconds),
                "watchdeck": measure(socket, options.seconds, is_stock=False),
                "stock_textual_output": measure(socket, options.seconds, is_stock=True),
            }
        finally:
            if demo is not None:
                demo.send_signal(signal.SIGTERM)
                demo.wait(30)
    print(json.dumps(report, indent=2))


def find_socket(folder: Path) -> str:
    """Where the demo's engine listens, once it does."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for path in folder.rglob("*.sock"):
            return str(path)
        time.sleep(0.2)
    raise SystemExit("the demo engine did not start within 60 s")


if __name__ == "__main__":
    main()

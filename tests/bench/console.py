"""What the console costs on a terminal: `python -m tests.bench.console [--seconds 6]`, under two minutes.

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
    "lamps_over_ssh_bytes_per_s": 600,
}
STOCK = "from tui import celldiff; del celldiff.CellDiffMixin._display; "
"""The same console, written by Textual itself."""
SAME = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_FPS": "240", "TEXTUAL_SMOOTH_SCROLL": "0"}
"""What the console sets for itself; the stock one imports Textual before that."""


def console(socket: str, *, is_stock: bool, graphics: str = "half") -> PtyConsole:
    arguments = ["--socket", socket, "--graphics", graphics, "--colors", "256"]
    code = f"import sys; sys.argv = ['watchdeck', *{arguments!r}]; {STOCK if is_stock else ''}from tui.__main__ import main; main()"
    return PtyConsole(
        [sys.executable, "-c", code],
        env={"COLORTERM": None, "PYTHONDONTWRITEBYTECODE": None, **SAME},
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
    return {
        "median_s": round(statistics.median(walls), 3),
        "best_s": round(min(walls), 3),
        "cpu_s": round(statistics.median(cpus), 3),
        "least_cpu_s": round(min(cpus), 3),
    }


def cpu_seconds(pid: int) -> float:
    """Of all threads, to the nanosecond: what an idle console uses is less than a tick of the process times."""
    total_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total_ns += int((task / "schedstat").read_text().split()[0])
    return total_ns / 1e9


def watch(shown: PtyConsole, seconds: float) -> dict[str, float]:
    """CPU and bytes of a view left alone."""
    shown.settle(1.0, 3)
    bytes_before, cpu_before = shown.bytes_out, cpu_seconds(shown.pid)
    started = time.monotonic()
    while (left_s := started + seconds - time.monotonic()) > 0:
        shown.pump(left_s)
    elapsed = time.monotonic() - started
    return {
        "cpu_percent": round((cpu_seconds(shown.pid) - cpu_before) / elapsed * 100, 2),
        "bytes_per_s": round((shown.bytes_out - bytes_before) / elapsed),
        "rss_mb": round(psutil.Process(shown.pid).memory_info().rss / 1e6, 1),
    }


def cursor_row(shown: PtyConsole) -> int:
    return next((row for row, line in enumerate(shown.screen.display) if "►" in line), -1)


def keys(shown: PtyConsole, number: int) -> dict[str, float]:
    """From a key to the write that moves the cursor, in milliseconds, while previews refresh.

    What comes is put on the screen only afterwards: the emulator takes longer for a picture than the console does.
    """
    times = []
    bytes_before = shown.bytes_out
    for index in range(number):
        before = cursor_row(shown)
        started = time.monotonic()
        shown.send("j" if index // 4 % 2 == 0 else "k")
        end = started + 0.15 + 0.043 * (index % 5)  # out of step with ticks and previews
        pieces = []
        while (left_s := end - time.monotonic()) > 0:
            if data := shown.read(left_s):
                pieces.append((time.monotonic(), data))
        moved = None
        for at, data in pieces:
            shown.show(data)
            if moved is None and cursor_row(shown) != before:
                moved = (at - started) * 1000
        times.append(1000.0 if moved is None else moved)
    times.sort()
    return {
        "bytes_per_key": round((shown.bytes_out - bytes_before) / number),
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[int(len(times) * 0.95)], 1),
        "max_ms": round(times[-1], 1),
    }


def measure(socket: str, seconds: float, *, is_stock: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"start": first_paint(socket, is_stock=is_stock, runs=5)}
    with console(socket, is_stock=is_stock) as shown:
        shown.wait_for("8 of 8", 60)
        result["first_screens_bytes"] = shown.bytes_out
        result["dashboard"] = watch(shown, seconds)
        shown.send("4")
        result["events_view"] = watch(shown, seconds)
        shown.send("2")
        shown.settle(1.0, 5)
        result["keys_on_cameras_with_preview"] = keys(shown, 40)
    return result


def ratios(ours: dict[str, Any], stock: dict[str, Any]) -> dict[str, float]:
    """Ours to stock, of what is worth comparing; below 1 ours is better."""
    places = (
        ("start", "median_s"),
        ("start", "cpu_s"),
        ("dashboard", "cpu_percent"),
        ("dashboard", "bytes_per_s"),
        ("events_view", "cpu_percent"),
        ("events_view", "bytes_per_s"),
        ("keys_on_cameras_with_preview", "p50_ms"),
        ("keys_on_cameras_with_preview", "p95_ms"),
        ("keys_on_cameras_with_preview", "bytes_per_key"),
    )
    return {
        f"{view}.{name}": round(ours[view][name] / stock[view][name], 2)
        for view, name in places
        if stock[view][name]
    }


def within(
    still_screen: dict[str, float], ours: dict[str, Any], lamps: dict[str, dict[str, float]]
) -> dict[str, bool]:
    """Which limits hold in this run."""
    measured = {
        "first_paint_s": ours["start"]["median_s"],
        "dashboard_cpu_percent": ours["dashboard"]["cpu_percent"],
        "dashboard_bytes_per_s": ours["dashboard"]["bytes_per_s"],
        "still_cpu_percent": still_screen["cpu_percent"],
        "key_p95_ms": ours["keys_on_cameras_with_preview"]["p95_ms"],
        "lamps_over_ssh_bytes_per_s": max(
            watched["bytes_per_s"] for name, watched in lamps.items() if name.endswith("calm")
        ),
    }
    return {name: value <= LIMITS[name] for name, value in measured.items()}


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


def blinking_lamps(seconds: float) -> dict[str, dict[str, float]]:
    """The map of the bays with two, four and fourteen drives at work: as on this machine (full), as over SSH (calm)."""
    found = {}
    for box in ("healthy_eight", "degraded_eight", "sixteen"):
        for blinking in ("full", "calm"):
            with PtyConsole(
                [sys.executable, "-m", "tests.tui.apps.bays", box],
                env={"COLORTERM": None, "PYTHONDONTWRITEBYTECODE": None, "WATCHDECK_BLINK": blinking},
                columns=80,
                rows=24,
                cwd=str(ROOT),
            ) as shown:
                shown.wait_for("5 of 8")
                shown.send("5")
                shown.wait_for("F6 Bays")
                found[f"{box} {blinking}"] = watch(shown, seconds)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6, help="how long each view is watched")
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
        try:
            socket = socket or find_socket(Path(folder))
            ours = measure(socket, options.seconds, is_stock=False)
            stock = measure(socket, options.seconds, is_stock=True)
            still_screen = still(options.seconds)
            lamps = blinking_lamps(options.seconds)
            report = {
                "machine": {
                    "cpus": os.cpu_count(),
                    "load": os.getloadavg()[0],
                    "python": sys.version.split()[0],
                },
                "terminal": "120x40, 256 colours, half-block previews",
                "limits": LIMITS,
                "still_screen": still_screen,
                "blinking_lamps": lamps,
                "watchdeck": ours,
                "stock_textual_output": stock,
                "ours_to_stock": ratios(ours, stock),
                "is_within": within(still_screen, ours, lamps),
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

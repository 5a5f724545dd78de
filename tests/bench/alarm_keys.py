"""From a key to its effect with 100,000 alarms in the list, through a real engine: `python -m tests.bench.alarm_keys`.

Prints JSON. The alarms are written by the catalog's own method, the engine runs on them, the console on a pseudo-terminal of
80x24. Beside each key: the same movement in a list of 100, which is what the terminal and Textual cost by themselves.
The limit (50 ms, 95 of 100) holds for moving and marking; opening and filtering have the engine's answer in them too.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.state_folder import CATALOG_NAME
from storage.catalog.alarm_records import AlarmHit
from storage.catalog.db import Catalog
from storage.catalog.records import Severity
from storage.clock import SystemClock
from storage.units import US_PER_SECOND
from tests.bench.console import ROOT
from tests.pty_console import Answers, PtyConsole

LIMIT_MS = 50
BATCH = 2_000
MOVES: tuple[tuple[str, str], ...] = (
    ("down", "j"),
    ("page", "\x04\x15"),
    ("last_first", "G<"),
    ("mark", " "),
    ("mark_range", "J"),
    ("mark_all", "*"),
    ("group", "g"),
)
"""Keys pressed in turn."""
HELD = ("down", "page", "last_first", "mark", "mark_range", "mark_all")
AGES = slice(19, 30)
"""Columns of a row that change by themselves."""


def fill(path: Path, number: int) -> None:
    """So many open alarms, one a second up to now."""
    catalog = Catalog.open(path)
    now_us = SystemClock().now_us()
    for begin in range(0, number, BATCH):
        hits = []
        for index in range(begin, min(begin + BATCH, number)):
            time_us = now_us - (number - index) * US_PER_SECOND
            hits.append(
                AlarmHit(
                    rule_id=None,
                    rule=f"rule {index % 7}",
                    kind=f"detection.kind{index // 128 % 10}",
                    source=f"camera-{index % 128}",
                    severity=(Severity.INFO, Severity.WARNING, Severity.CRITICAL)[index % 3],
                    first_us=time_us,
                    last_us=time_us,
                    text=f"motion in {index % 576} cells",
                    retrigger_us=0,
                )
            )
        catalog.add_hits(hits)
    catalog.close()


@contextmanager
def console(folder: Path, number: int) -> Iterator[PtyConsole]:
    """On an engine with so many alarms, the list open."""
    state = folder / str(number)
    state.mkdir(mode=0o700)
    fill(state / CATALOG_NAME, number)
    socket = str(state / "engine.sock")
    engine = subprocess.Popen(
        [sys.executable, "-m", "engine", "--state", str(state), "--socket", socket],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while not Path(socket).exists():
            if time.monotonic() > end or engine.poll() is not None:
                raise SystemExit("the engine did not start")
            time.sleep(0.1)
        with PtyConsole(
            [sys.executable, "-m", "tui", "--socket", socket, "--colors", "256", "--graphics", "half"],
            env={"COLORTERM": None, "PYTHONDONTWRITEBYTECODE": None},
            columns=80,
            rows=24,
            answers=Answers(),
            cwd=str(ROOT),
        ) as shown:
            shown.wait_for("Alarms", 60)
            shown.settle(1.0, 10)
            yield shown
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait(30)


def until_changed(shown: PtyConsole, key: str) -> float:
    """Milliseconds from the key to the write after which the screen is another one."""
    before = standing(shown)
    started = time.monotonic()
    shown.send(key)
    end = started + 0.4
    pieces = []
    while (left_s := end - time.monotonic()) > 0:
        if data := shown.read(left_s):
            pieces.append((time.monotonic(), data))
            if len(pieces) == 1:
                end = time.monotonic() + 0.12  # what belongs to this key has come by then
    for at, data in pieces:
        shown.show(data)
        if standing(shown) != before:
            return (at - started) * 1000
    return 400.0


def standing(shown: PtyConsole) -> list[str]:
    """What only a key changes: neither the clock in the first row nor ages."""
    return [line[: AGES.start] + line[AGES.stop :] for line in shown.screen.display[1:]]


def summary(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 1),
    }


def measure(shown: PtyConsole, presses: int) -> dict[str, Any]:
    found: dict[str, Any] = {"open_ms": round(until_changed(shown, "6"), 1)}
    shown.settle(1.0, 5)
    for name, keys in MOVES:
        turns = presses // 2 * 2  # what was switched on is off again
        found[name] = summary([until_changed(shown, keys[index % len(keys)]) for index in range(turns)])
    shown.send("\x1b")
    shown.settle(1.0, 5)
    shown.send("/")
    shown.settle(0.5, 3)
    found["filter_letter"] = summary([until_changed(shown, letter) for letter in "camera-12"])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=100_000)
    parser.add_argument("--presses", type=int, default=20, help="of each key")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with console(Path(folder), options.alarms) as shown:
            many = measure(shown, options.presses)
        with console(Path(folder), 100) as shown:
            few = measure(shown, options.presses)
    report = {
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()[0], "python": sys.version.split()[0]},
        "alarms": options.alarms,
        "limit_ms": LIMIT_MS,
        "list_of_many": many,
        "list_of_100": few,
        "is_within": {name: many[name]["p95_ms"] <= LIMIT_MS for name in HELD},
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

"""The live wall over a thin line: `python -m tests.bench.pictures_wall [--mbit 1] [--keys 40]`, some ten minutes.

Prints JSON. An engine with sixteen cameras; the console at 120x40 behind a line of 1 Mbit/s (tests/bench/thin_terminal.py) shows the
wall in 2x2 and 4x4, as half blocks with 256 and with 16.7 million colours and as sixels with 32. Meanwhile a key moves the selection
now and then: the time until the drained output shows it moved is the one measured. Beside each: the same console with the pace taken
out (every picture written at once), in the same run. Also bytes a second, CPU of console and engine. Two scenes: `noise`, all of
which changes in every picture, so that the line is always full (the worst there can be), and `demo`, the simulated cameras, in
which most of the picture stands still.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from engine import wire
from engine.client import EngineClient
from tests.bench.console import ROOT, cpu_seconds, find_socket
from tests.bench.thin_terminal import ThinTerminal
from tests.pty_console import Answers
from tests.rtsp.server import RtspServer, RtspStream
from tui.profile import COLORS, TerminalProfile

CAMERAS = 16
COLUMNS, ROWS = 120, 40
LIMIT_MS = 100
WITHOUT_PACE = (
    "from tui.link_pace import LinkPace; from tui.graphics import PictureOutput; "
    "LinkPace.allowed_bytes = lambda self, now_s: 1 << 30; LinkPace.needs_probe = lambda self, now_s: False; "
    "PictureOutput.strip_rows = lambda self, columns: 0; "
)
"""Pictures are written as they come."""
FORMS: dict[str, tuple[str, ...]] = {
    "half_256": ("--graphics", "half", "--colors", "256"),
    "half_truecolor": ("--graphics", "half", "--colors", "truecolor"),
    "sixel_32": ("--graphics", "sixel", "--colors", "256"),
}
MOVES = "\x1b[C\x1b[B\x1b[D\x1b[A"
"""Right, down, left, up: a round of four cells."""


def console(socket: str, form: str, bytes_s: float, *, is_paced: bool) -> ThinTerminal:
    arguments = ["--socket", socket, *FORMS[form]]
    code = f"import sys; sys.argv = ['watchdeck', *{arguments!r}]; {'' if is_paced else WITHOUT_PACE}"
    return ThinTerminal(
        [sys.executable, "-c", code + "from tui.__main__ import main; main()"],
        bytes_s=bytes_s,
        env={
            "COLORTERM": None,
            "PYTHONDONTWRITEBYTECODE": None,
            "SSH_TTY": "/dev/pts/0",  # over SSH sixels have 32 colours
            # Taking the pace out imports Textual before the console says how it is to draw: both are told the same.
            **TerminalProfile(colors=COLORS[FORMS[form][3]]).environment(),
        },
        columns=COLUMNS,
        rows=ROWS,
        answers=Answers(attributes="?62;4;22", sync=2, cell_px=(10, 20), registers=256),
        cwd=str(ROOT),
    )


def engine_cpu_s(engine: psutil.Process) -> float:
    """Of the engine with its picture workers, not of the simulated cameras."""
    total = 0.0
    for process in [engine, *engine.children(recursive=True)]:
        try:
            if not {"engine.demo", "engine.demo.cameras"} & set(process.cmdline()):
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def measure(
    socket: str, engine: psutil.Process, form: str, side: int, bytes_s: float, keys: int, *, is_paced: bool
) -> dict[str, Any]:
    with console(socket, form, bytes_s, is_paced=is_paced) as shown:
        shown.wait_for("of 16", 60)
        shown.send("7")
        shown.wait_for("►", 20)
        shown.send(":")
        shown.settle(0.5, 3)
        shown.send(f"layout {side}x{side}\r")
        shown.wait_for(f"{side}x{side}", 20)
        shown.settle(1.0, 5)
        shown.watch()
        time.sleep(1.0)
        cpu_s, engine_s, started_s = cpu_seconds(shown.pid), engine_cpu_s(engine), time.monotonic()
        pressed = []
        for number in range(keys):
            pressed.append(time.monotonic())
            shown.send(MOVES[number % 4 * 3 : number % 4 * 3 + 3])
            time.sleep(0.3 + 0.043 * (number % 5))  # out of step with ticks and pictures
        elapsed_s = time.monotonic() - started_s
        console_cpu = (cpu_seconds(shown.pid) - cpu_s) / elapsed_s
        engine_cpu = (engine_cpu_s(engine) - engine_s) / elapsed_s
        time.sleep(1.0)
        pieces = shown.stop()
        before = marked(shown)
        waits_ms = waits(shown, pieces, pressed)
        received = sum(len(data) for at_s, data in pieces if started_s <= at_s <= started_s + elapsed_s)
        return {
            "key_p50_ms": round(statistics.median(waits_ms), 1),
            "key_p95_ms": round(waits_ms[int(len(waits_ms) * 0.95)], 1),
            "key_max_ms": round(waits_ms[-1], 1),
            "bytes_per_s": round(received / elapsed_s),
            "line_use_percent": round(received / elapsed_s / bytes_s * 100, 1),
            "console_cpu_percent": round(console_cpu * 100, 1),
            "engine_cpu_percent": round(engine_cpu * 100, 1),
            "is_selection_seen": before is not None,
        }


def marked(shown: ThinTerminal) -> tuple[int, int] | None:
    """Where the sign of the selected cell stands."""
    for row, line in enumerate(shown.screen.display):
        if row and (column := line.find("►")) >= 0:
            return column, row
    return None


def waits(shown: ThinTerminal, pieces: list[tuple[float, bytes]], pressed: list[float]) -> list[float]:
    """Milliseconds from each key to the drained piece after which the selection stands elsewhere; 5 s = never."""
    found = []
    place = marked(shown)
    coming = iter([*pressed, float("inf")])
    key_s = next(coming)
    waiting: list[float] = []
    for at_s, data in pieces:
        while key_s <= at_s:
            waiting.append(key_s)
            key_s = next(coming)
        shown.show(data)
        now = marked(shown)
        if now is not None and now != place:
            place = now
            if waiting:
                found.append((at_s - waiting.pop(0)) * 1000)
    return sorted([*found, *[5000.0] * len(waiting)])


async def add_twins(socket: str) -> None:
    """As many as there are cells: the open ones of the demo once more under other names."""
    async with EngineClient(Path(socket)) as client:
        end = time.monotonic() + 90
        while len([one for one in await client.cameras() if one.state is wire.CameraState.RECORDING]) < 8:
            if time.monotonic() > end:
                raise SystemExit("the demo's cameras do not record")
            await asyncio.sleep(0.5)
        known = await client.cameras()
        open_ones = [camera for camera in known if not camera.has_password]
        for number in range(CAMERAS - len(known)):
            twin = open_ones[number % len(open_ones)]
            await client.add_camera(
                wire.CameraAdd(name=f"again-{number + 1}", url=twin.url, group=twin.group)
            )
        await recorded(client)


async def add_noise(socket: str, volume: Path, url: str) -> None:
    """All cameras show the same noise, each for itself."""
    async with EngineClient(Path(socket)) as client:
        await client.add_volume(
            wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
        )
        for number in range(CAMERAS):
            await client.add_camera(wire.CameraAdd(name=f"noise-{number + 1}", url=url))
            await recorded(client, number + 1)  # all at once are too much for the camera server


async def recorded(client: EngineClient, number: int = CAMERAS) -> None:
    """Wait until so many cameras are."""
    end = time.monotonic() + 90
    while (await client.snapshot()).station.cameras_recording < number:
        if time.monotonic() > end:
            raise SystemExit("not all cameras record")
        await asyncio.sleep(0.5)


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The simulated cameras."""
    with process("engine.demo", "--no-console", "--state", str(folder / "demo")) as running:
        socket = find_socket(folder)
        asyncio.run(add_twins(socket))
        yield socket, running


@contextmanager
def noise(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Snow, one picture a second."""
    volume, socket, config = folder / "volume", folder / "engine.sock", folder / "station.toml"
    volume.mkdir()
    config.write_text("")
    stream = RtspStream(pattern="snow", width=480, height=270, fps=4, gop=4, kbps=3000)
    with (
        RtspServer([stream]) as server,
        process(
            "engine", "--state", str(folder / "state"), "--socket", str(socket), "--config", str(config)
        ) as running,
    ):
        find_socket(folder)
        asyncio.run(add_noise(str(socket), volume, server.url()))
        yield str(socket), running


@contextmanager
def process(*module: str) -> Iterator[psutil.Process]:
    """`python -m ...`, ended in good order."""
    running = subprocess.Popen(
        [sys.executable, "-m", *module], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(running.pid)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)


SCENES = {"noise": noise, "demo": demo}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mbit", type=float, default=1.0, help="of the line, a second")
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("--forms", nargs="*", default=list(FORMS), choices=list(FORMS))
    parser.add_argument("--sides", nargs="*", type=int, default=[2, 4])
    parser.add_argument("--scenes", nargs="*", default=list(SCENES), choices=list(SCENES))
    options = parser.parse_args()
    bytes_s = options.mbit * 1_000_000 / 8
    report: dict[str, Any] = {
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()[0], "python": sys.version.split()[0]},
        "terminal": f"{COLUMNS}x{ROWS}, {options.mbit:g} Mbit/s, cells of 10x20 pixels",
        "limit_key_p95_ms": LIMIT_MS,
        "walls": {},
    }
    for scene in options.scenes:
        with tempfile.TemporaryDirectory() as folder, SCENES[scene](Path(folder)) as (socket, engine):
            for side in options.sides:
                for form in options.forms:
                    name = f"{scene} {side}x{side} {form}"
                    ours, peer = (
                        measure(socket, engine, form, side, bytes_s, options.keys, is_paced=is_paced)
                        for is_paced in (True, False)
                    )
                    report["walls"][name] = {
                        "paced": ours,
                        "all_at_once": peer,
                        "is_within": ours["key_p95_ms"] <= LIMIT_MS,
                        "load": round(os.getloadavg()[0], 1),
                    }
                    print(f"{name}: {json.dumps(report['walls'][name])}", file=sys.stderr)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

"""What recording costs a camera, beside its peers in the same run: `ffmpeg -c copy` and one GStreamer process.

Run: python -m tests.bench.recording [--cameras 32] [--seconds 30] [--peers ffmpeg,gstreamer] [--folder DIR]; prints JSON.
Every recorder gets the same load server, the same clip (1080p25, 4 Mbit/s) and the same file system.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import av
import psutil

from engine import wire
from engine.client import EngineClient
from tests.bench.clip import FPS, clip_path
from tests.bench.process_cost import Cost, cost_of, sync_calls

SETTLE_S = 8


@contextmanager
def load_server(packets_a_send: int) -> Iterator[int]:
    """The port of a running load server."""
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.bench.load_server", "--clip", str(clip_path()), "--fps", str(FPS)),
            *("--packets-a-send", str(packets_a_send)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield int(json.loads(server.stdout.readline())["port"])
    finally:
        server.terminate()
        server.communicate(timeout=10)  # reads what it sent, closes the pipe


def urls(port: int, cameras: int) -> list[str]:
    return [f"rtsp://127.0.0.1:{port}/camera{number}" for number in range(cameras)]


def per_camera(before: Cost, after: Cost, elapsed_s: float, cameras: int) -> dict[str, float]:
    """Rates of one camera; CPU both as seconds an hour and as per cent of one core."""
    cpu_s = after.cpu_s - before.cpu_s
    return {
        "cpu_s_per_camera_hour": round(cpu_s / cameras / elapsed_s * 3600, 2),
        "cpu_percent_per_camera": round(cpu_s / cameras / elapsed_s * 100, 4),
        "write_calls_per_camera_second": round(
            (after.write_calls - before.write_calls) / cameras / elapsed_s, 2
        ),
        "written_bytes_per_camera_second": round(
            (after.written_bytes - before.written_bytes) / cameras / elapsed_s
        ),
    }


def frames_lost_in(files: list[Path]) -> tuple[int, int]:
    """(frames on disk, frames missing inside): pictures are 1/FPS apart, so a longer step is a hole."""
    frames, missing = 0, 0
    for path in files:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            step = round(1 / FPS / stream.time_base)
            times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
        frames += len(times)
        missing += sum(round((b - a) / step) - 1 for a, b in zip(times, times[1:], strict=False))
    return frames, missing


async def watchdeck(
    port: int, cameras: int, seconds: int, folder: Path, retention_bytes: int | None = None
) -> dict[str, Any]:
    """One engine, `cameras` cameras, one volume; the oldest footage goes above `retention_bytes`."""
    state, volume, socket = folder / "state", folder / "volume", folder / "engine.sock"
    volume.mkdir(parents=True)
    log = (folder / "engine.log").open("wb")
    engine = subprocess.Popen(
        [sys.executable, "-m", "engine", "--state", str(state), "--socket", str(socket)], stderr=log
    )
    try:
        process = psutil.Process(engine.pid)
        while not socket.exists():
            await asyncio.sleep(0.1)
        async with EngineClient(socket) as client:
            await client.add_volume(
                wire.VolumeAdd(name="bench", path=str(volume), floor_bytes=1 << 30, allow_system_disk=True)
            )
            await client.edit_group("main", wire.GroupEdit(retention_bytes=retention_bytes or -1))
            await asyncio.sleep(2)
            base = cost_of([process])
            for number, url in enumerate(urls(port, cameras)):
                await client.add_camera(wire.CameraAdd(name=f"camera{number}", url=url))
            async with asyncio.timeout(60):
                while (await client.status()).cameras_recording < cameras:
                    await asyncio.sleep(0.5)
            await asyncio.sleep(SETTLE_S)
            before, start_s = cost_of([process]), time.perf_counter()
            await asyncio.sleep(seconds)
            after, elapsed_s = cost_of([process]), time.perf_counter() - start_s
            syncs = await asyncio.get_running_loop().run_in_executor(None, sync_calls, engine.pid, 10)
            views = await client.cameras()
        engine.send_signal(signal.SIGTERM)
        await asyncio.get_running_loop().run_in_executor(None, engine.wait)
    finally:
        engine.kill()
        log.close()
    frames, missing = frames_lost_in(sorted(volume.rglob("*.mp4")))
    return {
        **per_camera(before, after, elapsed_s, cameras),
        "rss_base_mb": round(base.rss_bytes / 1e6, 1),
        "rss_mb_per_camera": round((after.rss_bytes - base.rss_bytes) / 1e6 / cameras, 2),
        "sync_calls_in_10_s": syncs,
        "frames_on_disk": frames,
        "frames_lost": missing,
        "rtp_packets_lost": sum(view.lost_packets for view in views),
        "reconnects": sum(view.reconnects for view in views),
        "exit_code": engine.returncode,
    }


def measured(roots: list[psutil.Process], cameras: int, seconds: int) -> dict[str, Any]:
    """A peer that is already running, after it has settled."""
    time.sleep(SETTLE_S)
    before, start_s = cost_of(roots), time.perf_counter()
    time.sleep(seconds)
    after, elapsed_s = cost_of(roots), time.perf_counter() - start_s
    return {
        **per_camera(before, after, elapsed_s, cameras),
        "rss_mb_per_camera": round(after.rss_bytes / 1e6 / cameras, 2),
    }


def ffmpeg(port: int, cameras: int, seconds: int, folder: Path) -> dict[str, Any]:
    """One `ffmpeg -c copy` a camera, writing fragmented MP4 segments of two minutes."""
    with ExitStack() as stack:
        processes = []
        for number, url in enumerate(urls(port, cameras)):
            command = [
                "ffmpeg",
                "-nostdin",
                "-loglevel",
                "error",
                "-rtsp_transport",
                "tcp",
                "-i",
                url,
                "-c",
                "copy",
            ]
            command += ["-f", "segment", "-segment_time", "120", "-segment_format_options"]
            command += [
                "movflags=frag_keyframe+empty_moov+default_base_moof",
                str(folder / f"f{number}-%03d.mp4"),
            ]
            process = subprocess.Popen(command)
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(psutil.Process(process.pid))
        return measured(processes, cameras, seconds)


def gstreamer(port: int, cameras: int, seconds: int, folder: Path) -> dict[str, Any]:
    """One gst-launch process with a pipeline a camera."""
    command = ["gst-launch-1.0", "-q"]
    for number, url in enumerate(urls(port, cameras)):
        command += [
            "rtspsrc",
            f"location={url}",
            "protocols=tcp",
            "latency=0",
            "!",
            "rtph264depay",
            "!",
            "h264parse",
        ]
        command += ["!", "mp4mux", "fragment-duration=2000", "streamable=true", "!", "filesink"]
        command += [f"location={folder / f'g{number}.mp4'}"]
    process = subprocess.Popen(command)
    try:
        return measured([psutil.Process(process.pid)], cameras, seconds)
    finally:
        process.kill()
        process.wait()


PEERS = {"ffmpeg": ("ffmpeg", ffmpeg), "gstreamer": ("gst-launch-1.0", gstreamer)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--peers", default="ffmpeg,gstreamer")
    parser.add_argument(
        "--folder", type=Path, default=None, help="where to record (default: a temporary folder)"
    )
    parser.add_argument(
        "--retention-bytes", type=int, default=None, help="bound what the run leaves on the disk"
    )
    parser.add_argument(
        "--packets-a-send",
        type=int,
        default=1,
        help="RTP packets the cameras hand to one send(2): 1 as live555 and most firmware do, 0 = a whole frame",
    )
    arguments = parser.parse_args()
    results: dict[str, Any] = {
        "benchmark": "recording",
        "machine": f"{os.cpu_count()} x {platform.machine()}, {platform.system()} {platform.release()}",
        "cameras": arguments.cameras,
        "seconds": arguments.seconds,
        "clip": "1080p25 H.264 4 Mbit/s",
        "packets_a_send": arguments.packets_a_send,
    }
    folder = Path(tempfile.mkdtemp(prefix="watchdeck-bench-", dir=arguments.folder))
    try:
        with load_server(arguments.packets_a_send) as port:
            results["watchdeck"] = asyncio.run(
                watchdeck(
                    port,
                    arguments.cameras,
                    arguments.seconds,
                    folder / "watchdeck",
                    arguments.retention_bytes,
                )
            )
            for name in filter(None, arguments.peers.split(",")):
                tool, peer = PEERS[name]
                if not shutil.which(tool):
                    results[name] = {"skipped": f"{tool} is not installed"}
                    continue
                results[name] = peer(port, arguments.cameras, arguments.seconds, folder)
                results[f"cpu_ratio_to_{name}"] = round(
                    results["watchdeck"]["cpu_percent_per_camera"] / results[name]["cpu_percent_per_camera"],
                    3,
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()

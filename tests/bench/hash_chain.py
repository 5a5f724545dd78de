"""What the hash chain adds to recording: CPU of writing the same parts with it and without, in turn, in one thread.

Run: python -m tests.bench.hash_chain [--parts 400] [--kbit 4000] [--folder DIR]; prints JSON. Parts of one second, as most
cameras make them; `cpu_percent_per_camera` is of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from storage.evidence.station_key import StationKey
from storage.segments.chain import RunChain
from storage.segments.packet import Codec, Packet, Track
from storage.segments.part import Part, PartBuilder
from storage.segments.writer import SegmentWriter
from tests.fakes.segment_files import identity

FPS = 25
HZ = 90_000
ROUNDS = 5


def parts(count: int, kbit: int) -> list[Part]:
    """JPEG pictures, because what they hold does not matter: one part a second."""
    track = Track(codec=Codec.MJPEG, time_base_hz=HZ, width=1920, height=1080)
    builder = PartBuilder((track,))
    made = []
    for number in range(count):
        for index in range(FPS):
            data = os.urandom(kbit * 1000 // 8 // FPS)
            builder.add(Packet(0, (number * FPS + index) * HZ // FPS, True, data, 0))
        made.append(builder.take((number + 1) * HZ))
    return made


def cpu_s(folder: Path, name: str, track: Track, content: list[Part], chain: RunChain | None) -> float:
    """Of this thread, for writing them all."""
    writer = SegmentWriter.create(folder, name, identity(), (track,), chain=chain)
    begin = time.thread_time()
    for part in content:
        writer.append(part)
    writer.close()
    took_s = time.thread_time() - begin
    writer.path.unlink()
    return took_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=400)
    parser.add_argument("--kbit", type=int, default=4000)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    content = parts(arguments.parts, arguments.kbit)
    track = Track(codec=Codec.MJPEG, time_base_hz=HZ, width=1920, height=1080)
    key = StationKey.generate()
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        for number in range(ROUNDS):
            for kind, chain in (("without", None), ("with", RunChain(key))):
                took_s = cpu_s(Path(name), f"{kind}{number}.mp4", track, content, chain)
                best[kind] = min(took_s, best.get(kind, took_s))
    added_s = (best["with"] - best["without"]) / arguments.parts
    results: dict[str, Any] = {
        "benchmark": "hash_chain",
        "machine": f"{os.cpu_count()} x {platform.machine()}, {platform.system()} {platform.release()}",
        "parts": arguments.parts,
        "kbit": arguments.kbit,
        "without_us_a_part": round(best["without"] / arguments.parts * 1e6),
        "with_us_a_part": round(best["with"] / arguments.parts * 1e6),
        "added_cpu_percent_per_camera": round(added_s * 100, 4),
    }
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()

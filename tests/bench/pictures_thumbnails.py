"""A thumbnail search: 600 pictures of 100 minutes of 1080p H.264 through the engine's API, beside ffmpeg once a picture.

    python -m tests.bench.pictures_thumbnails [--workers 1] [--peers 40]

The engine is a process of its own with recorded segments on a volume of its own; the client asks for eight pictures at a time,
as JPEG of 320 pixels (what ffmpeg makes too), as half blocks and as sixels. `first_screen_ms` is when the first 24 are there.
ffmpeg is run for every fifteenth of the same moments (`-ss T -i FILE -frames:v 1`, also with seeking to keyframes only, which is
the picture a thumbnail shows); its total is its mean times 600. The page cache is warm for both. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from engine import wire
from engine.client import EngineClient
from storage.catalog.changes import BeginRun, Change, CloseSegment, OpenSegment
from storage.catalog.db import Catalog
from storage.clock import SystemClock
from storage.segments.packet import Codec, Packet, Track
from storage.segments.places import encode_places
from storage.units import US_PER_SECOND
from tests.bench.clip import FPS, HEIGHT, SECONDS, WIDTH, clip_path
from tests.e2e.engine_process import EngineProcess
from tests.fakes.encoded_video import nal_units, with_lengths
from tests.fakes.segment_files import identity, parts_of, write_segment

THUMBNAILS = 600
FIRST_SCREEN = 24
INTERVAL_US = 10 * US_PER_SECOND
SEGMENT_S = 120
SEGMENTS = 51
IN_FLIGHT = 8
THUMBNAIL_PX = 320
VIDEO_HZ = 90_000
CAMERA = "Gate"


def access_units(stream: bytes) -> list[tuple[bool, list[bytes]]]:
    """Pictures of an Annex B stream: whether a keyframe, and its NAL units. The encoder makes one slice a picture."""
    units: list[tuple[bool, list[bytes]]] = []
    for nal in nal_units(stream):
        if nal[0] & 0x1F in (1, 5):
            units.append((nal[0] & 0x1F == 5, [nal]))
    return units


def packets(stream: bytes) -> tuple[Track, list[Packet]]:
    """Two minutes of the benchmarks' camera: the clip again and again."""
    sets = {nal[0] & 0x1F: nal for nal in nal_units(stream) if nal[0] & 0x1F in (7, 8)}
    track = Track(
        codec=Codec.H264,
        time_base_hz=VIDEO_HZ,
        parameter_sets=(sets[7], sets[8]),
        width=WIDTH,
        height=HEIGHT,
    )
    units = access_units(stream)
    assert len(units) == FPS * SECONDS, len(units)
    made = []
    for number in range(SEGMENT_S * FPS):
        is_keyframe, nals = units[number % len(units)]
        made.append(Packet(0, number * VIDEO_HZ // FPS, is_keyframe, with_lengths(nals), 0))
    return track, made


def record(root: Path, catalog_path: Path, start_us: int) -> list[Path]:
    """One run of segments: one is written, the others are the same file by other names."""
    track, made = packets(clip_path().read_bytes())
    run = uuid4()
    first = f"bench/{run}-0.mp4"
    path, summary = write_segment(
        root, first, (track,), parts_of((track,), made), who=identity(0, start_us, run)
    )
    paths = [path]
    with Catalog.open(catalog_path) as catalog:
        camera, (volume,) = catalog.camera(CAMERA), catalog.volumes()
        changes: list[Change] = [BeginRun(run, camera.id, start_us, (track,))]
        for sequence in range(SEGMENTS):
            relative, at_us = f"bench/{run}-{sequence}.mp4", start_us + sequence * SEGMENT_S * US_PER_SECOND
            if sequence:
                paths.append(root / relative)
                os.link(path, paths[-1])
            changes += [
                OpenSegment(run, sequence, volume.id, relative, at_us),
                CloseSegment(
                    run,
                    sequence,
                    at_us + SEGMENT_S * US_PER_SECOND,
                    summary.video_duration_ticks,
                    summary.bytes,
                    encode_places(summary.keyframes),
                ),
            ]
        catalog.apply(changes)
    return paths


async def search(client: EngineClient, start_us: int, **form: Any) -> dict[str, float]:
    """All thumbnails, in order, a few at a time: milliseconds to the first screen and to the last."""
    waiting = iter(range(THUMBNAILS))
    done_ms: list[float] = []
    began_s = time.perf_counter()

    async def ask() -> None:
        for number in waiting:
            request = wire.PictureRequest(
                camera=CAMERA, at_us=start_us + number * INTERVAL_US, is_rough=True, **form
            )
            reply = await client.picture(request)
            assert reply.time_us <= start_us + number * INTERVAL_US, reply
            assert reply.data or reply.cells, reply
            done_ms.append((time.perf_counter() - began_s) * 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(ask())
    return {"first_screen_ms": round(done_ms[FIRST_SCREEN - 1]), "total_s": round(done_ms[-1] / 1000, 2)}


def peer(paths: list[Path], count: int, folder: Path, *before: str) -> float:
    """Seconds of ffmpeg for one picture, mean over `count` of the same moments."""
    took_s = []
    for number in range(0, THUMBNAILS, THUMBNAILS // count):
        at_s = number * INTERVAL_US // US_PER_SECOND
        began_s = time.perf_counter()
        subprocess.run(
            [
                *("ffmpeg", "-nostdin", "-v", "error", "-y", *before, "-ss", str(at_s % SEGMENT_S)),
                *("-i", str(paths[at_s // SEGMENT_S]), "-frames:v", "1"),
                *("-vf", f"scale={THUMBNAIL_PX}:-1", str(folder / "peer.jpg")),
            ],
            check=True,
        )
        took_s.append(time.perf_counter() - began_s)
    return statistics.mean(took_s)


async def measure(folder: Path, workers: int, peers: int) -> dict[str, Any]:
    engine = EngineProcess(
        folder / "state", config=f"[pictures]\nworkers = {workers}\nmotion_percent = 0.0\n"
    )
    root = folder / "volume"
    try:
        client = await engine.start()
        camera = await client.add_camera(
            wire.CameraAdd(name=CAMERA, url="rtsp://127.0.0.1:1/none", mode="off")
        )
        UUID(camera.uuid)
        await client.add_volume(
            wire.VolumeAdd(name="bench", path=str(root), floor_bytes=1, allow_system_disk=True)
        )
        engine.stop()
        start_us = SystemClock().now_us() - 2 * SEGMENTS * SEGMENT_S * US_PER_SECOND
        paths = await asyncio.get_running_loop().run_in_executor(
            None, lambda: record(root, folder / "state" / "catalog.sqlite", start_us)
        )
        client = await engine.start()
        # The workers' libraries are loaded and the file is in the page cache: of all that follows alike.
        await client.picture(wire.PictureRequest(camera=CAMERA, at_us=start_us + US_PER_SECOND))
        paths[0].read_bytes()
        cells = {"columns": 26, "rows": 8, "cell_width_px": 10, "cell_height_px": 20}
        ours = {
            "jpeg_320": await search(client, start_us, width_px=THUMBNAIL_PX),
            "half_blocks": await search(
                client, start_us, format=wire.PictureFormat.HALF_BLOCK, colors=256, **cells
            ),
            "sixels": await search(client, start_us, format=wire.PictureFormat.SIXEL, colors=64, **cells),
            "again_from_the_cache": await search(client, start_us, width_px=THUMBNAIL_PX),
        }
    finally:
        await engine.end()
    exact_s = peer(paths, peers, folder)
    keyframe_s = peer(paths, peers, folder, "-noaccurate_seek")
    total_s = ours["jpeg_320"]["total_s"]
    return {
        "thumbnails": THUMBNAILS,
        "workers": workers,
        "in_flight": IN_FLIGHT,
        "ours": ours,
        "ffmpeg": {
            "picture_ms": round(exact_s * 1000, 1),
            "total_s": round(exact_s * THUMBNAILS, 1),
            "first_screen_ms": round(exact_s * FIRST_SCREEN * 1000),
            "keyframe_picture_ms": round(keyframe_s * 1000, 1),
            "keyframe_total_s": round(keyframe_s * THUMBNAILS, 1),
        },
        "times_faster": round(exact_s * THUMBNAILS / total_s, 1),
        "times_faster_than_keyframes_only": round(keyframe_s * THUMBNAILS / total_s, 1),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--peers", type=int, default=40, help="pictures that ffmpeg makes")
    given = options.parse_args()
    if shutil.which("ffmpeg") is None:
        sys.exit("ffmpeg is not installed")
    with tempfile.TemporaryDirectory(prefix="wd-bench-", dir="/tmp") as folder:
        print(json.dumps(asyncio.run(measure(Path(folder), given.workers, given.peers)), indent=2))


if __name__ == "__main__":
    main()

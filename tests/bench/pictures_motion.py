"""Motion searches: 24 h of one camera from stored looks, beside decoding the same footage; bytes a day; the timeline's histogram.

    python -m tests.bench.pictures_motion [--minutes 10]

One look a second, something moves in three minutes of ten. Decoded are `--minutes` of 1080p H.264 with a keyframe a second, by the search
itself and by ffmpeg (keyframes only, scaled to the cells' grid), which compares nothing. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import numpy as np

from engine.api.permissions import Caller, Role
from engine.background import in_background
from engine.catalog_thread import CatalogThread
from engine.recording.segment import SegmentTail
from engine.search.footage_search import FootageSearch
from engine.wire_search import ActivityQuery, MotionDecoding, MotionSearch, MotionSearchView, SearchState
from storage.catalog.changes import BeginRun, Change, CloseSegment, OpenSegment
from storage.catalog.db import Catalog
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import CELLS, COLUMNS, MotionLook, encode_block
from storage.clock import SystemClock
from storage.segments.places import PartPlace, encode_places
from storage.volumes.volume import segment_path
from tests.fakes.encoded_video import coded
from tests.fakes.segment_files import identity, parts_of, write_segment

SECOND = 1_000_000
DAY_S = 86_400
SEGMENT_S = 120
BLOCK_S = 300
DAYS = 3
START_US = 1_767_225_600 * SECOND
BUSY_SHARE = 0.3
CALLER = Caller(0, "bench", Role.ADMINISTRATOR)
LEFT_THIRD = ((0, 0), (3_333, 0), (3_333, 10_000), (0, 10_000))
ROUNDS = 7


class NoTails:
    def tails(self) -> list[SegmentTail]:
        return []


def thing(rng: random.Random) -> int:
    """Something that moves: up to 6 x 6 cells, with holes."""
    left, top = rng.randrange(26), rng.randrange(12)
    cells = 0
    for row in range(top, top + rng.randrange(1, 6)):
        for column in range(left, left + rng.randrange(1, 6)):
            if rng.random() < 0.9:
                cells |= 1 << CELLS - 1 - row * COLUMNS - column
    return cells


def looks_of(days: int) -> list[MotionLook]:
    rng, looks, is_busy = random.Random(1), [], False
    for second in range(days * DAY_S):
        if second % 60 == 0:
            is_busy = rng.random() < BUSY_SHARE
        jitter_us = rng.randrange(-15, 15) * 1_000
        looks.append(MotionLook(START_US + second * SECOND + jitter_us, thing(rng) if is_busy else 0))
    return looks


def fill(catalog: Catalog, camera: str, with_looks: bool) -> dict[str, float]:
    """DAYS of rows: segments with a place a second, and perhaps looks."""
    camera_id = catalog.add_camera(name=camera, url="rtsp://192.0.2.1/").id
    volume_id = catalog.volumes()[0].id
    run = uuid4()
    stream = coded("h264", [np.zeros((96, 160, 3), np.uint8)])
    places = encode_places(
        PartPlace(1_000 + number * 500_000, 500_000, number * 90_000, True) for number in range(SEGMENT_S)
    )
    changes: list[Change] = [BeginRun(run, camera_id, START_US, (stream.track,))]
    for number in range(DAYS * DAY_S // SEGMENT_S):
        start_us = START_US + number * SEGMENT_S * SECOND
        changes += [
            OpenSegment(run, number, volume_id, f"{camera}/{number}.mp4", start_us),
            CloseSegment(
                run,
                number,
                start_us + SEGMENT_S * SECOND,
                SEGMENT_S * 90_000,
                60_000_000 + number % 97,
                places,
            ),
        ]
    catalog.apply(changes)
    if not with_looks:
        return {}
    looks = looks_of(DAYS)
    began_s = time.perf_counter()
    blocks = []
    for first in range(0, len(looks), BLOCK_S - 5):
        part = looks[first : first + BLOCK_S - 5]
        moved = sum(1 for look in part if look.cells)
        blocks.append(MotionBlock(camera_id, part[0].time_us, part[-1].time_us, moved, encode_block(part)))
    encoded_s = time.perf_counter() - began_s
    catalog.put_motion_blocks(blocks)
    return {
        "stored_bytes_a_day": sum(len(block.looks) for block in blocks) // DAYS,
        "peer_zlib_on_top_bytes_a_day": sum(len(zlib.compress(block.looks)) for block in blocks) // DAYS,
        "peer_plain_72_bytes_a_look": DAY_S * 72,
        "encode_ms_a_camera_day": round(encoded_s * 1000 / DAYS, 1),
    }


def film(catalog: Catalog, root: Path, minutes: int) -> list[Path]:
    """Real footage, 1080p, a keyframe a second: twenty pictures again and again."""
    volume = catalog.volumes()[0]
    camera = catalog.add_camera(name="filmed", url="rtsp://192.0.2.1/")
    rng = np.random.default_rng(1)
    still = rng.integers(0, 256, (108, 192, 3), np.uint8).repeat(10, axis=0).repeat(10, axis=1)
    pictures = []
    for number in range(20):
        picture = still.copy()
        picture[200:700, number * 90 : number * 90 + 150] = 230
        pictures.append(picture)
    stream = coded("h264", pictures)
    run = uuid4()
    changes: list[Change] = [BeginRun(run, camera.id, START_US, (stream.track,))]
    paths = []
    zero = stream.packets[0]
    for number in range(minutes * 60 // SEGMENT_S):
        start_us = START_US + number * SEGMENT_S * SECOND
        packets = [
            type(zero)(
                0,
                zero.pts_ticks + each * 90_000,
                True,
                stream.packets[each % 20].data,
                zero.arrival_monotonic_us + each * SECOND,
            )
            for each in range(SEGMENT_S)
        ]
        relative = segment_path(camera.uuid, start_us, run, number)
        path, summary = write_segment(
            root,
            relative,
            (stream.track,),
            parts_of((stream.track,), packets),
            who=identity(number, start_us, run),
        )
        changes += [
            OpenSegment(run, number, volume.id, relative, start_us),
            CloseSegment(
                run,
                number,
                start_us + SEGMENT_S * SECOND,
                summary.video_duration_ticks,
                path.stat().st_size,
                encode_places(summary.keyframes),
            ),
        ]
        paths.append(path)
    catalog.apply(changes)
    return paths


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    """Median of some rounds, ms."""
    taken = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - began_s) * 1000)
    return round(statistics.median(taken), 1)


async def measure(catalog_path: Path, minutes: int) -> dict[str, object]:
    files = ThreadPoolExecutor(4)
    async with CatalogThread(catalog_path) as catalog:
        search = FootageSearch(catalog, NoTails(), lambda uuid: (), SystemClock(), files)
        async with in_background(catalog=catalog.run, search=search.run):
            await asyncio.sleep(0)

            async def find(camera: str, length_s: int, **fields: object) -> MotionSearchView:
                asked = MotionSearch(
                    camera=camera,
                    start_us=START_US,
                    end_us=START_US + length_s * SECOND,
                    **{"limit": 5_000, **fields},  # type: ignore[arg-type]
                )
                view = await search.begin(await catalog.read("camera", camera), asked, CALLER)
                while view.state is SearchState.RUNNING:
                    view = await search.view(view.id, CALLER, wait_ms=20_000)
                assert view.state is SearchState.DONE, view.trouble
                return view

            async def bars(camera: str, length_s: int, bins: int) -> None:
                query = ActivityQuery(
                    camera=camera, start_us=START_US, end_us=START_US + length_s * SECOND, bins=bins
                )
                await search.activity(await catalog.read("camera", camera), query)

            whole = await find("looked", DAY_S)
            assert whole.decoded_looks == 0
            result: dict[str, object] = {
                "stored_24h_ms": await timed(lambda: find("looked", DAY_S)),
                "stored_24h_left_third_ms": await timed(lambda: find("looked", DAY_S, polygon=LEFT_THIRD)),
                "stored_1h_ms": await timed(lambda: find("looked", 3_600)),
                "stored_24h_hits": len(whole.hits),
                "stored_24h_looks": whole.stored_looks,
                "activity_3_days_2000_bins_ms": await timed(lambda: bars("looked", DAYS * DAY_S, 2_000)),
                "activity_6h_200_bins_ms": await timed(lambda: bars("looked", 6 * 3_600, 200)),
                "activity_1h_2000_bins_ms": await timed(lambda: bars("looked", 3_600, 2_000)),
                "activity_by_size_3_days_2000_bins_ms": await timed(
                    lambda: bars("sized", DAYS * DAY_S, 2_000)
                ),
                "activity_by_size_6h_2000_bins_ms": await timed(lambda: bars("sized", 6 * 3_600, 2_000)),
            }
            began_s = time.perf_counter()
            view = await find("filmed", minutes * 60, decoding=MotionDecoding.ALWAYS)
            taken_s = time.perf_counter() - began_s
            assert view.decoded_looks == minutes * 60 // SEGMENT_S * SEGMENT_S, view
            result["decoded_minutes"] = minutes
            result["decoded_s_an_hour"] = round(taken_s * 60 / minutes, 2)
    files.shutdown()
    return result


def peer_s(paths: list[Path]) -> float | None:
    """ffmpeg over the same files: keyframes decoded and scaled, nothing compared; the file names are its only arguments."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return None
    began_s = time.perf_counter()
    for path in paths:
        subprocess.run(
            [
                ffmpeg,
                "-v",
                "error",
                "-threads",
                "1",
                "-skip_frame",
                "nokey",
                "-i",
                str(path),
                "-vf",
                "scale=128:72",
                "-f",
                "null",
                "-",
            ],
            check=True,
        )
    return time.perf_counter() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=10, help="of real footage to decode; even")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "volume")
        root.mkdir()
        path = Path(folder, "catalog.sqlite")
        with Catalog.open(path) as catalog:
            catalog.add_volume(uuid=uuid4(), name="disk", path=str(root), group="main", floor_bytes=1)
            sizes = fill(catalog, "looked", True)
            fill(catalog, "sized", False)
            paths = film(catalog, root, minutes)
        result = asyncio.run(measure(path, minutes))
        ffmpeg_s = peer_s(paths)
        if ffmpeg_s is not None:
            result["peer_ffmpeg_s_an_hour"] = round(ffmpeg_s * 60 / minutes, 2)
    json.dump({**result, **sizes}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()

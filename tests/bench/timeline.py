"""How quick the catalog is at 128 cameras x 30 days of 120 s segments: `python -m tests.bench.timeline`.

Prints JSON. Every number stands beside its peer on the same file in the same run:
- timeline: coverage of 24 h of 16 cameras; peers: the same rows through an index that covers nothing, whole rows
  fetched, and the merge done by SQL window functions (gaps and islands) on our index;
- retention: choose the oldest 128 unlocked segments of a group, mark them, forget them (two commits included);
  peer: choosing by a plain index on (volume, time), asking the locks of each row.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from storage.catalog.changes import BeginRun, CloseSegment, GrowSegment, OpenSegment
from storage.catalog.db import Catalog
from storage.segments.packet import Codec, Track
from storage.units import US_PER_DAY, US_PER_SECOND

SEGMENT_US = 120 * US_PER_SECOND
START_US = 1_767_225_600 * US_PER_SECOND
LOCKED_DAYS = 2
TRACK = Track(codec=Codec.H264, time_base_hz=90_000, width=1920, height=1080)

# segments of one camera: number, then its wall time; cameras are staggered, ids follow time as in real life
_FILL = """
WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :count)
INSERT INTO segment (camera_id, run_id, volume_id, sequence, path, start_us, end_us, media_duration_ticks, bytes,
                     state, lock_count)
SELECT run.camera_id, run.id, 1 + run.camera_id % 2, n,
       printf('%s/2026-01-%02d/%06d.%06dZ-%s-%d.mp4', :folder, 1 + n / 720, n, run.camera_id, 'abcdef01', n),
       :start + n * :length + run.camera_id * 900000, :start + (n + 1) * :length + run.camera_id * 900000,
       10800000, 60000000 + (n * 7919 + run.camera_id * 104729) % 1000000, 1, n < :locked
  FROM number CROSS JOIN run
"""

_ISLANDS = """
SELECT min(start_us), max(end_us) FROM (
  SELECT start_us, end_us, sum(is_new) OVER (ORDER BY start_us) AS island FROM (
    SELECT start_us, end_us,
           coalesce(start_us > max(end_us) OVER (ORDER BY start_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                    + 1000000, 1) AS is_new
      FROM segment WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us > ? AND state < 2))
GROUP BY island
"""


def build(path: Path, cameras: int, days: int) -> Catalog:
    """A full catalog, filled by one INSERT with the triggers off; the sums are then set as they would have been."""
    catalog = Catalog.open(path)
    for number in (1, 2):
        catalog.add_volume(
            uuid=uuid4(), name=f"volume {number}", path=f"/srv/{number}", group="main", floor_bytes=0
        )
    folder = str(UUID(int=0))
    for number in range(cameras):
        camera = catalog.add_camera(name=f"camera {number}", url=f"rtsp://192.0.2.1/{number}")
        catalog.apply([BeginRun(uuid4(), camera.id, START_US, (TRACK,))])
        catalog.add_lock(
            camera_id=camera.id,
            start_us=START_US,
            end_us=START_US + LOCKED_DAYS * US_PER_DAY,
            created_us=START_US,
        )
    connection = catalog._connection
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    connection.execute("BEGIN")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(
        _FILL,
        {
            "count": days * US_PER_DAY // SEGMENT_US,
            "start": START_US,
            "length": SEGMENT_US,
            "folder": folder,
            "locked": LOCKED_DAYS * US_PER_DAY // SEGMENT_US,
        },
    )
    connection.execute(
        "UPDATE volume SET (used_bytes, locked_bytes) ="
        " (SELECT sum(bytes), sum(bytes * (lock_count > 0)) FROM segment WHERE volume_id = volume.id)"
    )
    connection.execute("UPDATE camera SET longest_segment_us = ?", (SEGMENT_US,))
    for _, sql in triggers:
        connection.execute(sql)
    connection.execute("COMMIT")
    catalog.close()
    return Catalog.open(path)


def median_ms(repeat: int, measured: Callable[[int], Any]) -> float:
    """Of `repeat` calls, each given its number (so that each can look at another day)."""
    taken = []
    for number in range(repeat):
        begin = time.perf_counter()
        measured(number)
        taken.append((time.perf_counter() - begin) * 1000)
    return round(statistics.median(taken), 3)


def drop_from_page_cache(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure_timeline(catalog: Catalog, path: Path, days: int, repeat: int) -> dict[str, Any]:
    connection = catalog._connection
    connection.execute("CREATE INDEX peer_by_camera ON segment (camera_id, start_us)")

    def window(number: int) -> tuple[list[int], int, int]:
        first = (number * 16) % 112 + 1
        start_us = START_US + (number % max(1, days - 1)) * US_PER_DAY + US_PER_DAY // 2
        return list(range(first, first + 16)), start_us, start_us + US_PER_DAY

    def plain(number: int) -> None:
        ids, start_us, end_us = window(number)
        for camera_id in ids:
            connection.execute(
                "SELECT * FROM segment INDEXED BY peer_by_camera"
                " WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us > ? AND state < 2"
                " ORDER BY start_us",
                (camera_id, start_us - SEGMENT_US, end_us, start_us),
            ).fetchall()

    def islands(number: int) -> None:
        ids, start_us, end_us = window(number)
        for camera_id in ids:
            connection.execute(_ISLANDS, (camera_id, start_us - SEGMENT_US, end_us, start_us)).fetchall()

    ours = median_ms(repeat, lambda number: catalog.coverage(*window(number)))
    peers = {"row fetch": median_ms(repeat, plain), "window functions": median_ms(repeat, islands)}
    rows = median_ms(repeat, lambda number: catalog.segments(*window(number)))
    connection.execute("DROP INDEX peer_by_camera")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    catalog.close()
    cold = []
    for number in range(3):
        drop_from_page_cache(path)
        with Catalog.open(path, read_only=True) as reader:
            cold.append(median_ms(1, lambda _, n=number, r=reader: r.coverage(*window(n))))
    return {
        "what": "coverage of 24 h of 16 cameras",
        "median_ms": ours,
        "limit_ms": 50,
        "after_dropping_the_page_cache_ms": statistics.median(cold),
        "all_segments_of_it_median_ms": rows,
        "peers_median_ms": peers,
        "peer_over_ours": {name: round(value / ours, 2) for name, value in peers.items()},
    }


def measure_retention(catalog: Catalog, repeat: int) -> dict[str, Any]:
    connection = catalog._connection
    connection.execute("CREATE INDEX peer_by_volume ON segment (volume_id, start_us)")

    def plain(_: int) -> None:
        for volume_id in (1, 2):
            connection.execute(
                "SELECT * FROM segment INDEXED BY peer_by_volume WHERE volume_id = ? AND state = 1"
                " AND NOT EXISTS (SELECT 1 FROM footage_lock AS l WHERE l.camera_id = segment.camera_id"
                " AND l.end_us > segment.start_us AND l.start_us < segment.end_us)"
                " ORDER BY start_us LIMIT 128",
                (volume_id,),
            ).fetchall()

    peer = median_ms(3, plain)
    connection.execute("DROP INDEX peer_by_volume")
    chosen: list[int] = []

    def choose(_: int) -> None:
        chosen[:] = [segment.id for segment in catalog.recycle_candidates(1, 128)]

    choose_ms = median_ms(repeat, choose)

    def step(number: int) -> None:
        choose(number)
        catalog.mark_deleting(chosen)
        catalog.forget(chosen)

    step_ms = median_ms(repeat, step)
    return {
        "what": f"choose, mark and forget the oldest 128 unlocked segments; the oldest {LOCKED_DAYS} days are locked",
        "median_ms": step_ms,
        "limit_ms": 20,
        "choose_median_ms": choose_ms,
        "group_usage_median_ms": median_ms(repeat, lambda _: catalog.group_usage(1)),
        "peers_median_ms": {"choose, locks asked per row": peer},
        "peer_over_ours": {"choose, locks asked per row": round(peer / choose_ms, 1)},
    }


def measure_recording(catalog: Catalog, cameras: int, days: int, repeat: int) -> dict[str, Any]:
    """One second of all recorders: every camera grows, one of them closes a segment and opens the next."""
    now_us = START_US + (days + 1) * US_PER_DAY
    runs = [uuid4() for _ in range(cameras)]
    catalog.apply([BeginRun(run, number + 1, now_us, (TRACK,)) for number, run in enumerate(runs)])
    catalog.apply([OpenSegment(run, 0, 1, f"{run}/0.mp4", now_us) for run in runs])

    def second(number: int) -> None:
        end_us = now_us + (number + 1) * US_PER_SECOND
        run = runs[number % cameras]
        catalog.apply(
            [
                *(GrowSegment(each, 0, end_us, 90_000 * number, 500_000 * number) for each in runs),
                CloseSegment(run, 0, end_us, 90_000 * number, 500_000 * number, b"k" * 600),
                OpenSegment(run, 1, 1, f"{run}/1.mp4", end_us),
            ]
        )

    return {
        "what": "one commit a second: every camera grows, one cuts",
        "median_ms": median_ms(min(repeat, cameras), second),
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.timeline", description=__doc__)
    parser.add_argument("--cameras", type=int, default=128)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--repeat", type=int, default=41)
    parser.add_argument("--folder", help="where the catalog is built (default: a temporary folder)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="watchdeck-bench-") as folder:
        path = Path(folder) / "catalog.db"
        begin = time.perf_counter()
        catalog = build(path, options.cameras, options.days)
        result: dict[str, Any] = {
            "bench": "timeline",
            "cameras": options.cameras,
            "days": options.days,
            "segments": options.cameras * options.days * US_PER_DAY // SEGMENT_US,
            "build_s": round(time.perf_counter() - begin, 1),
            "catalog_bytes": path.stat().st_size,
            "timeline": measure_timeline(catalog, path, options.days, options.repeat),
        }
        with Catalog.open(path) as catalog:
            result["retention"] = measure_retention(catalog, options.repeat)
            result["recording"] = measure_recording(catalog, options.cameras, options.days, options.repeat)
    result["within_limits"] = all(
        result[part]["median_ms"] <= result[part]["limit_ms"] for part in ("timeline", "retention")
    )
    json.dump(result, sys.stdout, indent=2)
    print()
    return 0 if result["within_limits"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

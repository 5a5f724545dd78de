"""Footage in which tests know who walks where and when: real files of really coded video, and their rows in a real catalog."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np

from storage.catalog.changes import BeginRun, CloseSegment, EndRun, OpenSegment
from storage.catalog.db import Catalog
from storage.catalog.records import Camera
from storage.segments.places import encode_places
from storage.volumes.volume import segment_path
from tests.fakes.encoded_video import Stream, coded
from tests.fakes.segment_files import identity, parts_of, write_segment

SECOND = 1_000_000
WIDTH_PX, HEIGHT_PX = 320, 180
LENGTH_S = 120
SEGMENT_S = 40
LEFT_S, RIGHT_S = range(20, 30), range(80, 90)
"""When somebody walks up and down the left and the right third."""
LIGHT_S = 60
"""From then on it is much lighter."""
LEFT_THIRD = ((0, 0), (3_333, 0), (3_333, 10_000), (0, 10_000))
RIGHT_THIRD = ((6_667, 0), (10_000, 0), (10_000, 10_000), (6_667, 10_000))
MIDDLE = ((3_600, 0), (6_400, 0), (6_400, 10_000), (3_600, 10_000))

Picture = Callable[[int], "np.ndarray"]


def by_day(second: int) -> np.ndarray:
    """The scene described above."""
    picture = _still().copy()
    for seconds, left_px in ((LEFT_S, 40), (RIGHT_S, 240)):
        if second in seconds:
            top_px = 20 + 12 * (second - seconds.start)
            picture[top_px : top_px + 50, left_px : left_px + 30] = 235
    if second >= LIGHT_S:
        picture = np.clip(picture.astype(np.int16) + 70, 0, 255).astype(np.uint8)
    return picture


def by_night(second: int) -> np.ndarray:
    """The same, dark, with the noise of a camera that sees little; nobody is there."""
    grain = np.random.default_rng(second).normal(0, 6, (HEIGHT_PX, WIDTH_PX, 1))
    return np.clip(_still() // 4 + grain, 0, 255).astype(np.uint8)


@functools.cache
def _still() -> np.ndarray:
    coarse = np.random.default_rng(3).integers(40, 120, (HEIGHT_PX // 20, WIDTH_PX // 20, 3))
    return coarse.repeat(20, axis=0).repeat(20, axis=1).astype(np.uint8)


@functools.cache
def filmed(picture: Picture, kind: str = "h264") -> Stream:
    """A keyframe a second, LENGTH_S of them."""
    return coded(kind, [picture(second) for second in range(LENGTH_S)])


def record(
    catalog: Catalog,
    root: Path,
    camera: Camera,
    volume_id: int,
    start_us: int,
    picture: Picture = by_day,
    kind: str = "h264",
) -> list[Path]:
    """LENGTH_S of the scene on the volume at `root`, in segments of SEGMENT_S. Returns the files."""
    stream = filmed(picture, kind)
    run = uuid4()
    changes: list[object] = [BeginRun(run, camera.id, start_us, (stream.track,))]
    paths = []
    for sequence, first in enumerate(range(0, LENGTH_S, SEGMENT_S)):
        begins_us = start_us + first * SECOND
        relative = segment_path(camera.uuid, begins_us, run, sequence)
        path, summary = write_segment(
            root,
            relative,
            (stream.track,),
            parts_of((stream.track,), stream.packets[first : first + SEGMENT_S]),
            who=identity(sequence, begins_us, run),
        )
        changes += [
            OpenSegment(run, sequence, volume_id, relative, begins_us),
            CloseSegment(
                run,
                sequence,
                begins_us + SEGMENT_S * SECOND,
                summary.video_duration_ticks,
                path.stat().st_size,
                encode_places(summary.keyframes),
            ),
        ]
        paths.append(path)
    catalog.apply([*changes, EndRun(run, start_us + LENGTH_S * SECOND, "test")])  # type: ignore[list-item]
    return paths

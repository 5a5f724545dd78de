"""One camera's footage and a search over it, for the tests of this folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from engine.api.permissions import Caller, Role
from engine.pictures.keyframe import LiveKeyframe
from engine.pictures.messages import MotionJob
from engine.pictures.worker import motion
from engine.recording.segment import SegmentTail
from engine.search.footage_search import FootageSearch
from engine.wire_search import (
    ActivityQuery,
    MotionSearch,
    MotionSearchView,
    SearchState,
)
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import MotionLook, encode_block
from storage.catalog.records import Camera
from tests.fakes.clock import FakeClock
from tests.fakes.direct_catalog import DirectCatalog
from tests.fakes.recorded_scene import (
    LENGTH_S,
    SECOND,
    Picture,
    by_day,
    filmed,
    record,
)
from tests.fakes.timer import FakeTimer

T0 = 1_767_225_600_000_000
ANNA = Caller(1000, "anna", Role.OPERATOR)
BEN = Caller(1001, "ben", Role.OPERATOR)
ROOT = Caller(0, "root", Role.ADMINISTRATOR)


@dataclass
class Yard:
    """One camera's footage, and a search over it."""

    catalog: DirectCatalog
    root: Path
    clock: FakeClock = field(default_factory=FakeClock)
    recent: list[MotionLook] = field(default_factory=list)

    def __post_init__(self) -> None:
        opened = self.catalog._catalog
        self.camera: Camera = opened.add_camera(name="yard", url="rtsp://192.0.2.1/")
        self.volume_id = opened.add_volume(
            uuid=uuid4(), name="disk", path=str(self.root), group="main", floor_bytes=1
        ).id
        self.timer = FakeTimer(self.clock)
        self.files = ThreadPoolExecutor(2)
        self.search = FootageSearch(
            self.catalog, self, lambda uuid: self.recent, self.clock, self.files, sleep=self.timer.sleep
        )

    def tails(self) -> list[SegmentTail]:
        return []

    def record(self, picture: Picture = by_day, start_us: int = T0, kind: str = "h264") -> list[Path]:
        return record(self.catalog._catalog, self.root, self.camera, self.volume_id, start_us, picture, kind)

    def look(self, picture: Picture = by_day, seconds: range = range(LENGTH_S), start_us: int = T0) -> None:
        """As the engine does while recording: in a block of two minutes at most."""
        looks = looked(picture)[seconds.start : seconds.stop]
        self.store([MotionLook(start_us + second * SECOND, cells) for second, cells in looks])

    def store(self, looks: list[MotionLook]) -> None:
        moved = sum(1 for look in looks if look.cells)
        block = MotionBlock(self.camera.id, looks[0].time_us, looks[-1].time_us, moved, encode_block(looks))
        self.catalog._catalog.put_motion_blocks([block])

    async def find(self, caller: Caller = ANNA, **asked: Any) -> MotionSearchView:
        """To its end."""
        fields = {"start_us": T0, "end_us": T0 + LENGTH_S * SECOND, "join_s": 3.0, **asked}
        view = await self.search.begin(self.camera, MotionSearch(camera="yard", **fields), caller)
        while view.state is SearchState.RUNNING:
            view = await self.search.view(view.id, caller, wait_ms=20_000)
        return view


def looked(picture: Picture) -> list[tuple[int, int]]:
    """(second, cells) of the scene, by the worker's own code."""
    background, found = b"", []
    for second, packet in enumerate(filmed(picture).packets):
        source = LiveKeyframe(camera="x", time_us=second + 1, track=filmed(picture).track, data=packet.data)
        seen = motion(MotionJob(source=source, background=background))
        background = seen.background
        found.append((second, int.from_bytes(seen.everywhere, "big")))
    return found


async def activity(
    yard: Yard, bins: int, start_s: int = 0, end_s: int = LENGTH_S
) -> tuple[list[int], list[bool]]:
    view = await yard.search.activity(
        yard.camera,
        ActivityQuery(camera="yard", start_us=T0 + start_s * SECOND, end_us=T0 + end_s * SECOND, bins=bins),
    )
    assert len(view.bins) == len(view.seen) == bins
    return list(view.bins), list(view.seen)

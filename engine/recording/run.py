"""One run in the making: an unbroken session of a camera with one set of tracks. Loop only; used by the recorder."""

from __future__ import annotations

from uuid import UUID, uuid4

from engine.recording.wall_time import WallTime
from storage.catalog.records import GapCause
from storage.segments.chain import RunChain
from storage.segments.packet import Packet, Track
from storage.segments.part import Part, PartBuilder

SETTLE_US = 1_000_000
"""The first parts of a run are held this long, until it shows whether the camera began with a pre-buffer."""
SETTLE_BYTES = 8 * 1024 * 1024
"""A pre-buffer larger than this is not waited for."""


class Run:
    """Packets in, parts out. `held` parts wait for the run's wall time to be taken; then `is_begun`."""

    __slots__ = (
        "builder",
        "chain",
        "ended",
        "first_arrival_us",
        "first_ticks",
        "held",
        "held_bytes",
        "hz",
        "is_announced",
        "is_begun",
        "last_arrival_us",
        "last_ticks",
        "leap_ticks",
        "least_part_ticks",
        "lost_from_ticks",
        "part_arrival_us",
        "part_is_keyed",
        "part_length_ticks",
        "part_ticks",
        "rate",
        "segment_due_ticks",
        "sequence",
        "start_us",
        "tracks",
        "uuid",
        "wall",
        "wall_minus_monotonic_us",
    )

    def __init__(self, tracks: tuple[Track, ...], video: int, first: Packet, rate: float) -> None:
        self.uuid: UUID = uuid4()
        self.chain = RunChain()
        """Of what is written of it; with its first segment it gets one that signs."""
        self.ended: tuple[str, GapCause] | None = None
        """Why no part of it follows."""
        self.tracks = tracks
        self.hz = tracks[video].time_base_hz
        self.builder = PartBuilder(tracks)
        self.wall = WallTime(self.hz, rate)
        self.rate = rate
        """Wall seconds of a media second."""
        self.first_ticks = self.last_ticks = self.part_ticks = first.pts_ticks
        self.leap_ticks = self.part_length_ticks = self.least_part_ticks = 0
        self.first_arrival_us = self.last_arrival_us = self.part_arrival_us = first.arrival_monotonic_us
        self.part_is_keyed = True
        """The part in the making opens with a keyframe."""
        self.start_us = 0
        self.wall_minus_monotonic_us = 0
        """Of the system's clocks, when last looked at."""
        self.is_begun = False
        self.is_announced = False
        """The catalog knows it: its first segment was opened."""
        self.sequence = 0
        self.segment_due_ticks = 0
        self.held: list[Part] = []
        self.held_bytes = 0
        self.lost_from_ticks: int | None = None
        """Frames were lost behind this media time, and no keyframe has come since."""

    def begin_again(self, start_us: int) -> None:
        """What of it goes to disk from here on is a run of its own: it was recorded around another event, or not yet."""
        self.uuid = uuid4()
        self.start_us = start_us
        self.is_announced = False
        self.sequence = 0

    def hold(self, part: Part) -> bool:
        """Keep a part of the beginning; True when it is time to take wall time."""
        self.held.append(part)
        self.held_bytes += part.bytes
        return self.held_bytes > SETTLE_BYTES or self.last_arrival_us - self.first_arrival_us >= SETTLE_US

    def take_held(self, recorded_until_us: int) -> list[Part]:
        """The held parts; without whole GOPs of a pre-buffer that the camera's last run has recorded already."""
        parts, self.held, self.held_bytes = self.held, [], 0
        first = 0
        for index, part in enumerate(parts):
            if part.has_keyframe_first and self.wall.at(part.video_start_ticks) <= recorded_until_us:
                first = index
        return parts[first:]

"""Tries a camera: connect, wait for the first keyframe, measure two seconds of video, hang up. Records nothing."""

from __future__ import annotations

import asyncio

from engine import wire
from engine.cameras.source import PacketSource
from engine.deadline import Deadline
from engine.recording.views import track_view
from engine.supervise import attempt
from storage.clock import Clock
from storage.errors import CameraStalled, WatchdeckError
from storage.segments.packet import Packet, Track
from storage.units import ticks_to_us

TEST_LIMIT_S = 20.0
MEASURED_US = 2_000_000


class MeasuringSink:
    """A PacketSink that counts: tracks, the first keyframe, frames and bytes from there on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_us = clock.monotonic_us()
        self.done = asyncio.Event()
        self.tracks: tuple[Track, ...] = ()
        self.first_keyframe_us: int | None = None
        """From the start of the test."""
        self._video = 0
        self._first_ticks = 0
        self._span_ticks = 0
        self._frames = 0
        self._bytes = 0

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        self.tracks = tracks
        self._video = next((index for index, track in enumerate(tracks) if track.is_video), 0)
        if self.first_keyframe_us is not None:
            self._frames = self._bytes = self._span_ticks = 0  # another stream now: measure that one

    def packet(self, packet: Packet) -> None:
        if self.done.is_set() or packet.track != self._video:
            return
        if self.first_keyframe_us is None or not self._frames or packet.is_discontinuity:
            if not packet.is_keyframe:
                return
            if self.first_keyframe_us is None:
                self.first_keyframe_us = self._clock.monotonic_us() - self._started_us
            self._first_ticks, self._frames, self._bytes, self._span_ticks = packet.pts_ticks, 0, 0, 0
        self._frames += 1
        self._bytes += len(packet.data)
        self._span_ticks = max(self._span_ticks, packet.pts_ticks - self._first_ticks)
        if self.span_us >= MEASURED_US:
            self.done.set()

    def frames_lost(self, detail: str) -> None:
        pass  # a test that loses frames shows it in its frame rate

    @property
    def span_us(self) -> int:
        """Of video seen from the first keyframe to the newest frame's start."""
        return ticks_to_us(self._span_ticks, self.tracks[self._video].time_base_hz) if self.tracks else 0

    @property
    def fps(self) -> float:
        return round((self._frames - 1) * 1e6 / self.span_us, 2) if self.span_us else 0.0

    @property
    def bitrate_bps(self) -> int:
        """Of the video; the last frame's bytes last for one more frame's time."""
        frame_us = self.span_us / (self._frames - 1) if self._frames > 1 else 0
        return round(self._bytes * 8e6 / (self.span_us + frame_us)) if self.span_us else 0


async def measure(source: PacketSource, clock: Clock, limit_s: float = TEST_LIMIT_S) -> wire.CameraTestReply:
    """What the source delivers within the time limit. A camera that fails is a reply, not an error."""
    sink = MeasuringSink(clock)
    error = await _run(source, sink, limit_s)
    if sink.first_keyframe_us is None:
        error = error or CameraStalled(
            f"no picture within {limit_s:.0f} s", "does another viewer use up the camera's connections?"
        )
        return wire.CameraTestReply(
            ok=False,
            tracks=tuple(map(track_view, sink.tracks)),
            code=error.code,
            what=error.what,
            remedy=error.remedy,
        )
    return wire.CameraTestReply(
        ok=True,
        tracks=tuple(map(track_view, sink.tracks)),
        fps=sink.fps,
        bitrate_bps=sink.bitrate_bps,
        first_picture_ms=sink.first_keyframe_us // 1000,
    )


async def _run(source: PacketSource, sink: MeasuringSink, limit_s: float) -> WatchdeckError | None:
    """Until the sink has seen enough, the source ends or fails, or time is up."""
    failures: list[WatchdeckError] = []

    async def session() -> None:
        error = await attempt("camera test", lambda: source.run(sink))
        failures.extend([error] if error else [])
        sink.done.set()

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(session(), name="camera test")
        try:
            async with Deadline(limit_s):
                await sink.done.wait()
        except TimeoutError:
            pass
        running.cancel()
    return failures[0] if failures else None

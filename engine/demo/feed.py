"""One demo camera on air: frames at a steady beat, turned into RTP and handed to everyone who watches.

Runs only while somebody watches, so idle cameras cost nothing. The clock, not the frame count, says which frame is
due: a machine that was busy skips frames, as a camera would.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Protocol

from engine.demo.access import Login
from engine.demo.encoder import FRAME_US, FRAMES_PER_SECOND, SceneEncoder, parameter_sets
from engine.demo.faults import Faults, Garbage
from engine.demo.scenery import scene
from engine.demo.tone import SAMPLE_RATE_HZ, samples_at
from engine.links.rtp_packets import (
    AUDIO_PAYLOAD_TYPE,
    VIDEO_CLOCK_HZ,
    VIDEO_PAYLOAD_TYPE,
    RtpStream,
    h264_payloads,
)
from storage.clock import Clock
from storage.units import US_PER_SECOND

REPORT_EVERY_FRAMES = 5 * FRAMES_PER_SECOND
VIDEO, AUDIO = 0, 1
_SAMPLES_A_FRAME = SAMPLE_RATE_HZ // FRAMES_PER_SECOND
_AUDIO_PACKETS_A_FRAME = 2


@dataclass(frozen=True, slots=True)
class DemoCamera:
    """A camera to serve at rtsp://host:port/<name>."""

    name: str
    scene: str
    """One of scenery.PAINTERS."""
    has_audio: bool = False
    login: Login | None = None


@dataclass(slots=True)
class Burst:
    """What one frame put on the air: packets of both tracks, with reports."""

    is_keyframe: bool
    rtp: list[tuple[int, bytes]] = field(default_factory=list)
    """(track, packet)"""
    rtcp: list[tuple[int, bytes]] = field(default_factory=list)
    raw: bytes = b""
    """Bytes for the connection itself (garbage)."""


class Viewer(Protocol):
    """A connection that plays this camera."""

    def deliver(self, burst: Burst) -> None:
        """Never blocks; a slow viewer leaves bursts out up to the next keyframe."""
        ...

    def hang_up(self) -> None: ...


class Feed:
    """Frames, packets and viewers of one camera. Event loop only."""

    def __init__(self, camera: DemoCamera, faults: Faults, clock: Clock, rng: random.Random) -> None:
        self.camera = camera
        self.faults = faults
        self.viewers: set[Viewer] = set()
        self.frames_sent = 0
        self._clock = clock
        self._rng = rng
        self._watched = asyncio.Event()
        self.video = self._stream(VIDEO_PAYLOAD_TYPE, VIDEO_CLOCK_HZ)
        self.audio = self._stream(AUDIO_PAYLOAD_TYPE, SAMPLE_RATE_HZ)
        self._origin_us = clock.monotonic_us()
        self._frame = 0
        """Number of the next frame since the origin."""
        self._packets = 0
        self._parameters: dict[tuple[int, int], tuple[bytes, bytes]] = {}

    def _stream(self, payload_type: int, clock_hz: int) -> RtpStream:
        word = self._rng.getrandbits
        return RtpStream(word(32), payload_type, clock_hz, word(16), word(32))

    def add(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)
        self._watched.set()

    def remove(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)

    def parameter_sets(self) -> tuple[bytes, bytes]:
        """SPS and PPS of the present size (encodes one picture the first time)."""
        size_px = self.faults.size_px
        if size_px not in self._parameters:
            self._parameters[size_px] = parameter_sets(scene(self.camera.scene), *size_px)
        return self._parameters[size_px]

    def next_timestamps(self) -> tuple[int, int]:
        """RTP timestamps of the next frame: video, audio."""
        frame = self._frame
        return (
            self.video.timestamp(frame * VIDEO_CLOCK_HZ // FRAMES_PER_SECOND),
            self.audio.timestamp(frame * _SAMPLES_A_FRAME),
        )

    async def run(self) -> None:
        """Serve viewers until cancelled."""
        while True:
            await self._watched.wait()
            encoder = SceneEncoder(scene(self.camera.scene), *self.faults.size_px)
            self._frame = self._due() + 1
            while self.viewers:
                await self._wait_for_frame()
                if not self.viewers:
                    break
                if (encoder.width_px, encoder.height_px) != self.faults.size_px:
                    encoder = SceneEncoder(scene(self.camera.scene), *self.faults.size_px)
                burst = self._make(encoder)
                if not self.faults.is_stalled:
                    self.frames_sent += 1
                    for viewer in list(self.viewers):
                        viewer.deliver(burst)
            self._watched.clear()

    def _due(self) -> int:
        return (self._clock.monotonic_us() - self._origin_us) // FRAME_US

    async def _wait_for_frame(self) -> None:
        wait_us = self._origin_us + self._frame * FRAME_US - self._clock.monotonic_us()
        if wait_us < -FRAME_US:
            self._frame = self._due()
        await asyncio.sleep(max(0, wait_us) / US_PER_SECOND)

    def _make(self, encoder: SceneEncoder) -> Burst:
        faults = self.faults
        time_us = self._clock.now_us()
        coded = encoder.encode(time_us)
        burst = Burst(coded.is_keyframe)
        if faults.time_leap_ms:
            self.video.timestamp_offset += faults.time_leap_ms * VIDEO_CLOCK_HZ // 1000
            self.audio.timestamp_offset += faults.time_leap_ms * SAMPLE_RATE_HZ // 1000
            faults.time_leap_ms = 0
        ticks = self._frame * VIDEO_CLOCK_HZ // FRAMES_PER_SECOND
        for payload, is_last in h264_payloads(coded.units):
            self._put(burst, VIDEO, self.video.packet(self._spoilt(payload), ticks, is_last))
        if self.camera.has_audio:
            self._add_audio(burst, time_us)
        if self._frame % REPORT_EVERY_FRAMES == 0:
            burst.rtcp.append((VIDEO, self.video.sender_report(ticks, time_us)))
            if self.camera.has_audio:
                burst.rtcp.append((AUDIO, self.audio.sender_report(self._frame * _SAMPLES_A_FRAME, time_us)))
        if faults.garbage is Garbage.FRAMING:
            burst = Burst(coded.is_keyframe, raw=self._rng.randbytes(2000))
        self._frame += 1
        return burst

    def _add_audio(self, burst: Burst, time_us: int) -> None:
        """The frame's tenth of a second, as it sounds from this frame on."""
        count = _SAMPLES_A_FRAME // _AUDIO_PACKETS_A_FRAME
        wall_sample = time_us * SAMPLE_RATE_HZ // US_PER_SECOND
        for part in range(_AUDIO_PACKETS_A_FRAME):
            payload = samples_at(wall_sample + part * count, count)
            ticks = self._frame * _SAMPLES_A_FRAME + part * count
            self._put(burst, AUDIO, self.audio.packet(payload, ticks, is_last=False))

    def _put(self, burst: Burst, track: int, packet: bytes) -> None:
        self._packets += 1
        if self.faults.lose_every and self._packets % self.faults.lose_every == 0:
            return
        burst.rtp.append((track, packet))

    def _spoilt(self, payload: bytes) -> bytes:
        return self._rng.randbytes(len(payload)) if self.faults.garbage is Garbage.PAYLOAD else payload

"""The smaller second streams of cameras, opened while somebody looks at live pictures. Nothing of them is ever recorded.

A picture no larger than such a stream costs a fraction of the decoding, and is fresher where the main stream has long GOPs.
Only the newest keyframe is kept. A stream that fails costs nobody a picture: the main stream's newest is there. Loop only.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from engine.cameras.source import PacketSource, SourceSettings
from engine.pictures.keyframe import LiveKeyframe
from engine.recording.keyframe_news import KeyframeNews
from engine.supervise import Backoff, Sleep, attempt
from storage.catalog.records import Camera
from storage.clock import Clock
from storage.errors import CameraRefused, CameraUnsupported, WatchdeckError
from storage.segments.packet import Packet, Track
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

STREAMS_LIMIT = 32
"""Open at once; whoever asks for another one gets pictures of the main stream."""
IDLE_US = 30 * US_PER_SECOND
"""A stream that nobody asked for so long is closed."""
EVICTABLE_US = 5 * US_PER_SECOND
"""When all places are taken, one not asked for so long makes room."""
SMALL_PX = 704
"""The usual width of a second stream: what is taken for it until its first picture has come."""
WIDTHS_LIMIT = 512
LOOK_S = 5.0
REFUSED_RETRY_S = 60.0
"""As for main streams: many cameras lock an account after some wrong passwords."""
STABLE_US = 30 * US_PER_SECOND


@dataclass(frozen=True, slots=True)
class _Address:
    """What a stream is opened with; when it changes, the stream is another one."""

    url: str
    user: str
    transport: str
    verify_tls: bool


class _NewestKeyframe:
    """A PacketSink that keeps one keyframe."""

    def __init__(self, camera: UUID, clock: Clock, news: KeyframeNews) -> None:
        self._camera = camera
        self._clock = clock
        self._news = news
        self._tracks: tuple[Track, ...] = ()
        self._video = -1
        self.keyframe: LiveKeyframe | None = None
        self.since_us = 0
        """Monotonic: of the first picture of this session; 0 = none yet."""

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        self._tracks = tracks
        self._video = next((index for index, track in enumerate(tracks) if track.is_video), -1)

    def packet(self, packet: Packet) -> None:
        if packet.track != self._video or not packet.is_keyframe:
            return
        self.since_us = self.since_us or packet.arrival_monotonic_us
        self.keyframe = LiveKeyframe(
            camera=str(self._camera),
            time_us=packet.arrival_monotonic_us + self._clock.now_us() - self._clock.monotonic_us(),
            track=self._tracks[self._video],
            data=packet.data,
        )
        self._news.arrived(self._camera)

    def frames_lost(self, detail: str) -> None:
        """The next keyframe is whole by itself."""


@dataclass(slots=True, eq=False)
class _Stream:
    address: _Address
    sink: _NewestKeyframe
    asked_us: int
    """Monotonic: when somebody wanted a picture last."""
    task: asyncio.Task[None] | None = None


class LiveStreams:
    """Second streams by camera. Invariant: at most `limit` are open, each with one task."""

    def __init__(
        self,
        password_of: Callable[[UUID], Awaitable[str]],
        open_camera: Callable[[SourceSettings], PacketSource],
        clock: Clock,
        news: KeyframeNews,
        *,
        limit: int = STREAMS_LIMIT,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._password_of = password_of
        self._open_camera = open_camera
        self._clock = clock
        self._news = news
        self._limit = limit
        self._sleep = sleep
        self._chance = chance
        self._streams: dict[UUID, _Stream] = {}
        self._widths: dict[_Address, int] = {}
        """Of the streams' pictures, once seen."""
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def open_cameras(self) -> list[UUID]:
        """Whose second stream is open, or being opened."""
        return list(self._streams)

    async def run(self) -> None:
        """Serve until cancelled; then all streams are closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                while True:
                    await self._sleep(LOOK_S)
                    self._close_unasked(IDLE_US)
        finally:
            self._tasks = None
            self._streams.clear()

    def newest(self, camera: Camera, wanted_px: int = 0) -> LiveKeyframe | None:
        """Its newest keyframe; None while there is none, and where pictures of that width would be poorer of it.

        Asking is what opens the stream, and keeps it open.
        """
        if not camera.live_url or not camera.is_enabled or camera.is_removed or self._tasks is None:
            return None
        now_us = self._clock.monotonic_us()
        address = _Address(camera.live_url, camera.user, camera.transport, camera.verify_tls)
        if wanted_px > self._widths.get(address, SMALL_PX):
            return None
        stream = self._streams.get(camera.uuid)
        if stream is not None and stream.address != address:
            self._close(camera.uuid)
            stream = None
        if stream is None:
            if len(self._streams) >= self._limit:
                self._close_unasked(EVICTABLE_US, at_most=1)
            if len(self._streams) >= self._limit:
                return None
            sink = _NewestKeyframe(camera.uuid, self._clock, self._news)
            stream = self._streams[camera.uuid] = _Stream(address, sink, now_us)
            stream.task = self._tasks.create_task(
                self._sessions(camera, stream), name=f"camera:{camera.id} live"
            )
        stream.asked_us = now_us
        keyframe = stream.sink.keyframe
        if keyframe is not None and keyframe.track.width:
            self._remember(address, keyframe.track.width)
            if wanted_px > keyframe.track.width:
                return None
        return keyframe

    def _remember(self, address: _Address, width_px: int) -> None:
        self._widths[address] = width_px
        if len(self._widths) > WIDTHS_LIMIT:
            del self._widths[next(iter(self._widths))]

    def _close_unasked(self, for_us: int, at_most: int | None = None) -> None:
        """Those asked for longest ago first."""
        now_us = self._clock.monotonic_us()
        unasked = [
            uuid
            for uuid, stream in sorted(self._streams.items(), key=lambda item: item[1].asked_us)
            if now_us - stream.asked_us > for_us
        ]
        for uuid in unasked[:at_most]:
            self._close(uuid)

    def _close(self, camera: UUID) -> None:
        stream = self._streams.pop(camera)
        if stream.task is not None:
            stream.task.cancel()

    async def _sessions(self, camera: Camera, stream: _Stream) -> None:
        """Connect again and again, ever more slowly while it fails, until nobody asks."""
        backoff = Backoff(random=self._chance)
        name = f"live stream of camera {camera.name}"
        is_said = False
        while True:
            error = await attempt(name, lambda: self._session(camera.uuid, stream))
            sink = stream.sink
            lasted_us = self._clock.monotonic_us() - sink.since_us if sink.since_us else 0
            if lasted_us >= STABLE_US:
                backoff.reset()
                is_said = False
            sink.keyframe, sink.since_us = None, 0
            if error is not None and not is_said:
                log.warning("%s: %s; pictures come from its main stream", name, error.what)
                is_said = True
            await self._sleep(self._delay_s(error, backoff))

    def _delay_s(self, error: WatchdeckError | None, backoff: Backoff) -> float:
        if isinstance(error, CameraRefused | CameraUnsupported):
            return backoff.scattered(REFUSED_RETRY_S)
        return backoff.next_delay_s()

    async def _session(self, camera: UUID, stream: _Stream) -> None:
        address = stream.address
        settings = SourceSettings(
            url=address.url,
            user=address.user,
            password=await self._password_of(camera),
            wants_audio=False,
            transport=address.transport,
            verify_tls=address.verify_tls,
        )
        await self._open_camera(settings).run(stream.sink)

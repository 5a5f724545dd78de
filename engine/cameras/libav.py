"""PyAV (libav) as a PacketSource: for UDP, RTMP, HTTP and files, which the native client does not speak.

Demuxing blocks, so each source has a daemon thread of its own that hands packets to the loop. Nothing is decoded here.
The password goes into the URL given to libav and nowhere else: libav's own messages, which may quote it, are not used.
"""

from __future__ import annotations

import asyncio
import errno
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import av
import av.error
from av.container import InputContainer

from engine.cameras.delivery import Delivery
from engine.cameras.libav_stream import AudioReader, Frame, VideoReader, open_audio, open_video
from engine.cameras.rtp_clock import RtpClock, SessionZero
from engine.cameras.source import PacketSink, SourceSettings
from engine.deadline import Deadline
from storage.camera_url import masked
from storage.clock import Clock, SystemClock
from storage.errors import (
    CameraError,
    CameraProtocolError,
    CameraRefused,
    CameraStalled,
    CameraUnreachable,
    CameraUnsupported,
)
from storage.segments.packet import Track

MAX_WAITING_BYTES = 32 * 1024 * 1024
_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "file"})
_PROTOCOLS = {
    "file": "file",
    "rtsp": "rtsp,rtp,udp,tcp,tls",
    "rtsps": "rtsps,rtsp,rtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp",
    "http": "http,https,httpproxy,tcp,tls,crypto",
    "https": "http,https,httpproxy,tcp,tls,crypto",
}
_MAX_JITTER_US = "100000"


@dataclass(frozen=True, slots=True)
class Opened:
    """What the thread found; the first thing it hands over."""

    video: Track | None
    audio: Track | None
    zero_us: int


class LibavSource:
    """A PacketSource over PyAV."""

    def __init__(self, settings: SourceSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self.has_delivered = False
        """Whether a picture reached the sink."""

    async def run(self, sink: PacketSink) -> None:
        """As PacketSource.run. Cancelling returns at once; the thread ends with its next read."""
        target = _target(self._settings)
        await _resolve(target, self._settings.connect_timeout_ms)
        demuxer = Demuxer(self._settings, target, self._clock, asyncio.get_running_loop(), sink)
        thread = threading.Thread(target=demuxer.run, name=f"libav {target.place}", daemon=True)
        thread.start()
        try:
            await self._watch(demuxer, target)
        finally:
            self.has_delivered = demuxer.last_video_us is not None
            demuxer.stop()

    async def _watch(self, demuxer: Demuxer, target: Target) -> None:
        stall_us = self._settings.stall_timeout_ms * 1000
        alive_us = self._clock.monotonic_us()
        # Opening includes probing the streams, which takes libav seconds.
        limit_us = self._settings.connect_timeout_ms * 1000 + stall_us
        while True:
            await asyncio.wait((demuxer.ended,), timeout=max(stall_us / 4, 1000) / 1_000_000)
            if demuxer.ended.done():
                error = demuxer.ended.result()
                if error is None:
                    return
                raise error
            now_us = self._clock.monotonic_us()
            if demuxer.last_video_us is not None:
                alive_us, limit_us = max(alive_us, demuxer.last_video_us), stall_us
            if now_us - alive_us >= limit_us:
                raise CameraStalled(
                    f"{target.place} sent no picture for {limit_us / 1_000_000:g} s", "reconnecting by itself"
                )


@dataclass(frozen=True, slots=True)
class Target:
    """What libav is given, and how it is called in messages."""

    url: str
    place: str
    path: str
    host: str
    options: dict[str, str]
    is_file: bool


def _target(settings: SourceSettings) -> Target:
    text = settings.url.strip()
    if text.startswith("/"):
        text = "file://" + text
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise CameraRefused("the camera's URL has no valid host and port", "correct the URL") from error
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        raise CameraUnsupported(
            f"URLs of the kind {scheme[:20] or 'none'!r} cannot be recorded", "use rtsp, rtmp, http or a file"
        )
    options = {"protocol_whitelist": _PROTOCOLS[scheme]}
    if scheme == "file":
        return Target(parts.path, f"the file {parts.path}", parts.path, "", options, True)
    if not host:
        raise CameraRefused("the camera's URL has no host", "correct the URL")
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}:{port}" if port else shown
    credentials = ""
    if settings.user:
        credentials = f"{quote(settings.user, safe='')}:{quote(settings.password, safe='')}@"
    query = f"?{parts.query}" if parts.query else ""
    if scheme in ("rtsp", "rtsps"):
        options |= {
            "rtsp_transport": "udp" if settings.transport in ("udp", "auto") else "tcp",
            "max_delay": _MAX_JITTER_US,
        }
    if scheme in ("https", "rtsps", "rtmps"):
        options["tls_verify"] = "1" if settings.verify_tls else "0"
    return Target(
        f"{scheme}://{credentials}{place}{parts.path}{query}",
        place,
        masked(parts.path) or "/",
        host,
        options,
        False,
    )


async def _resolve(target: Target, timeout_ms: int) -> None:
    """Ask for the name first: libav reports a wrong name as an input/output error."""
    if target.is_file:
        return
    try:
        async with Deadline(timeout_ms / 1000):
            await asyncio.get_running_loop().getaddrinfo(target.host, None)
    except TimeoutError as error:
        raise CameraUnreachable(f"the host name {target.host!r} was not resolved in time") from error
    except (OSError, UnicodeError) as error:
        raise CameraUnreachable(
            f"the host name {target.host!r} cannot be resolved", "check the name, or use the camera's address"
        ) from error


class Demuxer:
    """The thread's half and its hand-over. `run` is the thread; everything with `loop` in its comment is not."""

    def __init__(
        self,
        settings: SourceSettings,
        target: Target,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        sink: PacketSink,
    ) -> None:
        self.ended: asyncio.Future[CameraError | None] = loop.create_future()
        self.last_video_us: int | None = None
        self._settings = settings
        self._target = target
        self._clock = clock
        self._loop = loop
        self._sink = sink
        self._delivery: Delivery | None = None
        self._stopped = threading.Event()
        self._room = threading.Condition()
        # Bounded in bytes: when the loop does not keep up the thread waits, and what the camera sends meanwhile is
        # lost in the kernel as it would be for any slow reader; libav then reports it as damage.
        self._waiting: deque[Opened | Track | Frame] = deque()
        self._waiting_bytes = 0

    # -- loop --------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Loop: nothing is delivered any more."""
        self._stopped.set()
        with self._room:
            self._waiting.clear()
            self._waiting_bytes = 0
            self._room.notify_all()

    def _drain(self) -> None:
        """Loop: deliver what waits."""
        while True:
            with self._room:
                if not self._waiting or self._stopped.is_set():
                    return
                item = self._waiting.popleft()
                if isinstance(item, Frame):
                    self._waiting_bytes -= len(item.data)
                    self._room.notify_all()
            self._deliver(item)

    def _deliver(self, item: Opened | Track | Frame) -> None:
        if isinstance(item, Opened):
            self._open_delivery(item)
        elif self._delivery is None:
            return
        elif isinstance(item, Track):
            self._delivery.video_format(item)
        elif item.is_video:
            self._delivery.video(item.data, item.timestamp, item.is_keyframe, item.arrival_us)
            self.last_video_us = self._delivery.last_video_us
        else:
            self._delivery.audio(item.data, item.timestamp, item.arrival_us)

    def _open_delivery(self, opened: Opened) -> None:
        zero = SessionZero()
        video_clock = RtpClock(90_000, zero)
        video_clock.first_timestamp = opened.zero_us * 9 // 100 & 0xFFFF_FFFF
        self._delivery = Delivery(self._sink, video_clock)
        if opened.audio is not None:
            rate_hz = opened.audio.time_base_hz
            audio_clock = RtpClock(rate_hz, zero)
            audio_clock.first_timestamp = opened.zero_us * rate_hz // 1_000_000 & 0xFFFF_FFFF
            self._delivery.add_audio(opened.audio, audio_clock)

    def _finish(self, error: CameraError | None) -> None:
        self._drain()
        if not self.ended.done():
            self.ended.set_result(error)

    # -- thread ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Thread: open, demux, hand over, close."""
        error: CameraError | None = None
        try:
            timeouts = (self._settings.connect_timeout_ms / 1000, self._settings.stall_timeout_ms / 1000)
            with av.open(self._target.url, options=dict(self._target.options), timeout=timeouts) as container:
                self._demux(container)
        except CameraError as found:
            error = found
        except (av.error.FFmpegError, OSError, ValueError) as found:
            # No `from`: the original quotes the URL with the password.
            error = _camera_error(found, self._target, is_open=self._delivery is not None)
        self._call(lambda: self._finish(error))

    def _call(self, function: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            self._stopped.set()  # the loop is gone, so is the camera's recording

    def _demux(self, container: InputContainer) -> None:
        video = open_video(container)
        if video is None:
            raise CameraUnsupported(
                f"{self._target.place} offers no picture that can be recorded", "use H.264, H.265 or MJPEG"
            )
        audio = open_audio(container) if self._settings.wants_audio else None
        is_opened = False
        pace = Pace(self._clock, self._stopped) if self._target.is_file else None
        streams = [video.stream] + ([audio.stream] if audio is not None else [])
        for packet in container.demux(streams):
            if self._stopped.is_set():
                return
            reader: VideoReader | AudioReader = video if packet.stream is video.stream else audio or video
            now_us = self._clock.monotonic_us()
            frame = reader.read(packet, now_us)
            if frame is None:
                continue
            if not is_opened:
                is_opened = True
                self._put(Opened(video.track, audio.track if audio is not None else None, frame.media_us))
            if pace is not None:
                pace.wait(frame.media_us)
                frame.arrival_us = self._clock.monotonic_us()
            if reader is video and video.has_new_track:
                video.has_new_track = False
                if video.track is not None:
                    self._put(video.track)
            self._put(frame)

    def _put(self, item: Opened | Track | Frame) -> None:
        with self._room:
            while self._waiting_bytes > MAX_WAITING_BYTES and not self._stopped.is_set():
                self._room.wait()
            if self._stopped.is_set():
                return
            is_first = not self._waiting
            self._waiting.append(item)
            if isinstance(item, Frame):
                self._waiting_bytes += len(item.data)
        if is_first:
            self._call(self._drain)


class Pace:
    """Plays a file in real time: a recorder must see a camera, not a disk."""

    def __init__(self, clock: Clock, stopped: threading.Event) -> None:
        self._clock = clock
        self._stopped = stopped
        self._start: tuple[int, int] | None = None

    def wait(self, media_us: int) -> None:
        now_us = self._clock.monotonic_us()
        if self._start is None:
            self._start = (now_us, media_us)
        due_us = self._start[0] + media_us - self._start[1]
        if due_us > now_us:
            self._stopped.wait((due_us - now_us) / 1_000_000)


def _camera_error(error: Exception, target: Target, *, is_open: bool) -> CameraError:
    """What a libav error means; built without its text."""
    number = error.errno if isinstance(error, OSError) else getattr(error, "errno", 0)
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return CameraRefused(
            f"{target.place} refuses the user name or password", "correct them for this camera"
        )
    if isinstance(error, av.error.HTTPNotFoundError):
        return CameraRefused(f"{target.place} has no stream {target.path!r} (404)", "check the URL's path")
    if isinstance(error, av.error.HTTPServerError):
        return CameraUnreachable(
            f"{target.place} answers with a server error", "the camera is busy or starting"
        )
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError) and target.is_file:
        return CameraRefused(f"{target.place} cannot be read", "check the path and its permissions")
    if number in (errno.ETIMEDOUT, errno.EAGAIN) or isinstance(error, TimeoutError | av.error.ExitError):
        if is_open:
            return CameraStalled(f"{target.place} sent nothing more", "reconnecting by itself")
        return CameraUnreachable(f"{target.place} did not answer in time", "check that the camera is on")
    if isinstance(error, av.error.EOFError):
        return CameraUnreachable(f"{target.place} closed the connection")
    if isinstance(error, av.error.InvalidDataError):
        return CameraProtocolError(f"{target.place} sends what cannot be understood")
    if isinstance(
        error, av.error.DemuxerNotFoundError | av.error.ProtocolNotFoundError | av.error.DecoderNotFoundError
    ):
        return CameraUnsupported(f"{target.place} sends a kind of stream that cannot be read")
    reason = errno.errorcode.get(number or 0, type(error).__name__)
    return CameraUnreachable(f"{target.place} cannot be reached ({reason})")

"""Cameras that burn in which picture it is, and the console's own playback logic on a real engine: for proofs of position.

The number in a picture says which of the camera's pictures it is, and with its rate when the camera made it. When the recording
says it was made differs from that by one constant (the camera counts from its start, the network takes its time): it is
measured once a camera, at one picture, and everything else must fit it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import av

from engine.client import EngineClient
from engine.demo.time_code import read_time_code
from engine.wire_pictures import PictureFormat, PictureReply, PictureRequest
from tests.rtsp.server import read_counter
from tui.picture_wish import Wish
from tui.playback_clock import PlaybackClock
from tui.playback_footage import Footage, merged
from tui.playback_wishes import Shown, is_due, shown_of, step_wish, wish_of

FAR_FUTURE_US = 1 << 57


def number_in(reply: PictureReply) -> int:
    """Which of the camera's pictures a JPEG shows."""
    with av.open(io.BytesIO(reply.data), format="mjpeg") as container:
        frame = next(container.decode(video=0))
        return read_counter(bytes(frame.planes[0]), frame.width, frame.height, frame.planes[0].line_size)


def clock_in(reply: PictureReply) -> int:
    """The clock of a demo camera in a JPEG, in milliseconds since the epoch."""
    with av.open(io.BytesIO(reply.data), format="mjpeg") as container:
        code = read_time_code(next(container.decode(video=0)).to_ndarray(format="gray"))
    assert code is not None, "no time code can be read"
    return code


def keyframes_in(paths: Sequence[str]) -> list[int]:
    """Numbers of the keyframes in recorded files, by a demuxer and decoder that are not ours."""
    numbers = []
    for path in paths:
        with av.open(path) as container:
            for frame in container.decode(video=0):
                if frame.key_frame:
                    plane = frame.planes[0]
                    numbers.append(read_counter(bytes(plane), frame.width, frame.height, plane.line_size))
    return numbers


@dataclass(frozen=True)
class Calibration:
    """Of one camera: the picture `number` began at `time_us` of the recording, the others follow at `fps`."""

    number: int
    time_us: int
    fps: int

    def number_at(self, time_us: int) -> float:
        """The picture of a time, with what has passed of it."""
        return self.number + (time_us - self.time_us) * self.fps / 1_000_000


class PlayedCamera:
    """The console's clock, wishes and bookkeeping, as PlaybackPictures has them, with JPEGs in place of cells; time is the test's."""

    def __init__(self, client: EngineClient, camera: str, now_us: int) -> None:
        self.client, self.camera, self.now_us = client, camera, now_us
        self.clock = PlaybackClock()
        self.at_s = 1000.0
        self.shown: Shown | None = None
        self.reply: PictureReply | None = None
        self.footage: Footage | None = None
        self.asked = 0

    async def load(self) -> Footage:
        """What is recorded, as the timeline of the console asks for it."""
        timeline = await self.client.timeline([self.camera], 0, self.now_us)
        [row] = timeline.rows
        self.footage = Footage(merged([row.recorded]), 0, self.now_us)
        self.clock.oldest_us = row.oldest_us or 0
        self.clock.advance(self.at_s, self.now_us, self.footage)
        return self.footage

    async def pass_s(self, seconds: float) -> bool:
        """Time passes; what is due is asked for. True = another picture came."""
        self.at_s += seconds
        self.clock.advance(self.at_s, self.now_us, self.footage)
        if not is_due(self.shown, self.clock, self.at_s, self.now_us):
            return False
        await self._show(wish_of(self.camera, self.clock))
        return True

    async def seek(self, time_us: int) -> None:
        self.clock.seek(time_us)
        await self.pass_s(0)

    async def step(self, step: int, *, is_keyframe: bool = False) -> None:
        self.clock.pause()
        wish = step_wish(self.camera, self.shown, self.clock.playhead_us, step, is_keyframe=is_keyframe)
        await self._show(wish)
        assert self.reply is not None
        self.clock.hold(self.reply.time_us)

    async def _show(self, wish: Wish) -> None:
        self.asked += 1
        request = PictureRequest(
            camera=wish.camera,
            at_us=wish.at_us,
            exact=wish.is_exact,
            step=wish.step,
            format=PictureFormat.JPEG,
        )
        self.reply = await self.client.picture(request)
        self.shown = shown_of(wish, self.reply, self.at_s)

    @property
    def number(self) -> int:
        """Burnt into the picture shown."""
        assert self.reply is not None
        return number_in(self.reply)

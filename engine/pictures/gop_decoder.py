"""Decodes a GOP picture by picture and stays where it is, so that playing on decodes each picture once. Picture worker only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av

from engine.pictures.decode import coded_bytes, decoded_frame, open_decoder
from engine.pictures.picture import DecodedFrame
from storage.errors import PictureUnavailable
from storage.segments.gops import Gop, PlacedSample
from storage.segments.packet import Track

_HELD_PICTURES = 20
"""What a decoder holds at the most: 16 to refer to, and some on their way."""
_BYTES_A_PIXEL = 2
"""Between 4:2:0 with 8 bits and 4:2:2 with 10."""


class DamagedGop(PictureUnavailable):
    """No whole picture at or before the one that was asked for."""


class StillDecoding(PictureUnavailable):
    """The time is over in the middle of a GOP: asked again, it goes on from there."""


@dataclass(frozen=True, slots=True)
class PictureAt:
    """A whole picture of the GOP."""

    pts_ticks: int
    picture: DecodedFrame
    is_substitute: bool = False
    """The one asked for is damaged: this is the last whole one before it."""


class GopDecoder:
    """A decoder somewhere in one GOP. It goes forward only; `is_past` tells when another must begin anew."""

    def __init__(self, track: Track, gop: Gop) -> None:
        self._track = track
        self._is_reordered = gop.is_reordered
        self._context = open_decoder(track, is_reordered=gop.is_reordered)
        self._tick = Fraction(1, track.time_base_hz)
        self._fed = 0
        self._is_drained = False
        self._ready: deque[PictureAt] = deque()
        """Decoded and not asked for yet, in order of presentation."""
        self._last: PictureAt | None = None
        self._damage = ""
        """Why no picture follows: whatever refers to a damaged one is damaged itself."""
        self._pixels = track.width * track.height

    @property
    def memory_bytes(self) -> int:
        """Roughly; pictures are some megabytes each."""
        return self._pixels * _BYTES_A_PIXEL * _HELD_PICTURES

    def is_past(self, gop: Gop, pts_ticks: int) -> bool:
        """It cannot deliver that picture any more: later ones were taken, or the GOP has grown behind a drained decoder."""
        if self._last is not None and pts_ticks < self._last.pts_ticks:
            return True
        has_grown = self._is_drained and self._fed < len(gop.samples)
        return self._is_reordered != gop.is_reordered or has_grown

    def picture(
        self,
        gop: Gop,
        read: Callable[[PlacedSample], bytes],
        pts_ticks: int,
        *,
        is_late: Callable[[], bool],
        on_picture: Callable[[PictureAt], None] | None = None,
    ) -> PictureAt:
        """The picture of that time; where it is damaged, the last whole one. `on_picture` is told of each passed.

        Raises DamagedGop, and StillDecoding when it `is_late` in the middle; it goes on from there when asked again.
        """
        while True:
            while self._ready and self._ready[0].pts_ticks <= pts_ticks:
                self._last = self._ready.popleft()
                if on_picture is not None:
                    on_picture(self._last)
            if self._last is not None and self._last.pts_ticks == pts_ticks:
                return self._last
            is_over = self._fed == len(gop.samples) and self._is_drained
            if self._ready or self._damage or is_over:
                return self._substitute()
            if is_late():
                raise StillDecoding(
                    f"that picture is {self._position(gop, pts_ticks)} pictures behind its keyframe: decoding takes longer",
                    "ask again: it goes on from where it is",
                )
            if self._fed < len(gop.samples):
                sample = gop.samples[self._fed]
                self._feed(read(sample), sample)
            else:
                self._drain()

    def _substitute(self) -> PictureAt:
        if self._last is None:
            raise DamagedGop(self._damage or f"the {self._track.codec} frame is corrupt: it holds no picture")
        return PictureAt(self._last.pts_ticks, self._last.picture, is_substitute=True)

    def _position(self, gop: Gop, pts_ticks: int) -> int:
        return sum(sample.pts_ticks <= pts_ticks for sample in gop.samples)

    def _feed(self, data: bytes, sample: PlacedSample) -> None:
        try:
            packet = av.Packet(coded_bytes(self._track, data, with_parameters=sample.is_keyframe))
            packet.pts = sample.pts_ticks
            packet.time_base = self._tick
            self._fed += 1
            self._take(self._context.decode(packet))
        except MemoryError:
            raise  # libav's own is an FFmpegError too, and says nothing about the video
        except (av.FFmpegError, ValueError, PictureUnavailable) as exc:
            damage = (
                str(exc)
                if isinstance(exc, PictureUnavailable)
                else f"the {self._track.codec} frame is corrupt: {exc}"
            )
            # What was coded before it is whole and may still be on its way out.
            self._drain()
            self._damage = self._damage or damage
            self._ready = deque(each for each in self._ready if each.pts_ticks < sample.pts_ticks)

    def _drain(self) -> None:
        self._is_drained = True
        try:
            self._take(self._context.decode(None))
        except MemoryError:
            raise
        except (av.FFmpegError, ValueError) as exc:
            self._damage = self._damage or f"the {self._track.codec} frame is corrupt: {exc}"

    def _take(self, frames: list[av.VideoFrame]) -> None:
        for frame in frames:
            if self._damage:
                return
            if frame.is_corrupt:
                self._damage = f"the {self._track.codec} frame is corrupt: parts of the picture are missing"
                return
            if frame.pts is None:
                continue
            self._pixels = frame.width * frame.height
            picture = decoded_frame(self._context, frame, 0)
            self._ready.append(PictureAt(frame.pts, picture))

"""The receive buffer and the frame loop: bytes of one RTSP/TCP connection to RTP packets and RTSP messages.

This is the hottest code of the product: one pass over the receive buffer, in which the middle packets of fragmented
H.264/H.265 units (nine in ten) cost one unpack, five comparisons and one slice. Slices are views of the buffer; they
are joined into the access unit, or copied before the buffer is reused. No sockets and no asyncio here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from engine.cameras.rtp import RtpStream
from engine.cameras.rtsp_message import MESSAGE_START, RtspMessage, could_start_message, parse_message
from storage.errors import CameraProtocolError

BUFFER_BYTES = 256 * 1024
_LEAST_ROOM_BYTES = 64 * 1024
"""Less room than this: make some. A larger read is a cheaper one."""
_SHORTEST_FAST_FRAME = 20
_MAX_EARLY_BYTES = 1024 * 1024
_MAX_SKIPPED_BYTES = 256 * 1024
_DOLLAR = 0x24
_CANDIDATE = re.compile(rb"\$|[A-Z]")
_CANDIDATE_BYTES = 21

FrameHandler = Callable[[memoryview, int], None]


class InterleavedReader:
    """Owns the receive buffer. `writable`, then `received`: the pair asyncio.BufferedProtocol needs."""

    def __init__(self, on_message: Callable[[RtspMessage], None]) -> None:
        self._view = memoryview(bytearray(BUFFER_BYTES))
        self._start = 0
        self._end = 0
        self._on_message = on_message
        self._handlers: dict[int, FrameHandler] = {}
        self._video: RtpStream | None = None
        self._video_channel = 0
        self._is_streaming = False
        # Frames before the PLAY reply; the oldest go when full: nothing is recorded before a keyframe anyway.
        self._early: deque[tuple[int, bytes, int]] = deque()
        self._early_bytes = 0
        self._skipped_bytes = 0

    def add_channel(self, channel: int, handler: FrameHandler) -> None:
        """Frames of this channel go to `handler` as views, valid only during the call."""
        self._handlers[channel] = handler

    def add_video(self, channel: int, stream: RtpStream) -> None:
        """The recorded picture: handled inside the loop where it can be."""
        self._handlers[channel] = stream.packet
        self._video, self._video_channel = stream, channel

    def has_channel(self, channel: int) -> bool:
        return channel in self._handlers

    def start_streaming(self) -> None:
        """After the PLAY reply: hand over what came before it, then everything as it comes."""
        self._is_streaming = True
        while self._early:
            channel, frame, arrival_us = self._early.popleft()
            if handler := self._handlers.get(channel):
                handler(memoryview(frame), arrival_us)

    def stop_streaming(self) -> None:
        """Frames are dropped from here on; messages are still read."""
        self._handlers.clear()
        self._video = None

    def writable(self) -> memoryview:
        """Where the next bytes go."""
        if BUFFER_BYTES - self._end < _LEAST_ROOM_BYTES:
            self._make_room()
        return self._view[self._end :]

    def _make_room(self) -> None:
        if self._video is not None and self._video.assembler is not None:
            self._video.assembler.settle()
        rest = bytes(self._view[self._start : self._end])
        self._view[: len(rest)] = rest
        self._start, self._end = 0, len(rest)

    def received(self, count: int, now_us: int) -> int:
        """`count` bytes were written to `writable()`; returns how many frames and messages were handled.

        Raises CameraProtocolError when framing is lost for good.
        """
        end = self._end = self._end + count
        position = self._start
        video = self._video
        assembler = video.assembler if video is not None and self._is_streaming else None
        if video is None or assembler is None:
            frames = 0
            while (after := self._next(position, end, now_us)) != position:
                position = after
                frames += 1
            self._start = position
            if position == end:
                self._start = self._end = 0
            return frames
        frames = 0
        view = self._view
        unpack, offset = assembler.frame_struct.unpack_from, assembler.fragment_offset
        append = assembler.pieces.append
        video_head = _DOLLAR << 8 | self._video_channel
        while True:
            plain_flags, next_sequence = video.plain_flags, video.next_sequence
            unit_timestamp, continuation = assembler.timestamp, assembler.continuation
            while end - position >= _SHORTEST_FAST_FRAME:
                head, length, flags, sequence, timestamp, tail = unpack(view, position)
                after = position + 4 + length
                if (
                    tail != continuation
                    or sequence != next_sequence
                    or timestamp != unit_timestamp
                    or flags != plain_flags
                    or head != video_head
                    or not position + offset <= after <= end
                ):
                    break
                append(view[position + offset : after])
                next_sequence = (sequence + 1) & 0xFFFF
                position = after
            frames += (next_sequence - video.next_sequence & 0xFFFF) + 1
            video.next_sequence = next_sequence
            after = self._next(position, end, now_us)
            if after == position:
                break
            position = after
        self._start = position
        if position == end and not assembler.pieces:
            self._start = self._end = 0
        return frames

    def _next(self, position: int, end: int, now_us: int) -> int:
        """Handle one frame or message; the position behind it, or the same one when it is not complete."""
        available = end - position
        if not available:
            return position
        view = self._view
        if view[position] != _DOLLAR:
            return self._next_message(position, end)
        if available < 4:
            return position
        channel, length = view[position + 1], view[position + 2] << 8 | view[position + 3]
        handler = self._handlers.get(channel)
        if handler is None and self._is_streaming and self._skipped_bytes:
            return self._skip(position, end)
        after = position + 4 + length
        if after > end:
            return position
        if handler is not None:
            self._skipped_bytes = 0
            if self._is_streaming:
                handler(view[position + 4 : after], now_us)
            else:
                self._keep_early(channel, bytes(view[position + 4 : after]), now_us)
        return after

    def _keep_early(self, channel: int, frame: bytes, now_us: int) -> None:
        self._early.append((channel, frame, now_us))
        self._early_bytes += len(frame)
        while self._early_bytes > _MAX_EARLY_BYTES:
            self._early_bytes -= len(self._early.popleft()[1])

    def _next_message(self, position: int, end: int) -> int:
        view = self._view
        first = view[position]
        if first in b"\r\n\0":  # stray line ends between messages
            return position + 1
        is_message = could_start_message(bytes(view[position : min(end, position + _CANDIDATE_BYTES)]))
        if is_message is None:
            return position
        if not is_message:
            if not self._is_streaming and bytes(view[position : position + 5]) == b"HTTP/":
                raise CameraProtocolError(
                    "this port speaks HTTP, not RTSP", "use the camera's RTSP port, mostly 554"
                )
            return self._skip(position, end)
        found = parse_message(bytes(view[position:end]))
        if found is None:
            return position
        message, length = found
        self._skipped_bytes = 0
        self._on_message(message)
        return position + length

    def _skip(self, position: int, end: int) -> int:
        """Framing is lost: go to the next thing that looks like a frame of a known channel or a message."""
        if not self._skipped_bytes and self._video is not None:
            self._video.depacketizer.lost()
            self._video.tell_lost("bytes between two frames")
        data = bytes(self._view[position:end])
        at = 1
        while (match := _CANDIDATE.search(data, at)) is not None:
            at = match.start()
            rest = data[at : at + _CANDIDATE_BYTES]
            if self._could_begin(rest) is not False:
                break
            at += 1
        else:
            at = len(data)
        self._skipped_bytes += at
        if self._skipped_bytes > _MAX_SKIPPED_BYTES:
            raise CameraProtocolError(
                f"the camera's stream lost its framing: {self._skipped_bytes} bytes make no sense",
                "reconnecting; if it repeats, try transport udp or new camera firmware",
            )
        return position + at

    def _could_begin(self, data: bytes) -> bool | None:
        """Whether a frame or message begins here; None when more bytes are needed to tell."""
        if data[0] != _DOLLAR:
            return (
                bool(MESSAGE_START.match(data))
                if len(data) >= _CANDIDATE_BYTES
                else could_start_message(data)
            )
        if len(data) < 6:
            return None if len(data) < 2 or data[1] in self._handlers else False
        return data[1] in self._handlers and data[4] >> 6 == 2

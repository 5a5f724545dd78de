"""The pipe between the engine and a picture worker: length-prefixed msgpack, one job and one answer at a time."""

from __future__ import annotations

import struct

import msgspec

from engine.pictures.keyframe import KeyframeSource
from engine.pictures.spans import Span
from engine.wire import PictureReply, PictureRequest

LENGTH = struct.Struct(">I")
MESSAGE_LIMIT_BYTES = 64 << 20
"""A keyframe or picture above this is refused; 8K JPEGs are about a quarter of it."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """First message of a worker: its libraries are loaded."""


class Job(msgspec.Struct, frozen=True, kw_only=True, tag="picture"):
    source: KeyframeSource
    request: PictureRequest
    palette: bytes = b""
    """Sixel: the camera's palette so far (RGB triples), so that colours do not shimmer; empty = choose one."""
    palette_error: float = 0.0
    """Mean error of that palette when it was chosen; a much worse fit makes the worker choose anew."""
    left_out: int = 0
    """A step leaves out so many keyframes, and their GOPs: workers were lost over them a moment ago."""
    limit_ms: int = 4_000
    """Decoding stops after this: the worker is well and says so, before it is taken for hung."""


class MotionJob(msgspec.Struct, frozen=True, kw_only=True, tag="motion"):
    """Compare a keyframe with what the camera showed before."""

    source: KeyframeSource
    background: bytes = b""
    """As the last answer gave it; empty = there was none."""
    sensitivity: int = 50
    mask: bytes = b""
    """engine.pictures.motion.packed; empty = all cells are looked at."""


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    reply: PictureReply
    palette: bytes = b""
    palette_error: float = 0.0
    span: Span | None = None
    """Of a recorded picture: for which other moments of its file the same one would have been taken."""


class MotionSeen(msgspec.Struct, frozen=True, kw_only=True, tag="motion_seen"):
    cells: bytes
    """engine.pictures.motion.packed."""
    count: int
    """Cells in which something moved."""
    background: bytes
    everywhere: bytes
    """As `cells`, without regard to the mask."""
    is_light_change: bool = False
    time_us: int = 0
    """Of the keyframe."""
    span: Span | None = None
    """Of a recorded keyframe: which moments of its file it stands for."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """Nothing to be had of this keyframe; the worker itself is well."""

    what: str
    remedy: str = ""
    is_late: bool = False
    """It is on its way to it: the same job goes on from there."""


class Beyond(msgspec.Struct, frozen=True, kw_only=True, tag="beyond"):
    """The picture before or behind is not in this file."""


AnyJob = Job | MotionJob
Answer = Ready | Done | MotionSeen | Failed | Beyond

job_encoder = msgspec.msgpack.Encoder()
job_decoder: msgspec.msgpack.Decoder[AnyJob] = msgspec.msgpack.Decoder(AnyJob)
answer_encoder = msgspec.msgpack.Encoder()
answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def framed(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body

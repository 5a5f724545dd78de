"""The pipes between the engine and the process that masks a video: length-prefixed msgpack, then the video itself.

Engine to process: one MaskJob, then the bytes of the MP4, then the pipe is closed. Process to engine: MaskProgress and
MaskedStill as they come, at last MaskDone or MaskFailed. The masked video goes into a file that has no name.
"""

from __future__ import annotations

import struct

import msgspec

from engine.wire_evidence import MaskStyle

LENGTH = struct.Struct(">I")
MESSAGE_LIMIT_BYTES = 16 << 20
ANSWER_LIMIT_BYTES = 4 << 20
"""A day has 86,400 cuts of twenty bytes."""
STILL_LIMIT_BYTES = 1 << 20
"""It is at most 480 pixels wide."""
CUT_US = 1_000_000
"""Media time between two cuts."""
SUFFIXES = (".mp4", ".mov")


class TimedMask(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle in 1/10,000 of the picture, and when it is there in the video's own time."""

    left: int
    top: int
    width: int
    height: int
    style: MaskStyle
    stretches_us: tuple[tuple[int, int], ...]
    """[start, end)."""


class MaskJob(msgspec.Struct, frozen=True, kw_only=True):
    masks: tuple[TimedMask, ...]
    stills_us: tuple[int, ...] = ()
    """Media times of which a small picture is wanted, ascending; masked like the video."""
    still_width_px: int = 480
    out_fd: int
    """Inherited; empty at first."""


class MaskProgress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    media_us: int


class MaskedStill(msgspec.Struct, frozen=True, kw_only=True, tag="still"):
    index: int
    """In `stills_us`."""
    jpeg: bytes


class MaskDone(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    suffix: str
    """.mp4; .mov where the audio is of a kind that only QuickTime files hold."""
    frames: int
    cuts: tuple[tuple[int, int], ...]
    """(offset in the file, media time in us) of the first picture of each second; the first is where its samples begin."""


class MaskFailed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    what: str


MaskAnswer = MaskProgress | MaskedStill | MaskDone | MaskFailed

job_encoder = msgspec.msgpack.Encoder()
job_decoder: msgspec.msgpack.Decoder[MaskJob] = msgspec.msgpack.Decoder(MaskJob)
answer_encoder = msgspec.msgpack.Encoder()
answer_decoder: msgspec.msgpack.Decoder[MaskAnswer] = msgspec.msgpack.Decoder(MaskAnswer)


def framed(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body

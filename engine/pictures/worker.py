"""The picture worker: a child process that turns one coded picture at a time into a picture for a terminal.

Started by `engine.pictures.process` as `python -m engine.pictures.worker BYTES` (what it may keep of pictures played
backwards); reads jobs on stdin and answers on stdout (engine.pictures.messages). It holds nothing that is missed when it
is gone, has a memory limit and a low priority (claims.py), and may be killed at any moment: a decoder that crashes or hangs on hostile
video takes only itself down.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

import av
import av.logging
import msgspec
import numpy as np

from engine.pictures.claims import claim_little
from engine.pictures.decode import BeyondFile, DecodedFrame, Keyframe, decode, read_keyframe
from engine.pictures.encode_cells import encode_cells
from engine.pictures.encode_jpeg import encode_jpeg
from engine.pictures.encode_kitty import encode_kitty
from engine.pictures.encode_sixel import COLORS_LIMIT, encode_sixel, encode_strips, fitting_palette
from engine.pictures.exact_frames import SHELF_BYTES, ExactFrames, ExactPicture
from engine.pictures.fit import effective_width_px, fit_kitty, fit_sixel
from engine.pictures.gop_decoder import StillDecoding
from engine.pictures.keyframe import LEFT_OUT, KeyframeSource, RecordedKeyframe
from engine.pictures.messages import (
    LENGTH,
    MESSAGE_LIMIT_BYTES,
    AnyJob,
    Beyond,
    Done,
    Failed,
    Job,
    MotionJob,
    MotionSeen,
    Ready,
    answer_encoder,
    framed,
    job_decoder,
)
from engine.pictures.motion import HEIGHT_PX, WIDTH_PX, look, packed, unpacked
from engine.pictures.recorded_files import RecordedFiles
from engine.wire import CellPicture, PictureFormat, PictureReply, PictureRequest, SixelStrip
from storage.clock import Clock, SystemClock
from storage.errors import PictureUnavailable
from storage.segments.packet import Codec

MEMORY_LIMIT_BYTES = 1 << 30
"""Address space: several 8K frames and the libraries; a decompression bomb gets MemoryError."""
_PR_SET_PDEATHSIG = 1


class Worker:
    """Answers jobs. What it remembers between them makes playing cheap, and nothing is missed without it."""

    def __init__(self, shelf_bytes: int = SHELF_BYTES, clock: Clock | None = None) -> None:
        self._files = RecordedFiles()
        self._frames = ExactFrames(self._files, shelf_bytes)
        self._clock = clock or SystemClock()

    def answer(self, job: AnyJob) -> Done | MotionSeen | Beyond:
        """What was asked for. Raises PictureUnavailable."""
        try:
            if isinstance(job, MotionJob):
                return motion(job, self._files)
            try:
                return self.picture(job)
            except MemoryError:
                # What is kept of other recordings is given back; only then is the picture too large.
                self.forget()
                return self.picture(job)
        except BeyondFile:
            return Beyond()

    def picture(self, job: Job) -> Done:
        """Raises PictureUnavailable, BeyondFile."""
        source, request = job.source, job.request
        until_us = self._clock.monotonic_us() + job.limit_ms * 1000

        def is_late() -> bool:
            return self._clock.monotonic_us() > until_us

        if isinstance(source, RecordedKeyframe) and request.exact:
            return encoded(job, self._frames.picture(source, request, is_late, job.left_out))
        keyframe, decoded = self._keyframe(source, request, is_late, job.left_out)
        shown = ExactPicture(
            picture=decoded if request.region is None else decoded.cropped(request.region),
            track=keyframe.track,
            coded_px=(decoded.width_px, decoded.height_px),
            time_us=keyframe.time_us,
            until_us=keyframe.until_us,
            span=keyframe.span,
            notice=LEFT_OUT if keyframe.leaves_out else "",
        )
        is_original = request.region is None and keyframe.track.codec is Codec.MJPEG
        return encoded(job, shown, original=keyframe.data if is_original else b"")

    def _keyframe(
        self, source: KeyframeSource, request: PictureRequest, is_late: Callable[[], bool], left_out: int
    ) -> tuple[Keyframe, DecodedFrame]:
        """A step goes on over keyframes that are no picture, and over the first so many. Raises PictureUnavailable, BeyondFile."""
        leaves_out = False
        while True:
            keyframe = read_keyframe(source, self._files, request.step)
            keyframe = replace(keyframe, leaves_out=leaves_out or keyframe.leaves_out)
            try:
                if left_out > 0:
                    left_out -= 1
                    raise PictureUnavailable("a worker was lost over that keyframe a moment ago")
                return keyframe, decode(
                    keyframe, is_rough=request.is_rough, wanted_px=effective_width_px(request)
                )
            except PictureUnavailable:
                if not request.step or not isinstance(source, RecordedKeyframe) or is_late():
                    raise
                if leaves_out and keyframe.pts_ticks == source.media_ticks:
                    raise  # several of one time: there is no way on
            source = msgspec.structs.replace(source, media_ticks=keyframe.pts_ticks)
            leaves_out = True

    def forget(self) -> None:
        """Give the memory back."""
        self._frames.forget()


def motion(job: MotionJob, files: RecordedFiles | None = None) -> MotionSeen:
    """Raises PictureUnavailable, BeyondFile."""
    keyframe = read_keyframe(job.source, files)
    gray = decode(keyframe, is_rough=True, wanted_px=WIDTH_PX).gray(WIDTH_PX, HEIGHT_PX)
    background = None
    if job.background:
        background = np.frombuffer(job.background, np.uint16).reshape(HEIGHT_PX, WIDTH_PX)
    seen = look(gray, background, job.sensitivity, unpacked(job.mask) if job.mask else None)
    return MotionSeen(
        cells=packed(seen.cells),
        count=int(seen.cells.sum()),
        background=seen.background.tobytes(),
        everywhere=packed(seen.everywhere),
        is_light_change=seen.is_light_change,
        time_us=keyframe.time_us,
        span=keyframe.span,
    )


def encoded(job: Job, shown: ExactPicture, original: bytes = b"") -> Done:
    """The picture as its request wants it; `original` is the camera's own JPEG of it."""
    request, picture = job.request, shown.picture
    columns = rows = 0
    data = b""
    cells: CellPicture | None = None
    strips: tuple[SixelStrip, ...] = ()
    palette, palette_error = b"", 0.0
    if request.format is PictureFormat.JPEG:
        data = encode_jpeg(picture, request.width_px, original)
    elif request.format is PictureFormat.SIXEL:
        fit = fit_sixel(request, *picture.shape_px)
        columns, rows = fit.columns, fit.rows
        pixels = picture.rgb(fit.width_px, fit.height_px)
        colors = min(request.colors, COLORS_LIMIT)
        palette, palette_error = fitting_palette(pixels, colors, job.palette, job.palette_error)
        if request.strip_rows:
            cell_px = request.cell_width_px, request.cell_height_px
            strips = encode_strips(pixels, palette, cell_px, request.strip_rows)
        else:
            data = encode_sixel(pixels, palette)
    elif request.format is PictureFormat.KITTY:
        fit = fit_kitty(request, *picture.shape_px)
        columns, rows = fit.columns, fit.rows
        data = encode_kitty(picture.rgb(fit.width_px, fit.height_px), fit, request.image_id)
    else:
        cells = encode_cells(picture, request)
        columns, rows = cells.columns, cells.rows
    reply = PictureReply(
        camera=request.camera,
        time_us=shown.time_us,
        format=request.format,
        width_px=shown.coded_px[0],
        height_px=shown.coded_px[1],
        columns=columns,
        rows=rows,
        data=data,
        cells=cells,
        until_us=shown.until_us,
        notice=shown.notice,
        strips=strips,
    )
    return Done(reply=reply, palette=palette, palette_error=palette_error, span=shown.span)


def serve(jobs: BinaryIO, answers: BinaryIO, worker: Worker) -> None:
    """Answer jobs until the engine closes the pipe."""
    _send(answers, Ready())
    while body := _receive(jobs):
        try:
            job = job_decoder.decode(body)
            result: Done | MotionSeen | Beyond | Failed = worker.answer(job)
        except StillDecoding as exc:
            result = Failed(what=exc.what, remedy=exc.remedy, is_late=True)
        except PictureUnavailable as exc:
            result = Failed(what=exc.what, remedy=exc.remedy)
        except (
            av.FFmpegError,
            ValueError,
        ) as exc:  # a picture of a shape nobody thought of: no reason to die
            result = Failed(what=f"the picture cannot be made: {exc}")
        except MemoryError:
            # Decoders and pictures of other recordings are given back: the next job has room.
            worker.forget()
            result = Failed(what=f"the picture needs more than {MEMORY_LIMIT_BYTES >> 20} MiB of memory")
        _send(answers, result)


def _receive(jobs: BinaryIO) -> bytes:
    """One message body; empty when the engine is gone."""
    head = jobs.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return b""
    (size,) = LENGTH.unpack(head)
    if size > MESSAGE_LIMIT_BYTES:
        return b""
    body = jobs.read(size)
    return body if len(body) == size else b""


def _send(answers: BinaryIO, message: Ready | Done | MotionSeen | Beyond | Failed) -> None:
    answers.write(framed(answer_encoder.encode(message)))
    answers.flush()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Should it hang while the engine is killed, nobody else would end it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    claim_little()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    av.logging.set_level(None)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer, Worker(int(sys.argv[1])))
    except BrokenPipeError:
        os._exit(0)  # the engine is gone; flushing stdout at exit would only fail again


if __name__ == "__main__":
    main()

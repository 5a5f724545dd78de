"""The picture worker: a child process that turns one keyframe at a time into a picture for a terminal.

Started by `engine.pictures.process` as `python -m engine.pictures.worker`; reads jobs on stdin and answers on
stdout (engine.pictures.messages). It holds no state but lookup tables, has a memory limit and a low priority,
and may be killed at any moment: a decoder that crashes or hangs on hostile video takes only itself down.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import BinaryIO

import av.logging
import numpy as np

from engine.pictures.decode import decode, read_keyframe
from engine.pictures.encode_cells import encode_cells
from engine.pictures.encode_jpeg import encode_jpeg
from engine.pictures.encode_kitty import encode_kitty
from engine.pictures.encode_sixel import COLORS_LIMIT, encode_sixel, fitting_palette
from engine.pictures.fit import fit_kitty, fit_sixel
from engine.pictures.messages import (
    LENGTH,
    MESSAGE_LIMIT_BYTES,
    AnyJob,
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
from engine.wire import CellPicture, PictureFormat, PictureReply
from storage.errors import PictureUnavailable

MEMORY_LIMIT_BYTES = 1 << 30
"""Address space: several 8K frames and the libraries; a decompression bomb gets MemoryError."""
NICENESS = 10
_PR_SET_PDEATHSIG = 1


def answer(job: AnyJob) -> Done | MotionSeen:
    """What was asked for. Raises PictureUnavailable."""
    return picture(job) if isinstance(job, Job) else motion(job)


def motion(job: MotionJob) -> MotionSeen:
    keyframe = read_keyframe(job.source)
    gray = decode(keyframe, is_rough=True).gray(WIDTH_PX, HEIGHT_PX)
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


def picture(job: Job) -> Done:
    request = job.request
    keyframe = read_keyframe(job.source)
    decoded = decode(keyframe)
    columns = rows = 0
    data = b""
    cells: CellPicture | None = None
    palette, palette_error = b"", 0.0
    if request.format is PictureFormat.JPEG:
        data = encode_jpeg(keyframe, decoded, request.width_px)
    elif request.format is PictureFormat.SIXEL:
        fit = fit_sixel(request, *decoded.shape_px)
        columns, rows = fit.columns, fit.rows
        pixels = decoded.rgb(fit.width_px, fit.height_px)
        colors = min(request.colors, COLORS_LIMIT)
        palette, palette_error = fitting_palette(pixels, colors, job.palette, job.palette_error)
        data = encode_sixel(pixels, palette)
    elif request.format is PictureFormat.KITTY:
        fit = fit_kitty(request, *decoded.shape_px)
        columns, rows = fit.columns, fit.rows
        data = encode_kitty(decoded.rgb(fit.width_px, fit.height_px), fit, request.image_id)
    else:
        cells = encode_cells(decoded, request)
        columns, rows = cells.columns, cells.rows
    reply = PictureReply(
        camera=request.camera,
        time_us=keyframe.time_us,
        format=request.format,
        width_px=decoded.width_px,
        height_px=decoded.height_px,
        columns=columns,
        rows=rows,
        data=data,
        cells=cells,
    )
    return Done(reply=reply, palette=palette, palette_error=palette_error, span=keyframe.span)


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Answer jobs until the engine closes the pipe."""
    _send(answers, Ready())
    while body := _receive(jobs):
        try:
            job = job_decoder.decode(body)
            result: Done | MotionSeen | Failed = answer(job)
        except PictureUnavailable as exc:
            result = Failed(what=str(exc))
        except MemoryError:
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


def _send(answers: BinaryIO, message: Ready | Done | MotionSeen | Failed) -> None:
    answers.write(framed(answer_encoder.encode(message)))
    answers.flush()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Should it hang while the engine is killed, nobody else would end it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    av.logging.set_level(None)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(0)  # the engine is gone; flushing stdout at exit would only fail again


if __name__ == "__main__":
    main()

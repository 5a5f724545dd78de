"""The process that masks a video: decodes what comes on stdin, paints over rectangles, encodes H.264, copies the audio. EX-04.

Started by `engine.exports.mask_process` as `python -m engine.exports.mask_worker`, with low priority and a memory limit; may be killed
at any moment: what it wrote has no name in any folder. Times are kept, frame by frame.
"""

from __future__ import annotations

import ctypes
import io
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import av.error
import av.logging
import numpy as np

from engine.exports.mask_messages import (
    CUT_US,
    LENGTH,
    MESSAGE_LIMIT_BYTES,
    MaskAnswer,
    MaskDone,
    MaskedStill,
    MaskFailed,
    MaskJob,
    MaskProgress,
    answer_encoder,
    framed,
    job_decoder,
)
from engine.exports.mask_paint import paint
from engine.pictures.claims import IOPRIO_IDLE, claim_little
from storage.units import US_PER_SECOND

MEMORY_LIMIT_BYTES = 2 << 30
NICENESS = 15
PROGRESS_FRAMES = 10
GOP_FRAMES = 50
QUALITY = "18"
"""x264's constant rate factor: nobody sees the difference outside of the masks."""
QUICKTIME_AUDIO = frozenset({"pcm_mulaw", "pcm_alaw", "pcm_s16be", "pcm_s16le", "adpcm_g726"})
_PR_SET_PDEATHSIG = 1


class _Pipe(io.RawIOBase):
    """Only what libav needs to read forwards."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._source.read(size)


class Masking:
    """One video from beginning to end."""

    def __init__(self, job: MaskJob, source: BinaryIO, answers: BinaryIO) -> None:
        self._job = job
        self._answers = answers
        self._frames = 0
        self._stills = list(enumerate(job.stills_us))
        self._in = av.open(_Pipe(source), "r", format="mp4")
        self._video = self._in.streams.video[0]
        self._audio = next(iter(self._in.streams.audio), None)
        self._size = (self._video.width & ~1, self._video.height & ~1)
        is_quicktime = self._audio is not None and self._audio.codec_context.name in QUICKTIME_AUDIO
        self._suffix = ".mov" if is_quicktime else ".mp4"
        # By this path libav can open the nameless file again, to put the index before the data.
        self._out = av.open(
            f"/proc/self/fd/{job.out_fd}",
            "w",
            format="mov" if is_quicktime else "mp4",
            options={"movflags": "+faststart"},
        )
        self._encoder = self._new_encoder()
        self._audio_out = None if self._audio is None else self._out.add_stream_from_template(self._audio)

    def _new_encoder(self) -> Any:
        encoder: Any = self._out.add_stream("libx264", rate=self._video.average_rate or 25)
        encoder.width, encoder.height = self._size
        encoder.pix_fmt = "yuv420p"
        encoder.codec_context.time_base = self._video.time_base
        encoder.time_base = self._video.time_base
        encoder.codec_context.thread_count = 1
        encoder.options = {"preset": "veryfast", "crf": QUALITY, "bf": "0", "g": str(GOP_FRAMES)}
        return encoder

    def run(self) -> None:
        streams: list[Any] = [stream for stream in (self._video, self._audio) if stream is not None]
        for packet in self._in.demux(streams):
            if packet.stream.type == "audio":
                if packet.dts is not None:
                    packet.stream = self._audio_out  # type: ignore[assignment]
                    self._out.mux(packet)
                continue
            for frame in self._decoded(packet):
                self._take(frame)
        self._out.mux(self._encoder.encode(None))
        if not self._frames:
            raise ValueError("no picture of it could be decoded")
        self._out.close()
        cuts = _cuts(f"/proc/self/fd/{self._job.out_fd}")
        self._say(MaskDone(suffix=self._suffix, frames=self._frames, cuts=cuts))

    def _decoded(self, packet: Any) -> Iterator[Any]:
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            return  # a damaged picture is left out, as players do

    def _take(self, frame: Any) -> None:
        width_px, height_px = self._size
        media_us = round(float(frame.pts * frame.time_base) * US_PER_SECOND)
        pts, time_base = frame.pts, frame.time_base
        planar = frame.reformat(width=width_px, height=height_px, format="yuv420p").to_ndarray()
        luma = planar[:height_px]
        chroma = planar[height_px:].reshape(2, height_px // 2, width_px // 2)
        paint(luma, chroma[0], chroma[1], self._job.masks, media_us)
        masked = av.VideoFrame.from_ndarray(np.ascontiguousarray(planar), format="yuv420p")
        masked.pts, masked.time_base = pts, time_base
        while self._stills and media_us >= self._stills[0][1]:
            index, _ = self._stills.pop(0)
            self._say(MaskedStill(index=index, jpeg=self._jpeg(masked)))
        self._out.mux(self._encoder.encode(masked))
        self._frames += 1
        if self._frames % PROGRESS_FRAMES == 0:
            self._say(MaskProgress(media_us=media_us))

    def _jpeg(self, frame: Any) -> bytes:
        width_px, height_px = self._size
        small_px = min(width_px, self._job.still_width_px)
        image = frame.to_image(width=small_px, height=max(1, height_px * small_px // width_px))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=80)
        return out.getvalue()

    def _say(self, answer: MaskAnswer) -> None:
        self._answers.write(framed(answer_encoder.encode(answer)))
        self._answers.flush()


def _cuts(path: str) -> tuple[tuple[int, int], ...]:
    """See MaskDone: from the index of the finished file, none of its samples is read."""
    with av.open(path, "r") as whole:
        video = whole.streams.video[0]
        time_base = video.time_base
        assert time_base is not None
        found: list[tuple[int, int]] = []
        due_us = 0
        for entry in video.index_entries:
            media_us = round(float(entry.timestamp * time_base) * US_PER_SECOND)
            if not found or media_us >= due_us:
                found.append((entry.pos, media_us))
                due_us = media_us + CUT_US
        first = min(entry.pos for stream in whole.streams for entry in stream.index_entries)
    return ((min(first, found[0][0]), found[0][1]), *found[1:])


def _job(source: BinaryIO) -> MaskJob | None:
    head = source.read(LENGTH.size)
    size_bytes = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
    if not 0 < size_bytes <= MESSAGE_LIMIT_BYTES:
        return None
    body = source.read(size_bytes)
    return job_decoder.decode(body) if len(body) == size_bytes else None


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    claim_little(NICENESS, IOPRIO_IDLE)  # who records comes first
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    av.logging.set_level(None)
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    try:
        job = _job(source)
        if job is None:
            return
        try:
            Masking(job, source, answers).run()
        except (av.error.FFmpegError, ValueError, MemoryError, IndexError) as exc:
            answers.write(framed(answer_encoder.encode(MaskFailed(what=str(exc) or type(exc).__name__))))
            answers.flush()
    except BrokenPipeError:
        os._exit(0)  # the engine is gone


if __name__ == "__main__":
    main()

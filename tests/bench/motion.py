"""What motion detection costs: 16 cameras of 1080p at one keyframe a second, as CPU of one core; beside decoding in full and comparing
every pixel in the same worker process's terms. Prints JSON: python -m tests.bench.motion.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import time
from pathlib import Path

import av
import numpy as np

from engine.pictures.decode import decode, read_keyframe
from engine.pictures.keyframe import LiveKeyframe
from engine.pictures.messages import MotionJob, MotionSeen
from engine.pictures.process import WorkerProcess
from tests.fakes.encoded_video import encoded

CAMERAS = 16
KEYFRAMES = 20
"""A camera."""
WIDTH, HEIGHT = 1920, 1080
LIMIT_S = 10.0


def keyframes() -> list[LiveKeyframe]:
    stream = encoded("h264", 2.0, 1, WIDTH, HEIGHT)
    return [
        LiveKeyframe(camera="bench", time_us=number + 1, track=stream.track, data=packet.data)
        for number, packet in enumerate(stream.packets[:KEYFRAMES])
    ]


def cpu_s(pid: int) -> float:
    """User and system time of a process (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def ours(pictures: list[LiveKeyframe]) -> dict[str, float]:
    worker = await WorkerProcess.start()
    backgrounds = [b""] * CAMERAS
    own_before, worker_before = time.process_time(), cpu_s(worker.pid)
    for picture in pictures:
        for camera in range(CAMERAS):
            answer = await worker.answer(MotionJob(source=picture, background=backgrounds[camera]), LIMIT_S)
            assert isinstance(answer, MotionSeen)
            backgrounds[camera] = answer.background
    own, worked = time.process_time() - own_before, cpu_s(worker.pid) - worker_before
    await worker.close()
    return {"engine_s": own, "worker_s": worked}


def peer(pictures: list[LiveKeyframe]) -> float:
    """Each keyframe decoded as for a person, and all its pixels compared: what a straightforward detector does."""
    before_s = time.process_time()
    for _ in range(CAMERAS):
        background = None
        for picture in pictures:
            gray = decode(read_keyframe(picture)).gray(WIDTH, HEIGHT).astype(np.float32)
            if background is None:
                background = gray
            (np.abs(gray - background) > 35).reshape(18, HEIGHT // 18, 32, WIDTH // 32).sum(axis=(1, 3))
            background += 0.1 * (gray - background)
    return time.process_time() - before_s


def main() -> None:
    av.logging.set_level(None)
    pictures = keyframes()
    cost = asyncio.run(ours(pictures))
    peer_s = peer(pictures)
    ours_s = cost["engine_s"] + cost["worker_s"]
    print(
        json.dumps(
            {
                "cameras": CAMERAS,
                "pictures_a_second": 1,
                "size": f"{WIDTH}x{HEIGHT}",
                "keyframe_bytes": sum(len(picture.data) for picture in pictures) // len(pictures),
                "core_percent": round(100 * ours_s / KEYFRAMES, 2),
                "core_percent_of_the_engine_itself": round(100 * cost["engine_s"] / KEYFRAMES, 2),
                "peer_core_percent": round(100 * peer_s / KEYFRAMES, 2),
                "ratio": round(ours_s / peer_s, 3),
                "worker_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()

"""A camera may burst, and be fast; it may not flood. Checked on the arithmetic and on a real connection."""

from __future__ import annotations

import asyncio

import pytest

from engine.cameras.receive_limit import (
    BURST_BYTES,
    FRAME_COST_BYTES,
    PATIENCE_US,
    RATE_BYTES_S,
    ReceiveLimit,
)
from storage.errors import CameraProtocolError
from storage.units import US_PER_SECOND
from tests.rtsp.rtp_packets import interleave
from tests.rtsp.scripted import ScriptedCamera
from tests.rtsp.sessions import MEDIA, failure

CHUNK = 256 * 1024


def flow(limit: ReceiveLimit, rate_bytes_s: float, seconds: float, start_us: int = 0) -> tuple[int, bool]:
    """Send at a rate, obeying the pauses; the moment reached and whether it was called a flood."""
    now_us, received = start_us, 0
    while now_us < start_us + seconds * US_PER_SECOND:
        received += CHUNK
        now_us = max(now_us, start_us + round(received / rate_bytes_s * US_PER_SECOND))
        pause_us = limit.pause_us(CHUNK, 200, now_us)
        if pause_us and limit.is_flooded(now_us):
            return now_us, True
        now_us += pause_us
    return now_us, False


def test_a_burst_is_not_delayed() -> None:
    limit = ReceiveLimit(0)
    assert [limit.pause_us(CHUNK, 0, 0) for _ in range(BURST_BYTES // CHUNK)] == [0] * (BURST_BYTES // CHUNK)
    assert limit.pause_us(CHUNK, 0, 0) > 0


def test_a_fast_camera_never_floods_however_long_it_sends() -> None:
    assert flow(ReceiveLimit(0), RATE_BYTES_S * 0.7, 60)[1] is False


def test_a_flood_is_slowed_down_and_called_one_after_seconds() -> None:
    moment_us, is_flood = flow(ReceiveLimit(0), RATE_BYTES_S * 50, 60)
    assert is_flood
    assert PATIENCE_US < moment_us < 3 * PATIENCE_US


def test_empty_frames_are_a_flood_too() -> None:
    limit = ReceiveLimit(0)
    frames = BURST_BYTES // FRAME_COST_BYTES
    assert limit.pause_us(4 * frames, frames, 0) > 0


def test_bursts_apart_are_no_flood() -> None:
    limit = ReceiveLimit(0)
    for burst in range(20):
        start_us = burst * 3 * US_PER_SECOND
        assert not flow(limit, RATE_BYTES_S * 50, 0.5, start_us)[1]
        assert not limit.is_flooded(start_us + US_PER_SECOND // 2)


async def test_a_camera_that_floods_is_given_up_in_words() -> None:
    camera = ScriptedCamera(media=MEDIA + interleave(b"", 5) * 4_000_000)
    async with camera:
        error = await failure(camera)
    assert isinstance(error, CameraProtocolError)
    assert "Mbit/s" in error.what


async def test_a_camera_that_asks_and_reads_no_answer_is_given_up() -> None:
    class Deaf(ScriptedCamera):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.append(writer)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            try:
                while True:
                    writer.write(b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 1000)
                    await writer.drain()
            except ConnectionError:
                return

    async with Deaf() as camera:
        error = await failure(camera, connect_timeout_ms=60_000)
    assert isinstance(error, CameraProtocolError)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"HTTP/1.0 404 Not Found\r\n\r\n<html>"]
)
async def test_a_web_server_is_called_one(answer: bytes) -> None:
    camera = ScriptedCamera()
    camera.on["OPTIONS"] = lambda _: answer
    async with camera:
        error = await failure(camera)
    assert "HTTP" in error.what
    assert "554" in error.remedy

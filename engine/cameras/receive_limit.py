"""How fast a camera may send: one that floods must cost the others neither the loop nor the disk's queue.

A bucket of bytes, refilled at a rate that no camera reaches. When it is empty the connection is not read for a
moment, so that TCP slows the camera down; one that goes on like that for seconds is no camera. Pure arithmetic.
"""

from __future__ import annotations

from storage.units import US_PER_SECOND

RATE_BYTES_S = 32 * 1024 * 1024
"""268 Mbit/s; uncompressed-looking 4K MJPEG is half of it."""
BURST_BYTES = 16 * 1024 * 1024
"""A pre-buffer of seconds may come at once; well below what a volume's queue holds."""
FRAME_COST_BYTES = 256
"""A frame costs time however short it is: a flood of empty ones is one, too."""
PATIENCE_US = 3 * US_PER_SECOND


class ReceiveLimit:
    """Of one connection."""

    __slots__ = ("_allowance", "_flooded_since_us", "_refilled_us")

    def __init__(self, now_us: int) -> None:
        self._allowance = BURST_BYTES
        self._refilled_us = now_us
        self._flooded_since_us: int | None = None

    def pause_us(self, received_bytes: int, frames: int, now_us: int) -> int:
        """Take note of what was received; how long not to read on."""
        self._allowance -= received_bytes + frames * FRAME_COST_BYTES
        if self._allowance >= 0:
            return 0
        refill = (now_us - self._refilled_us) * RATE_BYTES_S // US_PER_SECOND
        self._allowance = min(self._allowance + refill, BURST_BYTES)
        self._refilled_us = now_us
        if self._allowance >= 0:
            if self._allowance > RATE_BYTES_S // 4:
                self._flooded_since_us = None
            return 0
        if self._flooded_since_us is None:
            self._flooded_since_us = now_us
        return -self._allowance * US_PER_SECOND // RATE_BYTES_S

    def is_flooded(self, now_us: int) -> bool:
        """It has been sending too fast all the time for seconds."""
        return self._flooded_since_us is not None and now_us - self._flooded_since_us > PATIENCE_US

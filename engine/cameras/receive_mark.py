"""How many bytes may gather in a camera's socket before the loop is woken (SO_RCVLOWAT), by its bit and frame rate."""

from __future__ import annotations

from engine.cameras.delivery import Delivery
from engine.cameras.rtsp_connection import RtspConnection

_GATHER_US = 200_000
"""A wake-up costs more than the packets it brings (measured with 24 cameras: 20 wake-ups a second and camera take a third
more CPU than 8). Anything waits this long at most, which is far below what a part holds back anyway."""
_LARGEST_RECEIVE_MARK = 128 * 1024
_LEAST_RATE_FOR_MARK_HZ = 8


class ReceiveMark:
    """Sets how much may gather in the socket before the loop is woken: a few pictures, at full frame rates.

    The mark follows what came since the last look; when nothing came, because the camera's rate fell under
    the mark, it goes back to one byte at once.
    """

    def __init__(self, connection: RtspConnection, delivery: Delivery, now_us: int) -> None:
        self._connection = connection
        self._delivery = delivery
        self._last_us = now_us
        self._last_bytes = connection.bytes_received
        self._last_pictures = delivery.video_packets
        self._mark = 1

    def adapt(self, now_us: int) -> None:
        received = self._connection.bytes_received - self._last_bytes
        pictures = self._delivery.video_packets - self._last_pictures
        elapsed_us = now_us - self._last_us
        if elapsed_us < 500_000 and received:
            return
        self._last_us = now_us
        self._last_bytes, self._last_pictures = self._connection.bytes_received, self._delivery.video_packets
        # At low rates the end of a picture would wait too long for the next one.
        is_steady = pictures * 1_000_000 >= _LEAST_RATE_FOR_MARK_HZ * elapsed_us and pictures > 0
        mark = min(received * _GATHER_US // elapsed_us, _LARGEST_RECEIVE_MARK) if is_steady else 1
        if mark != self._mark:
            self._mark = mark
            self._connection.set_receive_mark(max(mark, 1))

"""How much may gather in a camera's socket: enough to save wake-ups, never so much that a quiet camera seems dead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from engine.cameras.delivery import Delivery
from engine.cameras.receive_mark import ReceiveMark
from engine.cameras.rtsp_connection import RtspConnection

SECOND_US = 1_000_000


@dataclass
class Line:
    """What the mark sees of a connection and its pictures."""

    bytes_received: int = 0
    video_packets: int = 0
    marks: list[int] = field(default_factory=list)

    def set_receive_mark(self, mark: int) -> None:
        self.marks.append(mark)


def watched(line: Line) -> ReceiveMark:
    return ReceiveMark(cast(RtspConnection, line), cast(Delivery, line), 0)


def test_at_full_frame_rate_a_fifth_of_a_second_may_gather() -> None:
    line = Line()
    mark = watched(line)
    line.bytes_received, line.video_packets = 500_000, 25
    mark.adapt(SECOND_US)
    assert line.marks == [100_000]


def test_the_mark_never_passes_half_the_receive_buffer() -> None:
    line = Line()
    mark = watched(line)
    line.bytes_received, line.video_packets = 20_000_000, 25
    mark.adapt(SECOND_US)
    assert line.marks == [128 * 1024]


def test_at_low_frame_rates_every_byte_wakes_the_loop() -> None:
    line = Line()
    mark = watched(line)
    line.bytes_received, line.video_packets = 500_000, 5
    mark.adapt(SECOND_US)
    assert line.marks == []


def test_a_camera_that_falls_silent_is_heard_again_at_its_first_byte() -> None:
    line = Line()
    mark = watched(line)
    line.bytes_received, line.video_packets = 500_000, 25
    mark.adapt(SECOND_US)
    mark.adapt(SECOND_US + 100_000)  # a look right after: nothing new, however early
    assert line.marks[-1] == 1

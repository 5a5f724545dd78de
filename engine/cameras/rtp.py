"""RTP and RTCP packets (RFC 3550) of one session: headers, sequence numbers, sender reports.

One `RtpStream` a recorded medium; payloads go to its depacketiser. Packets arrive over TCP, so a hole in the sequence
numbers is loss inside the camera; the picture then resumes at the next keyframe, the sound at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from engine.cameras.delivery import Delivery
from engine.cameras.h26x import NalAssembler

_HEADER_BYTES = 12
_REORDER_REACH = 64
_SENDER_REPORT = 200
_RECEIVER_REPORT = 201


class Depacketizer(Protocol):
    """Makes access units from one stream's payloads; copies what it keeps, unless it is a NalAssembler."""

    def payload(self, data: memoryview, timestamp: int, is_last: bool, now_us: int, ssrc: int) -> None: ...

    def lost(self) -> None:
        """Packets are missing before the next payload."""
        ...


class RtpStream:
    """Sequence and payload type of one medium. The frame loop shares `next_sequence` and `plain_flags`."""

    def __init__(
        self,
        depacketizer: Depacketizer,
        payload_type: int,
        other_types: frozenset[int],
        delivery: Delivery,
        *,
        is_video: bool,
    ) -> None:
        self.depacketizer = depacketizer
        self.assembler = depacketizer if isinstance(depacketizer, NalAssembler) else None
        self.next_sequence = -1
        self.ssrc = 0
        self._payload_type = payload_type
        self._other_types = other_types
        self._delivery = delivery
        self._is_video = is_video
        self.packets_lost = 0

    @property
    def plain_flags(self) -> int:
        """First two header bytes of a packet without padding, extension, sources and marker."""
        return 0x8000 | self._payload_type

    def packet(self, data: memoryview, now_us: int) -> None:
        """One RTP packet; what is no RTP packet of this stream is ignored."""
        if len(data) < _HEADER_BYTES or data[0] >> 6 != 2:
            return
        first, second = data[0], data[1]
        if second & 0x7F != self._payload_type and not self._is_other_type_accepted(second & 0x7F):
            return
        sequence = data[2] << 8 | data[3]
        if sequence != self.next_sequence and not self._resume(sequence):
            return
        self.next_sequence = (sequence + 1) & 0xFFFF
        timestamp = int.from_bytes(data[4:8], "big")
        self.ssrc = int.from_bytes(data[8:12], "big")
        if first == 0x80:
            payload = data[_HEADER_BYTES:]
        else:
            start, end = _payload_bounds(data)
            if start >= end:
                return
            payload = data[start:end]
        self.depacketizer.payload(payload, timestamp, second >= 0x80, now_us, self.ssrc)

    def _is_other_type_accepted(self, payload_type: int) -> bool:
        """Some cameras send another type than they describe: the first one seen is taken, if it means nothing else."""
        if self.next_sequence >= 0 or payload_type in self._other_types or 64 <= payload_type < 96:
            return False
        self._payload_type = payload_type
        return True

    def tell_lost(self, detail: str) -> None:
        """Damage was seen outside the packets of this stream."""
        self._delivery.video_lost(detail)

    def _resume(self, sequence: int) -> bool:
        """At a hole: False for a packet that comes again or too late."""
        if self.next_sequence < 0:
            return True
        missing = (sequence - self.next_sequence) & 0xFFFF
        if missing >= 0x10000 - _REORDER_REACH:
            return False
        self.packets_lost += missing
        self.depacketizer.lost()
        if self._is_video:
            self._delivery.video_lost(f"{missing} RTP packets of the picture are missing")
        return True


def _payload_bounds(data: memoryview) -> tuple[int, int]:
    """Where the payload lies behind contributing sources and a header extension, without padding."""
    first = data[0]
    start, end = _HEADER_BYTES + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if start + 4 > end:
            return end, end
        start += 4 + 4 * (data[start + 2] << 8 | data[start + 3])
    if first & 0x20:
        end -= data[end - 1]
    return start, end


def read_sender_report(data: memoryview, on_report: Callable[[int, int], None]) -> None:
    """Hand the NTP time (32.32 bits) and RTP timestamp of the sender report in an RTCP packet to `on_report`."""
    position = 0
    while position + 28 <= len(data) and data[position] >> 6 == 2:
        if data[position + 1] == _SENDER_REPORT:
            ntp = int.from_bytes(data[position + 8 : position + 16], "big")
            on_report(ntp, int.from_bytes(data[position + 16 : position + 20], "big"))
            return
        position += 4 + 4 * (data[position + 2] << 8 | data[position + 3])


def receiver_report(channel: int, own_ssrc: int) -> bytes:
    """An interleaved RTCP receiver report without blocks: some servers end sessions that never send one."""
    report = bytes((0x80, _RECEIVER_REPORT, 0, 1)) + own_ssrc.to_bytes(4, "big")
    return bytes((0x24, channel)) + len(report).to_bytes(2, "big") + report

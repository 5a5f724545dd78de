"""RTP payloads of sound to frames: AAC (RFC 3640 and LATM, RFC 6416), and codecs with one frame a packet.

Sound is small: everything is copied at once, and a lost packet costs that packet only.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.cameras.delivery import Delivery
from storage.segments.bits import BitReader, OutOfBits

MAX_FRAME_BYTES = 64 * 1024
_SAMPLE_RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_EXPLICIT_RATE = 15
_SBR, _PS, _ESCAPE = 5, 29, 31


@dataclass(frozen=True, slots=True)
class AacConfig:
    """What an AudioSpecificConfig (ISO 14496-3 §1.6.2.1) says."""

    raw: bytes
    core_rate_hz: int
    rate_hz: int
    """Of the decoded sound: twice the core's with SBR."""
    channels: int
    frame_samples: int
    """At the core rate."""


def parse_aac_config(raw: bytes) -> AacConfig | None:
    """None for what is no AAC configuration."""
    try:
        return _read_aac_config(BitReader(raw), raw)
    except OutOfBits:
        return None


def _read_aac_config(bits: BitReader, raw: bytes) -> AacConfig | None:
    kind = _object_type(bits)
    core_rate = rate = _sample_rate(bits)
    channels = bits.read(4)
    if kind in (_SBR, _PS):
        rate = _sample_rate(bits)
        kind = _object_type(bits)
        if kind == 22:
            bits.skip(4)
    is_short = bits.flag()
    if not rate or not core_rate or kind not in (1, 2, 3, 4, 17, 23, 39) or channels > 7:
        return None
    frame_samples = (480 if is_short else 512) if kind in (23, 39) else (960 if is_short else 1024)
    return AacConfig(raw, core_rate, rate, 8 if channels == 7 else channels or 2, frame_samples)


def _object_type(bits: BitReader) -> int:
    kind = bits.read(5)
    return 32 + bits.read(6) if kind == _ESCAPE else kind


def _sample_rate(bits: BitReader) -> int:
    index = bits.read(4)
    if index == _EXPLICIT_RATE:
        return bits.read(24)
    return _SAMPLE_RATES_HZ[index] if index < len(_SAMPLE_RATES_HZ) else 0


def make_aac_config(rate_hz: int, channels: int) -> bytes:
    """An AAC-LC configuration for cameras that do not send theirs; empty for impossible values."""
    if rate_hz not in _SAMPLE_RATES_HZ or not 1 <= channels <= 7:
        return b""
    value = 2 << 11 | _SAMPLE_RATES_HZ.index(rate_hz) << 7 | channels << 3
    return value.to_bytes(2, "big")


def parse_stream_mux_config(raw: bytes) -> bytes:
    """The AudioSpecificConfig inside a LATM StreamMuxConfig; empty for the forms cameras do not use."""
    bits = BitReader(raw)
    try:
        version = bits.flag()
        same_timing = bits.flag()
        sub_frames, programs, layers = bits.read(6), bits.read(4), bits.read(3)
        if version or not same_timing or sub_frames or programs or layers:
            return b""
        count = min(bits.remaining, 16 * 8)
        value = bits.read(count)
    except OutOfBits:
        return b""
    config = (value << (-count % 8)).to_bytes((count + 7) // 8, "big")
    parsed = parse_aac_config(config)
    if parsed is None:
        return b""
    # What follows the configuration is LATM's: keep the part decoders need.
    return config[:5] if parsed.rate_hz != parsed.core_rate_hz else config[:2]


class WholePayload:
    """PCMU, PCMA, L16, Opus: the payload is the frame."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def payload(self, data: memoryview, timestamp: int, is_last: bool, now_us: int, ssrc: int) -> None:
        if len(data):
            self._delivery.audio(bytes(data), timestamp, now_us)

    def lost(self) -> None:
        """Nothing is held."""


class AacDepacketizer:
    """RFC 3640 with AU headers: several frames in a packet, or one frame over several."""

    def __init__(
        self, delivery: Delivery, size_bits: int, index_bits: int, delta_bits: int, frame_ticks: int
    ) -> None:
        self._delivery = delivery
        self._size_bits = size_bits
        self._index_bits = index_bits
        self._delta_bits = delta_bits
        self._frame_ticks = frame_ticks
        self._fragment = bytearray()
        self._fragment_size = 0

    def payload(self, data: memoryview, timestamp: int, is_last: bool, now_us: int, ssrc: int) -> None:
        if len(data) < 2:
            return
        header_bits = data[0] << 8 | data[1]
        body = 2 + (header_bits + 7) // 8
        if body > len(data):
            return
        sizes = self._frame_sizes(bytes(data[2:body]), header_bits)
        if len(sizes) == 1 and sizes[0] > len(data) - body:
            self._add_fragment(sizes[0], bytes(data[body:]), timestamp, now_us)
            return
        self.lost()
        for index, size in enumerate(sizes):
            if body + size > len(data):
                return
            if size:
                ticks = (timestamp + index * self._frame_ticks) & 0xFFFF_FFFF
                self._delivery.audio(bytes(data[body : body + size]), ticks, now_us)
            body += size

    def _frame_sizes(self, headers: bytes, header_bits: int) -> list[int]:
        bits = BitReader(headers)
        sizes: list[int] = []
        while True:
            width = self._size_bits + (self._delta_bits if sizes else self._index_bits)
            if bits.position + width > header_bits or not width:
                return sizes
            size = bits.read(self._size_bits)
            bits.skip(width - self._size_bits)
            sizes.append(size)

    def _add_fragment(self, size: int, part: bytes, timestamp: int, now_us: int) -> None:
        if size != self._fragment_size:
            self.lost()
            self._fragment_size = size
        self._fragment += part
        if len(self._fragment) >= size:
            self._delivery.audio(bytes(self._fragment[:size]), timestamp, now_us)
            self.lost()

    def lost(self) -> None:
        self._fragment.clear()
        self._fragment_size = 0


class LatmDepacketizer:
    """RFC 6416 with the configuration in the SDP (cpresent=0) and one frame an element."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._element = bytearray()
        self._is_broken = False

    def payload(self, data: memoryview, timestamp: int, is_last: bool, now_us: int, ssrc: int) -> None:
        if len(self._element) + len(data) > MAX_FRAME_BYTES:
            self.lost()
        self._element += data
        if not is_last:
            return
        element, is_broken = bytes(self._element), self._is_broken
        self._element.clear()
        self._is_broken = False
        size = position = 0
        while position < len(element) and element[position] == 0xFF:
            size += 255
            position += 1
        if position < len(element):
            size += element[position]
            position += 1
        frame = element[position : position + size]
        if size and len(frame) == size and not is_broken:
            self._delivery.audio(frame, timestamp, now_us)

    def lost(self) -> None:
        self._element.clear()
        self._is_broken = True

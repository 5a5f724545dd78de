"""RTP payloads of JPEG pictures (RFC 2435) to whole JPEG files: the headers cameras leave out are written again."""

from __future__ import annotations

from engine.cameras.delivery import Delivery
from engine.cameras.h26x import MAX_UNIT_BYTES, VIDEO_CLOCK_HZ
from storage.segments.packet import Codec, Track

_MAIN_HEADER_BYTES = 8
_MAX_CACHED_TABLES = 128

# RFC 2435 appendix A: the quantisers at Q = 50, in zigzag order.
_LUMA_QUANTISER = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d5157"
    "5f626768673e4d71797064785c656763"
)
_CHROMA_QUANTISER = bytes.fromhex(
    "1112121815182f1a1a2f6342384263636363636363636363636363636363636363636363636363636363636363636363"
    "63636363636363636363636363636363"
)
# ISO 10918-1 annex K.3: the Huffman tables every camera uses.
_DC_LUMA_COUNTS = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
_DC_CHROMA_COUNTS = bytes((0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0))
_DC_SYMBOLS = bytes(range(12))
_AC_LUMA_COUNTS = bytes((0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D))
_AC_CHROMA_COUNTS = bytes((0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77))
_AC_LUMA_SYMBOLS = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728"
    "292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a83848586878889"
    "8a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2"
    "e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_AC_CHROMA_SYMBOLS = bytes.fromhex(
    "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a26"
    "2728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a828384858687"
    "88898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9da"
    "e2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)
STANDARD_HUFFMAN = {
    0x00: _DC_LUMA_COUNTS + _DC_SYMBOLS,
    0x10: _AC_LUMA_COUNTS + _AC_LUMA_SYMBOLS,
    0x01: _DC_CHROMA_COUNTS + _DC_SYMBOLS,
    0x11: _AC_CHROMA_COUNTS + _AC_CHROMA_SYMBOLS,
}
"""By class and number, as in a DHT segment."""


class MjpegDepacketizer:
    """Pictures of one stream; each is a keyframe."""

    def __init__(self, delivery: Delivery, fallback_width: int, fallback_height: int) -> None:
        self._delivery = delivery
        self._fallback = (fallback_width, fallback_height)
        self._scan: list[bytes] = []
        self._scan_bytes = 0
        self._head = b""
        self._size = (0, 0)
        self._timestamp = -1
        self._tables: dict[int, bytes] = {}

    def payload(self, data: memoryview, timestamp: int, is_last: bool, now_us: int, ssrc: int) -> None:
        if len(data) < _MAIN_HEADER_BYTES:
            return
        offset = int.from_bytes(data[1:4], "big")
        kind, quality = data[4], data[5]
        width, height = data[6] * 8, data[7] * 8
        if not width or not height:  # more than 2040 pixels do not fit the header
            width, height = self._fallback
        position = _MAIN_HEADER_BYTES
        restart_interval = 0
        if 64 <= kind <= 127:
            restart_interval = int.from_bytes(data[position : position + 2], "big")
            position += 4
        if offset == 0:
            tables, position = self._quantisers(data, position, quality)
            self.lost()
            if kind & 0x3F > 1 or not tables or not width or not height:
                return
            self._head = _jpeg_head(kind & 0x3F, width, height, tables, restart_interval)
            self._size, self._timestamp = (width, height), timestamp
        elif timestamp != self._timestamp or offset != self._scan_bytes:
            self.lost()
        if not self._head:
            return
        part = bytes(data[position:])
        self._scan.append(part)
        self._scan_bytes += len(part)
        if self._scan_bytes > MAX_UNIT_BYTES:
            self.lost()
        elif is_last:
            self._finish(now_us)

    def lost(self) -> None:
        """The picture in work cannot be completed; the next one is whole again."""
        self._scan.clear()
        self._scan_bytes = 0
        self._head = b""

    def _finish(self, now_us: int) -> None:
        scan = b"".join(self._scan)
        end = b"" if scan.endswith(b"\xff\xd9") else b"\xff\xd9"
        self._delivery.video_format(
            Track(codec=Codec.MJPEG, time_base_hz=VIDEO_CLOCK_HZ, width=self._size[0], height=self._size[1])
        )
        self._delivery.video(self._head + scan + end, self._timestamp, True, now_us)
        self.lost()

    def _quantisers(self, data: memoryview, position: int, quality: int) -> tuple[bytes, int]:
        """The DQT segments and where the scan data begins; empty when the tables are not known."""
        if quality < 128:
            return (_default_quantisers(quality), position) if 1 <= quality <= 99 else (b"", position)
        if position + 4 > len(data):
            return b"", len(data)
        precision = data[position + 1]
        length = data[position + 2] << 8 | data[position + 3]
        position += 4
        if not length:
            return self._tables.get(quality, b""), position
        raw = bytes(data[position : position + length])
        position += length
        luma_bytes = 128 if precision & 1 else 64
        luma = raw[:luma_bytes]
        chroma = raw[luma_bytes : luma_bytes + (128 if precision & 2 else 64)]
        if len(luma) < luma_bytes:
            return b"", position
        if len(chroma) not in (64, 128):  # one table for both
            chroma, precision = luma, precision & 1 | (precision & 1) << 1
        segments = _segment(0xDB, bytes(((precision & 1) << 4,)) + luma)
        segments += _segment(0xDB, bytes(((precision & 2) << 3 | 1,)) + chroma)
        if quality < 255 and len(self._tables) < _MAX_CACHED_TABLES:
            self._tables[quality] = segments
        return segments, position


def _default_quantisers(quality: int) -> bytes:
    scale = 5000 // quality if quality < 50 else 200 - quality * 2
    return b"".join(
        _segment(0xDB, bytes((number,)) + bytes(min(max((q * scale + 50) // 100, 1), 255) for q in table))
        for number, table in enumerate((_LUMA_QUANTISER, _CHROMA_QUANTISER))
    )


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def _jpeg_head(kind: int, width: int, height: int, tables: bytes, restart_interval: int) -> bytes:
    """Everything before the scan data. Type 0 is 4:2:2, type 1 is 4:2:0."""
    luma_sampling = 0x21 if kind == 0 else 0x22
    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03"
    frame += bytes((1, luma_sampling, 0, 2, 0x11, 1, 3, 0x11, 1))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
            tables,
            _segment(0xDD, restart_interval.to_bytes(2, "big")) if restart_interval else b"",
            _segment(0xC0, frame),
            *(_segment(0xC4, bytes((which,)) + table) for which, table in STANDARD_HUFFMAN.items()),
            _segment(0xDA, bytes((3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0))),
        )
    )

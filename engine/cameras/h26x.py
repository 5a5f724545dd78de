"""RTP payloads of H.264 (RFC 6184) and H.265 (RFC 7798) to access units with 4-byte NAL lengths.

The frame loop in `interleaved.py` handles the middle packets of fragmented units by itself and reads and writes
`pieces`, `timestamp` and `continuation` directly; everything else comes through `payload`. Pieces may be views of the
receive buffer: `settle` copies them before it is reused.

Real cameras: marker bits on parameter sets and SEI, parameter sets with another timestamp than their picture, start
codes inside a NAL unit, missing end bits, changing types inside a fragment. All are tolerated; only lost or impossible
data makes the unit be dropped.
"""

from __future__ import annotations

from struct import Struct
from typing import ClassVar

from engine.cameras.delivery import Delivery
from engine.cameras.parameter_sets import (
    H264_PPS,
    H264_SPS,
    H265_PPS,
    H265_SPS,
    H265_VPS,
    PictureSize,
    h264_size,
    h265_size,
    split_start_codes,
)
from storage.segments.bits import BitReader, OutOfBits, unescape
from storage.segments.packet import Codec, Track

MAX_UNIT_BYTES = 16 * 1024 * 1024
NO_FRAGMENT = -1
VIDEO_CLOCK_HZ = 90_000
_MAX_PARAMETER_SETS = 16


class NalAssembler:
    """Access units of one stream; a subclass a codec."""

    codec: ClassVar[Codec]
    frame_struct: ClassVar[Struct]
    """'$' and channel, length, RTP flags, sequence, timestamp, and last the 4 bytes up to the end of the FU header
    (SSRC tail + FU bytes), which are the same in every middle packet of a fragmented NAL unit."""
    fragment_offset: ClassVar[int]
    """From the '$' to the fragment's data."""
    header_bytes: ClassVar[int]
    set_types: ClassVar[tuple[int, ...]]

    def __init__(self, delivery: Delivery, parameter_sets: list[bytes]) -> None:
        self.pieces: list[bytes | memoryview] = []
        self.timestamp = -1
        self.continuation = NO_FRAGMENT
        self._delivery = delivery
        self._fragment_at = -1
        self._fragment_header = b""
        self._has_picture = False
        self._is_keyframe = False
        self._starts_whole = False
        self._is_damaged = False
        self._sets: dict[int, list[bytes]] = {kind: [] for kind in self.set_types}
        self._new_sets: dict[int, list[bytes]] = {kind: [] for kind in self.set_types}
        self._sets_announced: tuple[bytes, ...] = ()
        for nal in parameter_sets:
            self._take_set(nal)
        # An announced SPS that cannot be read is rubbish: the stream will bring a better one.
        if self._size_of(self._new_sets) is not None:
            self._announce_sets()
        self._new_sets = {kind: [] for kind in self.set_types}

    # -- per codec ---------------------------------------------------------------------------------------

    def _type(self, header: int) -> int:
        raise NotImplementedError

    def _size(self, sps: bytes) -> PictureSize | None:
        raise NotImplementedError

    def _nal_payload(self, data: memoryview, ssrc_tail: int) -> None:
        raise NotImplementedError

    def _is_picture(self, kind: int) -> bool:
        raise NotImplementedError

    def _is_key(self, kind: int) -> bool:
        raise NotImplementedError

    def _inspect(self, kind: int, nal: bytes) -> None:
        """Look at a NAL unit that is neither picture nor parameter set."""

    # -- packets -----------------------------------------------------------------------------------------

    def payload(self, data: memoryview, timestamp: int, is_last: bool, now_us: int, ssrc: int) -> None:
        """One RTP payload, in sequence. `is_last` is the marker bit."""
        if timestamp != self.timestamp:
            # Without marker bits the next timestamp ends a picture; parameter sets wait for theirs.
            if self._has_picture or self._is_damaged:
                self._finish(now_us)
            self.timestamp = timestamp
        if len(data) > self.header_bytes:
            self._nal_payload(data, ssrc)
        if is_last and (self._has_picture or self._is_damaged):
            self._finish(now_us)

    def lost(self) -> None:
        """Packets are missing: what is collected cannot be completed."""
        self.pieces.clear()
        self._fragment_at = self.continuation = NO_FRAGMENT
        self._has_picture = self._is_keyframe = self._starts_whole = self._is_damaged = False

    def settle(self) -> None:
        """Copy what still lies in the receive buffer; drop a unit that grows past all bounds."""
        pieces = self.pieces
        if not pieces:
            return
        if self._fragment_at >= 0:
            at = self._fragment_at
            pieces[at + 1 :] = [b"".join(pieces[at + 1 :])]
            if at > 1:
                pieces[:at] = [b"".join(pieces[:at])]
                self._fragment_at = 1
        else:
            pieces[:] = [b"".join(pieces)]
        if sum(map(len, pieces)) > MAX_UNIT_BYTES:
            self._damage(f"a picture of more than {MAX_UNIT_BYTES // 1024 // 1024} MiB")
            self.pieces.clear()
            self._fragment_at = self.continuation = NO_FRAGMENT

    # -- NAL units ---------------------------------------------------------------------------------------

    def _whole(self, nal: bytes) -> None:
        """One NAL unit as it came in a packet; a few cameras put several in one, with start codes."""
        self._end_fragment()
        if b"\x00\x00\x01" in nal:
            for part in split_start_codes(nal):
                if len(part) > self.header_bytes:
                    self._add(part)
        else:
            self._add(nal)

    def _add(self, nal: bytes) -> None:
        kind = self._type(nal[0])
        if self._is_picture(kind):
            self._begin_picture(kind, nal[self.header_bytes])
        elif kind in self._sets:
            self._take_set(nal)
        else:
            self._inspect(kind, nal)
        self.pieces += (len(nal).to_bytes(4, "big"), nal)

    def _aggregate(self, data: bytes) -> None:
        position = 0
        while position + 2 < len(data):
            size = data[position] << 8 | data[position + 1]
            nal = data[position + 2 : position + 2 + size]
            if len(nal) < size:
                self._damage("an aggregated packet longer than itself")
                return
            if size > self.header_bytes:
                self._whole(nal)
            position += 2 + size

    def _begin_picture(self, kind: int, first_byte: int) -> None:
        if not self._has_picture:
            self._has_picture = True
            # first_mb_in_slice / first_slice_segment_in_pic_flag: 0 / 1 is a leading one bit in both codecs.
            self._starts_whole = first_byte >= 0x80
        if self._is_key(kind):
            self._is_keyframe = True

    def _start_fragment(self, header: bytes, data: memoryview, continuation: int) -> None:
        self._end_fragment()
        kind = self._type(header[0])
        if self._is_picture(kind):
            self._begin_picture(kind, data[0] if len(data) else 0x80)
        self._fragment_at = len(self.pieces)
        self._fragment_header = header
        self.pieces += (b"", data)
        self.continuation = continuation

    def _continue_fragment(self, data: memoryview) -> None:
        if self._fragment_at < 0:
            self._damage("the middle of a fragment without its start")
        else:
            self.pieces.append(data)

    def _end_fragment(self) -> None:
        """Close the fragmented NAL unit, if one is open; some cameras never set the end bit."""
        at = self._fragment_at
        if at < 0:
            return
        self._fragment_at = self.continuation = NO_FRAGMENT
        header = self._fragment_header
        size = sum(map(len, self.pieces[at + 1 :]))
        if self._is_picture(self._type(header[0])):
            self.pieces[at] = (size + len(header)).to_bytes(4, "big") + header
            return
        nal = header + b"".join(self.pieces[at + 1 :])
        del self.pieces[at:]
        self._whole(nal)

    def _damage(self, detail: str) -> None:
        self._is_damaged = True
        self._delivery.video_lost(f"damaged picture: {detail}")

    def _finish(self, now_us: int) -> None:
        self._end_fragment()
        is_keyframe = self._is_keyframe and not self._is_damaged
        if is_keyframe and self._delivery.is_waiting and not self._starts_whole:
            is_keyframe = False
        if is_keyframe:
            self._announce_sets()
            is_keyframe = bool(self._sets_announced)
        if not self._is_damaged and (is_keyframe or not self._delivery.is_waiting):
            self._delivery.video(b"".join(self.pieces), self.timestamp, is_keyframe, now_us)
        self.pieces.clear()
        self._has_picture = self._is_keyframe = self._starts_whole = self._is_damaged = False

    # -- parameter sets ----------------------------------------------------------------------------------

    def _take_set(self, nal: bytes) -> None:
        nal = nal.rstrip(b"\x00")
        if len(nal) <= self.header_bytes:
            return
        known = self._new_sets.get(self._type(nal[0]))
        if known is not None and nal not in known and len(known) < _MAX_PARAMETER_SETS:
            known.append(nal)

    def _size_of(self, sets: dict[int, list[bytes]]) -> PictureSize | None:
        for sps in sets[self.set_types[-2]]:
            size = self._size(sps)
            if size is not None:
                return size
        return None

    def _announce_sets(self) -> None:
        """Take over the parameter sets seen since the last keyframe."""
        if any(self._new_sets.values()):
            new_sps = self._new_sets[self.set_types[-2]]
            if new_sps and self._size_of(self._new_sets) is None and self._size_of(self._sets) is not None:
                # A damaged SPS does not push out a readable one.
                self._new_sets = {kind: [] for kind in self.set_types}
            for kind, seen in self._new_sets.items():
                if seen:
                    self._sets[kind] = seen
                    self._new_sets[kind] = []
        sets = tuple(nal for kind in self.set_types for nal in self._sets[kind])
        if sets == self._sets_announced or not all(self._sets.values()):
            return
        self._sets_announced = sets
        size = self._size_of(self._sets) or PictureSize(0, 0)
        self._delivery.video_format(
            Track(
                codec=self.codec,
                time_base_hz=VIDEO_CLOCK_HZ,
                parameter_sets=sets,
                width=size.width,
                height=size.height,
            )
        )


class H264Assembler(NalAssembler):
    """RFC 6184, packetization modes 0 and 1."""

    codec = Codec.H264
    frame_struct = Struct("!HHHHI2xI")
    fragment_offset = 18
    header_bytes = 1
    set_types = (H264_SPS, H264_PPS)

    def _type(self, header: int) -> int:
        return header & 0x1F

    def _size(self, sps: bytes) -> PictureSize | None:
        return h264_size(sps)

    def _is_picture(self, kind: int) -> bool:
        return 1 <= kind <= 5

    def _is_key(self, kind: int) -> bool:
        return kind == 5

    def _inspect(self, kind: int, nal: bytes) -> None:
        # An encoder with open GOPs or intra refresh marks where decoding can start by SEI instead of IDR.
        if kind == 6 and _is_recovery_point(nal):
            self._is_keyframe = True

    def _nal_payload(self, data: memoryview, ssrc_tail: int) -> None:
        indicator = data[0]
        kind = indicator & 0x1F
        if kind == 28:
            flags = data[1]
            if flags & 0x80:
                header = bytes((indicator & 0xE0 | flags & 0x1F,))
                continuation = (ssrc_tail & 0xFFFF) << 16 | indicator << 8 | flags & 0x1F
                self._start_fragment(header, data[2:], continuation)
            else:
                self._continue_fragment(data[2:])
            if flags & 0x40:
                self._end_fragment()
        elif kind == 24:
            self._aggregate(bytes(data[1:]))
        elif kind <= 23:
            self._whole(bytes(data))
        else:
            self._damage(f"RTP packet of H.264 type {kind}")


class H265Assembler(NalAssembler):
    """RFC 7798 without decoding order numbers (no camera interleaves)."""

    codec = Codec.H265
    frame_struct = Struct("!HHHHI3xI")
    fragment_offset = 19
    header_bytes = 2
    set_types = (H265_VPS, H265_SPS, H265_PPS)

    def _type(self, header: int) -> int:
        return header >> 1 & 0x3F

    def _size(self, sps: bytes) -> PictureSize | None:
        return h265_size(sps)

    def _is_picture(self, kind: int) -> bool:
        return kind <= 31

    def _is_key(self, kind: int) -> bool:
        return 16 <= kind <= 21

    def _nal_payload(self, data: memoryview, ssrc_tail: int) -> None:
        kind = data[0] >> 1 & 0x3F
        if kind == 49:
            flags = data[2]
            if flags & 0x80:
                header = bytes((data[0] & 0x81 | (flags & 0x3F) << 1, data[1]))
                continuation = (ssrc_tail & 0xFF) << 24 | data[0] << 16 | data[1] << 8 | flags & 0x3F
                self._start_fragment(header, data[3:], continuation)
            else:
                self._continue_fragment(data[3:])
            if flags & 0x40:
                self._end_fragment()
        elif kind == 48:
            self._aggregate(bytes(data[2:]))
        elif kind < 48:
            self._whole(bytes(data))
        else:
            self._damage(f"RTP packet of H.265 type {kind}")


def _is_recovery_point(sei: bytes) -> bool:
    """Whether an H.264 SEI holds a recovery point with recovery_frame_cnt 0 (ISO 14496-10 D.1.7)."""
    data = unescape(sei[1:])
    position = 0
    while position + 2 < len(data):
        kind = size = 0
        while position < len(data) and data[position] == 0xFF:
            kind += 255
            position += 1
        kind += data[position] if position < len(data) else 0
        position += 1
        while position < len(data) and data[position] == 0xFF:
            size += 255
            position += 1
        size += data[position] if position < len(data) else 0
        position += 1
        if kind == 6:
            try:
                return BitReader(data[position : position + size]).ue() == 0
            except OutOfBits:
                return False
        position += size
    return False

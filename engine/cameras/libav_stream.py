"""Streams as libav demuxes them to what a recorder stores: NAL lengths instead of start codes, tracks, timestamps.

Thread: the libav source's own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet as AvPacket
from av.video.stream import VideoStream

from engine.cameras.audio import make_aac_config, parse_aac_config
from engine.cameras.media_format import opus_track
from engine.cameras.parameter_sets import (
    H264_PPS,
    H264_SPS,
    H265_PPS,
    H265_SPS,
    H265_VPS,
    h264_size,
    h264_type,
    h265_size,
    h265_type,
    split_start_codes,
)
from storage.segments.packet import Codec, Track

_VIDEO_CODECS = {"h264": Codec.H264, "hevc": Codec.H265, "mjpeg": Codec.MJPEG}
_PCM_CODECS = {"pcm_mulaw": Codec.PCMU, "pcm_alaw": Codec.PCMA, "pcm_s16be": Codec.L16}
_VIDEO_CLOCK_HZ = 90_000
_MAX_PARAMETER_SETS = 48


@dataclass(slots=True)
class Frame:
    """One access unit on its way to the loop; `timestamp` counts in the track's ticks, modulo 2**32."""

    is_video: bool
    data: bytes
    timestamp: int
    media_us: int
    is_keyframe: bool
    arrival_us: int


class VideoReader:
    """The picture stream."""

    def __init__(self, stream: VideoStream, codec: Codec, *, is_timed_by_arrival: bool) -> None:
        self.stream = stream
        self.track: Track | None = None
        self.has_new_track = False
        self._codec = codec
        self._is_timed_by_arrival = is_timed_by_arrival
        self._length_bytes = 0
        self._sets: tuple[bytes, ...] = ()
        extradata = stream.codec_context.extradata or b""
        if codec is Codec.MJPEG:
            self._describe((), stream.codec_context.width, stream.codec_context.height)
        elif extradata:
            self._read_extradata(bytes(extradata))

    def read(self, packet: AvPacket[Any], now_us: int) -> Frame | None:
        """The packet as it is stored; None when there is nothing in it."""
        raw = bytes(packet)
        if not raw or packet.is_corrupt:
            return None
        if self._is_timed_by_arrival:
            media_us, timestamp = now_us, now_us * 9 // 100
        else:
            when = packet.pts if packet.pts is not None else packet.dts
            if when is None:
                return None
            base = packet.time_base
            media_us, timestamp = _scale(when, base, 1_000_000), _scale(when, base, _VIDEO_CLOCK_HZ)
        if self._codec is Codec.MJPEG:
            return Frame(True, raw, timestamp & 0xFFFF_FFFF, media_us, True, now_us)
        nals = self._split(raw)
        if packet.is_keyframe:
            self._take_sets(nals)
        data = b"".join([part for nal in nals for part in (len(nal).to_bytes(4, "big"), nal)])
        if not data:
            return None
        return Frame(True, data, timestamp & 0xFFFF_FFFF, media_us, packet.is_keyframe, now_us)

    def _split(self, raw: bytes) -> list[bytes]:
        if not self._length_bytes:
            return split_start_codes(raw)
        nals = []
        position, width = 0, self._length_bytes
        while position + width <= len(raw):
            size = int.from_bytes(raw[position : position + width], "big")
            nal = raw[position + width : position + width + size]
            if nal:
                nals.append(nal)
            position += width + size
        return nals

    def _read_extradata(self, data: bytes) -> None:
        """avcC, hvcC or start codes."""
        if data[:3] == b"\0\0\1" or data[:4] == b"\0\0\0\1":
            self._take_sets(split_start_codes(data))
        elif self._codec is Codec.H264 and data[0] == 1 and len(data) > 6:
            self._length_bytes = (data[4] & 3) + 1
            self._take_sets(_avcc_sets(data))
        elif self._codec is Codec.H265 and len(data) > 22:
            self._length_bytes = (data[21] & 3) + 1
            self._take_sets(_hvcc_sets(data))

    def _take_sets(self, nals: list[bytes]) -> None:
        is_h264 = self._codec is Codec.H264
        kinds = (H264_SPS, H264_PPS) if is_h264 else (H265_VPS, H265_SPS, H265_PPS)
        kind_of, size_of = (h264_type, h264_size) if is_h264 else (h265_type, h265_size)
        found: dict[int, list[bytes]] = {kind: [] for kind in kinds}
        for nal in nals[:_MAX_PARAMETER_SETS]:
            kind = kind_of(nal)
            if kind in found and nal.rstrip(b"\0") not in found[kind]:
                found[kind].append(nal.rstrip(b"\0"))
        for nal in self._sets:
            if not found[kind_of(nal)]:
                found[kind_of(nal)] += [old for old in self._sets if kind_of(old) == kind_of(nal)]
        sets = tuple(nal for kind in kinds for nal in found[kind])
        if sets == self._sets or not all(found.values()):
            return
        self._sets = sets
        sps = found[kinds[-2]][0]
        size = size_of(sps)
        self._describe(sets, size.width if size else 0, size.height if size else 0)

    def _describe(self, sets: tuple[bytes, ...], width: int, height: int) -> None:
        self.track = Track(
            codec=self._codec, time_base_hz=_VIDEO_CLOCK_HZ, parameter_sets=sets, width=width, height=height
        )
        self.has_new_track = True


class AudioReader:
    """The sound stream."""

    def __init__(self, stream: AudioStream, track: Track, *, has_adts: bool) -> None:
        self.stream = stream
        self.track = track
        self._has_adts = has_adts

    def read(self, packet: AvPacket[Any], now_us: int) -> Frame | None:
        raw = bytes(packet)
        when = packet.pts if packet.pts is not None else packet.dts
        if not raw or when is None:
            return None
        if self._has_adts and len(raw) > 7 and raw[0] == 0xFF and raw[1] & 0xF0 == 0xF0:
            raw = raw[7 if raw[1] & 1 else 9 :]
        base = packet.time_base
        ticks = _scale(when, base, self.track.time_base_hz) & 0xFFFF_FFFF
        return Frame(False, raw, ticks, _scale(when, base, 1_000_000), True, now_us)


def open_video(container: InputContainer) -> VideoReader | None:
    """The first picture stream that can be recorded."""
    for stream in container.streams.video:
        codec = _VIDEO_CODECS.get(stream.codec_context.name)
        if codec is not None:
            # Multipart JPEG carries no times; libav would invent 25 pictures a second.
            return VideoReader(stream, codec, is_timed_by_arrival="mpjpeg" in container.format.name)
    return None


def open_audio(container: InputContainer) -> AudioReader | None:
    """The first sound stream that can be recorded."""
    for stream in container.streams.audio:
        context = stream.codec_context
        rate_hz, channels = context.sample_rate or 0, context.channels or 0
        name = context.name
        if not rate_hz or not channels:
            continue
        if name in _PCM_CODECS:
            track = Track(
                codec=_PCM_CODECS[name], time_base_hz=rate_hz, sample_rate_hz=rate_hz, channels=channels
            )
            return AudioReader(stream, track, has_adts=False)
        if name == "opus":
            return AudioReader(stream, _opus(bytes(context.extradata or b""), channels), has_adts=False)
        if name == "aac":
            extradata = bytes(context.extradata or b"")
            config = extradata if parse_aac_config(extradata) else make_aac_config(rate_hz, channels)
            if config:
                track = Track(
                    codec=Codec.AAC,
                    time_base_hz=rate_hz,
                    config=config,
                    sample_rate_hz=rate_hz,
                    channels=channels,
                )
                return AudioReader(stream, track, has_adts=not extradata)
    return None


def _opus(head: bytes, channels: int) -> Track:
    if len(head) < 19 or head[:8] != b"OpusHead" or head[18] != 0:
        return opus_track()
    # OpusHead is little-endian, dOps big-endian.
    pre_skip, rate_hz, gain = struct.unpack_from("<HIh", head, 10)
    config = struct.pack(">BBHIhB", 0, head[9], pre_skip, rate_hz, gain, 0)
    return Track(
        codec=Codec.OPUS, time_base_hz=48_000, config=config, sample_rate_hz=48_000, channels=channels
    )


def _scale(value: int, base: Fraction, rate_hz: int) -> int:
    return int(value * base.numerator * rate_hz // base.denominator)


def _avcc_sets(data: bytes) -> list[bytes]:
    sets: list[bytes] = []
    position = 5
    for mask in (0x1F, 0xFF):
        if position >= len(data):
            break
        count = data[position] & mask
        position += 1
        for _ in range(count):
            size = int.from_bytes(data[position : position + 2], "big")
            sets.append(data[position + 2 : position + 2 + size])
            position += 2 + size
    return [nal for nal in sets if nal]


def _hvcc_sets(data: bytes) -> list[bytes]:
    sets: list[bytes] = []
    position = 23
    for _ in range(data[22]):
        count = int.from_bytes(data[position + 1 : position + 3], "big")
        position += 3
        for _ in range(count):
            if position >= len(data):
                return sets
            size = int.from_bytes(data[position : position + 2], "big")
            sets.append(data[position + 2 : position + 2 + size])
            position += 2 + size
    return [nal for nal in sets if nal]

"""Which streams of a session description are recorded, and what turns their packets into frames."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from engine.cameras.audio import (
    AacConfig,
    AacDepacketizer,
    LatmDepacketizer,
    WholePayload,
    make_aac_config,
    parse_aac_config,
    parse_stream_mux_config,
)
from engine.cameras.delivery import Delivery
from engine.cameras.h26x import VIDEO_CLOCK_HZ, H264Assembler, H265Assembler
from engine.cameras.mjpeg import MjpegDepacketizer
from engine.cameras.parameter_sets import decode_sets
from engine.cameras.rtp import Depacketizer
from engine.cameras.sdp import Format, Media, SessionDescription
from storage.errors import CameraUnsupported
from storage.segments.packet import Codec, Track

_VIDEO_NAMES = {"H264": Codec.H264, "H265": Codec.H265, "HEVC": Codec.H265, "JPEG": Codec.MJPEG}
_OPUS_RATE_HZ = 48_000
_OPUS_PRE_SKIP = 3840
_MAX_AUDIO_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class VideoChoice:
    """The picture to record."""

    media: Media
    format: Format
    codec: Codec

    @property
    def clock_hz(self) -> int:
        return VIDEO_CLOCK_HZ

    def depacketizer(self, delivery: Delivery) -> Depacketizer:
        parameters = self.format.parameters
        if self.codec is Codec.H264:
            return H264Assembler(delivery, decode_sets(parameters.get("sprop-parameter-sets", "")))
        if self.codec is Codec.H265:
            names = ("sprop-vps", "sprop-sps", "sprop-pps")
            return H265Assembler(
                delivery, [nal for name in names for nal in decode_sets(parameters.get(name, ""))]
            )
        return MjpegDepacketizer(delivery, self.media.width, self.media.height)


@dataclass(frozen=True, slots=True)
class AudioChoice:
    """The sound to record."""

    media: Media
    format: Format
    track: Track
    depacketizer: Callable[[Delivery], Depacketizer]

    @property
    def clock_hz(self) -> int:
        return self.track.time_base_hz


def choose_video(session: SessionDescription) -> VideoChoice:
    """The first picture stream that can be recorded. Raises CameraUnsupported saying what is offered instead."""
    encrypted = False
    for media in session.media:
        if media.kind != "video":
            continue
        for candidate in media.formats:
            codec = _VIDEO_NAMES.get(candidate.encoding)
            if codec is None:
                continue
            if media.is_encrypted or session.has_session_keys:
                encrypted = True
                continue
            if _needs_reordering(candidate):
                continue
            return VideoChoice(media, candidate, codec)
    if encrypted:
        raise CameraUnsupported(
            "the camera offers its picture only encrypted by SRTP",
            "turn SRTP off in the camera, or use rtsps://",
        )
    raise CameraUnsupported(
        f"the camera offers no picture that can be recorded, but {_describe(session)}",
        "set the camera's stream to H.264, H.265 or MJPEG",
    )


def _needs_reordering(candidate: Format) -> bool:
    parameters = candidate.parameters
    return (
        parameters.get("packetization-mode", "") == "2"
        or parameters.get("sprop-max-don-diff", "0").strip("0") != ""
    )


def _describe(session: SessionDescription) -> str:
    offers = []
    for media in session.media:
        names = sorted({f.encoding or f"payload type {f.payload_type}" for f in media.formats})
        offers.append(f"{media.kind} {'/'.join(names) or 'of no known kind'}")
    return re.sub(r"[^ -~]", "?", ", ".join(offers)[:200]) or "no media at all"


def choose_audio(session: SessionDescription) -> AudioChoice | None:
    """The first sound that can be recorded and is not the channel back to the camera's loudspeaker."""
    # Alone, "sendonly" is the camera's view of itself; beside a "recvonly" it marks the ONVIF back channel.
    has_receive = any(media.direction == "recvonly" for media in session.media)
    for media in session.media:
        if media.kind != "audio" or media.is_encrypted or (has_receive and media.direction == "sendonly"):
            continue
        for candidate in media.formats:
            choice = _audio_choice(media, candidate)
            if choice is not None:
                return choice
    return None


def _audio_choice(media: Media, candidate: Format) -> AudioChoice | None:
    name, rate, channels = candidate.encoding, candidate.clock_hz, candidate.channels or 1
    if channels > _MAX_AUDIO_CHANNELS:
        return None
    if name in ("PCMU", "PCMA", "L16"):
        codec = Codec(name.lower())
        rate = rate or 8000
        return AudioChoice(
            media,
            candidate,
            Track(codec=codec, time_base_hz=rate, sample_rate_hz=rate, channels=channels),
            WholePayload,
        )
    if name == "OPUS":
        return AudioChoice(media, candidate, opus_track(), WholePayload)
    if name == "MPEG4-GENERIC":
        return _aac_choice(media, candidate)
    if name == "MP4A-LATM":
        return _latm_choice(media, candidate)
    return None


def opus_track() -> Track:
    """RFC 7587: always 48 kHz; two channels decode any stream. `dOps` body by the Opus-in-ISOBMFF specification."""
    config = (
        b"\x00\x02" + _OPUS_PRE_SKIP.to_bytes(2, "big") + _OPUS_RATE_HZ.to_bytes(4, "big") + b"\x00\x00\x00"
    )
    return Track(
        codec=Codec.OPUS, time_base_hz=_OPUS_RATE_HZ, config=config, sample_rate_hz=_OPUS_RATE_HZ, channels=2
    )


def _aac_choice(media: Media, candidate: Format) -> AudioChoice | None:
    parameters = candidate.parameters
    if parameters.get("mode", "AAC-hbr").lower() not in ("aac-hbr", "aac-lbr"):
        return None
    raw = _hex(parameters.get("config", "")) or make_aac_config(candidate.clock_hz, candidate.channels or 1)
    config = parse_aac_config(raw)
    if config is None:
        return None
    is_low_rate = parameters.get("mode", "").lower() == "aac-lbr"
    size_bits = _small_number(parameters, "sizelength", 6 if is_low_rate else 13)
    index_bits = _small_number(parameters, "indexlength", 2 if is_low_rate else 3)
    delta_bits = _small_number(parameters, "indexdeltalength", index_bits)
    track = _aac_track(config, candidate)
    frame_ticks = config.frame_samples * track.time_base_hz // config.core_rate_hz

    def make(delivery: Delivery) -> Depacketizer:
        return AacDepacketizer(delivery, size_bits, index_bits, delta_bits, frame_ticks)

    return AudioChoice(media, candidate, track, make)


def _latm_choice(media: Media, candidate: Format) -> AudioChoice | None:
    if candidate.parameters.get("cpresent", "1") != "0":
        return None
    config = parse_aac_config(parse_stream_mux_config(_hex(candidate.parameters.get("config", ""))))
    if config is None:
        return None
    return AudioChoice(media, candidate, _aac_track(config, candidate), LatmDepacketizer)


def _aac_track(config: AacConfig, candidate: Format) -> Track:
    return Track(
        codec=Codec.AAC,
        time_base_hz=candidate.clock_hz or config.core_rate_hz,
        config=config.raw,
        sample_rate_hz=config.rate_hz,
        channels=config.channels,
    )


def _hex(text: str) -> bytes:
    cleaned = text.strip().strip('"')
    if len(cleaned) % 2 or not re.fullmatch(r"[0-9A-Fa-f]{4,128}", cleaned):
        return b""
    return bytes.fromhex(cleaned)


def _small_number(parameters: dict[str, str], name: str, default: int) -> int:
    text = parameters.get(name, "")
    return int(text) if re.fullmatch(r"\d{1,2}", text) and int(text) <= 32 else default

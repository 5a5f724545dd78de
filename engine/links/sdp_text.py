"""The session description of a camera's live stream (RFC 8866), for the players that take it over RTSP."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from engine.links.rtp_jpeg import fits_rtp, is_carried
from engine.links.rtp_packets import VIDEO_CLOCK_HZ
from storage.segments.packet import Codec, Track

JPEG_TYPE = 26
"""RFC 3551: needs no number of its own."""
FIRST_DYNAMIC_TYPE = 96


@dataclass(frozen=True, slots=True)
class RtpTrack:
    """How one track goes over RTP."""

    index: int
    """Among the camera's tracks."""
    payload_type: int
    clock_hz: int
    media: str
    """Lines of its `m=` section."""


def rtp_tracks(tracks: tuple[Track, ...], newest: bytes = b"") -> tuple[RtpTrack, ...]:
    """The first video track and the sound beside it, as far as they can be sent; () without video that can.

    `newest`: the camera's newest keyframe; empty = none came yet, and nothing is known of what is in its pictures.
    """
    video = next((index for index, track in enumerate(tracks) if track.is_video), None)
    if video is None or not _is_served(tracks[video], newest):
        return ()
    found = [_video(video, tracks[video])]
    found += [
        _sound(index, track, FIRST_DYNAMIC_TYPE + 1)
        for index, track in enumerate(tracks)
        if not track.is_video
    ][:1]
    return tuple(found)


def session_description(tracks: tuple[RtpTrack, ...], title: str) -> str:
    """`title` is a camera's name: it may hold anything but line ends."""
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        f"s={' '.join(title.split()) or '-'}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
    ]
    for number, track in enumerate(tracks):
        lines += [track.media, f"a=control:trackID={number}"]
    return "\r\n".join(lines) + "\r\n"


def _is_served(track: Track, newest: bytes) -> bool:
    """JPEG of a size or with Huffman tables that RTP has no words for goes by HTTP alone."""
    if track.codec is not Codec.MJPEG:
        return True
    return fits_rtp(track.width, track.height) and (not newest or is_carried(newest))


def _video(index: int, track: Track) -> RtpTrack:
    if track.codec is Codec.MJPEG:
        media = f"m=video 0 RTP/AVP {JPEG_TYPE}\r\na=rtpmap:{JPEG_TYPE} JPEG/{VIDEO_CLOCK_HZ}"
        return RtpTrack(index, JPEG_TYPE, VIDEO_CLOCK_HZ, media)
    kind = FIRST_DYNAMIC_TYPE
    coded = [base64.b64encode(unit).decode() for unit in track.parameter_sets]
    if track.codec is Codec.H264:
        profile = track.parameter_sets[0][1:4].hex().upper() if track.parameter_sets else "42E01F"
        name = "H264"
        format = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(coded)}"
    else:
        name = "H265"
        by_kind: dict[int, list[str]] = {32: [], 33: [], 34: []}
        for unit, text in zip(track.parameter_sets, coded, strict=True):
            by_kind.setdefault(unit[0] >> 1 & 0x3F, []).append(text)
        names = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}
        format = ";".join(f"{names[kind]}={','.join(by_kind[kind])}" for kind in names if by_kind[kind])
    media = f"m=video 0 RTP/AVP {kind}\r\na=rtpmap:{kind} {name}/{VIDEO_CLOCK_HZ}\r\na=fmtp:{kind} {format}"
    return RtpTrack(index, kind, VIDEO_CLOCK_HZ, media)


def _sound(index: int, track: Track, kind: int) -> RtpTrack:
    rate_hz, channels = track.sample_rate_hz or track.time_base_hz, track.channels or 1
    clock_hz, format = rate_hz, ""
    match track.codec:
        case Codec.PCMU | Codec.PCMA:
            name = f"{track.codec.upper()}/{rate_hz}/{channels}"
        case Codec.L16:
            name = f"L16/{rate_hz}/{channels}"
        case Codec.OPUS:
            clock_hz, name = 48_000, "opus/48000/2"
        case _:
            name = f"mpeg4-generic/{rate_hz}/{channels}"
            format = (
                "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"
                f"config={track.config.hex().upper()}"
            )
    media = f"m=audio 0 RTP/AVP {kind}\r\na=rtpmap:{kind} {name}"
    return RtpTrack(index, kind, clock_hz, media + (f"\r\na=fmtp:{kind} {format}" if format else ""))

"""Segment files made as the recorder makes them: a part at each keyframe, or where one grows too long, hashed and signed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.evidence.station_key import StationKey
from storage.segments.chain import RunChain
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Packet, Track
from storage.segments.part import Part, PartBuilder
from storage.segments.writer import SegmentSummary, SegmentWriter
from storage.units import ticks_to_us

START_US = 1_790_000_000_000_000
STATION = UUID("11111111-1111-4111-8111-111111111111")
CAMERA = UUID("22222222-2222-4222-8222-222222222222")
VOLUME = UUID("33333333-3333-4333-8333-333333333333")
KEY = StationKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
"""Signs the test camera's segments: always the same bytes."""
RUN = UUID("44444444-4444-4444-8444-444444444444")


def identity(sequence: int = 0, start_us: int = START_US, run: UUID = RUN) -> SegmentIdentity:
    """Of a segment of the test camera."""
    return SegmentIdentity(
        station=STATION,
        camera=CAMERA,
        camera_name="Loading dock",
        volume=VOLUME,
        run=run,
        sequence=sequence,
        start_us=start_us,
    )


def parts_of(tracks: tuple[Track, ...], packets: Iterable[Packet], longest_us: int = 2_000_000) -> list[Part]:
    """Parts of one GOP, or of at most `longest_us`."""
    builder = PartBuilder(tracks)
    video = next(index for index, track in enumerate(tracks) if track.is_video)
    parts = []
    for packet in packets:
        is_full = packet.is_keyframe or builder.video_span_us >= longest_us
        if packet.track == video and is_full and builder.can_cut_before(packet):
            parts.append(builder.take(packet.pts_ticks))
        if builder.is_empty and not parts and packet.track != video:
            continue  # a segment begins with its first picture
        builder.add(packet)
    if not builder.is_empty:
        parts.append(builder.take(None))
    return parts


def write_segment(
    root: Path,
    relative: str,
    tracks: tuple[Track, ...],
    parts: Iterable[Part],
    *,
    who: SegmentIdentity | None = None,
    chain: RunChain | None = None,
    is_hashed: bool = True,
) -> tuple[Path, SegmentSummary]:
    """A closed segment file; as recorded before there were hash chains without `is_hashed`."""
    chain = (chain or RunChain(KEY)) if is_hashed else None
    writer = SegmentWriter.create(root, relative, who or identity(), tracks, chain=chain)
    for part in parts:
        writer.append(part)
    return writer.path, writer.close()


def write_run(
    root: Path,
    tracks: tuple[Track, ...],
    parts: list[Part],
    parts_a_segment: int,
    start_us: int = START_US,
    *,
    is_hashed: bool = True,
) -> list[tuple[Path, SegmentSummary, int, int]]:
    """Several segments of one run: path, summary, start_us, end_us of each."""
    made = []
    chain = RunChain(KEY)
    video_hz = next(track for track in tracks if track.is_video).time_base_hz
    for sequence, first in enumerate(range(0, len(parts), parts_a_segment)):
        path, summary = write_segment(
            root,
            f"{CAMERA}/2026-09-21/{start_us}-{sequence}.mp4",
            tracks,
            parts[first : first + parts_a_segment],
            who=identity(sequence, start_us),
            chain=chain,
            is_hashed=is_hashed,
        )
        end_us = start_us + ticks_to_us(summary.video_duration_ticks, video_hz)
        made.append((path, summary, start_us, end_us))
        start_us = end_us
    return made

"""What a segment file says about itself, for fsck and rebuild: the file is the witness, the catalog only remembers."""

from __future__ import annotations

import builtins
import os
from dataclasses import dataclass
from pathlib import Path

from storage.segments.boxes import BoxError
from storage.segments.fmp4 import video_track_index
from storage.segments.fragments import read_header
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Track
from storage.segments.places import encode_places
from storage.segments.reader import damaged, open_segment_file
from storage.segments.recover import recover_segment
from storage.units import ticks_to_us
from storage.volumes.errno_map import volume_error


@dataclass(frozen=True, slots=True)
class Evidence:
    """Identity and measures of one segment file."""

    path: str
    """Relative to the volume's root."""
    identity: SegmentIdentity
    tracks: tuple[Track, ...]
    bytes: int
    media_duration_ticks: int | None
    """None: it was never closed; `finished` closes it."""
    keyframes: builtins.bytes = b""
    is_recovered: bool = False

    @property
    def end_us(self) -> int:
        """By the media time: within the recorder's slewing (at most 500 ppm) of the wall time it was given."""
        time_base_hz = self.tracks[video_track_index(self.tracks)].time_base_hz
        return self.identity.start_us + ticks_to_us(self.media_duration_ticks or 0, time_base_hz)


def looked_at(root: Path, relative: str) -> Evidence:
    """The header only: nothing is written, a few kilobytes are read. Raises SegmentDamaged, NotFound, VolumeError."""
    path = root / relative
    fd = open_segment_file(path)
    try:
        header = read_header(fd)
        size_bytes = os.fstat(fd).st_size
    except BoxError as error:
        raise damaged(path, error) from error
    except OSError as error:
        raise volume_error(error, str(path)) from error
    finally:
        os.close(fd)
    return Evidence(relative, header.identity, header.tracks, size_bytes, header.duration_ticks)


def finished(root: Path, relative: str) -> Evidence:
    """Close the file as start-up recovery does, keeping every whole part. Raises SegmentDamaged, VolumeError."""
    found = recover_segment(root / relative)
    return Evidence(
        relative,
        found.identity,
        found.tracks,
        found.bytes,
        found.video_duration_ticks,
        encode_places(found.keyframes),
        is_recovered=True,
    )

"""A camera's live packets as an endless fragmented MP4 (ISO/IEC 14496-12), for players that take a plain HTTP address.

    LiveFragments(tracks).add(packet) -> pieces to send, most often none

The first piece is the header; each fragment after it holds what came in half a second. Pure, one a viewer.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.errors import CameraProtocolError
from storage.segments.fmp4 import RunPlacement, part_header, stream_header, video_track_index
from storage.segments.packet import Packet, Track
from storage.segments.part import PartBuilder, TrackRun
from storage.units import us_to_ticks

FRAGMENT_US = 500_000
"""Shorter means less delay and more bytes: a fragment's tables take some 200."""
LIMIT_BYTES = 4 * 1024 * 1024
"""Of one fragment, as soon as its media time lets it be cut; at twice as much, which no player's queue holds, it is given up."""


@dataclass(frozen=True, slots=True)
class Piece:
    data: bytes
    has_keyframe_first: bool
    """A player that missed what came before can go on here. True for the header."""


class LiveFragments:
    """Begins with the first keyframe it is given."""

    def __init__(self, tracks: tuple[Track, ...]) -> None:
        self._tracks = tracks
        self._video = video_track_index(tracks)
        self._builder = PartBuilder(tracks)
        self._fragment_ticks = us_to_ticks(FRAGMENT_US, tracks[self._video].time_base_hz)
        self._origins: tuple[int, ...] = ()
        self._zero_ticks: int | None = None
        """By how far pictures are shown later than they are decoded: known with the first fragment."""
        self._next_ticks = [0] * len(tracks)
        self._start_ticks = 0
        self._number = 0

    def add(self, packet: Packet) -> list[Piece]:
        """What can be sent now that this packet came. Raises CameraProtocolError for pictures that cannot be put in order."""
        is_video = packet.track == self._video
        if not self._origins:
            if not is_video or not packet.is_keyframe:
                return []
            hz = self._tracks[self._video].time_base_hz
            self._origins = tuple(packet.pts_ticks * track.time_base_hz // hz for track in self._tracks)
            self._start_ticks = packet.pts_ticks
        elif is_video and self._is_due(packet) and self._builder.can_cut_before(packet):
            pieces = self._cut(packet)
            self._start_ticks = packet.pts_ticks
            self._builder.add(packet)
            return pieces
        if self._builder.bytes > 2 * LIMIT_BYTES:
            raise CameraProtocolError("the camera's media time stands still", "look at its settings")
        if packet.pts_ticks >= self._origins[packet.track]:
            self._builder.add(packet)
        return []

    def _is_due(self, packet: Packet) -> bool:
        return (
            packet.is_keyframe
            or packet.pts_ticks - self._start_ticks >= self._fragment_ticks
            or self._builder.bytes > LIMIT_BYTES
        )

    def _cut(self, packet: Packet) -> list[Piece]:
        part = self._builder.take(packet.pts_ticks)
        pieces = []
        if self._zero_ticks is None:
            offsets = part.runs[0].composition_offsets_ticks or [0]
            self._zero_ticks = -min(0, *offsets)
            zeros = tuple(
                self._zero_ticks if index == self._video else 0 for index in range(len(self._tracks))
            )
            pieces.append(Piece(stream_header(self._tracks, zeros, start_us=0).data, True))
        self._number += 1
        placements = [self._place(run) for run in part.runs]
        data = [part_header(self._number, placements)]
        for placement in placements:
            data += placement.run.buffers
        pieces.append(Piece(b"".join(data), part.has_keyframe_first))
        return pieces

    def _place(self, run: TrackRun) -> RunPlacement:
        at_ticks = max(run.dts_ticks[0] - self._origins[run.track], self._next_ticks[run.track])
        self._next_ticks[run.track] = at_ticks + run.dts_ticks[-1] - run.dts_ticks[0] + 1
        shift_ticks = (self._zero_ticks or 0) if run.track == self._video else 0
        return RunPlacement(run, 0, at_ticks, 0, shift_ticks)

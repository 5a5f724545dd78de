"""What a camera sends, on its way to the recorder, handed to whoever watches it live at full rate.

Between two sessions of a camera its media time starts anywhere; watchers get one time line that only goes forward. Loop only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from uuid import UUID

from engine.cameras.source import PacketSink
from engine.recording.recorder import LiveKeyframe
from engine.supervise import attempt_blocking
from storage.errors import WatchdeckError
from storage.segments.packet import Packet, Track
from storage.units import US_PER_SECOND

LEAP_US = 3 * US_PER_SECOND
"""Media time that moves more than this between two pictures, or back by it, has jumped."""
STEP_US = 40_000
"""Between the last picture before a jump and the first behind it."""


class Watcher(Protocol):
    """Somebody who watches. Never waits."""

    def packet(self, packet: Packet) -> None:
        """What it raises ends it: it is told by `ended`, and gets nothing more."""

    def ended(self, reason: str) -> None:
        """Nothing follows: another format, or the camera is gone."""


class Tapped(Protocol):
    """engine.recording.recording.RecordingService, as far as it matters here."""

    def tap(self, uuid: UUID, sink: PacketSink) -> tuple[Track, ...]:
        """The sink gets what the camera sends from now on; what tracks it has at present, () = none yet. Raises NotFound."""

    def last_keyframe(self, uuid: UUID) -> LiveKeyframe | None:
        """The newest one; None = nothing arrives. Raises NotFound."""

    def untap(self, uuid: UUID, sink: PacketSink) -> None:
        """No longer. Nothing happens when it did not."""


@dataclass(eq=False, slots=True)
class LiveTap:
    """One camera's packets for its watchers. Exists while there are any."""

    uuid: UUID
    tracks: tuple[Track, ...] = ()
    watchers: list[Watcher] = field(default_factory=list)
    _shift_us: int = 0
    """Added to the camera's media time."""
    _last_us: int | None = None
    """Of the newest picture, on the watchers' time line."""

    # -- PacketSink ------------------------------------------------------------------------------------------

    def tracks_changed(self, tracks: tuple[Track, ...]) -> None:
        if self.tracks and tracks != self.tracks:
            self.end("the camera changed its stream")
        self.tracks = tracks

    def packet(self, packet: Packet) -> None:
        """Called from the recorder's own callback: nothing that goes wrong here goes further."""
        error = attempt_blocking(f"live viewers of camera {self.uuid}", partial(self._pass_on, packet))
        if isinstance(error, WatchdeckError):
            self.end(error.what)

    def _pass_on(self, packet: Packet) -> None:
        if packet.track >= len(self.tracks):
            return
        track = self.tracks[packet.track]
        hz = track.time_base_hz
        if track.is_video:
            self._follow(packet.pts_ticks * US_PER_SECOND // hz, packet.is_discontinuity)
        elif self._last_us is None:
            return  # no picture yet
        moved = Packet(
            packet.track,
            packet.pts_ticks + self._shift_us * hz // US_PER_SECOND,
            packet.is_keyframe,
            packet.data,
            packet.arrival_monotonic_us,
        )
        for watcher in tuple(self.watchers):
            # What one watcher cannot take ends that watcher and none of the others.
            error = attempt_blocking(f"a live viewer of camera {self.uuid}", partial(watcher.packet, moved))
            if isinstance(error, WatchdeckError):
                if watcher in self.watchers:
                    self.watchers.remove(watcher)
                self._tell_ended(watcher, error.what)

    def frames_lost(self, detail: str) -> None:
        """The source goes on with a keyframe by itself."""

    def _follow(self, at_us: int, is_discontinuity: bool) -> None:
        shifted_us = at_us + self._shift_us
        last_us = self._last_us
        if last_us is None:
            self._shift_us = -at_us
            shifted_us = 0
        elif is_discontinuity or abs(shifted_us - last_us) > LEAP_US:
            shifted_us = last_us + STEP_US
            self._shift_us = shifted_us - at_us
        self._last_us = shifted_us if last_us is None else max(last_us, shifted_us)

    def end(self, reason: str) -> None:
        """Of all watchers."""
        watchers, self.watchers = self.watchers, []
        for watcher in watchers:
            self._tell_ended(watcher, reason)

    def _tell_ended(self, watcher: Watcher, reason: str) -> None:
        attempt_blocking(f"the end of a live viewer of camera {self.uuid}", partial(watcher.ended, reason))


class LiveTaps:
    """The taps there are, one a camera that is watched. Loop only."""

    def __init__(self, cameras: Tapped) -> None:
        self._cameras = cameras
        self._taps: dict[UUID, LiveTap] = {}

    def tracks(self, uuid: UUID) -> tuple[Track, ...]:
        """What the camera sends now; () = nothing. Raises NotFound."""
        tap = self._taps.get(uuid)
        if tap is not None:
            return tap.tracks
        probe = LiveTap(uuid)
        try:
            return self._cameras.tap(uuid, probe)
        finally:
            self._cameras.untap(uuid, probe)

    def newest(self, uuid: UUID) -> bytes:
        """The camera's newest keyframe as stored, empty = none. Raises NotFound."""
        found = self._cameras.last_keyframe(uuid)
        return b"" if found is None else found.data

    def watch(self, uuid: UUID, watcher: Watcher) -> Callable[[], None]:
        """Begin; call what is returned to stop. Raises NotFound."""
        tap = self._taps.get(uuid)
        if tap is None:
            tap = LiveTap(uuid)
            tap.tracks = self._cameras.tap(uuid, tap)
            self._taps[uuid] = tap
        tap.watchers.append(watcher)

        def stop() -> None:
            if watcher in tap.watchers:
                tap.watchers.remove(watcher)
            if not tap.watchers and self._taps.get(uuid) is tap:
                del self._taps[uuid]
                self._cameras.untap(uuid, tap)

        return stop

    def forget(self, uuid: UUID, reason: str) -> None:
        """The camera was removed."""
        tap = self._taps.pop(uuid, None)
        if tap is not None:
            self._cameras.untap(uuid, tap)
            tap.end(reason)

"""The last step before the sink: tracks are announced, the picture begins with a keyframe, times are media ticks."""

from __future__ import annotations

from engine.cameras.rtp_clock import RtpClock
from engine.cameras.source import PacketSink
from storage.segments.packet import Packet, Track

VIDEO_TRACK = 0
AUDIO_TRACK = 1


class Delivery:
    """Hands one session's access units to its sink. Track 0 is the picture, track 1 the sound, if any.

    Sound is held back until the first keyframe: before it there is nothing to announce it with.
    """

    def __init__(self, sink: PacketSink, video_clock: RtpClock) -> None:
        self._sink = sink
        self._video_clock = video_clock
        self._audio_clock: RtpClock | None = None
        self._audio_track: Track | None = None
        self._video_track: Track | None = None
        self._is_announced = False
        self._is_waiting = True
        self._last_audio_ticks: int | None = None
        self.last_video_us: int | None = None
        """Arrival of the last delivered picture: what the stall watch looks at."""
        self.video_packets = 0

    def add_audio(self, track: Track, clock: RtpClock) -> None:
        self._audio_track = track
        self._audio_clock = clock

    def video_format(self, track: Track) -> None:
        """What the following pictures are; announced with the next keyframe when it differs."""
        if track != self._video_track:
            self._video_track = track
            self._is_announced = False

    def video(self, data: bytes, timestamp: int, is_keyframe: bool, now_us: int) -> None:
        """One access unit; dropped while a keyframe is awaited."""
        clock = self._video_clock
        ticks = clock.ticks(timestamp, now_us)
        if is_keyframe:
            if self._video_track is None:
                return
            if not self._is_announced:
                self._announce(self._video_track)
            self._is_waiting = False
            # A run can begin at a keyframe only: the pictures before it go on by arrival time in the old one.
            has_jumped, clock.has_jumped = clock.has_jumped, False
        elif self._is_waiting:
            return
        else:
            has_jumped = False
        self.last_video_us = now_us
        self.video_packets += 1
        self._sink.packet(Packet(VIDEO_TRACK, ticks, is_keyframe, data, now_us, has_jumped))

    def audio(self, data: bytes, timestamp: int, now_us: int) -> None:
        """One audio frame."""
        if self._audio_clock is None:
            return
        ticks = self._audio_clock.ticks(timestamp, now_us)
        last = self._last_audio_ticks
        # Only a correction by sender reports moves sound back; what would overlap is left out.
        if self._video_track is None or not self.video_packets or (last is not None and ticks <= last):
            return
        self._last_audio_ticks = ticks
        self._sink.packet(Packet(AUDIO_TRACK, ticks, True, data, now_us))

    def video_lost(self, detail: str) -> None:
        """Damage: nothing is delivered until the next keyframe, and the sink is told once."""
        if not self._is_waiting:
            self._is_waiting = True
            self._sink.frames_lost(detail)

    @property
    def is_waiting(self) -> bool:
        """Whether only a keyframe will be delivered next."""
        return self._is_waiting

    def _announce(self, video: Track) -> None:
        self._is_announced = True
        tracks = (video,) if self._audio_track is None else (video, self._audio_track)
        self._sink.tracks_changed(tracks)

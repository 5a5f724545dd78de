"""RTP timestamps (32 bits, any start) to media ticks: unwrapped, with one zero for all streams of a session.

The zero comes from the PLAY reply's RTP-Info when every stream has a believable one, else from arrival; RTCP sender
reports then correct the sound once, because two streams that start together rarely arrive together.
"""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_LEAD_US = 10_000_000
"""A timestamp may run ahead of (or behind) arrival by this much between two packets: buffers empty in bursts."""
LARGEST_STEP_BACK_US = 2_000_000
"""B-frames go back by a few frames; more than this is a camera clock set back."""
STUCK_US = 1_000_000
"""Pictures that come for so long with one and the same timestamp: the camera's clock does not run."""
_SMALLEST_CORRECTION_US = 50_000
_LARGEST_CORRECTION_US = 5_000_000
_REPORT_REACH_TICKS_S = 60
_NTP_UNITS_PER_S = 1 << 32


def signed_difference(later: int, earlier: int) -> int:
    """How far `later` is ahead on the 32-bit circle; negative when it is behind."""
    return ((later - earlier + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


@dataclass(slots=True)
class SessionZero:
    """The arrival that counts as media time 0 where nothing better is known."""

    arrival_us: int | None = None

    def since_us(self, now_us: int) -> int:
        if self.arrival_us is None:
            self.arrival_us = now_us
        return now_us - self.arrival_us


class RtpClock:
    """One stream's timestamps. `has_jumped` is set by a leap and cleared by whoever acts on it."""

    def __init__(self, rate_hz: int, zero: SessionZero) -> None:
        self.rate_hz = rate_hz
        self.has_jumped = False
        self.first_timestamp: int | None = None
        """The timestamp of media time 0 by the PLAY reply; set before the first packet, not believed blindly."""
        self._zero = zero
        self._last_timestamp = 0
        self._last_ticks: int | None = None
        self._last_arrival_us = 0
        self._moved_us = 0
        """Arrival of the last timestamp that differed from the one before."""
        self._is_stuck = False
        # Compared without a division for every packet.
        self._lead_ticks = LARGEST_LEAD_US * rate_hz // 1_000_000
        self._step_back_ticks = LARGEST_STEP_BACK_US * rate_hz // 1_000_000

    @property
    def has_started(self) -> bool:
        return self._last_ticks is not None

    def ticks(self, timestamp: int, now_us: int) -> int:
        """Media time of a packet that arrived now; after a leap, and while stuck, it goes on by arrival time."""
        last = self._last_ticks
        if last is None:
            ticks = self._start(timestamp, now_us)
            self._moved_us = now_us
        elif timestamp == self._last_timestamp:
            ticks = last + self._stuck_for_ticks(now_us)
        else:
            self._moved_us, self._is_stuck = now_us, False
            step = ((timestamp - self._last_timestamp + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000
            elapsed = (now_us - self._last_arrival_us) * self.rate_hz // 1_000_000
            if -self._step_back_ticks <= step and -self._lead_ticks <= step - elapsed <= self._lead_ticks:
                ticks = last + step
            else:
                ticks = last + max(elapsed, 1)
                self.has_jumped = True
        self._last_timestamp = timestamp
        self._last_ticks = ticks
        self._last_arrival_us = now_us
        return ticks

    def _stuck_for_ticks(self, now_us: int) -> int:
        """How much later a packet with the last one's timestamp is: nothing, unless the camera's clock stands."""
        if self._is_stuck:
            return max((now_us - self._last_arrival_us) * self.rate_hz // 1_000_000, 1)
        stuck_us = now_us - self._moved_us
        if stuck_us <= STUCK_US:
            return 0
        self._is_stuck = self.has_jumped = True
        return stuck_us * self.rate_hz // 1_000_000

    def _start(self, timestamp: int, now_us: int) -> int:
        since_us = self._zero.since_us(now_us)
        if self.first_timestamp is not None:
            ahead = signed_difference(timestamp, self.first_timestamp)
            if abs(ahead) <= self._lead_ticks:
                return ahead
        return since_us * self.rate_hz // 1_000_000

    def ticks_of_report(self, timestamp: int) -> int | None:
        """Media time of a sender report's timestamp, which lies near the last packet's; None when it does not."""
        if self._last_ticks is None:
            return None
        ahead = signed_difference(timestamp, self._last_timestamp)
        if abs(ahead) > _REPORT_REACH_TICKS_S * self.rate_hz:
            return None
        return self._last_ticks + ahead

    def shift(self, ticks: int) -> None:
        """Move everything that follows."""
        if self._last_ticks is not None:
            self._last_ticks += ticks


class SoundAlignment:
    """Corrects the sound's clock against the picture's from the first pair of sender reports, once."""

    def __init__(self, video: RtpClock, audio: RtpClock) -> None:
        self._video = video
        self._audio = audio
        self._video_report: tuple[int, int] | None = None
        self._audio_report: tuple[int, int] | None = None
        self._is_done = False

    def video_report(self, ntp: int, timestamp: int) -> None:
        self._video_report = (ntp, timestamp)
        self._align()

    def audio_report(self, ntp: int, timestamp: int) -> None:
        self._audio_report = (ntp, timestamp)
        self._align()

    def _align(self) -> None:
        if self._is_done or self._video_report is None or self._audio_report is None:
            return
        video_zero = _ntp_of_zero(self._video, *self._video_report)
        audio_zero = _ntp_of_zero(self._audio, *self._audio_report)
        if video_zero is None or audio_zero is None:
            return
        self._is_done = True
        error_us = (audio_zero - video_zero) * 1_000_000 // _NTP_UNITS_PER_S
        # Some cameras report from two clocks, or none: an absurd difference is no information.
        if _SMALLEST_CORRECTION_US <= abs(error_us) <= _LARGEST_CORRECTION_US:
            self._audio.shift(error_us * self._audio.rate_hz // 1_000_000)


def _ntp_of_zero(clock: RtpClock, ntp: int, timestamp: int) -> int | None:
    ticks = clock.ticks_of_report(timestamp)
    if ticks is None or ntp == 0:
        return None
    return ntp - ticks * _NTP_UNITS_PER_S // clock.rate_hz

"""Where playback stands: playhead, direction and speed, driven by a monotonic clock that is handed in. Pure; manual rows PB-12 to PB-14, PB-18.

The playhead is computed from an anchor (a place in the footage and the moment it was set), never added up, so that hours at
1/64x drift by nothing. Forwards it ends at the live edge and becomes live, backwards at the oldest footage and rests there.
Over what none of the cameras has it jumps, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.playback_footage import Footage, Place

SPEEDS: tuple[float, ...] = tuple(2.0**power for power in range(-6, 7))
"""1/64x to 64x: thirteen."""
NORMAL = SPEEDS.index(1.0)
EXACT_UP_TO = 2.0
"""Up to this speed every frame may be asked for; above, keyframes."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """There was nothing from here to there."""

    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """Nothing is here, and where the next footage is in this direction must be asked for; the playhead waits."""

    at_us: int
    direction: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The live edge was reached."""


@dataclass(frozen=True, slots=True)
class AtOldest:
    """There is nothing before this; it rests."""


Happening = Skipped | Lacking | CaughtUp | AtOldest


class PlaybackClock:
    """One playhead.

    Invariants: `oldest_us` <= `playhead_us` <= the now last told; while `is_live` it is playing forwards at 1x and the playhead is
    now; `speed` is one of SPEEDS.
    """

    def __init__(self) -> None:
        self.playhead_us = 0
        self.direction = 1
        self.is_playing = False
        self.is_live = False
        self.oldest_us = 0
        """Of all the cameras; 0 = not known."""
        self._speed = NORMAL
        self._now_us = 0
        self._at_s = 0.0
        self._anchor_us = 0
        self._anchor_s = 0.0

    @property
    def speed(self) -> float:
        """Times as fast as life, whatever the direction."""
        return SPEEDS[self._speed]

    @property
    def is_exact(self) -> bool:
        """Frames are shown, not only keyframes."""
        return not self.is_playing or self.speed <= EXACT_UP_TO

    @property
    def velocity(self) -> float:
        """Footage per time: negative backwards, 0 at rest."""
        return self.direction * self.speed if self.is_playing else 0.0

    # -- time passes -------------------------------------------------------------------------------------

    def advance(self, at_s: float, now_us: int, footage: Footage | None = None) -> Happening | None:
        """It is `at_s` on the monotonic clock and `now_us` at the station; what happened beyond moving on."""
        self._at_s = at_s
        self._now_us = now_us
        if self.is_live:
            self.playhead_us = now_us
            return None
        if not self.is_playing:
            return None
        passed_us = (at_s - self._anchor_s) * self.speed * 1_000_000
        self.playhead_us = self._anchor_us + self.direction * round(passed_us)
        if self.direction > 0:
            return self._forwards(footage)
        return self._backwards(footage)

    def _forwards(self, footage: Footage | None) -> Happening | None:
        edge_us = self._now_us
        if footage is not None and footage.edge_us is not None:
            edge_us = min(edge_us, footage.edge_us)
        if self.playhead_us >= edge_us:
            self.go_live()
            return CaughtUp()
        if footage is None or footage.place(self.playhead_us) is not Place.GAP:
            return None
        next_us = footage.next_us(self.playhead_us, 1)
        if next_us is not None:
            return self._skip(next_us)
        if footage.end_us > self._now_us:
            self.go_live()
            return CaughtUp()
        return self._wait()

    def _backwards(self, footage: Footage | None) -> Happening | None:
        if self.playhead_us <= self.oldest_us:
            self._set(self.oldest_us)
            self.is_playing = False
            return AtOldest()
        if footage is None or footage.place(self.playhead_us) is not Place.GAP:
            return None
        next_us = footage.next_us(self.playhead_us, -1)
        if next_us is not None:
            return self._skip(next_us)
        if footage.start_us <= self.oldest_us:
            self._set(self.oldest_us)
            self.is_playing = False
            return AtOldest()
        return self._wait()

    def _skip(self, to_us: int) -> Skipped:
        skipped = Skipped(self.playhead_us, to_us)
        self._set(to_us)
        return skipped

    def _wait(self) -> Lacking:
        self._set(self.playhead_us)
        return Lacking(self.playhead_us, self.direction)

    def _set(self, time_us: int) -> None:
        """Stand here, and go on from here."""
        self.playhead_us = self._anchor_us = time_us
        self._anchor_s = self._at_s

    # -- what the operator does --------------------------------------------------------------------------

    def seek(self, time_us: int) -> None:
        """Go to a time, playing or not; beyond the live edge is live, before the oldest footage is the oldest."""
        if self._now_us and time_us >= self._now_us:
            self.go_live()
            return
        self.is_playing = self.is_playing and not self.is_live
        self.is_live = False
        self._set(max(time_us, self.oldest_us))

    def hold(self, time_us: int) -> None:
        """Rest exactly here: the frame that a step led to."""
        self.pause()
        self.seek(time_us)

    def play(self, direction: int) -> None:
        """Forwards (1) or backwards (-1). Live goes on forwards by itself."""
        if self.is_live and direction > 0:
            return
        self.is_live = False
        self.is_playing = True
        self.direction = direction
        self._set(self.playhead_us)

    def pause(self) -> None:
        """Rest; a live picture becomes that of this moment."""
        self.is_live = False
        self.is_playing = False
        self._set(self.playhead_us)

    def toggle(self) -> None:
        """Rest, or go on in the direction of last time."""
        if self.is_playing:
            self.pause()
        else:
            self.play(self.direction)

    def change_speed(self, steps: int) -> None:
        """Faster (1) or slower (-1), within SPEEDS. Live has one speed."""
        if not self.is_live:
            self._speed = max(0, min(self._speed + steps, len(SPEEDS) - 1))
            self._set(self.playhead_us)

    def reset_speed(self) -> None:
        """1x."""
        self._speed = NORMAL
        self._set(self.playhead_us)

    def go_live(self) -> None:
        """To the live edge, and stay there, at 1x."""
        self.is_live = self.is_playing = True
        self.direction = 1
        self._speed = NORMAL
        self._set(self._now_us or self.playhead_us)


def speed_words(speed: float) -> str:
    """`1/4x`, `1x`, `16x`."""
    return f"{speed:.0f}x" if speed >= 1 else f"1/{1 / speed:.0f}x"

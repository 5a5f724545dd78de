"""Which picture a playing camera needs next, and when. Pure; tui/screens/playback_pictures.py shows them.

A picture covers a stretch: from its own time to when the next one begins. While the playhead is inside, nothing is asked; when it
leaves, the picture of where it is then is wished for, so that a slow line gets fewer pictures and never old ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.wire_pictures import PictureReply
from tui.picture_wish import Wish
from tui.picture_zoom import Zoom
from tui.playback_clock import PlaybackClock

AGAIN_US = 500_000
"""After an error so far in the footage is gone before it is tried again."""
UNCERTAIN_US = 20_000
"""Where it is not known when the next picture begins: half a frame of 25 a second."""
FRESH_US = 15_000_000
"""Footage so close to the present still comes to the disk."""
FRESH_EVERY_S = 2.0
WHOLE_PICTURE = Zoom()
SOONEST_S = 0.02
LATEST_S = 0.25


@dataclass(frozen=True, slots=True)
class Shown:
    """What a camera's cell shows: a picture, or that there is none."""

    asked_us: int | None
    """The playhead it was asked for; None = live."""
    asked_at_s: float
    """On the monotonic clock."""
    time_us: int = 0
    """Of its frame."""
    until_us: int | None = None
    """When the next one begins; None = not known."""
    is_exact: bool = False
    is_missing: bool = False
    """There was no picture."""

    def covers(self, time_us: int) -> bool:
        """Whether it is still the picture of this time."""
        if self.asked_us is None:
            return False
        if self.is_missing:
            return abs(time_us - self.asked_us) < AGAIN_US
        if self.until_us is None:
            low_us = min(self.time_us, self.asked_us)
            return low_us <= time_us < max(self.asked_us, self.time_us) + UNCERTAIN_US
        return self.time_us <= time_us < self.until_us


def shown_of(wish: Wish, reply: PictureReply, at_s: float) -> Shown:
    """Of an answer."""
    if wish.step and not wish.is_exact:
        # A keyframe is a frame, too; when the frame after it begins was not said.
        return Shown(reply.time_us, at_s, reply.time_us, None, is_exact=True)
    asked_us = reply.time_us if wish.step else wish.at_us
    return Shown(asked_us, at_s, reply.time_us, reply.until_us, is_exact=wish.is_exact)


def is_due(shown: Shown | None, clock: PlaybackClock, at_s: float, now_us: int) -> bool:
    """Another picture is needed now. A live cell takes care of itself once it is live."""
    if shown is None:
        return True
    if clock.is_live:
        return shown.asked_us is not None
    if not shown.covers(clock.playhead_us):
        return True
    if clock.is_exact and not shown.is_exact and not shown.is_missing:
        return True
    is_fresh = shown.until_us is None and now_us - clock.playhead_us < FRESH_US
    return is_fresh and at_s - shown.asked_at_s >= FRESH_EVERY_S


def pause_s(shown: Shown | None, clock: PlaybackClock) -> float:
    """How long until this one may be due, as the clock runs."""
    velocity = clock.velocity
    if shown is None or shown.is_missing or not velocity or clock.is_live:
        return LATEST_S
    edge_us = shown.until_us if velocity > 0 else shown.time_us - 1
    if edge_us is None:
        return SOONEST_S
    left_s = (edge_us - clock.playhead_us) / velocity / 1_000_000
    return max(SOONEST_S, min(left_s, LATEST_S))


def wish_of(camera: str, clock: PlaybackClock, zoom: Zoom = WHOLE_PICTURE) -> Wish:
    """The picture of where the playhead is."""
    if clock.is_live:
        return Wish(camera, region=zoom.region)
    return Wish(camera, clock.playhead_us, is_exact=clock.is_exact, region=zoom.region)


def step_wish(camera: str, shown: Shown | None, playhead_us: int, step: int, *, is_keyframe: bool) -> Wish:
    """The frame or keyframe before (-1) or after (1) the one shown, which the playhead may be inside of."""
    wish = Wish(camera, playhead_us, is_exact=not is_keyframe, step=step)
    if shown is not None and shown.is_exact and not shown.is_missing and shown.covers(playhead_us):
        return replace(wish, at_us=shown.time_us)
    return wish

"""What cost a worker a moment ago: a keyframe that crashes or hangs its decoder does so again, and who steps would never get past it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from engine.pictures.keyframe import KeyframeSource, RecordedKeyframe
from engine.wire import PictureRequest
from storage.clock import Clock
from storage.units import US_PER_SECOND

LOSSES_LIMIT = 256
"""Places remembered; those lost longest ago go first."""
LOSS_AGE_US = 120 * US_PER_SECOND
"""Then it is tried anew: a drive that hung, or a want of memory, is no fault of the picture."""
STEP_REMEDY = "step again: it is left out then"


class Losses:
    """Loop only. By where somebody stepped from, since that is all the engine knows: which keyframe it was, the worker cannot say any more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()
        """How many workers, and when the last one (monotonic)."""

    def count(self, source: KeyframeSource, request: PictureRequest) -> int:
        """Workers lost lately over this. A step leaves out as many keyframes as that: those before the culprit are no pictures, or were left
        out already.
        """
        count, lost_us = self._lost.get(_place(source, request), (0, 0))
        return count if self._clock.monotonic_us() - lost_us <= LOSS_AGE_US else 0

    def add(self, source: KeyframeSource, request: PictureRequest) -> str:
        """One more. What to do about it."""
        place = _place(source, request)
        if place is None:
            return ""
        self._lost[place] = (self.count(source, request) + 1, self._clock.monotonic_us())
        self._lost.move_to_end(place)
        if len(self._lost) > LOSSES_LIMIT:
            self._lost.popitem(last=False)
        return STEP_REMEDY if request.step else ""


def _place(source: KeyframeSource, request: PictureRequest) -> Hashable:
    """The asked moment and not its tick, which moves while a file grows. None: of a live picture there is a newer one soon."""
    if not isinstance(source, RecordedKeyframe):
        return None
    return source.path, request.at_us, request.step, request.exact

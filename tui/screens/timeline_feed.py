"""Coverage for the timeline: asks the engine for the cameras and times in sight, with a margin, and turns it into tracks.

The newest wish wins; nothing is asked again while what is loaded covers the view and is fresh enough.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from functools import partial

from engine import wire
from tui.gap_words import gap_words
from tui.screens.view import View
from tui.work import is_under_way, start
from widgets.timeline import Timeline
from widgets.timeline_cells import GapKind, GapMark, TimelineTrack

DEBOUNCE_S = 0.06
COVERAGE = "coverage"
"""Group of the workers that ask for it."""
ROWS_MARGIN = 16
FRESH_US = 10_000_000
"""Coverage near the present is asked for again after this."""
LIVE_EDGE_US = 60_000_000
"""A stretch that ended this short before the answer is still growing when its camera records."""

GAP_KINDS: dict[str, GapKind] = {
    "camera_unreachable": GapKind.CAMERA,
    "camera_refused": GapKind.CAMERA,
    "camera_stalled": GapKind.CAMERA,
    "camera_protocol_error": GapKind.CAMERA,
    "camera_unsupported": GapKind.CAMERA,
    "frames_lost": GapKind.LOSS,
    "no_volume": GapKind.STORAGE,
    "volume_full": GapKind.STORAGE,
    "volume_failed": GapKind.STORAGE,
    "volume_missing": GapKind.STORAGE,
    "volume_stalled": GapKind.STORAGE,
    "engine_stopped": GapKind.ENGINE,
    "engine_crashed": GapKind.ENGINE,
    "clock_stepped": GapKind.CLOCK,
    "schedule": GapKind.PLANNED,
}


def track_of(
    camera: str, row: wire.TimelineRow | None, written_us: int | None, asked_us: int
) -> TimelineTrack:
    """One row; the stretch being written grows with `written_us`."""
    if row is None:
        return TimelineTrack(camera, camera)
    recorded = list(row.recorded)
    if recorded and written_us is not None and written_us > recorded[-1][1] > asked_us - LIVE_EDGE_US:
        recorded[-1] = (recorded[-1][0], written_us)
    return TimelineTrack(
        key=camera,
        title=camera,
        recorded=tuple(recorded),
        gaps=tuple(
            GapMark(start, end, GAP_KINDS.get(cause, GapKind.UNKNOWN), gap_words(cause))
            for start, end, cause in row.gaps
        ),
        locks=row.locks,
    )


class TimelineFeed:
    """Fetches for one Timeline of one view."""

    def __init__(
        self,
        view: View,
        timeline: Timeline,
        cameras: Callable[[], Sequence[str]] | None = None,
        on_loaded: Callable[[], None] = lambda: None,
    ) -> None:
        """`cameras`: names of the rows, None = all there are; `on_loaded` is called when more is known."""
        self._view = view
        self._timeline = timeline
        self._cameras = cameras
        self._on_loaded = on_loaded
        self._rows: dict[str, wire.TimelineRow] = {}
        self._loaded: tuple[int, int] | None = None
        self._asked_us = 0
        self._asking: tuple[int, int, int, frozenset[Hashable]] | None = None
        """From when to when, of which span and of which rows it was asked for last."""
        self.filter_text = ""

    @property
    def row(self) -> wire.TimelineRow | None:
        """What is known of the camera under the cursor."""
        track = self._timeline.track
        return self._rows.get(str(track.key)) if track is not None else None

    @property
    def loaded(self) -> tuple[int, int] | None:
        """[start_us, end_us) that is known of every row that is known."""
        return self._loaded

    def row_of(self, camera: str) -> wire.TimelineRow | None:
        """What is known of a camera."""
        return self._rows.get(camera)

    def camera_names(self) -> list[str]:
        """In order, narrowed by the filter."""
        if self._cameras is not None:
            return list(self._cameras())
        needle = self.filter_text.casefold()
        return [camera.name for camera in self._view.desk.mirror.cameras if needle in camera.name.casefold()]

    def draw(self) -> None:
        """Hand the timeline what is known."""
        mirror = self._view.desk.mirror
        tracks = []
        for name in self.camera_names():
            camera = mirror.camera(name)
            is_writing = camera is not None and camera.state is wire.CameraState.RECORDING and mirror.is_live
            written_us = camera.last_written_us if camera is not None and is_writing else None
            tracks.append(track_of(name, self._rows.get(name), written_us, self._asked_us))
        self._timeline.set_tracks(tracks, mirror.now_us, self._loaded)

    def want(self, start_us: int, end_us: int, keys: Sequence[Hashable]) -> None:
        """The view shows this now; fetch what is missing."""
        loaded = self._loaded
        is_loaded = loaded is not None and loaded[0] <= start_us and end_us <= loaded[1]
        if is_loaded and all(key in self._rows for key in keys) and not self._is_old(end_us):
            return
        if self._is_asked(start_us, end_us, keys):
            return  # the next tick does not end the question of this one
        margin_us = 0 if is_loaded else end_us - start_us
        self._asking = (start_us - margin_us, end_us + margin_us, end_us - start_us, frozenset(keys))
        start(self._view, partial(self._fetch, start_us, end_us, keys, is_loaded=is_loaded), COVERAGE)

    def _is_asked(self, start_us: int, end_us: int, keys: Sequence[Hashable]) -> bool:
        """An answer under way will have these."""
        asking = self._asking
        return (
            asking is not None
            and is_under_way(self._view, COVERAGE)
            and asking[0] <= start_us
            and end_us <= asking[1]
            and asking[2] == end_us - start_us
            and asking[3].issuperset(keys)
        )

    def again(self) -> None:
        """Fetch what is in sight anew (a lock changed, the operator asked)."""
        self._loaded = self._asking = None
        timeline = self._timeline
        self.want(timeline.start_us, timeline.end_us, timeline.visible_keys)

    def tick(self) -> None:
        """A second passed: move the live edge, and ask again when it is in sight and old."""
        timeline = self._timeline
        now_us = self._view.desk.mirror.now_us
        if timeline.start_us <= now_us < timeline.end_us + timeline.span_us and self._is_old(timeline.end_us):
            self.want(timeline.start_us, timeline.end_us, timeline.visible_keys)
        if timeline.span_us <= timeline.cells * FRESH_US:
            self.draw()
        else:
            timeline.set_now(now_us)

    def _is_old(self, end_us: int) -> bool:
        age_us = self._view.desk.mirror.now_us - self._asked_us
        return end_us > self._asked_us and age_us > FRESH_US

    async def _fetch(self, start_us: int, end_us: int, keys: Sequence[Hashable], *, is_loaded: bool) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        mirror = self._view.desk.mirror
        if not mirror.is_connected:
            return
        names = self.camera_names()
        wanted = {str(key) for key in keys}
        places = [index for index, name in enumerate(names) if name in wanted] or [0]
        names = names[max(0, places[0] - ROWS_MARGIN) : places[-1] + ROWS_MARGIN]
        span_us = end_us - start_us
        span = (start_us - span_us, end_us + span_us)
        if is_loaded and self._loaded is not None and self._loaded[1] - self._loaded[0] <= 3 * span_us:
            span = self._loaded  # other rows, or fresher ones, of the same times
        if not names:
            return
        timeline = await self._view.ask(self._view.desk.client.timeline(names, *span), "timeline")
        if timeline is None:
            return
        if span != self._loaded:
            self._rows.clear()
        self._loaded = span
        self._asked_us = timeline.now_us
        self._rows.update((row.camera, row) for row in timeline.rows)
        self.draw()
        self._on_loaded()

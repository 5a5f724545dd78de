"""A range of the camera in hand, by its two ends, and what is done with it: for views with a timeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tui.screens.jump import JumpView
from tui.screens.range_jobs import RangeJobs
from tui.work import start
from widgets.timeline import Timeline

SENT_US = 30 * 1_000_000
"""Of a video link without a range."""


class RangeView(JumpView):
    """Base of views in which a range is chosen, locked and exported. `timeline` and `jobs` are set when it is mounted."""

    timeline: Timeline
    jobs: RangeJobs

    @property
    def camera_name(self) -> str:
        """Of the row under the cursor; empty when there is none."""
        track = self.timeline.track
        return str(track.key) if track is not None else ""

    def coverage_changed(self) -> None:
        """A lock came or went: ask for what is recorded again."""
        raise NotImplementedError

    def sent_target(self) -> tuple[str, tuple[int, int] | None] | None:
        """The range, else half a minute from the playhead on, else the present."""
        if not self.camera_name:
            return None
        if self.timeline.selection is not None:
            return self.camera_name, self.timeline.selection
        if self.timeline.is_following:
            return self.camera_name, None
        start_us = self.timeline.playhead_us
        end_us = min(start_us + SENT_US, self.desk.mirror.now_us)
        return (self.camera_name, (start_us, end_us)) if end_us > start_us else (self.camera_name, None)

    def action_mark(self, which: str) -> None:
        """Either end first; the other end may be moved again later."""
        timeline = self.timeline
        here_us = timeline.playhead_us
        if timeline.is_selecting:
            timeline.end_selection()
        elif timeline.selection is None:
            timeline.start_selection()
        else:
            start_us, end_us = timeline.selection
            if which == "start":
                timeline.selection = (here_us, end_us) if here_us < end_us else None
            else:
                timeline.selection = (start_us, here_us) if here_us > start_us else None
            if timeline.selection is None:
                timeline.start_selection()

    def selected_range(self) -> tuple[int, int] | None:
        """The range, or None after saying how to make one."""
        selection = self.timeline.selection
        if selection is None or selection[0] >= selection[1] or not self.camera_name:
            self.say("no range: go to its start, press [, go to its end, press ]", is_error=True)
            return None
        return selection

    def work(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run what may open a dialog; one at a time."""
        start(self, work, "dialog")

    def action_lock(self, reason: str = "") -> None:
        chosen = self.selected_range() if self.may_change() else None
        if chosen is not None:
            self.work(lambda: self.jobs.lock(self.camera_name, chosen, reason))

    def action_unlock(self) -> None:
        if self.camera_name and self.may_change():
            self.work(lambda: self.jobs.unlock(self.camera_name, self.timeline.playhead_us))

    def action_export(self) -> None:
        chosen = self.selected_range() if self.has_engine() else None
        if chosen is not None:
            self.work(lambda: self.jobs.export(self.camera_name, chosen))

    def action_to_case(self) -> None:
        chosen = self.selected_range() if self.may_change() else None
        if chosen is not None:
            self.work(lambda: self.jobs.to_case(self.camera_name, chosen))

"""Which alarm stands in which cell of the alarm tab: one cell a camera, new ones open by themselves, a pin holds all still. Pure.

Manual rows AB-01, AG-04, AG-05, AG-06; rule 19: only alarms that send live streaming come here (the engine is asked for no others).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.wire_alarms import AlarmView

MOST_CELLS = 16
CELL_COLUMNS, CELL_ROWS = 24, 7
"""With less a picture says nothing."""


def most_cells(columns: int, rows: int) -> int:
    """How many cells a terminal of this size holds."""
    return max(1, min(MOST_CELLS, (columns // CELL_COLUMNS) * (rows // CELL_ROWS)))


def grid_of(count: int, columns: int, rows: int, around: tuple[int, int] = (2, 3)) -> tuple[int, int]:
    """Cells side by side and one above the other, so that pictures of 16:9 are as large as can be; `around` is what frame and caption take."""
    best, best_area = (1, max(count, 1)), -1
    for across in range(1, count + 1):
        down = -(-count // across)
        width, height = columns // across - around[0], rows // down - around[1]
        picture = min(width, height * 32 // 9)
        if picture > best_area:
            best, best_area = (across, down), picture
    return best


class AlarmWall:
    """State: the alarms in their places, the selected camera, the pin."""

    def __init__(self) -> None:
        self.shown: list[AlarmView] = []
        """In their places."""
        self.selected = ""
        """A camera."""
        self.is_pinned = False
        self.waiting = 0
        """Alarms that came while the pin holds."""
        self.hidden = 0
        """Cameras with alarms for which there is no cell."""
        self._known: frozenset[int] = frozenset()

    @property
    def newest(self) -> AlarmView | None:
        """AG-06: its frame blinks."""
        return max(self.shown, key=_age, default=None)

    @property
    def in_hand(self) -> AlarmView | None:
        """The alarm of the selected cell."""
        return next((alarm for alarm in self.shown if alarm.camera == self.selected), None)

    def update(self, alarms: Iterable[AlarmView], most: int) -> None:
        """What is open now; `most` cells fit."""
        found = [alarm for alarm in alarms if alarm.camera]
        if self.is_pinned:
            open_ids = {alarm.id for alarm in found}
            self.shown = [alarm for alarm in self.shown if alarm.id in open_ids]
            self.waiting = sum(alarm.id not in self._known for alarm in found)
        else:
            self._known = frozenset(alarm.id for alarm in found)
            self._place(found, most)
            self.waiting = 0
        self.hidden = len({alarm.camera for alarm in found} - {alarm.camera for alarm in self.shown})
        if self.in_hand is None:
            newest = self.newest
            self.selected = newest.camera if newest is not None else ""

    def _place(self, found: Sequence[AlarmView], most: int) -> None:
        """Cameras keep their places; new ones are added, and when all is full take the place that is quiet longest."""
        by_camera: dict[str, AlarmView] = {}
        for alarm in sorted(found, key=_age):
            by_camera[alarm.camera] = alarm
        shown = [by_camera.pop(alarm.camera) for alarm in self.shown if alarm.camera in by_camera]
        while len(shown) > most:
            shown.remove(self._quietest(shown))
        for alarm in sorted(by_camera.values(), key=_age, reverse=True):
            if len(shown) < most:
                shown.append(alarm)
                continue
            quiet = self._quietest(shown)
            if _age(quiet) >= _age(alarm):
                break
            shown[shown.index(quiet)] = alarm
        self.shown = shown

    def _quietest(self, shown: Sequence[AlarmView]) -> AlarmView:
        """The selected cell goes last."""
        return min(shown, key=lambda alarm: (alarm.camera == self.selected, *_age(alarm)))

    def pin(self, is_pinned: bool) -> None:
        """AG-05. `update` afterwards lets in what waited."""
        self.is_pinned = is_pinned
        if is_pinned:
            self.waiting = 0

    def move(self, across: int, down: int, width: int) -> None:
        """The selection, in a grid so many cells wide."""
        at = next((n for n, alarm in enumerate(self.shown) if alarm.camera == self.selected), None)
        if at is None:
            return
        wanted = at + across + down * width
        if 0 <= wanted < len(self.shown):
            self.selected = self.shown[wanted].camera


def _age(alarm: AlarmView) -> tuple[int, int]:
    return alarm.last_us, alarm.id

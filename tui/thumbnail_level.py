"""One step of the way down of a thumbnail search: a stretch, the cursor on it, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass

from tui.thumbnail_plan import ThumbnailPlan


@dataclass(slots=True)
class Level:
    """One step of the way down."""

    plan: ThumbnailPlan
    cursor: int = 0
    is_fitted: bool = True
    """The interval follows from the room; False = it was chosen."""
    here_us: int | None = None
    """What the cursor was put on, while intervals change around it; None = the slot it is on."""

    def cursor_us(self) -> int:
        """The time in hand."""
        return (
            self.plan.slot(min(self.cursor, self.plan.count - 1))[0] if self.here_us is None else self.here_us
        )

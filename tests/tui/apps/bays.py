"""The console on a scripted box, on a real terminal: `python -m tests.tui.apps.bays degraded_eight`.

The boxes are the functions of tests/fakes/chassis_views.py; `job` and `alarm` are the degraded one with a replacement.
`--erasing`: every plan is one that erases. A second passes every second, as with an engine.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from engine.wire_chassis import ChassisView
from tests.fakes import chassis_views
from tests.fakes.engine import FakeEngine
from tui.profile import detect


def box(name: str) -> ChassisView:
    """A box by name."""
    if name == "job":
        return msgspec.structs.replace(chassis_views.degraded_eight(), jobs=(chassis_views.replace_job(),))
    if name == "alarm":
        return msgspec.structs.replace(
            chassis_views.degraded_eight(), jobs=(chassis_views.wrong_drive_job(),)
        )
    made: ChassisView = getattr(chassis_views, name)()
    return made


def main() -> None:
    profile = detect(os.environ)
    os.environ.update(profile.environment())
    from tests.tui.desk_for import app_for

    engine = FakeEngine(chassis=box(sys.argv[1]))
    engine.plan = chassis_views.erasing_plan() if "--erasing" in sys.argv else None
    app = app_for(engine, Path.home() / "watchdeck-exports", profile)
    app.call_later(lambda: app.set_interval(1.0, engine.tick))
    app.run(mouse=profile.has_mouse)


if __name__ == "__main__":
    main()

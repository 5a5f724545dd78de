"""When the console looks for garbage cycles: never while it starts, rarely and briefly afterwards.

A full collection walks every object there is, 50 to 80 ms after Textual and the HTTP client are imported: long enough
to be felt between a key and its effect. What exists once the first view stands lives until the end, so it is taken
out of all later collections, which then see only what came since.
"""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 20_000
"""So many new objects start a young collection: some seconds of a dashboard."""
YOUNG_PER_MIDDLE, MIDDLE_PER_FULL = 10, 10


def hold_collections() -> None:
    """While the program starts: nearly everything made then is kept."""
    gc.disable()


def settle() -> None:
    """The first view stands: what exists now is no longer looked at. Nothing happens where collections go on."""
    if gc.isenabled():
        return
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_PER_MIDDLE, MIDDLE_PER_FULL)
    gc.enable()

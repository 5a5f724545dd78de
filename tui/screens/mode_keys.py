"""Which keys the footer of a picture screen shows in which of its modes: those that do something there, named by what they do there."""

from __future__ import annotations

from tui.command_lists.wall import WALL

Labels = tuple[tuple[str, str], ...]
"""Ids of commands with their labels, most important first."""

BACK = "app.back"

MOTION_FIRST: Labels = (
    ("motion.camera", "Camera"),
    ("motion.enter", "Corner"),
    ("motion.run", "Search"),
    ("motion.fields", "Form"),
)
MOTION_OPEN: Labels = (
    ("motion.enter", "Corner"),
    ("motion.close", "Close"),
    ("motion.run", "Search"),
    (BACK, "Delete"),
    ("motion.remove_last", "Last"),
)
MOTION_CLOSED: Labels = (
    ("motion.enter", "Search"),
    ("motion.fields", "Form"),
    (BACK, "Delete"),
    ("motion.remove_last", "Open"),
    ("motion.camera", "Camera"),
)
MOTION_HITS: Labels = (
    ("motion.enter", "Play"),
    ("motion.look", "Drawing"),
    ("motion.export", "Export"),
    ("motion.bookmark", "Bookmark"),
    ("motion.playback", "Playback"),
    ("motion.fields", "Form"),
)

EXPORTS: Labels = (
    ("evidence.part", "Cases"),
    ("evidence.open", "Open"),
    ("evidence.fetch", "Fetch"),
    ("evidence.cancel", "Cancel"),
    ("evidence.remove", "Remove"),
    ("evidence.key", "Key"),
)
CASES: Labels = (
    ("evidence.part", "Exports"),
    ("evidence.open", "Open"),
    ("evidence.add", "New"),
    ("evidence.edit", "Edit"),
    ("evidence.export", "Export"),
    ("evidence.remove", "Remove"),
)
CASE_ITEMS: Labels = (
    (BACK, "Cases"),
    ("evidence.play", "Play"),
    ("evidence.edit", "Edit"),
    ("evidence.later", "Down"),
    ("evidence.earlier", "Up"),
    ("evidence.remove", "Remove"),
    ("evidence.export", "Export"),
)

WALL_KEYS: Labels = tuple((command.id, command.footer) for command in WALL if command.footer)
WALL_EMPTY: Labels = (
    ("wall.open", "Camera"),
    *((id, label) for id, label in WALL_KEYS if id in ("wall.layout", "wall.views", "wall.tours")),
)
"""On a cell without a camera."""
WALL_EDIT: Labels = (
    ("wall.open", "Keep"),
    (BACK, "Leave"),
    ("wall.undo", "Undo"),
    ("wall.redo", "Redo"),
)
WALL_MARKED: Labels = (("wall.open", "Put here"), (BACK, "Leave"))
WALL_FULL: Labels = (
    ("wall.open", "Wall"),
    ("wall.nearer", "Nearer"),
    ("wall.farther", "Farther"),
    ("wall.snapshot", "Snap"),
    ("wall.bookmark", "Mark"),
    ("wall.playback", "Play"),
)


def playing(prefix: str, *more: tuple[str, str]) -> Labels:
    """While a clip is played; `prefix` of the screen's commands, `more` of its own."""
    return (
        (f"{prefix}.pause", "Pause"),
        (BACK, "Back"),
        (f"{prefix}.next", "Next"),
        (f"{prefix}.previous", "Previous"),
        (f"{prefix}.frame_next", "Frame"),
        *more,
    )

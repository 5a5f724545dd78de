"""What the bookmarks screen does: moments kept from recycling."""

from __future__ import annotations

from tui.command import Command, Scope

_B = Scope.BOOKMARKS

BOOKMARKS: tuple[Command, ...] = (
    Command("bookmarks.show", "bookmarks", "Bookmarks", "Moments kept from recycling.", "", "show", _B),
    Command(
        "bookmarks.play",
        "play bookmark",
        "Play",
        "Play the clip; esc back.",
        "enter",
        "play",
        _B,
        footer="Play",
    ),
    Command(
        "bookmarks.edit",
        "bookmark edit",
        "Edit",
        "Name, note, what is kept and for how long.",
        "e",
        "edit",
        _B,
        footer="Edit",
        changes=True,
    ),
    Command(
        "bookmarks.remove",
        "bookmark remove",
        "Delete",
        "Delete it, or all that are marked; their video may be recycled then.",
        "delete,d",
        "remove",
        _B,
        footer="Delete",
        changes=True,
    ),
    Command(
        "bookmarks.look",
        "bookmark pictures",
        "Pictures or list",
        "Show them as small pictures, or as a list.",
        "v",
        "look",
        _B,
        footer="View",
    ),
    Command(
        "bookmarks.search",
        "search bookmarks",
        "Search",
        "By camera's name, time of recording, time of bookmarking; words.",
        "f",
        "search",
        _B,
        footer="Search",
    ),
    Command(
        "bookmarks.export",
        "export bookmark",
        "Export",
        "Save the clip, or more around it, as an MP4 file.",
        "x",
        "export",
        _B,
        footer="Export",
    ),
    Command(
        "bookmarks.case",
        "case bookmark",
        "Add to a case",
        "Put it, or all that are marked, into a case.",
        "C",
        "case",
        _B,
        footer="Case",
        changes=True,
    ),
    Command(
        "bookmarks.playback",
        "playback bookmark",
        "Playback",
        "Go to the timeline there.",
        "p",
        "playback",
        _B,
    ),
    Command(
        "bookmarks.pause", "pause bookmark", "Pause", "While one plays: hold, go on.", "space", "pause", _B
    ),
    Command(
        "bookmarks.next", "next bookmark", "Next bookmark", "While one plays.", "right,l", "neighbour(1)", _B
    ),
    Command(
        "bookmarks.previous",
        "previous bookmark",
        "Previous bookmark",
        "While one plays.",
        "left,h",
        "neighbour(-1)",
        _B,
    ),
    Command(
        "bookmarks.frame_next",
        "next frame of bookmark",
        "Next frame",
        "While one plays: hold there.",
        "full_stop,shift+right",
        "step(1)",
        _B,
    ),
    Command(
        "bookmarks.frame_previous",
        "previous frame of bookmark",
        "Previous frame",
        "While one plays: hold there.",
        "comma,shift+left",
        "step(-1)",
        _B,
    ),
)

"""What the list of events does."""

from __future__ import annotations

from tui.command import Command, Scope

_E = Scope.EVENTS

EVENTS: tuple[Command, ...] = (
    Command(
        "events.details",
        "event",
        "Details",
        "Show or hide the text in full.",
        "enter",
        "details",
        _E,
        footer="Details",
    ),
    Command(
        "events.severity",
        "severity",
        "Severity",
        "Show all, warnings and worse, or errors only.",
        "s",
        "severity",
        _E,
        takes="level?",
        footer="Severity",
    ),
    Command(
        "events.newest",
        "newest events",
        "Newest",
        "Go to the newest event.",
        "g,home",
        "newest",
        _E,
        footer="Newest",
    ),
    Command(
        "events.footage",
        "footage",
        "To the footage",
        "Show the recording of that camera at that time.",
        "t",
        "footage",
        _E,
        footer="Footage",
    ),
    Command(
        "events.search",
        "search events",
        "Search",
        "By severity, group, source, time and words.",
        "f",
        "search",
        _E,
        footer="Search",
    ),
    Command(
        "events.kinds",
        "event kinds",
        "Kinds",
        "Only events of these kinds.",
        "T",
        "kinds",
        _E,
        footer="Kinds",
    ),
    Command(
        "events.export",
        "export events",
        "Export as CSV",
        "Save all events that fit as a file.",
        "e",
        "export",
        _E,
        footer="CSV",
    ),
    Command(
        "events.log",
        "operations",
        "Operations log",
        "Who did what: the log that cannot be edited.",
        "o",
        "log",
        _E,
        footer="Log",
    ),
)

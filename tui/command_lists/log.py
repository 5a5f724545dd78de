"""What the operations log does."""

from __future__ import annotations

from tui.command import Command, Scope

_L = Scope.LOG

LOG: tuple[Command, ...] = (
    Command(
        "log.show",
        "log",
        "Log",
        "What people did and what happened, with who and when.",
        "",
        "show('log')",
    ),
    Command(
        "log.details",
        "log entry",
        "Details",
        "Show or hide the entry in full.",
        "enter",
        "details",
        _L,
        footer="Details",
    ),
    Command(
        "log.search",
        "search log",
        "Search",
        "By type, person, source, severity, time and words.",
        "f",
        "search",
        _L,
        footer="Search",
    ),
    Command(
        "log.category",
        "category",
        "Category",
        "All, operations only, events only.",
        "c",
        "category",
        _L,
        takes="which?",
        footer="Category",
    ),
    Command(
        "log.severity",
        "log severity",
        "Severity",
        "All, normal and major, major only.",
        "s",
        "severity",
        _L,
        takes="level?",
        footer="Severity",
    ),
    Command(
        "log.export",
        "export log",
        "Export as CSV",
        "Save all entries that fit as a file.",
        "e",
        "export",
        _L,
        footer="CSV",
    ),
    Command(
        "log.verify",
        "verify log",
        "Verify",
        "Whether an operation was changed or taken out since it was written.",
        "V",
        "verify",
        _L,
        footer="Verify",
    ),
    Command(
        "log.events", "events of log", "Events", "Back to the events.", "o", "events", _L, footer="Events"
    ),
)

"""What the alarm tab does: live pictures of alarms."""

from __future__ import annotations

from tui.command import Command, Scope

_T = Scope.ALARM_TAB

ALARM_TAB: tuple[Command, ...] = (
    Command(
        "alarm_tab.show",
        "alarm tab",
        "Alarm tab",
        "Live pictures of the cameras whose alarms send them.",
        "",
        "show('alarm_tab')",
    ),
    Command(
        "alarm_tab.pin",
        "pin",
        "Pin",
        "Hold everything still; what comes meanwhile is counted.",
        "T",
        "pin",
        _T,
        footer="Pin",
    ),
    Command(
        "alarm_tab.false",
        "tab false",
        "False alarm",
        "The alarm of the selected cell, and all of its kind and source.",
        "f",
        "false_alarm",
        _T,
        footer="False",
        changes=True,
    ),
    Command(
        "alarm_tab.mute",
        "tab mute",
        "Mute",
        "Away for so many minutes (1 to 9999), then back.",
        "m",
        "mute",
        _T,
        takes="minutes?",
        footer="Mute",
        changes=True,
    ),
    Command(
        "alarm_tab.progress",
        "tab progress",
        "In progress",
        "Somebody takes care of it; asks for a comment.",
        "p",
        "progress",
        _T,
        takes="comment?",
        footer="Progress",
        changes=True,
    ),
    Command(
        "alarm_tab.close", "tab close", "Close", "Dealt with.", "c", "close", _T, footer="Close", changes=True
    ),
    Command(
        "alarm_tab.acknowledge",
        "tab acknowledge",
        "Acknowledge",
        "In progress, without a comment.",
        "a",
        "acknowledge",
        _T,
        changes=True,
    ),
    Command(
        "alarm_tab.undo",
        "tab undo",
        "Undo",
        "Take your last step back.",
        "u",
        "undo_step",
        _T,
        footer="Undo",
        changes=True,
    ),
    Command(
        "alarm_tab.footage",
        "tab footage",
        "To the footage",
        "Show the recording of the selected camera when its alarm began.",
        "enter",
        "footage",
        _T,
        footer="Footage",
    ),
)

"""The views, and what works in each of them."""

from __future__ import annotations

from tui.command import Command, Scope


def _view(number: int, scope: Scope, title: str) -> Command:
    return Command(
        f"view.{scope}",
        str(scope),
        title,
        f"Show the {scope} screen.",
        f"{number},f{number + 1}",
        f"show('{scope}')",
        footer="",
    )


EVERYWHERE: tuple[Command, ...] = (
    _view(1, Scope.DASHBOARD, "Dashboard"),
    _view(2, Scope.CAMERAS, "Cameras"),
    _view(3, Scope.RECORDINGS, "Recordings"),
    _view(4, Scope.EVENTS, "Events"),
    _view(5, Scope.BAYS, "Bays"),
    _view(6, Scope.ALARMS, "Alarms"),
    _view(7, Scope.WALL, "Live"),
    _view(8, Scope.PLAYBACK, "Playback"),
    _view(9, Scope.EVIDENCE, "Evidence"),
    Command(
        "app.filter",
        "filter",
        "Filter",
        "Narrow the list by words; esc clears.",
        "slash",
        "filter",
        takes="words?",
        footer="Filter",
    ),
    Command(
        "app.command",
        "command",
        "Command line",
        "Type a command; tab completes.",
        "colon",
        "command_line",
        footer="Cmd",
    ),
    Command(
        "app.help",
        "help",
        "Help",
        "Keys and commands of this screen.",
        "question_mark,f1",
        "help",
        footer="Help",
    ),
    Command(
        "app.quit",
        "quit",
        "Quit",
        "Leave the console; the engine goes on recording.",
        "q",
        "quit_console",
        footer="Quit",
    ),
    Command(
        "app.trigger",
        "trigger",
        "Press a button",
        "Fire a virtual trigger: the buttons that rules have.",
        "exclamation_mark",
        "trigger",
        takes="button?",
        changes=True,
    ),
    Command(
        "app.send_to",
        "send to",
        "Send to a player",
        "An address for mpv or VLC on your own machine, for some minutes: what is in hand, live or the range.",
        "ctrl+o",
        "send_to",
        takes="minutes?",
    ),
    Command(
        "app.copy_link",
        "copy link",
        "Copy the address",
        "The command of the address shown, into your terminal's clipboard (OSC 52).",
        "y",
        "copy_link",
    ),
    Command(
        "app.notify",
        "notify",
        "Notifications",
        "Off here for so many minutes (1 to 9999); `on` ends it.",
        "",
        "notifications",
        takes="minutes?",
    ),
    Command(
        "app.notify_rules",
        "notify rules",
        "Notifications of rules",
        "Which rules' alarms are told on this console.",
        "",
        "notify_rules",
    ),
    Command("app.palette", "palette", "Command palette", "Search all commands.", "ctrl+p", "command_palette"),
    Command(
        "app.back",
        "back",
        "Back",
        "Close, clear, or go back to where this was opened.",
        "escape",
        "step_back",
    ),
    Command(
        "app.refresh", "refresh", "Refresh", "Ask the engine again for what is shown.", "R", "refresh_view"
    ),
    Command("app.repaint", "repaint", "Repaint", "Draw the whole screen again.", "ctrl+l", "repaint"),
    Command(
        "app.undo",
        "undo",
        "Undo",
        "Take back the last step that can be taken back (a lock, switching a camera).",
        "z",
        "undo",
    ),
    Command(
        "app.readonly",
        "readonly",
        "Read-only mode",
        "Refuse everything that changes the station.",
        "f12",
        "toggle_read_only",
    ),
    Command("app.theme", "theme", "Theme", "Change the colours: name a theme.", "", "theme", takes="name?"),
    Command(
        "app.log",
        "session",
        "Command log",
        "What was done in this session, newest first.",
        "at",
        "command_log",
    ),
)

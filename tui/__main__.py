"""`watchdeck`: without arguments (or with the console's options alone) the console, with anything else the command line.

Nothing heavy is imported before it is known which: the terminal is asked before Textual starts, and the command
line never imports Textual.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

VALUE_OPTIONS = ("--socket", "--graphics", "--colors", "--glyphs", "--theme", "--show")
FLAGS = ("--mouse", "--no-mouse", "--read-only")
HELP_FLAGS = ("-h", "--help")

EXIT_USAGE = 2


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """What the console was started with; None = decide."""

    socket: str | None = None
    graphics: str | None = None
    colors: str | None = None
    glyphs: str | None = None
    theme: str | None = None
    show: str | None = None
    """Instead of what the station has for this terminal."""
    has_mouse: bool | None = None
    is_read_only: bool = False


def console_options(arguments: list[str]) -> ConsoleOptions | None:
    """The options when there are only the console's; None = this is for the command line."""
    values: dict[str, str] = {}
    flags: set[str] = set()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.partition("=")
        if word in FLAGS:
            flags.add(word)
        elif name in VALUE_OPTIONS and (has_value or rest):
            values[name.removeprefix("--")] = value if has_value else rest.pop(0)
        else:
            return None
    has_mouse = None
    if flags & {"--mouse", "--no-mouse"}:
        has_mouse = "--mouse" in flags
    return ConsoleOptions(
        socket=values.get("socket"),
        graphics=values.get("graphics"),
        colors=values.get("colors"),
        glyphs=values.get("glyphs"),
        theme=values.get("theme"),
        show=values.get("show"),
        has_mouse=has_mouse,
        is_read_only="--read-only" in flags,
    )


def asks_for_help(arguments: list[str]) -> bool:
    """Help after the console's own options, which the command line does not know."""
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in HELP_FLAGS:
            return True
        name, has_value, _ = word.partition("=")
        if name in VALUE_OPTIONS and (has_value or rest):
            if not has_value:
                rest.pop(0)
        elif word not in FLAGS:
            return False
    return False


def run_console(options: ConsoleOptions) -> int:
    """The console until the operator leaves it; the exit code."""
    from tui.garbage import hold_collections

    hold_collections()
    from tui.profile import BadOverride, detect

    try:
        profile = detect(
            os.environ,
            graphics=options.graphics,
            colors=options.colors,
            glyphs=options.glyphs,
            has_mouse=options.has_mouse,
        )
    except BadOverride as error:
        print(f"watchdeck: {error}", file=sys.stderr)
        return EXIT_USAGE
    shows = " ".join((options.show or "").split())
    if options.show is not None:
        from tui.start_up import show_complaint

        if complaint := show_complaint(shows):
            print(f"watchdeck: --show: {complaint}", file=sys.stderr)
            return EXIT_USAGE
    if profile.refusal:
        print(f"watchdeck: {profile.refusal}", file=sys.stderr)
        return EXIT_USAGE
    os.environ.update(profile.environment())
    for name in ("COLUMNS", "LINES"):
        # Exported by some shells, and wrong after the first resize; the terminal itself knows.
        os.environ.pop(name, None)

    from tui.start import start_console

    result = start_console(
        profile, options.socket, options.theme, shows=shows, is_read_only=options.is_read_only
    )
    if result == "demo":
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "engine.demo"])  # noqa: S606 - becomes the demo
    return 0


def main() -> None:
    """Entry point of the `watchdeck` command."""
    is_completing = (
        "_WATCHDECK_COMPLETE" in os.environ
    )  # the shell asks what could be typed: not a call for a console
    options = console_options(sys.argv[1:])
    if options is not None and not is_completing:
        sys.exit(run_console(options))
    from tui.cli.main import main as command_line

    command_line(["--help"] if asks_for_help(sys.argv[1:]) else sys.argv[1:])


if __name__ == "__main__":
    main()

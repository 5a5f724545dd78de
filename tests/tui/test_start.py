"""What `watchdeck` does with its arguments before anything heavy is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pty_console import PtyConsole
from tui.__main__ import ConsoleOptions, asks_for_help, console_options


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], ConsoleOptions()),
        (["--socket", "/s"], ConsoleOptions(socket="/s")),
        (["--socket=/s", "--graphics", "half"], ConsoleOptions(socket="/s", graphics="half")),
        (["--show", "view Doors"], ConsoleOptions(show="view Doors")),
        (["--show=live"], ConsoleOptions(show="live")),
        (["--read-only", "--no-mouse"], ConsoleOptions(is_read_only=True, has_mouse=False)),
        (["--mouse", "--theme", "light"], ConsoleOptions(has_mouse=True, theme="light")),
    ],
)
def test_the_consoles_own_options_open_the_console(arguments: list[str], options: ConsoleOptions) -> None:
    assert console_options(arguments) == options


@pytest.mark.parametrize(
    "arguments", [["status"], ["--help"], ["--socket", "/s", "camera", "list"], ["--socket"], ["--version"]]
)
def test_anything_else_is_for_the_command_line(arguments: list[str]) -> None:
    assert console_options(arguments) is None


@pytest.mark.parametrize(
    ("arguments", "is_asked"),
    [
        (["--graphics", "sixel", "--help"], True),
        (["--mouse", "--theme=light", "-h"], True),
        (["--graphics", "sixel", "status", "--help"], False),
        (["camera", "--help"], False),
        (["--graphics", "--help"], False),
        (["--graphics"], False),
    ],
)
def test_help_may_follow_the_consoles_own_options(arguments: list[str], is_asked: bool) -> None:
    assert asks_for_help(arguments) is is_asked


def test_the_command_line_does_not_import_textual_and_the_console_no_http_client_at_first() -> None:
    program = (
        "import sys, tui.__main__, tui.cli.main; assert 'textual' not in sys.modules;"
        "import tui.start; assert 'aiohttp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_a_terminal_it_refuses_with_words() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_the_terminals_size_counts_and_not_what_a_shell_exported(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "--socket", str(tmp_path / "none.sock")]
    with PtyConsole(command, columns=100, rows=30, env={"COLUMNS": "60", "LINES": "20"}) as console:
        console.wait_for("watchdeck engine")
        widest = max(len(console.line(row).rstrip()) for row in range(30))
        assert widest > 60


def test_what_no_console_begins_with_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "--show", "view"]
    with PtyConsole(command, columns=100, rows=30) as console:
        console.wait_for("--show: a console cannot begin with 'view'; there are dashboard, live")

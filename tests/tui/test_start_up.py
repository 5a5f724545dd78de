from __future__ import annotations

from engine.wire_wall import StartUpRow
from tui.start_up import kept_under, show_complaint, shown_first, terminal_names

ROWS = [
    StartUpRow(terminal="*", shows="alarms"),
    StartUpRow(terminal="ssh", shows="live"),
    StartUpRow(terminal="tty1", shows="none"),
]


def test_a_terminal_is_called_by_its_own_name_then_by_its_kind() -> None:
    assert terminal_names({}, "/dev/tty1") == ("tty1", "*")
    assert terminal_names({"SSH_CONNECTION": "192.0.2.1 4 192.0.2.2 22"}, "/dev/pts/3") == (
        "pts/3",
        "ssh",
        "*",
    )
    assert terminal_names({"SSH_CONNECTION": ""}, "") == ("*",)


def test_the_row_that_names_it_best_counts() -> None:
    assert shown_first(ROWS, ("tty1", "*")) == "none"
    assert shown_first(ROWS, ("pts/3", "ssh", "*")) == "live"
    assert shown_first(ROWS, ("tty2", "*")) == "alarms"
    assert shown_first(ROWS[1:], ("tty2", "*")) == ""


def test_a_wall_is_kept_under_the_row_that_counts() -> None:
    rows = [*ROWS[1:], StartUpRow(terminal="*", shows="last-wall")]
    assert kept_under(rows, ("pts/3", "*")) == "*"
    assert kept_under(rows, ("pts/3", "ssh", "*")) == ""
    assert kept_under(ROWS, ("tty2", "*")) == ""
    assert kept_under((), ("*",)) == ""


def test_what_a_console_may_begin_with() -> None:
    for shows in ("live", "last-wall", "none", "view Doors", "tour By night"):
        assert show_complaint(shows) == ""
    for shows in ("", "view", "live now", "nothing"):
        assert "there are dashboard" in show_complaint(shows)

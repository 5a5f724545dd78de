"""The command registry: unique, parseable, bound to actions that exist; and the user's keymap file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from tui.app import WatchdeckApp
from tui.command_lists.alarm_rules import ALARM_RULES
from tui.command_lists.alarm_tab import ALARM_TAB
from tui.command_lists.alarms import ALARMS
from tui.command_lists.bays import BAYS
from tui.command_lists.bookmarks import BOOKMARKS
from tui.command_lists.events import EVENTS
from tui.command_lists.log import LOG
from tui.command_lists.motion import MOTION
from tui.command_lists.playback import PLAYBACK
from tui.command_lists.thumbnails import THUMBNAILS
from tui.command_lists.wall import WALL
from tui.commands import COMMANDS, Command, Scope, bindings_of, completions, parse
from tui.keymap import load_keymap
from tui.screens.alarm_rules import AlarmRulesView
from tui.screens.alarm_tab import AlarmTabView
from tui.screens.alarms import AlarmsView
from tui.screens.bays import BaysView
from tui.screens.bookmarks import BookmarksView
from tui.screens.cameras import CamerasView
from tui.screens.dashboard import DashboardView
from tui.screens.events import EventsView
from tui.screens.evidence import EvidenceView
from tui.screens.frame import fitted_keys, key_name
from tui.screens.help import hanging
from tui.screens.log import LogView
from tui.screens.motion import MotionView
from tui.screens.playback import PlaybackView
from tui.screens.recordings import RecordingsView
from tui.screens.schedules import SchedulesView
from tui.screens.thumbnails import ThumbnailsView
from tui.screens.wall import LiveWall
from tui.view_makers import MAKERS

OWNERS = {
    Scope.EVERYWHERE: WatchdeckApp,
    Scope.DASHBOARD: DashboardView,
    Scope.CAMERAS: CamerasView,
    Scope.RECORDINGS: RecordingsView,
    Scope.EVENTS: EventsView,
    Scope.BAYS: BaysView,
    Scope.ALARMS: AlarmsView,
    Scope.RULES: AlarmRulesView,
    Scope.SCHEDULES: SchedulesView,
    Scope.LOG: LogView,
    Scope.ALARM_TAB: AlarmTabView,
    Scope.WALL: LiveWall,
    Scope.PLAYBACK: PlaybackView,
    Scope.THUMBNAILS: ThumbnailsView,
    Scope.MOTION: MotionView,
    Scope.BOOKMARKS: BookmarksView,
    Scope.EVIDENCE: EvidenceView,
}


def test_ids_and_words_are_unique() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    assert len({command.words for command in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_every_command_has_an_action_where_it_says(command: Command) -> None:
    action = command.action.partition("(")[0]
    assert hasattr(OWNERS[command.scope], f"action_{action}")


@pytest.mark.parametrize("scope", list(MAKERS))
def test_no_key_means_two_things_in_one_view(scope: Scope) -> None:
    keys = [key for each in (scope, Scope.EVERYWHERE) for b in bindings_of(each) for key in b.key.split(",")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_no_key_is_one_that_terminals_and_multiplexers_eat(command: Command) -> None:
    # Others of the manual may stand beside a key that always works.
    is_beside = command.id in ("alarms.mark_all", "wall.undo", "wall.redo", "wall.save_layout", "wall.bare")
    keys = command.keys.split(",")[: 1 if is_beside else None]
    assert not {"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+j", "ctrl+z"} & set(keys)
    assert not any(key.startswith(("alt+", "super+", "meta+")) for key in keys)


@pytest.mark.parametrize(
    ("line", "scope", "id", "argument"),
    [
        ("jump -15m", Scope.RECORDINGS, "recordings.jump", "-15m"),
        ("  lock   broken   window ", Scope.RECORDINGS, "recordings.lock", "broken window"),
        ("camera add", Scope.DASHBOARD, "cameras.add", ""),
        ("camera garage", Scope.CAMERAS, "cameras.details", "garage"),
        ("cam", Scope.CAMERAS, "cameras.details", ""),
        ("q", Scope.DASHBOARD, "app.quit", ""),
        ("SORT name", Scope.CAMERAS, "cameras.sort", "name"),
        ("ex", Scope.EVENTS, "events.export", ""),
        ("ex", Scope.BAYS, "recordings.export", ""),
    ],
)
def test_a_line_means_the_longest_command_and_the_rest_is_its_argument(
    line: str, scope: Scope, id: str, argument: str
) -> None:
    meant = parse(line, scope)
    assert meant is not None
    assert (meant[0].id, meant[1]) == (id, argument)


def test_an_unknown_line_means_nothing() -> None:
    assert parse("format all drives", Scope.CAMERAS) is None


@given(st.text(max_size=30), st.sampled_from(list(Scope)))
def test_no_line_breaks_the_parser(line: str, scope: Scope) -> None:
    parse(line, scope)
    completions(line, scope)


def test_completion_offers_the_commands_of_the_view_in_front_first() -> None:
    assert completions("sna", Scope.RECORDINGS)[0].id == "recordings.snapshot"
    assert completions("sna", Scope.CAMERAS)[0].id == "cameras.snapshot"


@given(st.integers(8, 200), st.integers(0, 12))
def test_the_footer_never_loses_help_and_quit_and_fits(width: int, own: int) -> None:
    pairs = [(str(number), f"Label{number}") for number in range(own)]
    line = fitted_keys(pairs, [("/", "Filter"), ("?", "Help"), ("q", "Quit")], width).plain
    assert line.endswith("? Help  q Quit")
    assert len(line) <= max(width, len(" ? Help  q Quit"))


def test_keys_are_named_as_on_the_keyboard() -> None:
    assert [key_name(key) for key in ("question_mark", "ctrl+p", "shift+left", "left_square_bracket")] == [
        "?",
        "ctrl+p",
        "shift+left",
        "[",
    ]


def test_a_keymap_file_changes_keys_and_wrong_lines_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('[keys]\n"cameras.add" = "insert"\n"cameras.fly" = "f"\n"app.quit" = 3\n[colours]\n')
    keymap = load_keymap(path)
    assert keymap.keys == {"cameras.add": "insert"}
    assert len(keymap.complaints) == 3
    assert any("cameras.fly" in complaint for complaint in keymap.complaints)


def test_no_keymap_file_is_no_complaint_and_a_broken_one_is(tmp_path: Path) -> None:
    assert load_keymap(tmp_path / "absent.toml").complaints == ()
    broken = tmp_path / "keymap.toml"
    broken.write_text("[keys\n")
    assert len(load_keymap(broken).complaints) == 1


def test_a_long_line_of_help_goes_on_below_its_words() -> None:
    line = Content("  space, enter     switch the camera on or off  :toggle")
    rows = [row.plain.rstrip() for row in hanging(line, 40, 19)]
    assert rows == ["  space, enter     switch the camera on", " " * 19 + "or off  :toggle"]
    assert hanging(line, 80, 19) == [line]


DOCUMENTED = [*WALL, *BAYS, *ALARMS, *ALARM_RULES, *ALARM_TAB, *EVENTS, *LOG]
DOCUMENTED = [
    *BAYS,
    *ALARMS,
    *ALARM_RULES,
    *ALARM_TAB,
    *EVENTS,
    *LOG,
    *PLAYBACK,
    *THUMBNAILS,
    *MOTION,
    *BOOKMARKS,
]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "console.md"


@pytest.mark.parametrize("command", DOCUMENTED, ids=lambda command: command.id)
def test_the_manual_names_every_command(command: Command) -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert f"`:{command.words}" in text

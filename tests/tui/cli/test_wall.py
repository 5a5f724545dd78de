"""Layouts, views, tours and start-up on the command line."""

from __future__ import annotations

import pytest

from tests.tui.cli.conftest import Shell


def test_a_layout_is_drawn_with_letters_shown_renamed_and_removed(shell: Shell) -> None:
    saved = shell.json("layout", "save", "gate", "AAB", "AAC", "D.C")
    assert saved["cells"] == [[0, 0, 2, 2], [2, 0, 1, 1], [2, 1, 1, 2], [0, 2, 1, 1]]
    assert shell("layout", "show", "GATE").out.splitlines()[-3:] == ["A A B", "A A C", "D . C"]
    assert "gate  own" in shell("layout", "list").out
    assert shell.json("layout", "save", "gate", "--name", "Yard")["name"] == "Yard"
    assert [each["name"] for each in shell.json("layout", "list")["layouts"]] == ["Yard"]
    assert shell.json("layout", "remove", "yard") == {"removed": "yard"}
    assert shell("layout", "show", "yard").code == 3
    assert "1+12" in shell("layout", "list", "--standard").out


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("AAB", "AA"), "all of one length"),
        (("AB", "BA"), "no rectangle"),
        (("..",), "at least one cell"),
        (("A" * 17,), "1 to 16"),
    ],
)
def test_rows_that_are_no_layout_are_refused(shell: Shell, rows: tuple[str, ...], words: str) -> None:
    result = shell("layout", "save", "x", *rows)
    assert (result.code, words in result.err) == (2, True)
    assert shell.json("layout", "list") == {"layouts": []}


def test_a_view_takes_cameras_cell_by_cell_and_changes_only_what_is_given(shell: Shell) -> None:
    for name in ("door", "yard", "gate"):
        shell("camera", "add", name, "rtsp://192.0.2.1/")
    saved = shell.json("view", "save", "Doors", "door", "-", "YARD", "--overlay", "name,fps")
    assert (saved["layout"]["name"], saved["cameras"]) == ("2x2", ["door", "", "yard", ""])
    saved = shell.json("view", "save", "doors", "--layout", "1+3", "--name", "All doors")
    assert (saved["name"], saved["layout"]["name"]) == ("All doors", "1+3")
    assert (saved["cameras"], saved["overlay"]) == (["door", "", "yard", ""], ["name", "fps"])
    assert shell("view", "show", "all doors").out.splitlines()[-4:] == ["A  door", "B  -", "C  yard", "D  -"]
    assert shell("view", "save", "x", "door", "yard", "--layout", "1x1").code == 2
    assert shell("view", "save", "x", "roof").code == 3
    above = shell.json("view", "save", "All doors", "--overlay-place", "above")
    assert (above["is_overlay_on_top"], above["overlay"]) == (True, ["name", "fps"])
    assert shell.json("view", "save", "All doors", "--overlay", "console")["overlay"] is None


def test_a_tour_and_what_consoles_begin_with(shell: Shell) -> None:
    for name in ("Doors", "Yard"):
        shell("view", "save", name, "--layout", "2x2")
    saved = shell.json("tour", "save", "night", "doors", "Yard=9")
    assert saved["stops"] == [{"view": "Doors", "seconds": 5}, {"view": "Yard", "seconds": 9}]
    assert shell("tour", "show", "night").out.splitlines()[2].split() == ["2", "Yard", "9"]
    again = shell.json("tour", "save", "night", "--seconds", "7", "--name", "Rounds")
    assert [stop["seconds"] for stop in again["stops"]] == [7, 7]
    assert shell("tour", "save", "x", "roof").code == 3
    assert shell("tour", "save", "x", "Yard=soon").code == 2
    assert "begin with tour Rounds" in shell("start-up", "set", "/dev/tty1", "tour", "rounds").out
    shell("start-up", "set", "ssh", "none")
    refused = shell("tour", "remove", "rounds", "--json")
    assert (refused.code, "consoles on tty1" in refused.error["what"]) == (7, True)
    assert shell.json("start-up", "list")["rows"] == [
        {"terminal": "tty1", "shows": "tour Rounds"},
        {"terminal": "ssh", "shows": "none"},
    ]
    assert shell.json("start-up", "remove", "tty1") == {"removed": "tty1"}
    assert shell("start-up", "remove", "tty1").code == 2
    assert shell.json("tour", "remove", "rounds") == {"removed": "rounds"}
    assert "doors" in shell("view", "list").out.casefold()
    assert shell.json("view", "remove", "DOORS") == {"removed": "DOORS"}

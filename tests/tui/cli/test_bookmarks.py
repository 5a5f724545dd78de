"""`watchdeck bookmark`, against the handlers of the engine."""

from __future__ import annotations

import pytest

from tests.storage.catalog.volume_footage import Recording
from tests.tui.cli.conftest import NOW_US, SECOND, Shell
from tui.cli.output import iso_time


def test_one_is_made_shown_changed_and_deleted(footage: Recording, shell: Shell) -> None:
    made = shell.json("bookmark", "add", "gate", "--from", "-10s", "--length", "4s", "--name", "white van")
    assert (made["camera"], made["name"]) == ("gate", "white van")
    assert (made["start"], made["end"]) == (iso_time(NOW_US - 10 * SECOND), iso_time(NOW_US - 6 * SECOND))
    number = str(made["id"])
    assert shell.json("bookmark", "show", number) == made
    assert shell.json("bookmark", "list")["bookmarks"] == [made]

    edited = shell.json("bookmark", "edit", number, "--note", "plate B 1", "--keep-days", "ever")
    assert (edited["name"], edited["note"], edited["expires"]) == ("white van", "plate B 1", None)
    moved = shell.json("bookmark", "edit", number, "--from", "-8s")
    assert (moved["start"], moved["end"]) == (iso_time(NOW_US - 8 * SECOND), iso_time(NOW_US - 4 * SECOND))
    longer = shell.json("bookmark", "edit", number, "--length", "6s")
    assert (longer["start"], longer["end"]) == (iso_time(NOW_US - 8 * SECOND), iso_time(NOW_US - 2 * SECOND))

    text = shell("bookmark", "show", number).out
    assert "plate B 1" in text
    assert "for ever" in text
    assert "white van" in shell("bookmark", "list").out
    assert shell.json("bookmark", "remove", number) == {"removed": [made["id"]]}
    assert shell.json("bookmark", "list") == {"bookmarks": []}
    assert shell("bookmark", "show", number).code == 3


def test_of_several_all_are_deleted_or_none(footage: Recording, shell: Shell) -> None:
    made = shell.json("bookmark", "add", "gate")
    assert shell("bookmark", "remove", str(made["id"]), "999", "--json").error["what"] == "no bookmark 999"
    assert shell.json("bookmark", "list")["bookmarks"] == [made]


def test_without_a_time_the_last_seconds_are_kept(footage: Recording, shell: Shell) -> None:
    made = shell.json("bookmark", "add", "gate")
    assert (made["start"], made["end"]) == (iso_time(NOW_US - 10 * SECOND), iso_time(NOW_US))


def test_the_list_is_narrowed_and_cut(footage: Recording, shell: Shell) -> None:
    first = shell.json("bookmark", "add", "gate", "--from", "-10s", "--length", "2", "--name", "van")
    second = shell.json("bookmark", "add", "gate", "--from", "-6s", "--length", "2", "--name", "fox")

    def found(*options: str) -> list[int]:
        return [each["id"] for each in shell.json("bookmark", "list", *options)["bookmarks"]]

    assert found() == [second["id"], first["id"]]
    assert found("--camera", "ATE") == [second["id"], first["id"]]
    assert found("--camera", "door") == []
    assert found("--text", "fox") == [second["id"]]
    assert found("--to", "-7s") == [first["id"]]
    assert found("--made-from", "+1h") == []
    assert found("--limit", "1") == [second["id"]]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("edit", "1"), 2),
        (("add", "nowhere"), 3),
        (("remove", "99"), 3),
        (("add", "gate", "--length", "0"), 2),
        (("add", "gate", "--keep-days", "0"), 2),
    ],
)
def test_what_cannot_be_is_refused(
    footage: Recording, shell: Shell, arguments: tuple[str, ...], code: int
) -> None:
    assert shell("bookmark", *arguments, "--json").code == code

"""drive, raid and chassis on the command line, on a simulated box behind the real planner, jobs and API."""

from __future__ import annotations

import pytest

from engine.wire_chassis import SelfTestKind, SelfTestState
from tests.fakes.station import FakeStation
from tests.tui.cli.conftest import Shell
from tui.cli.drives import self_tests_shown


@pytest.fixture
def box(station: FakeStation, shell: Shell) -> Shell:
    """Eight unconfigured good drives: what the simulated chassis comes with is deleted."""
    for each in shell.json("raid", "list")["virtual_drives"]:
        name = each["virtual_drive"]["name"]
        taken = shell("raid", "take-down", name, "--confirm", name, "--wait")
        assert taken.code == 0, taken.err
    assert shell("drive", "spare", "7", "--release", "--yes").code == 0
    assert {drive["state"] for drive in bays(shell).values()} == {"unconfigured_good"}
    return shell


def bays(shell: Shell) -> dict[int, dict[str, object]]:
    return {
        each["drive"]["bay"]: each["drive"]
        for each in shell.json("drive", "list")["drives"]
        if each["drive"]["bay"] is not None
    }


def create(shell: Shell, name: str = "A", drives: str = "0-3", *more: str) -> None:
    done = shell("raid", "create", name, "--drives", drives, *more, "--confirm", name, "--json")
    assert done.code == 0, done.err


def test_people_see_bays_serials_and_states_in_columns(box: Shell) -> None:
    head, *rows = box("drive", "list").out.splitlines()
    assert head.split()[:4] == ["BAY", "SERIAL", "MODEL", "SIZE"]
    assert len({row.index("unconfigured good") for row in rows if "unconfigured good" in row}) == 1
    shown = box("chassis", "show").out
    assert shown.index(" 4 ") < shown.index(" 0 "), "the front of the manual: 4 5 6 7 over 0 1 2 3"
    assert "FAN1" in shown


def test_a_plan_shows_what_is_erased_and_changes_nothing(box: Shell) -> None:
    before = bays(box)
    shown = box("raid", "create", "A", "--drives", "0-3", "--dry-run").out
    for bay in range(4):
        assert f"bay {bay}" in shown
        assert str(before[bay]["serial"]) in shown
    assert "Commands:" in shown
    plan = box.json("raid", "plan", "--virtual-drives", "2")
    assert plan["refused"] == ""
    assert plan["fingerprint"]
    assert box.json("raid", "plan")["operation"]["virtual_drives"] == 2, "four drives each"
    assert bays(box) == before
    assert box.json("raid", "list") == {"virtual_drives": []}


def test_what_erases_something_is_not_done_without_the_word(box: Shell) -> None:
    refused = box("raid", "create", "A", "--drives", "0-3", "--json")
    assert refused.code == 2
    assert "confirmation" in refused.error["what"]
    assert "--confirm" in refused.error["remedy"]
    wrong = box("raid", "create", "A", "--drives", "0-3", "--confirm", "yes", "--json")
    assert wrong.code != 0
    assert box.json("raid", "list") == {"virtual_drives": []}


def test_a_virtual_drive_is_created_checked_and_deleted(box: Shell) -> None:
    create(box)
    (listed,) = box.json("raid", "list")["virtual_drives"]
    assert (listed["virtual_drive"]["name"], listed["chain"]["bays"], listed["chain"]["can_lose"]) == (
        "A",
        [0, 1, 2, 3],
        1,
    )
    assert box("raid", "list").out.splitlines()[1].split()[:4] == ["A", "RAID", "5", "online"]
    assert box("raid", "check", "a", "--yes").code == 0
    (task,) = box.json("raid", "tasks")["tasks"]
    assert task["kind"] == "check"
    assert "check" in box("raid", "tasks").out
    assert box("raid", "stop", "A", "--yes").code == 0
    assert box("raid", "delete", "A", "--confirm", "A").code == 0
    assert box.json("raid", "list") == {"virtual_drives": []}


def test_a_missing_member_is_rebuilt_by_hand(box: Shell) -> None:
    create(box)
    assert box("chassis", "upkeep", "--no-auto-rebuild").code == 0
    assert box("chassis", "simulate", "pull", "2").out == "simulated: pull 2\n"
    assert bays(box)[2]["state"] == "missing"
    shown = box("raid", "list").out
    assert "degraded" in shown
    serial = bays(box)[7]["serial"]
    assert box("raid", "rebuild", "A", "7", "--confirm", str(serial)).code == 0
    assert bays(box)[7]["state"] == "rebuild"
    assert "rebuild" in box("raid", "tasks").out


def test_spares_lamps_and_tests_of_a_drive(box: Shell) -> None:
    create(box)
    assert box("drive", "spare", "7", "--yes").code == 0
    assert bays(box)[7]["spare"] == "global"
    assert "global spare" in box("drive", "list").out
    assert box("drive", "spare", "6", "--of", "A", "--yes").code == 0
    assert "spare of A" in box("drive", "show", "6").out
    assert box("drive", "spare", "7", "--release", "--yes").code == 0
    assert bays(box)[7]["state"] == "unconfigured_good"
    located = box.json("drive", "locate", "3", "--for", "90s")
    assert (located["bay"], located["is_on"], located["seconds"]) == (3, True, 90)
    bay = next(each for each in box.json("chassis", "show")["bays"] if each["bay"] == 3)
    assert bay["pattern"] == "locate"
    assert "quiet" in box("drive", "locate", "3", "--off").out
    assert box.json("drive", "test", "3", "--kind", "short")["text"]
    assert "stopped" in box("drive", "test", "3", "--abort").out


def test_the_drive_with_the_system_is_refused_with_the_reason(box: Shell) -> None:
    system = next(
        each["drive"] for each in box.json("drive", "list")["drives"] if each["drive"]["state"] == "protected"
    )
    refused = box("raid", "create", "A", "--drives", f"0,1,{system['serial']}", "--confirm", "A", "--json")
    assert refused.code == 15
    assert refused.error["code"] == "operation_refused"
    assert system["serial"] in refused.error["what"]
    assert box.json("raid", "list") == {"virtual_drives": []}


def test_a_set_up_is_a_job_that_ends_ready_to_record(box: Shell) -> None:
    plan = box.json("raid", "plan", "--virtual-drives", "2", "--drives", "0-7")
    done = box(
        "raid",
        "set-up",
        "--virtual-drives",
        "2",
        "--drives",
        "0-7",
        "--confirm",
        plan["confirmation"],
        "--wait",
    )
    assert done.code == 0, done.err
    assert {each["virtual_drive"]["name"] for each in box.json("raid", "list")["virtual_drives"]} == {
        "A",
        "B",
    }
    job = box.json("chassis", "jobs")["jobs"][0]
    assert job["kind"] == "set_up"
    assert job["state"] == "done"
    assert f"{job['id']}" in box("chassis", "jobs").out
    shown = box("chassis", "job", job["id"]).out
    assert "[x]" in shown
    assert len(box.json("volume", "list")["volumes"]) == 2


def test_a_replacement_is_followed_and_cancelled(box: Shell) -> None:
    create(box)
    plan = box.json("drive", "replace", "1", "--dry-run")
    begun = box("drive", "replace", "1", "--confirm", plan["confirmation"], "--json")
    assert begun.code == 0, begun.err
    id = begun.document["job"]["id"]
    job = box.json("chassis", "job", id)
    assert (job["kind"], job["bay"], job["serial"]) == ("replace", 1, bays(box)[1]["serial"])
    assert box("chassis", "job", id, "--answer", "cancel").code == 0
    assert box.json("chassis", "job", id)["state"] == "cancelled"


def test_the_box_itself(box: Shell) -> None:
    assert box("chassis", "uid", "on").out == "locate lamp (UID) on\n"
    assert box.json("chassis", "show")["uid"] is True
    assert box.json("chassis", "upkeep", "--check-days", "14", "--hour", "3")["check_days"] == 14
    assert "every 14 days" in box("chassis", "upkeep").out
    assert box("raid", "rates", "--rebuild", "60", "--yes").code == 0
    assert "60 %" in box("raid", "rates").out
    assert box("raid", "patrol-read", "--yes").code == 0
    wrong = box("chassis", "simulate", "explode", "--json")
    assert wrong.code == 2
    assert box("chassis", "upkeep", "--hour", "24").code == 2


def test_what_smartctl_finds_is_held_against_what_the_engine_sees(box: Shell) -> None:
    view = box.json("drive", "detect")
    assert view["differences"] == []
    found = {each["serial"] for each in view["detected"]}
    assert {str(drive["serial"]) for drive in bays(box).values()} <= found
    assert "both see the same drives" in box("drive", "detect").out


def test_self_tests_of_a_drive_are_shown_with_their_minutes_where_it_says_them() -> None:
    ata = SelfTestState(
        kinds=(SelfTestKind.SHORT, SelfTestKind.LONG),
        minutes={SelfTestKind.SHORT: 2, SelfTestKind.LONG: 640},
    )
    scsi = SelfTestState(kinds=(SelfTestKind.SHORT, SelfTestKind.LONG))
    assert self_tests_shown(ata) == "short 2 min, long 640 min"
    assert self_tests_shown(scsi) == "short, long"
    assert self_tests_shown(SelfTestState()) == "no self-tests"
    assert self_tests_shown(None) == ""


def test_drive_that_left_is_listed_and_forgotten_but_not_one_that_is_here(box: Shell) -> None:
    serial = str(bays(box)[3]["serial"])
    here = box("drive", "forget", serial, "--json")
    assert here.error["code"] == "conflict"
    assert serial in here.error["what"]
    assert "bay 3" in here.error["what"]
    assert box("chassis", "simulate", "pull", "3").code == 0
    (gone,) = box.json("drive", "list", "--gone")["drives"]
    assert (gone["serial"], gone["bay"]) == (serial, 3)
    assert serial in box("drive", "list", "--gone").out
    assert box("drive", "forget", serial.lower()).out == f"{serial.lower()} is forgotten\n"
    assert box.json("drive", "list", "--gone") == {"drives": []}
    assert box("drive", "forget", serial, "--json").error["code"] == "not_found"

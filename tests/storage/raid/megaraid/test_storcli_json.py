"""Every public capture of storcli and perccli is read, or refused with a reason that is named here."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import CommandFailed
from storage.raid.megaraid.drives import STATES, drives_of
from storage.raid.megaraid.groups import active_operation, level_of, members_of, virtual_drives_of
from storage.raid.megaraid.storcli_json import (
    as_rows,
    parse_answers,
    seconds_left,
    section,
    size_bytes,
    temperature_c,
    text,
    whole,
)
from storage.raid.states import DriveState
from tests.fixtures_path import SHARED_FIXTURES

CAPTURES = SHARED_FIXTURES / "raid" / "storcli"
NO_JSON = {".txt", ".go", ".md", ".py"}
"""Captures of the text output and of test sources: storcli is always asked for JSON."""
NO_ANSWER = ("__device.json", "events.log_J.json")
"""A note about the capture, and an event log that goes to a file."""


def captures() -> list[Path]:
    return sorted(path for path in CAPTURES.rglob("*") if path.is_file()) if CAPTURES.is_dir() else []


@pytest.fixture(autouse=True)
def _needs_captures() -> None:
    if not CAPTURES.is_dir():
        pytest.skip("the shared captures are not here")


@pytest.mark.parametrize("path", captures(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_capture_is_read_or_refused(path: Path) -> None:
    data = path.read_bytes()
    if path.suffix in NO_JSON or path.name.endswith(NO_ANSWER):
        with pytest.raises(CommandFailed, match="storcli64 did not answer"):
            parse_answers(data)
        return
    answers = parse_answers(data)
    assert answers
    for answer in answers:
        assert answer.is_success or answer.description or answer.complaints
        controller = answer.controller or 0
        found = drives_of(controller, answer.fields)
        for slot, drive in found.items():
            assert drive.id
            assert drive.size_bytes > 0
            assert str(slot.slot) in drive.place
            assert drive.state is not DriveState.UNCONFIGURED_BAD or drive.cause
        for volume in virtual_drives_of(controller, answer.fields, {}):
            assert volume.size_bytes > 0
            active_operation(answer.fields, volume, controller)
        for row in as_rows(section(answer.fields, "PD LIST")):
            assert text(row["State"]) in STATES, f"unknown drive state {row['State']!r}"
            assert size_bytes(row["Size"]) > 0
        for member in members_of(controller, section(answer.fields, "TOPOLOGY"), STATES):
            assert member.slot is not None or member.state is DriveState.MISSING


def test_a_capture_with_details_gives_label_sizes_and_temperature() -> None:
    path = CAPTURES / "AlexBomber12_megaraid-dashboard" / "eall_sall_show_all.json"
    (answer,) = parse_answers(path.read_bytes())
    drives = {drive.place: drive for drive in drives_of(0, answer.fields).values()}
    assert len(drives) == 8
    first = drives["c0:e252:s0"]
    assert (first.serial, first.model, first.temperature_c) == ("WD-WM00000001", "WDC WD30EFRX-68EUZN0", 61)
    assert first.size_bytes == 0x15D50A3B0 * 512
    assert first.coerced_bytes == 0x15D400000 * 512
    assert first.id == "wwn-0x5000000000000008"


def test_a_failure_keeps_the_controllers_own_words() -> None:
    path = CAPTURES / "Naudit_pystorcli2" / "namedSet__error_codes_01____c0_e252_s7_set_good_J.json"
    (answer,) = parse_answers(path.read_bytes())
    with pytest.raises(CommandFailed, match=r"/c0/e252/s7: Operation not allowed\. \(255\)"):
        answer.checked()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2.728 TB", int(2.728 * 1024**4)),
        ("256 KB", 262144),
        ("512B", 512),
        ("-", 0),
        (None, 0),
        ("0 KB", 0),
        ("2.7 TB [0x10 Sectors]", 8192),
    ],
)
def test_sizes_are_binary_or_exact(said: object, meant: int) -> None:
    assert size_bytes(said) == meant


def test_numbers_come_in_every_dress() -> None:
    assert [whole(value) for value in (7, "7", " 7 % ", "30 %", "N/A", "-", "Unknown", None, True)] == [
        7,
        7,
        7,
        30,
        None,
        None,
        None,
        None,
        None,
    ]
    assert [temperature_c(value) for value in (" 28C (82.40 F)", "N/A", " 0C (32.00 F)")] == [28, None, None]
    assert [seconds_left(value) for value in ("5 Minutes", "1 Hours 5 Minutes", "-")] == [300, 3900, None]
    assert [level_of(word) for word in ("RAID5", "raid60", "Cac0", "")] == ["5", "60", None, None]

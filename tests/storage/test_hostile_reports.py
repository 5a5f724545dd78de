"""Reports of tools with nonsense in them, as firmware and attackers write it: an error or values that fit, never anything else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.command import Completed
from storage.drives.chassis import Chassis
from storage.drives.identity import read_identity
from storage.drives.smartctl_json import parse_report
from storage.drives.udev_data import parse_udev
from storage.errors import DriveError
from storage.plain_text import LARGEST, LIMIT, plain_number, plain_text
from storage.raid.inventory import Inventory
from storage.raid.md.mdstat import parse_mdstat
from storage.raid.megaraid.backend import MegaraidBackend
from storage.roots import Roots

EVIL = "x\x1b]0;owned\x07\n2026 drive.failed [bay 3]\u202e[red]" + "y" * 1000
NONSENSE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**62, max_value=2**300),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "9" * 5000,
            "-" + "9" * 60,
            "9" * 200 + " TB",
            "9" * 100 + "C",
            EVIL,
            "[0xffffffffffffffffffff Sectors]",
        ]
    ),
    st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
SMART = {
    "smartctl": {"exit_status": 0, "messages": [{"string": "x", "severity": "error"}]},
    "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
    "model_name": "ST8000NM0055",
    "serial_number": "ZA1",
    "smart_status": {"passed": True},
    "temperature": {"current": 30, "drive_trip": 60},
    "power_on_time": {"hours": 5},
    "ata_smart_attributes": {
        "table": [
            {"id": 5, "name": "Reallocated", "value": 1, "worst": 1, "raw": {"value": 1, "string": "1"}}
        ]
    },
    "nvme_smart_health_information_log": {"critical_warning": 0, "temperature": 30, "media_errors": 1},
}
STORCLI = {
    "show": {"Number of Controllers": 1, "System Overview": [{"Ctl": 0, "Model": "SAS3916"}]},
    "/c0 show": {
        "TOPOLOGY": [
            {"DG": 0, "Arr": "-", "Row": "-", "Type": "RAID5", "State": "Optl"},
            {"DG": 0, "Arr": 0, "Row": 0, "EID:Slot": "252:0", "DID": 1, "Type": "DRIVE", "State": "Onln"},
        ]
    },
    "/c0 show all": {
        "Basics": {"Model": "x", "Serial Number": "y"},
        "Policies": {"Policies Table": [{"Policy": "Rebuild Rate", "Current": "30 %"}]},
    },
    "/c0/eall/sall show all": {
        "Drive /c0/e252/s0": [
            {
                "EID:Slt": "252:0",
                "DID": 1,
                "State": "Onln",
                "DG": 0,
                "Size": "2.728 TB",
                "Intf": "SATA",
                "Med": "HDD",
                "Model": "ST3000",
                "Sp": "U",
            }
        ],
        "Drive /c0/e252/s0 - Detailed Information": {
            "Drive /c0/e252/s0 State": {"Drive Temperature": " 28C (82.40 F)", "Media Error Count": 0},
            "Drive /c0/e252/s0 Device attributes": {
                "SN": "Z1",
                "WWN": "5000c500a1b2c3d4",
                "Raw size": "2.728 TB [0x15d50a3b0 Sectors]",
            },
        },
    },
    "/c0/vall show all": {
        "/c0/v0": [{"DG/VD": "0/0", "TYPE": "RAID5", "State": "Optl", "Size": "5.4 TB", "Name": "A"}],
        "VD0 Properties": {"Strip Size": "256 KB", "Active Operations": "Consistency Check (36%)"},
    },
}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, branches too."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield (*path, key)
        yield from leaves(child, (*path, key))


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(whole)
    places = list(leaves(whole))
    for place in draw(st.lists(st.sampled_from(places), max_size=4, unique=True)):
        at: Any = found
        try:
            for key in place[:-1]:
                at = at[key]
            at[place[-1]] = draw(NONSENSE)
        except (KeyError, IndexError, TypeError):
            continue  # what was there is nonsense already
    return found


@settings(max_examples=150, deadline=None)
@given(damaged(SMART))
def test_a_smart_report_with_nonsense_is_an_error_or_fits_the_wire(document: dict[str, Any]) -> None:
    try:
        report = parse_report(json.dumps(document).encode())
    except DriveError:
        return
    msgspec.msgpack.encode(report)
    assert len(report.serial) <= LIMIT
    assert report.serial.isprintable()
    assert report.model.isprintable()


@settings(max_examples=150, deadline=None)
@given(damaged(STORCLI))
def test_a_controller_that_says_nonsense_is_a_problem_or_an_inventory_that_fits(
    document: dict[str, Any],
) -> None:
    inventory = seen_by_storcli(document)
    msgspec.msgpack.encode(inventory)
    for drive in inventory.drives:
        assert (drive.serial + drive.model + drive.id).isprintable()


def seen_by_storcli(document: dict[str, Any]) -> Inventory:
    def run(argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        words = " ".join(argv[1:-1])
        status = {
            "Status": "Success" if words in document else "Failure",
            "Controller": 0,
            "Description": "None",
        }
        answer = {"Controllers": [{"Command Status": status, "Response Data": document.get(words)}]}
        return Completed(argv=tuple(argv), status=0, output=json.dumps(answer).encode(), errors=b"")

    nowhere = Path("/nonexistent")
    roots = Roots(sys=nowhere, proc=nowhere, dev=nowhere, run=nowhere, etc=nowhere)
    backend = MegaraidBackend(roots, run, lambda: Chassis.load("chassis_8"), nowhere / "places.json")
    return backend.inventory()


def test_the_undamaged_documents_mean_something() -> None:
    assert parse_report(json.dumps(SMART).encode()).serial == "ZA1"
    seen = seen_by_storcli(STORCLI)
    assert [drive.serial for drive in seen.drives] == ["Z1"]
    assert [vd.name for vd in seen.virtual_drives] == ["A"]


@pytest.mark.parametrize("parse", [parse_report])
def test_depth_without_end_is_an_error(parse: Any) -> None:
    with pytest.raises(DriveError):
        parse(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)


@given(st.text(max_size=400) | st.sampled_from([EVIL]))
def test_names_from_outside_are_one_line_of_bounded_length(said: str) -> None:
    found = plain_text(said)
    assert found.isprintable()
    assert len(found) <= LIMIT
    assert plain_text(found) == found
    assert not said.isprintable() or said[:LIMIT] == found


@given(st.integers() | st.integers(min_value=2**60, max_value=2**900))
def test_numbers_from_outside_fit_or_are_none(number: int) -> None:
    assert plain_number(str(number)) == (number if abs(number) <= LARGEST else None)


def test_what_a_drive_calls_itself_cannot_forge_a_line_or_a_screen(tmp_path: Path) -> None:
    udev = parse_udev(
        "E:ID_MODEL_ENC=DISK\\x1b[31m\\x0aFAILED\nE:ID_SCSI_SERIAL=AB\x1b]0;x\x07\u202eC" + "9" * 900 + "\n"
    )
    identity = read_identity("sda", tmp_path, udev)
    assert (identity.model + identity.serial).isprintable()
    assert len(identity.serial) <= LIMIT


@given(st.text(alphabet="md0127 :activeraid5[]sdb(F)_U/%=\n.", max_size=300))
def test_whatever_mdstat_says_is_read(text: str) -> None:
    parse_mdstat(text)

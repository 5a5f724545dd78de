from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.drives.smartctl_json import parse_report, parse_scan
from storage.errors import DriveError
from tests.storage.drives.captures import NEED_PUBLIC, OWN, PUBLIC, all_captures, capture, is_scan

NO_REPORT = {"webapp__backend__pkg__models__testdata__smart-fail"}
"""Captures of smartctl failing to open the drive."""
NO_MODEL = {
    "webapp__backend__pkg__models__testdata__smart-pass",
    "webapp__backend__pkg__models__testdata__smart-sat",
}
"""Captures made with -H or -A only."""


def document(**changes: object) -> bytes:
    values: dict[str, object] = {
        "smartctl": {"exit_status": 0},
        "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
        "model_name": "ST8000NM0055",
        "serial_number": "ZA1",
        "smart_status": {"passed": True},
    }
    return json.dumps({**values, **changes}).encode()


def ata_attribute(id: int, name: str, value: int, string: str, **more: object) -> dict[str, object]:
    return {"id": id, "name": name, "raw": {"value": value, "string": string}, **more}


def table(*rows: dict[str, object]) -> dict[str, object]:
    return {"table": list(rows)}


@pytest.mark.parametrize("path", all_captures(), ids=lambda path: path.stem)
def test_every_capture_is_a_report_a_scan_or_an_error_that_says_why(path: Path) -> None:
    data = path.read_bytes()
    if is_scan(path):
        assert all(found.device.startswith("/dev/") for found in parse_scan(data))
        return
    if path.stem in NO_REPORT:
        with pytest.raises(DriveError, match="Open failed"):
            parse_report(data)
        return
    report = parse_report(data)
    assert report.protocol in ("ata", "nvme", "scsi")
    assert report.model or path.stem in NO_MODEL
    assert report.temperature_c is None or 5 < report.temperature_c < 70
    assert report.hours is None or 0 <= report.hours < 200_000
    assert report.wear_percent is None or 0 <= report.wear_percent <= 100


@NEED_PUBLIC
def test_all_the_captures_of_the_index_are_looked_at() -> None:
    index = (PUBLIC.parent / "INDEX.tsv").read_text().splitlines()
    listed = {line.split("\t")[0].split("/")[-1] for line in index if line.startswith("smartctl-json/")}
    assert listed <= {path.name for path in all_captures()}
    assert len(list(OWN.glob("*.json"))) == 10


def test_raw_string_is_believed_and_raw_value_is_not() -> None:
    report = parse_report(
        document(
            ata_smart_attributes=table(
                ata_attribute(5, "Reallocated_Sector_Ct", 10, "0"),
                ata_attribute(194, "Temperature_Celsius", 163210330154, "32 (Min/Max 24/38)"),
                ata_attribute(199, "UDMA_CRC_Error_Count", 7, ""),
            )
        )
    )
    assert (report.reallocated, report.temperature_c, report.interface_errors) == (0, 32, 7)


@pytest.mark.parametrize(
    ("value", "string", "timeouts"),
    [(17180131332, "17180131332", 4), (0x0002_0002_0002, "2 2 2", 2), (73, "73", 73), (0, "0", 0)],
)
def test_three_counters_in_one_attribute_are_unpacked(value: int, string: str, timeouts: int) -> None:
    report = parse_report(
        document(ata_smart_attributes=table(ata_attribute(188, "Command_Timeout", value, string)))
    )
    assert report.command_timeouts == timeouts


def test_an_attribute_is_believed_by_number_and_name() -> None:
    report = parse_report(
        document(
            ata_smart_attributes=table(
                ata_attribute(5, "Unknown_SSD_Attribute", 5, "5"),
                ata_attribute(187, "Unknown_Attribute", 9, "9"),
                ata_attribute(218, "CRC_Error_Count", 3, "3"),
            )
        )
    )
    assert (report.reallocated, report.uncorrectable, report.interface_errors) == (None, None, 3)


def test_standard_statistics_stand_in_for_vendor_attributes() -> None:
    statistics = {
        "pages": [
            {
                "table": [
                    {"name": "Number of Reallocated Logical Sectors", "value": 24, "flags": {"valid": True}},
                    {"name": "Percentage Used Endurance Indicator", "value": 7, "flags": {"valid": True}},
                    {"name": "Number of Interface CRC Errors", "value": 5, "flags": {"valid": False}},
                ]
            }
        ]
    }
    report = parse_report(document(ata_device_statistics=statistics, ata_pending_defects_log={"count": 2}))
    assert (report.reallocated, report.pending, report.wear_percent) == (24, 2, 7)
    assert report.interface_errors is None


def test_a_drive_that_sleeps_is_left_asleep_and_that_is_all_it_says() -> None:
    asleep = {"smartctl": {"exit_status": 3}, "device": {"name": "/dev/sda", "protocol": "ATA"}}
    report = parse_report(json.dumps(asleep).encode(), drive="wwn-1", time_us=7)
    assert (report.is_asleep, report.passed, report.drive, report.time_us) == (True, None, "wwn-1", 7)
    asleep["smartctl"]["exit_status"] = 2
    assert parse_report(json.dumps(asleep).encode()).is_asleep


def test_a_drive_that_cannot_be_opened_is_no_sleeping_one() -> None:
    failed = document(
        smartctl={
            "exit_status": 2,
            "messages": [{"string": "Read Device Identity failed", "severity": "error"}],
        },
        smart_status=None,
    )
    with pytest.raises(DriveError, match="/dev/sda: Read Device Identity failed"):
        parse_report(failed)


def test_bits_of_the_exit_status_do_not_spoil_a_report() -> None:
    report = parse_report(document(smartctl={"exit_status": 4 | 64 | 128}))
    assert (report.passed, report.is_asleep) == (True, False)
    assert parse_report(document(smartctl={"exit_status": 8}, smart_status=None)).passed is False
    assert parse_report(document(smartctl={"exit_status": 4}, smart_status=None)).passed is None


@pytest.mark.parametrize(
    ("status", "passed"),
    [
        ({"value": 0, "passed": True}, True),
        ({"value": 0x19}, None),
        ({"value": 0x29}, None),
        ({"value": 0x39}, False),
        ({"value": 0x79, "passed": False}, False),
        ({"value": 0xF9, "passed": True}, None),
    ],
)
def test_an_ata_self_test_is_passed_failed_or_neither(status: dict[str, object], passed: bool | None) -> None:
    row = {"type": {"value": 2, "string": "Extended offline"}, "status": status, "lifetime_hours": 9}
    report = parse_report(document(ata_smart_self_test_log={"extended": {"table": [row]}}))
    assert [(test.kind, test.passed, test.at_hours) for test in report.self_tests] == [("long", passed, 9)]


def test_a_running_self_test_says_how_far_it_is() -> None:
    running = {"self_test": {"status": {"value": 0xF3, "remaining_percent": 30}}}
    assert parse_report(document(ata_smart_data=running)).self_test_progress == pytest.approx(0.7)
    nvme = {"current_self_test_operation": {"value": 2}, "current_self_test_completion_percent": 41}
    device = {"name": "/dev/nvme0", "protocol": "NVMe"}
    report = parse_report(document(device=device, nvme_self_test_log=nvme))
    assert report.self_test_progress == pytest.approx(0.41)
    scsi = {"in_progress": True, "completion_percent": 5}
    report = parse_report(document(device={"protocol": "SCSI"}, scsi_self_test_status=scsi))
    assert report.self_test_progress == pytest.approx(0.05)


@NEED_PUBLIC
def test_hours_of_the_self_test_log_go_on_after_65535() -> None:
    report = parse_report(capture("smart-fail2"))
    assert report.hours == 65592
    assert [test.at_hours for test in report.self_tests[:4]] == [65578, 65554, 65540, 65530]
    failed = [test for test in report.self_tests if test.passed is False]
    assert [test.first_bad_lba for test in failed] == [104870168, 104874784, 104874792]


def test_holes_in_the_nvme_self_test_table_are_left_out() -> None:
    rows = [
        None,
        {"self_test_code": {"value": 1}, "self_test_result": {"value": 7}, "power_on_hours": 5, "lba": 99},
        None,
        {"self_test_code": {"value": 2}, "self_test_result": {"value": 1}, "power_on_hours": 4},
        {"self_test_code": {"value": 2}, "self_test_result": {"value": 0}, "power_on_hours": 3},
    ]
    report = parse_report(document(device={"protocol": "NVMe"}, nvme_self_test_log={"table": rows}))
    assert [(test.kind, test.passed, test.first_bad_lba) for test in report.self_tests] == [
        ("short", False, 99),
        ("long", None, None),
        ("long", True, None),
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nvme-critical-warning-1", ["spare blocks below the threshold"]),
        ("nvme-critical-warning-2", ["temperature above or below its threshold"]),
        ("nvme-critical-warning-6", ["temperature above or below", "reliability degraded"]),
        ("nvme-critical-warning-8", ["media is read-only"]),
        ("MZWLL3T2HAJQ-00005-nvme0", ["backup of the volatile memory failed"]),
    ],
)
def test_critical_bits_of_nvme_become_words(name: str, words: list[str]) -> None:
    report = parse_report(capture(name))
    assert len(report.critical_warnings) == len(words)
    assert all(word in said for word, said in zip(words, report.critical_warnings, strict=True))


@pytest.mark.parametrize(
    "limits",
    [
        {"nvme_composite_temperature_threshold": {"warning": 82, "critical": 85}},
        {"temperature": {"current": 40, "op_limit_max": 82, "critical_limit_max": 85}},
    ],
)
def test_the_limits_of_nvme_are_read_from_either_version(limits: dict[str, object]) -> None:
    report = parse_report(document(device={"protocol": "NVMe"}, **limits))
    assert (report.temperature_warning_c, report.temperature_critical_c) == (82, 85)


def test_what_a_scsi_drive_trips_on_is_kept_with_its_code() -> None:
    report = parse_report(capture("scsi_debug-failure-prediction"))
    assert report.passed is False
    assert report.scsi_trip.startswith("5D/FF FAILURE PREDICTION THRESHOLD EXCEEDED")
    assert (report.temperature_c, report.wwn) == (40, "0x3333333000000fa0")


@NEED_PUBLIC
def test_scsi_counts_are_added_up_over_reads_writes_and_verifies() -> None:
    report = parse_report(capture("SEAGATE_ST373453LC_26"))
    assert (report.reallocated, report.uncorrectable, report.hours) == (260, 536, 102_880)
    assert report.temperature_critical_c == 68


@NEED_PUBLIC
def test_a_volume_behind_a_controller_without_smart_is_said_to_have_none() -> None:
    report = parse_report(capture("smart-raid"))
    assert (report.is_capable, report.passed, report.temperature_c) == (False, None, None)


def test_smart_support_may_be_a_flag_or_an_object() -> None:
    assert not parse_report(document(smart_support=False)).is_capable
    assert not parse_report(document(smart_support={"available": False})).is_capable
    assert parse_report(document(smart_support={"available": True})).is_capable


def test_the_scan_says_how_each_drive_behind_a_controller_is_asked() -> None:
    found = parse_scan(capture("scan__megaraid__response"))
    assert [(each.device, each.type) for each in found if "megaraid" in each.type][0] == (
        "/dev/bus/6",
        "megaraid,8",
    )
    assert len({(each.device, each.type) for each in found}) == 10


def test_a_scan_says_which_drive_could_not_be_opened() -> None:
    data = {
        "smartctl": {"exit_status": 0},
        "devices": [
            {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
            {"name": "/dev/sdb", "type": "scsi", "protocol": "SCSI", "open_error": "No such device"},
        ],
    }
    found = parse_scan(json.dumps(data).encode())
    assert [each.problem for each in found] == ["", "No such device"]
    assert parse_scan(b'{"smartctl": {"exit_status": 0}}') == ()
    with pytest.raises(DriveError):
        parse_scan(b"{}")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b"smartctl 5.4 [i686]", "it begins with 'smartctl 5.4"),
        (b'{"device": {"name": "/dev/sda"', "begins with"),
        (b"[1, 2]", "not an object"),
        (b'{"smartctl": {"exit_status": 0}}', "names no drive"),
        (b"\xff\xfe{}", "cannot be read"),
    ],
)
def test_what_is_no_report_is_an_error_that_says_what_it_is(data: bytes, words: str) -> None:
    with pytest.raises(DriveError, match=words):
        parse_report(data)


@pytest.mark.parametrize("cut", range(1, 100, 7))
def test_a_report_cut_short_is_an_error(cut: int) -> None:
    data = capture("qemu-ahci-sata")
    with pytest.raises(DriveError):
        parse_report(data[: len(data.rstrip()) * cut // 100])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = [
    "smartctl",
    "ata_smart_attributes",
    "ata_smart_data",
    "ata_smart_self_test_log",
    "ata_device_statistics",
    "temperature",
    "power_on_time",
    "user_capacity",
    "wwn",
    "smart_status",
    "smart_support",
    "rotation_rate",
    "nvme_smart_health_information_log",
    "nvme_self_test_log",
    "scsi_error_counter_log",
    "scsi_self_test_0",
]


@given(
    st.sampled_from(["ATA", "NVMe", "SCSI"]),
    st.dictionaries(
        st.sampled_from(FIELDS),
        json_values | st.dictionaries(st.sampled_from(["table", "value"]), json_values),
    ),
)
def test_fields_of_any_other_type_never_break_the_rest(protocol: str, fields: dict[str, object]) -> None:
    try:
        report = parse_report(document(device={"name": "/dev/sda", "protocol": protocol}, **fields))
    except DriveError:
        return
    assert report.serial == "ZA1"

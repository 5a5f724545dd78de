"""What the Bays screen and the dashboard say of a box: every size, every glyph set, worst first, bay and serial named."""

from __future__ import annotations

from datetime import UTC

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.content import Content

from engine.wire_chassis import (
    ChassisView,
    DriveDetail,
    DriveState,
    InformationPattern,
    JobView,
    OperationPlan,
    SensorState,
    VirtualDriveState,
)
from tests.fakes import chassis_views as views
from tui.bay_wording import (
    DRIVE_STATES,
    INFORMATION,
    VERDICTS,
    VIRTUAL_DRIVE_STATES,
    bay_numbers,
    drive_label,
    group_letters,
)
from tui.box_troubles import troubles
from tui.screens.bay_faces import bay_faces
from tui.screens.bays_text import bay_lines, page_lines, task_lines, thinned, title_line
from tui.screens.bays_tree import Node, node_lines, tree_rows
from tui.screens.dashboard_box import bay_strip, box_lines
from tui.screens.job_text import job_lines
from tui.screens.paper import Paper
from tui.screens.plan_text import command_lines, plan_lines
from widgets.glyphs import ASCII, CP437, UNICODE, Glyphs
from widgets.line_source import cell_text

NOW_US = views.NOW_US
BOXES = {
    "healthy": views.healthy_eight(),
    "degraded": views.degraded_eight(),
    "sixteen": views.sixteen(),
    "empty": views.empty_box(),
}
GLYPHS = st.sampled_from([UNICODE, CP437, ASCII])


def paper(columns: int = 35, rows: int = 21, glyphs: Glyphs = UNICODE) -> Paper:
    return Paper(columns, rows, glyphs, UTC)


def text_of(lines: list[Content]) -> str:
    return "\n".join(line.plain for line in lines)


def side(box: ChassisView, bay: int, detail: DriveDetail | None = None) -> str:
    """As running words: where a line breaks is not the point."""
    return " ".join(text_of(bay_lines(box, bay, detail, paper(), NOW_US)).split())


# -- faces -----------------------------------------------------------------------------------------------


def test_every_bay_of_the_front_has_a_face() -> None:
    for box in BOXES.values():
        faces = bay_faces(box, "full", NOW_US)
        assert sorted(faces) == list(box.layout.bays)


def test_the_lamps_are_those_the_engine_drives() -> None:
    box = BOXES["degraded"]
    faces = bay_faces(box, "full", NOW_US)
    for bay in box.bays:
        assert (faces[bay.bay].green, faces[bay.bay].amber) == (str(bay.led.green), str(bay.led.amber))


def test_calm_keeps_what_a_person_looks_for_blinking_and_tells_activity_by_its_word() -> None:
    faces = bay_faces(BOXES["degraded"], "calm", NOW_US)
    assert (faces[0].green, faces[0].note) == ("steady", "active")
    assert faces[5].amber == "4hz"
    assert faces[7].amber == "1hz"


def test_without_blinking_words_still_tell_all_states_apart() -> None:
    faces = bay_faces(BOXES["degraded"], "off", NOW_US)
    assert not {rate for face in faces.values() for rate in face.rates} - {"off", "steady"}
    assert [faces[bay].word for bay in (0, 1, 3, 5, 7)] == ["online", "FAILED", "empty", "locate", "rebuild"]


def test_a_face_has_group_size_temperature_progress_and_warning() -> None:
    faces = bay_faces(BOXES["degraded"], "full", NOW_US)
    assert (faces[7].group, faces[7].size, faces[7].temperature, faces[7].progress) == (
        "A",
        "12 TB",
        "36 C",
        0.37,
    )
    assert faces[5].note == "! SMART"
    assert faces[0].group_style == faces[2].group_style != faces[4].group_style


def test_a_member_at_work_is_online_and_what_it_does_stands_below() -> None:
    box = BOXES["healthy"]
    working = msgspec.structs.replace(box.bays[0], word="active")
    face = bay_faces(msgspec.structs.replace(box, bays=(working, *box.bays[1:])), "full", NOW_US)[0]
    assert (face.word, face.note) == ("online", "active")


def test_a_drive_that_settles_says_for_how_long() -> None:
    box = BOXES["healthy"]
    settling = msgspec.structs.replace(box.bays[7], settles_at_us=NOW_US + 6_500_000)
    box = msgspec.structs.replace(box, bays=(*box.bays[:7], settling))
    assert bay_faces(box, "full", NOW_US)[7].note == "settles 7 s"


def test_a_hot_drive_is_marked_by_signs() -> None:
    box = BOXES["healthy"]
    hot = views.drive(0, temperature_c=56)
    hotter = views.drive(1, temperature_c=61)
    inventory = msgspec.structs.replace(box.inventory, drives=(hot, hotter, *box.inventory.drives[2:]))
    faces = bay_faces(msgspec.structs.replace(box, inventory=inventory), "full", NOW_US)
    assert (faces[0].temperature, faces[1].temperature) == ("56 C!", "61 C!!")


def test_groups_of_the_same_first_letter_get_letters_of_their_own() -> None:
    box = BOXES["healthy"]
    groups = tuple(
        msgspec.structs.replace(group, name=f"volume {number}")
        for number, group in enumerate(box.inventory.groups)
    )
    inventory = msgspec.structs.replace(box.inventory, groups=groups)
    assert list(group_letters(msgspec.structs.replace(box, inventory=inventory)).values()) == ["A", "B"]


# -- words beside the map --------------------------------------------------------------------------------


def test_the_drive_in_hand_is_named_as_on_its_label() -> None:
    words = side(BOXES["degraded"], 1)
    assert words.startswith("Bay 1 failed serial ZL2A01BC model ST12000NM001G-2MV103")
    assert "why write error on sector 20174312" in words
    assert "FAILING" in words


def test_the_chain_goes_from_the_bay_to_the_cameras() -> None:
    words = side(BOXES["degraded"], 0)
    assert "virtual A: RAID 5 of bays 0 2 7, degraded" in words
    assert "volume A /srv/watchdeck/A" in words
    assert "records group main: driveway, front-door, garage" in words
    assert "risk one more failure in bays 0, 2, 7 loses volume A" in words


def test_a_rebuild_shows_percent_rate_and_time_left() -> None:
    words = side(BOXES["degraded"], 7)
    assert "37 %" in words
    assert "182 MB/s, 11 h 32 min left" in words


def test_smart_says_its_reasons_and_its_history() -> None:
    box = BOXES["degraded"]
    drive = box.inventory.drive_in(5)
    assert drive is not None
    words = side(box, 5, DriveDetail(drive=drive, history=views.history()))
    assert "! warning, 10 min ago 24 sectors wait to be reallocated (was 8 yesterday)" in words
    assert "█ 24" in words
    assert "warns at 55" in words


def test_an_empty_bay_explains_the_lamps() -> None:
    words = side(BOXES["healthy"], 3)
    for word in ("idle", "active", "locate", "FAIL", "rebuild", "4 Hz", "1 Hz"):
        assert word in words


def test_an_unmapped_box_says_how_to_learn_its_bays() -> None:
    assert ":learn" in side(BOXES["empty"], 0)


def test_a_spare_says_whom_it_serves() -> None:
    assert "spare for every virtual drive" in side(BOXES["healthy"], 7)


def test_operations_show_number_drive_rate_and_time_left() -> None:
    words = text_of(task_lines(BOXES["degraded"], paper(60, 20)))
    assert "1 rebuild A, bay 7 (ZL2A07BC)" in words
    assert "37 % 182 MB/s, 11 h 32 min left" in words
    assert "2 consistency check B" in words
    assert "waits for the rebuild" in words


def test_where_room_is_short_neither_troubles_nor_operations_push_the_other_out() -> None:
    words = text_of(task_lines(BOXES["degraded"], paper(44, 8)))
    assert "loses" in words
    assert "1 rebuild A" in words


def test_a_job_that_waits_for_a_person_comes_first() -> None:
    box = msgspec.structs.replace(BOXES["degraded"], jobs=(views.replace_job(),))
    assert text_of(task_lines(box, paper(60, 9))).startswith("o Replace the drive in bay 1: waits for you")


def test_the_title_says_the_lamp_of_the_box_in_words() -> None:
    for pattern, wording in INFORMATION.items():
        box = msgspec.structs.replace(BOXES["healthy"], information=pattern)
        line = title_line(box, is_live=True, is_lamp_lit=True, glyphs=CP437)
        assert wording.word in line.plain
        assert ("■" in line.plain) is (pattern is not InformationPattern.OFF)


def test_no_peak_of_a_history_is_lost_by_thinning() -> None:
    values = [1.0] * 200
    values[77] = 9.0
    assert max(thinned(values, 16)) == 9.0
    assert len(thinned(values, 16)) == 16


def test_the_page_of_a_drive_holds_what_its_panel_holds() -> None:
    box = BOXES["degraded"]
    drive = box.inventory.drives[0]
    assert "serial" in text_of(page_lines(box, drive, None, paper(90, 1000), NOW_US))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(BOXES)), st.integers(0, 15), st.integers(20, 120), st.integers(1, 40), GLYPHS)
def test_no_line_is_wider_than_its_pane(name: str, bay: int, columns: int, rows: int, glyphs: Glyphs) -> None:
    box, room = BOXES[name], paper(columns, rows, glyphs)
    drive = box.inventory.drive_in(bay)
    detail = DriveDetail(drive=drive, history=views.history()) if drive is not None else None
    if drive is not None:
        lines = bay_lines(box, bay, detail, room, NOW_US)
        assert not [line.plain for line in lines[1:] if line.cell_length > max(columns, 28)]
    below = task_lines(box, room)
    assert len(below) <= max(rows, 1)
    if glyphs is not UNICODE:
        text_of(below).encode("cp437" if glyphs is CP437 else "ascii")


# -- the tree --------------------------------------------------------------------------------------------


def tree_text(box: ChassisView) -> list[str]:
    return ["  ".join(cell_text(cell) for cell in row.cells).rstrip() for row in tree_rows(box)]


def test_the_tree_goes_from_virtual_drives_to_cameras_and_leaves_no_drive_out() -> None:
    rows = tree_text(BOXES["degraded"])
    text = "\n".join(rows)
    assert (
        text.index("A  RAID 5")
        < text.index("bay 0  ZL2A00BC")
        < text.index("volume A")
        < text.index("driveway")
    )
    for box in BOXES.values():
        shown = {
            row.key.id for row in tree_rows(box) if isinstance(row.key, Node) and row.key.kind == "drive"
        }
        assert shown == {drive.id for drive in box.inventory.drives}


def test_the_keys_of_the_tree_are_unique() -> None:
    for box in BOXES.values():
        keys = [row.key for row in tree_rows(box)]
        assert len(keys) == len(set(keys))


def test_a_camera_says_in_which_bays_it_is_recorded() -> None:
    words = text_of(node_lines(BOXES["degraded"], Node("camera", "garage", "v-A"), paper(60), NOW_US))
    assert "group   main" in words
    for serial in ("ZL2A00BC", "ZL2A02BC", "ZL2A07BC"):
        assert serial in words
    assert "ZL2A04BC" not in words


def test_a_virtual_drive_says_when_it_was_checked() -> None:
    words = text_of(node_lines(BOXES["healthy"], Node("virtual", "v-A", "v-A"), paper(60), NOW_US))
    assert "checked 9 d ago, 0 sectors did not match" in words


# -- troubles and the dashboard --------------------------------------------------------------------------


def test_the_worst_trouble_comes_first() -> None:
    found = troubles(BOXES["degraded"])
    assert "loses volume A" in found[0].text
    words = [trouble.text for trouble in found]
    assert any(text.startswith("bay 1 (ZL2A01BC) failed") for text in words)
    assert any(text.startswith("FAN2") for text in words)
    assert any("bay 5 (ZL2A05BC) SMART warning" in text for text in words)
    assert [trouble.is_bad for trouble in found] == sorted((t.is_bad for t in found), reverse=True)


def test_a_failed_virtual_drive_is_worse_than_everything_but_an_alarm() -> None:
    box = BOXES["degraded"]
    failed = views.virtual_drive("B", 3, state=VirtualDriveState.FAILED, cause="bays 4 and 5 failed")
    inventory = msgspec.structs.replace(
        box.inventory, virtual_drives=(box.inventory.virtual_drives[0], failed)
    )
    box = msgspec.structs.replace(box, inventory=inventory)
    assert troubles(box)[0].text == "virtual drive B FAILED: bays 4 and 5 failed"
    box = msgspec.structs.replace(box, jobs=(views.wrong_drive_job(),))
    assert troubles(box)[0].text.startswith("WRONG DRIVE PULLED")


def test_a_healthy_box_has_no_trouble() -> None:
    assert troubles(BOXES["healthy"]) == []
    assert text_of(task_lines(BOXES["healthy"], paper())) == "no trouble, nothing under way"


def test_the_strip_names_every_bay_once_with_letters_for_what_is_wrong() -> None:
    assert bay_strip(BOXES["healthy"]).plain == "A[012] B[456] spare 7 empty 3"
    assert bay_strip(BOXES["degraded"]).plain == "A[0 1F 2 7R] B[4 5! 6] empty 3"
    assert bay_strip(BOXES["sixteen"]).plain.rstrip() == "A[0123456] B[8 9 10 11 12 13 14] spare 7 15"


def test_the_dashboard_names_lamp_fans_supplies_and_the_worst() -> None:
    words = text_of(box_lines(BOXES["degraded"], paper(120)))
    assert "FAN FAIL" in words
    assert "1 of 2 fans bad: FAN2" in words
    assert "2 PSUs ok" in words
    assert "drives up to 38 C (bay 4)" in words
    assert "One more failure in bays 0, 2, 7 loses volume A" in words


def test_an_absent_supply_is_not_a_failed_one() -> None:
    box = BOXES["healthy"]
    sensors = tuple(
        msgspec.structs.replace(sensor, state=SensorState.ABSENT) if sensor.name.startswith("PS2") else sensor
        for sensor in box.sensors
    )
    assert "1 PSU ok" in text_of(box_lines(msgspec.structs.replace(box, sensors=sensors), paper(120)))


def test_a_station_without_drives_has_no_such_lines() -> None:
    assert box_lines(None, paper()) == []


@given(st.sampled_from(sorted(BOXES)), st.integers(30, 200), GLYPHS)
def test_the_box_takes_at_most_three_lines_of_the_dashboard(name: str, columns: int, glyphs: Glyphs) -> None:
    lines = box_lines(BOXES[name], paper(columns, 24, glyphs))
    assert len(lines) <= 3
    assert all(line.cell_length <= columns for line in lines)


# -- plans and jobs --------------------------------------------------------------------------------------

PLAN = views.erasing_plan()


def test_a_plan_says_what_is_lost_for_whom_and_that_evidence_is_among_it() -> None:
    words = text_of(plan_lines(PLAN, UTC))
    assert (
        words.index("ERASES")
        < words.index("Recordings erased")
        < words.index("AT RISK")
        < words.index("Mind")
    )
    assert "ZL2A00BC" in words
    assert "410 GB of 1 camera, 2.00 GB of it locked evidence" in words
    assert "driveway  12.0 d (2026-02-20 to 2026-03-04)" in words
    assert "RECORDS NOWHERE THEN" in words
    assert "mdadm" not in words
    assert "mdadm --stop /dev/md127" in text_of(command_lines(PLAN))


def test_a_refusal_says_why_and_what_to_do() -> None:
    plan = msgspec.structs.replace(PLAN, refused="volume A is recording", refused_remedy="take it down first")
    words = text_of(plan_lines(plan, UTC))
    assert words.startswith("Refused: volume A is recording\ntake it down first")


def test_what_is_only_at_risk_is_not_called_erased() -> None:
    radius = msgspec.structs.replace(PLAN.radius, erases=())
    words = text_of(plan_lines(msgspec.structs.replace(PLAN, radius=radius), UTC))
    assert "Recordings at risk meanwhile: 410 GB" in words
    assert "erased" not in words.casefold()


def test_a_harmless_plan_says_that_it_is() -> None:
    plan = OperationPlan(operation=PLAN.operation, title="x")
    assert "Nothing is erased" in text_of(plan_lines(plan, UTC))


@pytest.mark.parametrize("glyphs", [UNICODE, CP437, ASCII], ids=lambda glyphs: glyphs.name)
@pytest.mark.parametrize("job", [views.replace_job(), views.wrong_drive_job()], ids=["waits", "alarm"])
def test_a_job_says_bay_serial_steps_and_what_to_do_now(job: JobView, glyphs: Glyphs) -> None:
    words = text_of(job_lines(job, paper(78, 22, glyphs)))
    assert "serial ZL2A01BC" in words
    assert job.needs[:40] in words
    assert "[x] Check that it may be pulled" in words
    assert "[>] Pull the drive" in words
    if job.alarm:
        assert words.index("WRONG DRIVE PULLED") < words.index("serial")


# -- tables ----------------------------------------------------------------------------------------------


def test_states_that_need_someone_have_a_sign_of_their_own() -> None:
    for table in (DRIVE_STATES, VIRTUAL_DRIVE_STATES, VERDICTS):
        signs = [wording.sign for wording in table.values() if wording.sign]
        assert len(signs) == len(set(signs))
    assert {state for state, wording in DRIVE_STATES.items() if not wording.sign} == {
        DriveState.ONLINE,
        DriveState.UNCONFIGURED_GOOD,
        DriveState.HOT_SPARE,
    }


@pytest.mark.parametrize(
    ("bays", "words"), [((), ""), ((3,), "3"), ((1, 0), "0 1"), ((3, 2, 1, 0), "0-3"), ((0, 2, 7), "0 2 7")]
)
def test_bays_are_written_as_a_person_would(bays: tuple[int, ...], words: str) -> None:
    assert bay_numbers(bays) == words


def test_a_drive_is_named_by_bay_and_serial() -> None:
    assert drive_label(views.drive(4)) == "bay 4 (ZL2A04BC)"
    assert drive_label(msgspec.structs.replace(views.drive(4), bay=None)) == "not in a bay (ZL2A04BC)"

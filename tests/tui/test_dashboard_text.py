"""The dashboard's lines at every size: nothing too wide or too long, what matters first, thresholds strict."""

from __future__ import annotations

from datetime import UTC

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import wire
from tests.fakes.scripted_station import scripted_snapshot
from tui.mirror import Mirror
from tui.screens.dashboard_text import dashboard_lines
from tui.screens.paper import Paper
from widgets.glyphs import ASCII, CP437, UNICODE, Glyphs

NOW_US = 1_772_633_000_000_000


def mirror_of(cameras: int = 8, **station: object) -> Mirror:
    mirror = Mirror(lambda: 1.0)
    snapshot = scripted_snapshot(cameras, NOW_US)
    changed = msgspec.structs.replace(snapshot.station, **station)
    mirror.apply(wire.SnapshotMessage(snapshot=msgspec.structs.replace(snapshot, station=changed)))
    return mirror


def text_of(mirror: Mirror, columns: int = 80, rows: int = 22, glyphs: Glyphs = UNICODE) -> str:
    return "\n".join(line.plain for line in dashboard_lines(mirror, Paper(columns, rows, glyphs, UTC)))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([0, 1, 8, 40, 128]),
    st.integers(30, 220),
    st.integers(5, 70),
    st.sampled_from([UNICODE, CP437, ASCII]),
)
def test_no_size_overflows(cameras: int, columns: int, rows: int, glyphs: Glyphs) -> None:
    lines = dashboard_lines(mirror_of(cameras), Paper(columns, rows, glyphs, UTC))
    assert len(lines) <= rows
    assert not any("\n" in line.plain for line in lines)


def test_it_says_how_many_record_and_which_do_not_and_why() -> None:
    text = text_of(mirror_of())
    assert "5 of 8" in text
    assert "3 are not" in text
    assert "garage" in text
    assert "no route to host" in text
    assert "wrong user or password (401)" in text
    assert "not on disk parking-north" in text


def test_what_needs_a_person_comes_first() -> None:
    text = text_of(mirror_of())
    assert text.index("refused") < text.index("lost") < text.index("not on disk")


@pytest.mark.parametrize(("cpu", "is_high"), [(89.9, False), (90.0, False), (90.1, True)])
def test_over_90_percent_is_strictly_over(cpu: float, is_high: bool) -> None:
    assert ("over 90 %" in text_of(mirror_of(cpu_percent=cpu))) is is_high


def test_a_busy_link_is_measured_against_its_speed() -> None:
    link = wire.LinkView(name="eth0", is_up=True, receive_bps=901_000_000, speed_bps=1_000_000_000)
    assert "over 90 %" in text_of(mirror_of(links=(link,)))
    link = wire.LinkView(name="eth0", is_up=True, receive_bps=900_000_000, speed_bps=1_000_000_000)
    assert "over 90 %" not in text_of(mirror_of(links=(link,)))


def test_a_group_below_its_retention_is_marked_with_words() -> None:
    text = text_of(mirror_of())
    assert "12.4 d recorded, room for 7.8 d, keep 30 d  ! below retention" in text


def test_a_full_group_says_that_it_goes_on_recording() -> None:
    snapshot = scripted_snapshot(8, NOW_US)
    groups = tuple(msgspec.structs.replace(group, remaining_days=0.01) for group in snapshot.groups)
    mirror = Mirror(lambda: 1.0)
    mirror.apply(wire.SnapshotMessage(snapshot=msgspec.structs.replace(snapshot, groups=groups)))
    assert "12.4 d recorded, full: the oldest is overwritten, keep 30 d" in text_of(mirror)


def test_no_volume_says_what_to_do() -> None:
    assert "watchdeck volume add" in text_of(mirror_of(0))


def test_no_camera_says_what_to_press() -> None:
    assert "press 2, then a" in text_of(mirror_of(0))


def test_128_lost_cameras_at_80x24_still_leave_room_for_storage_and_events() -> None:
    mirror = mirror_of(128)
    for sequence, camera in enumerate(mirror.cameras, 101):
        lost = msgspec.structs.replace(camera, state=wire.CameraState.LOST)
        mirror.apply(wire.CameraMessage(sequence=sequence, camera=lost))
    text = text_of(mirror)
    assert "Storage" in text
    assert "Newest events" in text
    assert "more" in text


def test_all_recording_leaves_no_list_of_troubles() -> None:
    assert "Not recording" not in text_of(mirror_of(3))


@pytest.mark.parametrize("glyphs", [CP437, ASCII])
def test_the_plain_sets_use_only_characters_their_font_has(glyphs: Glyphs) -> None:
    text = text_of(mirror_of(128), glyphs=glyphs)
    encoding = "cp437" if glyphs is CP437 else "ascii"
    text.encode(encoding)


def test_a_stale_dashboard_has_no_colour_of_the_present() -> None:
    mirror = mirror_of()
    mirror.lose("gone")
    lines = dashboard_lines(mirror, Paper(80, 22, UNICODE, UTC))
    assert {str(span.style) for line in lines for span in line.spans} <= {"dim"}

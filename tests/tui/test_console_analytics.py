"""A camera's analytics by Pilot: the same rules as `camera analytics set`, areas drawn on the picture, what is refused and by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from engine.wire_sources import AnalyticsView, CameraAnalytics
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.analytics_form import ALL, ALL_BUT, ALONE, mask_complaint, state_words
from tui.app import WatchdeckApp
from tui.motion_cells import CELLS_MAX, COLUMNS, ROWS, left_out_areas, looked_at, mask_of
from tui.screens.areas_dialog import AreasDialog
from widgets.areas import rectangle_of
from widgets.polygon_area import SHARE

SIZE = (80, 24)
LOWER_HALF = tuple("x" * COLUMNS if row < ROWS // 2 else "." * COLUMNS for row in range(ROWS))


async def open_form(pilot: Pilot[Any]) -> None:
    await shows(pilot, "5 of 8")
    await pilot.press("2", "A")
    await shows(pilot, "Analytics of driveway", "ONVIF events", "For searches", "Looked at")


def fill(app: WatchdeckApp, **values: str) -> None:
    for key, value in values.items():
        app.screen.query_one(f"#field-{key}").value = value  # type: ignore[attr-defined]


def saved(engine: FakeEngine) -> list[tuple[str, CameraAnalytics]]:
    return [argument for name, argument in engine.calls if name == "edit_analytics"]


async def test_everything_is_set_in_one_form(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await shows(pilot, "Now: ONVIF off, motion off, for searches off.")
        url = "http://192.0.2.11/onvif/device_service"
        fill(
            app, onvif="yes", onvif_url=url, motion="yes", motion_index="no", sensitivity="70", min_cells="2"
        )
        await pilot.press("f10")
        await shows(pilot, "saved: analytics of driveway")
        await pilot.press("A")
        await shows(pilot, "Now: ONVIF listening, motion watching")
    ((camera, kept),) = saved(engine)
    assert camera == "driveway"
    assert kept == CameraAnalytics(
        onvif=True, onvif_url=url, motion=True, motion_index=False, sensitivity=70, min_cells=2
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sensitivity": "101"}, "a number from 1 to 100"),
        ({"min_cells": "577"}, "a number from 1 to 576"),
        ({"part": ALL_BUT}, "no area is drawn: f4 draws them"),
        ({"onvif_url": "rtsp://192.0.2.11/x"}, "not an http:// or https:// address"),
        ({"onvif_url": "http://me:secret@192.0.2.11/x"}, "user in it"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_saved(
    tmp_path: Path, values: dict[str, str], said: str
) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        fill(app, **values)
        await pilot.press("f10")
        await shows(pilot, said, "Looked at")
    assert "driveway" not in engine.alarm_state.analytics


async def test_areas_are_drawn_on_the_picture_and_come_back_as_they_were(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.alarm_state.analytics["driveway"] = CameraAnalytics(motion=True, mask=LOWER_HALF)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await shows(pilot, f"< {ALL_BUT} >")
        await pilot.press("f4")
        await shows(pilot, "Areas of driveway", "1 area", "f10 done")
        screen = app.screen
        assert isinstance(screen, AreasDialog)
        await until(pilot, lambda: screen.cell._backdrop is not None)
        await pilot.press("j", "x")
        await shows(pilot, "no area yet")
        await pilot.press("enter", "L", "L", "enter", "J", "J", "J", "enter", "c")
        await shows(pilot, "1 area")
        await pilot.press("tab", *"HHHHKKKKK", "enter", *"LL", "J", "enter")
        await shows(pilot, "2 areas")
        await pilot.press("d")
        await shows(pilot, "2 areas, ", "of 576 cells looked at")
        fill(app, part=ALONE)
        await pilot.press("f10")
        await shows(pilot, "saved: analytics of driveway")
    ((_, kept),) = saved(engine)
    assert kept.motion
    assert 0 < looked_at(kept.mask) < CELLS_MAX // 2
    assert mask_of(left_out_areas(kept.mask), is_left_out=True) == kept.mask


async def test_without_areas_all_is_looked_at_again(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.alarm_state.analytics["driveway"] = CameraAnalytics(mask=LOWER_HALF)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await pilot.press("f4")
        await shows(pilot, "1 area")
        await pilot.press("j", "x", "f10")
        await shows(pilot, f"< {ALL} >", "0 areas, 576 of 576")
        await pilot.press("f10")
        await shows(pilot, "saved: analytics")
    assert saved(engine)[0][1].mask == ()


async def test_a_camera_by_name_and_none_in_read_only_mode(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"camera analytics nowhere", "enter")
        await shows(pilot, "no camera is called 'nowhere'")
        await pilot.press("colon", *"camera analytics garden", "enter")
        await shows(pilot, "Analytics of garden")
        await pilot.press("escape")
        await until(pilot, lambda: "Analytics of garden" not in screen_text(app))
        app.desk.is_read_only = True
        await pilot.press("A")
        await shows(pilot, "read-only mode")
    assert not saved(engine)


# -- areas and masks -------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.lists(st.text("x.", min_size=COLUMNS, max_size=COLUMNS), min_size=ROWS, max_size=ROWS))
def test_any_mask_comes_back_from_its_areas(rows: list[str]) -> None:
    assert mask_of(left_out_areas(rows), is_left_out=True) == tuple(rows)


def test_masks_that_make_no_sense_are_refused() -> None:
    whole, speck = rectangle_of((0, 0, SHARE, SHARE)), rectangle_of((1, 1, 10, 10))
    assert mask_complaint(ALL, ()) == ""
    assert "nothing of the picture" in mask_complaint(ALL_BUT, [whole])
    assert mask_complaint(ALONE, [whole]) == ""
    assert "smaller than one of the 576 cells" in mask_complaint(ALL_BUT, [speck])
    assert "nothing of the picture" in mask_complaint(ALONE, [speck])


def test_the_mask_fits_the_engine() -> None:
    mask = mask_of([rectangle_of((0, 0, 5000, SHARE))], is_left_out=True)
    assert mask == ("." * 16 + "x" * 16,) * 18
    body = msgspec.json.encode(CameraAnalytics(mask=mask))
    assert msgspec.json.decode(body, type=CameraAnalytics).mask == mask


def test_how_it_goes_in_words() -> None:
    view = AnalyticsView(
        camera="gate",
        settings=CameraAnalytics(),
        onvif_state="lost",
        onvif_trouble="no answer",
        motion_state="watching",
        last_motion_us=1_000_000,
        index_state="keeping",
        look_every_s=2.5,
    )
    words = "Now: ONVIF lost (no answer), motion watching (last 1 min ago), for searches keeping, a look every 2.5 s."
    assert state_words(view, 61_000_000) == words


async def test_on_the_smallest_terminal_the_keys_to_draw_with_are_whole(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("2")
        await shows(pilot, "driveway")
        await pilot.press("A")
        await shows(pilot, "Analytics of driveway")
        await pilot.press("f4")
        await shows(pilot, "enter corner of a polygon", "f10 done  esc cancel")
        await pilot.press("enter", "L", "enter")
        await shows(pilot, "enter corner  c close", "f10 done  esc cancel")
        assert "…" not in "".join(screen_text(app).splitlines()[-2:])
        await pilot.press("f10")
        await shows(pilot, "not closed yet: c closes, esc drops it")

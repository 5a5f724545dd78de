"""The dialogs for exports by the engine and for cases, from Recordings: what is filled in, checked, asked for and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from engine import wire
from engine.wire_evidence import (
    CaseAdd,
    CaseItemAdd,
    CaseView,
    ExportAsk,
    ExportPlanView,
    MaskStyle,
    PrivacyMask,
    RangePlan,
)
from storage.errors import NotFound
from storage.units import US_PER_HOUR, US_PER_SECOND
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tests.tui.test_console_recordings import HOUR_US, called, mark_a_range
from tui.app import WatchdeckApp
from tui.clip import Clip
from tui.mask_words import NoMask, drawn, parse_mask, parse_masks, redrawn
from tui.screens.areas_dialog import AreasDialog
from tui.screens.case_dialog import add_to_case
from tui.screens.export_dialog import ask_export
from tui.work import start
from widgets.areas import bounds
from widgets.format import local_time
from widgets.polygon_area import SHARE

SIZE = (80, 24)


async def open_dialog(pilot: Pilot[Any], app: WatchdeckApp, key: str = "x") -> None:
    await shows(pilot, "5 of 8")
    await pilot.press("3")
    await mark_a_range(pilot, app)
    await pilot.press(key)


async def fill(pilot: Pilot[Any], app: WatchdeckApp, **values: str) -> None:
    for key, value in values.items():
        app.screen.query_one(f"#field-{key}").value = value  # type: ignore[attr-defined]
    await pilot.pause()


async def test_the_engine_makes_it_with_all_that_was_asked_for(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app)
        await shows(pilot, "Export driveway", "From", "To", "Made by", "Password again", "Masks", "Report")
        await fill(
            pilot,
            app,
            name="night",
            comment="theft",
            password="correct horse",
            again="correct horse",
            masks="10,20,30,40; 0,0,5,5:pixelate@13:00..13:05",
        )
        await pilot.press("f10")
        await shows(pilot, "Export this?", "about 1.00 MB", "80.0 GB", "encoded anew", "ZIP with a password")
        assert "correct" not in screen_text(app)
        await pilot.press("y")
        await shows(pilot, "export night begun")
    (ask,) = called(engine, "start_export_job")
    assert isinstance(ask, ExportAsk)
    assert (ask.name, ask.comment, ask.password) == ("night", "theft", "correct horse")
    (wanted,) = ask.ranges
    assert wanted.camera == "driveway"
    hour = HOUR_US - US_PER_HOUR
    assert wanted.masks == (
        PrivacyMask(left=1000, top=2000, width=3000, height=4000),
        PrivacyMask(
            left=0,
            top=0,
            width=500,
            height=500,
            style=MaskStyle.PIXELATE,
            start_us=hour,
            end_us=hour + 300 * US_PER_SECOND,
        ),
    )
    assert ask.with_audio
    assert ask.with_report


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"password": "short", "again": "short"}, "at least 8 characters"),
        ({"password": "correct horse", "again": "correct house"}, "the two passwords differ"),
        ({"masks": "10,20,30"}, "four numbers, not 3"),
        ({"masks": "60,0,50,10"}, "reaches beyond the picture"),
        ({"masks": "1,1,1,1", "where": "this console"}, "only an export made by the engine"),
        ({"from": "sometime"}, "a time like"),
        ({"to": "2026-03-01"}, "the end lies before the beginning"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_asked(
    tmp_path: Path, values: dict[str, str], said: str
) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app)
        await shows(pilot, "Made by")
        await fill(pilot, app, **values)
        await pilot.press("f10")
        await shows(pilot, said)
    assert called(engine, "plan_export_job") == []
    assert called(engine, "plan_export") == []


async def test_the_form_comes_back_as_it_was_when_the_plan_is_not_wanted(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app)
        await shows(pilot, "Made by")
        await fill(pilot, app, name="night")
        await pilot.press("f10")
        await shows(pilot, "Export this?")
        await pilot.press("escape")
        await shows(pilot, "Made by", "night")
        await pilot.press("escape")
        await until(pilot, lambda: "Made by" not in screen_text(app))
    assert called(engine, "start_export_job") == []


async def test_gaps_and_a_full_disk_stand_in_the_plan(tmp_path: Path) -> None:
    engine = FakeEngine()
    s = US_PER_SECOND
    parts = tuple((HOUR_US + n * 60 * s, HOUR_US + (n * 60 + 50) * s) for n in range(6))
    engine.evidence.plan = ExportPlanView(
        ranges=(
            RangePlan(camera="driveway", start_us=HOUR_US, end_us=HOUR_US + 350 * s, bytes=5, parts=parts),
        ),
        bytes=5_000_000_000,
        free_bytes=1_000_000,
        folder="/exports",
        is_possible=False,
        trouble="exports in /exports: 4768 MiB are needed, 0 MiB may be used",
    )
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app)
        await shows(pilot, "Made by")
        await pilot.press("f10")
        await shows(pilot, "This cannot be exported", "gap: driveway", "10 s", "and 2 more gaps", "4768 MiB")
        await pilot.press("escape")
        await shows(pilot, "Made by")
    assert called(engine, "start_export_job") == []


async def test_a_clip_that_is_refused_keeps_no_other_out_of_the_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        view = app.view
        assert view is not None
        client = app.desk.client
        add = client.add_case_item

        async def picky(ref: str, item: CaseItemAdd) -> CaseView:
            if item.camera == "garage":
                raise NotFound("nothing is recorded of garage")
            return await add(ref, item)

        monkeypatch.setattr(client, "add_case_item", picky)
        clips = [
            Clip(camera, HOUR_US, HOUR_US + US_PER_SECOND) for camera in ("garden", "garage", "driveway")
        ]
        start(view, lambda: add_to_case(view, clips), "dialog")
        await shows(pilot, "New case", "3 clips")
        await pilot.press(*"yard", "f10")
        await shows(pilot, "added to case yard: 2 clips")
        assert "1 not, the last: garage: nothing is recorded" in app.desk.log[-1].text
        assert [item.camera for item in engine.footage.cases[0].items] == ["garden", "driveway"]
        await pilot.press("z")
        await until(pilot, lambda: not engine.footage.cases[0].items)


async def test_a_range_goes_into_a_new_case_and_into_one_that_is_there(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app, "C")
        await shows(pilot, "New case", "kept from recycling", "driveway")
        await fill(pilot, app, name="theft", about="the bicycle", comment="he comes")
        await pilot.press("f10")
        await shows(pilot, "added to case theft")
        await pilot.press("C")
        await shows(pilot, "Add to which case?", "theft", "1 clip", "a new case")
        await pilot.press("enter")
        await shows(pilot, "Add to case theft")
        await fill(pilot, app, comment="he goes")
        await pilot.press("f10")
        await until(pilot, lambda: len(engine.footage.cases[0].items) == 2)
        await pilot.press("z")
        await until(pilot, lambda: len(engine.footage.cases[0].items) == 1)
    assert called(engine, "add_case") == [CaseAdd(name="theft", comment="the bicycle")]
    first, second = (item for _, item in called(engine, "add_case_item"))  # type: ignore[misc]
    assert isinstance(first, CaseItemAdd)
    assert (first.comment, second.comment) == ("he comes", "he goes")
    assert first.end_us > first.start_us


async def test_read_only_nothing_goes_into_a_case(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path, is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app, "C")
        await shows(pilot, "read-only")
    assert called(engine, "add_case") == []


# -- masks drawn on the picture --------------------------------------------------------------------------


def drawing(app: WatchdeckApp) -> AreasDialog:
    assert isinstance(app.screen, AreasDialog)
    return app.screen


async def on_the_picture(pilot: Pilot[Any], app: WatchdeckApp) -> AreasDialog:
    await pilot.press("f4")
    await shows(pilot, "Masks of driveway", "f10 done")
    screen = drawing(app)
    await until(pilot, lambda: screen.cell._backdrop is not None)
    return screen


async def test_masks_are_drawn_on_the_picture_and_stand_in_the_form_as_if_typed(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app)
        await shows(pilot, "Made by", "f4 draws")
        await fill(pilot, app, masks="0,0,5,5:pixelate@13:00..13:05")
        screen = await on_the_picture(pilot, app)
        asked = [each for each in called(engine, "picture") if isinstance(each, wire.PictureRequest)]
        await shows(pilot, "1 area")
        await pilot.press("enter", "L", "J", "J")
        await shows(pilot, "1 corner of a rectangle")
        # Two cells of the small one, which is one row high; of the other three corners, the cursor stands on the fourth.
        await until(pilot, lambda: screen_text(app).count("■") == 2 + 3)
        await pilot.press("f10")
        await shows(pilot, "not closed yet: c closes, esc drops it")
        await pilot.press("enter")
        await shows(pilot, "2 areas")
        (left, top, width, height) = bounds(screen.cell.areas[1])
        columns, rows = screen.cell.grid
        assert abs(left - (columns // 2) * SHARE // columns) <= SHARE // columns
        assert (width * columns + SHARE // 2) // SHARE == 6
        assert (height * rows + SHARE // 2) // SHARE == 5
        await pilot.press("tab")
        await shows(pilot, "these are rectangles")
        await pilot.press("f10")
        await shows(pilot, "Made by")
        typed = app.screen.query_one("#field-masks").value  # type: ignore[attr-defined]
        assert typed.startswith("0,0,5,5:pixelate@13:00..13:05; ")
        await pilot.press("f10")
        await shows(pilot, "Export this?", "encoded anew")
        await pilot.press("y")
        await shows(pilot, "begun")
    (ask,) = called(engine, "start_export_job")
    assert isinstance(ask, ExportAsk)
    assert asked[-1].at_us == ask.ranges[0].start_us
    first, second = ask.ranges[0].masks
    assert first.style is MaskStyle.PIXELATE
    assert first.end_us is not None
    assert second == PrivacyMask(left=left, top=top, width=width, height=height)


async def test_a_mask_is_pixelated_by_a_key(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app)
        await shows(pilot, "Made by")
        await fill(pilot, app, masks="40,40,20,20@13:00..")
        screen = await on_the_picture(pilot, app)
        await pilot.press("h")
        await shows(pilot, "1 area, this one black", "s black/pixelate")
        await pilot.press("s")
        await shows(pilot, "1 area, this one pixelated")
        await pilot.press("escape")
        await shows(pilot, "Drop what was drawn?")
        await pilot.press("escape", *["L"] * 6, "s")
        await shows(pilot, "no area is under the cursor")
        await pilot.press("enter", "enter", "s")
        await until(pilot, lambda: len(screen.cell.areas) == 2)
        await pilot.press("f10")
        await shows(pilot, "Made by")
        typed = app.screen.query_one("#field-masks").value  # type: ignore[attr-defined]
        assert typed.startswith("40,40,20,20:pixelate@13:00..; ")
        assert typed.endswith(":pixelate")


async def test_drawing_is_taken_back_step_by_step_and_left_without_a_change(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app)
        await shows(pilot, "Made by")
        await fill(pilot, app, masks="40,40,20,20")
        screen = await on_the_picture(pilot, app)
        await pilot.press("c")
        await shows(pilot, "a rectangle needs two corners")
        await pilot.press("x")
        await shows(pilot, "no area yet")
        await pilot.press("x")
        await shows(pilot, "no area is under the cursor")
        await pilot.press("enter", "j", "c")
        await shows(pilot, "1 area")
        await pilot.press("u")
        await shows(pilot, "1 corner of a rectangle")
        await pilot.press("escape")
        await until(pilot, lambda: not screen.cell.points)
        await pilot.press("u", "u", "u")
        await shows(pilot, "1 area")
        assert bounds(screen.cell.areas[0]) == (4000, 4000, 2000, 2000)
        await pilot.press("u")
        await shows(pilot, "nothing to take back")
        await pilot.press("x", "escape")
        await shows(pilot, "Drop what was drawn?")
        await pilot.press("escape")
        await shows(pilot, "no area yet")
        await pilot.press("escape")
        await shows(pilot, "Drop what was drawn?")
        await pilot.press("y")
        await shows(pilot, "Made by", "40,40,20,20")


async def test_a_mask_typed_wrong_is_named_before_anything_is_drawn(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot, app)
        await shows(pilot, "Made by")
        await fill(pilot, app, masks="1,2,3")
        await pilot.press("f4")
        await shows(pilot, "four numbers, not 3")
        assert not isinstance(app.screen, AreasDialog)


async def test_each_camera_of_an_export_has_its_own_masks(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        view = app.view
        assert view is not None
        second = US_PER_SECOND
        clips = [
            Clip("driveway", HOUR_US + 9 * second, HOUR_US + 10 * second),
            Clip("garden", HOUR_US, HOUR_US + second),
            Clip("driveway", HOUR_US, HOUR_US + second),
        ]
        start(view, lambda: ask_export(view, clips), "dialog")
        await shows(pilot, "Export 3 ranges", "Masks driveway", "Masks garden")
        await pilot.press("f4")
        await shows(pilot, "Masks of which camera?")
        await pilot.press("down", "enter")
        await shows(pilot, "Masks of garden", "no area yet")
        await pilot.press("enter", "enter", "d")
        await shows(pilot, "Export 3 ranges")
        garden = app.screen.query_one("#field-masks-1").value  # type: ignore[attr-defined]
        assert garden
        await fill(pilot, app, **{"masks-0": "1,1,1,x"})
        await pilot.press("f10")
        await shows(pilot, "no mask: '1,1,1,x'")
        await fill(pilot, app, **{"masks-0": "1,1,1,1"})
        await pilot.press("f10")
        await shows(pilot, "Export this?")
        await pilot.press("y")
        await until(pilot, lambda: bool(called(engine, "start_export_job")))
    (ask,) = called(engine, "start_export_job")
    assert isinstance(ask, ExportAsk)
    driveway = (PrivacyMask(left=100, top=100, width=100, height=100),)
    assert [each.masks == driveway for each in ask.ranges] == [True, False, True]
    assert ask.ranges[1].masks == parse_masks(garden, lambda text: None)


async def test_masks_are_drawn_on_the_first_picture_of_the_times_typed(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    gap_start_us, gap_end_us = await a_gap(engine)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        view = app.view
        assert view is not None
        # It begins where nothing is recorded, as the pre-event of an alarm may.
        clip = Clip("driveway", gap_end_us - 60 * US_PER_SECOND, gap_end_us + 60 * US_PER_SECOND)
        assert gap_start_us < clip.start_us
        start(view, lambda: ask_export(view, [clip]), "dialog")
        await shows(pilot, "Export driveway")
        await on_the_picture(pilot, app)
        assert drawn_at(engine)[-1] == gap_end_us
        await pilot.press("escape")
        await shows(pilot, "Export driveway")
        typed_us = gap_end_us + 30 * US_PER_SECOND
        await fill(pilot, app, **{"from": local_time(typed_us, view.desk.zone)})
        await on_the_picture(pilot, app)
    assert drawn_at(engine)[-1] == typed_us


async def a_gap(engine: FakeEngine) -> tuple[int, int]:
    """The last one of the driveway before the hour that ranges are marked in."""
    timeline = await engine.client().timeline(["driveway"], HOUR_US - 24 * US_PER_HOUR, HOUR_US)
    start_us, end_us, _ = timeline.rows[0].gaps[-1]
    return start_us, end_us


def drawn_at(engine: FakeEngine) -> list[int | None]:
    return [each.at_us for each in called(engine, "picture") if isinstance(each, wire.PictureRequest)]


async def test_masks_of_cameras_with_long_names_are_told_apart(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        view = app.view
        assert view is not None
        names = ("warehouse north entrance 1", "warehouse north entrance 2", "倉庫の北側の入り口のカメラ")
        clips = [Clip(name, HOUR_US, HOUR_US + US_PER_SECOND) for name in names]
        start(view, lambda: ask_export(view, clips), "dialog")
        await shows(pilot, "Export 3 ranges")
        rows = [line for line in screen_text(app).splitlines() if "Masks" in line]
        assert [any(sign in line for line in rows) for sign in ("ce 1", "ce 2", "倉庫")] == [True] * 3


# -- masks in words --------------------------------------------------------------------------------------


def clock(text: str) -> int | None:
    return {"14:30": 30, "14:35": 35, "-15m": 15, "2026-03-01 14:30": 1}.get(text)


def test_masks_are_typed_in_percent() -> None:
    assert parse_mask("10,20.5,30,40", clock) == PrivacyMask(left=1000, top=2050, width=3000, height=4000)
    mask = parse_mask(" 0,0,100,100 : pixelate @14:30-14:35", clock)
    assert (mask.style, mask.start_us, mask.end_us) == (MaskStyle.PIXELATE, 30, 35)
    assert parse_mask("1,1,1,1@-15m..14:30", clock).start_us == 15
    assert parse_mask("1,1,1,1@..14:35", clock).start_us is None
    assert parse_mask("1,1,1,1@2026-03-01 14:30..", clock).end_us is None
    assert parse_masks("", clock) == ()


def test_masks_that_stay_where_they_are_keep_style_and_times_when_others_are_drawn() -> None:
    typed = "1,1,1,1@14:30..;2,2,2,2:pixelate@14:30..14:35; 1,1,1,1:pixelate"
    one, two = (100, 100, 100, 100), (200, 200, 200, 200)
    black, pixelate = MaskStyle.BLACK, MaskStyle.PIXELATE
    assert drawn(typed, clock) == ((one, black), (two, pixelate), (one, pixelate))
    assert redrawn(typed, clock, [one, two, one], {}) == (
        "1,1,1,1@14:30..; 2,2,2,2:pixelate@14:30..14:35; 1,1,1,1:pixelate"
    )
    assert redrawn(typed, clock, [two, (5, 1250, 10_000 - 5, 3)], {}) == (
        "2,2,2,2:pixelate@14:30..14:35; 0.05,12.5,99.95,0.03"
    )
    assert redrawn(typed, clock, [], {}) == ""
    assert redrawn(typed, clock, [two, one], {two: black, one: pixelate}) == (
        "2,2,2,2@14:30..14:35; 1,1,1,1:pixelate@14:30.."
    )
    text = redrawn("", clock, [(1234, 56, 789, 9000)], {})
    assert parse_masks(text, clock) == (PrivacyMask(left=1234, top=56, width=789, height=9000),)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1,2,3",
        "1,2,3,4,5",
        "-1,0,5,5",
        "0,0,0,5",
        "nan,0,5,5",
        "inf,0,5,5",
        "90,0,11,5",
        "1,1,1,1:red",
        "1,1,1,1@14:35..14:30",
        "1,1,1,1@whenever..",
        "1,1,1,1@-15m-14:30",
    ],
)
def test_what_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(NoMask):
        parse_mask(text, clock)

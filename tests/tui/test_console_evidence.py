"""The evidence screen: exports with their progress, fetched, cancelled, removed; cases and what is in them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from engine.wire_evidence import (
    CaseEdit,
    CaseItemEdit,
    CaseItemView,
    CaseView,
    ExportAsk,
    ExportedFile,
    ExportJobView,
    ExportRange,
    ExportState,
)
from storage.units import US_PER_DAY, US_PER_SECOND
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine, FakeEngineClient
from tests.fakes.evidence_calls import file_of_zeros
from tests.tui.desk_for import app_for, screen_text, shows, until
from tests.tui.test_console_recordings import called
from tui.commands import Scope
from tui.screens.evidence import EvidenceView

SIZE = (80, 24)
MINUTE = 60 * US_PER_SECOND
FOLDER = "/var/lib/watchdeck/exports/"


def job(number: int, state: ExportState, **more: Any) -> ExportJobView:
    start_us = SCRIPT_NOW_US - number * 3_600 * US_PER_SECOND
    return ExportJobView(
        **{
            "id": f"{number:08x}-0000-4000-8000-000000000000",
            "name": f"night {number}",
            "state": state,
            "total_bytes": 400_000_000,
            "ranges": (ExportRange(camera="driveway", start_us=start_us, end_us=start_us + MINUTE),),
            "created_us": start_us,
            "created_by": "operator",
            **more,
        }
    )


def evidence() -> FakeEngine:
    engine = FakeEngine()
    engine.evidence.jobs = [
        job(1, ExportState.RUNNING, progress=0.42, bytes=168_000_000, doing="driveway, 25 of 60 s"),
        job(2, ExportState.WAITING, case="theft"),
        job(
            3,
            ExportState.DONE,
            progress=1.0,
            bytes=1_020_000,
            folder=f"{FOLDER}night_3-20260304-110320-0003",
            expires_us=SCRIPT_NOW_US + 7 * US_PER_DAY,
            files=(file_of_zeros("driveway.mp4", 1_000_000), file_of_zeros("index.html", 20_000)),
            is_encrypted=True,
            notes=("driveway: nothing is recorded from 11:03:30 to 11:03:40", "b", "c"),
            comment="for the police",
        ),
        job(4, ExportState.FAILED, trouble="the engine stopped", remedy="export again"),
        job(5, ExportState.DONE, is_expired=True, progress=1.0),
    ]
    engine.footage.cases = [
        CaseView(
            id=1,
            name="theft",
            comment="of the bicycle",
            created_us=SCRIPT_NOW_US - US_PER_DAY,
            created_by="ann",
            items=tuple(
                CaseItemView(
                    id=number,
                    camera=camera,
                    start_us=SCRIPT_NOW_US - number * 600 * US_PER_SECOND,
                    end_us=SCRIPT_NOW_US - number * 600 * US_PER_SECOND + MINUTE,
                    comment=comment,
                    is_valid=number != 3,
                )
                for number, camera, comment in (
                    (1, "driveway", "he comes"),
                    (2, "garden", "he looks around"),
                    (3, "garage", ""),
                )
            ),
        ),
        CaseView(id=2, name="empty", created_us=SCRIPT_NOW_US - 2 * US_PER_DAY),
    ]
    return engine


async def opened(pilot: Pilot[Any]) -> None:
    await shows(pilot, "5 of 8")
    await pilot.press("9")
    await shows(pilot, "Exports 5 (2 to do)", "Cases 2", "night 3")


async def test_exports_say_how_far_they_are_and_where_they_lie(tmp_path: Path) -> None:
    engine = evidence()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await shows(pilot, "> 42 %", ". waiting", "+ done", "x failed", "- expired", "2026-03-11")
        await shows(pilot, "driveway, 25 of 60 s", "168 MB of 400 MB")
        await pilot.press("j")
        await shows(pilot, "case theft")
        await pilot.press("j")
        await shows(pilot, FOLDER, "2 files", "with a password", "for the police", "2 more notes")
        await pilot.press("enter")
        await shows(pilot, "driveway.mp4", "index.html", "nothing is recorded", "note: c")
        await pilot.press("escape", "j")
        await shows(pilot, "the engine stopped", "export again")
        engine.evidence.jobs[0] = msgspec.structs.replace(engine.evidence.jobs[0], progress=0.8)
        await shows(pilot, "> 80 %")


async def test_an_export_is_cancelled_after_a_question(tmp_path: Path) -> None:
    engine = evidence()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("c")
        await shows(pilot, "Cancel export night 1?")
        await pilot.press("escape", "c")
        await shows(pilot, "Cancel export night 1?")
        await pilot.press("y")
        await shows(pilot, "- cancelled", "nothing of it is left")
        assert len(called(engine, "cancel_export_job")) == 1
        await pilot.press("c")
        await shows(pilot, "is cancelled already")
        await pilot.press("d")
        await shows(pilot, "Remove export night 1?")
        await pilot.press("y")
        await shows(pilot, "Exports 4")
        await pilot.press("d")
        await shows(pilot, "it is not over: c cancels it")


async def test_its_files_are_fetched_checked_and_whole(tmp_path: Path) -> None:
    engine = evidence()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("j", "j", "f")
        await shows(pilot, "Saved")
        await pilot.press("enter")
        await pilot.press("f")
        await shows(pilot, "Saved")
        await pilot.press("enter")
    folder = tmp_path / "night_3-20260304-110320-0003"
    assert {path.name: path.stat().st_size for path in folder.iterdir()} == {
        "driveway.mp4": 1_000_000,
        "index.html": 20_000,
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.name, f"{folder.name}-2"]


async def test_fetching_cancelled_broken_or_of_a_strange_name_leaves_nothing(tmp_path: Path) -> None:
    engine = evidence()
    engine.evidence.file_gate = asyncio.Event()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("j", "j", "f")
        await until(pilot, lambda: bool(list(tmp_path.rglob(".*.part"))))
        await pilot.press("escape")
        await shows(pilot, "nothing half-written was left")
        await until(pilot, lambda: not list(tmp_path.iterdir()))
        engine.evidence.file_gate.set()
        view = app.screen_stack[0].query_one(EvidenceView)
        done = engine.evidence.jobs[2]
        for files, words in (
            (
                (ExportedFile(name="a.mp4", bytes=10, sha256="00" * 32), *done.files),
                "is not what the engine wrote",
            ),
            ((ExportedFile(name="../a.mp4", bytes=10, sha256="00" * 32),), "no name for a file"),
        ):
            engine.evidence.jobs[2] = msgspec.structs.replace(done, files=files)
            await until(pilot, lambda files=files: view.exports[2].files == files)  # type: ignore[misc]
            await pilot.press("f")
            await shows(pilot, "Not fetched", words)
            await pilot.press("enter", "escape")
            await until(pilot, lambda: "Not fetched" not in screen_text(app))
            await until(pilot, lambda: not list(tmp_path.iterdir()))
        await pilot.press("j", "f")
        await shows(pilot, "it is failed")


async def in_case(pilot: Pilot[Any]) -> None:
    await opened(pilot)
    await pilot.press("tab")
    await shows(pilot, "theft", "3", "x 1 gone", "of the bicycle")
    await pilot.press("enter")
    await shows(pilot, "driveway", "garden", "garage", "x gone", "he comes")


async def test_a_case_is_opened_reordered_and_played(tmp_path: Path) -> None:
    engine = evidence()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await in_case(pilot)
        await pilot.press("J")
        await until(pilot, lambda: [i.id for i in engine.footage.cases[0].items] == [2, 1, 3])
        await shows(pilot, "he comes")
        await pilot.press("J")
        await until(pilot, lambda: [i.id for i in engine.footage.cases[0].items] == [2, 3, 1])
        await pilot.press("J")
        await pilot.press("K", "k")
        await until(pilot, lambda: [i.id for i in engine.footage.cases[0].items] == [2, 1, 3])
        assert called(engine, "edit_case")[0] == ("1", CaseEdit(order=(2, 1, 3)))
        await pilot.press("home", "p")
        await until(pilot, lambda: app.front is Scope.PLAYBACK)


async def test_a_stretch_goes_as_many_places_as_keys_were_pressed_however_slow_the_engine_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    edit_case = FakeEngineClient.edit_case

    async def slowly(self: FakeEngineClient, id: str, edit: CaseEdit) -> CaseView:
        await gate.wait()
        return await edit_case(self, id, edit)

    monkeypatch.setattr(FakeEngineClient, "edit_case", slowly)
    engine = evidence()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await in_case(pilot)
        await pilot.press("J", "J")
        gate.set()
        await until(pilot, lambda: [i.id for i in engine.footage.cases[0].items] == [2, 3, 1])


async def test_a_stretch_is_edited_and_taken_out(tmp_path: Path) -> None:
    engine = evidence()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await in_case(pilot)
        await pilot.press("e")
        await shows(pilot, "driveway in case theft", "From", "Comment")
        app.screen.query_one("#field-comment").value = "he goes"  # type: ignore[attr-defined]
        await pilot.press("f10")
        await shows(pilot, "he goes")
        assert called(engine, "edit_case_item") == [("1", 1, CaseItemEdit(comment="he goes"))]
        await pilot.press("d")
        await shows(pilot, "Take it out of case theft?")
        await pilot.press("y")
        await until(pilot, lambda: len(engine.footage.cases[0].items) == 2)
        await pilot.press("escape")
        await shows(pilot, "Begun")


async def test_cases_are_begun_edited_and_removed(tmp_path: Path) -> None:
    engine = evidence()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("a")
        await shows(pilot, "New case")
        await pilot.press(*"fire", "f10")
        await shows(pilot, "Cases 3")
        await pilot.press("home", "e")
        await shows(pilot, "Case theft")
        app.screen.query_one("#field-name").value = "robbery"  # type: ignore[attr-defined]
        await pilot.press("f10")
        await shows(pilot, "robbery")
        await pilot.press("d")
        await shows(pilot, "Remove case robbery?", "3 clips", "Exports of it stay")
        await pilot.press("y")
        await shows(pilot, "Cases 2")


async def test_a_case_is_exported_whole(tmp_path: Path) -> None:
    engine = evidence()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("tab", "j", "x")
        await shows(pilot, "case empty is empty")
        await pilot.press("k", "x")
        await shows(pilot, "Export case theft", "Password again")
        assert "Made by" not in screen_text(app)
        await pilot.press("f10")
        await shows(pilot, "Export this?")
        await pilot.press("y")
        await until(pilot, lambda: bool(called(engine, "start_export_job")))
    (ask,) = called(engine, "start_export_job")
    assert isinstance(ask, ExportAsk)
    assert (ask.case, ask.ranges, ask.name) == ("theft", (), "theft")


async def test_the_fingerprint_is_there_to_be_read_out(tmp_path: Path) -> None:
    app = app_for(evidence(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("s")
        await shows(pilot, "Station key", "5a10 5a11 5a12 5a13 5a14 5a15 5a16 5a17", "5a1f")


async def test_read_only_nothing_is_changed_but_fetched(tmp_path: Path) -> None:
    engine = evidence()
    app = app_for(engine, tmp_path, is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        for key in ("c", "d", "a"):
            await pilot.press(key)
            await shows(pilot, "read-only")
        await pilot.press("j", "j", "f")
        await shows(pilot, "Saved")
    changing = {"cancel_export_job", "remove_export_job", "add_case"}
    assert not changing & {name for name, _ in engine.calls}


async def test_with_nothing_there_it_says_how_to_begin(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("9")
        await shows(pilot, "no exports", "x in Recordings")
        await pilot.press("tab")
        await shows(pilot, "no cases", "C in Recordings")


async def test_without_a_case_the_way_to_one_is_told_from_where_one_is(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("9")
        await shows(pilot, "no exports")
        await pilot.press("e")
        await shows(pilot, "! tab: to the cases")
        await pilot.press("tab")
        await shows(pilot, "no cases")
        await pilot.press("e")
        await shows(pilot, "! no case in hand: a begins one")

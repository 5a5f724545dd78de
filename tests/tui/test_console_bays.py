"""Bays by Pilot, keyboard only at 80x24: moving, lamps, spares, tests, checks, replacing, refusals, jobs, the tree."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from engine import wire_chassis as wire
from storage.errors import Conflict, DriveError, InvalidInput, StateChanged
from tests.fakes import chassis_views as views
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.commands import Scope
from tui.profile import TerminalProfile
from tui.screens.bays import BaysView
from tui.screens.frame import Banner
from tui.screens.job_view import JobScreen
from tui.screens.operation_dialog import OperationDialog
from widgets.bay_map import BayMap

SIZE = (80, 24)
ERASING = wire.OperationPlan(
    operation=wire.DeleteVirtualDrive(virtual_drive="v-A"),
    title="Delete virtual drive A",
    commands=(wire.CommandView(text="mdadm --stop /dev/md127"),),
    radius=wire.BlastRadius(erases=("bay 0  ST12000NM001G  ZL2A00BC  12 TB",), footage_bytes=10**12),
    confirmation="A",
    fingerprint="f7",
)


def called(engine: FakeEngine, name: str) -> list[object]:
    return [argument for what, argument in engine.calls if what == name]


def console(engine: FakeEngine, folder: Path, **profile: object) -> WatchdeckApp:
    return app_for(engine, folder, TerminalProfile(**profile))  # type: ignore[arg-type]


async def at_bays(pilot: Pilot[object], *words: str) -> BaysView:
    await shows(pilot, "5 of 8")
    await pilot.press("5")
    await shows(pilot, "with a drive", "F6 Bays", *words)
    return pilot.app.screen.query_one(BaysView)


async def test_the_map_stands_as_in_the_rack_and_the_panel_follows_the_keys(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        view = await at_bays(pilot, "┌ 4 ─── B ┐", "╔ 0 ═══ A ╗", "serial  ZL2A00BC")
        text = screen_text(pilot.app)
        assert text.index(" 4 ") < text.index("╔ 0 ")
        await pilot.press("right")
        await shows(pilot, "╔ 1 ═══ A ╗", "ZL2A01BC", "write error on sector")
        await pilot.press("7")
        await shows(pilot, "╔ 7 ═══ A ╗", "182 MB/s, 11 h 32 min left")
        assert view.bay == 7


async def test_digits_are_bays_on_the_map_and_function_keys_and_escape_lead_elsewhere(tmp_path: Path) -> None:
    app = console(FakeEngine(chassis=views.healthy_eight()), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await at_bays(pilot)
        await pilot.press("2")
        assert (app.front, view.bay) == (Scope.BAYS, 2)
        await pilot.press("f3")
        await shows(pilot, "2 Cameras", "Last seen")
        assert app.front is Scope.CAMERAS
        await pilot.press("f6", "v", "1")
        await until(pilot, lambda: app.front is Scope.DASHBOARD)


async def test_locate_blinks_for_ten_minutes_and_again_stops(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("4", "l")
        await shows(pilot, "bay 4 (ZL2A04BC): amber lamp blinks for 10 minutes")
        await pilot.press("5", "l")
        await shows(pilot, "bay 5 (ZL2A05BC): lamp as before")
    assert called(engine, "locate_drive") == [
        ("4", wire.DriveLocate(is_on=True, seconds=600)),
        ("5", wire.DriveLocate(is_on=False, seconds=600)),
    ]


@pytest.mark.parametrize(
    ("bay", "keys", "operation"),
    [
        ("7", ("s",), wire.ReleaseSpare(drive=views.drive_id(7))),
        ("0", ("s", "enter"), wire.AssignSpare(drive=views.drive_id(0))),
        (
            "0",
            ("s", "3"),
            wire.AssignSpare(drive=views.drive_id(0), kind=wire.SpareKind.DEDICATED, groups=("g-B",)),
        ),
        ("4", (":", *"repair A", "enter"), wire.StartCheck(virtual_drive="v-A", repair=True)),
        (
            "0",
            (":", *"spare B", "enter"),
            wire.AssignSpare(drive=views.drive_id(0), kind=wire.SpareKind.DEDICATED, groups=("g-B",)),
        ),
        ("4", ("c",), wire.StartCheck(virtual_drive="v-B")),
        ("4", (":", *"check A", "enter"), wire.StartCheck(virtual_drive="v-A")),
        ("4", ("r",), wire.ReplaceDrive(drive=views.drive_id(4))),
        ("4", (":", *"offline", "enter"), wire.SetOffline(drive=views.drive_id(4))),
        ("4", (":", *"good", "enter"), wire.SetGood(drive=views.drive_id(4))),
        ("7", (":", *"remove", "enter"), wire.PrepareRemoval(drive=views.drive_id(7))),
        ("4", (":", *"readd", "enter"), wire.ReAddMember(drive=views.drive_id(4))),
        (
            "4",
            (":", *"copy 7", "enter"),
            wire.ReplaceMember(member=views.drive_id(4), replacement=views.drive_id(7)),
        ),
        ("7", (":", *"rebuild A", "enter"), wire.StartRebuild(group="g-A", drive=views.drive_id(7))),
        ("4", (":", *"delete", "enter"), wire.DeleteVirtualDrive(virtual_drive="v-B")),
        ("4", (":", *"take down", "enter"), wire.TakeDownVolume(virtual_drive="v-B")),
        ("4", (":", *"initialise", "enter"), wire.StartInitialisation(virtual_drive="v-B")),
        ("4", (":", *"patrol", "enter"), wire.StartPatrolRead(controller="sim")),
        ("4", ("m",), wire.Silence(controller="sim")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, wire.Operation) else str(value),
)
async def test_each_key_plans_its_operation_and_runs_it_only_after_a_yes(
    tmp_path: Path, bay: str, keys: tuple[str, ...], operation: wire.ChassisOperation
) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press(bay, *keys)
        await shows(pilot, "Nothing is erased", "y do it")
        assert called(engine, "run_operation") == []
        await pilot.press("y")
        await shows(pilot, "done as planned")
    assert called(engine, "plan_operation") == [operation]
    run = called(engine, "run_operation")
    assert run == [wire.OperationRun(operation=operation, fingerprint="f1")]


async def test_a_no_does_nothing_and_enter_is_not_a_yes(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("0", "c")
        await shows(pilot, "y do it")
        await pilot.press("enter", "c", "d")
        await shows(pilot, "echo check > /sys/block/md127/md/sync_action")
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OperationDialog))
    assert called(engine, "run_operation") == []


async def test_what_erases_needs_the_word_typed_and_nothing_less(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    engine.plan = ERASING
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("0", ":", *"delete", "enter")
        await shows(pilot, "ERASES", "ZL2A00BC", 'type "A"')
        await pilot.press("y", "enter", *"B", "enter")
        await shows(pilot, 'That is not "A". Nothing was done.')
        assert called(engine, "run_operation") == []
        await pilot.press("backspace", *"A", "enter")
        await shows(pilot, "done as planned")
    run = called(engine, "run_operation")[0]
    assert isinstance(run, wire.OperationRun)
    assert (run.fingerprint, run.confirmation) == ("f7", "A")


async def test_a_refusal_is_shown_with_its_reason_and_cannot_be_confirmed(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    engine.plan = msgspec.structs.replace(
        ERASING, refused="volume A is recording", refused_remedy="take it down first"
    )
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("0", ":", *"delete", "enter")
        await shows(pilot, "Refused: volume A is recording", "take it down first")
        assert not pilot.app.screen.query_one(Input).display
        await pilot.press("y", "enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OperationDialog))
    assert called(engine, "run_operation") == []


async def test_a_plan_that_is_no_longer_true_is_made_anew_and_not_carried_out(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    engine.operation_done = StateChanged("a drive was pulled meanwhile", "look again")
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("0", "c")
        await shows(pilot, "y do it")
        await pilot.press("y")
        await shows(pilot, "the drives changed meanwhile")
        assert len(called(engine, "plan_operation")) == 2
        engine.operation_done = DriveError("bay 0 (ZL2A00BC) does not answer", "look at its cable")
        await pilot.press("y")
        await shows(pilot, "not done: bay 0 (ZL2A00BC) does not answer")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OperationDialog))


async def test_a_plan_the_engine_cannot_make_says_why(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    engine.plan = DriveError("no such thing", "ask again")
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("0", "c")
        await shows(pilot, "no such thing")
        await pilot.press("y", "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OperationDialog))


async def test_read_only_mode_refuses_operations_and_still_locates(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    app = app_for(engine, tmp_path, is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        for keys in (("c",), ("t",), ("u",), ("n",), ("r",), (":", *"delete", "enter")):
            await pilot.press("0", *keys)
            await shows(pilot, "read-only mode")
            await pilot.press("escape")
        await pilot.press("l")
        await shows(pilot, "amber lamp blinks")
    assert not {"plan_operation", "start_self_test", "switch_uid"} & {name for name, _ in engine.calls}


async def test_self_tests_start_and_abort(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("2", "t")
        await shows(pilot, "Self-test: bay 2 (ZL2A02BC)", "2 long", "4 abort")
        await pilot.press("enter")
        await shows(pilot, "a short self-test runs")
        await pilot.press(":", *"test long", "enter")
        await shows(pilot, "a long self-test runs")
        await pilot.press(":", *"test abort", "enter")
        await shows(pilot, "self-test aborted")
        await pilot.press(":", *"test thorough", "enter")
        await shows(pilot, "test one of: short, long, conveyance, abort")
    kinds = [start.kind for _, start in called(engine, "start_self_test")]  # type: ignore[attr-defined]
    assert kinds == ["short", "long"]
    assert called(engine, "abort_self_test") == [views.drive_id(2)]


async def test_an_empty_bay_refuses_in_words(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.healthy_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        for key in ("s", "t", "r", "enter"):
            await pilot.press("3", key)
            await shows(pilot, "bay 3 is empty")
    assert "plan_operation" not in {name for name, _ in engine.calls}


async def test_background_operations_pause_and_stop_as_far_as_they_can(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    rebuild = f"rebuild:v-A:{views.drive_id(7)}"
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot, "1 rebuild A")
        await pilot.press("7", "p")
        await shows(pilot, "y do it")
        await pilot.press("escape", "x")
        await shows(pilot, "the rebuild cannot be stopped")
        await pilot.press(":", *"stop 2", "enter")
        await shows(pilot, "y do it")
        await pilot.press("escape", ":", *"stop 9", "enter")
        await shows(pilot, "no background operation has the number '9'")
    assert called(engine, "plan_operation") == [
        wire.PauseTask(task=rebuild),
        wire.StopTask(task="check:v-B"),
    ]


async def test_the_tree_shows_the_chain_and_acts_on_its_rows(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("v")
        await shows(pilot, "A  RAID 5", "bay 1  ZL2A01BC", "garage", "Virtual drive A")
        await pilot.press("j", "j")
        await shows(pilot, "Bay 1  failed")
        await pilot.press("/", *"garage", "enter")
        await shows(pilot, "Camera  garage", "Recorded on", "bay 0 (ZL2A00BC)")
        await pilot.press("c")
        await shows(pilot, "y do it")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OperationDialog))
        await pilot.press("escape", "escape")
        await shows(pilot, "╔ 0 ═══ A ╗")
    assert called(engine, "plan_operation") == [wire.StartCheck(virtual_drive="v-A")]


async def test_the_page_of_a_drive_opens_and_closes(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("5", "enter")
        await shows(pilot, "Drive ZL2A05BC", "24 sectors wait to be reallocated")
        await pilot.press("escape", ":", *"drive 1", "enter")
        await shows(pilot, "Drive ZL2A01BC")
        await pilot.press("escape")


# -- jobs ------------------------------------------------------------------------------------------------


def with_job(job: wire.JobView) -> wire.ChassisView:
    return msgspec.structs.replace(views.degraded_eight(), jobs=(job,))


async def test_replacing_opens_the_job_it_became_and_answers_go_to_the_engine(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    engine.operation_done = wire.OperationDone(text="the replacement of bay 1 began", job="job-1")
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("1", "r")
        await shows(pilot, "y do it")
        engine.change_chassis(with_job(views.replace_job()))
        await pilot.press("y")
        await shows(pilot, "serial ZL2A01BC", "Pull the drive of bay 1", "Put the old drive back")
        await pilot.press("1")
        await until(pilot, lambda: bool(called(engine, "act_on_job")))
        await pilot.press("2")
        await shows(pilot, "Cancel: Replace the drive in bay 1")
        await pilot.press("n")
        await shows(pilot, "serial ZL2A01BC")
        await pilot.press("2", "y")
        await until(pilot, lambda: len(called(engine, "act_on_job")) == 2)
        await pilot.press("escape")
        await shows(pilot, "with a drive")
    assert called(engine, "act_on_job") == [
        ("job-1", wire.JobAct(action="put_back")),
        ("job-1", wire.JobAct(action="cancel")),
    ]


async def test_a_console_that_comes_back_finds_the_job_where_it_stands(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=with_job(views.replace_job()))
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot, "waits for you (o opens it)")
        await pilot.press("1", "r")
        await shows(pilot, "[>] Pull the drive")
        assert isinstance(pilot.app.screen, JobScreen)
        done = views.replace_job(state=wire.JobState.DONE, actions=(), result="bay 1 is online again")
        engine.change_chassis(with_job(done))
        await shows(pilot, "bay 1 is online again", "esc closes")
        await pilot.press("escape")
    assert called(engine, "plan_operation") == []


async def test_the_wrong_drive_pulled_rings_on_every_screen_and_stands_above_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(chassis=with_job(views.replace_job()))
    app = console(engine, tmp_path)
    rung: list[int] = []
    monkeypatch.setattr(app, "bell", lambda: rung.append(1))
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        assert rung == []
        engine.change_chassis(with_job(views.wrong_drive_job()))
        await until(pilot, lambda: "WRONG DRIVE PULLED: bay 2 (ZL2A02BC)" in app.query_one(Banner).plain)
        assert len(rung) == 1
        await pilot.press("f6", "o")
        text = await shows(pilot, "WRONG DRIVE PULLED", "Put the drive ZL2A02BC back into bay 2.")
        assert text.index("WRONG DRIVE") < text.index("serial ZL2A01BC")
        assert len(rung) == 2
        engine.change_chassis(with_job(views.replace_job()))
        await until(pilot, lambda: "WRONG DRIVE" not in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: not app.query_one(Banner).display)


async def test_an_answer_that_needs_a_word_asks_for_it_and_a_refusal_is_said_in_the_view(
    tmp_path: Path,
) -> None:
    engine = FakeEngine(chassis=with_job(views.replace_job(actions=("copy_first", "continue"))))
    engine.act_refusals = [
        InvalidInput(
            "bay 6 (serial ZL2A06BC) is a free drive, and would be erased", "give its serial number"
        ),
    ]
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        await pilot.press("o")
        await shows(pilot, "Copy it to another drive first", "Go on: take it out, then pull it")
        await pilot.press("1")
        await shows(pilot, "Serial number", "would be erased")
        await pilot.press(*"ZL2A06BC", "f10")
        await until(pilot, lambda: len(called(engine, "act_on_job")) == 2)
        engine.act_refusals = [Conflict("this cannot be answered now", "wait for it")]
        await pilot.press("2")
        await shows(pilot, "Go on: take it out, then pull it: this cannot be answered now")
        engine.stop()
        await shows(pilot, "no engine: what is shown is old")
        engine.is_reachable = False
        await pilot.press("escape")
    assert called(engine, "act_on_job")[1] == ("job-1", wire.JobAct(action="copy_first", value="ZL2A06BC"))


# -- lamps and sizes -------------------------------------------------------------------------------------


async def test_lamps_blink_while_the_map_is_in_sight_and_at_no_other_time(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    app = console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        view = await at_bays(pilot)
        assert view._beat.is_running
        await pilot.press("f2")
        await shows(pilot, "Newest events")
        assert not view._beat.is_running
        await pilot.press("5")
        await until(pilot, lambda: view._beat.is_running)
        await pilot.press("c")
        await shows(pilot, "y do it")
        await until(pilot, lambda: not view._beat.is_running)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen.query(BaysView).first(), BaysView))
        engine.tick()
        await until(pilot, lambda: view._beat.is_running)
        engine.stop()
        await shows(pilot, "engine lost")
        await until(pilot, lambda: not view._beat.is_running)


async def test_blinking_can_be_switched_off_for_good_and_words_stay(tmp_path: Path) -> None:
    app = console(FakeEngine(chassis=views.degraded_eight()), tmp_path, blinking="calm")
    async with app.run_test(size=SIZE) as pilot:
        view = await at_bays(pilot)
        assert view.query_one(BayMap).rates == {"off", "steady", "4hz", "1hz"}
        await pilot.press("b")
        await shows(pilot, "lamps: still, words say it", "rebuild", "locate", "active")
        assert view.query_one(BayMap).rates == {"off", "steady"}
        assert not view._beat.is_running
        await pilot.press(":", *"blink wildly", "enter")
        await shows(pilot, "blink one of: full, calm, off")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12), (60, 20), (200, 60)])
@pytest.mark.parametrize("box", [views.degraded_eight, views.sixteen, views.empty_box])
async def test_the_map_is_whole_at_every_size(tmp_path: Path, size: tuple[int, int], box: object) -> None:
    chassis = box()  # type: ignore[operator]
    async with console(FakeEngine(chassis=chassis), tmp_path).run_test(size=size) as pilot:
        view = await at_bays_small(pilot)
        bay_map = view.query_one(BayMap)
        width, height = bay_map.box
        rows = chassis.layout.rows
        await until(pilot, lambda: bay_map.size.height >= len(rows) * bay_map.box[1])
        assert len(rows[0]) * width <= bay_map.size.width
        assert bay_map.region.bottom <= size[1] - 1


async def at_bays_small(pilot: Pilot[object]) -> BaysView:
    await shows(pilot, "of 8")
    await pilot.press("5")
    await shows(pilot, " Bays  ")
    await until(pilot, lambda: bool(pilot.app.screen.query_one(BayMap).rates))
    return pilot.app.screen.query_one(BaysView)


async def test_without_drives_told_the_screen_says_so(tmp_path: Path) -> None:
    async with console(FakeEngine(), tmp_path).run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("5")
        await shows(pilot, "the drives have not been looked at yet")
        for key in ("l", "s", "c", "o", "p", "enter", "v", "1"):
            await pilot.press(key)


async def test_what_is_not_the_present_has_no_colour_of_it(tmp_path: Path) -> None:
    engine = FakeEngine(chassis=views.degraded_eight())
    async with console(engine, tmp_path).run_test(size=SIZE) as pilot:
        await at_bays(pilot)
        engine.stop()
        await shows(pilot, "engine lost", "not live", "ZL2A00BC")

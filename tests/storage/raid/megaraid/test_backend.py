"""The MegaRAID back-end against a stateful fake of storcli64 (tests/fakes/storcli64.py says what is known and what is made up)."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.command import Completed
from storage.drives.chassis import Chassis
from storage.errors import (
    CommandFailed,
    InvalidInput,
    NotFound,
    OperationRefused,
    StateChanged,
    ToolMissing,
    Unsupported,
)
from storage.raid.inventory import Drive, Inventory, Rates
from storage.raid.megaraid import plans
from storage.raid.megaraid.backend import MegaraidBackend
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    ImportForeign,
    Migrate,
    PauseTask,
    PrepareRemoval,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    SetGood,
    SetOffline,
    SetRates,
    Silence,
    StartCheck,
    StartInitialisation,
    StartPatrolRead,
    StartRebuild,
    StopTask,
)
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, VirtualDriveState
from storage.roots import Roots
from tests.fakes.storcli64 import FakeDrive, FakeStorcli

CHASSIS = "\n".join(
    [
        'name = "test"',
        "rows = [[4, 5, 6, 7], [0, 1, 2, 3]]",
        *(f'[[bay]]\nnumber = {bay}\ncontroller = "c0:e252:s{bay}"' for bay in range(8)),
    ]
)


class Box:
    """The back-end on one fake controller."""

    def __init__(self, folder: Path) -> None:
        self.controller = FakeStorcli()
        self.folder = folder
        (folder / "chassis.toml").write_text(CHASSIS)
        self.backend = self.restarted()

    def restarted(self) -> MegaraidBackend:
        chassis = Chassis.load(self.folder / "chassis.toml")
        roots = Roots(sys=self.folder / "sys", proc=self.folder / "proc", dev=self.folder / "dev")
        return MegaraidBackend(roots, self.controller, lambda: chassis, self.folder / "places.json")

    def now(self) -> Inventory:
        return self.backend.inventory()

    def drive(self, bay: int) -> Drive:
        found = self.now().drive_in(bay)
        assert found is not None
        return found

    def ids(self, *bays: int) -> tuple[str, ...]:
        return tuple(self.drive(bay).id for bay in bays)

    def do(self, operation: RaidOperation) -> Inventory:
        return self.backend.perform(operation, self.now())

    def create(
        self, name: str = "A", bays: tuple[int, ...] = (0, 1, 2, 3), level: RaidLevel = RaidLevel.RAID5
    ) -> Inventory:
        return self.do(CreateVirtualDrive(name=name, level=level, spans=(self.ids(*bays),)))

    def rebuild(self, bay: int) -> StartRebuild:
        return StartRebuild(group="c0-dg0", drive=self.drive(bay).id)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_drives_have_bays_serials_and_the_manuals_states(box: Box) -> None:
    inventory = box.now()
    assert [drive.bay for drive in inventory.drives] == list(range(8))
    first = inventory.drives[0]
    assert (first.serial, first.state, first.size_bytes) == (
        "ZL2A0000",
        DriveState.UNCONFIGURED_GOOD,
        8 * 10**9 * 512,
    )
    (controller,) = inventory.controllers
    assert (controller.model, controller.has_write_cache, controller.rates) == (
        "AOC-S3916L-H16iR",
        True,
        Rates(),
    )


@pytest.mark.parametrize("words", ["eall/sall show all", "vall show all"])
def test_a_list_that_fails_is_a_problem_and_not_an_empty_box(
    box: Box, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Every drive would be said to be pulled, or every virtual drive deleted."""
    box.create()
    answer = box.controller._answer
    monkeypatch.setattr(
        box.controller, "_answer", lambda asked: ("busy", None) if words in asked else answer(asked)
    )
    inventory = box.now()
    assert inventory.drives == ()
    (controller,) = inventory.controllers
    assert "lists none of them" in controller.problems[0].what


def test_a_raid_5_is_created_and_deleted(box: Box) -> None:
    after = box.create()
    (array,) = after.virtual_drives
    assert (array.name, array.level, array.state, array.stripe_bytes) == (
        "A",
        RaidLevel.RAID5,
        VirtualDriveState.ONLINE,
        256 * 1024,
    )
    (group,) = after.groups
    assert [after.drive(id).bay for id in group.spans[0].drives] == [0, 1, 2, 3]  # type: ignore[union-attr]
    assert group.spans[0].can_lose == 1
    assert not box.do(DeleteVirtualDrive(virtual_drive=array.id)).virtual_drives


def test_a_raid_60_has_its_spans_and_can_lose_two_in_each(box: Box) -> None:
    spans = (box.ids(0, 1, 2, 3), box.ids(4, 5, 6, 7))
    after = box.do(CreateVirtualDrive(name="B", level=RaidLevel.RAID60, spans=spans))
    assert "pdperarray=4" in box.controller.ran[-1] or any(
        "pdperarray=4" in words for words in box.controller.ran
    )
    assert [span.can_lose for span in after.groups[0].spans] == [2, 2]
    box.controller.pull(1)
    group = box.now().groups[0]
    assert [span.state for span in group.spans] == [
        VirtualDriveState.PARTIALLY_DEGRADED,
        VirtualDriveState.ONLINE,
    ]
    assert box.now().virtual_drives[0].state is VirtualDriveState.PARTIALLY_DEGRADED


def test_a_pulled_member_is_missing_with_its_bay_and_serial_even_after_a_restart(box: Box) -> None:
    box.create()
    box.controller.pull(2)
    for backend in (box.backend, box.restarted()):
        missing = backend.inventory().drive_in(2)
        assert missing is not None
        assert (missing.state, missing.serial, missing.slot) == (DriveState.MISSING, "ZL2A0002", 2)
    assert box.now().virtual_drives[0].state is VirtualDriveState.DEGRADED
    box.controller.pull(0)
    assert box.now().virtual_drives[0].state is VirtualDriveState.FAILED


def test_a_member_that_is_back_is_known_as_one_beside_its_empty_place(box: Box) -> None:
    box.create()
    pulled = box.controller.pull(2)
    pulled.state, pulled.group = "UGood", None
    box.now()
    box.controller.insert(pulled)
    inventory = box.now()
    back = inventory.drive_in(2)
    assert back is not None
    assert (back.state, back.foreign_group) == (DriveState.UNCONFIGURED_GOOD, "c0-dg0")
    assert len({drive.id for drive in inventory.drives}) == len(inventory.drives)
    assert sum(drive.state is DriveState.MISSING for drive in inventory.drives) == 1


def test_a_new_drive_is_rebuilt_into_the_empty_place(box: Box) -> None:
    box.create()
    box.controller.pull(2)
    box.now()
    box.controller.insert(FakeDrive(2, "NEW00002"))
    after = box.do(box.rebuild(2))
    drive = after.drive_in(2)
    assert drive is not None
    assert drive.state is DriveState.REBUILD
    (task,) = after.tasks
    assert (task.kind, task.progress, task.eta_s, task.drive) == (TaskKind.REBUILD, 0.0, 3900, drive.id)
    box.do(PauseTask(task=task.id))
    box.controller.finish()
    assert box.now().virtual_drives[0].state is VirtualDriveState.ONLINE
    assert not box.now().tasks


def test_a_failed_member_gives_its_place_to_a_spare(box: Box) -> None:
    box.create()
    box.do(AssignSpare(drive=box.drive(7).id))
    assert box.drive(7).spare is SpareKind.GLOBAL
    box.controller.fail(1)
    box.now()
    after = box.do(box.rebuild(7))
    assert after.drive_in(7).state is DriveState.REBUILD  # type: ignore[union-attr]
    assert after.drive_in(1).state is DriveState.UNCONFIGURED_BAD  # type: ignore[union-attr]
    assert after.drive_in(1).group == ""  # type: ignore[union-attr]


def test_spares_are_dedicated_and_released(box: Box) -> None:
    box.create()
    after = box.do(AssignSpare(drive=box.drive(4).id, kind=SpareKind.DEDICATED, groups=("c0-dg0",)))
    spare = after.drive_in(4)
    assert spare is not None
    assert (spare.spare, spare.spare_groups) == (SpareKind.DEDICATED, ("c0-dg0",))
    assert box.do(ReleaseSpare(drive=spare.id)).drive_in(4).state is DriveState.UNCONFIGURED_GOOD  # type: ignore[union-attr]


def test_too_small_a_drive_is_refused_with_its_bay_and_serial(box: Box) -> None:
    box.create()
    box.controller.drives[5].sectors //= 2
    box.controller.pull(0)
    with pytest.raises(OperationRefused, match="bay 5.*too small"):
        box.do(box.rebuild(5))


def test_the_last_redundancy_is_not_taken_out(box: Box) -> None:
    box.create()
    assert box.do(SetOffline(drive=box.drive(0).id)).drive_in(0).state is DriveState.OFFLINE  # type: ignore[union-attr]
    ran = len(box.controller.ran)
    with pytest.raises(OperationRefused, match="loses the data"):
        box.do(SetOffline(drive=box.drive(1).id))
    assert not any("offline" in words for words in box.controller.ran[ran:])


def test_a_plan_on_an_old_look_is_refused(box: Box) -> None:
    seen = box.now()
    spans = (tuple(drive.id for drive in seen.drives[:3]),)
    box.controller.drives[1] = FakeDrive(1, "OTHER001")
    with pytest.raises((StateChanged, NotFound)):
        box.backend.perform(CreateVirtualDrive(name="A", level=RaidLevel.RAID5, spans=spans), seen)
    assert not box.controller.arrays


def test_a_yes_that_changed_nothing_is_an_error(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box.controller, "_add", lambda *_: ("", None))
    with pytest.raises(CommandFailed, match="as before"):
        box.create()


def test_a_refusal_of_the_controller_is_told_in_its_words(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box.controller, "_add", lambda *_: ("Operation not allowed.", None))
    with pytest.raises(CommandFailed, match="Operation not allowed"):
        box.create()


def test_checks_patrol_reads_rates_and_the_beeper(box: Box) -> None:
    box.create()
    check = box.do(StartCheck(virtual_drive="A")).tasks[0]
    assert (check.kind, check.can_stop) == (TaskKind.CHECK, True)
    assert not box.do(StopTask(task=check.id)).tasks
    assert box.do(StartPatrolRead(controller="c0")).tasks[0].kind is TaskKind.PATROL_READ
    assert box.do(SetRates(controller="c0", rates=Rates(rebuild=60))).controllers[0].rates.rebuild == 60
    box.do(Silence(controller="c0"))
    assert not box.controller.is_alarm_on
    with pytest.raises(Unsupported, match="by itself"):
        box.do(StartInitialisation(virtual_drive="A"))
    with pytest.raises(InvalidInput):
        box.do(SetRates(controller="c0", rates=Rates(rebuild=101)))


def test_a_raid_0_has_no_consistency_check(box: Box) -> None:
    box.create(level=RaidLevel.RAID0)
    with pytest.raises(OperationRefused, match="nothing to compare"):
        box.do(StartCheck(virtual_drive="A"))
    box.controller.pull(0)
    assert box.now().virtual_drives[0].state is VirtualDriveState.FAILED


def test_foreign_drives_are_imported_or_cleared_all_at_once(box: Box) -> None:
    for bay in (4, 5):
        box.controller.drives[bay].is_foreign = True
    assert box.drive(4).state is DriveState.FOREIGN
    with pytest.raises(OperationRefused, match="bay 5"):
        box.do(ClearForeign(drives=box.ids(4)))
    after = box.do(ClearForeign(drives=box.ids(4, 5)))
    assert after.drive_in(4).state is DriveState.UNCONFIGURED_GOOD  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        box.do(ImportForeign(foreign="c0-foreign"))


def test_copying_a_member_that_works_keeps_redundancy(box: Box) -> None:
    box.create()
    after = box.do(ReplaceMember(member=box.drive(1).id, replacement=box.drive(6).id))
    assert after.virtual_drives[0].state is VirtualDriveState.ONLINE
    assert after.tasks[0].kind is TaskKind.COPYBACK


def test_other_steps_are_planned_with_the_right_words(box: Box) -> None:
    box.create()
    inventory = box.now()

    def words(operation: RaidOperation) -> list[str]:
        return [str(command) for command in box.backend.plan(operation, inventory)]

    assert words(Migrate(virtual_drive="A", level=RaidLevel.RAID6, add=box.ids(4))) == [
        "storcli64 /c0/v0 start migrate type=raid6 option=add drives=252:4 J"
    ]
    assert words(PrepareRemoval(drive=box.drive(5).id)) == ["storcli64 /c0/e252/s5 spindown J"]
    with pytest.raises(OperationRefused):
        words(PrepareRemoval(drive=box.drive(0).id))
    with pytest.raises(OperationRefused):
        words(SetGood(drive=box.drive(0).id))
    with pytest.raises(Unsupported):
        words(ReAddMember(drive=box.drive(0).id))


@pytest.mark.parametrize(
    "words",
    [
        "/c0 delete config",
        "/c0/vall del force",
        "/c0/v0 start init",
        "/c0 add vd type=raid5 name=A; drives=252:0 strip=256",
        "/c0 download file=x",
        "/c0/e1/s1 start erase",
    ],
)
def test_only_listed_commands_are_run(words: str) -> None:
    with pytest.raises(OperationRefused, match="not one of the commands"):
        plans.storcli(words)


@pytest.mark.parametrize("name", ["", "two words", "x" * 16, "a;b", "ü"])
def test_names_that_the_controller_cannot_take_are_refused(box: Box, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        box.create(name=name)


def test_without_the_program_there_is_a_named_problem(tmp_path: Path) -> None:
    def missing(argv: object, **_: object) -> Completed:
        raise ToolMissing("the program storcli64 is not installed", "install it")

    box = Box(tmp_path)
    backend = MegaraidBackend(
        Roots(sys=tmp_path), missing, lambda: Chassis.load("front-8"), tmp_path / "p.json"
    )  # type: ignore[arg-type]
    (problem,) = backend.inventory().problems
    assert problem.code == "tool_missing"
    assert "storcli" in problem.remedy
    assert box.now().problems == ()


def test_an_answer_in_text_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    box = Box(tmp_path)

    def text(argv: tuple[str, ...], *, timeout_s: float, stdin: bytes = b"") -> Completed:
        if argv[1] == "/c0":
            return Completed(
                argv=tuple(argv), status=0, output=b"Controller = 0\nStatus = Success\n", errors=b""
            )
        return box.controller(argv, timeout_s=timeout_s)

    backend = MegaraidBackend(Roots(sys=tmp_path), text, lambda: Chassis.load("front-8"), tmp_path / "p.json")
    inventory = backend.inventory()
    assert inventory.problems[0].code == "command_failed"
    assert inventory.controllers[0].problems

"""Whatever people and drives do to the simulated chassis, its inventory stays one that can be true."""

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from storage.errors import CommandFailed, WatchdeckError
from storage.raid import levels
from storage.raid import operations as ops
from storage.raid.inventory import Inventory
from storage.raid.simulated import SimulatedBackend
from storage.raid.simulated_layout import FRONT_16, full_chassis
from storage.raid.simulated_state import SimState
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, TaskState, VirtualDriveState
from tests.fakes.clock import FakeClock

BAYS = st.integers(0, 15)
LAYOUTS = st.sampled_from(
    [
        (RaidLevel.RAID0, (2,)),
        (RaidLevel.RAID1, (2,)),
        (RaidLevel.RAID5, (3,)),
        (RaidLevel.RAID6, (4,)),
        (RaidLevel.RAID10, (2, 2)),
        (RaidLevel.RAID60, (3, 3)),
    ]
)


class Chassis(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.kept = b""
        self.layout = full_chassis(FRONT_16, "front-16")
        self.backend = SimulatedBackend(self.layout, self.clock, keep=self._keep)

    def _keep(self, state: SimState) -> None:
        self.kept = msgspec.json.encode(state)

    def teardown(self) -> None:
        self.backend.close()

    def try_to(self, operation: ops.RaidOperation) -> None:
        """What is planned is performed; what is not may not change anything."""
        before = self.backend.inventory()
        try:
            self.backend.plan(operation, before)
        except WatchdeckError:
            try:
                self.backend.perform(operation, before)
            except WatchdeckError:
                assert self.backend.inventory() == before
            else:
                raise AssertionError("performed what it would not plan") from None
        else:
            try:
                self.backend.perform(operation, before)
            except CommandFailed:
                pass  # a broken drive does not do what it is told

    def some_drive(self, bay: int) -> str:
        now = self.backend.inventory()
        found = now.drive_in(bay)
        return found.id if found else now.drives[0].id

    @rule(layout=LAYOUTS, first=BAYS, spares=st.integers(0, 2))
    def create(self, layout: tuple[RaidLevel, tuple[int, ...]], first: int, spares: int) -> None:
        level, counts = layout
        good = [d.id for d in self.backend.inventory().drives if d.state is DriveState.UNCONFIGURED_GOOD]
        good = good[first % max(1, len(good)) :] + good[: first % max(1, len(good))]
        spans = []
        for count in counts:
            spans.append(tuple(good[:count]))
            good = good[count:]
        name = f"V{len(self.backend.inventory().virtual_drives)}"
        self.try_to(
            ops.CreateVirtualDrive(name=name, level=level, spans=tuple(spans), spares=tuple(good[:spares]))
        )

    @rule(bay=BAYS)
    def pull(self, bay: int) -> None:
        if self.backend.inventory().drive_in(bay) in self._present():
            self.backend.pull(bay)

    def _present(self) -> list[object]:
        return [drive for drive in self.backend.inventory().drives if drive.state is not DriveState.MISSING]

    @rule(bay=BAYS, is_blank=st.booleans())
    def insert(self, bay: int, is_blank: bool) -> None:
        try:
            if is_blank:
                self.backend.insert_blank(bay)
            else:
                self.backend.insert(bay)
        except WatchdeckError:
            pass

    @rule(bay=BAYS)
    def fail(self, bay: int) -> None:
        if self.backend.inventory().drive_in(bay) in self._present():
            self.backend.fail(bay)

    @rule(seconds=st.sampled_from([1, 10, 45, 100, 400]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds * 1_000_000)

    @rule(bay=BAYS, other=BAYS, number=st.integers(0, 12))
    def operate(self, bay: int, other: int, number: int) -> None:
        now = self.backend.inventory()
        drive, second = self.some_drive(bay), self.some_drive(other)
        group = now.groups[other % len(now.groups)].id if now.groups else "none"
        vd = now.virtual_drives[other % len(now.virtual_drives)].id if now.virtual_drives else "none"
        task = now.tasks[other % len(now.tasks)].id if now.tasks else "none"
        self.try_to(
            (
                ops.AssignSpare(drive=drive),
                ops.AssignSpare(drive=drive, kind=SpareKind.DEDICATED, groups=(group,)),
                ops.ReleaseSpare(drive=drive),
                ops.StartRebuild(group=group, drive=drive),
                ops.ReplaceMember(member=drive, replacement=second),
                ops.ReAddMember(drive=drive),
                ops.StartCheck(virtual_drive=vd),
                ops.StartInitialisation(virtual_drive=vd),
                ops.SetOffline(drive=drive),
                ops.SetGood(drive=drive),
                ops.DeleteVirtualDrive(virtual_drive=vd),
                ops.Migrate(virtual_drive=vd, level=RaidLevel.RAID6, add=(drive,)),
                ops.StopTask(task=task),
            )[number]
        )

    @invariant()
    def it_can_be_true(self) -> None:
        now = self.backend.inventory()
        ids = [drive.id for drive in now.drives]
        assert len(ids) == len(set(ids))
        bays = [
            drive.bay
            for drive in now.drives
            if drive.state is not DriveState.MISSING and drive.bay is not None
        ]
        assert len(bays) == len(set(bays))
        placed = [id for group in now.groups for span in group.spans for id in span.drives]
        assert len(placed) == len(set(placed))
        self.groups_agree_with_their_drives(now)
        self.tasks_agree_with_their_drives(now)

    def groups_agree_with_their_drives(self, now: Inventory) -> None:
        for group in now.groups:
            lost = []
            for number, span in enumerate(group.spans):
                drives = [now.drive(id) for id in span.drives]
                assert all(drive is not None for drive in drives)
                lost.append(sum(d is not None and d.state is not DriveState.ONLINE for d in drives))
                for slot, drive in enumerate(drives):
                    assert drive is not None
                    if drive.group:
                        assert (drive.group, drive.span, drive.slot) == (group.id, number, slot)
                    assert drive.state is not DriveState.HOT_SPARE
                    assert drive.state is not DriveState.UNCONFIGURED_GOOD
            (vd,) = now.virtual_drives_of(group.id)
            assert vd.state is levels.state_of(group.level, lost)
        members = {id for group in now.groups for span in group.spans for id in span.drives}
        for drive in now.drives:
            if drive.state in (DriveState.ONLINE, DriveState.MISSING, DriveState.REBUILD, DriveState.OFFLINE):
                assert drive.id in members
            assert (drive.state is DriveState.HOT_SPARE) == (drive.spare is not None)
            assert drive.state in (DriveState.ONLINE, DriveState.UNCONFIGURED_GOOD, DriveState.HOT_SPARE) or (
                drive.cause or drive.state in (DriveState.REBUILD, DriveState.COPYBACK)
            )

    def tasks_agree_with_their_drives(self, now: Inventory) -> None:
        written = {t.drive: t.kind for t in now.tasks if t.kind in (TaskKind.REBUILD, TaskKind.COPYBACK)}
        for drive in now.drives:
            if drive.state is DriveState.REBUILD:
                assert written.get(drive.id) is TaskKind.REBUILD
            elif drive.state is DriveState.COPYBACK:
                assert written.get(drive.id) is TaskKind.COPYBACK
            else:
                assert drive.id not in written
        for task in now.tasks:
            vd = now.virtual_drive(task.virtual_drive) if task.virtual_drive else None
            if vd is not None:
                assert vd.state is not VirtualDriveState.FAILED
            assert (task.eta_s is not None) == (task.state is TaskState.RUNNING)

    @invariant()
    def a_restart_finds_the_same(self) -> None:
        before = self.backend.inventory()
        self.backend.touch()
        again = SimulatedBackend(self.layout, self.clock, msgspec.json.decode(self.kept, type=SimState))
        assert again.inventory() == before
        again.close()


TestChassis = Chassis.TestCase
TestChassis.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

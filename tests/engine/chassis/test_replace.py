"""The guided replacement: scenarios of pulls, inserts and answers against simulated drives, in milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from engine.chassis.replace import failed, performed, step
from engine.chassis.replace_answers import actions_of, answer
from engine.chassis.replace_state import Phase, ReplaceState, begin
from engine.chassis.replace_view import shown
from engine.wire_chassis import DriveState, JobState, RaidLevel, StepState, VirtualDriveState
from storage.errors import Conflict, InvalidInput, WatchdeckError
from storage.raid.inventory import Drive, Inventory
from storage.raid.operations import (
    RaidOperation,
)
from storage.raid.simulated import SimulatedBackend
from storage.raid.simulated_layout import TB, DriveSpec, SimulatedLayout, VirtualDriveSpec
from tests.fakes.clock import FakeClock

ROWS = ((12, 13, 14, 15), (8, 9, 10, 11), (4, 5, 6, 7), (0, 1, 2, 3))
SECOND_US = 1_000_000


def layout(*, spares: tuple[int, ...] = (), free: tuple[int, ...] = ()) -> SimulatedLayout:
    """RAID 5 in bays 0-3, RAID 6 in bays 4-8."""
    return SimulatedLayout(
        rows=ROWS,
        drives={bay: DriveSpec() for bay in (*range(9), *spares, *free)},
        virtual_drives=(
            VirtualDriveSpec(name="A", level=RaidLevel.RAID5, spans=((0, 1, 2, 3),)),
            VirtualDriveSpec(name="B", level=RaidLevel.RAID6, spans=((4, 5, 6, 7, 8),)),
        ),
        global_spares=spares,
        full_pass_s=20.0,
    )


@dataclass
class Bench:
    """One replacement and the hands of the person who does it."""

    backend: SimulatedBackend
    clock: FakeClock
    state: ReplaceState
    done: list[RaidOperation] = field(default_factory=list)
    lamp: str = ""
    watch: Callable[[RaidOperation, Inventory], None] = lambda operation, inventory: None

    @property
    def now(self) -> Inventory:
        return self.backend.inventory()

    def drive(self, bay: int) -> Drive:
        found = self.now.drive_in(bay)
        assert found is not None
        return found

    def go(self, seconds: int = 0) -> Phase:
        """On until nothing more happens by itself, second by second."""
        for _ in range(seconds + 1):
            for _ in range(20):
                inventory = self.now
                taken = step(self.state, inventory, self.clock.now_us())
                self.state, self.lamp = taken.state, taken.lamp
                if taken.operation is None:
                    break
                self._perform(taken.operation, inventory)
            else:
                raise AssertionError(f"it turns in circles: {self.state}")
            if seconds:
                self.clock.advance(SECOND_US)
        return self.state.phase

    def _perform(self, operation: RaidOperation, inventory: Inventory) -> None:
        self.watch(operation, inventory)
        try:
            self.backend.perform(operation, inventory)
        except WatchdeckError as error:
            self.state = failed(self.state, operation, error.what)
        else:
            self.done.append(operation)
            self.state = performed(self.state, operation)

    def say(self, action: str, value: str = "") -> Phase:
        self.state = answer(self.state, self.now, action, value)
        return self.go()

    def pull(self, bay: int) -> Phase:
        self.backend.pull(bay)
        return self.go()

    def insert(self, bay: int) -> Phase:
        self.backend.insert(bay)
        return self.go()

    def insert_blank(self, bay: int, spec: DriveSpec | None = None) -> Phase:
        self.backend.insert_blank(bay, spec or DriveSpec(hours=0))
        return self.go()

    def kinds(self) -> list[str]:
        return [type(operation).__name__ for operation in self.done]

    def needs(self) -> str:
        return shown(self.state, self.now).needs


def bench(bay: int, **more: tuple[int, ...]) -> Bench:
    clock = FakeClock()
    backend = SimulatedBackend(layout(**more), clock)
    clock.advance(60 * SECOND_US)
    drive = backend.inventory().drive_in(bay)
    assert drive is not None
    return Bench(backend, clock, begin(drive, backend.inventory()))


def state_of(bench: Bench, name: str) -> VirtualDriveState:
    vd = bench.now.virtual_drive(name)
    assert vd is not None
    return vd.state


# -- the straight way --------------------------------------------------------------------------------------


def test_a_failed_drive_is_pulled_a_new_one_inserted_settled_and_rebuilt() -> None:
    hands = bench(2)
    hands.backend.fail(2)
    serial = hands.drive(2).serial
    assert hands.go() is Phase.EXPLAIN
    assert f"Bay 2, serial {serial} on its label" in hands.needs()
    assert "one more failure in group" in hands.needs()
    assert hands.say("continue") is Phase.PULL
    assert hands.lamp == hands.state.drive
    assert f"Pull bay 2 (serial {serial}) now" in hands.needs()
    assert hands.pull(2) is Phase.INSERT
    assert "6 TB or larger in bay 2" in hands.needs()
    assert hands.insert_blank(2) is Phase.SETTLE
    assert hands.lamp == ""
    assert hands.go(9) is Phase.SETTLE
    assert "StartRebuild" not in hands.kinds()
    hands.go(3)
    assert hands.state.phase is Phase.REBUILD
    assert shown(hands.state, hands.now).progress is not None
    assert hands.go(120) is Phase.DONE
    assert hands.kinds().count("StartRebuild") == 1
    assert state_of(hands, "A") is VirtualDriveState.ONLINE
    assert shown(hands.state, hands.now, Phase.FINISH).state is JobState.DONE
    assert "bay 2" in hands.state.result


def test_a_drive_that_still_works_is_copied_to_the_spare_first_and_redundancy_is_kept() -> None:
    hands = bench(2, spares=(9,))
    hands.go()
    assert "copy_first" in actions_of(hands.state, hands.now)
    assert hands.say("copy_first") is Phase.COPY
    for _ in range(200):
        if hands.state.phase is not Phase.COPY:
            break
        assert state_of(hands, "A") is VirtualDriveState.ONLINE
        hands.go(1)
    assert hands.state.phase is Phase.PULL
    assert state_of(hands, "A") is VirtualDriveState.ONLINE
    hands.pull(2)
    hands.insert_blank(2)
    assert hands.go(15) is Phase.DONE
    assert hands.drive(2).state is DriveState.HOT_SPARE, "the new one takes over the spare's work"
    assert "SetOffline" not in hands.kinds()


def test_without_a_copy_the_spare_takes_over_and_the_new_drive_becomes_the_spare() -> None:
    hands = bench(2, spares=(9,))
    hands.go()
    hands.say("continue")
    assert hands.state.phase is Phase.PULL
    assert hands.drive(9).state is DriveState.REBUILD
    hands.pull(2)
    hands.go(60)
    hands.insert_blank(2)
    assert hands.go(15) is Phase.DONE
    assert hands.drive(2).state is DriveState.HOT_SPARE
    assert hands.drive(9).state is DriveState.ONLINE


def test_a_free_drive_is_copied_to_only_by_its_serial_number() -> None:
    hands = bench(2, free=(9,))
    hands.go()
    with pytest.raises(InvalidInput, match=hands.drive(9).serial):
        hands.say("copy_first")
    assert hands.say("copy_first", hands.drive(9).serial) is Phase.COPY


def test_a_hot_spare_is_replaced_by_a_hot_spare() -> None:
    hands = bench(9, spares=(9,))
    hands.go()
    hands.say("continue")
    assert hands.pull(9) is Phase.INSERT
    hands.insert_blank(9)
    assert hands.go(15) is Phase.DONE
    assert hands.drive(9).state is DriveState.HOT_SPARE


def test_a_drive_pulled_before_anybody_asked_is_taken_as_pulled() -> None:
    hands = bench(2)
    hands.backend.fail(2)
    hands.go()
    assert hands.pull(2) is Phase.INSERT


# -- the wrong drive ---------------------------------------------------------------------------------------


def test_the_wrong_drive_pulled_is_an_alarm_naming_both_bays() -> None:
    hands = bench(2)
    hands.backend.fail(2)
    right, wrong = hands.drive(2).serial, hands.drive(1).serial
    hands.go()
    hands.say("continue")
    assert hands.pull(1) is Phase.WRONG_PULLED
    alarm = shown(hands.state, hands.now).alarm
    assert alarm.startswith(f"WRONG DRIVE PULLED: bay 1. Put it back: bay 1, serial {wrong}.")
    assert f"bay 2, serial {right}" in alarm
    assert "Virtual drive A has stopped" in alarm
    assert hands.lamp == hands.state.wrong[0].drive
    with pytest.raises(Conflict, match="cannot be cancelled"):
        hands.say("cancel")


def test_the_wrong_drive_put_back_is_brought_up_to_date_and_it_goes_on() -> None:
    hands = bench(5)
    hands.go()
    hands.say("continue")
    assert hands.pull(6) is Phase.WRONG_PULLED
    assert state_of(hands, "B") is VirtualDriveState.DEGRADED
    assert hands.insert(6) is Phase.PULL
    assert "ReAddMember" in hands.kinds()
    assert "StartRebuild" not in hands.kinds()
    hands.go(30)
    assert hands.drive(6).state is DriveState.ONLINE
    assert hands.pull(5) is Phase.INSERT


def test_a_raid_5_that_stopped_lives_again_when_the_wrong_drive_is_back() -> None:
    hands = bench(2)
    hands.backend.fail(2)
    hands.go()
    hands.say("continue")
    hands.pull(1)
    assert state_of(hands, "A") is VirtualDriveState.FAILED
    hands.insert(1)
    hands.go(30)
    assert state_of(hands, "A") is VirtualDriveState.DEGRADED
    hands.pull(2)
    hands.insert_blank(2)
    assert hands.go(120) is Phase.DONE
    assert state_of(hands, "A") is VirtualDriveState.ONLINE


def test_a_wrong_drive_that_is_never_put_back_can_be_left_out() -> None:
    hands = bench(5)
    hands.go()
    hands.say("continue")
    hands.pull(6)
    assert hands.say("go_on") is Phase.PULL
    assert hands.pull(5) is Phase.INSERT


def test_a_free_drive_pulled_by_mistake_is_said_without_an_alarm() -> None:
    hands = bench(5, free=(9,))
    hands.go()
    hands.say("continue")
    assert hands.pull(9) is Phase.PULL
    assert "nothing is lost" in hands.needs()
    assert shown(hands.state, hands.now).alarm == ""


# -- the wrong insert --------------------------------------------------------------------------------------


def pulled(bay: int = 2) -> Bench:
    hands = bench(bay)
    hands.backend.fail(bay)
    hands.go()
    hands.say("continue")
    assert hands.pull(bay) is Phase.INSERT
    return hands


def test_the_same_drive_again_is_recognised() -> None:
    hands = pulled()
    assert hands.insert(2) is Phase.INSERT
    assert "is the drive that was taken out" in hands.needs()
    hands.pull(2)
    assert hands.insert_blank(2) is Phase.SETTLE


def test_a_drive_that_is_too_small_is_explained_with_both_sizes() -> None:
    hands = pulled()
    assert hands.insert_blank(2, DriveSpec(size_bytes=4 * TB)) is Phase.INSERT
    assert "too small: 4 TB, and 6 TB are needed" in hands.needs()


def test_a_larger_drive_is_taken() -> None:
    hands = pulled()
    assert hands.insert_blank(2, DriveSpec(size_bytes=8 * TB)) is Phase.SETTLE


def test_a_drive_of_another_box_is_not_erased() -> None:
    hands = pulled()
    hands.backend.insert_foreign(2)
    assert hands.go(60) is Phase.INSERT
    assert "another array" in hands.needs()
    assert "StartRebuild" not in hands.kinds()


def test_a_drive_in_another_bay_is_used_only_when_asked_to() -> None:
    hands = pulled()
    assert hands.insert_blank(10) is Phase.INSERT
    assert "the new drive is in bay 10" in hands.needs()
    assert "use_it" in actions_of(hands.state, hands.now)
    assert hands.say("use_it") is Phase.SETTLE
    assert hands.go(120) is Phase.DONE
    assert state_of(hands, "A") is VirtualDriveState.ONLINE


def test_a_new_drive_pulled_while_it_settles_is_waited_for_again() -> None:
    hands = pulled()
    hands.insert_blank(2)
    assert hands.pull(2) is Phase.INSERT
    assert hands.insert_blank(2) is Phase.SETTLE


def test_a_drive_that_smart_calls_failing_is_not_built_in() -> None:
    hands = pulled()
    hands.backend.insert_blank(2, DriveSpec())
    new = hands.drive(2)
    taken = step(hands.state, hands.now, hands.clock.now_us(), {new.id: "24 sectors are pending"})
    assert taken.state.phase is Phase.INSERT
    assert "24 sectors are pending" in taken.state.notice


# -- what is refused, and going back -----------------------------------------------------------------------


def test_the_last_good_copy_is_never_taken_out() -> None:
    hands = bench(2)
    hands.backend.fail(1)
    assert hands.go() is Phase.EXPLAIN
    assert actions_of(hands.state, hands.now) == ("cancel",)
    with pytest.raises(Conflict, match="would lose the data"):
        hands.say("continue")
    assert hands.done == []


def test_redundancy_lost_between_the_answer_and_the_act_stops_it() -> None:
    hands = bench(2)
    hands.go()
    hands.state = answer(hands.state, hands.now, "continue")
    hands.backend.fail(1)
    assert hands.go() is Phase.EXPLAIN
    assert "SetOffline" not in hands.kinds()


def test_a_drive_taken_out_goes_back_when_the_person_thinks_again() -> None:
    hands = bench(2)
    hands.go()
    hands.say("continue")
    assert state_of(hands, "A") is VirtualDriveState.DEGRADED
    hands.say("put_back")
    hands.go(60)
    assert hands.state.phase is Phase.CANCELLED
    assert state_of(hands, "A") is VirtualDriveState.ONLINE


def test_an_operation_that_changes_nothing_is_given_up_after_three_times() -> None:
    hands = bench(2)
    hands.go()
    state = answer(hands.state, hands.now, "continue")
    asked = 0
    for _ in range(10):
        taken = step(state, hands.now, 0)
        state = taken.state
        asked += taken.operation is not None
    assert asked == 3
    assert "nothing changed" in state.trouble
    view = shown(state, hands.now)
    assert view.state is JobState.WAITING
    assert "retry" in view.actions
    assert StepState.FAILED in {step.state for step in view.steps}
    assert step(answer(state, hands.now, "retry"), hands.now, 0).operation is not None


def test_every_phase_has_words() -> None:
    hands = bench(2)
    for phase in Phase:
        view = shown(replace(hands.state, phase=phase), hands.now, Phase.PULL)
        assert len(view.steps) == 8
        assert view.title.startswith("Replace the drive in bay 2 (serial ")
        assert (view.state is JobState.WAITING) == (
            phase in (Phase.EXPLAIN, Phase.PULL, Phase.WRONG_PULLED, Phase.INSERT)
        )


def test_an_inventory_that_could_not_be_read_is_no_box_that_was_emptied() -> None:
    hands = bench(5)
    hands.go()
    hands.say("continue")
    assert hands.state.phase is Phase.PULL
    assert step(hands.state, Inventory(), hands.clock.now_us()).state == hands.state

"""Whatever people pull, insert and answer, the guided replacement erases nothing that counts."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.chassis.facts import drives_erased, has_valid_data, home
from engine.chassis.replace_answers import actions_of
from engine.chassis.replace_state import ENDED, ReplaceState
from engine.chassis.replace_view import shown
from engine.wire_chassis import DriveState, JobState
from storage.errors import Conflict, DriveError, InvalidInput, NotFound
from storage.raid.inventory import Inventory
from storage.raid.operations import (
    AssignSpare,
    PrepareRemoval,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    SetOffline,
    StartRebuild,
)
from storage.raid.simulated_layout import TB, DriveSpec
from tests.engine.chassis.test_replace import Bench, bench

ALLOWED = (AssignSpare, PrepareRemoval, ReAddMember, ReleaseSpare, ReplaceMember, SetOffline, StartRebuild)
IT = -1
"""The bay of the replacement, or the first answer."""
MOVES = st.one_of(
    st.tuples(st.just("pull"), st.integers(0, 11)),
    st.tuples(st.just("insert"), st.integers(0, 11)),
    st.tuples(st.sampled_from(["blank", "small", "foreign", "fail"]), st.integers(0, 11)),
    st.tuples(st.just("answer"), st.integers(0, 3)),
    st.tuples(st.sampled_from(["answer", "pull", "insert", "blank", "foreign"]), st.just(IT)),
    st.tuples(st.just("wait"), st.sampled_from([1, 12, 60])),
)


class Truth:
    """Which drives hold valid data of an array, from outside of what the wizard believes."""

    def __init__(self, hands: Bench) -> None:
        self._hands = hands
        self._valid: dict[str, str] = {}
        self.look(hands.now)

    def look(self, inventory: Inventory) -> None:
        """A member that was online stays precious until its group has another in its place."""
        for drive in inventory.drives:
            if has_valid_data(inventory, drive):
                self._valid[drive.id] = drive.group
        full = {
            group.id
            for group in inventory.groups
            if all(
                (member := inventory.drive(id)) is not None and has_valid_data(inventory, member)
                for span in group.spans
                for id in span.drives
            )
        }
        for id, group in list(self._valid.items()):
            drive = inventory.drive(id)
            if group in full and (drive is None or drive.group != group):
                del self._valid[id]

    def judge(self, operation: RaidOperation, inventory: Inventory) -> None:
        assert isinstance(operation, ALLOWED), operation
        self.look(inventory)
        for id in drives_erased(operation):
            drive = inventory.drive(id)
            assert drive is not None
            assert drive.state in (DriveState.UNCONFIGURED_GOOD, DriveState.HOT_SPARE), drive
            assert not drive.foreign, drive
            assert not drive.foreign_group, drive
            assert id not in self._valid, drive
        if isinstance(operation, SetOffline):
            assert operation.drive == self._hands.state.drive
            drive = inventory.drive(operation.drive)
            assert drive is not None
            at_home = home(inventory, drive)
            assert at_home is not None
            assert not has_valid_data(inventory, drive) or at_home[1].can_lose >= 1
            self._valid.pop(operation.drive, None)


STARTS: dict[str, list[tuple[str, int]]] = {
    "explained": [],
    "taken out": [("answer", IT)],
    "copied": [("answer", IT), ("wait", 60)],
    "pulled": [("answer", IT), ("wait", 60), ("pull", IT)],
    "failed and pulled": [("fail", IT), ("answer", IT), ("pull", IT)],
}
"""How far it is before anything may happen: nothing much would come of most random beginnings."""


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    bay=st.sampled_from([1, 5, 9]),
    others=st.sampled_from(["spares", "free", "none"]),
    start=st.sampled_from(sorted(STARTS)),
    moves=st.lists(MOVES, max_size=20),
)
@example(bay=1, others="none", start="failed and pulled", moves=[("foreign", IT), ("wait", 12)])
@example(bay=1, others="none", start="explained", moves=[("foreign", 9), ("answer", IT)])
@example(bay=1, others="none", start="explained", moves=[("fail", 0), ("answer", IT)])
@example(bay=5, others="spares", start="taken out", moves=[("pull", 6), ("blank", 6), ("wait", 60)])
def test_no_sequence_of_pulls_inserts_and_answers_erases_what_counts(
    bay: int, others: str, start: str, moves: list[tuple[str, int]]
) -> None:
    hands = bench(bay, **{others: (9,)}) if others != "none" else bench(min(bay, 5))
    truth = Truth(hands)
    hands.watch = truth.judge
    hands.go()
    moves = [*STARTS[start], *moves]
    for verb, number in moves:
        if hands.state.phase in ENDED:
            break
        try:
            _move(hands, verb, number)
        except (Conflict, InvalidInput, NotFound, DriveError):
            continue  # no drive there, no such answer now
        truth.look(hands.now)
        view = shown(hands.state, hands.now)
        assert view.needs or view.state is not JobState.WAITING
    assert _is_sound(hands)


def _move(hands: Bench, verb: str, number: int) -> None:
    if number == IT:
        number = 0 if verb == "answer" else hands.state.bay or 0
    match verb:
        case "pull":
            hands.pull(number)
        case "insert":
            hands.insert(number)
        case "blank":
            hands.insert_blank(number)
        case "small":
            hands.insert_blank(number, DriveSpec(size_bytes=TB))
        case "foreign":
            hands.backend.insert_foreign(number)
            hands.go()
        case "fail":
            hands.backend.fail(number)
            hands.go()
        case "wait":
            hands.go(number)
        case _:
            # Seldom the end of it: the rest of the moves is to be seen too.
            actions = [a for a in actions_of(hands.state, hands.now) if a != "cancel" or number == 3]
            if number < len(actions):
                target = hands.now.drive_in(9)
                hands.say(actions[number], target.serial if target is not None else "")


def _is_sound(hands: Bench) -> bool:
    """It can be kept and taken up again as it is."""
    return msgspec.json.decode(msgspec.json.encode(hands.state), type=ReplaceState) == hands.state

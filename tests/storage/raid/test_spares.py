"""Rule 3: which spare is taken, and why another is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.raid.inventory import Drive, DriveGroup, Inventory, Span, Task, VirtualDrive
from storage.raid.spares import choose_spare, lost_places, may_rebuild_now, needed_bytes, why_not
from storage.raid.states import DriveState, RaidLevel, SpareKind, TaskKind, TaskState, VirtualDriveState

TB = 10**12


def drive(bay: int, size_tb: float = 6, **more: Any) -> Drive:
    fields: dict[str, Any] = {
        "controller": "sim",
        "serial": f"S{bay}",
        "side": "left" if bay < 4 else "right",
    }
    return Drive(id=f"d{bay}", bay=bay, coerced_bytes=int(size_tb * TB), **(fields | more))


def member(bay: int, **more: Any) -> Drive:
    return drive(bay, **({"state": DriveState.ONLINE, "group": "g", "span": 0, "slot": bay} | more))


def spare(bay: int, size_tb: float = 6, *groups: str, **more: Any) -> Drive:
    kind = SpareKind.DEDICATED if groups else SpareKind.GLOBAL
    fields: dict[str, Any] = {"state": DriveState.HOT_SPARE, "spare": kind, "spare_groups": groups}
    return drive(bay, size_tb, **(fields | more))


def box(
    *spares: Drive, level: RaidLevel = RaidLevel.RAID5, lost: int = 0, **more: Any
) -> tuple[Inventory, DriveGroup, Drive]:
    members = tuple(member(bay, **({"state": DriveState.FAILED} if bay == lost else {})) for bay in range(3))
    group = DriveGroup(
        id="g", name="A", level=level, controller="sim", spans=(Span(drives=tuple(m.id for m in members)),)
    )
    vd = VirtualDrive(id="v", name="A", group="g", level=level, state=VirtualDriveState.DEGRADED)
    inventory = Inventory(drives=members + spares, groups=(group,), virtual_drives=(vd,), **more)
    return inventory, group, members[lost]


def chosen(*spares: Drive, **more: Any) -> int | None:
    found = choose_spare(*box(*spares, **more))
    return None if found is None else found.bay


def test_the_smallest_that_is_large_enough_is_taken() -> None:
    assert chosen(spare(4, 12), spare(5, 8), spare(6, 5), spare(7, 10)) == 5


def test_a_dedicated_one_comes_before_a_closer_global_one() -> None:
    assert chosen(spare(4, 6), spare(5, 12, "g")) == 5


def test_affinity_comes_before_capacity_but_only_on_its_own_side() -> None:
    assert chosen(spare(3, 12, has_affinity=True), spare(5, 6)) == 3
    assert chosen(spare(5, 12, has_affinity=True), spare(6, 6)) == 6


def test_a_dedicated_one_comes_before_affinity() -> None:
    assert chosen(spare(3, 6, has_affinity=True), spare(6, 12, "g")) == 6


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (spare(5, 5.9), "too small"),
        (spare(5, 6, "other"), "another drive group"),
        (spare(5, 6, controller="c1"), "on controller c1"),
        (drive(5), "only an assigned one"),
    ],
)
def test_a_drive_that_does_not_fit_is_not_taken_and_the_reason_names_it(
    candidate: Drive, reason: str
) -> None:
    inventory, group, lost = box(candidate)
    assert choose_spare(inventory, group, lost) is None
    why = why_not(inventory, group, candidate, lost)
    assert reason in why
    assert "bay 5 (S5)" in why


@pytest.mark.parametrize("level", [RaidLevel.RAID0, RaidLevel.RAID00])
def test_levels_without_redundancy_have_no_spare(level: RaidLevel) -> None:
    assert chosen(spare(5, 6), level=level) is None


def test_a_lost_drive_nobody_knows_any_more_needs_the_size_of_its_group() -> None:
    inventory, group, _ = box()
    assert needed_bytes(inventory, group, Drive(id="missing-g-0")) == 6 * TB


SPARES = st.lists(
    st.builds(
        lambda size, groups, affinity, controller: (size, groups, affinity, controller),
        st.integers(4, 9),
        st.sampled_from([(), ("g",), ("other",), ("g", "other")]),
        st.booleans(),
        st.sampled_from(["sim", "c1"]),
    ),
    max_size=8,
)


@given(SPARES, st.integers(0, 2))
def test_the_choice_obeys_the_ranking_whatever_there_is(given_spares: list[Any], lost: int) -> None:
    spares = [
        spare(bay, size, *groups, has_affinity=affinity, controller=controller)
        for bay, (size, groups, affinity, controller) in enumerate(given_spares, start=3)
    ]
    inventory, group, failed = box(*spares, lost=lost)
    found = choose_spare(inventory, group, failed)
    fit = [
        s
        for s in spares
        if s.controller == "sim"
        and s.coerced_bytes >= 6 * TB
        and (not s.spare_groups or "g" in s.spare_groups)
    ]
    assert (found is None) == (not fit)
    if found is None:
        return
    assert found in fit
    if any(s.spare is SpareKind.DEDICATED for s in fit):
        assert found.spare is SpareKind.DEDICATED
    peers = [s for s in fit if s.spare is found.spare]
    near = [s for s in peers if s.has_affinity and s.side == failed.side]
    if near:
        assert found in near
    assert found.coerced_bytes == min(s.coerced_bytes for s in near or peers)


def test_places_to_fill_are_those_that_failed_are_missing_or_are_back_without_belonging() -> None:
    inventory, group, _ = box()
    back = tuple(
        member(1, group="", foreign_group="g", state=DriveState.FOREIGN) if d.id == "d1" else d
        for d in inventory.drives
    )
    places = lost_places(Inventory(drives=back, groups=(group,)), group)
    assert [(place.slot, place.drive.id) for place in places] == [(0, "d0"), (1, "d1")]


@pytest.mark.parametrize(("level", "waits"), [(RaidLevel.RAID6, True), (RaidLevel.RAID60, False)])
def test_raid_6_rebuilds_one_at_a_time_and_raid_60_two(level: RaidLevel, waits: bool) -> None:
    rebuild = Task(id="t", kind=TaskKind.REBUILD, state=TaskState.RUNNING, virtual_drive="v", drive="d1")
    inventory, group, _ = box(level=level, tasks=(rebuild,))
    assert bool(may_rebuild_now(inventory, group, 0)) is waits


def test_no_rebuild_starts_while_the_level_is_being_changed() -> None:
    task = Task(id="t", kind=TaskKind.MIGRATION, state=TaskState.RUNNING, virtual_drive="v")
    inventory, group, _ = box(tasks=(task,))
    assert "by hand" in may_rebuild_now(inventory, group, 0)


def test_no_rebuild_starts_in_one_span_when_another_has_lost_the_data() -> None:
    inventory, group, _ = box(level=RaidLevel.RAID50)
    lost = Span(drives=("x", "y", "z"), state=VirtualDriveState.FAILED)
    both = DriveGroup(id="g", name="A", level=group.level, controller="sim", spans=(*group.spans, lost))
    assert "more drives are lost" in may_rebuild_now(inventory, both, 0)

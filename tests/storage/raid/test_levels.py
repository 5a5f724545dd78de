"""The levels against the tables of the manual, and what must hold for every layout."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.errors import InvalidInput
from storage.raid import levels
from storage.raid.levels import LEVELS, MEGASR, check_layout, simple_layout, state_of, usable_bytes
from storage.raid.states import RaidLevel, VirtualDriveState

TB = 10**12
ALL = st.sampled_from(list(RaidLevel))


def named(*counts: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(f"s{s}d{d}" for d in range(count)) for s, count in enumerate(counts))


def check(level: str, *counts: int, **more: int) -> tuple[str, ...]:
    spans = named(*counts)
    return check_layout(RaidLevel(level), spans, {drive: TB for span in spans for drive in span}, **more)


@pytest.mark.parametrize(
    ("level", "counts"),
    [
        ("0", (1,)), ("0", (32,)), ("00", (1, 1)), ("00", (32,) * 8), ("1", (2,)), ("1", (32,)), ("5", (3,)), ("5", (32,)),
        ("6", (3,)), ("6", (32,)), ("10", (2, 2)), ("10", (2,) * 8), ("10", (32,) * 8), ("50", (3, 3)), ("50", (32,) * 8),
        ("60", (3, 3)), ("60", (32,) * 8),
    ],
)  # fmt: skip
def test_the_counts_of_the_tables_are_accepted(level: str, counts: tuple[int, ...]) -> None:
    check(level, *counts)


@pytest.mark.parametrize(
    ("level", "counts"),
    [
        ("0", ()), ("0", (33,)), ("0", (2, 2)), ("00", (2,)), ("00", (2,) * 9), ("1", (1,)), ("1", (3,)), ("1", (34,)),
        ("1", (2, 2)), ("5", (2,)), ("5", (33,)), ("6", (2,)), ("6", (33,)), ("10", (4,)), ("10", (3, 3)), ("10", (2,) * 9),
        ("50", (3,)), ("50", (2, 2)), ("50", (3,) * 9), ("60", (2, 2)), ("60", (6,)), ("50", (3, 4)),
    ],
)  # fmt: skip
def test_other_counts_are_refused_with_what_is_allowed(level: str, counts: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(level, *counts)
    assert refused.value.remedy


def test_raid_10_outside_the_table_is_allowed_with_a_note() -> None:
    assert any("table" in note for note in check("10", 2, 2, 2))
    assert check("10", 2, 2) == ()


@pytest.mark.parametrize("kib", [64, 128, 256, 512, 1024])
def test_stripes_are_powers_of_two_from_64_kib_to_1_mib(kib: int) -> None:
    check("5", 3, stripe_bytes=kib * 1024)


@pytest.mark.parametrize("stripe_bytes", [0, 32 * 1024, 96 * 1024, 2048 * 1024, 65537])
def test_other_stripes_are_refused(stripe_bytes: int) -> None:
    with pytest.raises(InvalidInput, match="stripe"):
        check("5", 3, stripe_bytes=stripe_bytes)


def test_a_megasr_controller_has_four_levels_and_eight_drives() -> None:
    spans = named(9)
    with pytest.raises(InvalidInput, match="8 drives"):
        check_layout(RaidLevel.RAID5, spans, dict.fromkeys(spans[0], TB), profile=MEGASR)
    with pytest.raises(InvalidInput, match="no RAID 6"):
        check_layout(RaidLevel.RAID6, named(4), dict.fromkeys(named(4)[0], TB), profile=MEGASR)
    assert levels.LSISAS2108.stripe_sizes[0] == 8 * 1024
    assert levels.INTEGRATED_MEGARAID.stripe_sizes == (64 * 1024,)


def test_a_drive_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        check_layout(RaidLevel.RAID5, (("a", "b", "a"),), {"a": TB, "b": TB})


@pytest.mark.parametrize(
    ("level", "spans", "drives"),
    [
        ("0", ((6, 6, 6, 6),), 24), ("00", ((6, 6), (6, 6)), 24), ("1", ((6, 6),), 6), ("1", ((6, 6, 6, 6),), 12),
        ("5", ((6, 6, 6, 6),), 18), ("6", ((6, 6, 6),), 6), ("10", ((6, 6), (6, 6)), 12), ("50", ((6, 6, 6), (6, 6, 6)), 24),
        ("60", ((6,) * 4, (6,) * 4), 24), ("5", ((6, 4, 6),), 8),
    ],
)  # fmt: skip
def test_capacities(level: str, spans: tuple[tuple[int, ...], ...], drives: int) -> None:
    assert usable_bytes(RaidLevel(level), [[n * TB for n in span] for span in spans]) == drives * TB


@pytest.mark.parametrize(
    ("level", "lost", "state", "more"),
    [
        ("0", (1,), "failed", 0), ("00", (0, 1), "failed", 0), ("1", (1,), "degraded", 0), ("5", (0,), "online", 1),
        ("5", (1,), "degraded", 0), ("5", (2,), "failed", 0), ("6", (1,), "partially_degraded", 1), ("6", (2,), "degraded", 0),
        ("6", (3,), "failed", 0), ("10", (1, 1, 1, 1), "degraded", 0), ("10", (2, 0, 0, 0), "failed", 0),
        ("50", (1, 0), "degraded", 0), ("50", (2, 0), "failed", 0), ("60", (1, 1), "partially_degraded", 1),
        ("60", (2, 0), "degraded", 0), ("60", (3, 0), "failed", 0), ("60", (0, 0), "online", 2),
    ],
)  # fmt: skip
def test_the_state_follows_the_losses_in_each_span(
    level: str, lost: tuple[int, ...], state: str, more: int
) -> None:
    assert state_of(RaidLevel(level), lost) == VirtualDriveState(state)
    assert levels.can_lose(RaidLevel(level), lost) == more


def test_four_losses_in_four_mirrors_survive_and_two_in_one_do_not() -> None:
    assert levels.can_lose_at_best(RaidLevel.RAID10, (0, 0, 0, 0)) == 4
    assert levels.can_lose_at_best(RaidLevel.RAID10, (2, 0, 0, 0)) == 0
    assert levels.can_lose_at_best(RaidLevel.RAID60, (0,) * 8) == 16


@given(ALL, st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_one_more_loss_never_makes_it_better_and_failed_is_when_a_span_lost_too_many(
    level: RaidLevel, lost: list[int]
) -> None:
    order = [
        VirtualDriveState.ONLINE,
        VirtualDriveState.PARTIALLY_DEGRADED,
        VirtualDriveState.DEGRADED,
        VirtualDriveState.FAILED,
    ]
    before = state_of(level, lost)
    assert (before is VirtualDriveState.FAILED) == any(n > LEVELS[level].tolerance for n in lost)
    for span in range(len(lost)):
        more = [n + (index == span) for index, n in enumerate(lost)]
        assert order.index(state_of(level, more)) >= order.index(before)
        if levels.can_lose(level, lost) > 0:
            assert state_of(level, more) is not VirtualDriveState.FAILED
    if before is VirtualDriveState.PARTIALLY_DEGRADED:
        assert level in (RaidLevel.RAID6, RaidLevel.RAID60)


@given(ALL, st.integers(1, 40), st.integers(0, 4), st.integers(0, 8))
def test_a_simple_layout_can_be_made_and_names_each_drive_once(
    level: RaidLevel, count: int, virtual_drives: int, spans: int
) -> None:
    drives = [f"d{n}" for n in range(count)]
    try:
        layout = simple_layout(level, drives, virtual_drives, spans)
    except InvalidInput:
        assume(False)
    used = [drive for vd in layout.virtual_drives for span in vd for drive in span]
    assert sorted(used + list(layout.left_over)) == sorted(drives)
    assert len({sum(map(len, vd)) for vd in layout.virtual_drives}) == 1
    for vd in layout.virtual_drives:
        check_layout(level, vd, dict.fromkeys(drives, TB))


@given(ALL, st.integers(1, 64))
def test_a_level_offered_for_a_count_can_be_made_of_it(level: RaidLevel, count: int) -> None:
    reason = levels.level_for(count)[level]
    drives = [f"d{n}" for n in range(count)]
    try:
        left_over = simple_layout(level, drives, 1).left_over
    except InvalidInput:
        assert reason
    else:
        assert bool(reason) == bool(left_over)


def test_the_recommended_set_up_is_raid_5_of_four_drives() -> None:
    assert len(simple_layout(levels.DEFAULT_LEVEL, named(4)[0]).virtual_drives) == 1
    eight = simple_layout(levels.DEFAULT_LEVEL, named(8)[0])
    assert [len(vd[0]) for vd in eight.virtual_drives] == [4, 4]
    assert [len(vd[0]) for vd in simple_layout(RaidLevel.RAID5, named(16)[0], 2).virtual_drives] == [8, 8]
    assert simple_layout(RaidLevel.RAID5, named(8)[0], 1).virtual_drives[0] == (named(8)[0],)
    assert simple_layout(RaidLevel.RAID5, named(7)[0], 2).left_over == (named(7)[0][6],)


def test_background_initialisation_needs_five_and_seven_drives_to_start_by_itself() -> None:
    assert levels.initialisation_by_hand(RaidLevel.RAID5, 4)
    assert not levels.initialisation_by_hand(RaidLevel.RAID5, 5)
    assert levels.initialisation_by_hand(RaidLevel.RAID6, 6)
    assert not levels.initialisation_by_hand(RaidLevel.RAID6, 7)
    assert not levels.initialisation_by_hand(RaidLevel.RAID1, 2)


@given(ALL)
def test_every_level_says_what_it_is_good_for_and_what_not(level: RaidLevel) -> None:
    assert len(levels.help_text(level).splitlines()) == 4


def test_a_mirror_on_linux_md_is_one_pair() -> None:
    assert "RAID 1 has 2 drives on Linux md" in levels.level_for(4, levels.LINUX_MD)[RaidLevel.RAID1]
    assert levels.level_for(2, levels.LINUX_MD)[RaidLevel.RAID1] == ""
    assert levels.level_for(4)[RaidLevel.RAID1] == ""


@given(count=st.integers(1, 64))
def test_drives_divide_into_every_choice_of_spans(count: int) -> None:
    for level in RaidLevel:
        for spans in levels.span_choices(level, count):
            made = levels.simple_layout(level, [str(n) for n in range(count)], 1, spans)
            assert len(made.virtual_drives[0]) == spans
            assert made.left_over == ()

"""What was stored, read for a region; and which footage nobody looked at."""

from __future__ import annotations

from engine.search.stored import HOLD_US, search_blocks, split_looks, unseen
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import MotionLook, encode_block
from storage.units import Interval

S = 1_000_000
T0 = 1_767_225_600 * S
FIRST, LAST = 1 << 575, 1


def block(start_s: int, cells: list[int], step_s: int = 1) -> MotionBlock:
    looks = [MotionLook(T0 + (start_s + each * step_s) * S, bits) for each, bits in enumerate(cells)]
    return MotionBlock(1, looks[0].time_us, looks[-1].time_us, sum(map(bool, cells)), encode_block(looks))


def window(start_s: int, end_s: int) -> Interval:
    return Interval(T0 + start_s * S, T0 + end_s * S)


def test_only_what_moves_inside_the_region_counts() -> None:
    blocks = [block(0, [0, FIRST, FIRST | LAST, 0]), block(4, [LAST] * 3)]
    found = search_blocks(blocks, window(0, 100), FIRST, 1)
    assert found.looks == 7
    assert found.moments == [(T0 + 1 * S, T0 + 2 * S, 1), (T0 + 2 * S, T0 + 3 * S, 1)]
    assert search_blocks(blocks, window(0, 100), FIRST | LAST, 2).moments == [(T0 + 2 * S, T0 + 3 * S, 2)]


def test_looks_outside_of_the_window_are_another_windows() -> None:
    blocks = [block(0, [FIRST] * 10)]
    found = search_blocks(blocks, window(3, 6), FIRST, 1)
    assert [start_us - T0 for start_us, _, _ in found.moments] == [3 * S, 4 * S, 5 * S]
    assert (found.looks, found.seen) == (3, [window(3, 6)])


def test_motion_seen_at_a_rare_look_is_not_taken_to_last_until_the_next() -> None:
    (moment,) = search_blocks([block(0, [FIRST, 0], step_s=30)], window(0, 60), FIRST, 1).moments
    assert moment[1] - moment[0] == HOLD_US


def test_what_nobody_looked_at_for_a_minute_is_unseen() -> None:
    recorded = [window(0, 1_000)]
    assert unseen(recorded, [window(0, 500), window(560, 1_000)]) == []
    assert unseen(recorded, [window(0, 400), window(500, 900)]) == [window(400, 500), window(900, 1_000)]
    assert unseen(recorded, [window(100, 950)]) == [window(0, 100)]
    assert unseen(recorded, []) == recorded


def test_a_short_recording_without_any_look_is_unseen_and_one_with_looks_is_not() -> None:
    clips = [window(0, 20), window(100, 120), window(200, 220)]
    assert unseen(clips, [window(105, 112)]) == [clips[0], clips[2]]
    assert unseen([], [window(0, 9)]) == []


def test_looks_are_split_where_nobody_looked() -> None:
    looks = [MotionLook(T0 + second * S, 0) for second in (0, 30, 90, 151, 152)]
    assert [len(part) for part in split_looks(looks)] == [3, 2]

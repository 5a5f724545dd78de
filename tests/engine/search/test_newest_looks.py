"""Looks in memory and looks in the catalog are one: whatever was noted is found, once, however it is on its way. Against brute force."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.motion_index import MotionIndex
from engine.search.stored import newest, on_disk, span_of
from engine.wire_search import ActivityQuery, MotionDecoding, MotionSearchView
from storage.catalog.motion_looks import SEEN_GAP_US, MotionLook
from storage.units import Interval
from tests.engine.search.yard import SECOND, T0, Yard
from tests.fakes.direct_catalog import DirectCatalog
from tests.storage.catalog.footage import add_segment, begin_run

HOURS_US = 4 * 3600 * SECOND
START_US = T0 + HOURS_US // 2

steps = st.one_of(
    st.tuples(st.just("look"), st.integers(400, 90_000), st.integers(0, 3)),
    st.tuples(st.just("look"), st.integers(900, 1_100), st.integers(0, 1)),
    st.tuples(st.just("clock"), st.sampled_from([-600_000, -30_000, -1_000]), st.just(0)),
    st.tuples(st.just("flush"), st.sampled_from([20_000, 0]), st.just(0)),
)
"""What happens, milliseconds, cells that move."""


SET_BACK = [
    ("look", 400, 1),
    ("look", 1_000, 1),
    ("flush", 20_000, 0),
    ("clock", -600_000, 0),
    ("look", 400, 1),
    ("flush", 20_000, 0),
    ("look", 60_000, 1),
]
"""The first block is behind the newest, which began before it."""


@settings(max_examples=150)
@given(
    st.lists(steps, min_size=1, max_size=80),
    st.sampled_from([-3_600_000, -700_000, 0, 5_000]) | st.integers(-3_600_000, 3_600_000),
    st.integers(1, 7_200_000),
)
@example(SET_BACK, -3_600_000, 7_199_000)
def test_every_look_is_found_once_wherever_it_is(
    happened: list[tuple[str, int, int]], from_ms: int, length_ms: int
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(played(Path(folder), happened, START_US + from_ms * 1_000, length_ms * 1_000))


async def played(folder: Path, happened: list[tuple[str, int, int]], start_us: int, length_us: int) -> None:
    catalog = DirectCatalog(folder / "catalog.db")
    yard = Yard(catalog, folder)
    opened = catalog._catalog
    run = begin_run(opened, yard.camera.id)
    add_segment(opened, run, 0, yard.volume_id, T0, T0 + HOURS_US)
    index = MotionIndex(catalog, yard.clock, lambda: [])
    yard.search._recent = index.recent
    time_us, noted = START_US, dict[int, int]()
    for what, ms, cells in happened:
        if what == "flush":
            await at(yard, time_us + ms * 1_000)
            await index.flush()
            continue
        time_us += ms * 1_000
        seen_us = (time_us // 1_000 + 1) * 1_000
        if what == "look" and seen_us not in noted and T0 < seen_us < T0 + HOURS_US:
            index.note(yard.camera.uuid, time_us, ((1 << cells) - 1).to_bytes(72))
            noted[seen_us] = cells
    running = asyncio.create_task(yard.search.run())
    await asyncio.sleep(0)
    try:
        end_us = min(start_us + length_us, T0 + HOURS_US)
        view = await yard.find(
            start_us=start_us, end_us=end_us, decoding=MotionDecoding.NEVER, join_s=0, limit=5_000
        )
        check(view, {each: cells for each, cells in noted.items() if start_us <= each < end_us})
        bars = await yard.search.activity(
            yard.camera, ActivityQuery(camera="yard", start_us=start_us, end_us=end_us, bins=1)
        )
        if view.hits:
            assert bars.bins[0] > 0
        elif not any(cells for each, cells in noted.items() if start_us - SEEN_GAP_US <= each < end_us):
            assert bars.bins[0] == 0, "a look stands for the time to the next, at most a minute"
    finally:
        running.cancel()
        await asyncio.wait([running])
        yard.files.shutdown()
        catalog.close()


async def at(yard: Yard, now_us: int) -> None:
    yard.clock.step(now_us - yard.clock.now_us())


def check(view: MotionSearchView, noted: dict[int, int]) -> None:
    """By brute force over all that was noted."""
    assert view.stored_looks == len(noted)
    moving = [each for each, cells in noted.items() if cells]
    for each in moving:
        assert any(hit.start_us <= each < hit.end_us for hit in view.hits)
    for hit in view.hits:
        assert hit.start_us in moving
        assert (
            noted[hit.peak_us]
            == hit.peak_cells
            == max(noted[each] for each in moving if hit.start_us <= each < hit.end_us)
        )


def test_nothing_in_memory_holds_no_block_back() -> None:
    assert span_of([]) is None
    assert newest([], []).looks == []


@given(
    st.lists(st.tuples(st.integers(0, 1_000), st.integers(1, 50)), max_size=30),
    st.lists(st.integers(0, 1_100), unique=True, max_size=40),
)
def test_which_looks_are_on_disk(parts: list[tuple[int, int]], times: list[int]) -> None:
    recorded: list[Interval] = []
    for start, length in sorted(parts):
        if not recorded or start > recorded[-1].end_us:
            recorded.append(Interval(start, start + length))
    looks = [MotionLook(each, 0) for each in times]
    assert on_disk(looks, recorded) == [
        look for look in looks if any(each.start_us <= look.time_us <= each.end_us for each in recorded)
    ]

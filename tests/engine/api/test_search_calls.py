"""Searching in footage through the real client and server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from engine import wire
from engine.decoding import TIME_LIMIT_US
from engine.wire_search import MotionDecoding, MotionSearch, SearchState
from storage import errors
from storage.catalog.motion_blocks import MotionBlock
from storage.catalog.motion_looks import MotionLook, encode_block
from tests.fakes.station import FakeStation
from tests.storage.catalog.footage import SECOND, T0, add_segment, add_volume, begin_run

CORNER = ((0, 0), (300, 0), (300, 500), (0, 500))


async def recorded_yard(station: FakeStation) -> None:
    """Five minutes, in the third of which something moves in the upper left cell."""
    camera = await station.client.add_camera(wire.CameraAdd(name="yard", url="rtsp://10.0.0.9/main"))

    def fill(catalog):  # type: ignore[no-untyped-def]
        volume_id, run = add_volume(catalog), begin_run(catalog, camera.id)
        for minute in range(5):
            start_us = T0 + minute * 60 * SECOND
            add_segment(catalog, run, minute, volume_id, start_us, start_us + 60 * SECOND)

    writer = station.catalog
    await asyncio.get_running_loop().run_in_executor(writer._writer, fill, writer._write_catalog)
    looks = [MotionLook(T0 + each * SECOND, 1 << 575 if 120 <= each < 130 else 0) for each in range(290)]
    block = MotionBlock(camera.id, looks[0].time_us, looks[-1].time_us, 10, encode_block(looks))
    await station.catalog.write("put_motion_blocks", [block])


def asked(**fields: object) -> MotionSearch:
    return MotionSearch(**{"camera": "yard", "start_us": T0, "end_us": T0 + 300 * SECOND, **fields})  # type: ignore[arg-type]


async def test_the_answer_from_stored_motion_is_whole_at_once(station: FakeStation) -> None:
    await recorded_yard(station)
    view = await station.client.search_motion(asked(polygon=CORNER))
    assert (view.state, view.stored_looks, view.camera) == (SearchState.DONE, 290, "yard")
    (hit,) = view.hits
    assert ((hit.start_us - T0) // SECOND, (hit.end_us - T0) // SECOND, hit.peak_cells) == (120, 130, 1)
    assert await station.client.motion_search(view.id, wait_ms=1_000) == view
    elsewhere = ((5_000, 5_000), (10_000, 5_000), (10_000, 10_000))
    assert (await station.client.search_motion(asked(polygon=elsewhere))).hits == ()
    await station.client.cancel_motion_search(view.id)
    assert (await station.client.motion_search(view.id)).state is SearchState.DONE, "it had ended"


async def test_footage_that_is_not_there_is_counted_not_guessed(station: FakeStation) -> None:
    """The catalog knows files that no disk has."""
    await recorded_yard(station)
    view = await station.client.search_motion(asked(decoding=MotionDecoding.ALWAYS))
    while view.state is SearchState.RUNNING:
        view = await station.client.motion_search(view.id, wait_ms=20_000)
    assert (view.state, view.decoded_looks, view.unseen_us) == (SearchState.DONE, 0, 300 * SECOND)


async def test_activity_has_a_bar_where_something_moved(station: FakeStation) -> None:
    await recorded_yard(station)
    view = await station.client.activity("yard", T0 - 60 * SECOND, T0 + 300 * SECOND, 6)
    assert [bar > 0 for bar in view.bins] == [False, False, False, True, False, False]
    assert view.bins[0] == -1
    assert view.seen == (False, True, True, True, True, True)


async def test_refusals_name_what_is_wrong(station: FakeStation) -> None:
    await recorded_yard(station)
    with pytest.raises(errors.NotFound):
        await station.client.search_motion(asked(camera="nobody"))
    with pytest.raises(errors.InvalidInput, match="polygon"):
        await station.client.search_motion(asked(polygon=((0, 0), (1, 1))))
    with pytest.raises(errors.InvalidInput):
        await station.client.activity("yard", T0, T0, 10)
    with pytest.raises(errors.NotFound):
        await station.client.motion_search("nonsense")


FAR = (TIME_LIMIT_US - 1, TIME_LIMIT_US, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


@pytest.mark.parametrize("far_us", FAR)
async def test_moments_beyond_all_calendars_are_refused_or_answered_and_never_a_defect(
    far_us: int, station: FakeStation
) -> None:
    """Pictures, activity, searches, the timeline and lists, as times and as ends."""
    await recorded_yard(station)
    client = station.client
    calls = [
        client.picture(wire.PictureRequest(camera="yard", at_us=far_us)),
        client.picture(wire.PictureRequest(camera="yard", at_us=far_us, step=1)),
        client.picture(wire.PictureRequest(camera="yard", at_us=far_us, step=-1, exact=True)),
        client.picture(wire.PictureRequest(camera="yard", at_us=max(-far_us, -(1 << 63)), step=1)),
        client.picture(wire.PictureRequest(camera="yard", newer_than_us=far_us)),
        client.picture(wire.PictureRequest(camera="yard", colors=far_us)),
        client.picture(wire.PictureRequest(camera="yard", image_id=far_us)),
        client.activity("yard", far_us - 1_000_000, far_us, 10),
        client.activity("yard", 0, far_us, 10),
        client.search_motion(asked(start_us=far_us - SECOND, end_us=far_us)),
        client.search_motion(asked(end_us=far_us)),
        client.timeline([], T0, far_us),
        client.timeline([], far_us - 1, far_us),
        client.recordings(None, T0, far_us),
        client.gaps(None, T0, far_us),
        client.locks(None, T0, far_us),
    ]
    for call in calls:
        assert await code_of(call) in {"", "invalid_input", "picture_unavailable"}


async def code_of(call: Awaitable[object]) -> str:
    """Empty when it was answered."""
    try:
        await call
    except errors.WatchdeckError as error:
        return error.code
    return ""


async def test_a_number_in_a_path_that_no_catalog_has_room_for_is_bad_input(station: FakeStation) -> None:
    with pytest.raises(errors.InvalidInput, match="64 bits"):
        await station.client.remove_lock(1 << 63)

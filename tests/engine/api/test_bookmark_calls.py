"""Bookmarks through the real client and server to the real catalog."""

from __future__ import annotations

import msgspec
import pytest

from engine import wire
from engine.wire_bookmarks import BookmarkAdd, BookmarkEdit, BookmarkQuery
from engine.wire_evidence import CaseAdd, CaseItemAdd
from engine.wire_sources import AlarmSettings, PreservationSettings
from storage import errors
from storage.units import US_PER_DAY
from tests.fakes.station import FakeStation

SECOND = 1_000_000


async def yard(station: FakeStation) -> int:
    """Adds the camera; returns the station's now."""
    await station.client.add_camera(wire.CameraAdd(name="yard", url="rtsp://10.0.0.9/main"))
    return station.clock.now_us()


async def test_a_bookmark_is_ten_seconds_with_a_lock_and_an_event_each_time(station: FakeStation) -> None:
    now_us = await yard(station)
    made = await station.client.add_bookmark(
        BookmarkAdd(
            camera="YARD".lower(), start_us=now_us - 5 * SECOND, name=" a \x1b[31m red\nvan ", note="x\ny"
        )
    )
    assert made.end_us - made.start_us == 10 * SECOND
    assert (made.name, made.note) == ("a [31m red van", "x\ny")
    assert (made.is_valid, made.is_protected, made.expires_us) == (True, True, None)
    assert made.created_by
    (lock,) = await station.client.locks(start_us=0, end_us=now_us + US_PER_DAY)
    assert (lock.start_us, lock.end_us) == (made.start_us, made.end_us)
    assert await station.client.bookmark(made.id) == made
    edited = await station.client.edit_bookmark(made.id, BookmarkEdit(name="van", keep_days=2))
    assert edited == msgspec.structs.replace(made, name="van", expires_us=now_us + 2 * US_PER_DAY)
    await station.client.remove_bookmark(made.id)
    assert await station.client.locks(start_us=0, end_us=now_us + US_PER_DAY) == ()
    with pytest.raises(errors.NotFound):
        await station.client.bookmark(made.id)
    await station.events.flush()
    told = [each for each in await station.client.events(limit=20) if each.kind.startswith("bookmark.")]
    assert [each.kind for each in told] == ["bookmark.removed", "bookmark.edited", "bookmark.added"]
    assert {each.source for each in told} == {"yard"}
    assert all(each.actor for each in told)


async def test_how_long_it_is_kept_is_the_preservation_settings_word(station: FakeStation) -> None:
    now_us = await yard(station)
    await station.client.edit_alarm_settings(
        AlarmSettings(preservation=PreservationSettings(bookmark_days=30))
    )
    by_default = await station.client.add_bookmark(BookmarkAdd(camera="yard", start_us=now_us))
    asked = await station.client.add_bookmark(BookmarkAdd(camera="yard", start_us=now_us, keep_days=1))
    assert by_default.expires_us == now_us + 30 * US_PER_DAY
    assert asked.expires_us == now_us + US_PER_DAY


async def test_pages_follow_each_other(station: FakeStation) -> None:
    now_us = await yard(station)
    for number in range(5):
        await station.client.add_bookmark(
            BookmarkAdd(camera="yard", start_us=now_us - number * SECOND, name=str(number))
        )
    pages, resume = [], ""
    while True:
        page = await station.client.bookmarks(BookmarkQuery(limit=2, before=resume))
        pages.append([each.name for each in page.bookmarks])
        if not (resume := page.resume):
            break
    assert pages == [["0", "1"], ["2", "3"], ["4"]]
    with pytest.raises(errors.InvalidInput, match="resume"):
        await station.client.bookmarks(BookmarkQuery(before="yesterday"))


async def test_what_makes_no_sense_is_refused_with_the_reason(station: FakeStation) -> None:
    now_us = await yard(station)
    hour_us = 3600 * SECOND
    for start_us, end_us, why in (
        (now_us, now_us, "ends after"),
        (now_us - 25 * hour_us, now_us, "24 hours"),
        (now_us, now_us + hour_us + 1, "future"),
    ):
        with pytest.raises(errors.InvalidInput, match=why):
            await station.client.add_bookmark(BookmarkAdd(camera="yard", start_us=start_us, end_us=end_us))
    with pytest.raises(errors.NotFound):
        await station.client.add_bookmark(BookmarkAdd(camera="gate", start_us=now_us))
    made = await station.client.add_bookmark(BookmarkAdd(camera="yard", start_us=now_us))
    with pytest.raises(errors.InvalidInput, match="future"):
        await station.client.edit_bookmark(made.id, BookmarkEdit(end_us=now_us + 2 * hour_us))


async def test_where_nothing_is_recorded_there_is_nothing_to_mark(station: FakeStation) -> None:
    """Somebody mistyped the year."""
    now_us = await yard(station)
    then_us = now_us - 365 * US_PER_DAY
    with pytest.raises(errors.NotFound, match="nothing of camera yard is recorded in that stretch"):
        await station.client.add_bookmark(BookmarkAdd(camera="yard", start_us=then_us))
    assert (await station.client.bookmarks(BookmarkQuery())).bookmarks == ()
    case = await station.client.add_case(CaseAdd(name="door"))
    with pytest.raises(errors.NotFound, match="nothing of camera yard is recorded in that stretch"):
        await station.client.add_case_item(
            case.name, CaseItemAdd(camera="yard", start_us=then_us, end_us=then_us + SECOND)
        )
    assert (await station.client.case(case.name)).items == ()

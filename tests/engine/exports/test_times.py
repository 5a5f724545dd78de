"""Times that no calendar holds: a clear 400 everywhere, and nothing of them is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from engine.decoding import _TIME_FLOOR_US, TIME_LIMIT_US
from engine.exports.names import local_moment
from engine.wire_evidence import CaseAdd, CaseItemAdd
from tests.engine.exports.conftest import at
from tests.fakes.station import FakeStation

HOUR = 3_600_000_000
YEAR_10000 = 253_402_300_800_000_000
WRONG = (2**63, 2**63 - 1, 2**64, 10**400, -(2**63), -(2**63) - 1, YEAR_10000, 2**53 * 1000)

Body = Callable[[int, int], Any]


def export(start: int, end: int) -> Any:
    return {"ranges": [{"camera": "gate", "start_us": start, "end_us": end}]}


def masked(start: int, end: int) -> Any:
    mask = {"left": 0, "top": 0, "width": 9, "height": 9, "start_us": start, "end_us": end}
    return {"ranges": [{"camera": "gate", "start_us": at(0), "end_us": at(4), "masks": [mask]}]}


def stretch(start: int, end: int) -> Any:
    return {"camera": "gate", "start_us": start, "end_us": end}


def only(start: int, end: int) -> Any:
    return {"start_us": start, "end_us": end}


def made(start: int, end: int) -> Any:
    return {"made_start_us": start, "made_end_us": end}


CALLS: dict[str, tuple[str, str, Body]] = {
    "plan": ("POST", "/v1/export-jobs/plan", export),
    "start": ("POST", "/v1/export-jobs", export),
    "mask": ("POST", "/v1/export-jobs", masked),
    "case item": ("POST", "/v1/cases/c/items", stretch),
    "another stretch": ("PATCH", "/v1/cases/c/items/1", only),
    "bookmark": ("POST", "/v1/bookmarks", stretch),
    "bookmark edited": ("PATCH", "/v1/bookmarks/1", only),
    "bookmarks": ("POST", "/v1/bookmarks/query", only),
    "bookmarks made": ("POST", "/v1/bookmarks/query", made),
    "link": ("POST", "/v1/video-links", stretch),
    "lock": ("POST", "/v1/locks", stretch),
}


async def asked(station: FakeStation, method: str, path: str, body: Any) -> tuple[int, Any]:
    connector = aiohttp.UnixConnector(path=str(station.client.socket_path))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, f"http://engine{path}", data=json.dumps(body)) as response,
    ):
        return response.status, await response.json()


@pytest.mark.parametrize("call", CALLS)
async def test_what_no_calendar_holds_is_refused_in_words(
    station: FakeStation, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    await station.client.add_case(CaseAdd(name="c"))
    await station.client.add_case_item("c", CaseItemAdd(camera="gate", start_us=at(0), end_us=at(2)))
    method, path, body = CALLS[call]
    for wrong in WRONG:
        for start, end in ((wrong, wrong + HOUR), (at(0), wrong), (wrong, at(4))):
            status, answer = await asked(station, method, path, body(start, end))
            assert status == 400, (start, end, answer)
            assert answer["code"] == "invalid_input"
    assert "Traceback" not in caplog.text
    assert await station.client.export_jobs() == ()


async def test_times_in_a_query_string_too(station: FakeStation) -> None:
    for path in ("/v1/exports", "/v1/exports/plan"):
        for wrong in WRONG:
            query = f"?camera=gate&start_us={wrong}&end_us={wrong + HOUR}"
            status, answer = await asked(station, "GET", path + query, None)
            assert status == 400, answer


async def test_a_link_to_more_than_a_day_is_refused(station: FakeStation) -> None:
    """Its index would be built in memory, by whoever has the address."""
    status, answer = await asked(station, "POST", "/v1/video-links", stretch(at(0), at(25 * 3600)))
    assert (status, answer["what"]) == (400, "a clip holds at most 24 hours")


async def test_a_link_to_nothing_is_refused_at_once(station: FakeStation) -> None:
    """Not with a 404 in a player, on another machine, behind a tunnel."""
    for start, end in ((at(-7200), at(-3600)), (at(5), at(9)), (at(86400), at(90000))):
        status, answer = await asked(station, "POST", "/v1/video-links", stretch(start, end))
        assert (status, answer["what"]) == (404, "nothing of camera gate is recorded in that stretch")
    assert (await station.client.video_links()) == ()
    status, answer = await asked(station, "POST", "/v1/video-links", stretch(at(3), at(9)))
    assert (status, answer["camera"]) == (201, "gate")


async def test_a_case_reaches_not_into_the_future(station: FakeStation) -> None:
    await station.client.add_case(CaseAdd(name="c"))
    case = await station.client.add_case_item("c", CaseItemAdd(camera="gate", start_us=at(0), end_us=at(2)))
    item = f"/v1/cases/c/items/{case.items[0].id}"
    later = station.clock.now_us() + HOUR
    for method, path, body in (
        ("POST", "/v1/cases/c/items", stretch(later, later + HOUR)),
        ("PATCH", item, only(later, later + HOUR)),
    ):
        status, answer = await asked(station, method, path, body)
        assert (status, answer["what"]) == (400, "that stretch is in the future")
    (lock,) = await station.catalog.read("locks")
    assert (lock.start_us, lock.end_us) == (at(0), at(2))


@pytest.mark.parametrize("zone", ["UTC", "UTC-14", "UTC+12"])
def test_every_moment_a_call_may_name_has_words(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """The first and the last hours of the calendar are in no year of some zones."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert local_moment(TIME_LIMIT_US - 1).year == 9999
        assert local_moment(_TIME_FLOOR_US).year == 1
    finally:
        monkeypatch.undo()
        time.tzset()

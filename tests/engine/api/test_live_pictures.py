"""Live pictures: waiting for a newer one, second streams, and callers who do not wait for the answer."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from engine import wire
from engine.api import live_pictures
from engine.api.handlers_pictures import picture_of
from engine.client import EngineClient
from engine.pictures.keyframe import KeyframeSource
from storage.camera_url import PLACEHOLDER
from storage.errors import CameraUnreachable, InvalidInput, PictureUnavailable
from storage.segments.packet import Codec, Packet, Track
from tests.fakes.station import H264, FakeKeyframe, FakeStation

SECOND = 1_000_000
SUB_TRACK = Track(codec=Codec.H264, time_base_hz=90_000, width=640, height=360)
LIVE_URL = "rtsp://192.0.2.1/b"


async def gate(station: FakeStation, live_url: str = "") -> UUID:
    added = await station.client.add_camera(
        wire.CameraAdd(name="Gate", url="rtsp://192.0.2.1/a", user="u", password="secret", live_url=live_url)
    )
    return UUID(added.uuid)


def show(station: FakeStation, camera: UUID, time_us: int) -> None:
    station.recording.newest[camera] = FakeKeyframe(b"main", H264, time_us)
    station.recording.keyframes.arrived(camera)


class HeldSource:
    """A camera's second stream: connected, and sends when the test says so."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.error = error
        self.sink = None
        self.is_ended = asyncio.Event()

    async def run(self, sink) -> None:  # type: ignore[no-untyped-def]
        if self.error is not None:
            raise self.error
        sink.tracks_changed((SUB_TRACK,))
        self.sink = sink
        try:
            await asyncio.Event().wait()
        finally:
            self.is_ended.set()

    async def connected(self) -> None:
        while self.sink is None:
            await asyncio.sleep(0.001)

    def send(self, station: FakeStation) -> int:
        now_us = station.clock.monotonic_us()
        self.sink.packet(Packet(0, 0, True, b"sub", now_us))  # type: ignore[attr-defined]
        return station.clock.now_us()


SMALL = wire.PictureRequest(camera="Gate", width_px=320)


# -- waiting ---------------------------------------------------------------------------------------------


async def test_a_newer_picture_is_waited_for_and_wakes_its_waiters_at_once(station: FakeStation) -> None:
    camera = await gate(station)
    show(station, camera, 1000)
    asked = wire.PictureRequest(camera="Gate", newer_than_us=1000, wait_ms=20_000)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(picture_of(station.services, asked)) for _ in range(3)]
        while station.recording.keyframes.waiting < 3:
            await asyncio.sleep(0)
        show(station, camera, 1000)
        while station.recording.keyframes.waiting < 3:  # the same again is no news
            await asyncio.sleep(0)
        show(station, camera, 2000)
    assert [task.result().time_us for task in waiting] == [2000] * 3
    assert station.recording.keyframes.waiting == 0


async def test_without_a_newer_picture_the_answer_is_that_it_is_unchanged(station: FakeStation) -> None:
    camera = await gate(station)
    show(station, camera, 1000)
    for wait_ms in (0, 20):
        asked = wire.PictureRequest(camera="Gate", newer_than_us=1000, wait_ms=wait_ms)
        reply = await station.client.picture(asked)
        assert (reply.is_unchanged, reply.time_us, reply.data) == (True, 1000, b"")
    assert not station.pictures.asked
    reply = await station.client.picture(wire.PictureRequest(camera="Gate", newer_than_us=999))
    assert (reply.is_unchanged, reply.time_us) == (False, 1000)


async def test_live_knows_no_steps_and_no_exact_moments(station: FakeStation) -> None:
    await gate(station)
    for asked in (wire.PictureRequest(camera="Gate", exact=True), wire.PictureRequest(camera="Gate", step=1)):
        with pytest.raises(InvalidInput, match="without at_us"):
            await picture_of(station.services, asked)


# -- second streams --------------------------------------------------------------------------------------


async def test_a_small_picture_comes_from_the_second_stream_once_that_has_one(station: FakeStation) -> None:
    camera = await gate(station, LIVE_URL)
    source = HeldSource()
    station.next_source.append(source)
    show(station, camera, station.clock.now_us())
    first = await picture_of(station.services, SMALL)
    assert first.stream is wire.LiveStream.MAIN, "at once, although the second stream is only being opened"
    await source.connected()
    (settings,) = station.sources
    assert (settings.url, settings.user, settings.password) == (LIVE_URL, "u", "secret")
    assert not settings.wants_audio
    time_us = source.send(station)
    reply = await picture_of(station.services, SMALL)
    assert (reply.stream, reply.time_us) == (wire.LiveStream.SUB, time_us)
    large = await picture_of(station.services, wire.PictureRequest(camera="Gate", width_px=641))
    whole = await picture_of(station.services, wire.PictureRequest(camera="Gate"))
    zoomed = await picture_of(
        station.services, wire.PictureRequest(camera="Gate", width_px=320, region=(0, 0, 2000, 2000))
    )
    assert {large.stream, whole.stream, zoomed.stream} == {wire.LiveStream.MAIN}
    main = wire.PictureRequest(camera="Gate", width_px=320, stream=wire.LiveStream.MAIN)
    assert (await picture_of(station.services, main)).stream is wire.LiveStream.MAIN
    sub = wire.PictureRequest(camera="Gate", stream=wire.LiveStream.SUB)
    assert (await picture_of(station.services, sub)).stream is wire.LiveStream.SUB


async def test_who_waits_is_answered_by_whichever_stream_is_first(station: FakeStation) -> None:
    camera = await gate(station, LIVE_URL)
    source = HeldSource()
    station.next_source.append(source)
    now_us = station.clock.now_us()
    show(station, camera, now_us)
    asked = wire.PictureRequest(camera="Gate", width_px=320, newer_than_us=now_us, wait_ms=20_000)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(picture_of(station.services, asked))
        await source.connected()
        station.clock.advance(SECOND)
        source.send(station)
    assert (waiting.result().stream, waiting.result().time_us) == (wire.LiveStream.SUB, now_us + SECOND)


async def test_a_second_stream_that_hangs_behind_gives_way_to_the_main_one(station: FakeStation) -> None:
    camera = await gate(station, LIVE_URL)
    source = HeldSource()
    station.next_source.append(source)
    show(station, camera, station.clock.now_us())
    await picture_of(station.services, SMALL)
    await source.connected()
    source.send(station)
    station.clock.advance(live_pictures.STALE_US + SECOND)
    show(station, camera, station.clock.now_us())
    assert (await picture_of(station.services, SMALL)).stream is wire.LiveStream.MAIN


async def test_a_broken_second_stream_costs_no_picture(station: FakeStation) -> None:
    camera = await gate(station, LIVE_URL)
    station.next_source.append(HeldSource(error=CameraUnreachable("nobody there")))
    show(station, camera, 1000)
    for _ in range(3):
        assert (await picture_of(station.services, SMALL)).stream is wire.LiveStream.MAIN
        while not station.sources:
            await asyncio.sleep(0.001)
    assert len(station.sources) == 1, "it is tried again later, not for each picture"


async def test_a_camera_without_a_second_stream_says_so(station: FakeStation) -> None:
    camera = await gate(station)
    show(station, camera, 1000)
    with pytest.raises(InvalidInput, match="has no second stream"):
        await picture_of(station.services, wire.PictureRequest(camera="Gate", stream=wire.LiveStream.SUB))
    assert (await picture_of(station.services, SMALL)).stream is wire.LiveStream.MAIN


# -- the address -----------------------------------------------------------------------------------------


async def test_the_live_address_is_kept_without_credentials_and_can_be_removed(station: FakeStation) -> None:
    added = await station.client.add_camera(
        wire.CameraAdd(
            name="Gate", url="rtsp://192.0.2.1/a", live_url="rtsp://u:secret@192.0.2.1/b?pwd=secret"
        )
    )
    assert (added.live_url, added.user, added.has_password) == (
        f"rtsp://192.0.2.1/b?pwd={PLACEHOLDER}",
        "u",
        True,
    )
    assert station.recording.passwords == ["secret"]
    edited = await station.client.edit_camera("Gate", wire.CameraEdit(live_url="rtsp://192.0.2.1/c"))
    assert edited.live_url == "rtsp://192.0.2.1/c"
    assert (await station.client.edit_camera("Gate", wire.CameraEdit(live_url=""))).live_url == ""
    await station.events.flush()
    assert "secret" not in str(await station.client.events())


async def test_a_live_address_with_another_password_is_refused(station: FakeStation) -> None:
    with pytest.raises(InvalidInput, match="another password"):
        await station.client.add_camera(
            wire.CameraAdd(name="Gate", url="rtsp://u:one@192.0.2.1/a", live_url="rtsp://u:two@192.0.2.1/b")
        )
    await gate(station)
    with pytest.raises(InvalidInput, match="another password"):
        await station.client.edit_camera("Gate", wire.CameraEdit(live_url="rtsp://u:two@192.0.2.1/b"))
    with pytest.raises(InvalidInput):
        await station.client.edit_camera("Gate", wire.CameraEdit(live_url="gopher://192.0.2.1/b"))


# -- callers who leave -----------------------------------------------------------------------------------


class SlowPictures:
    """Makes no picture, and notes who stopped waiting."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.dropped = asyncio.Event()

    async def render(self, source: KeyframeSource, request: wire.PictureRequest) -> wire.PictureReply:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.dropped.set()
            raise
        raise PictureUnavailable("never")


async def test_a_picture_is_dropped_when_its_caller_goes_away(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await gate(station)
    show(station, camera, 1000)
    slow = SlowPictures()
    monkeypatch.setattr(station.pictures, "render", slow.render)
    async with EngineClient(station.socket_path) as client, asyncio.TaskGroup() as group:
        asked = group.create_task(client.picture(wire.PictureRequest(camera="Gate")))
        await slow.begun.wait()
        asked.cancel()
        await slow.dropped.wait()
    assert len(await station.client.cameras()) == 1, "the server goes on"


async def test_who_waits_for_news_is_forgotten_when_he_goes_away(station: FakeStation) -> None:
    camera = await gate(station)
    show(station, camera, 1000)
    async with EngineClient(station.socket_path) as client, asyncio.TaskGroup() as group:
        asked = group.create_task(
            client.picture(wire.PictureRequest(camera="Gate", newer_than_us=1000, wait_ms=20_000))
        )
        while not station.recording.keyframes.waiting:
            await asyncio.sleep(0.001)
        asked.cancel()
        while station.recording.keyframes.waiting:
            await asyncio.sleep(0.001)

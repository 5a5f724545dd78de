"""Trying a camera: what is measured, and how failures are told."""

from __future__ import annotations

import asyncio

import pytest

from engine import wire
from engine.api.camera_test import MeasuringSink, measure
from engine.cameras.source import PacketSink
from storage.errors import CameraRefused, InvalidInput
from storage.segments.packet import Codec, Packet, Track
from tests.fakes.clock import FakeClock
from tests.fakes.station import H264, FakeSource, FakeStation

PCMU = Track(codec=Codec.PCMU, time_base_hz=8000, sample_rate_hz=8000, channels=1)


def frames(count: int, *, first_key: int = 0, size: int = 1000, track: int = 0) -> list[object]:
    """25 a second, a keyframe every 25."""
    return [
        Packet(track, 3600 * n, n >= first_key and (n - first_key) % 25 == 0, bytes(size), 0)
        for n in range(count)
    ]


async def test_good_camera_is_measured_from_its_first_keyframe() -> None:
    reply = await measure(FakeSource([(H264, PCMU), *frames(100, first_key=10)]), FakeClock())
    assert reply.ok
    assert [track.codec for track in reply.tracks] == ["h264", "pcmu"]
    assert reply.fps == 25.0
    assert reply.bitrate_bps == 25 * 1000 * 8


async def test_refusal_is_a_reply_with_its_code_and_remedy() -> None:
    reply = await measure(FakeSource([CameraRefused("wrong password", "correct it")]), FakeClock())
    assert (reply.ok, reply.code, reply.what, reply.remedy) == (
        False,
        "camera_refused",
        "wrong password",
        "correct it",
    )


async def test_camera_without_a_keyframe_is_stalled_when_time_is_up() -> None:
    class Silent:
        async def run(self, sink: PacketSink) -> None:
            sink.tracks_changed((H264,))
            await asyncio.Event().wait()

    reply = await measure(Silent(), FakeClock(), limit_s=0.01)
    assert (reply.ok, reply.code) == (False, "camera_stalled")
    assert reply.tracks[0].width == 640


async def test_defect_in_a_source_is_a_failed_test_and_no_crash() -> None:
    reply = await measure(FakeSource([ZeroDivisionError()]), FakeClock())
    assert not reply.ok
    assert "ZeroDivisionError" in reply.what


async def test_session_that_breaks_after_the_first_picture_still_shows_what_was_seen() -> None:
    reply = await measure(FakeSource([(H264,), *frames(10), CameraRefused("bye")]), FakeClock())
    assert (reply.ok, reply.fps) == (True, 25.0)


def test_new_tracks_in_the_middle_are_measured_alone() -> None:
    sink = MeasuringSink(FakeClock())
    sink.tracks_changed((H264,))
    for packet in frames(20):
        sink.packet(packet)  # type: ignore[arg-type]
    sink.tracks_changed((H264,))
    for packet in frames(60, size=500):
        sink.packet(packet)  # type: ignore[arg-type]
    assert sink.done.is_set()
    assert sink.bitrate_bps == 25 * 500 * 8


async def test_known_camera_is_tried_with_its_own_password(station: FakeStation) -> None:
    await station.client.add_camera(
        wire.CameraAdd(name="Gate", url="rtsp://admin:pw@10.0.0.9/main", record_audio=False)
    )
    station.next_source.append(FakeSource([(H264,), *frames(60)]))
    reply = await station.client.test_camera(wire.CameraTest(camera="Gate"))
    assert reply.ok
    (settings,) = station.sources
    assert (settings.user, settings.password, settings.wants_audio) == ("admin", "pw", False)
    with pytest.raises(InvalidInput):
        await station.client.test_camera(wire.CameraTest(camera="Gate", url="rtsp://other/x"))
    with pytest.raises(InvalidInput):
        await station.client.test_camera(wire.CameraTest())

"""The demo's RTSP server seen from a viewer: what it serves, and every fault it can play."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from engine.demo.access import Login
from engine.demo.faults import Garbage
from engine.demo.feed import Burst, DemoCamera
from engine.demo.rtsp_server import DemoServer
from engine.demo.time_code import read_time_code
from storage.clock import SystemClock
from tests.engine.demo.watching import Watcher, decode_units, digest

LOGIN = Login("admin", "s3cret, really")


@asynccontextmanager
async def serving(*cameras: DemoCamera) -> AsyncIterator[DemoServer]:
    server = DemoServer(cameras or (DemoCamera("gate", "gate"),), SystemClock(), seed=1)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        await server.url((cameras or (DemoCamera("gate", "gate"),))[0].name)
        yield server
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def watching(server: DemoServer, camera: str = "gate") -> AsyncIterator[Watcher]:
    watcher = await Watcher.connect(await server.url(camera))
    try:
        yield watcher
    finally:
        watcher.close()


async def test_a_viewer_gets_a_session_and_pictures_that_show_the_present() -> None:
    async with serving() as server, watching(server) as viewer:
        assert "DESCRIBE" in (await viewer.request("OPTIONS")).headers["public"]
        described = await viewer.request("DESCRIBE", Accept="application/sdp")
        assert "a=rtpmap:96 H264/90000" in described.body
        assert "sprop-parameter-sets=" in described.body
        played = await viewer.play()
        assert "rtptime=" in played.headers["rtp-info"]
        before_ms = SystemClock().now_us() // 1000
        frames = await viewer.frames(12)
        after_ms = SystemClock().now_us() // 1000
        assert [unit[0] & 31 for unit in frames[0].units][:2] == [7, 8]
        assert frames[0].units[-1][0] & 31 == 5
        times_ms = [read_time_code(picture) for picture in decode_units(frame.units for frame in frames)]
        assert before_ms - 200 <= times_ms[0] <= times_ms[-1] <= after_ms  # type: ignore[operator]
        assert times_ms == sorted(times_ms)  # type: ignore[type-var]
        ticks = [frame.timestamp - frames[0].timestamp & 0xFFFFFFFF for frame in frames]
        assert all(tick % 9000 == 0 for tick in ticks)
        assert ticks == sorted(set(ticks))
        assert (await viewer.request("GET_PARAMETER")).status == 200
        assert (await viewer.request("TEARDOWN")).status == 200
        assert not server.feeds["gate"].viewers


async def test_sound_comes_beside_the_pictures_with_reports_for_both() -> None:
    async with (
        serving(DemoCamera("dock", "loading-dock", has_audio=True)) as server,
        watching(server, "dock") as viewer,
    ):
        assert "PCMU/8000" in (await viewer.request("DESCRIBE")).body
        await viewer.play(0, 1)
        await viewer.frames(3)
        await viewer.frames(3)
        sound = [packet for channel, packet in viewer.received if channel == 2]
        assert {len(packet) - 12 for packet in sound} == {400}
        steps = {
            int.from_bytes(later[4:8]) - int.from_bytes(earlier[4:8]) & 0xFFFFFFFF
            for earlier, later in zip(sound, sound[1:], strict=False)
        }
        assert min(steps) == 400


async def test_a_sender_report_says_which_wall_time_a_timestamp_is() -> None:
    async with serving() as server:
        report = server.feeds["gate"].video.sender_report(90_000, 1_700_000_000_500_000)
        size, kind = struct.unpack(">xBH", report[:4])[::-1]
        assert (kind, size) == (200, 6)
        seconds, fraction = struct.unpack(">II", report[8:16])
        assert (seconds - 2_208_988_800, fraction) == (1_700_000_000, 1 << 31)
        assert len(report) % 4 == 0


async def test_udp_is_refused() -> None:
    async with serving() as server, watching(server) as viewer:
        answer = await viewer.request(
            "SETUP", f"{viewer.url}/trackID=0", Transport="RTP/AVP;unicast;client_port=5000-5001"
        )
        assert answer.status == 461


@pytest.mark.parametrize("scheme", ["digest", "basic"])
async def test_a_password_is_asked_for_and_checked(scheme: str) -> None:
    login = Login(LOGIN.user, LOGIN.password, scheme)
    async with serving(DemoCamera("gate", "gate", login=login)) as server, watching(server) as viewer:
        refused = await viewer.request("DESCRIBE")
        assert refused.status == 401
        challenge = refused.headers["www-authenticate"]
        if scheme == "basic":
            right, wrong = "Basic YWRtaW46czNjcmV0LCByZWFsbHk=", "Basic YWRtaW46d3Jvbmc="
        else:
            right = digest(LOGIN.user, LOGIN.password, "DESCRIBE", viewer.url, challenge)
            wrong = digest(LOGIN.user, "wrong", "DESCRIBE", viewer.url, challenge)
        assert (await viewer.request("DESCRIBE", Authorization=wrong)).status == 401
        assert (await viewer.request("DESCRIBE", Authorization=right)).status == 200
        server.faults["gate"].wrong_password = True
        assert (await viewer.request("DESCRIBE", Authorization=right)).status == 401


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("DESCRIBE rtsp://x/nobody RTSP/1.0", 404), ("RECORD rtsp://x/gate RTSP/1.0", 501), ("nonsense", 400)],
)
async def test_wrong_requests_are_refused_by_number(request_line: str, status: int) -> None:
    async with serving() as server, watching(server) as viewer:
        viewer.writer.write(f"{request_line}\r\nCSeq: 0\r\n\r\n".encode())
        assert (await viewer.answer()).status == status


async def test_play_without_setup_is_refused() -> None:
    async with serving() as server, watching(server) as viewer:
        assert (await viewer.request("PLAY")).status == 455


async def test_requests_in_pieces_and_reports_of_the_viewer_are_understood() -> None:
    async with serving() as server, watching(server) as viewer:
        for byte in b"$\x01\x00\x04\x80\xc9\x00\x01OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 0\r\nContent-Length: 2\r\n\r\nab":
            viewer.writer.write(bytes([byte]))
            await viewer.writer.drain()
        assert (await viewer.answer()).status == 200


async def test_many_viewers_watch_the_same_pictures() -> None:
    async with serving() as server:
        viewers = [await Watcher.connect(await server.url("gate")) for _ in range(5)]
        for viewer in viewers:
            await viewer.play()
        shown = [[frame.timestamp for frame in await viewer.frames(12)] for viewer in viewers]
        assert set(shown[0]) & set(shown[-1])
        for viewer in viewers:
            viewer.close()


# -- faults ----------------------------------------------------------------------------------------------


async def test_a_dropped_camera_ends_its_connections_and_can_be_watched_again() -> None:
    async with serving() as server:
        async with watching(server) as viewer:
            await viewer.play()
            await viewer.frames(1)
            server.drop("gate")
            await viewer.closed()
        async with watching(server) as viewer:
            await viewer.play()
            assert await viewer.frames(1)


async def test_a_stalled_camera_answers_but_sends_nothing() -> None:
    async with serving() as server, watching(server) as viewer:
        await viewer.play()
        await viewer.frames(2)
        server.faults["gate"].is_stalled = True
        await viewer.request("GET_PARAMETER")
        count = len(viewer.received)
        sent = server.feeds["gate"].frames_sent
        await viewer.request("GET_PARAMETER")
        assert (len(viewer.received), server.feeds["gate"].frames_sent) == (count, sent)
        server.faults["gate"].is_stalled = False
        assert await viewer.frames(1)


@pytest.mark.parametrize("kind", list(Garbage))
async def test_garbage_is_sent_instead_of_video(kind: Garbage) -> None:
    async with serving() as server, watching(server) as viewer:
        server.faults["gate"].garbage = kind
        await viewer.play()
        if kind is Garbage.FRAMING:
            assert len(await viewer.reader.readexactly(2000)) == 2000
            return
        _, packet = await viewer.packets()
        assert (packet == b"\x00garbage") == (kind is Garbage.RTP)


async def test_a_refusing_camera_says_why_and_a_hanging_up_one_does_not() -> None:
    async with serving() as server, watching(server) as viewer:
        server.faults["gate"].refuse_status = 453
        assert (await viewer.request("DESCRIBE")).status == 453
        server.faults["gate"].hangs_up = True
        await viewer.send("DESCRIBE")
        await viewer.closed()


async def test_the_resolution_changes_in_the_middle_of_the_stream() -> None:
    async with serving() as server, watching(server) as viewer:
        await viewer.play()
        assert decode_units([(await viewer.frames(1))[0].units])[0].shape == (360, 640, 3)
        server.faults["gate"].size_px = (320, 180)
        frames = await viewer.frames(12)
        first = next(number for number, frame in enumerate(frames) if frame.units[0][0] & 31 == 7)
        small = decode_units(frame.units for frame in frames[first:])
        assert small[-1].shape == (180, 320, 3)
        assert read_time_code(small[-1]) is not None
        assert "320-180" in (await viewer.request("DESCRIBE")).body


async def test_a_time_leap_moves_the_timestamps_once() -> None:
    async with serving() as server, watching(server) as viewer:
        await viewer.play()
        before = (await viewer.frames(1))[0].timestamp
        server.faults["gate"].time_leap_ms = 3_600_000
        after = (await viewer.frames(3))[-1].timestamp
        assert 324_000_000 < after - before & 0xFFFFFFFF < 324_000_000 + 90_000
        assert server.faults["gate"].time_leap_ms == 0


async def test_lost_packets_leave_holes_in_the_sequence() -> None:
    async with serving() as server, watching(server) as viewer:
        server.faults["gate"].lose_every = 5
        await viewer.play()
        numbers = [int.from_bytes((await viewer.packets())[1][2:4]) for _ in range(20)]
        steps = {later - earlier & 0xFFFF for earlier, later in zip(numbers, numbers[1:], strict=False)}
        assert steps == {1, 2}


async def test_a_slow_viewer_loses_whole_groups_of_pictures_and_no_memory_is_piled_up() -> None:
    async with serving() as server, watching(server) as viewer:
        await viewer.play()
        (connection,) = server.feeds["gate"].viewers
        transport = connection._transport  # type: ignore[attr-defined]
        big = Burst(True, rtp=[(0, bytes(60_000))] * 40)
        viewer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(100):
            connection.deliver(big)
        assert transport.get_write_buffer_size() < 4 << 20
        small = Burst(False, rtp=[(0, b"\x80" * 12 + b"x")])
        size = transport.get_write_buffer_size()
        connection.deliver(small)
        assert transport.get_write_buffer_size() == size

"""Whatever a camera does, the others lose nothing, the engine lives, memory stays bounded, and the cause is named."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.engine_process import eventually
from tests.e2e.neighbours import FAR_FUTURE_US, neighbours
from tests.fakes.encoded_video import FRAME_RATE, VIDEO_HZ
from tests.rtsp.live_camera import FOR_EVER, Air, LiveCamera, Script, answering, film, steady
from tests.rtsp.rtp_packets import interleave
from tests.rtsp.scripted import Request, ScriptedCamera, reply

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

GOP_US = 1_000_000
"""A pre-buffer that was recorded already is left out in whole GOPs."""
DICE = random.Random(7)


def answers_garbage() -> ScriptedCamera:
    return answering("OPTIONS", lambda _: DICE.randbytes(400_000))


def answers_another_protocol() -> ScriptedCamera:
    return answering("OPTIONS", lambda _: b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html></html>" * 9)


def sends_endless_headers() -> ScriptedCamera:
    return answering("DESCRIBE", lambda _: b"RTSP/1.0 200 OK\r\n" + b"X-More: yes\r\n" * 300_000)


def describes_itself_in_10_megabytes() -> ScriptedCamera:
    body = "v=0\r\n" + "a=x:1234567890\r\n" * 650_000
    return answering("DESCRIBE", lambda _: reply(headers="Content-Type: application/sdp\r\n", body=body))


def redirects_for_ever() -> ScriptedCamera:
    camera = LiveCamera()
    camera.on["DESCRIBE"] = lambda _: reply(302, "Moved", headers=f"Location: {camera.url}\r\n")
    return camera


def wants_another_password() -> ScriptedCamera:
    return answering(
        "DESCRIBE",
        lambda _: reply(401, "Unauthorized", headers='WWW-Authenticate: Digest realm="cam", nonce="abc"\r\n'),
    )


def never_answers() -> ScriptedCamera:
    return answering("DESCRIBE", lambda _: b"")


def hangs_up_at_random() -> ScriptedCamera:
    camera = LiveCamera()
    steps = itertools.cycle(("OPTIONS", "DESCRIBE", "SETUP", "PLAY"))
    ends = {"at": next(steps)}

    def answer(good: Callable[[Request], bytes]) -> Callable[[Request], bytes]:
        def cut(request: Request) -> bytes:
            whole = good(request)
            if request.method != ends["at"]:
                return whole
            ends["at"] = next(steps)
            asyncio.get_running_loop().call_later(0.05, camera.hang_up)
            return whole[: DICE.randrange(len(whole))]

        return cut

    for method, good in list(camera.on.items()):
        camera.on[method] = answer(good)
    return camera


async def test_a_camera_that_fails_in_the_handshake_says_why_and_disturbs_nobody(tmp_path: Path) -> None:
    cameras = {
        "garbage": (answers_garbage(), ("lost", "camera_protocol_error")),
        "http": (answers_another_protocol(), ("lost", "camera_protocol_error")),
        "headers": (sends_endless_headers(), ("lost", "camera_protocol_error")),
        "novel": (describes_itself_in_10_megabytes(), ("lost", "camera_protocol_error")),
        "roundabout": (redirects_for_ever(), ("refused", "camera_refused")),
        "locked": (wants_another_password(), ("refused", "camera_refused")),
        "mute": (never_answers(), ("lost", "camera_unreachable")),
        "fickle": (hangs_up_at_random(), ("lost", "camera_unreachable")),
    }
    async with AsyncExitStack() as stack, neighbours(tmp_path) as station:
        for name, (camera, _) in cameras.items():
            await stack.enter_async_context(camera)
            await station.add(name, camera, user="admin", password="wrong-secret")
        await station.watch_until_seen({name: expected for name, (_, expected) in cameras.items()})
        for name, (_, (_, code)) in cameras.items():
            assert station.words[name] - {""}, f"{name}: no plain words"
            assert await station.gap_causes(name) == [code], name
        assert "wrong-secret" not in station.engine.log.read_text()


async def stalls_after_play(air: Air) -> None:
    return


async def stalls_in_a_picture(air: Air) -> None:
    await air.film(60)
    await air.send(air.frames()[:-40])


async def sends_garbage_payloads(air: Air) -> None:
    while True:
        air.timestamp += 3600
        await air.send(air.packet(DICE.randbytes(900), marker=True))
        await asyncio.sleep(0.01)


async def sends_no_rtp(air: Air) -> None:
    while True:
        await air.send(interleave(b"\x11" + DICE.randbytes(500)))
        await asyncio.sleep(0.01)


async def sends_no_frames(air: Air) -> None:
    await air.film(60)
    while True:
        await air.send(DICE.randbytes(20_000))
        await asyncio.sleep(0.01)


async def sends_empty_units(air: Air) -> None:
    """Nothing, a bare header, an aggregate of nothings, and fragments without contents, between good pictures."""
    while True:
        await air.film(1)
        for payload in (b"", b"\x41", b"\x18\0\0\0\0", b"\x18\0\x01\x41", b"\x1c", b"\x1c\x86", b"\x1c\x46"):
            await air.send(air.packet(payload))


async def never_sends_a_keyframe(air: Air) -> None:
    while True:
        if air.picture % FRAME_RATE == 0:
            air.picture += 1
        await air.film(1)


async def hangs_up_at_random_in_the_stream(air: Air) -> None:
    await air.film(30 + air.session * 7)
    await air.send(air.frames()[: DICE.randrange(20, 200)])
    air.hang_up()


async def test_a_camera_that_stops_or_talks_nonsense_is_lost_with_its_cause_and_disturbs_nobody(
    tmp_path: Path,
) -> None:
    scripts: dict[str, tuple[Script, tuple[str, str]]] = {
        "silent": (stalls_after_play, ("lost", "camera_stalled")),
        "half": (stalls_in_a_picture, ("lost", "camera_stalled")),
        "payloads": (sends_garbage_payloads, ("connecting", "")),
        "no rtp": (sends_no_rtp, ("lost", "camera_stalled")),
        "no frames": (sends_no_frames, ("lost", "camera_protocol_error")),
        "empty": (sends_empty_units, ("recording", "")),
        "no keyframe": (never_sends_a_keyframe, ("connecting", "")),
        "nervous": (hangs_up_at_random_in_the_stream, ("lost", "camera_unreachable")),
    }
    async with AsyncExitStack() as stack, neighbours(tmp_path) as station:
        for name, (script, _) in scripts.items():
            await station.add(name, await stack.enter_async_context(LiveCamera(script)))
        await station.watch_until_seen({name: expected for name, (_, expected) in scripts.items()})
        for name in ("half", "no frames"):  # the gap begins where the footage ends
            [gap, *_] = await station.client.gaps(name, 0, FAR_FUTURE_US)
            assert gap.cause == scripts[name][1][1]
            await eventually(
                lambda name=name: station.recordings(name),
                lambda found, end_us=gap.start_us: found[0].end_us == end_us,
                f"the catalog follows {name} up to its gap",
            )
        assert not await station.gap_causes("empty")
        assert "recording" not in {state for state, _ in station.seen["no keyframe"]}
        station.nonsense = {"payloads"}


def _next(air: Air) -> bytes:
    frames = air.frames()
    air.timestamp += VIDEO_HZ // FRAME_RATE
    return frames


async def floods_with_pictures(air: Air) -> None:
    """Good video as fast as the wire: all sequence numbers once around, over and over."""
    blob = bytearray()
    while air.sequence < 1 << 16:
        blob += _next(air) if air.sequence < 65_000 else air.packet(b"")
    while True:
        for at in range(0, len(blob), 1 << 20):
            await air.send(bytes(blob[at : at + (1 << 20)]))


async def floods_with_one_picture(air: Air) -> None:
    """50 MB in one access unit, and again."""
    while True:
        nal = b"\x65\x88" + bytes(50_000_000)
        for at in range(0, len(nal), 60_000):
            start, end = 0x80 if at == 0 else 0, 0x40 if at + 60_000 >= len(nal) else 0
            await air.send(
                air.packet(bytes((0x7C, 5 | start | end)) + nal[at : at + 60_000], marker=bool(end))
            )
        air.timestamp += 3600


async def floods_with_empty_frames(air: Air) -> None:
    while True:
        await air.send(b"$\x05\0\0" * 50_000)


async def floods_with_questions(air: Air) -> None:
    """And never reads an answer."""
    air.writer.transport.pause_reading()  # type: ignore[attr-defined]
    while True:
        await air.send(b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 10_000)


async def test_floods_end_with_their_cause_and_cost_nobody_else_a_picture(tmp_path: Path) -> None:
    large = film(width=640, height=384)
    floods = (floods_with_pictures, floods_with_one_picture, floods_with_empty_frames, floods_with_questions)
    async with neighbours(tmp_path) as station:
        for script in floods:
            name = script.__name__
            async with LiveCamera(script, stream=large) as camera:
                await station.add(name, camera)
                await station.watch_until_seen({name: ("lost", "camera_protocol_error")})
                await station.client.remove_camera(name)
            assert station.words[name] - {""}
            station.nonsense.add(name)


async def sends_too_fast(air: Air) -> None:
    """Good video, ten times faster than it was filmed."""
    await air.film(FOR_EVER, fps=10 * FRAME_RATE)


async def sends_too_slowly(air: Air) -> None:
    """Claims 25 pictures a second, sends 21: its media time runs slower than the wall."""
    await air.film(FOR_EVER, fps=21)


async def stands_still_in_time(air: Air) -> None:
    """Good pictures that all claim the same moment."""
    await air.film(FOR_EVER, ticks=0)


async def leaps_in_time(air: Air) -> None:
    """Half an hour forward, an hour back, by turns."""
    while True:
        await air.film(90)
        air.timestamp += 1800 * VIDEO_HZ
        await air.film(90)
        air.timestamp -= 3600 * VIDEO_HZ


async def begins_with_a_pre_buffer(air: Air) -> None:
    """Five seconds at once, and again each time it comes back; hangs up once."""
    await air.film(5 * FRAME_RATE, fps=100_000)
    await air.film(FOR_EVER if air.session else 200)
    air.hang_up()


async def test_a_clock_that_lies_keeps_the_timeline_whole_and_disturbs_nobody(tmp_path: Path) -> None:
    scripts: dict[str, Script] = {
        "fast": sends_too_fast,
        "slow": sends_too_slowly,
        "still": stands_still_in_time,
        "leaping": leaps_in_time,
        "eager": begins_with_a_pre_buffer,
    }
    async with AsyncExitStack() as stack, neighbours(tmp_path) as station:
        cameras = {
            name: await stack.enter_async_context(LiveCamera(script)) for name, script in scripts.items()
        }
        for name, camera in cameras.items():
            await station.add(name, camera)
        await station.watch_until_seen(dict.fromkeys(scripts, ("recording", "")))
        await station.watch_until(lambda _: cameras["slow"].pictures > 32 * 21, "half a minute", timeout_s=60)
        views = {view.name: view for view in (await station.client.snapshot()).cameras}
        found = {name: await station.recordings(name) for name in scripts}
        for name in ("slow", "still", "leaping", "eager"):
            assert views[name].state == "recording", name
            newest_us = views[name].last_written_us or 0
            now_us = (await station.client.status()).now_us
            assert -1_000_000 < now_us - newest_us < 5_000_000, f"the newest picture of {name} is of now"
            for one, following in itertools.pairwise(found[name]):
                overlap_us = one.end_us - following.start_us
                assert overlap_us <= (GOP_US if name == "eager" else 1), f"{name} overlaps"
        assert not await station.gap_causes("slow")
        assert await station.gap_causes("still") in ([], ["camera_protocol_error"]), "until it is noticed"
        assert set(await station.gap_causes("leaping")) <= {"camera_protocol_error"}
        assert set(await station.gap_causes("eager")) <= {"camera_unreachable"}
        for one, following in itertools.pairwise(found["slow"]):
            assert one.end_us == following.start_us, "a slow camera misses nothing"
        assert len(found["slow"]) <= 3, "not a new run every few seconds"
        assert views["eager"].reconnects == 1


async def test_a_changed_stream_is_a_new_run_and_both_play(tmp_path: Path) -> None:
    small, large, other = film(), film(width=320, height=192), film("h265")

    async def grows(air: Air) -> None:
        await air.film(75)
        air.stream, air.picture = large, 0
        await air.film(FOR_EVER)

    camera_after_reconnect = LiveCamera()

    async def becomes_h265(air: Air) -> None:
        if air.session:
            await steady(air)
        await air.film(75)
        camera_after_reconnect.show(other)
        air.hang_up()

    camera_after_reconnect = LiveCamera(becomes_h265)
    async with (
        LiveCamera(grows, stream=small) as growing,
        camera_after_reconnect,
        neighbours(tmp_path) as station,
    ):
        await station.add("growing", growing)
        await station.add("changing", camera_after_reconnect)
        await station.watch_until(
            lambda now: (
                {(track.codec, track.width) for camera in now.cameras for track in camera.tracks}
                >= {("h264", 320), ("h265", 160)}
            ),
            "both changed",
            timeout_s=30,
        )
        for name in ("growing", "changing"):
            found = await eventually(
                lambda name=name: station.recordings(name),
                lambda found: len(found) == 2,
                f"two runs of {name}",
            )
            assert len({Path(recording.path).name.split("-")[1] for recording in found}) == 2
        assert not await station.gap_causes("growing"), "nothing is missing between two sizes"
        assert await station.gap_causes("changing") in ([], ["camera_unreachable"])

"""Players at the two ports: what they get is what the camera sent; what keeps strangers, late and slow ones out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from engine.cameras.open_source import open_source
from engine.cameras.source import SourceSettings
from engine.links.desk import CLIPS_LIMIT
from engine.links.link import PLAYERS_LIMIT
from engine.links.rtsp_requests import interleaved_channel
from storage.errors import CameraRefused, Conflict, InvalidInput, NotFound
from storage.segments.export import ExportFile, ExportSource, plan_export
from tests.engine.links.rig import GATE, rig
from tests.engine.links.test_live_mp4 import demuxed
from tests.fakes.encoded_video import encoded, merged
from tests.fakes.segment_files import parts_of, write_run
from tests.rtsp.recording_sink import RecordingSink


@asynccontextmanager
async def playing(url: str) -> AsyncIterator[RecordingSink]:
    """Our own RTSP client on the link."""
    sink = RecordingSink()
    source = open_source(SourceSettings(url=url, transport="tcp"))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(source.run(sink))
        try:
            yield sink
        finally:
            task.cancel()


@pytest.mark.parametrize(
    ("kind", "sound"), [("h264", "aac"), ("h264_b", "pcma"), ("h265", "l16"), ("h265_b", "opus")]
)
async def test_a_player_over_rtsp_gets_every_access_unit(tmp_path: Path, kind: str, sound: str) -> None:
    tracks, packets = merged(encoded(kind), encoded(sound))
    async with rig(tmp_path) as made:
        made.cameras.tracks = tracks
        link = made.link()
        async with playing(link.rtsp_url) as sink:
            await made.watched()
            for packet in packets:
                made.cameras.push(packet)
                await asyncio.sleep(0)
            wanted = [packet.data for packet in packets if packet.track == 0]
            await sink.wait_for(len(wanted) - 1, 10)
        assert made.desk.views("ann", sees_all=False)[0].players == 0
    # In front of keyframes stand the parameter sets; the client delivers a picture when the next begins.
    assert all(
        got.data.endswith(sent) if got.is_keyframe else got.data == sent
        for got, sent in zip(sink.video, wanted, strict=False)
    )
    heard = b"".join(packet.data for packet in sink.audio)
    assert heard[:2000] in b"".join(packet.data for packet in packets if packet.track == 1)
    assert not sink.losses


async def test_a_player_over_http_gets_the_live_picture(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"))
    async with rig(tmp_path) as made, aiohttp.ClientSession() as session:
        made.cameras.tracks = tracks
        link = made.link()
        assert link.http_url.endswith("/Gate--north.mp4")
        async with session.get(link.http_url) as response:
            assert response.headers["Content-Type"] == "video/mp4"
            await made.watched()
            for packet in packets:
                made.cameras.push(packet)
            made.desk.taps.forget(GATE.uuid, "over")
            data = await response.read()
        found = demuxed(data, "video")
        assert [each for _, each in found] == [packet.data for packet in packets[: len(found)]]
        assert len(found) >= 74
        assert not made.cameras.sinks


async def test_a_clip_is_the_export_and_can_be_sought_in(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("h264"), encoded("aac"))
    made_files = write_run(tmp_path, tracks, parts_of(tracks, packets), 2)
    sources = [
        ExportSource(path, start, end, summary.video_duration_ticks)
        for path, summary, start, end in made_files
    ]
    export = plan_export(sources, made_files[0][2], made_files[-1][3])

    async def clip(link: object) -> ExportFile:
        return export

    whole = b"".join(export.chunks(1000))
    async with rig(tmp_path, clip) as made, aiohttp.ClientSession() as session:
        url = made.link(start_us=1, end_us=2).http_url
        async with session.get(url) as response:
            assert (response.status, await response.read()) == (200, whole)
        for start, end in ((0, 99), (50, len(whole) - 1), (len(whole) - 7, 10**9)):
            async with session.get(url, headers={"Range": f"bytes={start}-{end}"}) as response:
                last = min(end, len(whole) - 1)
                assert response.status == 206
                assert response.headers["Content-Range"] == f"bytes {start}-{last}/{len(whole)}"
                assert await response.read() == whole[start : end + 1]
        async with session.get(url, headers={"Range": f"bytes={len(whole)}-"}) as response:
            assert response.status == 416
        async with session.get(url, headers={"Range": "bytes=9-3"}) as response:
            assert response.status == 200


async def test_without_an_open_token_nothing_is_told(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, aiohttp.ClientSession() as session:
        made.cameras.tracks = merged(encoded("h264"))[0]
        link = made.link(minutes=1)
        strange = link.http_url.replace("/v/", "/v/x")
        for url in (strange, link.http_url.rsplit("/v/")[0] + "/", strange.replace("/v/", "/v1/")):
            async with session.get(url) as response:
                assert response.status == 404
                assert "Gate" not in await response.text()
        async with session.post(link.http_url) as response:
            assert response.status == 405
        with pytest.raises(ExceptionGroup) as refused:
            async with playing(link.rtsp_url + "x"):
                await asyncio.sleep(5)
        assert isinstance(refused.value.exceptions[0], CameraRefused)
        made.clock.advance(60_000_000)
        async with session.get(link.http_url) as response:
            assert response.status == 404
        assert made.desk.views("ann", sees_all=True) == ()


async def test_a_link_that_ends_takes_its_players_along(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, aiohttp.ClientSession() as session:
        made.cameras.tracks = merged(encoded("h264"))[0]
        link = made.link()
        async with session.get(link.http_url) as response:
            await made.watched()
            with pytest.raises(NotFound):
                made.desk.remove(link.id, "bob", sees_all=False)
            made.desk.remove(link.id, "ann", sees_all=False)
            with pytest.raises(aiohttp.ClientError):
                await response.read()
        for _ in range(100):
            if not made.cameras.sinks:
                break
            await asyncio.sleep(0.01)
        assert not made.cameras.sinks


async def test_no_more_players_than_a_link_may_have(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, aiohttp.ClientSession() as session:
        made.cameras.tracks = merged(encoded("h264"))[0]
        link = made.link()
        responses = [await session.get(link.http_url) for _ in range(PLAYERS_LIMIT)]
        async with session.get(link.http_url) as response:
            assert response.status == 503
            assert await response.text() == "this link has 4 players, which is as many as it may have\n"
        for each in responses:
            each.close()


async def test_clips_are_read_for_so_many_players_and_planned_one_after_the_other(tmp_path: Path) -> None:
    """Whoever has the addresses may not keep the disks and the file threads from who records."""
    planning = 0
    most = 0

    async def clip(link: object) -> ExportFile:
        nonlocal planning, most
        planning += 1
        most = max(most, planning)
        await asyncio.sleep(0.02)
        planning -= 1
        return Endless()  # type: ignore[return-value]

    class Endless:
        total_bytes = 1 << 40

        def stretch(self, start: int, length: int, chunk_bytes: int) -> Iterator[bytes]:
            while True:
                yield bytes(65536)

    async with rig(tmp_path, clip) as made, aiohttp.ClientSession() as session:
        made.cameras.tracks = merged(encoded("h264"))[0]
        links = [made.link(start_us=1, end_us=2) for _ in range(1 + CLIPS_LIMIT // PLAYERS_LIMIT)]
        wanted = [link.http_url for link in links[:-1] for _ in range(PLAYERS_LIMIT)]
        responses = [await session.get(url) for url in wanted[:-PLAYERS_LIMIT]]
        responses += await asyncio.gather(*(session.get(url) for url in wanted[-PLAYERS_LIMIT:]))
        assert {each.status for each in responses} == {200}
        assert most == 1
        async with session.get(links[-1].http_url) as response:
            assert response.status == 503
            assert (
                await response.text()
                == "16 recorded clips are played, which is as many as may be: close one\n"
            )
        async with session.get(made.link().http_url) as response:
            assert response.status == 200
        for each in responses:
            each.close()


async def test_others_see_a_link_without_its_address(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        link = made.link()
        token = link.http_url.split("/v/")[1].split("/")[0]
        assert len(token) >= 22
        assert made.desk.views("bob", sees_all=False) == ()
        shown = made.desk.views("root", sees_all=True)[0]
        assert token not in shown.http_url
        assert link.is_loopback
        assert token not in repr(made.desk.opened(token))


async def test_what_cannot_be_linked(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        with pytest.raises(InvalidInput, match="both its start and its end"):
            made.link(start_us=5)
        with pytest.raises(InvalidInput, match="no host name"):
            made.link(host="x/../y")
        for _ in range(64):
            made.link()
        with pytest.raises(Conflict, match="64 video links"):
            made.link()


async def test_a_port_somebody_has_is_said_and_tried_again(tmp_path: Path) -> None:
    from engine.config import LinksSection

    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with rig(tmp_path, config=LinksSection(http_port=port, rtsp_port=0)) as made:
        with pytest.raises(Conflict, match=f"video links are off: port {port}|port {port}"):
            made.link()
        assert str(port) in made.desk.trouble
    taken.close()


def test_players_that_ask_for_udp_are_told_what_there_is() -> None:
    assert interleaved_channel("RTP/AVP;unicast;client_port=5000-5001", 0) is None
    assert interleaved_channel("RTP/AVP;unicast;client_port=1-2,RTP/AVP/TCP;unicast;interleaved=4-5", 0) == 4
    assert interleaved_channel("RTP/AVP/TCP;unicast", 2) == 2

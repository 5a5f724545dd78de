"""JPEG over RTP: what players and our own client get is what the camera sent; what RTP cannot carry is left out."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.cameras.open_source import open_source
from engine.cameras.source import SourceSettings
from engine.links.rtp_jpeg import fits_rtp, jpeg_payloads
from engine.links.rtp_packets import PAYLOAD_LIMIT_BYTES
from engine.links.sdp_text import rtp_tracks
from engine.recording.recorder import LiveKeyframe
from storage.errors import WatchdeckError
from storage.segments.packet import Codec, Packet, Track
from tests.engine.links.rig import rig
from tests.engine.links.test_players import playing
from tests.fakes.encoded_video import encoded, merged
from tests.rtsp.recording_sink import RecordingSink

SIZE = (320, 160)


def picture(**options: object) -> Image.Image:
    noise = np.random.default_rng(3).integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8)
    return Image.fromarray(noise).resize(SIZE)


def jpeg(**options: object) -> bytes:
    out = io.BytesIO()
    picture().save(out, "JPEG", **options)
    return out.getvalue()


def track(width: int = SIZE[0], height: int = SIZE[1]) -> Track:
    return Track(codec=Codec.MJPEG, time_base_hz=90_000, width=width, height=height)


def pixels(data: bytes) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


SORTS = {
    "4:2:0": {"subsampling": 2, "quality": 90},
    "4:2:2": {"subsampling": 1, "quality": 75},
    "coarse": {"subsampling": 2, "quality": 10},
    "restarts": {"subsampling": 2, "quality": 80, "restart_marker_blocks": 4},
    "with words": {"subsampling": 2, "comment": b"x" * 5000, "exif": b"Exif\0\0" + bytes(500)},
}


@pytest.mark.parametrize("sort", SORTS)
async def test_our_own_client_gets_the_same_pixels(tmp_path: Path, sort: str) -> None:
    sent = jpeg(**SORTS[sort])
    async with rig(tmp_path) as made:
        made.cameras.tracks = (track(),)
        link = made.link()
        async with playing(link.rtsp_url) as sink:
            await made.watched()
            for number in range(5):
                made.cameras.push(Packet(0, number * 3600, True, sent, number))
                await asyncio.sleep(0)
            await sink.wait_for(4)
    assert not sink.losses
    for got in sink.video[:4]:
        assert (pixels(got.data) == pixels(sent)).all()


@pytest.mark.parametrize("sort", SORTS)
async def test_ffmpeg_gets_the_same_pixels(tmp_path: Path, sort: str) -> None:
    sent = jpeg(**SORTS[sort])
    async with rig(tmp_path) as made:
        made.cameras.tracks = (track(),)
        player = await asyncio.create_subprocess_exec(
            *("ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", made.link().rtsp_url),
            *("-frames:v", "1", "-f", "image2pipe", "-c", "copy", "-"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        reading = asyncio.create_task(player.communicate())
        number = 0
        async with asyncio.timeout(60):
            while not reading.done():
                made.cameras.push(Packet(0, number * 3600, True, sent, number))
                number += 1
                await asyncio.sleep(0.02)
        out, errors = await reading
        assert player.returncode == 0, errors
    assert (pixels(out) == pixels(sent)).all()


async def test_a_camera_with_sound_over_both(tmp_path: Path) -> None:
    tracks, packets = merged(encoded("mjpeg"), encoded("pcmu"))
    async with rig(tmp_path) as made:
        made.cameras.tracks = tracks
        async with playing(made.link().rtsp_url) as sink:
            await made.watched()
            for packet in packets:
                made.cameras.push(packet)
                await asyncio.sleep(0)
            await sink.wait_for(99, 10)
    wanted = [packet.data for packet in packets if packet.track == 0]
    assert all(
        (pixels(got.data) == pixels(sent)).all() for got, sent in zip(sink.video, wanted, strict=False)
    )


@pytest.mark.parametrize("sort", ["huffman", "size"])
async def test_a_camera_whose_pictures_rtp_cannot_carry_has_no_such_address(
    tmp_path: Path, sort: str
) -> None:
    """Its link is by HTTP; who has an address of before is told so, and not left in front of an empty picture."""
    good, bad = jpeg(subsampling=2), jpeg(subsampling=2, optimize=True)
    async with rig(tmp_path) as made:
        made.cameras.tracks = (track(),)
        made.cameras.newest = LiveKeyframe(good, track(), 1)
        address = made.link().rtsp_url
        assert address
        if sort == "huffman":
            made.cameras.newest = LiveKeyframe(bad, track(), 2)
        else:
            made.cameras.tracks = (track(2048, 1536),)
        link = made.link()
        assert (link.rtsp_url, bool(link.http_url)) == ("", True)
        with pytest.raises(WatchdeckError, match="DESCRIBE with 415"):
            await open_source(SourceSettings(url=address, transport="tcp")).run(RecordingSink())
        made.cameras.tracks, made.cameras.newest = (track(),), LiveKeyframe(good, track(), 3)
        assert made.link().rtsp_url
        # Another codec's pictures are not looked into.
        made.cameras.tracks, _ = merged(encoded("h264"))
        made.cameras.newest = LiveKeyframe(b"", made.cameras.tracks[0], 4)
        assert made.link().rtsp_url


def test_payloads_fit_a_packet_and_follow_each_other() -> None:
    payloads = list(jpeg_payloads(jpeg(quality=95, subsampling=2)))
    assert len(payloads) > 5
    assert all(len(payload) <= PAYLOAD_LIMIT_BYTES for payload, _ in payloads)
    assert [is_last for _, is_last in payloads] == [False] * (len(payloads) - 1) + [True]
    scan = b"".join(
        payload[8:] if number else payload[8 + 4 + 128 :] for number, (payload, _) in enumerate(payloads)
    )
    assert jpeg(quality=95, subsampling=2).endswith(scan + b"\xff\xd9")


@pytest.mark.parametrize(
    "data",
    [
        jpeg(progressive=True),
        jpeg(optimize=True),
        jpeg(subsampling=0),
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"GIF89a",
        jpeg()[:300],
    ],
    ids=["progressive", "huffman of its own", "4:4:4", "nothing", "begin", "empty", "another", "cut off"],
)
def test_what_rtp_cannot_carry_is_left_out(data: bytes) -> None:
    assert list(jpeg_payloads(data)) == []


@given(st.binary(max_size=400), st.integers(0, 700))
@settings(max_examples=300)
def test_no_picture_of_a_camera_raises(noise: bytes, at: int) -> None:
    data = jpeg()
    for payload, _ in jpeg_payloads(data[:at] + noise + data[at + len(noise) :]):
        assert len(payload) <= PAYLOAD_LIMIT_BYTES


def test_sizes_that_the_header_has_no_words_for_go_by_http() -> None:
    assert fits_rtp(1920, 1080)
    assert fits_rtp(2040, 2040)
    for width, height in ((2048, 1080), (1920, 2160), (1922, 1080), (0, 0)):
        assert not fits_rtp(width, height)
        assert rtp_tracks((track(width, height),)) == ()
    assert rtp_tracks((track(),))[0].payload_type == 26

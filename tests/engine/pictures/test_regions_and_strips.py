"""Parts of pictures: digital zoom, which shows the camera's own pixels, and sixels in strips that can be drawn one by one."""

from __future__ import annotations

import io
import itertools

import av
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from engine.pictures.decode import decode, read_keyframe
from engine.pictures.encode_sixel import (
    PIECE_BYTES,
    choose_palette,
    encode_sixel,
    encode_strips,
    strip_height_rows,
)
from engine.pictures.exact_frames import ExactPicture, scaled
from engine.pictures.fit import check_request
from engine.pictures.messages import Job
from engine.pictures.picture import DecodedFrame
from engine.pictures.worker import Worker, encoded
from engine.wire import PictureFormat, PictureReply, PictureRequest, SixelStrip
from storage.errors import InvalidInput
from storage.segments.packet import Codec
from tests.engine.pictures.samples import BARS, keyframe
from tests.engine.pictures.test_encoders import drawn_sixels

ZOOM = PictureRequest(camera="gate", format=PictureFormat.JPEG)


def made(request: PictureRequest, codec: Codec = Codec.H264) -> PictureReply:
    done = Worker(0).answer(Job(source=keyframe(codec, 320, 180), request=request))
    reply = done.reply  # type: ignore[union-attr]
    assert isinstance(reply, PictureReply)
    return reply


def jpeg(reply: PictureReply) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(reply.data)).convert("RGB")).astype(int)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265, Codec.MJPEG])
@pytest.mark.parametrize("bar", range(4))
def test_a_region_shows_its_part_of_the_picture_in_the_cameras_own_pixels(codec: Codec, bar: int) -> None:
    """A quarter of the width, half the height: one bar, and nothing of its neighbours."""
    reply = made(msgspec.structs.replace(ZOOM, region=(2500 * bar + 300, 500, 1900, 4000)), codec)
    shown = jpeg(reply)
    assert (reply.width_px, reply.height_px) == (320, 180)
    assert shown.shape == (72, 60, 3)
    assert np.abs(shown - BARS[bar]).max() < 40


def test_a_regions_aspect_is_kept_in_cells() -> None:
    request = PictureRequest(
        camera="gate", format=PictureFormat.HALF_BLOCK, columns=40, rows=40, region=(0, 0, 5000, 10000)
    )
    reply = made(request)
    assert reply.cells is not None
    inked = [line for line in reply.cells.lines if any(run.background != -1 for run in line)]
    # 160 x 180 pixels in cells of 10 x 20: 40 columns are 400 pixels, so 450 pixels high.
    assert len(inked) in (22, 23)


@pytest.mark.parametrize(
    ("region", "named"),
    [
        ((-1, 0, 5000, 5000), "left and width"),
        ((0, 0, 49, 5000), "left and width"),
        ((5001, 0, 5000, 5000), "left and width"),
        ((0, 0, 5000, 0), "top and height"),
        ((0, 9000, 5000, 1001), "top and height"),
    ],
)
def test_regions_nobody_can_mean_are_refused_by_name(region: tuple[int, int, int, int], named: str) -> None:
    with pytest.raises(InvalidInput, match=f"picture region: {named}"):
        check_request(msgspec.structs.replace(ZOOM, region=region))


@pytest.mark.parametrize("region", [(0, 0, 50, 50), (9950, 9950, 50, 50), (0, 0, 10_000, 10_000)])
@pytest.mark.parametrize("codec", [Codec.H264, Codec.MJPEG])
def test_regions_at_the_very_edges_are_pictures(region: tuple[int, int, int, int], codec: Codec) -> None:
    assert jpeg(made(msgspec.structs.replace(ZOOM, region=region), codec)).size


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265, Codec.MJPEG])
def test_a_rough_picture_shows_the_same_and_says_the_same_size(codec: Codec) -> None:
    small = msgspec.structs.replace(ZOOM, width_px=80)
    exact, rough = made(small, codec), made(msgspec.structs.replace(small, is_rough=True), codec)
    assert (rough.width_px, rough.height_px) == (320, 180)
    assert jpeg(rough).shape == jpeg(exact).shape == (45, 80, 3)
    assert np.abs(jpeg(rough) - jpeg(exact)).mean() < 8


@pytest.mark.parametrize("cell_height_px", [6, 14, 16, 17, 18, 20, 24])
@pytest.mark.parametrize("wanted_rows", [1, 4, 7, 200])
def test_strips_are_whole_rows_and_whole_bands_unless_fewer_rows_are_wanted(
    cell_height_px: int, wanted_rows: int
) -> None:
    rows = strip_height_rows(cell_height_px, wanted_rows)
    assert rows >= 1
    assert rows * cell_height_px % 6 == 0 or rows == wanted_rows < 6


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("cell_height_px", [16, 18, 20])
def test_strips_drawn_below_each_other_are_the_picture(cell_height_px: int, rows: int) -> None:
    """None paints below its own rows: the terminal of these tests has no room there."""
    pixels = decode(read_keyframe(keyframe(noise=True))).rgb(160, 90)
    palette = choose_palette(pixels, 32)
    strips = encode_strips(pixels, palette, (10, cell_height_px), rows)
    heights = {strip.row: strip.rows for strip in strips}
    assert list(heights) == list(range(0, len(heights) * rows, rows))
    for row, behind in itertools.pairwise(heights):
        assert row + heights[row] == behind
    whole = drawn_sixels(encode_sixel(pixels, palette))
    assert np.array_equal(drawn_strips(strips, (10, cell_height_px), whole.shape), whole)


def drawn_strips(
    strips: tuple[SixelStrip, ...], cell_px: tuple[int, int], shape: tuple[int, ...]
) -> NDArray[np.int_]:
    """Each at its cells."""
    drawn = np.full(shape, -1)
    for strip in strips:
        part = drawn_sixels(strip.data)
        left, top = strip.column * cell_px[0], strip.row * cell_px[1]
        assert strip.columns in (0, -(-part.shape[1] // cell_px[0]))
        drawn[top : top + part.shape[0], left : left + part.shape[1]] = part
    return drawn


@pytest.mark.parametrize("width_px", [300, 297])
def test_one_row_that_is_long_is_cut_into_columns_that_a_key_need_not_wait_for(width_px: int) -> None:
    """Noise: every colour in every cell, 30 kB a row."""
    pixels = np.random.default_rng(5).integers(0, 256, (42, width_px, 3), dtype=np.uint8)
    palette = choose_palette(pixels, 32)
    uncut, *_ = encode_strips(pixels, palette, (10, 20), 2)
    assert len(uncut.data) > 10 * PIECE_BYTES
    assert uncut.columns == 0
    strips = encode_strips(pixels, palette, (10, 20), 1)
    assert max(len(strip.data) for strip in strips) < 1.5 * PIECE_BYTES
    whole = drawn_sixels(encode_sixel(pixels, palette))
    assert np.array_equal(drawn_strips(strips, (10, 20), whole.shape), whole)


def test_a_request_with_strips_gets_them_instead_of_the_whole() -> None:
    request = PictureRequest(
        camera="gate", format=PictureFormat.SIXEL, columns=40, rows=12, colors=32, strip_rows=4
    )
    reply = made(request)
    assert reply.data == b""
    assert len(reply.strips) == 4
    assert sum(strip.rows for strip in reply.strips) == reply.rows


@st.composite
def requests(draw: st.DrawFn) -> PictureRequest:
    """Any that is let through."""
    left, top = draw(st.integers(0, 9_950)), draw(st.integers(0, 9_950))
    region = (left, top, draw(st.integers(50, 10_000 - left)), draw(st.integers(50, 10_000 - top)))
    return PictureRequest(
        camera="gate",
        format=draw(st.sampled_from(PictureFormat)),
        columns=draw(st.sampled_from([1, 2, 80])),
        rows=draw(st.sampled_from([1, 2, 24])),
        cell_width_px=draw(st.sampled_from([1, 8, 64])),
        cell_height_px=draw(st.sampled_from([1, 16, 64])),
        colors=draw(st.sampled_from([2, 8, 16, 256, 1 << 24])),
        width_px=draw(st.sampled_from([0, 1, 100])),
        strip_rows=draw(st.sampled_from([0, 1, 3])),
        region=draw(st.none() | st.just(region)),
    )


@settings(max_examples=150)
@given(
    requests(),
    st.sampled_from([1, 2, 3, 15, 16, 17, 200, 1_920]),
    st.sampled_from([1, 2, 3, 15, 16, 17, 120, 1_080]),
    st.sampled_from(["yuv420p", "yuvj422p", "yuv444p", "gray", "yuv420p10le"]),
    st.sampled_from([1, 8]),
)
def test_any_part_of_a_picture_of_any_size_is_a_picture(
    request: PictureRequest, width: int, height: int, pixels: str, halved: int
) -> None:
    """Down to a single pixel; `halved`: a JPEG that was decoded smaller than it is."""
    check_request(request)
    frame = av.VideoFrame(width, height, pixels)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    decoded = DecodedFrame(frame, width * halved, height * halved, 1)
    picture = decoded.cropped(request.region) if request.region else decoded
    track = keyframe().track
    for shown in (picture, scaled(decoded, request)):
        exact = ExactPicture(shown, track, (width * halved, height * halved), 1, None, None)
        reply = encoded(Job(source=keyframe(), request=request), exact).reply
        assert reply.data or reply.cells or reply.strips
        assert reply.columns <= request.columns
        assert reply.rows <= request.rows

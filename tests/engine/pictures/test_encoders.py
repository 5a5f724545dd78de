"""What the encoders make of a picture whose colours are known: read back as a terminal would."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from engine.pictures.decode import DecodedFrame, decode, read_keyframe
from engine.pictures.encode_cells import DEFAULT, RAMP, encode_cells
from engine.pictures.encode_jpeg import encode_jpeg
from engine.pictures.encode_kitty import encode_kitty
from engine.pictures.encode_sixel import choose_palette, encode_sixel, fitting_palette
from engine.pictures.fit import fit_cells, fit_kitty, fit_sixel
from engine.pictures.palettes import LINUX_16
from engine.wire import PictureFormat, PictureRequest
from storage.errors import PictureUnavailable
from storage.segments.packet import Codec
from tests.engine.pictures.samples import chart, keyframe


def decoded(width: int = 320, height: int = 180) -> DecodedFrame:
    return decode(read_keyframe(keyframe(width=width, height=height)))


def request(kind: PictureFormat, colors: int, columns: int = 40, rows: int = 12) -> PictureRequest:
    return PictureRequest(camera="c", format=kind, columns=columns, rows=rows, colors=colors)


# -- decoding --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265, Codec.MJPEG])
def test_every_video_codec_decodes_to_the_colours_that_went_in(codec: Codec) -> None:
    frame = decode(read_keyframe(keyframe(codec)))
    difference = np.abs(frame.rgb(320, 180).astype(int) - chart(320, 180).astype(int))
    assert difference.mean() < 6


def test_a_frame_with_a_missing_end_is_refused_not_guessed() -> None:
    whole = keyframe(width=640, height=360, noise=True)
    half = whole.data[: len(whole.data) // 2]
    cut = msgspec.structs.replace(whole, data=(len(half) - 4).to_bytes(4) + half[4:])
    with pytest.raises(PictureUnavailable, match="corrupt"):
        decode(read_keyframe(cut))


@given(noise=st.binary(max_size=400))
def test_garbage_never_decodes_and_never_raises_anything_else(noise: bytes) -> None:
    for codec in (Codec.H264, Codec.MJPEG):
        source = msgspec.structs.replace(keyframe(codec), data=noise)
        with pytest.raises(PictureUnavailable):
            decode(read_keyframe(source))


# -- fit -------------------------------------------------------------------------------------------------


@given(
    columns=st.integers(1, 300),
    rows=st.integers(1, 100),
    width=st.integers(16, 8000),
    height=st.integers(16, 8000),
)
def test_pictures_never_leave_their_box(columns: int, rows: int, width: int, height: int) -> None:
    asked = request(PictureFormat.SIXEL, 32, columns, rows)
    cells = fit_cells(asked, width, height)
    assert 0 <= cells.left <= columns - cells.columns
    assert 0 <= cells.top <= rows - cells.rows
    for fit in (fit_sixel(asked, width, height), fit_kitty(asked, width, height)):
        assert 1 <= fit.columns <= columns
        assert 1 <= fit.rows <= rows
    assert fit_sixel(asked, width, height).height_px % 6 == 0


def test_a_wide_picture_keeps_its_shape_on_cells_twice_as_high_as_wide() -> None:
    fit = fit_cells(request(PictureFormat.HALF_BLOCK, 256, 80, 24), 1920, 1080)
    assert (fit.columns, fit.rows, fit.left, fit.top) == (80, 22, 0, 1)


# -- cells -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PictureFormat.HALF_BLOCK, PictureFormat.ASCII])
@pytest.mark.parametrize("colors", [2, 8, 16, 256, 1 << 24])
def test_every_row_is_as_wide_as_the_box_and_colours_are_in_range(kind: PictureFormat, colors: int) -> None:
    picture = encode_cells(decoded(), request(kind, colors, 41, 15))
    highest = {2: -1, 8: 7, 16: 15, 256: 255}.get(colors, 0xFFFFFF)
    assert len(picture.lines) == 15
    for line in picture.lines:
        assert sum(len(run.text) for run in line) == 41
        for run in line:
            assert DEFAULT <= run.foreground <= highest
            assert DEFAULT <= run.background <= min(highest, 7 if colors == 16 else highest)
            assert set(run.text) <= set(RAMP if kind is PictureFormat.ASCII else " ▀▄█")


def rgb_of_half_blocks(colors: int, columns: int = 40, rows: int = 12) -> NDArray[np.uint8]:
    """The picture a terminal would show, one pixel a half cell."""
    picture = encode_cells(decoded(), request(PictureFormat.HALF_BLOCK, colors, columns, rows))
    shown = np.zeros((rows * 2, columns, 3), dtype=np.uint8)
    for row, line in enumerate(picture.lines):
        column = 0
        for run in line:
            for character in run.text:
                fore, back = _rgb(run.foreground, colors), _rgb(run.background, colors)
                shown[row * 2, column] = fore if character in "▀█" else back
                shown[row * 2 + 1, column] = fore if character in "▄█" else back
                column += 1
    return shown


def _rgb(colour: int, colors: int) -> tuple[int, ...]:
    if colour == DEFAULT:
        return (0, 0, 0)
    if colors > 256:
        return (colour >> 16, colour >> 8 & 255, colour & 255)
    if colors == 256:
        if colour >= 232:
            return (8 + (colour - 232) * 10,) * 3
        steps = (0, 95, 135, 175, 215, 255)
        return (steps[(colour - 16) // 36], steps[(colour - 16) // 6 % 6], steps[(colour - 16) % 6])
    return tuple(LINUX_16[colour].tolist())


@pytest.mark.parametrize(("colors", "tolerance"), [(1 << 24, 12), (256, 24), (16, 48), (8, 62)])
def test_half_blocks_show_the_picture_in_the_colours_the_terminal_has(colors: int, tolerance: int) -> None:
    shown = rgb_of_half_blocks(colors)
    fit = fit_cells(request(PictureFormat.HALF_BLOCK, colors), 320, 180)
    inside = shown[fit.top * 2 : (fit.top + fit.rows) * 2]
    wanted = np.asarray(Image.fromarray(chart(320, 180)).resize((40, fit.rows * 2), Image.Resampling.BOX))
    assert np.abs(inside.astype(int) - wanted.astype(int)).mean() < tolerance


def test_pixels_that_are_not_square_are_drawn_as_they_should_look() -> None:
    frame = dataclasses.replace(decoded(), pixel_aspect=0.75)
    picture = encode_cells(frame, request(PictureFormat.HALF_BLOCK, 1 << 24, 80, 22))
    assert frame.shape_px == (240, 180)
    assert picture.lines[10][0].text.isspace()
    assert picture.lines[10][0].background == DEFAULT
    assert len(picture.lines[10][0].text) == 10


def test_equal_neighbours_are_one_run() -> None:
    picture = encode_cells(decoded(), request(PictureFormat.HALF_BLOCK, 1 << 24, 80, 22))
    assert max(len(line) for line in picture.lines) < 20


def test_mono_pictures_use_no_colour_at_all() -> None:
    for kind in (PictureFormat.HALF_BLOCK, PictureFormat.ASCII):
        picture = encode_cells(decoded(), request(kind, 2))
        assert {(run.foreground, run.background) for line in picture.lines for run in line} == {
            (DEFAULT, DEFAULT)
        }


# -- sixel -----------------------------------------------------------------------------------------------


def drawn_sixels(data: bytes) -> NDArray[np.uint8]:
    """A small sixel terminal: RGB of what the sequence paints; black where it paints nothing."""
    match = re.fullmatch(rb'\x1bP0;1;0q"1;1;(\d+);(\d+)((?:#\d+;2;\d+;\d+;\d+)+)(.*)\x1b\\', data, re.DOTALL)
    assert match is not None
    width, height = int(match[1]), int(match[2])
    registers = {
        int(number): [round(int(value) * 255 / 100) for value in (red, green, blue)]
        for number, red, green, blue in re.findall(rb"#(\d+);2;(\d+);(\d+);(\d+)", match[3])
    }
    canvas = np.zeros((height, width, 3), dtype=np.uint8)
    x = y = colour = 0
    for token in re.finditer(rb"#(\d+)|!(\d+)(.)|([$-])|([?-~])", match[4], re.DOTALL):
        if token[1]:
            colour = int(token[1])
        elif token[4] == b"$":
            x = 0
        elif token[4] == b"-":
            x, y = 0, y + 6
        else:
            count, character = (int(token[2]), token[3]) if token[2] else (1, token[5])
            for row in range(6):
                if (character[0] - 0x3F) >> row & 1:
                    canvas[y + row, x : x + count] = registers[colour]
            x += count
            assert x <= width
    return canvas


@pytest.mark.parametrize("colors", [2, 16, 32, 64, 256])
def test_sixels_paint_the_picture(colors: int) -> None:
    pixels = decode(read_keyframe(keyframe(noise=True))).rgb(160, 90)
    palette = choose_palette(pixels, colors)
    shown = drawn_sixels(encode_sixel(pixels, palette))
    nearest = np.frombuffer(palette, np.uint8).reshape(-1, 3).astype(int)
    best = np.abs(pixels[..., None, :].astype(int) - nearest).sum(axis=3).min(axis=2).mean()
    assert np.abs(shown.astype(int) - pixels.astype(int)).sum(axis=2).mean() < best * 1.3 + 4


def test_a_palette_that_no_longer_fits_is_chosen_anew() -> None:
    day = decoded().rgb(160, 90)
    night = np.ascontiguousarray(
        np.repeat(day.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8) // 2 + 90
    )
    palette, error = fitting_palette(day, 8, b"", 0.0)
    assert fitting_palette(day, 8, palette, error) == (palette, error)
    assert fitting_palette(night, 8, palette, error)[0] != palette


# -- kitty and JPEG --------------------------------------------------------------------------------------


def test_kitty_chunks_hold_the_picture_and_name_its_place() -> None:
    frame = decode(read_keyframe(keyframe(noise=True)))
    fit = fit_kitty(request(PictureFormat.KITTY, 256), 320, 180)
    pixels = frame.rgb(fit.width_px, fit.height_px)
    chunks = re.findall(rb"\x1b_G([^;]*);([^\x1b]*)\x1b\\", encode_kitty(pixels, fit, image_id=77))
    assert all(len(text) <= 4096 and len(text) % 4 == 0 for _, text in chunks)
    assert [b"m=1" in keys for keys, _ in chunks] == [True] * (len(chunks) - 1) + [False]
    assert b"i=77" in chunks[0][0]
    assert f"c={fit.columns},r={fit.rows}".encode() in chunks[0][0]
    png = Image.open(io.BytesIO(base64.b64decode(b"".join(text for _, text in chunks))))
    assert np.array_equal(np.asarray(png), pixels)
    assert zlib.crc32(pixels.tobytes()) == zlib.crc32(png.tobytes())


@pytest.mark.parametrize(("wanted_width_px", "size"), [(0, (320, 180)), (160, (160, 90)), (4000, (320, 180))])
def test_jpegs_are_scaled_down_but_never_up(wanted_width_px: int, size: tuple[int, int]) -> None:
    source = read_keyframe(keyframe())
    assert Image.open(io.BytesIO(encode_jpeg(decode(source), wanted_width_px))).size == size


def test_a_cameras_own_jpeg_is_handed_out_untouched() -> None:
    source = read_keyframe(keyframe(Codec.MJPEG))
    assert encode_jpeg(decode(source), 0, source.data) == source.data

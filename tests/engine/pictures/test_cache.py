"""What is kept of pictures, bounded in bytes: the bytes counted are the bytes held."""

from __future__ import annotations

import sys

import av
import msgspec
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from engine.pictures.cache import PictureCache, reply_bytes
from engine.pictures.frame_shelf import ENTRY_BYTES, FrameShelf
from engine.pictures.picture import DecodedFrame, ScaledPicture
from engine.wire import CellPicture, CellRun, PictureFormat, PictureReply, SixelStrip


def reply(size_bytes: int) -> PictureReply:
    return PictureReply(
        camera="c", time_us=0, format=PictureFormat.JPEG, width_px=1, height_px=1, data=bytes(size_bytes)
    )


@given(steps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3000)), max_size=60))
def test_the_bytes_counted_are_those_held_and_never_above_the_limit(steps: list[tuple[int, int]]) -> None:
    cache = PictureCache(limit_bytes=8000)
    for key, size_bytes in steps:
        cache.put(key, reply(size_bytes))
        held = [cache.get(number) for number in range(10)]
        assert cache.bytes == sum(reply_bytes(one) for one in held if one) <= 8000


def test_what_was_asked_for_last_stays() -> None:
    cache = PictureCache(limit_bytes=3 * reply_bytes(reply(1000)))
    for key in "abc":
        cache.put(key, reply(1000))
    cache.get("a")
    cache.put("d", reply(1000))
    assert [key for key in "abcd" if cache.get(key)] == ["a", "c", "d"]


def test_a_reply_larger_than_the_cache_is_not_kept() -> None:
    cache = PictureCache(limit_bytes=1000)
    cache.put("a", reply(10))
    cache.put("a", reply(5000))
    assert (len(cache), cache.bytes) == (0, 0)


def real_bytes(value: object) -> int:
    """Of a reply as it comes off the pipe, with all that is in it."""
    if isinstance(value, msgspec.Struct):
        return sys.getsizeof(value) + sum(
            real_bytes(getattr(value, each)) for each in value.__struct_fields__
        )
    if isinstance(value, tuple):
        return sys.getsizeof(value) + sum(real_bytes(each) for each in value)
    return sys.getsizeof(value)


runs = st.builds(
    CellRun, st.text("\u2580 a", min_size=1, max_size=500), st.integers(-1, 1 << 24), st.integers(-1, 1 << 24)
)
strips = st.builds(SixelStrip, st.integers(0, 250), st.integers(1, 250), st.binary(max_size=3_000))


@given(
    st.lists(st.lists(runs, min_size=1, max_size=20).map(tuple), max_size=20).map(tuple),
    st.lists(strips, max_size=9).map(tuple),
    st.binary(max_size=5_000),
)
@example(tuple((CellRun("\u2580" * 500, 1_000 + line, 2_000),) for line in range(60)), (), b"")
def test_a_reply_is_counted_as_what_it_holds(
    lines: tuple[tuple[CellRun, ...], ...], cut: tuple[SixelStrip, ...], data: bytes
) -> None:
    made = PictureReply(
        camera="gate",
        time_us=1 << 50,
        format=PictureFormat.HALF_BLOCK,
        width_px=1_920,
        height_px=1_080,
        data=data,
        cells=CellPicture(columns=1, rows=1, lines=lines),
        strips=cut,
    )
    received = msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=PictureReply)
    held_bytes = real_bytes(received)
    assert held_bytes / 2 - 1_000 < reply_bytes(received) < held_bytes * 2 + 1_000


# -- the shelf of a worker ---------------------------------------------------------------------------------


def picture(width: int, height: int) -> ScaledPicture:
    """As libav hands it out: a window on a buffer of its own."""
    frame = DecodedFrame(av.VideoFrame(320, 180, "yuv420p"), 320, 180, 1)
    return ScaledPicture(frame.rgb(width, height), width, height, (width, height), (320, 180))


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 60), st.integers(1, 20)) | st.just("clear"), max_size=60
    )
)
def test_the_shelf_counts_what_it_holds_after_any_sequence(steps: list[tuple[int, int, int] | str]) -> None:
    limit_bytes = 12_000
    shelf = FrameShelf(limit_bytes)
    for step in steps:
        if isinstance(step, str):
            shelf.clear()
        else:
            key, width, height = step
            shelf.put(key, picture(width, height))
        held = [each for each in (shelf.get(number) for number in range(6)) if each is not None]
        assert len(held) == len(shelf)
        assert all(each.pixels.flags.owndata for each in held), "nothing else is kept alive by it"
        assert shelf.bytes == sum(each.pixels.nbytes + ENTRY_BYTES for each in held) <= limit_bytes


def test_pictures_of_a_cell_are_counted_with_what_is_around_them() -> None:
    shelf = FrameShelf(100_000)
    one = picture(1, 2)
    for number in range(2_000):
        shelf.put(("a long path of a file", number, number, (1, 2)), one)
    assert len(shelf) <= 100
    assert np.array_equal(shelf.get(("a long path of a file", 1_999, 1_999, (1, 2))).pixels, one.pixels)  # type: ignore[union-attr]

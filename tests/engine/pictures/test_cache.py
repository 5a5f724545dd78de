"""The picture cache: bounded in bytes, least recently asked for goes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.pictures.cache import PictureCache, reply_bytes
from engine.wire import PictureFormat, PictureReply


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

"""H.265 with open GOPs: keyframes that are CRA pictures, with RASL pictures coded behind them and shown before them.

Whoever seeks to such a keyframe has not decoded what RASL pictures refer to: a decoder that begins there would show them broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.segments.packet import Packet
from tests.engine.api.test_exact_pictures import check_every_picture
from tests.fakes.coded_clip import VIDEO_HZ, Clip, clip, filmed_us, recorded
from tests.fakes.station import FakeStation

RASL_N, RASL_R, CRA = 8, 9, 21
FRAME_TICKS = VIDEO_HZ // 25
GOP = 27
"""Three more than a multiple of four, the distance of pictures that others refer to: two are left to lead each keyframe."""


def kinds(packet: Packet) -> Iterator[int]:
    """Types of its NAL units."""
    offset = 0
    while offset < len(packet.data):
        yield packet.data[offset + 4] >> 1 & 0x3F
        offset += 4 + int.from_bytes(packet.data[offset : offset + 4])


def open_clip(frames: int = 4 * GOP) -> Clip:
    """Of which every keyframe but the first is a CRA picture, with RASL pictures behind."""
    coded = clip("h265_b", frames, gop=GOP, is_open_gop=True)
    keys = [packet for packet in coded.packets if packet.is_keyframe]
    assert len(keys) == frames // GOP
    assert all(CRA in kinds(packet) for packet in keys[1:]), "the encoder makes none any more"
    assert len(leading(coded)) == 2 * (len(keys) - 1), "the encoder makes none any more"
    return coded


def leading(coded: Clip) -> list[int]:
    """Numbers of the RASL pictures, in order of presentation."""
    first = min(packet.pts_ticks for packet in coded.packets)
    return sorted(
        (packet.pts_ticks - first) // FRAME_TICKS
        for packet in coded.packets
        if {RASL_N, RASL_R} & set(kinds(packet))
    )


async def test_every_picture_is_found_the_leading_ones_too(station: FakeStation, short_folder: Path) -> None:
    coded = open_clip()
    async with recorded(station, short_folder) as rig:
        await rig.run(coded, seconds_a_segment=100)
        await check_every_picture(rig, coded)
        forwards = await rig.walk(coded.times_us[0], 1, 4 * GOP - 1, exact=True)
        assert [filmed_us(reply) for reply in forwards] == list(coded.times_us[1:])
        backwards = await rig.walk(coded.times_us[-1], -1, 4 * GOP - 1, exact=True)
        assert [filmed_us(reply) for reply in backwards] == list(coded.times_us[-2::-1])


async def test_a_seek_shows_leading_pictures_whole_or_not_at_all(
    station: FakeStation, short_folder: Path
) -> None:
    """From nowhere to each, with nothing decoded before: a fresh worker an order, so to speak."""
    coded = open_clip()
    async with recorded(station, short_folder) as rig:
        await rig.run(coded, seconds_a_segment=100)
        for number in reversed(leading(coded)):
            reply = await rig.ask(coded.times_us[number], exact=True)
            assert (filmed_us(reply), reply.notice) == (coded.times_us[number], "")
        for number in range(0, 4 * GOP, GOP):
            keyframe = await rig.ask(coded.times_us[number])
            assert filmed_us(keyframe) == coded.times_us[number]
            behind = await rig.ask(coded.times_us[number], exact=True, step=1)
            assert filmed_us(behind) == coded.times_us[number + 1]


@pytest.mark.parametrize("is_indexed", [True, False])
async def test_where_a_file_begins_with_a_cra_its_leading_pictures_are_left_out_and_never_shown_broken(
    is_indexed: bool, station: FakeStation, short_folder: Path
) -> None:
    """What they refer to is in the file before, and their bytes are in this one."""
    coded = open_clip()
    lost = set(leading(coded))
    async with recorded(station, short_folder) as rig:
        assert len(await rig.run(coded, seconds_a_segment=1, is_indexed=is_indexed)) == 4
        shown = [number for number in range(4 * GOP) if number not in lost]
        for number in range(4 * GOP):
            reply = await rig.ask(coded.times_us[number] + 20_000, exact=True)
            # In the file before nothing follows, and in this one it is before the first: one of the two, with its own time.
            beside = {
                max(each for each in shown if each <= number),
                min(each for each in shown if each >= number),
            }
            assert filmed_us(reply) in {coded.times_us[each] for each in beside}, f"picture {number}"
            assert abs(reply.time_us - (filmed_us(reply) or 0)) <= 1, f"picture {number}"
        forwards = await rig.walk(coded.times_us[0], 1, len(shown) - 1, exact=True)
        assert [filmed_us(reply) for reply in forwards] == [coded.times_us[each] for each in shown[1:]]
        backwards = await rig.walk(forwards[-1].time_us, -1, len(shown) - 1, exact=True)
        assert [filmed_us(reply) for reply in backwards] == [coded.times_us[each] for each in shown[-2::-1]]

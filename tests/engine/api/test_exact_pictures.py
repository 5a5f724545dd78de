"""Every picture of a recording, found at its own time and step by step, by the clock burnt into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.wire import PictureReply
from storage.catalog.changes import CloseSegment
from storage.errors import PictureUnavailable
from storage.segments.places import encode_places
from storage.segments.recover import recover_segment
from tests.fakes.coded_clip import START_US, Clip, Recorded, clip, filmed_us, recorded
from tests.fakes.station import FakeStation

SECOND = 1_000_000
KINDS = ("h264", "h264_b", "h265", "h265_b", "mjpeg")


async def check_every_picture(rig: Recorded, coded: Clip) -> None:
    """Found at its first moment, in its middle and at its last; and its end is where the next begins."""
    for number, time_us in enumerate(coded.times_us):
        middle = await rig.ask(time_us + coded.frame_us // 2, exact=True)
        assert filmed_us(middle) == time_us, f"picture {number}"
        assert abs(middle.time_us - time_us) <= 1
        first = await rig.ask(middle.time_us, exact=True)
        assert (first.time_us, filmed_us(first)) == (middle.time_us, time_us)
        if middle.until_us is not None:
            assert filmed_us(await rig.ask(middle.until_us - 1, exact=True)) == time_us
            assert abs(middle.until_us - time_us - coded.frame_us) <= 1


@pytest.mark.parametrize("kind", KINDS)
async def test_every_picture_is_found_at_its_time(
    kind: str, station: FakeStation, short_folder: Path
) -> None:
    coded = clip(kind)
    async with recorded(station, short_folder) as rig:
        await rig.run(coded)
        await check_every_picture(rig, coded)


@pytest.mark.parametrize("kind", KINDS)
async def test_stepping_shows_every_picture_once_forwards_and_backwards_over_files_and_a_gap(
    kind: str, station: FakeStation, short_folder: Path
) -> None:
    before, behind = clip(kind), clip(kind, 60, start_us=START_US + 20 * SECOND)
    filmed = list(before.times_us + behind.times_us)
    async with recorded(station, short_folder) as rig:
        assert len(await rig.run(before)) == 2
        assert len(await rig.run(behind)) == 2
        forwards = await rig.walk(START_US, 1, len(filmed) - 1, exact=True)
        assert [filmed_us(reply) for reply in forwards] == filmed[1:]
        with pytest.raises(PictureUnavailable, match="last recorded picture of camera Gate"):
            await rig.ask(forwards[-1].time_us, step=1, exact=True)
        backwards = await rig.walk(forwards[-1].time_us, -1, len(filmed) - 1, exact=True)
        assert [filmed_us(reply) for reply in backwards] == filmed[-2::-1]
        with pytest.raises(PictureUnavailable, match="first recorded picture of camera Gate"):
            await rig.ask(START_US, step=-1, exact=True)


async def test_a_step_from_inside_a_gap_goes_to_its_edges(station: FakeStation, short_folder: Path) -> None:
    coded, later = clip("h264"), clip("h264", 60, start_us=START_US + 20 * SECOND)
    async with recorded(station, short_folder) as rig:
        await rig.run(coded)
        await rig.run(later)
        inside_us = START_US + 10 * SECOND
        assert filmed_us(await rig.ask(inside_us, step=1, exact=True)) == later.times_us[0]
        assert filmed_us(await rig.ask(inside_us, step=-1, exact=True)) == coded.times_us[-1]
        assert filmed_us(await rig.ask(inside_us, step=1)) == later.times_us[0]
        assert filmed_us(await rig.ask(inside_us, step=-1)) == coded.times_us[75]


@pytest.mark.parametrize("kind", KINDS)
async def test_keyframe_steps_show_every_keyframe_once(
    kind: str, station: FakeStation, short_folder: Path
) -> None:
    before, behind = clip(kind), clip(kind, 60, start_us=START_US + 20 * SECOND)
    gop = 1 if kind == "mjpeg" else 25
    keys = [time_us for coded in (before, behind) for time_us in coded.times_us[::gop]]
    async with recorded(station, short_folder) as rig:
        await rig.run(before)
        await rig.run(behind)
        forwards = await rig.walk(START_US, 1, len(keys) - 1)
        assert [filmed_us(reply) for reply in forwards] == keys[1:]
        backwards = await rig.walk(forwards[-1].time_us, -1, len(keys) - 1)
        assert [filmed_us(reply) for reply in backwards] == keys[-2::-1]
        for step, last in ((1, forwards[-1]), (-1, backwards[-1])):
            with pytest.raises(PictureUnavailable, match="recorded picture of camera Gate"):
                await rig.ask(last.time_us, step=step)


@pytest.mark.parametrize("kind", ["h264", "h264_b", "h265_b"])
@pytest.mark.parametrize("is_indexed", [True, False])
async def test_a_gop_longer_than_a_part_is_found_in_all_its_parts(
    kind: str, is_indexed: bool, station: FakeStation, short_folder: Path
) -> None:
    coded = clip(kind, 150, gop=60)
    async with recorded(station, short_folder) as rig:
        paths = await rig.run(coded, part_us=400_000, is_indexed=is_indexed, seconds_a_segment=4)
        assert len(paths) == 2
        await check_every_picture(rig, coded)
        backwards = await rig.walk(coded.times_us[-1], -1, 149, exact=True)
        assert [filmed_us(reply) for reply in backwards] == list(coded.times_us[-2::-1])


async def test_pictures_before_the_keyframe_they_are_coded_behind_are_found(
    station: FakeStation, short_folder: Path
) -> None:
    """Open GOPs: the B-pictures before a keyframe need it and the GOP before."""
    coded = clip("h264_b", 100, gop=25, is_open_gop=True)
    order = [packet.pts_ticks for packet in coded.packets]
    is_open = any(
        packet.is_keyframe and position + 1 < len(order) and order[position + 1] < packet.pts_ticks
        for position, packet in enumerate(coded.packets)
        if position
    )
    assert is_open, "the encoder makes none any more"
    async with recorded(station, short_folder) as rig:
        await rig.run(coded, seconds_a_segment=100)
        await check_every_picture(rig, coded)


@pytest.mark.parametrize("kind", ["h264", "h264_b"])
async def test_a_file_that_is_still_written_is_exact_as_far_as_it_reaches(
    kind: str, station: FakeStation, short_folder: Path
) -> None:
    coded = clip(kind)
    async with recorded(station, short_folder) as rig:
        await rig.run(coded, is_last_open=True)
        await check_every_picture(rig, coded)
        forwards = await rig.walk(START_US, 1, 99, exact=True)
        assert [filmed_us(reply) for reply in forwards] == list(coded.times_us[1:])
        with pytest.raises(PictureUnavailable, match="last recorded picture"):
            await rig.ask(forwards[-1].time_us, step=1, exact=True)


async def test_times_follow_the_slew_and_come_back_to_the_same_picture(
    station: FakeStation, short_folder: Path
) -> None:
    coded = clip("h264", 150)
    async with recorded(station, short_folder) as rig:
        await rig.run(coded, stretch=1.000_37)
        replies = await rig.walk(START_US, 1, 149, exact=True)
        assert [filmed_us(reply) for reply in replies] == list(coded.times_us[1:])
        for number, reply in enumerate(replies, 1):
            expected_us = START_US + number * 40_000 * 1.000_37
            assert abs(reply.time_us - expected_us) <= 2
            again = await rig.ask(reply.time_us, exact=True)
            assert (again.time_us, filmed_us(again)) == (reply.time_us, filmed_us(reply))


async def test_an_index_that_is_not_about_the_file_does_no_harm(
    station: FakeStation, short_folder: Path
) -> None:
    coded = clip("h264")
    async with recorded(station, short_folder) as rig:
        (path,) = await rig.run(coded, seconds_a_segment=100)
        other = await rig.services.catalog.read("picture_footage", rig.camera.id, START_US)
        whole = path.read_bytes()
        assert other.segment.bytes == len(whole)
        path.write_bytes(whole + bytes(100))  # another size: as after a repair
        assert filmed_us(await rig.ask(START_US + 50 * 40_000, exact=True)) == coded.times_us[50]
        assert filmed_us(await rig.ask(START_US + 60 * 40_000)) == coded.times_us[50]


async def damaged_clip(rig: Recorded, first_damaged: int, length: int = 1) -> Clip:
    """Noise in place of the data of some pictures of the second GOP; their lengths stay."""
    coded = clip("h264")
    (path,) = await rig.run(coded, seconds_a_segment=100)
    content = bytearray(path.read_bytes())
    for packet in coded.packets[first_damaged : first_damaged + length]:
        at = content.index(packet.data)
        content[at + 5 : at + len(packet.data)] = bytes(
            (7 * number) % 251 for number in range(len(packet.data) - 5)
        )
    path.write_bytes(content)
    return coded


async def test_behind_a_damaged_picture_the_last_whole_one_is_shown_with_its_own_time(
    station: FakeStation, short_folder: Path
) -> None:
    async with recorded(station, short_folder) as rig:
        coded = await damaged_clip(rig, 37)
        for number in (35, 36):
            whole = await rig.ask(coded.times_us[number], exact=True)
            assert (filmed_us(whole), whole.notice) == (coded.times_us[number], "")
        for number in (37, 38, 49):
            reply = await rig.ask(coded.times_us[number], exact=True)
            assert filmed_us(reply) == coded.times_us[36]
            assert (reply.time_us, reply.until_us) == (coded.times_us[36], coded.times_us[50])
            assert "damaged" in reply.notice
        assert filmed_us(await rig.ask(coded.times_us[50], exact=True)) == coded.times_us[50]


async def test_a_step_leads_out_of_a_damaged_stretch(station: FakeStation, short_folder: Path) -> None:
    async with recorded(station, short_folder) as rig:
        coded = await damaged_clip(rig, 37)
        shown: list[PictureReply] = await rig.walk(coded.times_us[34], 1, 4, exact=True)
        assert [filmed_us(reply) for reply in shown] == [
            coded.times_us[number] for number in (35, 36, 50, 51)
        ]
        back = await rig.walk(coded.times_us[51], -1, 3, exact=True)
        assert [filmed_us(reply) for reply in back] == [coded.times_us[number] for number in (50, 36, 35)]


async def test_a_damaged_keyframe_is_an_error_for_its_whole_gop(
    station: FakeStation, short_folder: Path
) -> None:
    async with recorded(station, short_folder) as rig:
        coded = await damaged_clip(rig, 25)
        for exact in (True, False):
            with pytest.raises(PictureUnavailable, match="corrupt"):
                await rig.ask(coded.times_us[30], exact=exact)
        assert filmed_us(await rig.ask(coded.times_us[24], exact=True)) == coded.times_us[24]


@pytest.mark.parametrize("kind", ["h264_b", "h265"])
async def test_a_file_that_a_crash_left_open_is_exact_once_it_is_recovered(
    kind: str, station: FakeStation, short_folder: Path
) -> None:
    coded = clip(kind)
    async with recorded(station, short_folder) as rig:
        paths = await rig.run(coded, is_last_open=True)
        with paths[-1].open("ab") as file:
            file.write(b"\x00\x00\x10\x00moof torn in the middle")
        (segment,) = await rig.services.catalog.read("open_segments")
        found = recover_segment(paths[-1])
        run = await rig.services.catalog.read("run", segment.run_id)
        closed = CloseSegment(
            run.uuid,
            segment.sequence,
            segment.end_us,
            found.video_duration_ticks,
            found.bytes,
            encode_places(found.keyframes),
            is_recovered=True,
        )
        await rig.services.catalog.write("apply", [closed])
        await check_every_picture(rig, coded)
        backwards = await rig.walk(coded.times_us[-1], -1, 99, exact=True)
        assert [filmed_us(reply) for reply in backwards] == list(coded.times_us[-2::-1])

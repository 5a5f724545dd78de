"""Steps over what cannot be decoded or read: to the next picture that is one, with a word; and never stuck."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from storage.errors import PictureUnavailable
from tests.fakes.coded_clip import START_US, Clip, Recorded, clip, filmed_us, recorded
from tests.fakes.station import FakeStation

BOTH = pytest.mark.parametrize("exact", [True, False])


def spoil(path: Path, coded: Clip, numbers: Iterable[int]) -> None:
    """Noise in place of the data of pictures; their lengths stay."""
    content = bytearray(path.read_bytes())
    for number in numbers:
        data = coded.packets[number].data
        at = content.find(data)
        if at >= 0:
            content[at + 5 : at + len(data)] = bytes((7 * each) % 251 for each in range(len(data) - 5))
    path.write_bytes(content)


async def times(rig: Recorded, at_us: int, step: int, count: int, exact: bool) -> list[int | None]:
    return [filmed_us(each) for each in await rig.walk(at_us, step, count, exact=exact)]


@BOTH
@pytest.mark.parametrize("kind", ["h264", "h265", "mjpeg"])
async def test_a_step_onto_a_corrupt_keyframe_goes_to_the_next_whole_one_and_says_so(
    kind: str, exact: bool, station: FakeStation, short_folder: Path
) -> None:
    coded = clip(kind)
    gop = 1 if kind == "mjpeg" else 25
    async with recorded(station, short_folder) as rig:
        (path,) = await rig.run(coded, seconds_a_segment=100)
        spoil(path, coded, [gop, 2 * gop])
        last_us = coded.times_us[gop - 1 if exact else 0]
        forwards = await rig.ask(last_us, step=1, exact=exact)
        assert filmed_us(forwards) == coded.times_us[3 * gop]
        assert "left out" in forwards.notice
        backwards = await rig.ask(coded.times_us[3 * gop], step=-1, exact=exact)
        assert filmed_us(backwards) == last_us
        assert "left out" in backwards.notice
        again = await rig.ask(forwards.time_us, step=1, exact=exact) if kind == "mjpeg" else None
        assert again is None or again.notice == "", "only once"


@BOTH
@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_step_leads_over_files_that_cannot_be_read(
    is_gone: bool, exact: bool, station: FakeStation, short_folder: Path
) -> None:
    """Four files of a second, the middle ones gone, or nothing but zeros; also from inside of them."""
    coded = clip("h264")
    async with recorded(station, short_folder) as rig:
        paths = await rig.run(coded, seconds_a_segment=1)
        assert len(paths) == 4
        for path in paths[1:3]:
            if is_gone:
                path.unlink()
            else:
                path.write_bytes(bytes(path.stat().st_size))
        before_us, behind_us = coded.times_us[24 if exact else 0], coded.times_us[75]
        for at_us in (before_us, coded.times_us[30]):
            reply = await rig.ask(at_us, step=1, exact=exact)
            assert (filmed_us(reply), "cannot be read" in reply.notice) == (behind_us, True)
        for at_us in (behind_us, coded.times_us[60]):
            reply = await rig.ask(at_us, step=-1, exact=exact)
            assert (filmed_us(reply), "cannot be read" in reply.notice) == (before_us, True)


@BOTH
async def test_a_file_whose_last_gop_is_corrupt_is_entered_from_behind(
    exact: bool, station: FakeStation, short_folder: Path
) -> None:
    coded = clip("h264")
    async with recorded(station, short_folder) as rig:
        paths = await rig.run(coded, seconds_a_segment=2)
        spoil(paths[0], coded, [25])
        reply = await rig.ask(coded.times_us[50], step=-1, exact=exact)
        assert filmed_us(reply) == coded.times_us[24 if exact else 0]
        assert "left out" in reply.notice


@BOTH
@pytest.mark.parametrize("is_indexed", [True, False])
async def test_damaged_tables_of_a_part_cost_that_part(
    is_indexed: bool, exact: bool, station: FakeStation, short_folder: Path
) -> None:
    """Of four GOPs the second one's tables are overwritten: the third is found by the catalog's index, or the file's own."""
    coded = clip("h264")
    async with recorded(station, short_folder) as rig:
        (path,) = await rig.run(coded, seconds_a_segment=100, is_indexed=is_indexed)
        content = bytearray(path.read_bytes())
        moofs = [at for at in range(len(content)) if content[at : at + 4] == b"moof"]
        assert len(moofs) == 4
        content[moofs[1] - 4 : moofs[1] + 60] = bytes(64)
        path.write_bytes(content)
        last_us = coded.times_us[24 if exact else 0]
        for at_us in (last_us, coded.times_us[30]):
            forwards = await rig.ask(at_us, step=1, exact=exact)
            assert (filmed_us(forwards), "left out" in forwards.notice) == (coded.times_us[50], True)
        for at_us in (coded.times_us[50], coded.times_us[30]):
            backwards = await rig.ask(at_us, step=-1, exact=exact)
            assert (filmed_us(backwards), "left out" in backwards.notice) == (last_us, True)


@BOTH
async def test_where_nothing_further_can_be_shown_the_reason_is_named(
    exact: bool, station: FakeStation, short_folder: Path
) -> None:
    coded = clip("h264")
    async with recorded(station, short_folder) as rig:
        paths = await rig.run(coded, seconds_a_segment=2)
        paths[1].unlink()
        last_us = coded.times_us[49 if exact else 25]
        with pytest.raises(
            PictureUnavailable, match="behind that picture nothing .* is not there.*other way"
        ):
            await rig.ask(last_us, step=1, exact=exact)
        assert filmed_us(await rig.ask(START_US, step=1, exact=exact)) == coded.times_us[1 if exact else 25]

"""Masks: what is inside is gone, what is outside and before and after is there, and a process that dies or hangs fails the job alone."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from engine.exports import mask_process
from engine.exports.footage_times import media_us, missing, moments, timed_masks, wall_us
from engine.exports.mask_messages import TimedMask
from engine.exports.mask_paint import paint
from engine.exports.mask_process import MaskProcess
from engine.wire_evidence import ExportAsk, ExportJobView, ExportRange, ExportState, MaskStyle, PrivacyMask
from storage.segments.export import MediaSpan
from tests.engine.exports.conftest import at, demuxed, ended, frames, until
from tests.fakes.encoded_video import encoded
from tests.fakes.recorded_footage import record
from tests.fakes.segment_files import START_US
from tests.fakes.station import FakeStation

LEFT = PrivacyMask(left=0, top=0, width=5_000, height=5_000)
"""80 x 48 of the 160 x 96 pixels."""


def masked(camera: str, *masks: PrivacyMask, end: float = 4) -> ExportRange:
    return ExportRange(camera=camera, start_us=at(0), end_us=at(end), masks=masks)


async def made(station: FakeStation, *wanted: ExportRange, password: str = "") -> ExportJobView:
    ask = ExportAsk(ranges=wanted, password=password, with_report=False)
    done = await ended(station, (await station.client.start_export_job(ask)).id)
    assert done.state is ExportState.DONE, done.trouble
    return done


async def both(
    station: FakeStation, *masks: PrivacyMask, camera: str = "gate", end: float = 4
) -> tuple[Path, Path]:
    """The same range masked, and as recorded."""
    job = await made(station, masked(camera, *masks, end=end), masked(camera, end=end))
    videos = [Path(job.folder) / file.name for file in job.files if file.name.endswith((".mp4", ".mov"))]
    return videos[0], videos[1]


@pytest.mark.parametrize("camera", ["gate", "yard"])
async def test_inside_it_is_black_outside_it_is_as_recorded(station: FakeStation, camera: str) -> None:
    hidden, shown = await both(station, LEFT, camera=camera)
    made, source = frames(hidden), frames(shown)
    assert len(made) == len(source) == 100
    for (time_s, pixels), (source_s, original) in zip(made, source, strict=True):
        assert time_s == pytest.approx(source_s, abs=0.001)
        assert pixels[:44, :76].max() < 40
        outside = np.ones(pixels.shape[:2], bool)
        outside[:52, :84] = False
        difference = np.abs(pixels.astype(int) - original.astype(int))[outside]
        assert difference.mean() < 6
        assert np.percentile(difference, 95) < 25
        assert original[:44, :76].max() > 100, "there was something to hide"


async def test_only_in_its_time(station: FakeStation) -> None:
    mask = PrivacyMask(left=0, top=0, width=5_000, height=5_000, start_us=at(1), end_us=at(2.4))
    hidden, _ = await both(station, mask)
    dark = [time_s for time_s, pixels in frames(hidden) if pixels[:44, :76].max() < 60]
    assert dark == pytest.approx([second / 25 for second in range(25, 60)], abs=0.001)


async def test_over_a_hole_by_the_clock_on_the_wall(station: FakeStation) -> None:
    """The file shows 0-4 s and 10-14 s without a pause: a mask of 11-12 s is at 5-6 s of it."""
    mask = PrivacyMask(left=0, top=0, width=5_000, height=5_000, start_us=at(11), end_us=at(12))
    hidden, shown = await both(station, mask, end=14)
    assert len(frames(hidden)) == len(frames(shown)) == 200
    dark = [time_s for time_s, pixels in frames(hidden) if pixels[:44, :76].max() < 60]
    assert dark == pytest.approx([second / 25 for second in range(125, 150)], abs=0.001)


async def test_pixelated_it_has_few_values_and_the_mean_of_before(station: FakeStation) -> None:
    mask = PrivacyMask(left=0, top=0, width=5_000, height=5_000, style=MaskStyle.PIXELATE)
    hidden, shown = await both(station, mask)
    _, pixels = frames(hidden)[50]
    _, original = frames(shown)[50]
    for row in range(0, 32, 16):
        for column in range(0, 64, 16):
            block = pixels[row + 3 : row + 13, column + 3 : column + 13].astype(int)
            source = original[row : row + 16, column : column + 16].astype(int)
            assert block.std(axis=(0, 1)).max() < 6
            assert abs(block.mean() - source.mean()) < 8
    assert original[3:13, 3:13].std(axis=(0, 1)).max() > 4


async def test_the_sound_is_copied(station: FakeStation) -> None:
    hidden, shown = await both(station, LEFT)
    assert demuxed(hidden)["audio"] == demuxed(shown)["audio"]
    assert len(demuxed(hidden)["audio"]) > 50


@pytest.mark.parametrize(("audio", "suffix"), [("pcma", ".mov"), ("l16", ".mov"), ("opus", ".mp4")])
async def test_sound_of_every_kind_is_kept(
    station: FakeStation, short_folder: Path, audio: str, suffix: str
) -> None:
    volume_id = (await station.catalog.read("volumes"))[0].id
    await record(
        station, short_folder / "disk", volume_id, "door", encoded("h264"), encoded(audio), start_us=START_US
    )
    hidden, shown = await both(station, LEFT, camera="door")
    assert hidden.suffix == suffix
    assert b"".join(demuxed(hidden)["audio"]) == b"".join(demuxed(shown)["audio"])


async def test_what_has_no_mask_is_copied_and_said(station: FakeStation) -> None:
    elsewhere = PrivacyMask(left=0, top=0, width=100, height=100, start_us=at(100), end_us=at(101))
    hidden, shown = await both(station, elsewhere)
    assert demuxed(hidden)["video"] == demuxed(shown)["video"]
    (job,) = await station.client.export_jobs()
    assert any("no mask falls into" in note for note in job.notes)


async def test_pictures_of_the_report_are_masked_too(station: FakeStation) -> None:
    stills = await the_stills(station)
    assert len(stills) == 3
    assert all(still.startswith(b"\xff\xd8") and len(still) > 500 for still in stills)


async def the_stills(station: FakeStation) -> list[bytes]:
    import base64
    import io
    import re

    from PIL import Image

    ask = ExportAsk(ranges=(masked("gate", LEFT),), with_report=True)
    done = await ended(station, (await station.client.start_export_job(ask)).id)
    page = (Path(done.folder) / "index.html").read_text()
    found = [base64.b64decode(each) for each in re.findall(r"base64,([^\"]+)\"", page)]
    for jpeg in found:
        pixels = np.asarray(Image.open(io.BytesIO(jpeg)))
        assert pixels[:44, :76].max() < 60
        assert pixels[60:, 90:].max() > 100
    assert station.pictures.asked == [], "none from the picture workers, who know no masks"
    return found


async def test_cancelled_the_process_ends_and_nothing_is_left(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[MaskProcess] = []
    real = MaskProcess._feed

    async def slowly(self: MaskProcess, job: object, video: object) -> None:
        async def crawl():  # type: ignore[no-untyped-def]
            async for chunk in video:  # type: ignore[attr-defined]
                yield chunk[:2000]
                seen.append(self)
                await asyncio.sleep(3600)

        await real(self, job, crawl())  # type: ignore[arg-type]

    monkeypatch.setattr(MaskProcess, "_feed", slowly)
    job = await station.client.start_export_job(ExportAsk(ranges=(masked("gate", LEFT),)))
    await until(lambda: bool(seen))
    pid = seen[0].pid
    assert pid is not None
    os.kill(pid, 0)
    assert (await station.client.cancel_export_job(job.id)).state is ExportState.CANCELLED
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert os.listdir(station.exports._shop.folder.path) == []


@pytest.mark.parametrize("how", ["killed", "silent"])
async def test_a_process_that_dies_or_hangs_fails_the_range_and_not_the_engine(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "silent":
        monkeypatch.setattr(MaskProcess.__init__, "__kwdefaults__", {"silence_limit_s": 1.0})
        number = signal.SIGSTOP
    else:
        number = signal.SIGKILL
    real = mask_process.MaskProcess._feed

    async def struck(self: MaskProcess, job: object, video: object) -> None:
        assert self.pid is not None
        os.kill(self.pid, number)
        await real(self, job, video)  # type: ignore[arg-type]

    monkeypatch.setattr(MaskProcess, "_feed", struck)
    ask = ExportAsk(ranges=(masked("gate", LEFT), masked("yard")))
    done = await ended(station, (await station.client.start_export_job(ask)).id)
    assert done.state is ExportState.DONE
    assert [file.name.partition("-")[0] for file in done.files if file.name.endswith(".mp4")] == ["yard"]
    assert any(("silent" if how == "silent" else "ended in the middle") in note for note in done.notes)
    assert sorted(os.listdir(done.folder)) == sorted(file.name for file in done.files)


# -- pure ------------------------------------------------------------------------------------------------


def test_a_rectangle_is_rounded_outwards() -> None:
    luma = np.full((97, 161), 200, np.uint8)
    blue, red = np.full((49, 81), 90, np.uint8), np.full((49, 81), 90, np.uint8)
    everything = TimedMask(
        left=3_001, top=1_001, width=1_000, height=1_000, style=MaskStyle.BLACK, stretches_us=((0, 1),)
    )
    paint(luma, blue, red, (everything,), 0)
    black = np.argwhere(luma == 16)
    assert (black.min(axis=0) <= [9, 48]).all()
    assert (black.max(axis=0) >= [19, 64]).all()
    assert (blue == 128).sum() == (luma == 16).sum() // 4
    before = luma.copy()
    paint(luma, blue, red, (everything,), 1)
    assert (luma == before).all()


@pytest.mark.parametrize("size", [(96, 160), (97, 161), (2, 2), (1080, 1920)])
@pytest.mark.parametrize("style", list(MaskStyle))
def test_any_rectangle_fits_any_picture(size: tuple[int, int], style: MaskStyle) -> None:
    height, width = size
    rng = np.random.default_rng(1)
    luma = rng.integers(0, 255, size, np.uint8)
    blue = rng.integers(0, 255, ((height + 1) // 2, (width + 1) // 2), np.uint8)
    for left, top in ((0, 0), (9_999, 9_999), (5_000, 1)):
        mask = TimedMask(
            left=left,
            top=top,
            width=10_000 - left,
            height=10_000 - top,
            style=style,
            stretches_us=((0, 9),),
        )
        paint(luma, blue, blue.copy(), (mask,), 5)
        if style is MaskStyle.BLACK:
            assert luma[-1, -1] == 16


SPANS = (
    MediaSpan(0, 4_000_000, 100_000_000, 104_000_000),
    MediaSpan(4_000_000, 8_000_000, 110_000_000, 114_000_400),
)


def test_times_on_the_wall_become_times_of_the_video() -> None:
    mask = PrivacyMask(left=0, top=0, width=1, height=1, start_us=103_000_000, end_us=111_000_000)
    (timed,) = timed_masks([mask], SPANS)
    assert timed.stretches_us == ((3_000_000, 4_200_000), (3_800_000, 4_999_900))
    hole = PrivacyMask(left=0, top=0, width=1, height=1, start_us=105_000_000, end_us=109_000_000)
    assert timed_masks([hole], SPANS) == ()
    assert media_us(112_000_200, SPANS[1]) == 6_000_000


def test_times_of_the_video_become_times_on_the_wall() -> None:
    assert [wall_us(at_us, SPANS) for at_us in (-5, 0, 1_000_000, 4_000_000, 6_000_000, 9_000_000)] == [
        100_000_000,
        100_000_000,
        101_000_000,
        110_000_000,
        112_000_200,
        114_000_400,
    ]


def test_moments_are_spread_over_what_was_recorded() -> None:
    assert moments(SPANS, 2) == ((102_000_000, 2_000_000), (112_000_200, 6_000_000))
    assert moments(SPANS, 0) == ()


def test_what_is_missing_begins_and_ends_with_what_was_asked() -> None:
    holes = missing(90_000_000, 120_000_000, [(100_000_000, 104_000_000), (110_000_000, 119_500_000)], [])
    assert [(hole.start_us, hole.end_us) for hole in holes] == [
        (90_000_000, 100_000_000),
        (104_000_000, 110_000_000),
    ]

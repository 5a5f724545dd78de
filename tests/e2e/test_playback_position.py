"""The picture shown is that of the playhead: after a seek, at every speed, forwards and backwards, step by step. By what is burnt into it.

H.264, H.264 with reordered pictures, H.265 and Motion JPEG of a server that is not ours, recorded by a real engine; driven by the
clock and the wishes of the console. Then a demo camera that burns in its clock; and once through the console itself, read from the cells on its screen.
"""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import pytest
import pytest_asyncio
from textual.pilot import Pilot

from engine import wire
from engine.client import EngineClient
from engine.demo.encoder import FRAME_US as DEMO_FRAME_US
from engine.demo.feed import DemoCamera
from tests.e2e.engine_process import PATIENCE, EngineProcess, eventually, until
from tests.e2e.playing import FAR_FUTURE_US, Calibration, PlayedCamera, clock_in, keyframes_in
from tests.engine.demo.test_rtsp_server import serving
from tests.pilot_idle import quick_pilot
from tests.rtsp.server import COUNTER_BITS, RtspServer, RtspStream
from tui.app import WatchdeckApp
from tui.commands import Scope
from tui.connection import Connection
from tui.desk import Desk
from tui.keymap import Keymap
from tui.mirror import Mirror
from tui.playback_clock import EXACT_UP_TO, NORMAL, SPEEDS
from tui.playback_wishes import Shown
from tui.profile import TerminalProfile
from tui.screens.playback import PlaybackView
from tui.themes import register_themes
from widgets.glyphs import GLYPH_SETS
from widgets.picture import TerminalPicture
from widgets.video_cell import VideoCell

__all__ = ["quick_pilot"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

FPS, GOP = 15, 15
RECORDED_S = 24.0
STREAMS = {
    "h264": RtspStream(path="/h264", fps=FPS, gop=GOP, counter=True),
    "reordered": RtspStream(path="/reordered", fps=FPS, gop=GOP, counter=True, b_frames=2),
    "h265": RtspStream(path="/h265", video="h265", fps=FPS, gop=GOP, counter=True),
    "mjpeg": RtspStream(path="/mjpeg", video="mjpeg", fps=FPS, gop=1, counter=True),
}
CLOCK = "clock"
"""A demo camera: it burns in its own clock, in milliseconds."""
CAMERAS = (*STREAMS, CLOCK)


@dataclass
class Recorded:
    """A station whose cameras are recorded and gone: what is there stays as it is."""

    engine: EngineProcess
    client: EngineClient
    now_us: int
    _keyframes: dict[str, list[int]] = field(default_factory=dict)

    async def keyframes(self, camera: str) -> list[int]:
        """Numbers of its keyframes, in order."""
        if camera not in self._keyframes:
            files = await self.client.recordings(camera, 0, FAR_FUTURE_US)
            paths = [each.path for each in sorted(files, key=lambda each: each.start_us)]
            self._keyframes[camera] = await asyncio.to_thread(keyframes_in, paths)
        return self._keyframes[camera]

    async def player(self, camera: str) -> tuple[PlayedCamera, Calibration, int, int]:
        """A player in the middle of the longest stretch, its calibration, and the stretch without a second at either end."""
        played = PlayedCamera(self.client, camera, self.now_us)
        footage = await played.load()
        start_us, end_us = max(footage.stretches, key=lambda stretch: stretch[1] - stretch[0])
        assert end_us - start_us > (RECORDED_S - 8) * 1_000_000
        await played.seek((start_us + end_us) // 2)
        assert played.reply is not None
        calibration = Calibration(played.number, played.reply.time_us, FPS)
        return played, calibration, start_us + 1_000_000, end_us - 1_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Recorded]:
    folder = tmp_path_factory.mktemp("playback")
    volume = folder / "volume"
    volume.mkdir()
    engine = EngineProcess(folder / "state", config="[recording]\nsegment_s = 10\n")
    client = await engine.start()
    try:
        await client.add_volume(
            wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
        )
        with RtspServer(list(STREAMS.values())) as server:
            async with serving(DemoCamera(CLOCK, "gate")) as demo:
                for name, stream in STREAMS.items():
                    await client.add_camera(wire.CameraAdd(name=name, url=server.url(stream.path)))
                await client.add_camera(wire.CameraAdd(name=CLOCK, url=await demo.url(CLOCK)))
                await until(
                    client, lambda now: now.station.cameras_recording == len(CAMERAS), "all recording"
                )
                await asyncio.sleep(RECORDED_S)
        for name in CAMERAS:
            await client.edit_camera(name, wire.CameraEdit(is_enabled=False))

        async def open_recordings() -> int:
            lists = [await client.recordings(name, 0, FAR_FUTURE_US) for name in CAMERAS]
            return sum(each.is_open for recordings in lists for each in recordings)

        await eventually(open_recordings, lambda count: not count, "recordings closed")
        yield Recorded(engine, client, (await client.snapshot()).station.now_us)
    finally:
        await engine.end()


@pytest.mark.parametrize("camera", STREAMS)
async def test_after_a_seek_the_picture_is_that_of_the_time_asked_for(
    recorded: Recorded, camera: str
) -> None:
    played, calibration, start_us, end_us = await recorded.player(camera)
    rng = random.Random(camera)
    for _ in range(40):
        time_us = rng.randrange(start_us, end_us)
        await played.seek(time_us)
        assert played.reply is not None
        assert played.shown is not None
        assert played.shown.covers(time_us)
        assert abs(played.number + 0.5 - calibration.number_at(time_us)) <= 1.0
        # And what the answer says of itself is true: its own number, from its own time.
        assert played.number == round(calibration.number_at(played.reply.time_us))


def last_at_or_before(numbers: list[int], number: float) -> int:
    """Of numbers in order."""
    return numbers[max(0, bisect_right(numbers, number) - 1)]


@pytest.mark.parametrize("direction", [1, -1], ids=["forwards", "backwards"])
@pytest.mark.parametrize("speed", SPEEDS, ids=lambda speed: f"{speed:g}x")
@pytest.mark.parametrize("camera", STREAMS)
async def test_at_every_speed_pictures_follow_the_playhead(
    recorded: Recorded, camera: str, speed: float, direction: int
) -> None:
    played, calibration, start_us, end_us = await recorded.player(camera)
    keyframes = await recorded.keyframes(camera)
    played.clock.reset_speed()
    played.clock.change_speed(SPEEDS.index(speed) - NORMAL)
    await played.seek(start_us if direction > 0 else end_us)
    played.clock.play(direction)
    played.clock.advance(played.at_s, played.now_us, played.footage)
    # Uneven turns of the loop: some shorter than a picture lasts, some longer.
    rng = random.Random(f"{camera} {speed} {direction}")
    seen, steps = 0, 0
    while steps < 60 and seen < 25:
        steps += 1
        came = await played.pass_s(rng.choice([0.3, 0.7, 1.0, 2.6]) / FPS / min(speed, 4))
        playhead_us = played.clock.playhead_us
        if not start_us <= playhead_us <= end_us:
            break
        assert played.reply is not None
        assert played.shown is not None
        seen += came
        assert played.shown.is_exact or speed > EXACT_UP_TO
        if played.shown.is_exact:  # at fast speeds the frame of before, as long as the playhead is inside
            assert abs(played.number + 0.5 - calibration.number_at(playhead_us)) <= 1.0
        else:
            # The keyframe of that moment: the last one at or before it, or with the tolerance of a frame the one beside.
            at = calibration.number_at(playhead_us)
            assert played.number in {last_at_or_before(keyframes, at + slack) for slack in (-1, 0, 1)}
    assert seen >= 5


@pytest.mark.parametrize("camera", STREAMS)
async def test_frames_step_by_one_and_keyframes_by_one_keyframe(recorded: Recorded, camera: str) -> None:
    played, _, start_us, end_us = await recorded.player(camera)
    await played.seek((start_us + end_us) // 2)
    number = first = played.number
    for _ in range(2 * GOP + 3):  # over keyframes
        await played.step(1)
        assert played.number == number + 1
        number = played.number
    for _ in range(2 * GOP + 3):
        await played.step(-1)
        assert played.number == number - 1
        number = played.number
    assert number == first
    keyframes = await recorded.keyframes(camera)
    at = bisect_right(keyframes, first) - 1
    for direction in (1, 1, 1, -1, -1, -1, -1, -1):
        await played.step(direction, is_keyframe=True)
        at = at - 1 if direction < 0 else at + 1
        assert played.number == keyframes[at]
    await played.step(-1)  # from a keyframe to the frame before it, in the GOP before
    assert played.number == keyframes[at] - 1


async def test_steps_go_over_the_ends_of_files(recorded: Recorded) -> None:
    """Segments are ten seconds long: eleven seconds of steps, by frames near the seam, meet at least one."""
    files = await recorded.client.recordings("h264", 0, FAR_FUTURE_US)
    assert len(files) > 1
    played, calibration, start_us, _ = await recorded.player("h264")
    seam_us = next(each.end_us for each in files if each.end_us and each.end_us > start_us + 2_000_000)
    await played.seek(seam_us - 300_000)
    number = played.number
    for _ in range(10):
        await played.step(1)
        assert played.number == number + 1
        number = played.number
    assert played.clock.playhead_us > seam_us
    for _ in range(10):
        await played.step(-1)
        assert played.number == number - 1
        number = played.number
    assert abs(number - calibration.number_at(played.clock.playhead_us)) <= 1


async def test_the_clock_burnt_in_is_the_time_asked_for(recorded: Recorded) -> None:
    """Against a camera's clock, not its counting: the one constant between the clocks is small, and measured once."""
    played = PlayedCamera(recorded.client, CLOCK, recorded.now_us)
    footage = await played.load()
    start_us, end_us = max(footage.stretches, key=lambda stretch: stretch[1] - stretch[0])
    await played.seek((start_us + end_us) // 2)
    assert played.reply is not None
    offset_us = played.reply.time_us - clock_in(played.reply) * 1_000
    assert abs(offset_us) < 2_000_000
    rng = random.Random(7)
    for _ in range(40):
        time_us = rng.randrange(start_us + 1_000_000, end_us - 1_000_000)
        await played.seek(time_us)
        behind_us = time_us - (clock_in(played.reply) * 1_000 + offset_us)
        assert -DEMO_FRAME_US // 2 < behind_us < DEMO_FRAME_US * 3 // 2
    for step in (1, 1, -1, -1, -1):
        before_ms = clock_in(played.reply)
        await played.step(step)
        moved_us = (clock_in(played.reply) - before_ms) * 1_000
        assert abs(moved_us - step * DEMO_FRAME_US) < DEMO_FRAME_US // 4


# -- through the console ---------------------------------------------------------------------------------


def number_on_screen(cell: VideoCell) -> int:
    """The number burnt in, read from the colours of the cells that are drawn."""
    picture = cell.picture
    assert picture is not None
    assert not isinstance(picture, TerminalPicture)
    lines = [[run for run in line if run.foreground >= 0] for line in picture.lines]  # without the margins
    lines = [line for line in lines if line]
    row = [
        colour >> 8 & 255  # green is most of the brightness
        for run in lines[len(lines) // 8]
        for colour in [run.foreground] * len(run.text)
    ]
    number = 0
    for bit in range(COUNTER_BITS):
        number = number << 1 | (row[int((bit + 0.5) * len(row) / COUNTER_BITS)] > 128)
    return number


def is_fitting(cell: VideoCell) -> bool:
    """The picture has the size of its cell by now: the first may be of a layout under way."""
    picture = cell.picture
    return picture is not None and picture.rows == cell.room[1] > 30


async def test_the_console_shows_the_picture_of_its_playhead(
    recorded: Recorded, tmp_path: Path, quick_pilot: None
) -> None:
    """Seek, steps, and play at speeds slow and fast, forwards and backwards; read from the screen."""
    _, calibration, start_us, end_us = await recorded.player("h264")
    mirror = Mirror()
    profile = TerminalProfile(graphics="half", colors=1 << 24)
    desk = Desk(
        mirror=mirror,
        connection=Connection(recorded.engine.another_client(), mirror),
        profile=profile,
        glyphs=GLYPH_SETS[profile.glyphs],
        zone=UTC,
        folder=tmp_path,
    )
    register_themes()
    app = WatchdeckApp(desk, Keymap({}))
    async with app.run_test(size=(140, 50)) as pilot:
        await until_true(pilot, lambda: app.view is not None)
        view = await app.show_view(Scope.PLAYBACK)
        assert isinstance(view, PlaybackView)
        view.show_target("h264", (start_us + end_us) // 2)
        seen: list[tuple[int, Shown]] = []

        def look(camera: str) -> None:
            shown = view.pictures.shown(camera)
            if shown is not None and not shown.is_missing:
                seen.append((number_on_screen(view.grid.cells[0]), shown))

        def settled() -> bool:
            shown = view.pictures.shown("h264")
            return shown is not None and shown.is_exact and shown.covers(view.clock.playhead_us)

        await until_true(pilot, settled)
        await until_true(pilot, lambda: is_fitting(view.grid.cells[0]))
        # The board draws before it tells: what is told is on the screen.
        told = view.pictures.told
        view.pictures.told = lambda camera: (told(camera), look(camera))[0]
        middle = number_on_screen(view.grid.cells[0])
        assert abs(middle + 0.5 - calibration.number_at(view.clock.playhead_us)) <= 1
        for key, number in (("full_stop", middle + 1), ("full_stop", middle + 2), ("comma", middle + 1)):
            seen.clear()
            await pilot.press(key)
            await until_true(pilot, lambda: bool(seen))
            assert seen[-1][0] == number
        for speed, direction in ((1.0, 1), (1.0, -1), (0.25, 1), (2.0, -1), (8.0, 1), (8.0, -1)):
            view.go_to((start_us + end_us) // 2)
            await until_true(pilot, settled)
            view.clock.reset_speed()
            view.clock.change_speed(SPEEDS.index(speed) - NORMAL)
            seen.clear()
            view.action_play(direction)
            await until_true(pilot, lambda: len({number for number, _ in seen}) >= 6)
            view.action_play_or_pause()
            for number, shown in seen:
                assert shown.asked_us is not None
                assert number == round(calibration.number_at(shown.time_us))
                if shown.is_exact:
                    assert abs(number + 0.5 - calibration.number_at(shown.asked_us)) <= 1
                else:
                    assert -0.5 <= calibration.number_at(shown.asked_us) - number <= GOP + 0.5
            numbers = [number for number, _ in seen]
            assert numbers == sorted(numbers, reverse=direction < 0)
            await until_true(pilot, settled)
            at_rest = number_on_screen(view.grid.cells[0])
            assert abs(at_rest + 0.5 - calibration.number_at(view.clock.playhead_us)) <= 1


async def until_true(pilot: Pilot[None], truth: Callable[[], bool]) -> None:
    async with asyncio.timeout(30 * PATIENCE):
        while not truth():
            await pilot.pause(0.01)

"""Recording, bookmarks, outputs, presets, sounds and live: what is asked of whom, and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from engine.alarms.actions.bookmark import SETTING as PRESERVATION
from engine.alarms.actions.bookmark import Bookmarker
from engine.alarms.actions.box_beeper import PATTERNS, BoxBeeper
from engine.alarms.actions.lanes import Perform
from engine.alarms.actions.live import perform_live
from engine.alarms.actions.output import OutputSwitch
from engine.alarms.actions.preset import PresetCaller
from engine.alarms.actions.record import ClipRecorder
from engine.alarms.actions.sound import Ringer
from engine.wire_alarm_rules import (
    AlarmAction,
    BookmarkAction,
    LiveAction,
    OutputAction,
    PresetAction,
    RecordAction,
    SoundAction,
)
from engine.wire_sources import PreservationSettings
from storage.catalog.bookmarks import BookmarkFilter
from storage.errors import ActionFailed, CameraUnreachable, Conflict, NotFound, Unsupported
from storage.units import US_PER_DAY
from tests.engine.alarms.actions.alarm_row import AT_US, occasion
from tests.engine.recording.rig import Rig, recording_rig
from tests.fakes.action_catalog import ActionCatalog
from tests.fakes.camera import PacketScript
from tests.fakes.clock import FakeClock
from tests.fakes.timer import FakeTimer, settle

S = 1_000_000


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with recording_rig(tmp_path) as rig:
        yield rig


# -- record ----------------------------------------------------------------------------------------------


class Recording:
    def __init__(self) -> None:
        self.kept: list[tuple[str, int, int]] = []

    def keep(self, camera_name: str, start_us: int, end_us: int) -> str:
        if camera_name == "gone":
            raise NotFound("no camera 'gone' in use")
        if camera_name == "off":
            raise Conflict("camera off does not record")
        self.kept.append((camera_name, start_us, end_us))
        return "kept"


async def test_a_clip_is_asked_for_around_the_event() -> None:
    recording = Recording()
    words = await ClipRecorder(recording).perform(RecordAction(pre_event_s=3, post_event_s=7), occasion())
    assert recording.kept == [("yard", AT_US - 3 * S, AT_US + 7 * S)]
    assert words == "yard: kept"


async def test_cameras_that_cannot_be_recorded_keep_no_other_from_it() -> None:
    recording = Recording()
    action = RecordAction(cameras=("gone", "yard", "off"))
    with pytest.raises(ActionFailed, match=r"gone.*off.*yard: kept") as failed:
        await ClipRecorder(recording).perform(action, occasion())
    assert failed.value.is_final
    assert [camera for camera, _, _ in recording.kept] == ["yard"]


@pytest.mark.parametrize(
    ("perform", "action"),
    [
        (ClipRecorder(Recording()).perform, RecordAction()),
        (Bookmarker(ActionCatalog(), FakeClock()).perform, BookmarkAction()),
        (perform_live, LiveAction()),
    ],
)
async def test_an_event_about_no_camera_needs_one_named(perform: Perform, action: AlarmAction) -> None:
    with pytest.raises(ActionFailed, match="about no camera"):
        await perform(action, occasion(camera=""))


# -- bookmark --------------------------------------------------------------------------------------------


async def test_a_bookmark_outlives_the_footage_around_it(rig: Rig) -> None:
    await rig.add_volume()
    await rig.add_camera()
    await rig.start()
    await rig.stream(600, PacketScript(rig.clock, fps=5, gop=5))
    before = await rig.segments()
    event_us = before[2].start_us + 30 * S
    words = await Bookmarker(rig.catalog, rig.clock).perform(BookmarkAction(), occasion(first_us=event_us))
    assert words == "10 s of yard kept for ever"
    await rig.catalog.write("update_group", 1, retention_bytes=1)
    await rig.service.reload_groups()
    await rig.retain()
    left = [segment for segment in await rig.segments() if not segment.is_open]
    assert [segment.id for segment in left] == [before[2].id]
    (lock,) = await rig.catalog.read("locks")
    assert (lock.start_us, lock.end_us, lock.created_by) == (event_us, event_us + 10 * S, "alarm rule")
    assert lock.reason == "door opened: motion in 12 cells"
    (bookmark,) = await rig.catalog.read("bookmarks", BookmarkFilter(), now_us=rig.clock.now_us())
    assert (bookmark.name, bookmark.note, bookmark.camera) == ("door opened", "motion in 12 cells", "yard")
    assert (bookmark.start_us, bookmark.end_us) == (event_us, event_us + 10 * S)
    assert bookmark.is_valid
    assert bookmark.is_protected


async def test_a_bookmark_ends_with_its_preservation_time(rig: Rig) -> None:
    await rig.add_camera()
    bookmarker = Bookmarker(rig.catalog, rig.clock)
    await bookmarker.perform(BookmarkAction(preserve_days=2), occasion())
    kept = msgspec.json.encode(PreservationSettings(bookmark_days=7)).decode()
    await rig.catalog.write("put_station_setting", PRESERVATION, kept)
    await bookmarker.perform(BookmarkAction(length_s=60), occasion(first_us=AT_US + 100 * S))
    locks = await rig.catalog.read("locks")
    now_us = rig.clock.now_us()
    assert [lock.expires_us for lock in locks] == [now_us + 2 * US_PER_DAY, now_us + 7 * US_PER_DAY]
    await rig.catalog.write("expire_locks", now_us + 3 * US_PER_DAY)
    assert len(await rig.catalog.read("locks")) == 1


async def test_another_try_of_the_same_bookmark_makes_no_second_lock(rig: Rig) -> None:
    await rig.add_camera()
    bookmarker = Bookmarker(rig.catalog, rig.clock)
    for _ in range(2):
        await bookmarker.perform(BookmarkAction(), occasion())
    assert len(await rig.catalog.read("locks")) == 1
    assert len(await rig.catalog.read("bookmarks", BookmarkFilter(), now_us=AT_US)) == 1
    await bookmarker.perform(BookmarkAction(), occasion(first_us=AT_US + S))
    assert len(await rig.catalog.read("bookmarks", BookmarkFilter(), now_us=AT_US)) == 2


async def test_a_bookmark_of_a_camera_that_is_gone_says_so_and_keeps_the_others(rig: Rig) -> None:
    await rig.add_camera()
    with pytest.raises(ActionFailed, match=r"no camera gone; kept: 10 s of yard"):
        await Bookmarker(rig.catalog, rig.clock).perform(BookmarkAction(cameras=("gone", "yard")), occasion())
    assert len(await rig.catalog.read("locks")) == 1


# -- outputs ---------------------------------------------------------------------------------------------


class Cameras:
    """ONVIF cameras with outputs and presets."""

    def __init__(self) -> None:
        self.switched: list[tuple[str, str, bool]] = []
        self.moved: list[tuple[str, str]] = []
        self.error: Exception | None = None

    async def set_output(self, camera: str, token: str, is_on: bool) -> None:
        if self.error is not None:
            raise self.error
        self.switched.append((camera, token, is_on))

    async def go_to_preset(self, camera: str, preset: str) -> None:
        self.moved.append((camera, preset))


class Outputs:
    """A switch that runs by a clock of its own."""

    def __init__(self, catalog: ActionCatalog) -> None:
        self.clock = FakeClock()
        self.timer = FakeTimer(self.clock)
        self.cameras = Cameras()
        self.switch = OutputSwitch(self.cameras, catalog, self.clock, sleep=self.timer.sleep)
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.task = asyncio.create_task(self.switch.run())
        await settle()

    async def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.timer.advance(1)


SIREN = OutputAction(camera="gate", output="out1", duration_s=15)


async def test_an_output_goes_back_after_its_time() -> None:
    outputs = Outputs(ActionCatalog())
    await outputs.start()
    words = await outputs.switch.perform(SIREN, occasion())
    assert words == "output out1 of gate is on, back in 15 s"
    await outputs.wait(14)
    assert outputs.cameras.switched == [("gate", "out1", True)]
    await outputs.wait(2)
    assert outputs.cameras.switched == [("gate", "out1", True), ("gate", "out1", False)]
    await outputs.stop()


async def test_an_output_switched_again_goes_back_once_after_the_last_time() -> None:
    outputs = Outputs(ActionCatalog())
    await outputs.start()
    await outputs.switch.perform(SIREN, occasion())
    await outputs.wait(10)
    await outputs.switch.perform(SIREN, occasion())
    await outputs.wait(10)
    assert ("gate", "out1", False) not in outputs.cameras.switched
    await outputs.wait(10)
    assert outputs.cameras.switched.count(("gate", "out1", False)) == 1
    await outputs.stop()


async def test_an_output_that_stays_is_not_switched_back() -> None:
    outputs = Outputs(ActionCatalog())
    await outputs.start()
    await outputs.switch.perform(SIREN, occasion())
    await outputs.switch.perform(msgspec.structs.replace(SIREN, duration_s=None), occasion())
    await outputs.wait(60)
    assert ("gate", "out1", False) not in outputs.cameras.switched
    await outputs.stop()


async def test_after_a_restart_an_output_still_goes_back() -> None:
    catalog = ActionCatalog()
    outputs = Outputs(catalog)
    await outputs.start()
    await outputs.switch.perform(SIREN, occasion())
    await outputs.stop()
    again = Outputs(catalog)
    again.clock.advance(3600 * S)
    await again.start()
    await again.wait(1)
    assert again.cameras.switched == [("gate", "out1", False)]
    assert catalog.settings["outputs_to_switch_back"] == "[]"
    await again.stop()


async def test_a_camera_that_does_not_answer_is_asked_to_switch_back_again() -> None:
    outputs = Outputs(ActionCatalog())
    await outputs.start()
    await outputs.switch.perform(SIREN, occasion())
    outputs.cameras.error = CameraUnreachable("no route")
    await outputs.wait(40)
    outputs.cameras.error = None
    await outputs.wait(20)
    assert outputs.cameras.switched[-1] == ("gate", "out1", False)
    await outputs.stop()


async def test_a_preset_is_called_by_the_name_of_the_camera() -> None:
    cameras = Cameras()
    words = await PresetCaller(cameras).perform(PresetAction(camera="dome", preset="door"), occasion())
    assert (cameras.moved, words) == ([("dome", "door")], "dome goes to door")


# -- sounds and live -------------------------------------------------------------------------------------


class Speaker:
    def __init__(self) -> None:
        self.tones: list[bool] = []
        self.error: Exception | None = None

    async def sound(self, is_on: bool) -> None:
        if self.error is not None:
            raise self.error
        self.tones.append(is_on)


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
async def test_each_pattern_rings_and_ends_silent(pattern: int) -> None:
    speaker = Speaker()
    ringer = Ringer(BoxBeeper(speaker, sleep=_at_once))
    assert (
        await ringer.perform(SoundAction(pattern=pattern, where="both"), occasion())
        == "rung by the box and the consoles"
    )
    assert speaker.tones == [True, False] * len(PATTERNS[pattern])


async def test_a_box_without_a_speaker_says_why() -> None:
    speaker = Speaker()
    speaker.error = Unsupported("this machine has no beeper the kernel knows")
    with pytest.raises(Unsupported, match="no beeper"):
        await Ringer(BoxBeeper(speaker)).perform(SoundAction(where="box"), occasion())


async def test_a_ring_that_is_cut_off_leaves_no_tone() -> None:
    speaker = Speaker()
    task = asyncio.create_task(BoxBeeper(speaker, sleep=lambda seconds: asyncio.Event().wait()).ring(1))
    await settle()
    assert speaker.tones == [True]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert speaker.tones == [True, False]


async def test_what_consoles_do_is_done_by_them() -> None:
    speaker = Speaker()
    assert await Ringer(BoxBeeper(speaker)).perform(SoundAction(), occasion()) == "rung by the consoles"
    assert speaker.tones == []
    assert "alarm tab" in await perform_live(LiveAction(), occasion())

"""What an operator changes while everything runs: cameras, volumes and groups."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from engine.recording.settings import RecordingConfig
from engine.wire import CameraState
from storage.errors import Conflict
from tests.engine.recording.rig import Rig
from tests.fakes.camera import PacketScript


def open_below(path: str) -> list[str]:
    """What this process has open of that folder, the folder itself included."""
    opened = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor of the listing itself
            opened.append(str(link.readlink()))
    return [each for each in opened if each == path or each.startswith(f"{path}/")]


async def test_the_camera_beyond_the_limit_is_refused(rig: Rig) -> None:
    rig.config = RecordingConfig(camera_limit=2)
    await rig.start()
    await rig.add_camera("one")
    await rig.add_camera("two")
    with pytest.raises(Conflict, match="2 cameras at most"):
        rig.service.check_camera_limit()
    with pytest.raises(Conflict):
        await rig.add_camera("three")


def test_the_limit_is_128_cameras() -> None:
    assert RecordingConfig().camera_limit == 128


async def test_renaming_a_camera_interrupts_nothing(rig: Rig) -> None:
    await rig.add_volume()
    camera = await rig.add_camera()
    await rig.start()
    script = PacketScript(rig.clock)
    await rig.stream(3, script)
    await rig.service.update_camera(await rig.catalog.write("update_camera", camera.uuid, name="gate"), "")
    await rig.stream(3, script)
    assert rig.camera().sessions == 1
    assert rig.view("gate").state is CameraState.RECORDING


async def test_a_new_address_means_a_new_session(rig: Rig) -> None:
    await rig.add_volume()
    camera = await rig.add_camera()
    await rig.start()
    await rig.stream(3, PacketScript(rig.clock))
    edited = await rig.catalog.write("update_camera", camera.uuid, url="rtsp://gate/1")
    await rig.service.update_camera(edited, "secret")
    await rig.camera("gate").connected.wait()
    settings = rig.camera("gate").settings
    assert settings is not None
    assert settings.password == "secret"
    assert rig.camera().connections == 0


async def test_switching_a_camera_off_ends_its_recording_without_a_gap(rig: Rig) -> None:
    await rig.add_volume()
    camera = await rig.add_camera()
    await rig.start()
    await rig.stream(3, PacketScript(rig.clock))
    await rig.service.update_camera(
        await rig.catalog.write("update_camera", camera.uuid, is_enabled=False), ""
    )
    await rig.wait(20)
    assert rig.view().state is CameraState.OFF
    assert rig.view().cause == "disabled"
    assert rig.camera().connections == 0
    assert await rig.gaps() == []
    await rig.stop()
    assert await rig.gaps() == []


async def test_a_removed_camera_is_disconnected_and_its_footage_stays(rig: Rig) -> None:
    await rig.add_volume()
    camera = await rig.add_camera()
    await rig.start()
    await rig.stream(5, PacketScript(rig.clock))
    await rig.service.remove_camera(camera.uuid)
    await rig.wait(6)
    assert rig.service.camera_views() == []
    assert rig.camera().connections == 0
    assert len(await rig.segments()) == 1
    assert await rig.gaps() == []


async def test_a_removed_volume_is_left_for_another_one(rig: Rig) -> None:
    await rig.add_volume("v1")
    await rig.add_volume("v2")
    await rig.add_camera()
    await rig.start()
    script = PacketScript(rig.clock)
    await rig.stream(5, script)
    used = rig.view().volume
    await rig.service.remove_volume((await rig.catalog.read("volume", used)).uuid)
    await rig.stream(5, script)
    assert rig.view().state is CameraState.RECORDING
    assert rig.view().volume != used
    assert [view.name for view in rig.service.volume_views()] == [rig.view().volume]


async def test_a_removed_volume_can_be_unmounted_at_once(rig: Rig) -> None:
    await rig.add_volume("v1")
    await rig.add_camera()
    await rig.start()
    await rig.stream(5, PacketScript(rig.clock))
    removed = await rig.catalog.read("volume", "v1")
    assert open_below(removed.path)
    await rig.service.remove_volume(removed.uuid)
    assert open_below(removed.path) == []


async def test_a_renamed_group_keeps_its_cameras_and_volumes(rig: Rig) -> None:
    group = await rig.catalog.write("add_group", name="garden", retention_days=None, retention_bytes=None)
    await rig.add_volume(group="garden")
    await rig.add_camera(group="garden")
    await rig.start()
    script = PacketScript(rig.clock)
    await rig.stream(3, script)
    await rig.catalog.write("update_group", group.id, name="outside", retention_days=30)
    await rig.service.reload_groups()
    await rig.stream(3, script)
    view = rig.group_view("outside")
    assert (view.cameras, view.volumes, view.retention_days) == (("yard",), ("v1",), 30)
    assert rig.view().group == "outside"
    assert rig.camera().sessions == 1


async def test_cameras_are_spread_over_the_volumes_of_their_group(rig: Rig) -> None:
    await rig.add_volume("v1")
    await rig.add_volume("v2")
    names = [f"cam{number}" for number in range(6)]
    for name in names:
        await rig.add_camera(name)
    await rig.start()
    await rig.stream(5, PacketScript(rig.clock), *names)
    used = [rig.view(name).volume for name in names]
    assert used.count("v1") == used.count("v2") == 3

"""A camera's own event on the real engine: heard, an alarm, its output switched and back, its preset gone to, the subscription given back.

Its stream is not there at all: neither needs the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine import wire
from engine.client import EngineClient
from engine.wire_alarm_rules import AlarmRuleAdd, OutputAction, PresetAction, Trigger
from engine.wire_alarms import AlarmQuery, AlarmView
from engine.wire_sources import CameraAnalytics
from storage.clock import SystemClock
from storage.errors import CameraRefused
from tests.e2e.engine_process import EngineProcess, eventually
from tests.fakes.onvif_camera import FakeOnvifCamera

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MOTION = "tns1:RuleEngine/CellMotionDetector/Motion"
YEARS_US = 8 * 365 * 86_400 * 1_000_000


@pytest.fixture
async def camera() -> AsyncIterator[FakeOnvifCamera]:
    async with FakeOnvifCamera(SystemClock(), clock_offset_us=-YEARS_US) as camera:
        camera.holds_pulls = True
        yield camera


@pytest.fixture
async def engine(tmp_path: Path, camera: FakeOnvifCamera) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(tmp_path / "state")
    yield process
    await process.end()


async def with_camera(engine: EngineProcess, camera: FakeOnvifCamera, password: str = "pw") -> EngineClient:
    client = await engine.start()
    await client.add_camera(
        wire.CameraAdd(name="door", url="rtsp://127.0.0.1:9/none", user="ada", password=password)
    )
    await client.edit_analytics("door", CameraAnalytics(onvif=True, onvif_url=camera.url))
    return client


async def test_an_event_of_a_camera_is_an_alarm_and_switches_its_output(
    engine: EngineProcess, camera: FakeOnvifCamera
) -> None:
    client = await with_camera(engine, camera)
    await client.add_alarm_rule(
        AlarmRuleAdd(
            name="somebody there",
            triggers=(Trigger(kind="detection.motion", sources=("door",)),),
            actions=(
                OutputAction(camera="door", output="relay0", duration_s=1),
                PresetAction(camera="door", preset="gate"),
            ),
        )
    )
    await camera.until(lambda: camera.count("PullMessages") > 0)
    io = await client.camera_io("door")
    assert (io.presets, io.outputs, io.inputs) == (
        (("1", "gate"), ("2", "yard")),
        ("relay0",),
        ("in0", "in1"),
    )
    camera.say(MOTION, "Changed", {"Rule": "step"}, {"IsMotion": "true"})

    async def listed() -> tuple[AlarmView, ...]:
        return (await client.alarms(AlarmQuery())).alarms

    (alarm,) = await eventually(listed, lambda alarms: len(alarms) == 1, "an alarm")
    assert (alarm.rule, alarm.source, alarm.kind) == ("somebody there", "door", "detection.motion")
    await camera.until(lambda: camera.positions == ["1"])
    await camera.until(lambda: camera.count("SetRelayOutputState") == 2)
    assert camera.outputs == {"relay0": "inactive"}
    view = await client.analytics("door")
    assert (view.onvif_state, view.onvif_trouble, view.topics) == ("listening", "", ("detection.motion",))
    assert await asyncio.to_thread(engine.stop) == 0
    assert camera.subscriptions == {}


async def test_a_wrong_password_is_said_and_is_in_no_log(
    engine: EngineProcess, camera: FakeOnvifCamera
) -> None:
    client = await with_camera(engine, camera, password="not-the-right-one")

    async def state() -> str:
        return (await client.analytics("door")).onvif_state

    await eventually(state, lambda found: found == "refused", "a refusal")
    view = await client.analytics("door")
    assert "refuses user or password" in view.onvif_trouble
    with pytest.raises(CameraRefused):
        await client.camera_io("door")
    assert engine.stop() == 0
    assert "onvif.refused" in engine.log.read_text()
    assert "not-the-right-one" not in engine.log.read_text()

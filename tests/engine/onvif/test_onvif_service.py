"""Real sessions with a camera of our own on a real socket: what is heard, what is said, what is given back."""

from __future__ import annotations

from tests.engine.onvif.following import following, settings_for
from tests.fakes.clock import FakeClock
from tests.fakes.onvif_camera import FakeOnvifCamera

MOTION = "tns1:RuleEngine/CellMotionDetector/Motion"
RULE = {"VideoSourceConfigurationToken": "v0", "Rule": "door"}


async def test_motion_is_an_event_of_the_camera_once_at_each_rise() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(lambda: camera.count("PullMessages") > 0)
        for value in ("true", "true", "false", "true"):
            camera.say(MOTION, "Changed", RULE, {"IsMotion": value})
        await here.events.until(2)
        assert [(said.kind, said.source, said.text) for said in here.events.said] == [
            ("detection.motion", "yard", "Motion (rule door)")
        ] * 2
        assert here.service.state(yard.uuid) == ("listening", "", ("detection.motion",))
    assert camera.subscriptions == {}
    assert camera.unsubscribed == 1

"""Presets, outputs and inputs of a camera of our own on a real socket."""

from __future__ import annotations

import msgspec
import pytest

from storage.errors import CameraRefused, CameraUnreachable, CameraUnsupported, Conflict, NotFound
from tests.engine.onvif.following import following, settings_for
from tests.fakes.clock import FakeClock
from tests.fakes.onvif_camera import FakeOnvifCamera


async def test_what_a_camera_offers_is_listed() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        io = await here.service.io(here.catalog.add("yard"), settings_for(camera.url))
        assert io.presets == (("1", "gate"), ("2", "yard"))
        assert io.outputs == ("relay0",)
        assert io.inputs == ("in0", "in1")


async def test_a_camera_without_head_and_inputs_offers_nothing_and_is_no_error() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.has_get_services = False
        camera.outputs = {}
        io = await here.service.io(here.catalog.add("yard"), settings_for(camera.url))
        assert (io.presets, io.outputs, io.inputs) == ((), (), ())


@pytest.mark.parametrize(("wanted", "token"), [("2", "2"), ("gate", "1"), ("YARD", "2")])
async def test_a_preset_is_gone_to_by_token_or_name(wanted: str, token: str) -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        yard = here.catalog.add("yard")
        here.catalog.analytics[yard.uuid] = msgspec.json.encode(settings_for(camera.url)).decode()
        await here.service.go_to_preset("yard", wanted)
        assert camera.positions == [token]


async def test_a_preset_or_output_that_is_not_there_is_named_with_those_that_are() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.holds_pulls = True
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        with pytest.raises(NotFound, match="gate, yard"):
            await here.service.go_to_preset("yard", "roof")
        with pytest.raises(NotFound, match="relay0"):
            await here.service.set_output("yard", "relay9", True)
        with pytest.raises(NotFound):
            await here.service.set_output("nobody", "relay0", True)
        assert camera.positions == []


async def test_an_output_is_switched_and_back() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.holds_pulls = True
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await here.service.set_output("yard", "relay0", True)
        assert camera.outputs == {"relay0": "active"}
        await here.service.set_output("yard", "relay0", False)
        assert camera.outputs == {"relay0": "inactive"}


async def test_a_clock_that_was_set_between_two_steps_is_learnt_again() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        # Not followed: a session's pauses would make the one clock run while a request is on its way.
        yard = here.catalog.add("yard")
        here.catalog.analytics[yard.uuid] = msgspec.json.encode(settings_for(camera.url)).decode()
        await here.service.set_output("yard", "relay0", True)
        camera.clock_offset_us = 3_600_000_000
        await here.service.set_output("yard", "relay0", False)
        assert camera.outputs == {"relay0": "inactive"}


async def test_a_camera_that_says_no_or_nothing_is_an_error_in_words() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        wrong = here.catalog.add("wrong", password="no")
        with pytest.raises(CameraRefused):
            await here.service.io(wrong, settings_for(camera.url))
        camera.has_get_services = False
        yard = here.catalog.add("yard")
        here.catalog.analytics[yard.uuid] = msgspec.json.encode(settings_for(camera.url)).decode()
        with pytest.raises(CameraUnsupported, match="PTZ"):
            await here.service.go_to_preset("yard", "gate")
        await camera.stop()
        with pytest.raises(CameraUnreachable):
            await here.service.io(here.catalog.add("gone"), settings_for(camera.url))


async def test_nothing_is_asked_after_the_end() -> None:
    clock = FakeClock()
    async with following(clock) as here:
        yard = here.catalog.add("yard")
    with pytest.raises(Conflict):
        await here.service.io(yard, settings_for("http://127.0.0.1:9/"))

"""Real sessions with a camera of our own on a real socket: what is heard, what is said, what is given back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import msgspec
import pytest

from engine.onvif import subscription
from engine.wire_sources import CameraAnalytics
from storage.catalog.records import Severity
from tests.engine.onvif.following import following, settings_for
from tests.fakes.clock import FakeClock
from tests.fakes.onvif_camera import FakeOnvifCamera, envelope

MOTION = "tns1:RuleEngine/CellMotionDetector/Motion"
RULE = {"VideoSourceConfigurationToken": "v0", "Rule": "door"}
YEARS_US = 8 * 365 * 86_400 * 1_000_000


def listening(camera: FakeOnvifCamera) -> Callable[[], bool]:
    return lambda: camera.count("PullMessages") > 0


async def pulled_again(camera: FakeOnvifCamera, times: int = 3) -> None:
    """Everything said before was taken and dealt with."""
    before = camera.count("PullMessages")
    await camera.until(lambda: camera.count("PullMessages") >= before + times)


# -- what is heard -----------------------------------------------------------------------------------------


async def test_motion_is_an_event_of_the_camera_once_at_each_rise() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(listening(camera))
        for value in ("true", "true", "false", "true"):
            camera.say(MOTION, "Changed", RULE, {"IsMotion": value})
        await here.events.until(2)
        await pulled_again(camera)
        assert [(said.kind, said.source, said.text) for said in here.events.said] == [
            ("detection.motion", "yard", "Motion (rule door)")
        ] * 2
        assert here.service.state(yard.uuid) == ("listening", "", ("detection.motion",))


async def test_a_state_told_at_the_subscription_is_no_news_and_neither_is_its_repetition() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.say(MOTION, "Changed", RULE, {"IsMotion": "true"})
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))
        camera.say(MOTION, "Changed", RULE, {"IsMotion": "true"})
        await pulled_again(camera)
        assert here.events.said == []


async def test_a_message_without_a_property_operation_is_news() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))
        camera.say("tns1:RuleEngine/LineDetector/Crossed", "", {"Rule": "fence"}, {"ObjectId": "7"})
        camera.say("tns1:VideoSource/ImageTooDark", "", {"Source": "v0"}, {"State": "1"})
        await here.events.until(2)
        assert [(said.kind, said.text, said.severity) for said in here.events.said] == [
            ("detection.line_crossing", "Line crossed (rule fence)", Severity.INFO),
            ("detection.tampering", "Tampering (v0)", Severity.WARNING),
        ]


async def test_a_storm_is_counted_and_costs_few_events() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))
        for _ in range(400):
            camera.say(MOTION, "", RULE, {"IsMotion": "true"})
            camera.say(MOTION, "", RULE, {"IsMotion": "false"})
        while sum(said.count for said in here.events.said) < 400:
            await pulled_again(camera)
        assert sum(said.count for said in here.events.said) == 400
        assert len(here.events.said) <= 12


async def test_pulls_answered_at_once_with_nothing_keep_their_pace() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))
        began_us, before = clock.monotonic_us(), camera.count("PullMessages")
        await pulled_again(camera, 40)
        pulls = camera.count("PullMessages") - before
        assert (clock.monotonic_us() - began_us) / 1e6 >= (pulls - 1) * 0.5


# -- cameras as they are -----------------------------------------------------------------------------------


@pytest.mark.parametrize("offset_us", [-YEARS_US, 32_000_000, YEARS_US])
async def test_a_camera_whose_clock_is_off_takes_our_tokens(offset_us: int) -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock, clock_offset_us=offset_us) as camera, following(clock) as here:
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(lambda: camera.count("Renew") > 1)
        assert here.events.said == []
        assert len(camera.subscriptions) == 1


async def test_a_clock_that_is_set_meanwhile_is_learnt_again_without_a_word() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock, clock_offset_us=-YEARS_US) as camera, following(clock) as here:
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))
        camera.clock_offset_us = 0
        camera.subscriptions.clear()
        await camera.until(lambda: camera.count("CreatePullPointSubscription") == 2)
        await pulled_again(camera)
        assert here.events.said == []


async def test_addresses_nobody_can_reach_are_asked_on_the_host_that_was_dialled() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.announces = "0.0.0.0:80"
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))


async def test_an_old_camera_without_get_services_is_asked_for_its_capabilities() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.has_get_services = False
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))


async def test_a_camera_that_knows_its_subscriptions_by_reference_parameters_is_understood() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.references = (
            '<dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event">19</dom0:SubscriptionId>'
        )
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(lambda: camera.count("Renew") > 0)
        assert here.events.said == []


async def test_http_digest_is_answered_when_it_is_asked_for() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.wants_http_digest = True
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))


async def test_a_camera_that_bears_only_short_pulls_is_asked_for_short_ones() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.max_pull_s = 5
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await pulled_again(camera, 5)
        pulls = [asked for asked in camera.asked if asked.operation == "PullMessages"]
        assert [(asked.text("Timeout"), asked.text("MessageLimit")) for asked in pulls[1:4]] == [
            ("PT5S", "10")
        ] * 3
        assert here.events.said == []


async def test_what_a_camera_announces_is_known_before_it_happens() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.topics = (
            '<tns1:RuleEngine><CellMotionDetector><Motion wstop:topic="true"><tt:MessageDescription IsProperty="true"/></Motion>'
            '</CellMotionDetector></tns1:RuleEngine><tns1:Device><Trigger><DigitalInput wstop:topic="true"/></Trigger></tns1:Device>'
            '<tns1:Monitoring><ProcessorUsage wstop:topic="true"/></tns1:Monitoring><tns1:Vendor wstop:topic="true"/>'
        )
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(listening(camera))
        assert here.service.state(yard.uuid)[2] == ("detection.digital_input", "detection.motion")
        assert here.events.said == []


# -- keeping a subscription --------------------------------------------------------------------------------


async def test_a_subscription_is_renewed_before_it_ends() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.pull_extends = False
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(lambda: camera.count("Renew") == 3)
        assert {asked.text("TerminationTime") for asked in camera.asked if asked.operation == "Renew"} == {
            "PT120S"
        }
        assert camera.count("CreatePullPointSubscription") == 1


async def test_a_camera_that_wants_absolute_times_gets_them_by_its_own_clock_with_z() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock, clock_offset_us=-YEARS_US) as camera, following(clock) as here:
        camera.pull_extends = False
        camera.renews = lambda asked: asked.endswith("Z") and not asked.startswith("PT")
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(lambda: camera.count("Renew") == 4)
        asked = [asked.text("TerminationTime") for asked in camera.asked if asked.operation == "Renew"]
        assert asked[0] == "PT120S"
        assert all(text.startswith("2018-") for text in asked[1:]), asked
        assert camera.count("CreatePullPointSubscription") == 1


async def test_a_camera_that_makes_subscriptions_only_with_an_absolute_end_gets_one() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.creates = lambda asked: asked.endswith("Z")
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(listening(camera))
        assert camera.count("CreatePullPointSubscription") == 2


async def test_a_camera_that_refuses_to_renew_lives_on_its_pulls() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.renews = lambda asked: False
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await pulled_again(camera, 300)
        assert camera.count("Renew") == 2  # a duration, then a time
        assert camera.count("CreatePullPointSubscription") == 1
        assert here.events.said == []


async def test_a_camera_that_neither_renews_nor_extends_is_subscribed_to_anew_without_a_word() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.renews = lambda asked: False
        camera.pull_extends = False
        yard = here.catalog.add("yard")
        camera.say(MOTION, "Changed", RULE, {"IsMotion": "true"})
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(lambda: camera.count("CreatePullPointSubscription") == 3)
        await pulled_again(camera)
        assert here.events.said == []
        assert here.state(yard) == "listening"


@pytest.mark.parametrize("granted_s", [10.0, 31_536_000.0])
async def test_a_camera_that_grants_what_it_likes_is_renewed_in_time(granted_s: float) -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.granted_s = lambda asked: granted_s
        camera.pull_extends = False
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(lambda: camera.count("Renew") == 5)
        assert camera.count("CreatePullPointSubscription") == 1
        assert here.events.said == []


async def test_a_camera_that_takes_a_duration_for_no_time_at_all_is_told_a_time() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.granted_s = lambda asked: 120.0 if asked.endswith("Z") else 0.0
        camera.pull_extends = False
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await camera.until(lambda: camera.count("Renew") == 3)
        assert camera.count("CreatePullPointSubscription") == 1


# -- trouble -----------------------------------------------------------------------------------------------


async def test_a_camera_that_refuses_subscriptions_is_asked_with_growing_pauses_and_said_once() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.creates_refused = 14
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(listening(camera))
        pauses = [delay_s for delay_s in here.sleep.delays_s if delay_s >= 1]
        assert pauses == [1, 2, 4, 8, 16, *[30] * 9]
        assert [(said.kind, said.severity) for said in here.events.said] == [
            ("onvif.lost", Severity.WARNING),
            ("onvif.back", Severity.INFO),
        ]
        assert "BlockedThreadUpperLimit" in here.events.said[0].text


async def test_a_wrong_password_is_refused_once_and_the_right_one_is_taken_at_the_next_attempt() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        yard = here.catalog.add("yard", password="secret-that-is-wrong")
        here.service.follow(yard, settings_for(camera.url))
        await here.events.until(1)
        await camera.until(lambda: camera.count("GetSystemDateAndTime") > 3)
        assert here.events.kinds() == ["onvif.refused"]
        assert {delay_s for delay_s in here.sleep.delays_s if delay_s >= 1} == {60.0}
        assert "secret" not in here.events.said[0].text
        here.catalog.passwords[yard.uuid] = "pw"
        await here.events.until(2)
        assert here.events.kinds() == ["onvif.refused", "onvif.back"]


async def test_a_reboot_is_got_over_and_what_was_known_stays_known() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.holds_pulls = True
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(listening(camera))
        camera.say(MOTION, "Changed", RULE, {"IsMotion": "true"})
        await here.events.until(1)
        await camera.until(lambda: camera.count("PullMessages") == 2)
        camera.reboot()
        await camera.until(lambda: camera.count("CreatePullPointSubscription") == 2)
        await camera.until(lambda: camera.count("PullMessages") >= 4)
        camera.say(MOTION, "Changed", RULE, {"IsMotion": "true"})
        camera.say(MOTION, "Changed", RULE, {"IsMotion": "false"})
        camera.say(MOTION, "Changed", RULE, {"IsMotion": "true"})
        await here.events.until(2)
        assert here.events.kinds() == ["detection.motion"] * 2


async def test_a_camera_that_is_gone_is_lost_once_and_comes_back() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(listening(camera))
        await camera.stop()
        await here.events.until(1)
        while len([delay_s for delay_s in here.sleep.delays_s if delay_s >= 1]) < 4:
            await asyncio.sleep(0.01)
        assert here.events.kinds() == ["onvif.lost"]
        assert here.state(yard) in ("lost", "connecting")
        assert "127.0.0.1" in here.service.state(yard.uuid)[1]
        await camera.start()
        await here.events.until(2)
        assert here.events.kinds() == ["onvif.lost", "onvif.back"]
        assert here.service.state(yard.uuid)[:2] == ("listening", "")


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (b"\x00\x01 no xml", 200, "onvif.lost"),
        (b"<html>404 File Not Found</html>", 200, "onvif.refused"),
        (b"", 404, "onvif.refused"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 200, "onvif.lost"),
        (envelope("<tds:Other/>"), 200, "onvif.refused"),
        (b"<" + b"a" * 3_000_000, 200, "onvif.lost"),
    ],
)  # fmt: skip
async def test_a_bad_camera_is_named_and_harms_no_other(answer: bytes, status: int, kind: str) -> None:
    clock = FakeClock()
    async with (
        FakeOnvifCamera(clock) as bad,
        FakeOnvifCamera(clock) as good,
        following(clock, parks=True) as here,
    ):
        bad.answer, bad.answer_status = answer, status
        here.service.follow(here.catalog.add("bad"), settings_for(bad.url))
        here.service.follow(here.catalog.add("good", number=2), settings_for(good.url))
        await here.events.until(1, "onvif.")
        await good.until(listening(good))
        good.say(MOTION, "Changed", RULE, {"IsMotion": "true"})
        await here.events.until(1, "detection.")
        about_bad = [said for said in here.events.said if said.source == "bad"]
        assert [said.kind for said in about_bad] == [kind]
        assert [said.kind for said in here.events.said if said.source == "good"] == ["detection.motion"]


async def test_a_camera_that_ends_every_subscription_at_once_is_not_hammered() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.granted_s = lambda asked: -1.0
        camera.renews = lambda asked: False
        here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
        await here.events.until(1)
        assert here.events.kinds() == ["onvif.lost"]
        assert camera.count("CreatePullPointSubscription") <= 4


# -- coming and going --------------------------------------------------------------------------------------


async def test_subscriptions_are_given_back_at_the_end() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as first, FakeOnvifCamera(clock) as second:
        async with following(clock) as here:
            first.holds_pulls = second.holds_pulls = True
            for number, camera in enumerate((first, second)):
                here.service.follow(here.catalog.add(f"c{number}", number=number), settings_for(camera.url))
                await camera.until(listening(camera))
        assert first.subscriptions == second.subscriptions == {}
        assert (first.unsubscribed, second.unsubscribed) == (1, 1)


async def test_a_subscription_in_the_making_is_given_back_too() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        camera.hangs_at = "CreatePullPointSubscription"
        camera.hangs.clear()
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(lambda: camera.count("CreatePullPointSubscription") == 1)
        here.service.forget(yard.uuid)
        await asyncio.sleep(0)
        camera.hangs.set()
        await camera.until(lambda: camera.count("Unsubscribe") == 1)
        assert here.events.said == []
    assert camera.subscriptions == {}


async def test_the_end_does_not_wait_for_a_camera_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "FAREWELL_S", 0.2)
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera:
        async with following(clock) as here:
            here.service.follow(here.catalog.add("yard"), settings_for(camera.url))
            await camera.until(listening(camera))
            camera.hangs.clear()
        assert camera.unsubscribed == 0
        assert len(camera.subscriptions) == 1


async def test_switching_it_off_removing_and_a_new_address_give_the_subscription_back() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, FakeOnvifCamera(clock) as other, following(clock) as here:
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(listening(camera))
        here.service.follow(yard, settings_for(other.url))
        await other.until(listening(other))
        await camera.until(lambda: camera.count("Unsubscribe") == 1)
        here.service.follow(yard, CameraAnalytics(onvif=False))
        await other.until(lambda: other.count("Unsubscribe") == 1)
        assert here.service.state(yard.uuid) == ("off", "", ())
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(lambda: camera.count("CreatePullPointSubscription") == 2)
        here.service.forget(yard.uuid)
        await camera.until(lambda: camera.count("Unsubscribe") == 2)
        assert here.events.said == []


async def test_a_new_name_is_used_at_once_and_interrupts_nothing() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        yard = here.catalog.add("yard")
        here.service.follow(yard, settings_for(camera.url))
        await camera.until(listening(camera))
        here.service.follow(msgspec.structs.replace(yard, name="court"), settings_for(camera.url))
        camera.say(MOTION, "Changed", RULE, {"IsMotion": "true"})
        await here.events.until(1)
        assert [said.source for said in here.events.said] == ["court"]
        assert camera.count("CreatePullPointSubscription") == 1


async def test_a_camera_followed_before_the_service_runs_is_listened_to_when_it_does() -> None:
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock) as here:
        cameras = [here.catalog.add(f"c{number}", number=number) for number in range(12)]
        camera.subscriptions_limit = 12
        camera.holds_pulls = True
        for each in cameras:
            here.service.follow(each, settings_for(camera.url))
        await camera.until(lambda: len(camera.subscriptions) == 12)
        assert here.events.said == []


async def test_many_channels_of_one_encoder_are_all_listened_to_at_once() -> None:
    """One address, and each holds its pull back as long as it was asked to."""
    clock = FakeClock()
    async with FakeOnvifCamera(clock) as camera, following(clock, parks=True) as here:
        camera.subscriptions_limit = 12
        camera.holds_pulls = True
        for number in range(12):
            here.service.follow(here.catalog.add(f"c{number}", number=number), settings_for(camera.url))
        await camera.until(
            lambda: len({asked.path for asked in camera.asked if asked.operation == "PullMessages"}) == 12
        )
        assert here.events.said == []


def test_the_engine_starts_without_the_library() -> None:
    code = (
        "import sys, engine.station, engine.onvif.service; "
        "print([name for name in ('onvif', 'zeep', 'lxml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

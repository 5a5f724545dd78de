"""Whole pull sessions of real cameras, byte for byte: exactly the events that are in them, each once, none for a repeated state."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.engine.onvif.following import following, settings_for
from tests.engine.onvif.transcript_camera import (
    CREATE,
    TranscriptCamera,
    clock_offset_us,
    operation_of,
    read_transcript,
    time_us,
)
from tests.fakes.clock import FakeClock
from tests.fixtures_path import fixture_files, require_fixtures

FOLDER = "nvr/onvif_transcripts"
TRANSCRIPTS = fixture_files(f"{FOLDER}/*.jsonl")

# Read from the transcripts by eye: every topic in them, and what it is to Watchdeck. One that is missing here fails the test.
KINDS = {
    "tns1:RuleEngine/CellMotionDetector/Motion": "detection.motion",
    "tns1:VideoSource/MotionAlarm": "detection.motion",
    "tns1:VideoSource/GlobalSceneChange/AnalyticsService": "detection.tampering",
    "tns1:RuleEngine/FieldDetector/ObjectsInside": "detection.intrusion",
    "tns1:Device/Trigger/DigitalInput": "detection.digital_input",
    "tns1:Device/Trigger/Relay": "detection.digital_output",
    "tns1:UserAlarm/IVA/HumanShapeDetect": "detection.other",
}
NOTHING = ("tns1:Monitoring/",)

_MESSAGE = re.compile(r"<\w+:NotificationMessage>(.*?)</\w+:NotificationMessage>", re.DOTALL)
_TOPIC = re.compile(r"<\w+:Topic[^>]*>([^<]*)</")
_ITEM = re.compile(r'<\w+:SimpleItem Name="([^"]*)" Value="([^"]*)"')


def expected(rows: list[dict[str, Any]]) -> list[str]:
    """The rising edges by nothing but regular expressions, from every pull that was answered."""
    states: dict[tuple[str, str], str] = {}
    kinds = []
    for row in rows:
        for told in _MESSAGE.findall(row["response"] or ""):
            topic = _TOPIC.search(told)
            if topic is None or not topic[1] or topic[1].startswith(NOTHING):
                continue
            about, _, data = told.partition("Data>")
            key = (topic[1], repr(_ITEM.findall(about)))
            values = [
                value for _, value in _ITEM.findall(data) if value in ("true", "false", "active", "inactive")
            ]
            assert len(values) == 1, told
            is_on = values[0] in ("true", "active")
            if is_on and states.get(key) != "on" and 'PropertyOperation="Initialized"' not in told:
                kinds.append(KINDS[topic[1]])
            states[key] = "on" if is_on else "off"
    return kinds


def test_the_captures_are_here() -> None:
    assert list(require_fixtures(FOLDER).glob("*.jsonl"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
async def test_a_recorded_session_gives_exactly_its_events(path: Path) -> None:
    rows = read_transcript(path)
    clock = FakeClock(time_us(rows[0]["timestamp"]))
    wanted = expected(rows)
    async with TranscriptCamera(rows, clock) as camera, following(clock) as here:
        gate = here.catalog.add("gate")
        here.service.follow(gate, settings_for(f"http://127.0.0.1:{camera.port}/onvif/device_service"))
        await camera.over()
        detections = [said for said in here.events.said if said.kind.startswith("detection.")]
        assert [said.kind for said in detections for _ in range(said.count)] == wanted
        assert {said.source for said in here.events.said} <= {"gate"}
        assert camera.late_tokens == []
        accepted = any(
            operation_of(row) == CREATE and "SubscriptionReference" in row["response"] for row in rows
        )
        state, trouble, _ = here.service.state(gate.uuid)
        if accepted:
            assert (state, trouble) == ("listening", "")
        else:
            assert state == "connecting"
            assert trouble


def test_there_is_something_in_them() -> None:
    """What was counted by eye: the expectation above is not empty by mistake."""
    counts = {
        "bench_onvif": 10,
        "cell_motion_camera_20260321": 38,
        "dahua_dh_sd4a425db_hny_20260219": 9,
        "hikvision_compatible_20260219": 21,
    }
    assert {name: len(expected(transcript(name))) for name in counts} == counts


def transcript(name: str) -> list[dict[str, Any]]:
    return read_transcript(require_fixtures(FOLDER) / f"{name}.jsonl")


async def said_of(rows: list[dict[str, Any]]) -> tuple[list[str], list[float]]:
    """What was published about the connection, and how long was waited between attempts."""
    clock = FakeClock(time_us(rows[0]["timestamp"]))
    async with TranscriptCamera(rows, clock) as camera, following(clock) as here:
        here.service.follow(
            here.catalog.add("gate"), settings_for(f"http://127.0.0.1:{camera.port}/onvif/device_service")
        )
        await camera.over()
        return here.events.kinds("onvif."), [delay_s for delay_s in here.sleep.delays_s if delay_s >= 1]


async def test_a_camera_that_refuses_subscriptions_for_minutes_is_never_given_up() -> None:
    rows = transcript("dahua_dh_sd4a425db_hny_20260219")
    assert abs(clock_offset_us(rows)) > 8 * 365 * 86_400 * 1_000_000
    said, delays_s = await said_of(rows)
    assert said == ["onvif.lost", "onvif.back"] * (len(said) // 2)
    assert delays_s[:5] == [1, 2, 4, 8, 16]
    assert max(delays_s) == 30


async def test_a_camera_that_does_not_know_the_user_is_refused_once_and_asked_slowly() -> None:
    assert await said_of(transcript("hikvision_pullpoint_notauthorized")) == (["onvif.refused"], [60.0] * 5)


async def test_a_web_page_with_status_200_is_no_onvif() -> None:
    assert await said_of(transcript("html_404_camera_20260321")) == (["onvif.refused"], [60.0] * 10)

"""Mode `events` with a real RTSP server: nothing on disk until a button is pressed, then the seconds around it, with its alarm."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine import wire
from engine.wire_alarm_rules import AlarmRuleAdd, BookmarkAction, RecordAction, Trigger
from engine.wire_alarms import AlarmQuery
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.e2e.recorded_pictures import decodes_without_error
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

S = 1_000_000


async def test_a_button_brings_the_seconds_before_and_behind_it_to_disk(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    engine = EngineProcess(tmp_path / "state")
    with RtspServer([RtspStream(path="/yard", fps=15, gop=15)]) as server:
        try:
            client = await engine.start()
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
            )
            await client.add_camera(
                wire.CameraAdd(name="yard", url=server.url("/yard"), mode="events", pre_event_s=6)
            )
            await client.add_alarm_rule(
                AlarmRuleAdd(
                    name="Panic",
                    triggers=(Trigger(kind="external.virtual", sources=("panic",)),),
                    actions=(
                        RecordAction(cameras=("yard",), pre_event_s=5, post_event_s=5),
                        BookmarkAction(cameras=("yard",)),
                    ),
                )
            )
            waiting = await until(client, lambda now: now.station.cameras_waiting == 1, "waiting")
            assert (waiting.station.cameras_expected, waiting.station.cameras_recording) == (0, 0)
            await asyncio.sleep(8)  # the camera films what the event will want
            assert list(volume.rglob("*.mp4")) == []
            await client.fire_trigger("panic", "front desk")
            await until(client, lambda now: now.station.cameras_recording == 1, "recording")
            await until(client, lambda now: now.station.cameras_waiting == 1, "waiting again")
            (alarm,) = (await client.alarms(AlarmQuery())).alarms
            detail = await eventually(
                lambda: client.alarm(alarm.id),
                lambda found: [each.state for each in found.results] == ["done", "done"],
                "both actions done",
            )
            assert "kept from" in detail.results[0].text
        finally:
            stopped = engine.stop()
            await engine.end()
    assert stopped == 0
    (file,) = volume.rglob("*.mp4")
    assert decodes_without_error(file) == ""
    client = await engine.start()
    try:
        (row,) = (
            await client.timeline((), start_us=alarm.first_us - 60 * S, end_us=alarm.first_us + 60 * S)
        ).rows
        ((start_us, end_us),) = row.recorded
        assert alarm.first_us - 8 * S <= start_us <= alarm.first_us - 5 * S + S // 2
        assert alarm.first_us + 5 * S - S // 2 <= end_us <= alarm.first_us + 9 * S
        assert row.gaps == ()
        assert row.locks == ((alarm.first_us, alarm.first_us + 10 * S),)
    finally:
        await engine.end()

"""Calls about alarms, rules, settings and the log: client, socket, server, desks and catalog are the real ones."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

import msgspec
import pytest

from engine import wire
from engine.api import handlers_alarms
from engine.catalog_thread import CatalogThread
from engine.wire_alarm_rules import (
    AlarmRuleAdd,
    AlarmRuleEdit,
    HttpAction,
    MailAction,
    PushAction,
    RecordAction,
    ScheduleTemplate,
    Trigger,
)
from engine.wire_alarms import (
    AlarmFilter,
    AlarmPlaceQuery,
    AlarmQuery,
    AlarmRaised,
    AlarmSelection,
    AlarmsMessage,
    AlarmStatus,
    AlarmTriage,
)
from engine.wire_log import LogQuery
from engine.wire_sources import AlarmSettings, CameraAnalytics, ListenSettings, MailSettings
from storage import errors
from storage.camera_url import PLACEHOLDER
from tests.fakes.station import FakeStation

SECOND = 1_000_000
NIGHT = wire.ScheduleMessage(zone="UTC", days=("x" * 48,) * 7)


def rule(name: str = "Door", *kinds: str, **fields: object) -> AlarmRuleAdd:
    triggers = tuple(Trigger(kind=kind) for kind in kinds or ("camera.lost",))
    return AlarmRuleAdd(name=name, triggers=triggers, **fields)  # type: ignore[arg-type]


async def raise_alarms(station: FakeStation, *sources: str, kind: str = "camera.lost") -> None:
    """One event each, a second apart, and wait until they are alarms."""
    for source in sources:
        station.events.publish(kind, f"{source} lost", source=source)
        station.clock.advance(SECOND)
    await station.alarms.flush()


async def until(stream: AsyncIterator[wire.StreamMessage], kind: type[msgspec.Struct]) -> msgspec.Struct:
    async for message in stream:
        if isinstance(message, kind):
            return message
    raise AssertionError("the stream ended")


# -- the list and triage ---------------------------------------------------------------------------------


async def test_events_that_meet_a_rule_are_listed_newest_first_in_windows(station: FakeStation) -> None:
    await station.client.add_alarm_rule(rule())
    await raise_alarms(station, "Gate", "Yard", "Hall")
    page = await station.client.alarms(AlarmQuery(limit=2))
    assert (page.total, [alarm.source for alarm in page.alarms]) == (3, ["Hall", "Yard"])
    rest = await station.client.alarms(AlarmQuery(offset=2, limit=2))
    assert [alarm.source for alarm in rest.alarms] == ["Gate"]
    place = await station.client.alarm_place(AlarmPlaceQuery(id=rest.alarms[0].id))
    assert place.index == 2
    counts = await station.client.alarm_counts()
    assert (counts.new, counts.revision) == (3, page.revision)
    assert (await station.client.snapshot()).alarms == counts


async def test_one_alarm_comes_with_what_to_do_and_the_moment_to_look_at(station: FakeStation) -> None:
    await station.client.add_camera(wire.CameraAdd(name="Gate", url="rtsp://192.0.2.1/a"))
    record = RecordAction(pre_event_s=20, post_event_s=60)
    await station.client.add_alarm_rule(rule(instructions="call the guard", actions=(record,)))
    await raise_alarms(station, "Gate")
    (alarm,) = (await station.client.alarms(AlarmQuery())).alarms
    detail = await station.client.alarm(alarm.id)
    assert (detail.alarm, detail.instructions) == (alarm, "call the guard")
    assert detail.clip_start_us == alarm.first_us - 20 * SECOND
    assert detail.clip_end_us == alarm.last_us + 60 * SECOND
    (known,) = await station.client.alarm_rules()
    assert (known.raised, known.last_raised_us) == (1, alarm.last_us)
    assert await station.client.alarm_rule("door") == known
    await station.client.remove_alarm_rule("Door")
    assert (await station.client.alarm(alarm.id)).instructions == ""
    with pytest.raises(errors.NotFound):
        await station.client.alarm(4711)


async def test_triage_and_undo_say_what_they_did_and_are_history(station: FakeStation) -> None:
    await station.client.add_alarm_rule(rule())
    await raise_alarms(station, "Gate", "Yard", "Hall")
    step = AlarmTriage(
        selection=AlarmSelection(filter=AlarmFilter(sources=("Gate", "Yard"))),
        status=AlarmStatus.FALSE_ALARM,
        comment="a cat",
    )
    done = await station.client.triage(step)
    assert (done.changed, done.what) == (2, "2 alarms: false alarm, commented")
    assert (await station.client.alarm_counts()).new == 1
    undone = await station.client.undo_triage()
    assert (undone.changed, undone.what) == (2, "2 alarms: last step undone")
    (gate,) = (await station.client.alarms(AlarmQuery(sources=("Gate",)))).alarms
    assert (gate.status, gate.comment) == (AlarmStatus.NEW, "")
    steps = (await station.client.alarm(gate.id)).steps
    assert [(each.what, each.is_undone, each.comment) for each in steps] == [
        ("status", True, "a cat"),
        ("undo", False, ""),
    ]
    assert all(each.actor for each in steps)


async def test_a_mute_ends_by_itself(station: FakeStation) -> None:
    await station.client.add_alarm_rule(rule())
    await raise_alarms(station, "Gate")
    (alarm,) = (await station.client.alarms(AlarmQuery())).alarms
    selection = AlarmSelection(ids=(alarm.id,))
    done = await station.client.triage(AlarmTriage(selection=selection, mute_minutes=3))
    assert done.what == "1 alarm: muted for 3 min"
    assert (await station.client.alarms(AlarmQuery())).total == 0
    muted = (await station.client.alarms(AlarmQuery(with_muted=True))).alarms[0]
    assert muted.muted_until_us == station.clock.now_us() + 180 * SECOND
    station.clock.advance(181 * SECOND)
    assert (await station.client.alarms(AlarmQuery())).total == 1
    await station.client.triage(AlarmTriage(selection=selection, mute_minutes=3))
    done = await station.client.triage(AlarmTriage(selection=selection, mute_minutes=0))
    assert done.what == "1 alarm: no longer muted"
    assert (await station.client.alarms(AlarmQuery())).total == 1


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (AlarmTriage(selection=AlarmSelection(ids=(1,))), errors.InvalidInput),
        (AlarmTriage(selection=AlarmSelection(), status=AlarmStatus.CLOSED), errors.InvalidInput),
        (
            AlarmTriage(selection=AlarmSelection(ids=(1,), filter=AlarmFilter()), status=AlarmStatus.CLOSED),
            errors.InvalidInput,
        ),
        (AlarmTriage(selection=AlarmSelection(ids=(1,)), comment="x" * 2_001), errors.InvalidInput),
        (AlarmTriage(selection=AlarmSelection(ids=(1,)), mute_minutes=10_000), errors.InvalidInput),
        (
            AlarmTriage(
                selection=AlarmSelection(filter=AlarmFilter(min_severity="dire")), status=AlarmStatus.CLOSED
            ),
            errors.InvalidInput,
        ),
        (AlarmTriage(selection=AlarmSelection(ids=(4711,)), status=AlarmStatus.CLOSED), errors.NotFound),
    ],
)
async def test_steps_that_make_no_sense_are_refused(
    station: FakeStation, step: AlarmTriage, error: type[errors.WatchdeckError]
) -> None:
    with pytest.raises(error):
        await station.client.triage(step)


async def test_there_is_nothing_to_undo_at_first(station: FakeStation) -> None:
    with pytest.raises((errors.Conflict, errors.NotFound)):
        await station.client.undo_triage()


async def test_the_list_as_a_file_is_what_the_filter_says(station: FakeStation) -> None:
    await station.client.add_alarm_rule(rule())
    await raise_alarms(station, "Gate", "=cmd|' /C calc'!A0")
    data = await station.client.alarm_csv(AlarmFilter())
    head, *lines = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert head[1] == "receiving station"
    assert [line[2] for line in lines] == ["'=cmd|' /C calc'!A0", "Gate"]
    assert {line[1] for line in lines} == {"test"}
    data = await station.client.alarm_csv(AlarmFilter(sources=("Gate",)))
    assert len(data.splitlines()) == 2


async def test_a_long_list_is_saved_whole_though_it_is_read_in_pages(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many of the same microsecond, more than a page of them, and one that another event meets meanwhile."""
    monkeypatch.setattr(handlers_alarms, "PAGE", 4)
    await station.client.add_alarm_rule(rule(retrigger_s=3_600))
    for crowd in (3, 11, 1, 6):
        for number in range(crowd):
            station.events.publish("camera.lost", "lost", source=f"{crowd}-{number}")
        station.clock.advance(SECOND)
    await station.alarms.flush()
    read = CatalogThread.read
    pages = 0

    async def meddling(catalog: CatalogThread, call: str, /, *args: object, **kwargs: object) -> object:
        nonlocal pages
        found = await read(catalog, call, *args, **kwargs)
        if call == "alarms":
            pages += 1
            if pages == 2:
                station.events.publish("camera.lost", "lost again", source="3-0")
                await station.alarms.flush()
        return found

    monkeypatch.setattr(CatalogThread, "read", meddling)
    data = await station.client.alarm_csv(AlarmFilter())
    sources = [line.split(",")[2] for line in data.decode().splitlines()[1:]]
    assert sorted(sources) == sorted(f"{crowd}-{n}" for crowd in (3, 11, 1, 6) for n in range(crowd))
    assert sources[0] == "3-0"
    assert pages > 5


# -- the stream ------------------------------------------------------------------------------------------


async def test_consoles_are_told_of_alarms_and_of_every_change(station: FakeStation) -> None:
    await station.client.add_alarm_rule(rule())
    stream = station.client.stream()
    first = await anext(stream)
    assert isinstance(first, wire.SnapshotMessage)
    assert first.snapshot.alarms.new == 0
    await raise_alarms(station, "Gate")
    raised = await until(stream, AlarmRaised)
    assert isinstance(raised, AlarmRaised)
    assert (raised.alarm.source, raised.is_new) == ("Gate", True)
    counts = await until(stream, AlarmsMessage)
    assert isinstance(counts, AlarmsMessage)
    assert (counts.counts.new, counts.counts.newest_id) == (1, raised.alarm.id)
    await station.client.triage(
        AlarmTriage(selection=AlarmSelection(ids=(raised.alarm.id,)), status=AlarmStatus.CLOSED)
    )
    after = await until(stream, AlarmsMessage)
    assert isinstance(after, AlarmsMessage)
    assert after.counts.new == 0
    assert after.counts.revision > counts.counts.revision
    await stream.aclose()


async def test_events_say_how_often_they_happened(station: FakeStation) -> None:
    station.events.publish("detection.motion", "moved", source="Gate", count=7)
    await station.events.flush()
    assert (await station.client.events(limit=1))[0].count == 7


# -- rules, schedules, buttons ---------------------------------------------------------------------------


async def test_secrets_of_a_rule_go_in_and_never_come_out(station: FakeStation) -> None:
    actions = (
        HttpAction(
            url="https://anna:s3cret@gate.example/x?token=t0ken", headers=(("Authorization", "Bearer b3ar"),)
        ),
        PushAction(url="ntfy://k3y@ntfy.example/door"),
        MailAction(to=("guard@example.org",)),
    )
    added = await station.client.add_alarm_rule(rule(actions=actions))
    shown = msgspec.json.encode([added, await station.client.alarm_rules()]).decode()
    await station.client.edit_alarm_rule("Door", AlarmRuleEdit(actions=added.actions, instructions="x"))
    await station.operations.flush()
    await station.events.flush()
    log = await station.client.log(LogQuery())
    shown += msgspec.json.encode([log, await station.client.events()]).decode()
    assert not any(secret in shown for secret in ("s3cret", "t0ken", "b3ar", "k3y"))
    assert PLACEHOLDER in shown
    assert station.alarms.book.rule("Door").actions == actions


async def test_a_rule_is_changed_switched_off_tested_and_removed(station: FakeStation) -> None:
    added = await station.client.add_alarm_rule(rule(actions=(MailAction(to=("a@example.org",)),)))
    edited = await station.client.edit_alarm_rule("door", AlarmRuleEdit(is_enabled=False, retrigger_s=0))
    assert (edited.id, edited.is_enabled, edited.retrigger_s) == (added.id, False, 0)
    await raise_alarms(station, "Gate")
    assert (await station.client.alarm_counts()).new == 0
    tested = await station.client.test_alarm_rule(str(added.id))
    assert [result.action for result in tested.results] == ["MailAction"]
    assert (await station.client.alarm(tested.alarm_id)).alarm.is_test
    await station.client.remove_alarm_rule("Door")
    with pytest.raises(errors.NotFound):
        await station.client.alarm_rule("Door")
    await station.client.add_alarm_rule(rule())
    with pytest.raises(errors.AlreadyExists):
        await station.client.add_alarm_rule(rule("DOOR"))


async def test_schedules_are_shared_and_not_removed_under_a_rule(station: FakeStation) -> None:
    kept = await station.client.put_schedule(ScheduleTemplate(name="Night", schedule=NIGHT))
    assert kept.schedule == NIGHT
    await station.client.add_alarm_rule(rule(schedule_name=kept.name))
    assert [each.used_by for each in await station.client.schedules()] == [("Door",)]
    with pytest.raises(errors.Conflict):
        await station.client.remove_schedule(kept.name)
    await station.client.edit_alarm_rule("Door", AlarmRuleEdit(is_always=True))
    await station.client.remove_schedule(kept.name)
    assert await station.client.schedules() == ()


async def test_a_button_exists_as_long_as_a_rule_has_it(station: FakeStation) -> None:
    with pytest.raises(errors.NotFound):
        await station.client.fire_trigger("panic")
    panic = AlarmRuleAdd(name="Panic", triggers=(Trigger(kind="external.virtual", sources=("panic",)),))
    await station.client.add_alarm_rule(panic)
    assert [button.name for button in await station.client.virtual_triggers()] == ["panic"]
    await station.client.fire_trigger("panic", "front desk")
    await station.alarms.flush()
    (alarm,) = (await station.client.alarms(AlarmQuery())).alarms
    assert (alarm.kind, alarm.source, alarm.text) == ("external.virtual", "panic", "front desk")
    assert "external.virtual" in {each.kind for each in await station.client.trigger_kinds()}


# -- settings --------------------------------------------------------------------------------------------


async def test_settings_are_replaced_in_parts_and_their_secrets_stay_inside(station: FakeStation) -> None:
    mail = MailSettings(host="mail.example.org", sender="nvr@example.org", user="nvr", password="geheim")
    await station.client.edit_alarm_settings(AlarmSettings(mail=mail))
    listen = ListenSettings(webhook_token="0123456789abcdef-token")
    shown = await station.client.edit_alarm_settings(AlarmSettings(listen=listen))
    assert shown == await station.client.alarm_settings()
    assert shown.mail is not None
    assert (shown.mail.password, shown.preservation is not None) == (PLACEHOLDER, True)
    assert b"geheim" not in msgspec.json.encode(shown)
    assert b"abcdef-token" not in msgspec.json.encode(shown)
    await station.client.edit_alarm_settings(AlarmSettings(mail=shown.mail))
    with pytest.raises(errors.InvalidInput):
        await station.client.edit_alarm_settings(AlarmSettings(mail=MailSettings(security="rot13")))


async def test_a_mail_server_that_refuses_is_an_answer(station: FakeStation) -> None:
    assert (await station.client.test_mail("guard@example.org")).state == "done"
    station.mail.is_broken = True
    assert (await station.client.test_mail("guard@example.org")).state == "failed"
    assert station.mail.sent == ["guard@example.org"] * 2


async def test_ports_and_cameras_are_shown_and_set(station: FakeStation) -> None:
    assert not (await station.client.listening()).is_tcp_open
    await station.client.add_camera(wire.CameraAdd(name="Gate", url="rtsp://192.0.2.1/a"))
    assert not (await station.client.analytics("gate")).settings.motion
    edited = await station.client.edit_analytics("gate", CameraAnalytics(motion=True, sensitivity=70))
    assert (edited.camera, edited.settings.sensitivity) == ("Gate", 70)
    assert (await station.client.camera_io("gate")).presets == (("1", "gate"),)
    for call in (station.client.analytics, station.client.camera_io):
        with pytest.raises(errors.NotFound):
            await call("nobody")


# -- events and log as files -----------------------------------------------------------------------------


async def test_events_are_saved_all_and_in_pages_of_the_catalog(station: FakeStation) -> None:
    for number in range(1_500):
        station.events.publish("camera.lost", f"number {number}", source="Gate" if number % 2 else "Yard")
    await station.events.flush()
    rows = list(csv.reader(io.StringIO((await station.client.event_csv(source="Gate")).decode(), newline="")))
    assert [row[4] for row in rows[1:]] == [f"number {number}" for number in range(1_499, 0, -2)]


async def test_the_log_is_read_in_pages_saved_and_found_whole(station: FakeStation) -> None:
    for number in range(30):
        await station.client.add_group(wire.GroupAdd(name=f"group {number}"))
    await station.operations.flush()
    await station.events.flush()
    seen: list[str] = []
    query = LogQuery(category="operation", limit=7)
    while True:
        page = await station.client.log(query)
        seen.extend(entry.source for entry in page.entries)
        if not page.resume:
            break
        query = msgspec.structs.replace(query, before=page.resume)
    assert seen == [f"group {number}" for number in range(29, -1, -1)]
    text = (await station.client.log_csv(LogQuery(category="operation"))).decode()
    assert len(text.splitlines()) == 31
    found = await station.client.verify_log()
    assert (found.is_whole, found.checked) == (True, 30)
    with pytest.raises(errors.InvalidInput):
        await station.client.log(LogQuery(category="gossip"))
    with pytest.raises(errors.InvalidInput):
        await station.client.log(LogQuery(min_severity="dire"))

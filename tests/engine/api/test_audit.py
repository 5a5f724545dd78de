"""What is kept of who did what: every change, every refusal, no secret; and who may do what."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest

from engine import wire
from engine.api.audit import AUDITED, QUESTIONS, REFUSED
from engine.api.permissions import ROLE_PERMISSIONS, ROUTE_PERMISSIONS, Permission, Role
from engine.api.refusals import THRESHOLD
from engine.api.routes import ROUTES, Route
from engine.wire_alarm_rules import AlarmRuleAdd, PushAction, Trigger
from engine.wire_alarms import AlarmFilter, AlarmSelection, AlarmStatus, AlarmTriage
from engine.wire_log import LogEntry, LogQuery
from storage import errors
from tests.fakes.station import FakeStation, fake_station


async def operations(station: FakeStation) -> list[LogEntry]:
    """Oldest first."""
    await station.operations.flush()
    page = await station.client.log(LogQuery(category="operation", limit=1_000))
    return list(reversed(page.entries))


def gate(**changes: object) -> wire.CameraAdd:
    return wire.CameraAdd(**{"name": "Gate", "url": "rtsp://192.0.2.1/a", **changes})  # type: ignore[arg-type]


# -- which calls -----------------------------------------------------------------------------------------


def test_every_route_that_changes_something_is_an_operation_and_every_other_one_is_known_to_be_none() -> None:
    changing = {route.key for route in ROUTES if route.method != "GET"}
    taking_away = {"GET /v1/exports", "GET /v1/export-jobs/{id}/files/{name}"}
    assert changing - QUESTIONS == set(AUDITED) - taking_away
    assert changing >= QUESTIONS
    assert {route.key for route in ROUTES} >= set(AUDITED)


def test_types_are_told_apart_and_configuration_is_grave() -> None:
    types = [audited.type for audited in AUDITED.values()]
    assert len(types) == len(set(types))
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", type) for type in types)
    for key, audited in AUDITED.items():
        if ROUTE_PERMISSIONS[key] in (Permission.TRIAGE, Permission.LOCK) and "trigger" not in key:
            assert audited.severity == "normal", key
    assert AUDITED["PATCH /v1/cameras/{ref}"].severity == "major"


# -- what is kept ----------------------------------------------------------------------------------------


async def test_changes_are_kept_with_who_what_and_on_which_thing(station: FakeStation) -> None:
    await station.client.add_camera(gate())
    await station.client.edit_camera("gate", wire.CameraEdit(name="Door"))
    await station.client.remove_camera("Door")
    await station.client.cameras()
    await station.client.events()
    kept = await operations(station)
    assert [(each.type, each.source, each.severity, each.is_success) for each in kept] == [
        ("camera.add", "Gate", "major", True),
        ("camera.edit", "Door", "major", True),
        ("camera.remove", "Door", "major", True),
    ]
    assert all(each.actor and each.digest and each.text for each in kept)
    assert kept[0].time_us == station.clock.now_us()


async def test_what_failed_is_kept_with_its_reason(station: FakeStation) -> None:
    await station.client.add_camera(gate())
    with pytest.raises(errors.AlreadyExists):
        await station.client.add_camera(gate())
    with pytest.raises(errors.NotFound):
        await station.client.remove_camera("nobody")
    with pytest.raises(errors.InvalidInput):
        await station.client.add_camera(gate(name="x", transport="pigeon"))
    _, taken, missing, wrong = await operations(station)
    assert (taken.type, taken.is_success) == ("camera.add", False)
    assert "Gate" in taken.text
    assert (missing.type, missing.source, missing.is_success) == ("camera.remove", "nobody", False)
    assert "transport" in wrong.text


async def test_taking_footage_away_is_kept_though_it_changes_nothing(station: FakeStation) -> None:
    await station.client.add_camera(gate())
    with pytest.raises(errors.NotFound):
        async with station.client.export("Gate", 1, 2):
            pass
    tried = (await operations(station))[-1]
    assert (tried.type, tried.source, tried.severity, tried.is_success) == (
        "recording.export",
        "Gate",
        "normal",
        False,
    )


async def test_a_step_of_triage_is_kept_in_words(station: FakeStation) -> None:
    await station.client.add_alarm_rule(AlarmRuleAdd(name="Door", triggers=(Trigger(kind="camera.lost"),)))
    station.events.publish("camera.lost", "lost", source="Gate")
    await station.alarms.flush()
    step = AlarmTriage(selection=AlarmSelection(filter=AlarmFilter()), status=AlarmStatus.CLOSED, comment="x")
    await station.client.triage(step)
    await station.client.undo_triage()
    kept = await operations(station)
    assert [(each.type, each.severity, each.text) for each in kept[1:]] == [
        ("alarm.triage", "normal", "1 alarm: closed, commented"),
        ("alarm.undo", "normal", "1 alarm: last step undone"),
    ]


async def test_no_secret_of_a_call_is_kept_whatever_becomes_of_it(station: FakeStation) -> None:
    secrets = ("hunter2", "t0ps3cret", "k3y")
    await station.client.add_camera(gate(url="rtsp://viewer:hunter2@192.0.2.1/a"))
    await station.client.edit_camera("Gate", wire.CameraEdit(password="t0ps3cret"))
    with pytest.raises(errors.InvalidInput):
        await station.client.edit_camera("Gate", wire.CameraEdit(url="gopher://viewer:hunter2@192.0.2.1/"))
    push = PushAction(url="ntfy://k3y@ntfy.example/door")
    with pytest.raises(errors.WatchdeckError):
        await station.client.add_alarm_rule(AlarmRuleAdd(name="x", triggers=(), actions=(push,)))
    kept = await operations(station)
    assert len(kept) == 4
    assert not any(secret in f"{each.text}{each.source}{each.type}" for each in kept for secret in secrets)


async def test_a_defect_is_kept_without_its_details(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("inner detail")

    monkeypatch.setattr(station.recording, "check_camera_limit", broken)
    with pytest.raises(errors.InternalError):
        await station.client.add_camera(gate())
    (kept,) = await operations(station)
    assert (kept.is_success, kept.text) == (False, "a defect of the engine")


async def test_what_was_done_last_is_kept_by_an_ordered_stop(short_folder: Path) -> None:
    async with fake_station(short_folder) as station:
        await station.client.add_group(wire.GroupAdd(name="yard"))
    async with fake_station(short_folder) as station:
        assert [each.source for each in await operations(station)] == ["yard"]
        assert (await station.client.verify_log()).is_whole


# -- refusals --------------------------------------------------------------------------------------------


async def test_a_stranger_is_an_operation_and_an_event_and_brute_force_once(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_station(short_folder) as station:
        with monkeypatch.context() as patched:
            patched.setattr("engine.api.permissions.peer_uid", lambda connection: 31337)
            for _ in range(THRESHOLD + 20):
                with pytest.raises(errors.NotPermitted):
                    await station.client.cameras()
        kept = await operations(station)
        assert len(kept) == THRESHOLD
        assert {(each.type, each.actor, each.is_success) for each in kept} == {(REFUSED, "uid 31337", False)}
        await station.events.flush()
        said = [event.kind for event in await station.client.events(kinds=["login"])]
        assert (said.count("login.refused"), said.count("login.brute_force")) == (THRESHOLD, 1)
    async with fake_station(short_folder) as station:
        assert (await operations(station))[-1].text == "20 more refused calls within a minute"


async def test_who_may_not_is_an_operation_of_the_kind_that_was_tried(station: FakeStation) -> None:
    station.peers.role = Role.VIEWER
    with pytest.raises(errors.NotPermitted):
        await station.client.add_camera(gate())
    with pytest.raises(errors.NotPermitted):
        await station.client.log(LogQuery())
    station.peers.role = None
    add, read = await operations(station)
    assert (add.type, add.actor, add.is_success) == ("camera.add", "viewer", False)
    assert (read.type, read.is_success) == (REFUSED, False)
    assert "`audit`" in read.text
    await station.events.flush()
    said = await station.client.events(kinds=["login.refused"])
    assert [event.source for event in said] == ["viewer", "viewer"]


# -- who may do what -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
async def test_each_route_refuses_exactly_those_without_its_permission(
    station: FakeStation, role: Role
) -> None:
    station.peers.role = role
    connector = aiohttp.UnixConnector(path=str(station.socket_path))
    async with aiohttp.ClientSession(connector=connector) as session:
        for route in ROUTES:
            if route.status == 101:
                continue
            path = re.sub(r"\{\w+\}", "9999", route.path)
            async with session.request(route.method, f"http://engine{path}", data=_body(route)) as response:
                is_allowed = ROUTE_PERMISSIONS[route.key] in ROLE_PERMISSIONS[role]
                assert (response.status != 403) == is_allowed, route.key


def _body(route: Route) -> bytes | None:
    """Not one that any route takes: it is refused after the permission was looked at."""
    return b"[]" if route.body is not None else None


def test_operators_handle_alarms_and_administrators_read_the_log() -> None:
    assert Permission.TRIAGE in ROLE_PERMISSIONS[Role.OPERATOR]
    assert Permission.TRIAGE not in ROLE_PERMISSIONS[Role.VIEWER]
    for role in Role:
        assert (Permission.AUDIT in ROLE_PERMISSIONS[role]) == (role is Role.ADMINISTRATOR)

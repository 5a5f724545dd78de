"""The API's edge: permissions, decoding, errors, the socket file, the OpenAPI document."""

from __future__ import annotations

import asyncio
import io
import os
import re
import socket
import stat
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from engine import wire
from engine.api.audit import QUESTIONS
from engine.api.failures import STATUSES, status_of
from engine.api.permissions import ROLE_PERMISSIONS, ROUTE_PERMISSIONS, Caller, Peers, Permission, Role
from engine.api.routes import ROUTES
from engine.api.server import open_socket, remove_socket
from storage import errors
from tests.fakes.station import FakeStation, fake_station


async def raw(
    station: FakeStation, method: str, path: str, body: bytes | None = None
) -> tuple[int, dict[str, Any]]:
    connector = aiohttp.UnixConnector(path=str(station.socket_path))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, f"http://engine{path}", data=body and io.BytesIO(body)) as response,
    ):
        return response.status, msgspec.json.decode(await response.read() or b"{}")


# -- permissions -----------------------------------------------------------------------------------------


def test_every_route_has_a_permission_and_every_permission_a_route() -> None:
    assert {route.key for route in ROUTES} == set(ROUTE_PERMISSIONS)


def test_only_reading_is_open_to_viewers() -> None:
    for route in ROUTES:
        may = ROUTE_PERMISSIONS[route.key] in ROLE_PERMISSIONS[Role.VIEWER]
        if may:
            assert route.method == "GET" or route.key in QUESTIONS, route.key


def test_viewer_is_refused_what_changes_things() -> None:
    viewer = Caller(1000, "jane", Role.VIEWER)
    viewer.require(Permission.VIEW, "GET /v1/cameras")
    with pytest.raises(errors.NotPermitted, match="jane"):
        viewer.require(Permission.CONFIGURE, "POST /v1/cameras")


def test_peers_are_known_by_the_kernels_word() -> None:
    one, other = socket.socketpair()
    with one, other:
        caller = Peers().caller(one)
        assert (caller.uid, caller.role) == (os.getuid(), Role.ADMINISTRATOR)
        strangers = Peers(engine_uid=4242)
        strangers._callers.pop(os.getuid(), None)
        with pytest.raises(errors.NotPermitted, match=f"user id {os.getuid()}"):
            strangers.caller(one)


async def test_stranger_is_refused_everywhere(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.api.permissions.peer_uid", lambda connection: 31337)
    async with fake_station(short_folder) as station:
        with pytest.raises(errors.NotPermitted, match="31337"):
            await station.client.cameras()
        with pytest.raises(errors.NotPermitted):
            await anext(station.client.stream())
        status, reply = await raw(station, "GET", "/v1/nonsense")
        assert (status, reply["code"]) == (403, "not_permitted")


# -- decoding and errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "/v1/cameras", b'{"name":"a","url":"rtsp://h","nmae":"b"}', 400, "$.nmae: unknown key"),
        ("POST", "/v1/cameras", b'{"name":"a"}', 400, "$.url: is missing"),
        ("POST", "/v1/cameras", b'{"name":3,"url":"rtsp://h"}', 400, "$.name: expected `str`"),
        (
            "POST",
            "/v1/cameras",
            b'{"name":"a","url":"rtsp://h","schedule":{"zone":"UTC","days":[],"x":1}}',
            400,
            "$.schedule.x: unknown key",
        ),
        ("POST", "/v1/cameras", b"{", 400, "not JSON"),
        ("POST", "/v1/cameras", b"", 400, "not JSON"),
        ("POST", "/v1/cameras", b"\xff\xfe", 400, "not JSON"),
        ("POST", "/v1/cameras", b"[" * 5000, 400, "expected `object`"),
        ("POST", "/v1/cameras", b" " * (1024 * 1024 + 1), 413, "larger than 1 MiB"),
        ("GET", "/v1/volumes?x=1", None, 400, "unknown query parameter 'x'"),
        ("GET", "/v1/gaps?start_us=1", None, 400, "$.end_us: is missing"),
        ("GET", "/v1/gaps?start_us=1&end_us=z", None, 400, "$.end_us"),
        ("GET", "/v1/gaps?start_us=1&start_us=2&end_us=3", None, 400, "given 2 times"),
        ("GET", "/v1/gaps?start_us=-5&end_us=3", None, 400, "$.start_us"),
        ("GET", "/v1/gaps?start_us=1&end_us=3&camra=x", None, 400, "$.camra: unknown key"),
        ("GET", "/v1/events?limit=100000", None, 400, "$.limit"),
        ("GET", "/v1/nothing", None, 404, "no route"),
        ("GET", "/", None, 404, "no route"),
        ("PUT", "/v1/cameras", b"{}", 405, "does not take PUT"),
        ("DELETE", "/v1/locks/abc", None, 400, "no lock id"),
        ("DELETE", "/v1/cameras/x", b"{}", 400, "takes no body"),
    ],
    ids=lambda value: value[:20].decode("latin-1") if isinstance(value, bytes) else None,
)
async def test_wrong_requests_are_answered_with_what_is_wrong(
    station: FakeStation, method: str, path: str, body: bytes | None, status: int, said: str
) -> None:
    got, reply = await raw(station, method, path, body)
    assert got == status
    assert said in reply["what"]
    assert reply["code"] in errors.error_classes()


async def test_defect_is_logged_and_answered_without_details(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> list[wire.CameraView]:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(station.recording, "camera_views", broken)
    with pytest.raises(errors.InternalError) as raised:
        await station.client.cameras()
    assert "secret" not in str(raised.value)
    assert "secret detail" in caplog.text
    monkeypatch.undo()
    assert await station.client.cameras() == ()


def test_every_error_has_a_status_of_its_kind() -> None:
    for cls in errors.error_classes().values():
        assert 400 <= status_of(cls("x")) < 600
    assert status_of(errors.CameraRefused("x")) == STATUSES[errors.CameraError]


# -- the OpenAPI document --------------------------------------------------------------------------------


async def test_document_describes_every_route_and_refers_only_to_what_it_holds(station: FakeStation) -> None:
    status, document = await raw(station, "GET", "/v1/openapi.json")
    assert status == 200
    assert document["openapi"].startswith("3.1")
    described = {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    assert described == {route.key for route in ROUTES}
    schemas = document["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(document).decode()))
    assert references <= set(schemas)
    assert {"CameraView", "ErrorReply", "CameraAdd", "Timeline", "SnapshotMessage"} <= set(schemas)
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))
            assert operation["summary"]
            assert "default" in operation["responses"]
    assert schemas["CameraAdd"]["additionalProperties"] is False


def test_api_page_names_every_route_and_error_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
    for route in ROUTES:
        assert f"`{route.method} {route.path}`" in page, route.key
    for code in errors.error_classes():
        assert f"`{code}`" in page, code


# -- the socket file -------------------------------------------------------------------------------------


def test_socket_is_open_to_its_group_and_closed_to_others(short_folder: Path) -> None:
    path = short_folder / "s"
    with open_socket(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_stale_socket_is_replaced_and_a_live_one_is_not(short_folder: Path) -> None:
    path = short_folder / "s"
    open_socket(path).close()
    with open_socket(path) as live:
        live.listen(1)
        with pytest.raises(errors.Conflict, match="another engine answers"):
            open_socket(path)


def test_file_that_is_no_socket_is_left_alone(short_folder: Path) -> None:
    path = short_folder / "s"
    path.write_text("mine")
    with pytest.raises(errors.ConfigError, match="no socket"):
        open_socket(path)
    assert path.read_text() == "mine"


def test_too_long_a_path_is_said_to_be(short_folder: Path) -> None:
    with pytest.raises(errors.ConfigError, match="107"):
        open_socket(short_folder / ("x" * 120))


def test_engine_removes_only_its_own_socket(short_folder: Path) -> None:
    path = short_folder / "s"
    with open_socket(path):
        inode = path.stat().st_ino
        remove_socket(path, inode + 1)
        assert path.exists()
        remove_socket(path, inode)
        assert not path.exists()
        remove_socket(path, inode)


async def test_socket_is_gone_after_an_ordered_stop(short_folder: Path) -> None:
    async with fake_station(short_folder) as station:
        assert station.socket_path.exists()
    assert not station.socket_path.exists()


async def test_caller_that_leaves_early_harms_nobody(station: FakeStation) -> None:
    reader, writer = await asyncio.open_unix_connection(station.socket_path)
    writer.write(b"POST /v1/cameras HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    assert await station.client.cameras() == ()

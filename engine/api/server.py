"""The API server: routes on a unix socket. Says who is asking, checks the permission, decodes, calls, encodes, and keeps
what was done and who was refused as operations.

What a call does is in the handlers; which routes there are in routes.py; who may use them in permissions.py.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_origin

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from engine import wire
from engine.api import handlers_exports, openapi, stream
from engine.api.audit import NORMAL, REFUSED, AuditedCall
from engine.api.caller_leaves import UntilCallerLeaves
from engine.api.failures import errors_to_replies
from engine.api.permissions import ROUTE_PERMISSIONS, Caller, Peers, stranger
from engine.api.refusals import Refusals
from engine.api.routes import ROUTES, Route
from engine.api.services import Call, Services
from engine.decoding import check_numbers, path_and_reason
from storage.catalog.alarm_records import OperationRow
from storage.errors import ConfigError, Conflict, InvalidInput, NotPermitted

log = logging.getLogger(__name__)

BODY_LIMIT_BYTES = 1024 * 1024
SOCKET_MODE = 0o660
SOCKET_PATH_LIMIT = 107
"""Bytes that fit a sockaddr_un."""
BACKLOG = 128
STOP_TIMEOUT_S = 3.0
"""For calls under way when the engine stops."""


class ApiServer:
    """Serves one station. Use as `async with ApiServer(...)`: entered = connections are taken."""

    def __init__(
        self, services: Services, hub: stream.StreamHub, socket_path: Path, *, peers: Peers | None = None
    ) -> None:
        self._services = services
        self._hub = hub
        self._socket_path = socket_path
        self._peers = peers or Peers()
        self._refusals = Refusals(services.events, self._keep_refusal)
        self._runner = web.AppRunner(
            self._application(), access_log=None, handle_signals=False, shutdown_timeout=STOP_TIMEOUT_S
        )
        self._inode = 0

    async def __aenter__(self) -> Self:
        listening = open_socket(self._socket_path)
        self._inode = os.stat(self._socket_path).st_ino
        await self._runner.setup()
        await web.SockSite(self._runner, listening, backlog=BACKLOG).start()
        log.info("API on %s", self._socket_path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more calls, say good-bye to the streams, give calls under way a moment."""
        remove_socket(self._socket_path, self._inode)
        await self._hub.close()
        await self._runner.cleanup()
        self._refusals.close()

    def _application(self) -> web.Application:
        application = web.Application(
            middlewares=[errors_to_replies, self._known_callers], client_max_size=BODY_LIMIT_BYTES
        )
        application[stream.HUB] = self._hub
        application[handlers_exports.RUNNING] = handlers_exports.RunningExports()
        version = self._services.station.station_view().version
        application[openapi.DOCUMENT] = msgspec.json.encode(openapi.document(ROUTES, version))
        for route in ROUTES:
            # aiohttp's own pattern for a part of a path excludes braces, which names may hold.
            pattern = re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", route.path)
            application.router.add_route(route.method, pattern, self._endpoint(route))
        return application

    @web.middleware
    async def _known_callers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Before any route: a stranger does not even learn which ones there are."""
        connection = request.transport.get_extra_info("socket") if request.transport is not None else None
        if connection is None:
            raise NotPermitted("the caller went away", "call again")
        try:
            request[CALLER] = self._peers.caller(connection)
        except NotPermitted as error:
            who = stranger(connection)
            if self._refusals.note(who, error.what):
                await self._services.operations.add(self._refusal(who, error.what))
            raise
        return await handler(request)

    def _keep_refusal(self, who: str, what: str) -> None:
        self._services.operations.add_at_once(self._refusal(who, what))

    def _refusal(self, who: str, what: str) -> OperationRow:
        now_us = self._services.clock.now_us()
        return OperationRow(
            time_us=now_us, actor=who, type=REFUSED, text=what, severity=NORMAL, is_success=False
        )

    def _endpoint(self, route: Route) -> Any:
        permission = ROUTE_PERMISSIONS[route.key]
        services = self._services

        async def endpoint(request: web.Request) -> web.StreamResponse:
            caller = request[CALLER]
            async with AuditedCall(
                services.operations, services.clock, route, caller, request, self._refusals
            ) as audited:
                caller.require(permission, route.key)
                call: Call[Any, Any] = Call(
                    caller=caller,
                    path=dict(request.match_info),
                    query=decoded_query(route.query, request.rel_url.query.items()),
                    body=decoded_body(route.body, await request.read()),
                )
                if route.raw is not None:
                    return await route.raw(services, call, request)
                assert route.handler is not None
                if route.ends_with_caller:
                    async with UntilCallerLeaves(request):
                        reply = await route.handler(services, call)
                else:
                    reply = await route.handler(services, call)
                audited.reply = reply
                if reply is None:
                    return web.Response(status=204)
                return web.Response(
                    status=route.status, body=msgspec.json.encode(reply), content_type=route.media_type
                )

        return endpoint


CALLER = web.RequestKey("caller", Caller)


def decoded_query(kind: type[wire.Request] | None, items: Iterable[tuple[str, str]]) -> Any:
    """Query parameters as the route's type; a parameter may come twice only where a list is meant."""
    given: dict[str, list[str]] = {}
    for key, value in items:
        given.setdefault(key, []).append(value)
    if kind is None:
        if given:
            raise InvalidInput(f"unknown query parameter {next(iter(given))!r}", "the call takes none")
        return None
    lists = {field.name for field in msgspec.structs.fields(kind) if get_origin(field.type) is tuple}
    values: dict[str, str | list[str]] = {}
    for key, several in given.items():
        if key in lists:
            values[key] = several
        elif len(several) > 1:
            raise InvalidInput(f"query parameter {key!r} is given {len(several)} times", "give it once")
        else:
            values[key] = several[0]
    try:
        query = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        path, reason = path_and_reason(error)
        raise InvalidInput(f"query parameter {path}: {reason}", "see GET /v1/openapi.json") from error
    check_numbers(query)
    return query


def decoded_body(kind: type[wire.Request] | None, content: bytes) -> Any:
    if kind is None:
        if content:
            raise InvalidInput("the call takes no body", "send none")
        return None
    try:
        body = msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        path, reason = path_and_reason(error)
        raise InvalidInput(f"{path}: {reason}", "see GET /v1/openapi.json") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the body is not JSON: {error}", "send one JSON object") from error
    check_numbers(body)
    return body


# -- the socket file -------------------------------------------------------------------------------------


def open_socket(path: Path) -> socket.socket:
    """Bind and listen. A socket file left by an engine that is gone is replaced; one that answers is not.

    Raises ConfigError or Conflict.
    """
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT:
        raise ConfigError(
            f"the socket's path is longer than {SOCKET_PATH_LIMIT} bytes: {path}", "choose a shorter --socket"
        )
    _remove_stale(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~SOCKET_MODE)
    try:
        listening.bind(os.fspath(path))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"the socket {path} cannot be made: {error.strerror}",
            "check that its folder exists and is writable",
        ) from error
    finally:
        os.umask(before)
    listening.setblocking(False)
    return listening


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"the socket's path {path} cannot be looked at: {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{path} exists and is no socket", "choose another --socket or remove the file")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
        except OSError as error:
            raise Conflict(f"the socket {path} is in use: {error}", "end the program that uses it") from error
    raise Conflict(f"another engine answers on {path}", "stop it, or choose another --socket")


def remove_socket(path: Path, inode: int) -> None:
    """Unless another engine has put its own there meanwhile."""
    try:
        if path.lstat().st_ino == inode:
            path.unlink()
    except OSError:
        log.debug("socket %s was gone already", path)

"""The typed client of the engine: what the console, the command line and other programs use to talk to it.

One `EngineClient` holds one connection pool on the engine's unix socket. Every method mirrors a route of docs/api.md,
returns values of `engine.wire` and raises the errors of `storage.errors`, rebuilt from the code the engine sent.
Calls are never repeated by themselves and a broken stream is not reopened: when to try again is the caller's decision.
aiohttp is imported on the first call, not with this module: the console paints before it connects.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import msgspec

from engine import wire, wire_calls
from engine.client_alarms import AlarmCalls
from engine.client_chassis import ChassisCalls
from engine.client_export_files import ExportFileCalls, FileStream, plain_error
from engine.client_footage import FootageCalls
from engine.path_segment import path_segment
from engine.socket_path import client_socket_path
from storage.camera_url import PLACEHOLDER, masked
from storage.errors import (
    EngineUnreachable,
    ExportFailed,
    FileError,
    InvalidInput,
    NotFound,
    NotPermitted,
    OperationRefused,
    WatchdeckError,
    error_classes,
)

if TYPE_CHECKING:
    import aiohttp

__all__ = [
    "PLACEHOLDER",
    "EngineClient",
    "EngineUnreachable",
    "ExportFailed",
    "ExportStream",
    "FileError",
    "InvalidInput",
    "NotFound",
    "NotPermitted",
    "OperationRefused",
    "WatchdeckError",
    "client_socket_path",
    "error_classes",
    "masked",
    "rebuilt_error",
]
"""The errors, and what hides passwords, are here too: consoles import nothing of storage."""

T = TypeVar("T")
Query = Mapping[str, str | int | Iterable[str] | None]

CALL_TIMEOUT_MS = 30_000
SLOW_CALL_TIMEOUT_MS = 60_000
"""For calls that wait for a camera, a file system or a decoder."""
SILENCE_TIMEOUT_MS = 60_000
"""An export that brings no byte for so long is broken."""
HEARTBEAT_S = 10.0
"""Pings on the event stream: an engine that does not answer one is reported as gone."""
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
START_REMEDY = (
    "start it with `systemctl start watchdeck` or `watchdeck engine --state DIR`, "
    "name its socket with --socket, or try `watchdeck demo`"
)


class ExportStream(FileStream):
    """The bytes of an export as they arrive. Iterate once; use inside `EngineClient.export`."""

    what, remedy = "the export", "see the engine's log; then export again"

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        super().__init__(response)
        self.start_us = int(response.headers["Watchdeck-Start-Us"])
        self.end_us = int(response.headers["Watchdeck-End-Us"])


class EngineClient(ChassisCalls, AlarmCalls, FootageCalls, ExportFileCalls):
    """Calls to one engine. Use as `async with EngineClient(path) as engine`, or call `close` at the end."""

    def __init__(
        self, socket_path: Path | str | None = None, *, call_timeout_ms: int = CALL_TIMEOUT_MS
    ) -> None:
        self.socket_path = Path(socket_path) if socket_path is not None else client_socket_path()
        self._call_timeout_ms = call_timeout_ms
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def prepare(self) -> None:
        """Import the HTTP library beside the loop (a fifth of a second): what the loop shows stays answering."""
        await asyncio.get_running_loop().run_in_executor(None, import_module, "aiohttp")

    async def close(self) -> None:
        """Drop every connection; calls under way fail. The client may be used again afterwards."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # -- station ---------------------------------------------------------------------------------------

    async def version(self) -> wire_calls.VersionReply:
        return await self._call("GET", "/v1/version", wire_calls.VersionReply)

    async def status(self) -> wire.StationView:
        return await self._call("GET", "/v1/station", wire.StationView)

    async def snapshot(self) -> wire.Snapshot:
        return await self._call("GET", "/v1/snapshot", wire.Snapshot)

    # -- cameras ---------------------------------------------------------------------------------------

    async def cameras(self, *, removed: bool = False) -> tuple[wire.CameraView, ...]:
        """Those in use, or the removed ones of which footage is left."""
        query: Query = {"removed": "true" if removed else None}
        return (await self._call("GET", "/v1/cameras", wire_calls.CameraList, query=query)).cameras

    async def camera(self, ref: str) -> wire.CameraView:
        """By name, UUID or id."""
        return await self._call("GET", f"/v1/cameras/{path_segment(ref)}", wire.CameraView)

    async def add_camera(self, camera: wire.CameraAdd) -> wire.CameraView:
        return await self._call("POST", "/v1/cameras", wire.CameraView, body=camera)

    async def edit_camera(self, ref: str, changes: wire.CameraEdit) -> wire.CameraView:
        return await self._call("PATCH", f"/v1/cameras/{path_segment(ref)}", wire.CameraView, body=changes)

    async def remove_camera(self, ref: str) -> None:
        """Its recordings stay until they are recycled."""
        await self._call("DELETE", f"/v1/cameras/{path_segment(ref)}", None)

    async def test_camera(self, test: wire.CameraTest) -> wire.CameraTestReply:
        """A camera that fails the test is a reply with `ok` false, not an error."""
        return await self._call(
            "POST", "/v1/camera-tests", wire.CameraTestReply, body=test, timeout_ms=SLOW_CALL_TIMEOUT_MS
        )

    # -- storage ---------------------------------------------------------------------------------------

    async def volumes(self) -> tuple[wire.VolumeView, ...]:
        return (await self._call("GET", "/v1/volumes", wire_calls.VolumeList)).volumes

    async def volume(self, ref: str) -> wire.VolumeView:
        return await self._call("GET", f"/v1/volumes/{path_segment(ref)}", wire.VolumeView)

    async def add_volume(self, volume: wire.VolumeAdd) -> wire.VolumeView:
        return await self._call(
            "POST", "/v1/volumes", wire.VolumeView, body=volume, timeout_ms=SLOW_CALL_TIMEOUT_MS
        )

    async def remove_volume(self, ref: str) -> None:
        """Forget the volume; its files stay as they are."""
        await self._call("DELETE", f"/v1/volumes/{path_segment(ref)}", None, timeout_ms=SLOW_CALL_TIMEOUT_MS)

    async def groups(self) -> tuple[wire.GroupView, ...]:
        return (await self._call("GET", "/v1/groups", wire_calls.GroupList)).groups

    async def group(self, ref: str) -> wire.GroupView:
        return await self._call("GET", f"/v1/groups/{path_segment(ref)}", wire.GroupView)

    async def add_group(self, group: wire.GroupAdd) -> wire.GroupView:
        return await self._call("POST", "/v1/groups", wire.GroupView, body=group)

    async def edit_group(self, ref: str, changes: wire.GroupEdit) -> wire.GroupView:
        return await self._call("PATCH", f"/v1/groups/{path_segment(ref)}", wire.GroupView, body=changes)

    async def remove_group(self, ref: str) -> None:
        await self._call("DELETE", f"/v1/groups/{path_segment(ref)}", None)

    # -- recordings ------------------------------------------------------------------------------------

    async def recordings(
        self, camera: str | None, start_us: int, end_us: int
    ) -> tuple[wire.RecordingView, ...]:
        """Segments that overlap the stretch, of one camera or (None) of all; fetched in pages."""
        found: dict[str, wire.RecordingView] = {}
        while True:
            page = await self._call(
                "GET",
                "/v1/recordings",
                wire_calls.RecordingList,
                query={"camera": camera, "start_us": start_us, "end_us": end_us},
            )
            found.update((recording.path, recording) for recording in page.recordings)
            if page.resume_us is None or page.resume_us <= start_us:
                return tuple(found.values())
            start_us = page.resume_us

    async def gaps(self, camera: str | None, start_us: int, end_us: int) -> tuple[wire.GapView, ...]:
        query: Query = {"camera": camera, "start_us": start_us, "end_us": end_us}
        return (await self._call("GET", "/v1/gaps", wire_calls.GapList, query=query)).gaps

    async def timeline(self, cameras: Iterable[str], start_us: int, end_us: int) -> wire.Timeline:
        """One row a camera, in the order asked; no camera named = all of them."""
        query: Query = {"camera": tuple(cameras), "start_us": start_us, "end_us": end_us}
        return await self._call("GET", "/v1/timeline", wire.Timeline, query=query)

    async def locks(
        self, camera: str | None = None, start_us: int | None = None, end_us: int | None = None
    ) -> tuple[wire.LockView, ...]:
        query: Query = {"camera": camera, "start_us": start_us, "end_us": end_us}
        return (await self._call("GET", "/v1/locks", wire_calls.LockList, query=query)).locks

    async def add_lock(self, lock: wire.LockAdd) -> wire.LockView:
        return await self._call("POST", "/v1/locks", wire.LockView, body=lock)

    async def remove_lock(self, lock_id: int) -> None:
        await self._call("DELETE", f"/v1/locks/{lock_id}", None)

    async def plan_export(self, camera: str, start_us: int, end_us: int) -> wire.ExportPlan:
        query: Query = {"camera": camera, "start_us": start_us, "end_us": end_us}
        return await self._call(
            "GET", "/v1/exports/plan", wire.ExportPlan, query=query, timeout_ms=SLOW_CALL_TIMEOUT_MS
        )

    @asynccontextmanager
    async def export(self, camera: str, start_us: int, end_us: int) -> AsyncIterator[ExportStream]:
        """An MP4 as it is made: `total_bytes` first, then iterate over its bytes. Leaving early stops the engine's work.

        async with engine.export("Gate", start_us, end_us) as export:
            async for piece in export:
                file.write(piece)
        """
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENCE_TIMEOUT_MS / 1000)
        query: Query = {"camera": camera, "start_us": start_us, "end_us": end_us}
        async with self._request("GET", "/v1/exports", query=query, timeout=timeout) as response:
            yield ExportStream(response)

    # -- pictures and events ---------------------------------------------------------------------------

    async def picture(self, request: wire.PictureRequest) -> wire.PictureReply:
        return await self._call(
            "POST", "/v1/pictures", wire.PictureReply, body=request, timeout_ms=SLOW_CALL_TIMEOUT_MS
        )

    async def events(
        self,
        *,
        limit: int = 100,
        before_id: int | None = None,
        after_id: int | None = None,
        kinds: Iterable[str] = (),
        min_severity: str | None = None,
        source: str | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
        text: str | None = None,
    ) -> tuple[wire.EventView, ...]:
        """Newest first; with `after_id` oldest first. At most 1,000 a call."""
        query: Query = {
            "limit": limit,
            "before_id": before_id,
            "after_id": after_id,
            "kind": tuple(kinds),
            "min_severity": min_severity,
            "source": source,
            "start_us": start_us,
            "end_us": end_us,
            "text": text,
        }
        return (await self._call("GET", "/v1/events", wire_calls.EventList, query=query)).events

    async def stream(self) -> AsyncIterator[wire.StreamMessage]:
        """A SnapshotMessage, then changes as they happen; another SnapshotMessage when this reader fell behind.

        Never ends by itself: raises EngineUnreachable when the engine stops, dies or no longer answers.
        """
        import aiohttp

        decoder: msgspec.json.Decoder[wire.StreamMessage] = msgspec.json.Decoder(wire.StreamMessage)
        try:
            async with self._pool().ws_connect(
                "http://engine/v1/stream", heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES
            ) as socket:
                async for message in socket:
                    if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                        yield decoder.decode(message.data)
                    elif message.type is aiohttp.WSMsgType.ERROR:
                        break
                cause = socket.exception()
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 403:
                raise NotPermitted(
                    f"the engine on {self.socket_path} refuses you its event stream",
                    "run as the engine's user or with sudo",
                ) from error
            raise self._unreachable(f"answers {error.status} to the event stream") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._connection_error(error) from error
        raise self._unreachable("closed the event stream") from cause

    # -- the connection --------------------------------------------------------------------------------

    def _pool(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            connector = aiohttp.UnixConnector(path=os.fspath(self.socket_path), limit=16)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        return self._session

    async def _call(
        self,
        method: str,
        path: str,
        reply: type[T] | None,
        *,
        body: wire.Request | None = None,
        query: Query | None = None,
        timeout_ms: int | None = None,
    ) -> T:
        """One call; `reply` None for calls that answer nothing (and then nothing is returned)."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=(timeout_ms or self._call_timeout_ms) / 1000)
        async with self._request(method, path, body=body, query=query, timeout=timeout) as response:
            try:
                content = await response.read()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise self._connection_error(error) from error
        if reply is None:
            return None  # type: ignore[return-value]  # T is None here; a TypeVar cannot say so
        try:
            return msgspec.json.decode(content, type=reply)
        except msgspec.DecodeError as error:
            raise EngineUnreachable(
                f"the engine on {self.socket_path} answers something else than {reply.__name__}: {error}",
                "engine and client are of different versions: update both",
            ) from error

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        timeout: aiohttp.ClientTimeout,
        body: wire.Request | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer of status 2xx, its body unread; any other becomes the error the engine meant."""
        import aiohttp
        from yarl import URL

        url = URL(f"http://engine{path}", encoded=True).with_query(_parameters(query or {}))
        data = None if body is None else msgspec.json.encode(body)
        sent = {**(headers or {}), **({"Content-Type": "application/json"} if data is not None else {})}
        try:
            response = await self._pool().request(method, url, data=data, headers=sent, timeout=timeout)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._connection_error(error) from error
        async with response:
            if response.status >= 300:
                try:
                    content = await response.read()
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    raise self._connection_error(error) from error
                raise rebuilt_error(content, response.status)
            yield response

    def _unreachable(self, what: str) -> EngineUnreachable:
        return EngineUnreachable(f"the engine on {self.socket_path} {what}", START_REMEDY)

    def _connection_error(self, error: Exception) -> WatchdeckError:
        cause = getattr(error, "os_error", error)
        if isinstance(cause, PermissionError):
            return NotPermitted(
                f"you may not use the engine's socket {self.socket_path}",
                "run as the engine's user or with sudo",
            )
        if isinstance(cause, FileNotFoundError | ConnectionRefusedError):
            return EngineUnreachable(f"no engine answers on {self.socket_path}", START_REMEDY)
        if isinstance(error, TimeoutError):
            return self._unreachable("does not answer in time")
        return self._unreachable(f"broke off: {plain_error(error)}")


def rebuilt_error(content: bytes, status: int) -> WatchdeckError:
    """The error in a failed call's body, as the class its code names; unknown codes become a WatchdeckError."""
    try:
        reply = msgspec.json.decode(content, type=wire.ErrorReply)
    except msgspec.DecodeError:
        return EngineUnreachable(
            f"what answers on the socket is no engine (status {status})", "check the socket's path"
        )
    return error_classes().get(reply.code, WatchdeckError)(reply.what, reply.remedy)


def _parameters(query: Query) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in query.items():
        if isinstance(value, str | int):
            pairs.append((key, str(value)))
        elif value is not None:
            pairs.extend((key, item) for item in value)
    return pairs

"""Exports: what one would hold, and its bytes, produced on a reader thread as fast as the caller takes them.

One chunk is read, then sent, then the next is read: a slow or stopped caller costs one chunk of memory and no thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Generator, Iterable, Iterator
from functools import partial

from aiohttp import web

from engine import wire, wire_calls
from engine.api.export_sources import export_sources
from engine.api.services import Call, Services
from engine.api.validation import checked_stretch
from engine.deadline import Deadline
from storage.catalog.records import Camera
from storage.errors import Conflict, InvalidInput, WatchdeckError
from storage.evidence.manifest import ExportStatement, NamedUuid, software_name
from storage.segments.export import ExportFile, ExportProof, plan_export
from storage.units import US_PER_DAY

log = logging.getLogger(__name__)

CHUNK_BYTES = 256 * 1024
RUNNING_LIMIT = 16
"""Exports at the same time; one more is refused, because each keeps disks busy that also record."""
STALL_LIMIT_S = 600.0
"""A caller may be stopped for so long (ctrl+z) in the middle of an export."""
LONGEST_US = US_PER_DAY
"""Of one export: its index is kept in memory while it is sent, and planning it reads the tables of every part."""


async def plan(services: Services, call: Call[wire_calls.ExportQuery, None]) -> wire.ExportPlan:
    camera, export = await _planned(services, call.query, call.caller.name)
    return wire.ExportPlan(
        camera=camera.name,
        start_us=export.start_us,
        end_us=export.end_us,
        bytes=export.total_bytes,
        parts=export.parts,
    )


async def _planned(
    services: Services, query: wire_calls.ExportQuery, actor: str
) -> tuple[Camera, ExportFile]:
    checked_stretch(query.start_us, query.end_us)
    if query.end_us - query.start_us > LONGEST_US:
        raise InvalidInput("an export holds at most 24 hours", "export the stretch in several files")
    camera, sources = await export_sources(services, query.camera, query.start_us, query.end_us)
    proof = ExportProof(
        export_statement(services, actor),
        NamedUuid(uuid=str(camera.uuid), name=camera.name),
        services.keys,
    )
    export = await asyncio.get_running_loop().run_in_executor(
        services.files, partial(plan_export, sources, query.start_us, query.end_us, proof=proof)
    )
    return camera, export


def export_statement(services: Services, actor: str, comment: str = "") -> ExportStatement:
    """For the manifest: this station, now, by that user."""
    view = services.station.station_view()
    return ExportStatement(
        software=software_name(view.version),
        station=NamedUuid(uuid=view.uuid, name=view.name),
        exported_us=services.clock.now_us(),
        exported_by=actor,
        comment=comment,
    )


class RunningExports:
    """How many exports are being sent; entering refuses one too many. Loop only."""

    def __init__(self, limit: int = RUNNING_LIMIT) -> None:
        self._limit = limit
        self.count = 0

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        if self.count >= self._limit:
            raise Conflict(f"{self.count} exports are running", "try again when one of them is done")
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


RUNNING = web.AppKey("running_exports", RunningExports)


async def send(
    services: Services, call: Call[wire_calls.ExportQuery, None], request: web.Request
) -> web.StreamResponse:
    with request.app[RUNNING].one_more():
        camera, export = await _planned(services, call.query, call.caller.name)
        response = web.StreamResponse(
            headers={
                "Content-Type": "video/mp4",
                "Content-Disposition": f'attachment; filename="{_file_name(camera.name, export.start_us)}"',
                "Watchdeck-Start-Us": str(export.start_us),
                "Watchdeck-End-Us": str(export.end_us),
            }
        )
        response.content_length = export.total_bytes
        await response.prepare(request)
        length_s = (export.end_us - export.start_us) / 1e6
        services.events.publish(
            "recording.exported",
            f"Export of {camera.name} begun: {length_s:.0f} s, {export.total_bytes} bytes",
            source=camera.name,
            actor=call.caller.name,
        )
        is_whole = False
        try:
            await copy_chunks(services, export.chunks(CHUNK_BYTES), response)
            await response.write_eof()
            is_whole = True
        except ConnectionError:
            log.info("export of %s: the caller went away", camera.name)
        except (WatchdeckError, OSError) as error:
            log.warning("export of %s broken off: %s", camera.name, error)
        finally:
            if not is_whole and request.transport is not None:
                # The status is sent; only a broken connection can still say that bytes are missing.
                request.transport.abort()
        return response


async def copy_chunks(services: Services, data: Iterable[bytes], response: web.StreamResponse) -> None:
    """Read on a file thread, chunk by chunk, as fast as the caller takes them. Raises ConnectionError, WatchdeckError, OSError."""
    loop = asyncio.get_running_loop()
    chunks = iter(data)
    reading: asyncio.Future[bytes | None] | None = None
    try:
        while True:
            reading = loop.run_in_executor(services.files, next, chunks, None)
            chunk = await asyncio.shield(reading)
            if chunk is None:
                break
            await _written(response, chunk)
    finally:
        if reading is None or reading.done():
            _close(services, chunks)
        else:
            # Cancelled: the thread is still inside the generator, which cannot be closed under it.
            reading.add_done_callback(lambda _: _close(services, chunks))


async def _written(response: web.StreamResponse, chunk: bytes) -> None:
    """Raises ConnectionError, also for a caller that takes nothing any more: it has one of a few places."""
    try:
        async with Deadline(STALL_LIMIT_S):
            await response.write(chunk)
    except TimeoutError:
        raise ConnectionResetError(f"nothing was taken for {STALL_LIMIT_S:g} s") from None


def _close(services: Services, chunks: Iterator[bytes]) -> None:
    """Close the files of an unfinished export, on a thread: closing can wait for a network share."""
    if isinstance(chunks, Generator):
        with contextlib.suppress(RuntimeError):  # the engine is stopping: the process's end closes them
            services.files.submit(chunks.close)


def _file_name(camera: str, start_us: int) -> str:
    """Plain ASCII, for the header: RFC 6266 would need more for anything else."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', camera)}-{start_us // 1_000_000}.mp4"

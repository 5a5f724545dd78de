"""Makes one export: range by range into its package, then the page and what proves it, then its name. Loop; files on threads.

Reading and writing go a mebibyte at a time, so that who records, watches or asks is served between; whatever ends the work
early, an error, a person or the engine's stop, leaves nothing of it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.exports.file_lane import FileLane
from engine.exports.folder import ExportFolder, folder_error
from engine.exports.footage_times import missing, moments, timed_masks, wall_us
from engine.exports.mask_messages import MaskJob, TimedMask
from engine.exports.mask_process import MaskProcess
from engine.exports.names import file_name, local_moment
from engine.exports.package import Package, PlainPackage, ZipPackage
from engine.exports.planning import PlannedRange, Signing, Sources, needed_bytes, no_room, planned
from engine.exports.record import ExportJob, WantedRange
from engine.exports.report import MissingFootage, Report, ReportedRange, report_page
from engine.wire import PictureFormat, PictureReply, PictureRequest
from engine.wire_evidence import ExportedFile, PrivacyMask
from engine.wire_search import SHARE
from storage.catalog.records import Camera, Gap
from storage.clock import Clock
from storage.errors import ExportFailed, NotFound, PictureUnavailable, WatchdeckError
from storage.evidence.encoded_seal import EncodedSeal, Piece, recorded_of
from storage.evidence.manifest import ExportStatement, MaskedArea, MaskStyle, NamedUuid
from storage.evidence.package import (
    HOW_NAME,
    KEY_NAME,
    MANIFEST_NAME,
    SIGNATURE_NAME,
    PackagedFile,
    package_papers,
)
from storage.evidence.public_key import grouped
from storage.evidence.station_key import StationKeys
from storage.segments.export import ExportFile
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20
PICTURES_A_RANGE = 3
PICTURES = 240
"""Of one report: it stays below some ten megabytes."""
PICTURE_WIDTH_PX = 480
ZIP_NAME_SUFFIX = ".zip"
REPORT_NAME = "index.html"


@dataclass(frozen=True, slots=True)
class Workshop:
    """What exports are made with."""

    folder: ExportFolder
    sources: Sources
    picture: Callable[[Camera, PictureRequest], Awaitable[PictureReply]]
    gaps: Callable[[int, int, int], Awaitable[list[Gap]]]
    """Of a camera by its number, between two times."""
    statement: Callable[[str, str], ExportStatement]
    """By whom and why; the rest it knows."""
    keys: StationKeys
    clock: Clock

    def signing(self, actor: str, comment: str) -> Signing:
        return Signing(self.statement(actor, comment), self.keys)


class _SourceFailed(Exception):
    """The footage could not be read to its end; the disk of the export is in order."""

    def __init__(self, cause: WatchdeckError) -> None:
        super().__init__(cause.what)
        self.cause = cause


class Making:
    """One export, once."""

    def __init__(self, job: ExportJob, workshop: Workshop, lane: FileLane) -> None:
        self._job = job
        self._shop = workshop
        self._lane = lane
        self._package: Package | None = None
        self._chunks: Iterator[bytes] | None = None
        self._masked_fd = -1
        self._is_revealed = False
        self._taken: set[str] = {REPORT_NAME, MANIFEST_NAME, SIGNATURE_NAME, KEY_NAME, HOW_NAME.casefold()}
        self._notes: list[str] = []
        self._written: list[ExportedFile] = []
        self._signing = workshop.signing(job.created_by, job.body.comment)

    async def run(self) -> tuple[tuple[ExportedFile, ...], tuple[str, ...]]:
        """Its files, which are in place then, and what a reader should know. Raises WatchdeckError; cancelled, nothing is left."""
        try:
            return await self._run()
        except BaseException:
            await self._lane.tidy(self._throw_away)
            raise

    async def _run(self) -> tuple[tuple[ExportedFile, ...], tuple[str, ...]]:
        body = self._job.body
        folder = self._shop.folder
        space = await self._lane.do(folder.space)
        if needed_bytes(body.total_bytes, len(body.ranges)) > space.usable_bytes:
            raise no_room(folder, space, needed_bytes(body.total_bytes, len(body.ranges)))
        part = await self._lane.do(folder.begin, body.folder)
        package = self._package = await self._lane.do(self._open_package, part)
        reported = [await self._range(package, part, wanted) for wanted in body.ranges]
        if not any(each.file for each in reported):
            raise NotFound(
                reported[0].trouble if len(reported) == 1 else "nothing could be exported of any range",
                "; ".join(dict.fromkeys(each.trouble for each in reported))[:500],
            )
        if body.with_report:
            await self._write(package, REPORT_NAME, report_page(self._report(reported)))
            await self._write_papers(package)
        self._job.doing = "finishing"
        steps = package.finish()
        while await self._lane.do(next, steps, None) is not None:
            pass
        await self._lane.do(self._reveal, part)
        return package.files, tuple(self._notes)

    def _open_package(self, part: Path) -> Package:
        body = self._job.body
        if body.is_encrypted:
            name = body.folder + ZIP_NAME_SUFFIX
            return ZipPackage(part / name, self._job.password, self._shop.folder.space)
        return PlainPackage(part, self._shop.folder.space)

    # -- ranges ------------------------------------------------------------------------------------------

    async def _range(self, package: Package, part: Path, wanted: WantedRange) -> ReportedRange:
        """Written, or reported with the trouble; the trouble of the export's own disk is raised."""
        asked = wanted.asked
        bare = ReportedRange(
            asked.camera, asked.start_us, asked.end_us, comment=asked.comment, masks=asked.masks
        )
        done_before = self._job.done_bytes
        try:
            found = await planned(
                self._shop.sources,
                self._lane,
                wanted,
                self._signing,
                with_audio=self._job.body.with_audio,
            )
        except WatchdeckError as error:
            return self._left_out(bare, error)
        try:
            made = await self._made(package, part, wanted, found)
        except _SourceFailed as failed:
            await self._lane.do(self._close_source)
            await self._lane.do(package.drop)
            return self._left_out(bare, failed.cause)
        self._job.done_bytes = done_before + found.file.total_bytes
        return made

    def _left_out(self, bare: ReportedRange, error: WatchdeckError) -> ReportedRange:
        self._note(bare.camera, bare.asked_start_us, f"left out: {error.what}")
        return ReportedRange(
            bare.camera,
            bare.asked_start_us,
            bare.asked_end_us,
            comment=bare.comment,
            masks=bare.masks,
            trouble=error.what,
        )

    async def _made(
        self, package: Package, part: Path, wanted: WantedRange, found: PlannedRange
    ) -> ReportedRange:
        asked, file, camera = wanted.asked, found.file, found.camera
        masks = timed_masks(asked.masks, file.spans)
        times = moments(file.spans, self._pictures_a_range())
        if masks:
            name, written, stills = await self._masked(package, part, wanted, found, masks, times)
            pictures = [(times[index][0], jpeg) for index, jpeg in sorted(stills.items())]
            self._note(camera.name, asked.start_us, "encoded anew, with masks")
        else:
            name = file_name(camera.name, file.start_us, ".mp4", self._taken)
            written = await self._copied(package, name, found)
            pictures = await self._pictures(camera, [wall_us for wall_us, _ in times])
            if asked.masks:
                self._note(camera.name, asked.start_us, "no mask falls into what is recorded of it")
        for note in file.notes:
            self._note(camera.name, asked.start_us, note)
        holes = missing(
            asked.start_us,
            asked.end_us,
            file.parts,
            await self._shop.gaps(camera.id, asked.start_us, asked.end_us),
        )
        for hole in holes:
            self._note(camera.name, asked.start_us, hole_words(hole))
        return ReportedRange(
            camera.name,
            asked.start_us,
            asked.end_us,
            comment=asked.comment,
            file=name,
            size_bytes=written.bytes,
            sha256=written.sha256,
            start_us=file.start_us,
            end_us=file.end_us,
            masks=asked.masks,
            missing=holes,
            notes=file.notes,
            pictures=tuple(pictures),
        )

    async def _copied(self, package: Package, name: str, found: PlannedRange) -> ExportedFile:
        file = found.file
        begin = partial(package.begin, size_bytes=file.total_bytes, is_text=False, time_us=file.start_us)
        await self._lane.do(begin, name)
        chunks = self._chunks = iter(file.chunks(CHUNK_BYTES))
        length_s = (file.end_us - file.start_us) / US_PER_SECOND
        copied_bytes = 0
        while count := await self._lane.do(self._copy_one, chunks, package):
            copied_bytes += count
            self._job.done_bytes += count
            self._job.written_bytes += count
            self._job.doing = (
                f"{found.camera.name}, {length_s * copied_bytes / file.total_bytes:.0f} of {length_s:.0f} s"
            )
        self._chunks = None
        return await self._end_file(package)

    async def _end_file(self, package: Package) -> ExportedFile:
        made = await self._lane.do(package.end)
        self._written.append(made)
        return made

    @staticmethod
    def _copy_one(chunks: Iterator[bytes], package: Package) -> int:
        try:
            data = next(chunks, b"")
        except WatchdeckError as exc:
            raise _SourceFailed(exc) from exc
        if data:
            package.write(data)
        return len(data)

    # -- masks -------------------------------------------------------------------------------------------

    async def _masked(
        self,
        package: Package,
        part: Path,
        wanted: WantedRange,
        found: PlannedRange,
        masks: tuple[TimedMask, ...],
        times: tuple[tuple[int, int], ...],
    ) -> tuple[str, ExportedFile, dict[int, bytes]]:
        """Through the mask process into a file without a name, and from there into the package."""
        camera, file = found.camera, found.file
        length_us = file.end_us - file.start_us
        length_s = length_us / US_PER_SECOND

        def follow(media_us: int) -> None:
            self._job.doing = f"{camera.name}, masking, {media_us / US_PER_SECOND:.0f} of {length_s:.0f} s"

        space = await self._lane.do(self._shop.folder.space)
        fd = self._masked_fd = await self._lane.do(nameless_file, part)
        async with MaskProcess() as process:
            stills_us = tuple(media_us for _, media_us in times)
            job = MaskJob(masks=masks, stills_us=stills_us, out_fd=fd)
            try:
                done = await process.run(
                    job, self._video(found), follow, length_us=length_us, room_bytes=space.usable_bytes
                )
            except ExportFailed as exc:
                raise _SourceFailed(exc) from exc
        size_bytes = (await self._lane.do(os.fstat, fd)).st_size
        pieces = _pieces(done.cuts, file)
        if not 0 < pieces[0].offset_bytes <= pieces[-1].offset_bytes < size_bytes:
            raise _SourceFailed(ExportFailed("the mask process made no video", "export without masks"))
        seal = self._seal(found, wanted, size_bytes, pieces)
        name = file_name(camera.name, file.start_us, done.suffix, self._taken)
        whole_bytes = size_bytes + seal.box_bytes
        begin = partial(package.begin, size_bytes=whole_bytes, is_text=False, time_us=file.start_us)
        await self._lane.do(begin, name)

        def copy_one(offset: int) -> int:
            data = os.pread(fd, CHUNK_BYTES, offset)
            seal.update(data)
            package.write(data)
            return len(data)

        offset = 0
        while count := await self._lane.do(copy_one, offset):
            offset += count
            self._job.written_bytes += count
        recorded = recorded_of(pieces, file.manifest().parts)
        await self._lane.do(lambda: package.write(seal.box(recorded)))
        written = await self._end_file(package)
        await self._lane.do(self._close_source)
        return name, written, process.stills

    def _seal(
        self, found: PlannedRange, wanted: WantedRange, size_bytes: int, pieces: list[Piece]
    ) -> EncodedSeal:
        file, camera, asked = found.file, found.camera, wanted.asked
        return EncodedSeal(
            self._signing.statement,
            NamedUuid(uuid=str(camera.uuid), name=camera.name),
            self._signing.keys.signer(),
            asked_us=(asked.start_us, asked.end_us),
            shown_us=(file.start_us, file.end_us),
            stretches=file.parts,
            masks=[masked_area(mask, file.start_us, file.end_us) for mask in asked.masks],
            data_bytes=size_bytes,
            pieces=pieces,
            notes=file.notes,
        )

    async def _video(self, found: PlannedRange) -> AsyncIterator[bytes]:
        """What the mask process reads; the disk it writes to is watched here."""
        folder = self._shop.folder
        chunks = self._chunks = iter(found.file.chunks(CHUNK_BYTES))
        while data := await self._lane.do(_read_one, chunks):
            self._job.done_bytes += len(data)
            space = await self._lane.do(folder.space)
            if space.free_bytes < space.spare_bytes // 2:
                raise no_room(folder, space, found.file.total_bytes)
            yield data
        self._chunks = None

    # -- the page ----------------------------------------------------------------------------------------

    def _pictures_a_range(self) -> int:
        if not self._job.body.with_report:
            return 0
        return min(PICTURES_A_RANGE, PICTURES // len(self._job.body.ranges))

    async def _pictures(self, camera: Camera, times_us: list[int]) -> list[tuple[int, bytes]]:
        """Small ones; a moment that shows none is left out."""
        found = []
        for time_us in times_us:
            request = PictureRequest(
                camera=camera.name, at_us=time_us, format=PictureFormat.JPEG, width_px=PICTURE_WIDTH_PX
            )
            try:
                reply = await self._shop.picture(camera, request)
            except (PictureUnavailable, NotFound):
                continue
            found.append((reply.time_us, reply.data))
        return found

    def _report(self, reported: list[ReportedRange]) -> Report:
        body, statement = self._job.body, self._signing.statement
        return Report(
            title=f"Export {body.name}",
            station=statement.station.name,
            software=statement.software,
            exported_us=statement.exported_us,
            exported_by=statement.exported_by,
            ranges=tuple(reported),
            case=body.case,
            case_comment=body.case_comment,
            comment=body.comment,
            fingerprint=grouped(self._signing.keys.signer().fingerprint),
        )

    async def _write_papers(self, package: Package) -> None:
        """What proves the whole, last of all."""
        files = [PackagedFile(name=each.name, bytes=each.bytes, sha256=each.sha256) for each in self._written]
        papers = package_papers(
            self._signing.statement,
            self._signing.keys.signer(),
            files,
            case=self._job.body.case,
            notes=self._notes,
        )
        for name, content in papers:
            await self._write(package, name, content)

    async def _write(self, package: Package, name: str, content: bytes) -> None:
        """A small file, on the threads all the same."""

        def write() -> None:
            package.begin(name, size_bytes=len(content), is_text=True, time_us=self._shop.clock.now_us())
            package.write(content)

        await self._lane.do(write)
        await self._end_file(package)

    def _note(self, camera: str, start_us: int, text: str) -> None:
        self._notes.append(f"{camera} {local_moment(start_us):%Y-%m-%d %H:%M:%S}: {text}")

    def _close_source(self) -> None:
        """What a range was made from, on a thread."""
        if isinstance(self._chunks, Generator):
            self._chunks.close()
        self._chunks = None
        if self._masked_fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._masked_fd)
            self._masked_fd = -1

    def _reveal(self, part: Path) -> None:
        self._shop.folder.reveal(part, self._job.body.folder)
        self._is_revealed = True

    def _throw_away(self) -> None:
        """On a thread, after the last step: nothing is left."""
        self._close_source()
        if self._package is not None:
            with contextlib.suppress(OSError):
                self._package.discard()
        folder = self._shop.folder
        try:
            (folder.discard if self._is_revealed else folder.give_up)(self._job.body.folder)
        except WatchdeckError as error:
            log.warning("export %s: something of it is left: %s", self._job.body.folder, error)


def nameless_file(folder: Path) -> int:
    """Private, and gone with its last descriptor, however the engine ends. Raises VolumeError."""
    path = folder / ".masked"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        path.unlink()
    except OSError as exc:
        raise folder_error(exc, folder) from exc
    return fd


def _pieces(cuts: Sequence[tuple[int, int]], file: ExportFile) -> list[Piece]:
    """The seconds of a masked file by the clock on the wall."""
    starts_us = [wall_us(media_us, file.spans) for _, media_us in cuts]
    ends_us = [*starts_us[1:], file.end_us]
    return [
        Piece(offset_bytes, start_us, max(start_us, end_us))
        for (offset_bytes, _), start_us, end_us in zip(cuts, starts_us, ends_us, strict=True)
    ]


def masked_area(mask: PrivacyMask, start_us: int, end_us: int) -> MaskedArea:
    """As the manifest says it; the times are of what is shown."""
    return MaskedArea(
        left=mask.left / SHARE,
        top=mask.top / SHARE,
        width=mask.width / SHARE,
        height=mask.height / SHARE,
        start_us=start_us if mask.start_us is None else mask.start_us,
        end_us=end_us if mask.end_us is None else mask.end_us,
        style=MaskStyle(mask.style.value),
    )


def _read_one(chunks: Iterator[bytes]) -> bytes:
    try:
        return next(chunks, b"")
    except WatchdeckError as exc:
        raise _SourceFailed(exc) from exc


def hole_words(hole: MissingFootage) -> str:
    start, end = local_moment(hole.start_us), local_moment(hole.end_us)
    cause = f" ({hole.cause})" if hole.cause else ""
    return f"nothing is recorded from {start:%H:%M:%S} to {end:%H:%M:%S}{cause}"

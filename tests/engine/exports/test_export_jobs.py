"""Exports that the engine makes: exact footage, one at a time, and nothing left of those that end early."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import subprocess
from pathlib import Path
from threading import Event
from typing import IO
from uuid import uuid4

import pytest

from engine import wire
from engine.client import EngineClient
from engine.exports import making, service
from engine.exports.folder import Space
from engine.exports.package import GuardedFile
from engine.wire_evidence import (
    CaseAdd,
    CaseItemAdd,
    ExportAsk,
    ExportJobView,
    ExportRange,
    ExportState,
)
from storage.catalog.export_jobs import ExportJobRow
from storage.errors import Conflict, InvalidInput, NotFound, SegmentDamaged, VolumeFull
from storage.segments.export import ExportFile
from tests.engine.exports.conftest import GIB, at, demuxed, ended, until
from tests.fakes.encoded_video import encoded
from tests.fakes.station import FakeStation


def ranges(*wanted: tuple[str, float, float]) -> tuple[ExportRange, ...]:
    return tuple(
        ExportRange(camera=camera, start_us=at(start), end_us=at(end)) for camera, start, end in wanted
    )


GATE = ranges(("gate", 0, 4))


def folder(station: FakeStation) -> Path:
    return station.exports._shop.folder.path


def left(station: FakeStation) -> list[str]:
    return sorted(os.listdir(folder(station))) if folder(station).exists() else []


async def said(station: FakeStation, kind: str) -> bool:
    return bool(await station.client.events(kinds=[kind]))


async def made(station: FakeStation, ask: ExportAsk) -> ExportJobView:
    job = await station.client.start_export_job(ask)
    done = await ended(station, job.id)
    assert done.state is ExportState.DONE, (done.trouble, done.remedy)
    return done


async def test_the_packets_are_those_of_the_camera_and_the_file_is_what_the_list_says(
    station: FakeStation,
) -> None:
    job = await made(station, ExportAsk(ranges=GATE, with_report=False, name="Back door / night"))
    (file,) = [each for each in job.files if each.name.endswith(".mp4")]
    path = Path(job.folder) / file.name
    found = demuxed(path)
    assert found["video"] == [packet.data for packet in encoded("h264").packets]
    sound = [packet.data for packet in encoded("aac").packets]
    assert found["audio"] == sound[: len(found["audio"])]
    assert len(found["audio"]) > 50
    content = path.read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "json", str(path)],
        capture_output=True,
        check=True,
    )
    assert not probe.stderr
    assert [stream["codec_name"] for stream in json.loads(probe.stdout)["streams"]] == ["h264", "aac"]
    assert Path(job.folder).name.startswith("Back_door_night-")
    assert {mode(path), mode(Path(job.folder)), mode(folder(station))} == {0o600, 0o700}
    assert left(station) == [Path(job.folder).name]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_without_audio_there_is_none(station: FakeStation) -> None:
    job = await made(station, ExportAsk(ranges=GATE, with_report=False, with_audio=False))
    video = next(each for each in job.files if each.name.endswith(".mp4"))
    assert list(demuxed(Path(job.folder) / video.name)) == ["video"]


async def test_a_plan_says_what_comes_without_making_anything(
    station: FakeStation, room: list[Space]
) -> None:
    asked = ranges(("gate", 0, 14), ("yard", 100, 110))
    plan = await station.client.plan_export_job(ExportAsk(ranges=asked))
    gate, yard = plan.ranges
    assert gate.parts == ((at(0), at(4)), (at(10), at(14)))
    assert "nothing of camera yard" in yard.trouble
    assert plan.is_possible
    assert plan.bytes == gate.bytes > 0
    assert plan.free_bytes == 99 * GIB
    room[0] = Space(GIB + 1000, GIB)
    plan = await station.client.plan_export_job(ExportAsk(ranges=asked))
    assert not plan.is_possible
    assert "MiB are needed" in plan.trouble
    with pytest.raises(VolumeFull):
        await station.client.start_export_job(ExportAsk(ranges=asked))
    assert left(station) == []
    assert await station.client.export_jobs() == ()


async def test_gaps_and_ranges_without_footage_are_noted_and_the_rest_is_there(station: FakeStation) -> None:
    asked = ranges(("gate", 0, 14), ("yard", 100, 110), ("yard", 0, 4))
    job = await made(station, ExportAsk(ranges=asked, comment="<b>why</b>"))
    videos = [file.name for file in job.files if file.name.endswith(".mp4")]
    assert len(videos) == 2
    assert any("nothing is recorded from" in note for note in job.notes)
    assert any(note.startswith("yard") and "left out" in note for note in job.notes)
    page = (Path(job.folder) / "index.html").read_text()
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    assert "<b>why" not in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    for name in videos:
        assert f'href="{name}"' in page
    assert "Not exported" in page
    assert page.count("<figure>") == 6
    for file in job.files:
        content = (Path(job.folder) / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)


async def test_a_case_is_exported_whole_in_its_order_with_its_comments(station: FakeStation) -> None:
    await station.client.add_case(CaseAdd(name="Théft", comment="of the bicycle"))
    for camera, start, comment in (("yard", 1, "he comes"), ("gate", 0, "he goes")):
        item = CaseItemAdd(camera=camera, start_us=at(start), end_us=at(start + 2), comment=comment)
        await station.client.add_case_item("théft", item)
    await station.client.remove_camera("yard")
    job = await made(station, ExportAsk(case="Théft"))
    page = (Path(job.folder) / "index.html").read_text()
    assert page.index("he comes") < page.index("he goes")
    assert "of the bicycle" in page
    assert Path(job.folder).name.startswith("Théft-")
    assert [each.camera for each in job.ranges] == ["yard", "gate"]
    assert job.case == "Théft"
    await station.client.remove_case("Théft")
    assert (await station.client.export_job(job.id)).state is ExportState.DONE


async def test_files_are_sent_in_ranges_and_only_those_of_the_job(station: FakeStation) -> None:
    job = await made(station, ExportAsk(ranges=GATE, with_report=False))
    file = job.files[0]
    content = (Path(job.folder) / file.name).read_bytes()
    received = bytearray()
    async with station.client.export_file(job.id, file.name) as stream:
        assert stream.total_bytes == len(content)
        async for piece in stream:
            received += piece
    assert bytes(received) == content
    async with station.client.export_file(job.id, file.name, from_bytes=1000) as stream:
        assert b"".join([piece async for piece in stream]) == content[1000:]
    for name in ("../catalog.sqlite", "..", "other.mp4", "%2e%2e/x", ""):
        with pytest.raises((NotFound, InvalidInput)):
            async with station.client.export_file(job.id, name):
                pass


async def test_jobs_go_one_after_another_and_only_so_many_wait(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    monkeypatch.setattr(service, "QUEUE_LIMIT", 3)
    jobs = [await station.client.start_export_job(ExportAsk(ranges=GATE)) for _ in range(3)]
    with pytest.raises(Conflict, match="wait already"):
        await station.client.start_export_job(ExportAsk(ranges=GATE))
    await gate.reached()
    states = [(await station.client.export_job(job.id)).state for job in jobs]
    assert states == [ExportState.RUNNING, ExportState.WAITING, ExportState.WAITING]
    gate.open()
    assert [(await ended(station, job.id)).state for job in jobs] == [ExportState.DONE] * 3


class Gate:
    """Holds the reading of footage, on its thread, before chunk `at_chunk`."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, at_chunk: int = 0, failure: Exception | None = None
    ) -> None:
        self._is_reached, self._may_go = Event(), Event()
        self.is_closed = Event()
        real = ExportFile.chunks

        def chunks(file: ExportFile, chunk_bytes: int):  # type: ignore[no-untyped-def]
            try:
                for number, chunk in enumerate(real(file, 4096)):
                    if number == at_chunk:
                        self._is_reached.set()
                        self._may_go.wait(30)
                        if failure is not None:
                            raise failure
                    yield chunk
            finally:
                self.is_closed.set()

        monkeypatch.setattr(ExportFile, "chunks", chunks)

    async def reached(self) -> None:
        await until(self._is_reached.is_set)

    def open(self) -> None:
        self._may_go.set()


async def test_footage_of_a_job_is_locked_until_it_is_over(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    job = await station.client.start_export_job(ExportAsk(ranges=GATE, name="x"))
    await gate.reached()
    (lock,) = await station.catalog.read("locks")
    assert (lock.start_us, lock.end_us, lock.reason) == (at(0), at(4), "export x")
    gate.open()
    await ended(station, job.id)
    assert await station.catalog.read("locks") == []


@pytest.mark.parametrize("stage", ["waiting", "begun", "middle"])
@pytest.mark.parametrize("password", ["", "correct horse"])
async def test_cancelled_at_any_stage_nothing_is_left(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, stage: str, password: str
) -> None:
    gate = Gate(monkeypatch, at_chunk=5 if stage == "middle" else 0)
    first = await station.client.start_export_job(ExportAsk(ranges=GATE, password=password))
    await gate.reached()
    if stage == "waiting":
        second = await station.client.start_export_job(ExportAsk(ranges=GATE, password=password))
        assert (await station.client.cancel_export_job(second.id)).state is ExportState.CANCELLED
        gate.open()
        assert (await ended(station, first.id)).state is ExportState.DONE
        assert len(left(station)) == 1
        return
    # The thread hangs in the footage's drive: the answer comes all the same, what is left goes when it wakes.
    cancelling = asyncio.create_task(station.client.cancel_export_job(first.id))
    await asyncio.sleep(0.05)
    assert all(name.startswith(".") for name in left(station))
    gate.open()
    assert (await cancelling).state is ExportState.CANCELLED
    await until(lambda: left(station) == [])
    assert gate.is_closed.is_set()
    assert await station.catalog.read("locks") == []
    with pytest.raises(Conflict, match="cancelled already"):
        await station.client.cancel_export_job(first.id)
    assert (await made(station, ExportAsk(ranges=GATE))).files


async def test_a_full_disk_fails_the_job_and_leaves_nothing(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, room: list[Space]
) -> None:
    gate = Gate(monkeypatch, at_chunk=3)
    monkeypatch.setattr("engine.exports.package.SYNC_BYTES", 4096)
    job = await station.client.start_export_job(ExportAsk(ranges=GATE))
    await gate.reached()
    room[0] = Space(GIB // 4, GIB)
    gate.open()
    failed = await ended(station, job.id)
    assert failed.state is ExportState.FAILED
    assert "MiB are left" in failed.trouble
    assert failed.remedy
    assert left(station) == []
    await until(lambda: said(station, "export.failed"))
    (event,) = await station.client.events(kinds=["export.failed"])
    assert event.severity == "warning"


async def test_a_range_whose_footage_breaks_is_left_out(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, at_chunk=2, failure=SegmentDamaged("torn"))
    gate.open()
    job = await station.client.start_export_job(ExportAsk(ranges=GATE))
    failed = await ended(station, job.id)
    assert (failed.state, failed.trouble) == (ExportState.FAILED, "torn")
    assert left(station) == []
    real = making.Making._copy_one
    calls = iter(range(10_000))

    def breaks_once(chunks: object, package: object) -> int:
        if next(calls) == 3:
            raise making._SourceFailed(SegmentDamaged("torn"))
        return real(chunks, package)  # type: ignore[arg-type]

    monkeypatch.undo()
    monkeypatch.setattr(making, "CHUNK_BYTES", 4096)
    monkeypatch.setattr(making.Making, "_copy_one", staticmethod(breaks_once))
    monkeypatch.setattr("engine.exports.folder.ExportFolder.space", lambda self: Space(100 * GIB, GIB))
    job = await made(station, ExportAsk(ranges=(*GATE, *ranges(("yard", 0, 4)))))
    assert [each.name.partition("-")[0] for each in job.files if each.name.endswith("mp4")] == ["yard"]
    assert sorted(os.listdir(job.folder)) == sorted(each.name for each in job.files)
    assert any("torn" in note for note in job.notes)


async def test_after_a_restart_what_ran_has_failed_and_what_waited_goes_on(station: FakeStation) -> None:
    job = await made(station, ExportAsk(ranges=GATE, with_report=False))
    (row,) = await station.catalog.read("export_jobs")
    half = folder(station) / f".{Path(job.folder).name}-2.part"
    half.mkdir()
    (half / "x.mp4").write_bytes(b"half")
    body = row.body.replace(Path(job.folder).name, f"{Path(job.folder).name}-2")
    encrypted = row.body.replace('"is_encrypted":false', '"is_encrypted":true').replace(
        Path(job.folder).name, "other"
    )
    waiting = row.body.replace(Path(job.folder).name, "later")
    for state, content in (("running", body), ("waiting", encrypted), ("waiting", waiting)):
        await station.catalog.write(
            "put_export_job",
            ExportJobRow(
                uuid=uuid4().bytes, state=state, body=content, created_us=row.created_us, created_by="ann"
            ),
        )
    again = service.ExportService(
        station.exports._shop, station.catalog, station.events, station.services.files, keep_days=7
    )
    running = asyncio.create_task(again.run())
    await until(lambda: len(again.jobs()) == 4 and all(each.ended_us for each in again.jobs()))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    outcome = sorted((each.state.value, each.trouble, each.is_encrypted) for each in again.jobs())
    assert outcome == [
        ("done", "", False),
        ("done", "", False),
        ("failed", "the engine stopped", False),
        ("failed", "the engine stopped", True),
    ]
    assert sorted(left(station)) == sorted([Path(job.folder).name, "later"])


async def test_files_go_when_their_days_are_over_and_the_row_stays(station: FakeStation) -> None:
    job = await made(station, ExportAsk(ranges=GATE))
    assert job.expires_us == job.ended_us + 7 * 86_400_000_000  # type: ignore[operator]
    await station.exports.expire()
    assert left(station) == [Path(job.folder).name]
    station.clock.step(job.expires_us - station.clock.now_us())
    await station.exports.expire()
    assert left(station) == []
    gone = await station.client.export_job(job.id)
    assert (gone.is_expired, gone.state, gone.folder) == (True, ExportState.DONE, "")
    with pytest.raises(NotFound, match="expired"):
        async with station.client.export_file(job.id, job.files[0].name):
            pass
    await station.client.remove_export_job(job.id)
    assert await station.client.export_jobs() == ()


async def test_remove_takes_the_files_too_and_is_refused_while_it_runs(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    job = await station.client.start_export_job(ExportAsk(ranges=GATE, name="n"))
    await gate.reached()
    with pytest.raises(Conflict, match="cancel it first"):
        await station.client.remove_export_job("n")
    gate.open()
    await ended(station, job.id)
    await station.client.remove_export_job(job.id[:8])
    assert left(station) == []
    assert await station.catalog.read("export_jobs") == []


async def test_what_cannot_be_is_refused_at_once(station: FakeStation) -> None:
    start = station.client.start_export_job
    for ask, error in (
        (ExportAsk(), InvalidInput),
        (ExportAsk(ranges=ranges(("gate", 4, 4))), InvalidInput),
        (ExportAsk(ranges=ranges(("gate", 0, 90_000))), InvalidInput),
        (ExportAsk(ranges=GATE, password="short"), InvalidInput),
        (ExportAsk(ranges=GATE, case="x"), InvalidInput),
        (ExportAsk(case="x"), NotFound),
        (ExportAsk(ranges=ranges(("cellar", 0, 4))), NotFound),
        (ExportAsk(ranges=ranges(("gate", 100, 110))), NotFound),
    ):
        with pytest.raises(error):
            await start(ask)
    await station.client.add_case(CaseAdd(name="empty"))
    with pytest.raises(InvalidInput, match="is empty"):
        await start(ExportAsk(case="empty"))
    assert left(station) == []


async def test_a_renamed_camera_is_still_the_one_that_was_meant(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    first = await station.client.start_export_job(ExportAsk(ranges=GATE))
    await gate.reached()
    second = await station.client.start_export_job(
        ExportAsk(ranges=ranges(("yard", 0, 4)), with_report=False)
    )
    await station.client.edit_camera("yard", wire.CameraEdit(name="garden"))
    await station.client.add_camera(wire.CameraAdd(name="yard", url="rtsp://192.0.2.2/x"))
    gate.open()
    await ended(station, first.id)
    done = await ended(station, second.id)
    assert demuxed(Path(done.folder) / done.files[0].name)["video"] == [
        packet.data for packet in encoded("h265").packets
    ]


async def test_a_console_that_dies_in_the_middle_stops_nothing(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, at_chunk=2)
    async with EngineClient(station.socket_path) as console:
        job = await console.start_export_job(ExportAsk(ranges=GATE, with_report=False))
        await gate.reached()
    gate.open()
    assert (await ended(station, job.id)).state is ExportState.DONE


@pytest.mark.parametrize("password", ["", "correct horse"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
async def test_a_disk_that_refuses_a_write_fails_the_job_and_leaves_nothing(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, number: int, password: str
) -> None:
    real = GuardedFile.__init__

    class Refusing:
        """Takes 20 kB, then no more."""

        def __init__(self, raw: IO[bytes]) -> None:
            self._raw = raw
            self._left = 20_000

        def write(self, data: memoryview) -> int:
            if not self._left:
                raise OSError(number, os.strerror(number))
            taken = self._raw.write(data[: self._left])
            self._left -= taken
            return taken

        def __getattr__(self, name: str) -> object:
            return getattr(self._raw, name)

    def init(self: GuardedFile, *arguments: object) -> None:
        real(self, *arguments)  # type: ignore[arg-type]
        self.raw = Refusing(self.raw)  # type: ignore[assignment]

    monkeypatch.setattr(GuardedFile, "__init__", init)
    job = await station.client.start_export_job(ExportAsk(ranges=GATE, password=password))
    failed = await ended(station, job.id)
    assert failed.state is ExportState.FAILED
    assert os.strerror(number) in failed.trouble
    assert failed.remedy
    assert left(station) == []
    assert await station.catalog.read("locks") == []

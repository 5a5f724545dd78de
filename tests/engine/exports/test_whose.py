"""A name that reads as somebody else's id is never taken for it: not of a camera, a case or an export."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine import wire
from engine.wire_evidence import (
    CaseAdd,
    CaseEdit,
    CaseItemAdd,
    ExportAsk,
    ExportRange,
    ExportState,
    PrivacyMask,
)
from storage.errors import InvalidInput, NotFound
from tests.engine.exports.conftest import at, demuxed, ended
from tests.fakes.encoded_video import encoded
from tests.fakes.station import FakeStation


async def uuid_of(station: FakeStation, camera: str) -> str:
    return str((await station.catalog.read("camera", camera)).uuid)


async def impostor(station: FakeStation, folder: Path) -> None:
    """The yard is called what the gate's id is: by a catalog of before such names were refused."""
    gate = await uuid_of(station, "gate")
    with sqlite3.connect(folder / "catalog.sqlite") as database:
        database.execute("UPDATE camera SET name = ? WHERE name = 'yard'", (gate,))


async def test_the_footage_exported_is_that_of_the_camera_asked_for(
    station: FakeStation, short_folder: Path
) -> None:
    await station.client.add_case(CaseAdd(name="c"))
    item = CaseItemAdd(camera="gate", start_us=at(0), end_us=at(4))
    await station.client.add_case_item("c", item)
    await impostor(station, short_folder)
    wanted = [packet.data for packet in encoded("h264").packets]
    gate = ExportRange(camera="gate", start_us=at(0), end_us=at(4))
    for ask in (ExportAsk(ranges=(gate,)), ExportAsk(case="c")):
        job = await ended(station, (await station.client.start_export_job(ask)).id)
        assert job.state is ExportState.DONE
        (video,) = [Path(job.folder) / file.name for file in job.files if file.name.endswith(".mp4")]
        assert demuxed(video)["video"] == wanted
        assert video.name.startswith("gate-")
    sources = {source.camera for source in station.pictures.asked}
    assert sources == {await uuid_of(station, "gate")}


async def test_its_footage_is_what_is_locked(station: FakeStation, short_folder: Path) -> None:
    await impostor(station, short_folder)
    gate = (await station.catalog.read("camera", "gate")).id
    mask = PrivacyMask(left=0, top=0, width=5_000, height=5_000)
    asked = ExportRange(camera="gate", start_us=at(0), end_us=at(4), masks=(mask,))
    job = await station.client.start_export_job(ExportAsk(ranges=(asked,)))
    assert {lock.camera_id for lock in await station.catalog.read("locks")} == {gate}
    assert (await ended(station, job.id)).state is ExportState.DONE


async def test_no_camera_and_no_case_is_called_like_an_id(station: FakeStation) -> None:
    gate = await uuid_of(station, "gate")
    for name in (gate, gate.upper(), gate.replace("-", "")):
        with pytest.raises(InvalidInput, match="reads as the id"):
            await station.client.edit_camera("yard", wire.CameraEdit(name=name))
        with pytest.raises(InvalidInput, match="reads as the id"):
            await station.client.add_camera(wire.CameraAdd(name=name, url="rtsp://192.0.2.1/"))
    first = await station.client.add_case(CaseAdd(name="first"))
    with pytest.raises(InvalidInput, match="reads as the number"):
        await station.client.add_case(CaseAdd(name=str(first.id)))
    with pytest.raises(InvalidInput, match="reads as the number"):
        await station.client.edit_case("first", CaseEdit(name=f" {first.id + 1} "))


async def test_an_export_called_like_the_id_of_another_is_not_taken_for_it(station: FakeStation) -> None:
    asked = (ExportRange(camera="gate", start_us=at(0), end_us=at(4)),)
    first = await station.client.start_export_job(ExportAsk(ranges=asked, with_report=False))
    first = await ended(station, first.id)
    folder = Path(first.folder).name
    for name in (first.id, first.id.replace("-", ""), folder):
        station.clock.advance(1_000_000)
        again = await station.client.start_export_job(ExportAsk(ranges=asked, name=name, with_report=False))
        await ended(station, again.id)
        assert (await station.client.export_job(name)).id == first.id
    await station.client.remove_export_job(first.id)
    assert not Path(first.folder).exists()
    assert len(await station.client.export_jobs()) == 3


@pytest.mark.parametrize(
    "name", ["../../etc/x", "..", ".", "a/b\0c", "-rf", "~", "CON", "x" * 100, "\u202egnp.exe", "\ud7ff\n\r"]
)
async def test_whatever_an_export_is_called_its_folder_is_in_the_folder(
    station: FakeStation, name: str
) -> None:
    asked = (ExportRange(camera="gate", start_us=at(0), end_us=at(1)),)
    job = await station.client.start_export_job(ExportAsk(ranges=asked, name=name, with_report=False))
    done = await ended(station, job.id)
    path = Path(done.folder)
    assert path.parent == station.exports._shop.folder.path
    assert path.is_dir()
    assert not path.name.startswith((".", "-"))
    assert path.name.isprintable()
    assert done.name.isprintable(), "it is in events, on the page and on everybody's terminal"


@pytest.mark.parametrize(
    "ref", ["../x", "..", "%2e%2e", "1/../2", "x\0y", "'; DROP TABLE camera; --", "9" * 30]
)
async def test_what_names_nothing_finds_nothing(station: FakeStation, ref: str) -> None:
    for call in (
        station.client.export_job(ref),
        station.client.cancel_export_job(ref),
        station.client.case(ref),
        station.client.plan_export_job(ExportAsk(case=ref)),
        station.client.plan_export_job(
            ExportAsk(ranges=(ExportRange(camera=ref, start_us=at(0), end_us=at(1)),))
        ),
        station.client.remove_case_item(ref, 1),
        station.client.remove_video_link(ref),
    ):
        with pytest.raises((NotFound, InvalidInput)):
            await call

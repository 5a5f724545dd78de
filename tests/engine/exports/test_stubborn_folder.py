"""A folder of exports that resists: the job has failed and says why, nothing half-written is left, and the next one is made."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engine.exports.folder import ExportFolder
from engine.wire_evidence import ExportAsk, ExportJobView, ExportRange, ExportState, PrivacyMask
from storage.errors import NotFound, VolumeError
from tests.engine.exports.conftest import at, ended
from tests.engine.exports.test_export_jobs import Gate
from tests.fakes.station import FakeStation

MASK = PrivacyMask(left=0, top=0, width=5_000, height=5_000)
KINDS = ("plain", "zip", "masked")


def ask(kind: str) -> ExportAsk:
    masks = (MASK,) if kind == "masked" else ()
    wanted = ExportRange(camera="gate", start_us=at(0), end_us=at(4), masks=masks)
    return ExportAsk(ranges=(wanted,), password="correct horse" if kind == "zip" else "")


async def failed(station: FakeStation, kind: str) -> ExportJobView:
    job = await ended(station, (await station.client.start_export_job(ask(kind))).id)
    assert job.state is ExportState.FAILED, job
    assert job.trouble
    assert "defect" not in job.trouble
    assert "unexpected" not in job.trouble
    return job


async def works_again(station: FakeStation, kind: str) -> None:
    job = await ended(station, (await station.client.start_export_job(ask(kind))).id)
    assert job.state is ExportState.DONE, job.trouble
    for file in job.files:
        assert (Path(job.folder) / file.name).stat().st_size == file.bytes


def use(station: FakeStation, path: Path) -> None:
    station.exports._shop = replace(station.exports._shop, folder=ExportFolder(path))


@contextmanager
def small_disk(path: Path, *options: str) -> Iterator[None]:
    path.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_disk_that_is_full_before_it_was_expected(
    station: FakeStation, tmp_path: Path, kind: str
) -> None:
    """Others write to it as well: it says that there is room until there is none."""
    with small_disk(tmp_path / "disk", "size=24k"):
        use(station, tmp_path / "disk" / "exports")
        job = await failed(station, kind)
        if kind != "masked":  # there the other process has met the full disk
            assert "No space left" in job.trouble
            assert "remove exports" in job.remedy
        assert os.listdir(tmp_path / "disk" / "exports") == []
    use(station, tmp_path / "elsewhere")
    await works_again(station, kind)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_disk_that_may_only_be_read(station: FakeStation, tmp_path: Path, kind: str) -> None:
    with small_disk(tmp_path / "disk", "ro"):
        use(station, tmp_path / "disk")
        job = await failed(station, kind)
        assert "Read-only" in job.trouble
        assert "station.toml" in job.remedy
        assert os.listdir(tmp_path / "disk") == []
    await works_again(station, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at_chunk", [0, 5])
async def test_a_folder_that_is_removed_in_the_middle(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, at_chunk: int
) -> None:
    use(station, tmp_path / "exports")
    with monkeypatch.context() as held:
        gate = Gate(held, at_chunk=at_chunk)
        job = await station.client.start_export_job(ask(kind))
        await gate.reached()
        shutil.rmtree(tmp_path / "exports")
        gate.open()
        done = await ended(station, job.id)
    assert done.state is ExportState.FAILED
    assert "No such file" in done.trouble
    assert not (tmp_path / "exports").exists()
    await works_again(station, kind)


@pytest.mark.parametrize("thing", ["file", "dangling link", "loop"])
async def test_what_is_no_folder(station: FakeStation, tmp_path: Path, thing: str) -> None:
    path = tmp_path / "exports"
    if thing == "file":
        path.write_bytes(b"of somebody")
    else:
        path.symlink_to(path if thing == "loop" else tmp_path / "not there" / "x")
    use(station, path)
    assert (await failed(station, "plain")).remedy
    if thing == "file":
        assert path.read_bytes() == b"of somebody"
    path.unlink()
    await works_again(station, "plain")


async def test_a_link_to_a_folder_is_that_folder(station: FakeStation, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "exports").symlink_to(tmp_path / "real")
    use(station, tmp_path / "exports")
    await works_again(station, "plain")
    assert len(os.listdir(tmp_path / "real")) == 1


async def test_files_of_somebody_else_are_left_where_they_are(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(station, tmp_path)
    gate = Gate(monkeypatch)
    job = await station.client.start_export_job(ask("plain"))
    await gate.reached()
    (part,) = [name for name in os.listdir(tmp_path) if name.endswith(".part")]
    whole = tmp_path / part.removeprefix(".").removesuffix(".part")
    whole.mkdir()
    (whole / "of somebody").write_bytes(b"theirs")
    gate.open()
    assert (await ended(station, job.id)).state is ExportState.FAILED
    assert (whole / "of somebody").read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == [whole.name]


async def test_what_was_removed_by_hand_is_said_when_it_is_fetched(station: FakeStation) -> None:
    job = await ended(station, (await station.client.start_export_job(ask("plain"))).id)
    shutil.rmtree(job.folder)
    with pytest.raises(NotFound, match="is not in its folder any more"):
        async with station.client.export_file(job.id, job.files[0].name):
            pass
    await station.client.remove_export_job(job.id)
    assert await station.client.export_jobs() == ()


async def test_one_that_cannot_be_removed_does_not_keep_the_others(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = await ended(station, (await station.client.start_export_job(ask("plain"))).id)
    station.clock.advance(1_000_000)
    other = await ended(station, (await station.client.start_export_job(ask("plain"))).id)
    real = ExportFolder.discard

    def discard(folder: ExportFolder, name: str) -> None:
        if name == Path(stuck.folder).name:
            raise VolumeError("stuck")
        real(folder, name)

    monkeypatch.setattr(ExportFolder, "discard", discard)
    station.clock.advance(8 * 86_400_000_000)
    await station.exports.expire()
    assert (await station.client.export_job(other.id)).is_expired
    assert not Path(other.folder).exists()
    assert not (await station.client.export_job(stuck.id)).is_expired
    monkeypatch.undo()
    await station.exports.expire()
    assert not Path(stuck.folder).exists()


def test_a_folder_that_may_not_be_looked_into_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuses)
    with pytest.raises(VolumeError, match="Permission denied"):
        ExportFolder(tmp_path / "exports").space()

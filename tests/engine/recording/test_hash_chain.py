"""What the recorder writes is proved, whatever happened to volumes and engine while it was recorded. Rule 24."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from storage.evidence.findings import FileReport
from storage.evidence.verify_segment import END_OPEN, verify_runs, verify_segment
from tests.engine.recording.rig import Rig
from tests.fakes.camera import PacketScript
from tests.fakes.segment_files import KEY

S = 1_000_000


@pytest.fixture
async def signing(rig: Rig) -> Rig:
    """Segments of ten seconds, signed."""
    rig.config = replace(rig.config, signer=KEY, segment_us=10 * S)
    return rig


async def begun(rig: Rig, *volumes: str) -> PacketScript:
    for name in volumes:
        await rig.add_volume(name)
    await rig.add_camera()
    await rig.start()
    return PacketScript(rig.clock)


def verified(rig: Rig) -> list[FileReport]:
    paths: list[Path] = sorted(rig.folder.rglob("*.mp4"))
    return verify_runs(verify_segment(path, lambda key: key == KEY.public) for path in paths)


async def test_a_run_is_proved_from_its_first_part_to_its_last(signing: Rig) -> None:
    script = await begun(signing, "v1")
    await signing.stream(45, script)
    await signing.stop()
    reports = verified(signing)
    assert len(reports) >= 4
    assert all(report.is_authentic for report in reports), reports
    assert all("without a hole" in report.notes[0] for report in reports[1:])


async def test_the_chain_goes_on_where_a_broken_volume_left_it(signing: Rig) -> None:
    script = await begun(signing, "v1", "v2")
    await signing.stream(15, script)
    used = signing.view().volume
    signing.volumes[used].write_errno = errno.EIO
    await signing.stream(10, script)
    signing.volumes[used].write_errno = 0
    await signing.stream(20, script)
    await signing.stop()
    reports = verified(signing)
    assert {Path(report.name).relative_to(signing.folder).parts[0] for report in reports} == {"v1", "v2"}
    assert all(report.is_authentic for report in reports), reports
    continued = [report for report in reports[1:] if "without a hole" in report.notes[-1]]
    assert len(continued) == len(reports) - 1


async def test_a_hung_volume_that_finishes_its_write_late_breaks_no_chain(signing: Rig) -> None:
    script = await begun(signing, "v1", "v2")
    await signing.stream(15, script)
    used = signing.view().volume
    signing.volumes[used].hang()
    await signing.stream(15, script)
    assert signing.view().volume != used
    signing.volumes[used].release()
    await signing.stream(10, script)
    await signing.stop()
    reports = verified(signing)
    assert all(report.is_authentic for report in reports), reports


async def test_what_a_crash_left_open_is_sealed_at_the_next_start(signing: Rig) -> None:
    script = await begun(signing, "v1")
    await signing.stream(4, script)
    await signing.crash()
    (report,) = verified(signing)
    assert report.not_matched == report.without_signature == 0
    assert report.troubles == (END_OPEN,)
    await signing.start()
    await signing.stop()
    (report,) = verified(signing)
    assert report.is_authentic
    assert "crash" in report.notes[0]


async def test_without_a_key_footage_is_recorded_all_the_same(signing: Rig) -> None:
    signing.config = replace(signing.config, signer=None)
    script = await begun(signing, "v1")
    await signing.stream(15, script)
    await signing.stop()
    reports = verified(signing)
    assert sum(report.without_signature for report in reports) > 0
    assert all(not report.matched and not report.not_matched and not report.troubles for report in reports)

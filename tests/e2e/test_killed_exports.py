"""kill -9 of a real engine in each phase of an export: it is said what became of it, nothing half-written is left, and it can be made anew."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import wire
from engine.client import EngineClient
from engine.wire_evidence import ExportAsk, ExportJobView, ExportRange, ExportState, PrivacyMask
from storage.errors import WatchdeckError
from tests.e2e.engine_process import PATIENCE, EngineProcess, eventually, until
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

S = 1_000_000
PASSWORD = "correct horse battery"
ENDED = (ExportState.DONE, ExportState.FAILED, ExportState.CANCELLED)
MASK = PrivacyMask(left=0, top=0, width=5_000, height=5_000)
NOT_BEGUN, STOPPED, DONE = "not begun", "the engine stopped", "done"


@dataclass(frozen=True)
class Phase:
    name: str
    hold_at: str
    outcome: str = STOPPED
    call: int = 1
    password: str = ""
    masks: tuple[PrivacyMask, ...] = ()


PHASES = (
    Phase("asking", "engine.exports.planning:plan_export", NOT_BEGUN),
    Phase("planning", "engine.exports.planning:plan_export", call=2),
    Phase("folder made", "engine.exports.folder:ExportFolder.begin"),
    Phase("writing", "engine.exports.package:GuardedFile.write"),
    Phase("encrypting", "engine.exports.package:GuardedFile.write", call=4, password=PASSWORD),
    Phase("masking", "engine.exports.making:_read_one", masks=(MASK,)),
    Phase("sealing", "storage.evidence.encoded_seal:EncodedSeal.box", masks=(MASK,)),
    Phase("file whole", "engine.exports.package:PlainPackage.end"),
    Phase("report", "engine.exports.making:report_page"),
    Phase("papers", "engine.exports.making:package_papers", password=PASSWORD),
    Phase("end of the ZIP", "engine.exports.package:GuardedFile.close", password=PASSWORD),
    Phase("named, not noted", "engine.exports.folder:ExportFolder.reveal"),
    Phase("done", "engine.exports.service:ExportService._tell_done", DONE),
)


async def recorded(client: EngineClient) -> wire.TimelineRow:
    station = await client.status()
    found = await client.timeline(("yard",), start_us=station.now_us - 600 * S, end_us=station.now_us)
    return found.rows[0]


async def test_an_export_killed_in_any_phase(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    wrapper = Path(__file__).with_name("held_engine.py")
    root = Path(__file__).parents[2]
    engine = EngineProcess(
        tmp_path / "state",
        environment={"PYTHONPATH": str(root)},
        python=(sys.executable, str(wrapper)),
    )
    try:
        client = await engine.start()
        with RtspServer([RtspStream(path="/yard", fps=15, gop=15, audio="pcmu")]) as server:
            await client.add_volume(
                wire.VolumeAdd(name="disk", path=str(volume), floor_bytes=1 << 20, allow_system_disk=True)
            )
            await client.add_camera(wire.CameraAdd(name="yard", url=server.url("/yard")))
            await until(client, lambda now: now.station.cameras_recording == 1, "recording")
            row = await eventually(
                lambda: recorded(client),
                lambda seen: bool(seen.recorded) and seen.recorded[-1][1] - seen.recorded[0][0] > 6 * S,
                "six seconds on disk",
            )
            await client.remove_camera("yard")
        start_us = row.recorded[0][0]
        exports = tmp_path / "state" / "exports"
        for phase in PHASES:
            ask = ExportAsk(
                ranges=(
                    ExportRange(camera="yard", start_us=start_us, end_us=start_us + 5 * S, masks=phase.masks),
                ),
                password=phase.password,
                name=phase.name,
            )
            await killed_in(engine, phase, ask, tmp_path / f"{phase.name}.reached")
            client = await engine.start()
            jobs = await eventually(
                client.export_jobs,
                # Just started, it may answer before it has looked up what it was at.
                lambda seen, least=int(phase.outcome != NOT_BEGUN): (
                    len(seen) >= least and all(job.state in ENDED for job in seen)
                ),
                phase.name,
            )
            said = [job for job in jobs if job.name == phase.name]
            check(phase, said, exports)
            assert await client.locks() == (), phase.name
            for job in said:
                await client.remove_export_job(job.id)
            assert os.listdir(exports) == [], phase.name
            again = await client.start_export_job(ask)
            await eventually(
                client.export_jobs, lambda seen: all(job.state in ENDED for job in seen), phase.name
            )
            again = await client.export_job(again.id)
            assert again.state is ExportState.DONE, (phase.name, again.trouble)
            assert_verifies(again, tmp_path)
            await client.remove_export_job(again.id)
            assert os.listdir(exports) == [], phase.name
            assert engine.stop() == 0
    finally:
        await engine.end()


async def killed_in(engine: EngineProcess, phase: Phase, ask: ExportAsk, marker: Path) -> None:
    """From outside, by SIGKILL, while the phase stands still."""
    if engine.process is not None and engine.process.poll() is None:
        assert engine.stop() == 0
    engine.environment.update(HOLD_AT=phase.hold_at, HOLD_CALL=str(phase.call), HOLD_MARKER=str(marker))
    client = await engine.start()
    asking = asyncio.create_task(client.start_export_job(ask))
    async with asyncio.timeout(60 * PATIENCE):
        while not marker.exists():
            await asyncio.sleep(0.02)
    assert engine.process is not None
    children = descendants(engine.process.pid)
    engine.kill()
    try:
        await asking
    except WatchdeckError:
        assert phase.outcome == NOT_BEGUN
    for name in ("HOLD_AT", "HOLD_CALL", "HOLD_MARKER"):
        del engine.environment[name]
    async with asyncio.timeout(20 * PATIENCE):
        while any(Path(f"/proc/{pid}/exe").exists() for pid in children):
            await asyncio.sleep(0.05)


def descendants(pid: int) -> list[int]:
    found = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return found + [each for child in found for each in descendants(child)]


def check(phase: Phase, said: list[ExportJobView], exports: Path) -> None:
    left = os.listdir(exports) if exports.exists() else []
    if phase.outcome == NOT_BEGUN:
        assert (said, left) == ([], []), phase.name
        return
    (job,) = said
    if phase.outcome == DONE:
        assert job.state is ExportState.DONE
        assert left == [Path(job.folder).name]
        return
    assert (job.state, job.trouble) == (ExportState.FAILED, STOPPED), phase.name
    assert "export again" in job.remedy
    assert left == [], phase.name


def assert_verifies(job: ExportJobView, folder: Path) -> None:
    secret = folder / "password"
    secret.write_text(PASSWORD)
    path = Path(job.folder) / job.files[0].name if job.is_encrypted else Path(job.folder)
    command = [sys.executable, "-m", "engine", "verify", "--json", "--password-file", str(secret), str(path)]
    ran = subprocess.run(command, capture_output=True, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(ran.stdout)["matched"] >= 4

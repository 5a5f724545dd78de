"""Input/output errors: a drive that stops taking data in the middle of a sync.

The drive is a file system on a loop device whose file lies, sparse, in a memory file system that is too small for
it: what does not fit comes back as EIO, as from a dying drive. Errors at every single call are tests/fakes/volume.py's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import wire
from tests.e2e.engine_process import EngineProcess, eventually, until
from tests.e2e.loop_disk import mounted, new_image
from tests.e2e.recorded_pictures import decodes_without_error
from tests.rtsp.server import RtspServer, RtspStream

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

BUSY = RtspStream(path="/busy", pattern="snow", kbps=8000, width=640, height=480, fps=15, gop=15)
FAR_FUTURE_US = 1 << 57
SECOND_US = 1_000_000


@contextmanager
def memory_disk(folder: Path, size_mib: int) -> Iterator[Path]:
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"this machine does not mount a tmpfs: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


async def test_a_drive_with_write_errors_is_left_for_the_other_one_and_what_it_lost_is_a_gap(
    tmp_path: Path,
) -> None:
    engine = EngineProcess(tmp_path / "state", config="[recording]\nsegment_s = 10\n")
    with (
        memory_disk(tmp_path / "memory", 24) as memory,
        mounted(new_image(memory / "one.img", 256), tmp_path / "one") as one,
        mounted(new_image(tmp_path / "two.img", 256), tmp_path / "two") as two,
        RtspServer([BUSY]) as server,
    ):
        try:
            client = await engine.start()
            await client.add_volume(wire.VolumeAdd(name="one", path=str(one), floor_bytes=4 << 20))
            await client.add_camera(wire.CameraAdd(name="busy", url=server.url()))
            await until(client, lambda now: now.station.cameras_recording == 1, "recording")
            await client.add_volume(wire.VolumeAdd(name="two", path=str(two), floor_bytes=4 << 20))
            seen = await until(
                client,
                lambda now: any(v.name == "one" and v.state in ("failed", "read_only") for v in now.volumes),
                "the drive's errors noticed",
                timeout_s=120,
            )
            assert next(view.cause for view in seen.volumes if view.name == "one")
            await until(
                client,
                lambda now: now.cameras[0].state == "recording" and now.cameras[0].volume == "two",
                "recording on the other",
            )
            recordings = await eventually(
                lambda: client.recordings("busy", 0, FAR_FUTURE_US),
                lambda found: sum(r.volume == "two" for r in found) >= 2,
                "segments on the other",
                timeout_s=30,
            )
            gaps = await client.gaps("busy", 0, FAR_FUTURE_US)
            row = (await client.timeline(["busy"], 0, FAR_FUTURE_US)).rows[0]
            assert engine.stop() == 0, engine.tail()
            for recording in recordings:
                if recording.volume == "two":
                    assert not decodes_without_error(Path(recording.path)), recording.path
        finally:
            await engine.end()
    assert "Traceback" not in engine.log.read_text()
    print(engine.log.read_text()[-3000:], recordings, gaps, row)
    told = [*row.recorded, *((gap.start_us, gap.end_us or FAR_FUTURE_US) for gap in gaps)]
    told.sort()
    for (_, end_us), (start_us, _) in zip(told, told[1:], strict=False):
        assert start_us - end_us <= SECOND_US, "what is not recorded is a gap"

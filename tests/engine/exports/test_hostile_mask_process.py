"""A mask process that lies, talks for ever, grows or cannot be started: the range is left out in words, the rest is made."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.exports import mask_process
from engine.exports.mask_messages import MaskJob
from engine.exports.mask_process import MaskProcess
from engine.wire_evidence import ExportAsk, ExportRange, ExportState, PrivacyMask
from storage.errors import ExportFailed
from tests.engine.exports.conftest import at, ended
from tests.fakes.station import FakeStation

PRELUDE = """
import os, sys, time
from engine.exports.mask_messages import *
def say(answer): raw(framed(answer_encoder.encode(answer)))
def raw(data): os.write(1, data)
"""
JPEG = "b'\\xff\\xd8\\xff'"
LIES = {
    "words that are none": ("raw(framed(b'\\x01garbage'))", "a message that is none"),
    "a message without end": (
        "raw(LENGTH.pack(0xFFFFFFFF)); time.sleep(60)",
        "a message of 4294967295 bytes",
    ),
    "one too large": ("raw(LENGTH.pack((4 << 20) + 1)); time.sleep(60)", "a message of 4194305 bytes"),
    "half a message": ("raw(LENGTH.pack(100) + b'x' * 9)", "ended in the middle"),
    "nothing": ("", "ended in the middle"),
    "a path as a suffix": (
        "say(MaskDone(suffix='/../../../x', frames=5, cuts=((9, 0),)))",
        "it made no video",
    ),
    "no frames": ("say(MaskDone(suffix='.mp4', frames=0, cuts=((9, 0),)))", "it made no video"),
    "no cuts": ("say(MaskDone(suffix='.mp4', frames=5, cuts=()))", "it made no video"),
    "cuts backwards": ("say(MaskDone(suffix='.mp4', frames=5, cuts=((9, 0), (9, 1))))", "goes backwards"),
    "times backwards": ("say(MaskDone(suffix='.mp4', frames=5, cuts=((9, 1), (10, 1))))", "goes backwards"),
    "stills of nothing": (f"say(MaskedStill(index=7, jpeg={JPEG}))", "a picture that nobody asked for"),
    "negative stills": (f"say(MaskedStill(index=-1, jpeg={JPEG}))", "a picture that nobody asked for"),
    "a still twice": (f"[say(MaskedStill(index=0, jpeg={JPEG})) for _ in '12']", "nobody asked for"),
    "a large small picture": (
        f"say(MaskedStill(index=0, jpeg={JPEG} + bytes(1 << 20)))",
        "a small picture of 1048579 bytes",
    ),
    "no picture": ("say(MaskedStill(index=0, jpeg=b'<script>'))", "a picture that nobody asked for"),
    "the same for ever": ("while 1: say(MaskProgress(media_us=1))", "it goes backwards"),
    "a bit more for ever": (
        "n = 0\nwhile 1:\n n += 1; say(MaskProgress(media_us=n))",
        "it never stops talking",
    ),
    "loud words": ("say(MaskFailed(what='\\x1b[2J' + 'x' * 100_000))", "masking failed: "),
    "done and never gone": ("say(MaskDone(suffix='.mp4', frames=5, cuts=((9, 0),))); time.sleep(60)", ""),
}


def use(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """This program instead of the real one."""
    real = asyncio.create_subprocess_exec

    async def start(program: str, *arguments: str, **options: object) -> asyncio.subprocess.Process:
        return await real(sys.executable, "-c", PRELUDE + code, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(mask_process.asyncio, "create_subprocess_exec", start)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(65536)


@pytest.fixture
def out_fd(tmp_path: Path) -> int:
    return os.open(tmp_path / "out", os.O_RDWR | os.O_CREAT)


async def run(fd: int, room_bytes: int = 1 << 20) -> None:
    async with asyncio.timeout(30), MaskProcess() as process:
        await process.run(
            MaskJob(masks=(), stills_us=(0, 1), out_fd=fd),
            endless(),
            lambda media_us: None,
            length_us=4_000_000,
            room_bytes=room_bytes,
        )


@pytest.mark.parametrize("lie", LIES)
async def test_what_it_says_is_not_believed(monkeypatch: pytest.MonkeyPatch, out_fd: int, lie: str) -> None:
    code, words = LIES[lie]
    use(monkeypatch, code)
    if not words:
        await run(out_fd)
        return
    with pytest.raises(ExportFailed) as caught:
        await run(out_fd)
    assert words in caught.value.what
    assert len(caught.value.what) < 400
    assert caught.value.what.isprintable()
    assert caught.value.remedy


async def test_its_file_stays_within_the_room(
    monkeypatch: pytest.MonkeyPatch, out_fd: int, tmp_path: Path
) -> None:
    use(
        monkeypatch,
        "import signal; sys.stdin.buffer.read(100_000)\n"
        "fd = max(int(name) for name in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{name}'))\n"
        "while 1: os.write(fd, bytes(100_000))",
    )
    with pytest.raises(ExportFailed, match="ended in the middle"):
        await run(out_fd, room_bytes=1 << 20)
    assert (tmp_path / "out").stat().st_size <= 1 << 20


async def test_what_it_started_ends_with_it(
    monkeypatch: pytest.MonkeyPatch, out_fd: int, tmp_path: Path
) -> None:
    use(
        monkeypatch,
        "import subprocess\n"
        f"child = subprocess.Popen(['sleep', '600']); open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "say(MaskDone(suffix='.mp4', frames=5, cuts=((9, 0),))); time.sleep(600)",
    )
    await run(out_fd)
    pid = int((tmp_path / "pid").read_text())
    async with asyncio.timeout(10):
        while is_alive(pid):
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:4]
    except FileNotFoundError:
        return False


async def test_it_has_an_end_however_slowly_it_goes(monkeypatch: pytest.MonkeyPatch, out_fd: int) -> None:
    use(monkeypatch, "n = 0\nwhile 1:\n n += 1; say(MaskProgress(media_us=n)); time.sleep(0.05)")
    monkeypatch.setattr(mask_process, "LONGEST_S", 0.5)
    monkeypatch.setattr(mask_process, "LONGEST_PER_S", 0.1)
    with pytest.raises(ExportFailed, match="longer than"):
        await run(out_fd)


async def test_one_that_cannot_be_started_leaves_its_range_out(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(mask_process.asyncio, "create_subprocess_exec", start)
    mask = PrivacyMask(left=0, top=0, width=5_000, height=5_000)
    ask = ExportAsk(
        ranges=(
            ExportRange(camera="gate", start_us=at(0), end_us=at(4), masks=(mask,)),
            ExportRange(camera="yard", start_us=at(0), end_us=at(4)),
        )
    )
    job = await ended(station, (await station.client.start_export_job(ask)).id)
    assert job.state is ExportState.DONE
    assert any("cannot be started: Resource temporarily unavailable" in note for note in job.notes)
    assert [file.name.partition("-")[0] for file in job.files if file.name.endswith(".mp4")] == ["yard"]


@pytest.mark.parametrize("cut", [0, 5, 1 << 62, -1])
async def test_places_that_its_file_has_not_are_not_believed(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    use(monkeypatch, f"say(MaskDone(suffix='.mp4', frames=5, cuts=(({cut}, 0),)))")
    mask = PrivacyMask(left=0, top=0, width=5_000, height=5_000)
    ask = ExportAsk(ranges=(ExportRange(camera="gate", start_us=at(0), end_us=at(4), masks=(mask,)),))
    job = await ended(station, (await station.client.start_export_job(ask)).id)
    assert (job.state, job.trouble) == (ExportState.FAILED, "the mask process made no video")


@pytest.mark.parametrize("suffix", ["/../../../x", ".exe"])
async def test_a_name_it_makes_up_is_never_one_of_a_file(
    station: FakeStation, monkeypatch: pytest.MonkeyPatch, suffix: str, short_folder: Path
) -> None:
    use(monkeypatch, f"say(MaskDone(suffix={suffix!r}, frames=5, cuts=((9, 0),)))")
    mask = PrivacyMask(left=0, top=0, width=5_000, height=5_000)
    ask = ExportAsk(ranges=(ExportRange(camera="gate", start_us=at(0), end_us=at(4), masks=(mask,)),))
    before = sorted(path for path in short_folder.rglob("*") if "exports" not in path.parts)
    job = await ended(station, (await station.client.start_export_job(ask)).id)
    assert job.state is ExportState.FAILED
    assert "speaks nonsense" in job.trouble
    after = sorted(path for path in short_folder.rglob("*") if "exports" not in path.parts)
    assert before == after
    assert os.listdir(station.exports._shop.folder.path) == []


async def test_it_claims_little_whatever_the_engine_was_given() -> None:
    """As a service the engine is killed last when memory ends; who masks its videos is not."""

    def bind_like_a_service() -> None:
        os.setpriority(os.PRIO_PROCESS, 0, 3)
        Path("/proc/self/oom_score_adj").write_text("7")

    with subprocess.Popen(
        [sys.executable, "-m", "engine.exports.mask_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=bind_like_a_service,
    ) as process:
        score = Path(f"/proc/{process.pid}/oom_score_adj")
        async with asyncio.timeout(60):
            while score.read_text().strip() != "500":
                await asyncio.sleep(0.05)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 15
        process.kill()

"""Footage plays, at every moment of its life, in players that share no code with Watchdeck.

Each kind of stream is written as the recorder writes it, and looked at closed, still growing, torn and recovered, and
exported: by Debian's ffprobe and ffmpeg, by mpv, and by a browser where one is installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from storage.segments.chain import RunChain
from storage.segments.export import ExportSource, plan_export
from storage.segments.recover import recover_segment
from storage.segments.writer import SegmentWriter
from tests.e2e import browser
from tests.fakes.encoded_video import encoded, merged
from tests.fakes.evidence import proof
from tests.fakes.segment_files import KEY, identity, parts_of, write_run, write_segment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SECONDS = 6.0
WIDTH, HEIGHT = 320, 240
TORN_BYTES = 1_500
STATES = ("closed", "growing", "recovered", "exported", "exported-over-a-gap")
KINDS = {
    "h264-aac": ("h264", "aac"),
    "h264-b-frames-aac": ("h264_b", "aac"),
    "h264-pcmu": ("h264", "pcmu"),
    "h264-l16": ("h264", "l16"),
    "h264": ("h264", ""),
    "h265-opus": ("h265", "opus"),
    "h265-b-frames": ("h265_b", ""),
    "mjpeg": ("mjpeg", ""),
    "mjpeg-aac": ("mjpeg", "aac"),
}
IN_BROWSERS = tuple(kind for kind in KINDS if kind.startswith("h264"))
"""Chromium as distributions build it decodes no H.265 and no MJPEG in MP4."""


SAY_WHERE = """
mp.register_event("playback-restart", function()
  io.stdout:write(string.format("at %f of %f ", mp.get_property_number("time-pos"), mp.get_property_number("duration")))
  mp.set_property_bool("pause", false)
end)
mp.register_event("end-file", function(event) io.stdout:write("end " .. event.reason .. "\\n") end)
"""
"""For mpv, which waits until this was said: where it begins to play, how long it thinks the file is, and why it stopped."""


@dataclass(frozen=True, slots=True)
class Footage:
    """One kind of stream in every state."""

    files: dict[str, Path]
    seconds: dict[str, float]
    """How long the pictures of each go on."""


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> object:
    return cache(lambda kind: make(tmp_path_factory.mktemp(kind), kind))


def make(folder: Path, kind: str) -> Footage:
    """Write the stream in every state."""
    video, audio = KINDS[kind]
    streams = [encoded(video, SECONDS, 25, WIDTH, HEIGHT)]
    if audio:
        streams.append(encoded(audio, SECONDS))
    tracks, packets = merged(*streams)
    parts = parts_of(tracks, packets)
    hz = tracks[0].time_base_hz
    files, seconds = {}, {}

    files["closed"], summary = write_segment(folder, "closed.mp4", tracks, parts)
    seconds["closed"] = summary.video_duration_ticks / hz

    writer = SegmentWriter.create(folder, "open.mp4", identity(), tracks, chain=RunChain(KEY))
    for part in parts[:-1]:
        writer.append(part)
    seconds["growing"] = writer.video_duration_ticks / hz
    written = writer.path.read_bytes()
    writer.abandon()
    files["growing"] = folder / "growing.mp4"
    files["growing"].write_bytes(written)

    files["recovered"] = folder / "recovered.mp4"
    files["recovered"].write_bytes(written[:-TORN_BYTES])
    recovered = recover_segment(files["recovered"])
    assert recovered.truncated_bytes > 0
    seconds["recovered"] = recovered.video_duration_ticks / hz

    run = write_run(folder, tracks, parts, max(2, len(parts) // 3))
    sources = [ExportSource(path, start, end, done.video_duration_ticks) for path, done, start, end in run]
    for name, chosen in (("exported", sources), ("exported-over-a-gap", [sources[0], sources[-1]])):
        plan = plan_export(chosen, chosen[0].start_us, chosen[-1].end_us, proof=proof())
        files[name] = folder / f"{name}.mp4"
        with files[name].open("wb") as file:
            file.writelines(plan.chunks())
        seconds[name] = sum(source.media_duration_ticks for source in chosen) / hz
    return Footage(files, seconds)


def run_player(argv: list[str]) -> str:
    """Standard output; a player that complains fails the test in its own words."""
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed: apt-get install {argv[0].replace('ffprobe', 'ffmpeg')}")
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr.strip()) == (0, ""), f"{argv[0]}: {done.stdout[-2000:]}"
    return done.stdout


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS)
def test_ffmpeg_knows_its_length_and_decodes_it_all(footage: object, kind: str, state: str) -> None:
    made: Footage = footage(kind)  # type: ignore[operator]
    path = made.files[state]
    shown = json.loads(run_player(["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]))
    streams = {stream["codec_type"]: stream for stream in shown["streams"]}
    assert set(streams) == ({"video", "audio"} if KINDS[kind][1] else {"video"})
    assert (streams["video"]["width"], streams["video"]["height"]) == (WIDTH, HEIGHT)
    assert float(streams["video"]["duration"]) == pytest.approx(made.seconds[state], abs=0.05)
    run_player(["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"])


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS)
def test_mpv_plays_it_from_its_middle_to_the_end(
    footage: object, kind: str, state: str, tmp_path: Path
) -> None:
    made: Footage = footage(kind)  # type: ignore[operator]
    script = tmp_path / "say.lua"
    script.write_text(SAY_WHERE)
    middle_s = made.seconds[state] / 2
    said = run_player(
        [
            *(
                "mpv",
                "--no-config",
                "--vo=null",
                "--ao=null",
                "--ao-null-untimed",
                "--untimed",
                "--pause",
                "--msg-level=all=error,ffmpeg=warn,demux=warn,vd=warn,ad=warn",
            ),
            *(f"--script={script}", f"--start={middle_s:.3f}", "--hr-seek=yes", str(made.files[state])),
        ]
    ).split()
    assert said[0::2] == ["at", "of", "end"], said
    assert float(said[1]) == pytest.approx(middle_s, abs=0.2)
    assert float(said[3]) == pytest.approx(made.seconds[state], abs=0.3)
    assert said[5] == "eof"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", IN_BROWSERS)
async def test_a_browser_plays_it_from_its_middle(
    footage: object, kind: str, state: str, tmp_path: Path
) -> None:
    made: Footage = footage(kind)  # type: ignore[operator]
    played = await browser.play(browser.installed(), made.files[state], tmp_path)
    assert played.error == ""
    assert played.events[:4] == ("loadedmetadata", "loadeddata", "seeked", "playing")
    assert (played.width, played.height) == (WIDTH, HEIGHT)
    assert played.duration_s == pytest.approx(made.seconds[state], abs=0.3)
    assert played.sought_s == pytest.approx(played.duration_s / 2, abs=0.1)
    assert played.at_s > played.sought_s
    if kind.endswith("aac"):
        assert played.sound_bytes > 0

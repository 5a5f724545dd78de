"""Segment files of real encoded streams."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.encoded_video import encoded, merged
from tests.fakes.segment_files import parts_of, write_segment


@pytest.fixture
def small_segment(tmp_path: Path) -> Path:
    """A closed segment of under 10 kB: three GOPs of tiny H.264 with B-frames, and sound."""
    tracks, packets = merged(encoded("h264_b", 0.72, gop=6, width=32, height=32), encoded("pcmu", 0.72))
    path, _ = write_segment(tmp_path, "small.mp4", tracks, parts_of(tracks, packets))
    return path


@pytest.fixture
def assert_plays() -> Callable[[Path], None]:
    """Demuxes and decodes the whole file with Debian's ffmpeg; any complaint is a failure."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")

    def play(path: Path) -> None:
        done = subprocess.run(
            [ffmpeg, "-nostdin", "-v", "error", "-xerror", "-i", str(path), "-map", "0", "-f", "null", "-"],
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        assert (done.returncode, done.stderr) == (0, ""), path

    return play

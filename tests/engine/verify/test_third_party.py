"""The script in docs/evidence.md, as a stranger without Watchdeck would use it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.evidence import exported, recorded
from tests.fakes.segment_files import KEY

PAGE = Path(__file__).parents[3] / "docs" / "evidence.md"


def test_the_documented_script_needs_nothing_of_ours(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    script = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    (tmp_path / "verify.py").write_text(script)
    (tmp_path / "station.pem").write_text(KEY.public.pem)
    export = exported(recorded(tmp_path), tmp_path / "dock.mp4")

    def verdict() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "verify.py", "dock.mp4", "station.pem"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)

    done = verdict()
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("matched: 4 parts\n")
    content = bytearray(export.read_bytes())
    content[len(content) // 2] ^= 1
    export.write_bytes(content)
    assert verdict().returncode != 0

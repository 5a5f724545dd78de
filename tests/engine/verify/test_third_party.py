"""The script in docs/evidence.md, as a stranger without Watchdeck would use it."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.evidence.manifest import MANIFEST_BOX_UUID
from tests.fakes.evidence import exported, recorded
from tests.fakes.segment_files import KEY

PAGE = Path(__file__).parents[3] / "docs" / "evidence.md"


Verdict = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def verdict(tmp_path: Path) -> Verdict:
    """Runs the script on dock.mp4."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    script = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    (tmp_path / "verify.py").write_text(script)
    (tmp_path / "station.pem").write_text(KEY.public.pem)

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "verify.py", "dock.mp4", "station.pem"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)

    return run


def test_the_documented_script_needs_nothing_of_ours(tmp_path: Path, verdict: Verdict) -> None:
    export = exported(recorded(tmp_path), tmp_path / "dock.mp4")
    done = verdict()
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("matched: 4 parts\n")
    content = bytearray(export.read_bytes())
    content[len(content) // 2] ^= 1
    export.write_bytes(content)
    assert verdict().returncode != 0


def test_what_stands_behind_the_last_part_is_looked_at_too(tmp_path: Path, verdict: Verdict) -> None:
    """No export has anything there today; the format allows it."""
    export = exported(recorded(tmp_path), tmp_path / "dock.mp4")
    content = export.read_bytes()
    (size,) = struct.unpack(">I", content[-4:])
    (length,) = struct.unpack(">I", content[-size + 24 : -size + 28])
    manifest = json.loads(content[-size + 28 : -size + 28 + length])
    tail = b"what follows"
    manifest |= {"tail_bytes": len(tail), "tail_sha256": hashlib.sha256(tail).hexdigest()}
    body = json.dumps(manifest).encode()
    signed = body + KEY.sign(body)
    box_bytes = 28 + len(signed) + 4
    box = struct.pack(">I4s16sI", box_bytes, b"uuid", MANIFEST_BOX_UUID.bytes, len(body))
    box += signed + struct.pack(">I", box_bytes)
    export.write_bytes(content[:-size] + tail + box)
    assert verdict().stdout.endswith("matched: 4 parts\n")
    export.write_bytes(content[:-size] + tail.upper() + box)
    assert verdict().returncode != 0

"""As many cameras as a station may have, at the rate cameras have, for three minutes: nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.bench.recording import load_server, watchdeck

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

CAMERAS, SECONDS = 128, 180
KEPT_BYTES = 4_000_000_000
NEEDED_BYTES = 3 * KEPT_BYTES


def test_128_cameras_for_three_minutes_lose_nothing(tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < NEEDED_BYTES:
        pytest.skip(f"less than {NEEDED_BYTES // 10**9} GB free in {tmp_path}")
    with load_server(packets_a_send=0) as port:
        seen = asyncio.run(watchdeck(port, CAMERAS, SECONDS, tmp_path / "run", KEPT_BYTES))
    assert seen["frames_on_disk"] > 0
    assert (seen["frames_lost"], seen["rtp_packets_lost"], seen["reconnects"]) == (0, 0, 0)
    assert seen["exit_code"] == 0

"""The system's clock for one process, to be set by tests: libfaketime with a file; monotonic time stays real."""

from __future__ import annotations

from pathlib import Path

import pytest

_LIBRARIES = tuple(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class FakeClock:
    """`environment` is for the process; `step` sets its wall clock while it runs."""

    def __init__(self, folder: Path) -> None:
        if not _LIBRARIES:
            pytest.skip("libfaketime is not installed (packaging/install-test-tools)")
        self._file = folder / "clock"
        self.offset_s = 0
        self.step(0)
        self.environment = {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def step(self, seconds: int) -> None:
        """Forward, or back when negative, by so much from where it is now."""
        self.offset_s += seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{self.offset_s:+d}\n")
        new.replace(self._file)

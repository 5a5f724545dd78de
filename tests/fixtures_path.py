"""Where the shared captures of real devices lie; tests that need one skip, saying so, when it is absent."""

import os
from pathlib import Path

import pytest

SHARED_FIXTURES = Path(
    os.environ.get("WATCHDECK_FIXTURES", Path(__file__).resolve().parents[2] / "shared" / "fixtures")
)


def fixture_files(pattern: str) -> list[Path]:
    """Capture files by glob below the shared fixtures, sorted; empty when they are not here."""
    return sorted(SHARED_FIXTURES.glob(pattern))


def require_fixtures(folder: str) -> Path:
    """The folder, or a skip that says what is missing."""
    path = SHARED_FIXTURES / folder
    if not path.is_dir():
        pytest.skip(f"captures of real devices are not here: {folder} (set WATCHDECK_FIXTURES)")
    return path

"""Real reports of smartctl: our own from the lab (always here), and public ones where the shared fixtures are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures_path import SHARED_FIXTURES

OWN = Path(__file__).resolve().parents[2] / "data" / "smartctl"
PUBLIC = SHARED_FIXTURES / "raid" / "smartctl-json"
NEED_PUBLIC = pytest.mark.skipif(
    not PUBLIC.is_dir(),
    reason="captures of real devices are not here: raid/smartctl-json (set WATCHDECK_FIXTURES)",
)


def all_captures() -> list[Path]:
    """Every one, public ones of the lab left out: ours are the same."""
    public = [path for path in sorted(PUBLIC.glob("*/*.json")) if path.parent.name != "lab"]
    return sorted(OWN.glob("*.json")) + public


def is_scan(path: Path) -> bool:
    return b'"devices"' in path.read_bytes()


def capture(name: str) -> bytes:
    """By the end of its file name; exactly one must match. Skips where only the shared fixtures have it."""
    found = [path for path in all_captures() if path.stem.endswith(name)]
    if not found and not PUBLIC.is_dir():
        pytest.skip(f"the capture {name} is not here: raid/smartctl-json (set WATCHDECK_FIXTURES)")
    assert len(found) == 1, f"{name}: {[path.name for path in found]}"
    return found[0].read_bytes()

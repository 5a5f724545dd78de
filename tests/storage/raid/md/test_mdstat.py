"""Every capture of /proc/mdstat is understood to the last line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.raid.md.mdstat import parse_mdstat
from tests.fixtures_path import fixture_files, require_fixtures

LAB = Path(__file__).resolve().parents[3] / "data" / "md" / "mdstat"


def captures() -> list[Path]:
    return sorted(LAB.iterdir()) + [
        path for path in fixture_files("raid/mdstat/*/*") if path.parent.name != "lab"
    ]


@pytest.mark.parametrize("path", captures(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_line_of_a_capture_is_understood(path: Path) -> None:
    text = path.read_text()
    mdstat = parse_mdstat(text)
    strange = tuple(line.strip() for line in mdstat.not_understood)
    bad = [line for line in text.splitlines() if line.startswith("mdf1: testman")]
    assert strange == tuple(bad)
    heads = [line for line in text.splitlines() if line.startswith("md") and " : " in line]
    assert len(mdstat.arrays) == len(heads)
    for array, head in zip(mdstat.arrays, heads, strict=True):
        assert len(array.members) == head.count("[")
        assert sum("F" in member.flags for member in array.members) == head.count("(F)")
        assert sum("S" in member.flags for member in array.members) == head.count("(S)")


def test_the_captures_of_others_are_among_them() -> None:
    require_fixtures("raid/mdstat")
    assert len(captures()) >= 45


def test_a_failed_journal_keeps_both_its_flags() -> None:
    array = parse_mdstat((LAB / "G3-raid10-two-failed-raid1-readonly").read_text()).array("md2")
    assert array is not None
    assert next(member for member in array.members if member.name == "sdk").flags == {"J", "F"}


def test_delayed_and_pending_work_has_no_percentage() -> None:
    mdstat = parse_mdstat((LAB / "G6-resync-pending-autoreadonly").read_text())
    progress = {array.name: array.progress for array in mdstat.arrays}
    assert [(p.waits, p.percent) if p else None for p in progress.values()] == [
        ("PENDING", None),
        ("DELAYED", None),
        ("", 82.4),
    ]
    assert mdstat.arrays[0].mode == "auto-read-only"


def test_an_inactive_array_shows_no_level() -> None:
    (array,) = parse_mdstat((LAB / "G4-inactive-incremental").read_text()).arrays
    assert (array.is_active, array.level, array.members[0].flags) == (False, "", {"S"})


@given(st.text(max_size=400))
def test_no_text_breaks_the_parser(text: str) -> None:
    parse_mdstat(text)

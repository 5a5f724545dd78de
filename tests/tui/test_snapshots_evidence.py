"""Pictures of the evidence screen and of the dialogs for exports and cases, at 80x24 and 120x40."""

from __future__ import annotations

import pytest

from tests.tui.desk_for import app_for
from tests.tui.test_console_evidence import evidence
from tests.tui.test_snapshots import FOLDER, SnapCompare, arriving_at, settled

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


@SIZES
def test_exports(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = arriving_at("9", "night 3", then=("j", "j"), finally_=("for the police",))
    assert snap_compare(app_for(evidence(), FOLDER), terminal_size=size, run_before=settled(steps))


@SIZES
def test_a_case(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = arriving_at("9", "night 3", then=("tab", "enter"), finally_=("he comes",))
    assert snap_compare(app_for(evidence(), FOLDER), terminal_size=size, run_before=settled(steps))


@SIZES
def test_the_dialog_of_a_case(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = arriving_at("9", "night 3", then=("tab", "x"), finally_=("Password again",))
    assert snap_compare(app_for(evidence(), FOLDER), terminal_size=size, run_before=settled(steps))


@SIZES
def test_the_dialog_of_a_range(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    keys = ("left_square_bracket", "right", "right", "right_square_bracket", "left", "x")
    steps = arriving_at(
        "3", "recorded  span 6 h", then=("left", "left", *keys), finally_=("Made by", "Masks")
    )
    assert snap_compare(app_for(evidence(), FOLDER), terminal_size=size, run_before=settled(steps))

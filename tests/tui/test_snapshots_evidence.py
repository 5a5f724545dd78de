"""Pictures of the evidence screen and of the dialogs for exports and cases, at 80x24 and 120x40."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui.desk_for import app_for, until
from tests.tui.test_console_evidence import evidence
from tests.tui.test_snapshots import FOLDER, SnapCompare, Steps, arriving_at, settled
from tests.tui.wall_steps import LINUX
from tui.screens.areas_dialog import AreasDialog

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


def drawn_masks(*keys: str, words: str) -> Steps:
    range_keys = ("left_square_bracket", "right", "right", "right_square_bracket", "left", "x", "f4")
    drawing = (*"HHK", "enter", *"LJJ", "enter", *"LLLK", *keys)
    steps = arriving_at(
        "3", "recorded  span 6 h", then=("left", "left", *range_keys, *drawing), finally_=(words, "Masks of")
    )

    async def until_drawn(pilot: Pilot[object]) -> None:
        await settled(steps)(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, AreasDialog)
        await until(pilot, lambda: screen.cell._backdrop is not None)
        await pilot.pause()

    return until_drawn


@SIZES
def test_masks_being_drawn(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    steps = drawn_masks("enter", "l", "l", "j", words="1 area, 1 corner of a rectangle")
    assert snap_compare(app_for(evidence(), FOLDER), terminal_size=size, run_before=steps)


def test_masks_on_the_linux_console(snap_compare: SnapCompare) -> None:
    app = app_for(evidence(), FOLDER, LINUX)
    assert snap_compare(app, terminal_size=(80, 25), run_before=drawn_masks(words="1 area"))

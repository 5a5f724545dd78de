from __future__ import annotations

from pathlib import Path

import pytest

from tui.wall_settings import load_overlay, save_overlay
from widgets.overlay import ELEMENTS, Overlay


@pytest.mark.parametrize(
    "overlay",
    [Overlay(), Overlay(ELEMENTS, is_on_top=True, is_on=False), Overlay(())],
    ids=["usual", "all", "none"],
)
def test_what_is_saved_is_loaded_and_nothing_else_is_left(tmp_path: Path, overlay: Overlay) -> None:
    path = tmp_path / "below" / "wall.toml"
    save_overlay(path, overlay)
    assert load_overlay(path) == (overlay, "")
    assert list(path.parent.iterdir()) == [path]


def test_no_file_is_no_complaint(tmp_path: Path) -> None:
    assert load_overlay(tmp_path / "wall.toml") == (Overlay(), "")


@pytest.mark.parametrize("text", ["overlay = ['weather']", "overlay = 3", "is_on = 1", "overlay = ["])
def test_a_wrong_file_is_reported_and_taken_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wall.toml"
    path.write_text(text)
    overlay, complaint = load_overlay(path)
    assert overlay == Overlay()
    assert str(path) in complaint
